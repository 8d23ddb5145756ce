// The mutants: each takes one promise away, by a change of source text that stands in one place.
// Over 300 lines: one list.

export interface Mutant {
  /** The promise that is gone. */
  readonly name: string;
  /** Below packages/core/src. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Test files that must fail. */
  readonly tests: readonly string[];
}

const CORE = "packages/core/test";
const POWER = ["faults/test/power-cuts.test.ts"];
const CLEAN_UP = [`${CORE}/storage/file/clean-up-leaves-no-blind-spot.test.ts`];

export const MUTANTS: readonly Mutant[] = [
  // The tree and its notes.
  {
    name: "leaves and nodes are hashed apart (leaf)",
    file: "seal/merkle.ts",
    from: "buffer[start - 1] = 0x00;",
    to: "buffer[start - 1] = 0x01;",
    tests: [`${CORE}/seal/merkle.test.ts`],
  },
  {
    name: "leaves and nodes are hashed apart (node)",
    file: "seal/merkle.ts",
    from: "Buffer.alloc(1 + 2 * HASH_BYTES, 0x01)",
    to: "Buffer.alloc(1 + 2 * HASH_BYTES, 0x00)",
    tests: [`${CORE}/seal/merkle.test.ts`],
  },
  {
    name: "base64 has one spelling",
    file: "seal/note.ts",
    from: 'return bytes.toString("base64") === text ? bytes : undefined;',
    to: "return bytes;",
    tests: [`${CORE}/seal/note.test.ts`],
  },
  {
    name: "a note holds no control characters",
    file: "seal/note.ts",
    from: " || hasControls(note)",
    to: "",
    tests: [`${CORE}/seal/note.test.ts`],
  },
  {
    name: "a note has a bounded number of signatures",
    file: "seal/note.ts",
    from: "if (lines.length > MAX_SIGNATURES) return undefined;",
    to: "",
    tests: [`${CORE}/seal/note.test.ts`],
  },
  {
    name: "a root has 32 bytes",
    file: "seal/note.ts",
    from: " || decodeBase64(root)?.byteLength !== HASH_BYTES",
    to: "",
    tests: [`${CORE}/seal/note.test.ts`],
  },
  {
    name: "a signature names its key",
    file: "seal/note.ts",
    from: "!isKeyName(name) || ",
    to: "",
    tests: [`${CORE}/seal/note.test.ts`],
  },
  // The segment and the lane.
  {
    name: "nothing follows the end of a segment",
    file: "storage/segment.ts",
    from: "if (this.#closed) throw",
    to: "if (false) throw",
    tests: [`${CORE}/storage/segment.test.ts`],
  },
  {
    name: "nobody but the segment writes its own lines",
    file: "storage/segment.ts",
    from: "if (OWN_PREFIXES.some((prefix) => line.startsWith(prefix)))",
    to: "if (false)",
    tests: [`${CORE}/storage/segment.test.ts`],
  },
  {
    name: "what was not written is refused",
    file: "storage/lane.ts",
    from: "if (failure) reject(failure);\n      else resolve();",
    to: "resolve();",
    tests: [`${CORE}/storage/lane.test.ts`],
  },
  {
    name: "nothing is taken after close()",
    file: "storage/lane.ts",
    from: "if (this.#closing)\n      return Promise.reject",
    to: "if (false)\n      return Promise.reject",
    tests: [`${CORE}/storage/lane.test.ts`],
  },
  // Files.
  {
    name: "a key's bytes are synced",
    file: "files.ts",
    from: "await file.writeFile(text);\n    await syncFile(file);",
    to: "await file.writeFile(text);",
    tests: POWER,
  },
  {
    name: "a new directory's name is synced",
    file: "files.ts",
    from: "await syncDirectory(parent);",
    to: "",
    tests: POWER,
  },
  {
    name: "a key's name is synced",
    file: "files.ts",
    from: "await syncDirectory(dirname(path));\n  return true;",
    to: "return true;",
    tests: POWER,
  },
  {
    name: "a line holds no line feed",
    file: "format/check-line.ts",
    from: 'if (line.includes("\\n"))',
    to: "if (false)",
    tests: [`${CORE}/storage/contract.test.ts`],
  },
  {
    name: "bytes are synced before the acknowledgement (thread)",
    file: "storage/file/writer-thread.ts",
    from: "if (sync) fs.fdatasyncSync(fd);",
    to: "",
    tests: POWER,
  },
  {
    name: "bytes are synced before the acknowledgement (pool)",
    file: "storage/file/writer-thread.ts",
    from: "if (sync) await fdatasync(fd);",
    to: "",
    tests: POWER,
  },
  {
    name: "a file's name is synced before the acknowledgement (thread)",
    file: "storage/file/writer-thread.ts",
    from: "try { fs.fsyncSync(folder); } finally",
    to: "try {} finally",
    tests: POWER,
  },
  {
    name: "a file's name is synced before the acknowledgement (pool)",
    file: "storage/file/writer-thread.ts",
    from: "if (directory !== undefined) await syncDirectory(directory);",
    to: "",
    tests: POWER,
  },
  {
    name: "no two writers share a file",
    file: "storage/file/writer-thread.ts",
    from: "open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600)",
    to: "open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)",
    tests: [`${CORE}/storage/file/file.test.ts`, `${CORE}/storage/file/crash.test.ts`],
  },
  {
    name: "bytes in a file without a name are refused (thread)",
    file: "storage/file/writer-thread.ts",
    from: "fs.fstatSync(fd);\n    return { size, names: nlink };",
    to: "fs.fstatSync(fd);\n    return { size, names: 1 };",
    tests: [`${CORE}/storage/file/writer-thread.test.ts`],
  },
  {
    name: "bytes in a file without a name are refused (pool)",
    file: "storage/file/writer-thread.ts",
    from: "await fstat(fd);\n    return { size, names: nlink };",
    to: "await fstat(fd);\n    return { size, names: 1 };",
    tests: [`${CORE}/storage/file/foreign-files.test.ts`],
  },
  {
    name: "a file that shrinks under its writer gets nothing more",
    file: "storage/file/own-file.ts",
    from: "if (size !== expected) {",
    to: "if (false) {",
    tests: [`${CORE}/storage/file/sizes.test.ts`],
  },
  {
    name: "a line of a beheaded segment is passed once",
    file: "storage/file/read.ts",
    from: "isOurs ? entry.id : ",
    to: "",
    tests: [`${CORE}/storage/file/sizes.test.ts`],
  },
  {
    name: "an entry that was written again counts once in an archive",
    file: "storage/s3/read-shipped.ts",
    from: "if (heads.some(({ about }) => about?.isSecondTry === true)) {",
    to: "if (false) {",
    tests: [`${CORE}/storage/s3/second-tries.test.ts`],
  },
  // Retention.
  {
    name: "a hold keeps a file",
    file: "retention/plan.ts",
    from: 'if (reason !== undefined) kept.set(candidate, { candidate, fate: "held", reason });\n      else if',
    to: "if",
    tests: [`${CORE}/storage/file/holds.test.ts`],
  },
  {
    name: "a flawed file stays",
    file: "retention/plan.ts",
    from: "return flaw ?? (!isTrusted",
    to: "return (!isTrusted",
    tests: [`${CORE}/storage/file/trust.test.ts`],
  },
  {
    name: "a removal record that only an unproven file holds stays",
    file: "retention/plan.ts",
    from: "!isTrusted && removals.some(isNeeded)",
    to: "false",
    tests: [`${CORE}/storage/file/trust.test.ts`, ...CLEAN_UP],
  },
  {
    name: "states that only removed files recorded are recorded again",
    file: "storage/file/prune.ts",
    from: "...plan.carried], plan.states)",
    to: "...plan.carried], [])",
    tests: CLEAN_UP,
  },
  {
    name: "removal records are carried on",
    file: "storage/file/prune.ts",
    from: "[...lines, ...shipped, ...plan.carried]",
    to: "[...lines, ...shipped]",
    tests: CLEAN_UP,
  },
  {
    name: "a removal is on record",
    file: "storage/file/prune.ts",
    from: "[...lines, ...shipped, ...plan.carried]",
    to: "[...shipped, ...plan.carried]",
    tests: [`${CORE}/log/cleanup.test.ts`],
  },
  {
    name: "the real today stays",
    file: "storage/file/prune.ts",
    from: "day <= cutoffDay && day < today && ",
    to: "day <= cutoffDay && ",
    tests: [`${CORE}/storage/file/trust.test.ts`],
  },
  {
    name: "a file of another key stays",
    file: "storage/file/prune.ts",
    from: 'flaw: isOwner ? flaw : sealedByAnother(vkey ?? "")',
    to: "flaw",
    tests: CLEAN_UP,
  },
  {
    name: "a recorded file that is no segment any more stays",
    file: "storage/file/examine.ts",
    from: "recorded.every(({ size }) => size === 0)",
    to: "true",
    tests: [`${CORE}/storage/file/trust.test.ts`],
  },
  {
    name: "a hold whose bound cannot be read is open",
    file: "format/read-control-line.ts",
    from: 'typeof value === "string" && !Number.isNaN(Date.parse(value))',
    to: 'typeof value === "string"',
    tests: [
      `${CORE}/format/control-line.test.ts`,
      `${CORE}/storage/file/holds.test.ts`,
      `${CORE}/verify/forgery.test.ts`,
    ],
  },
  // Keys.
  {
    name: "content belongs to its entry and field (cty)",
    file: "keys/encryption.ts",
    from: "if (binding !== undefined && !isBoundTo(jwe.cty, binding))",
    to: "if (false)",
    tests: [`${CORE}/keys/encryption.test.ts`],
  },
  {
    name: "a JWE's tag is checked",
    file: "keys/jwe.ts",
    from: "decipher.final();",
    to: "",
    tests: [`${CORE}/keys/jwe.test.ts`],
  },
  {
    name: "crit and zip are refused",
    file: "keys/jwe.ts",
    from: ' || "crit" in header || "zip" in header',
    to: "",
    tests: [`${CORE}/keys/jwe.test.ts`],
  },
  {
    name: "alg is dir",
    file: "keys/jwe.ts",
    from: 'header.alg === "dir" && ',
    to: "",
    tests: [`${CORE}/keys/jwe.test.ts`],
  },
  {
    name: "the header is authenticated",
    file: "keys/jwe.ts",
    from: 'decipher.setAAD(Buffer.from(jwe.protectedHeader, "latin1"));',
    to: "",
    tests: [`${CORE}/keys/jwe.test.ts`],
  },
  {
    name: "a Fernet token's signature is checked",
    file: "keys/fernet.ts",
    from: "if (!timingSafeEqual(mac(signing, signed), tag)) continue;",
    to: "",
    tests: [`${CORE}/keys/fernet.test.ts`],
  },
  {
    name: "a Fernet token's age is checked",
    file: "keys/fernet.ts",
    from: "checkAge(signed, age);\n    return",
    to: "return",
    tests: [`${CORE}/keys/fernet.test.ts`],
  },
  // The verifier.
  {
    name: "a proof's path leads to its root",
    file: "verify/proof.ts",
    from: "if (root !== checkpoint.root)",
    to: "if (false)",
    tests: [`${CORE}/verify/proof.test.ts`],
  },
  {
    name: "a proof's signature is checked",
    file: "verify/proof.ts",
    from: "if (!verify(null, Buffer.from(note.text), key.publicKey, signature))",
    to: "if (false)",
    tests: [`${CORE}/verify/proof.test.ts`],
  },
  {
    name: "a key vouches for its own logs alone",
    file: "verify/proof.ts",
    from: "origin.startsWith(`${key.name}/`)",
    to: "true",
    tests: [`${CORE}/verify/proof.test.ts`],
  },
  {
    name: "pins are followed",
    file: "verify/references.ts",
    from: "for (const pin of pins) {",
    to: "for (const pin of pins.slice(0, 0)) {",
    tests: [`${CORE}/verify/pin.test.ts`],
  },
  {
    name: "references between segments are followed",
    file: "verify/references.ts",
    from: "for (const ref of recordsOf(from))",
    to: "for (const ref of recordsOf(from).slice(0, 0))",
    tests: [`${CORE}/verify/tamper.test.ts`],
  },
  {
    name: "one segment lies in one place",
    file: "verify/references.ts",
    from: "follower.findTwins();",
    to: "",
    tests: [`${CORE}/verify/forgery.test.ts`, `${CORE}/verify/ends.test.ts`],
  },
  {
    name: "a later format is not judged by this one",
    file: "format/read-control-line.ts",
    from: 'if (line["v"] !== 1)',
    to: "if (false)",
    tests: [
      `${CORE}/verify/untouched.test.ts`,
      `${CORE}/verify/removed-files.test.ts`,
      `${CORE}/verify/ends.test.ts`,
      `${CORE}/verify/located.test.ts`,
      `${CORE}/verify/not-judged.test.ts`,
    ],
  },
  {
    name: "a signature of a checkpoint is checked",
    file: "seal/signature-queue.ts",
    from: "else if (!isGood) this.badLines.push(line);",
    to: "",
    tests: [`${CORE}/verify/tamper.test.ts`],
  },
];
