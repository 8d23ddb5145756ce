// The work whose system calls are recorded: `node work.ts <log> <keys> <archive> <pem>`. Two
// hundred operations: entries in eight lanes with rotation, one clean-up, one erasure, segments
// shipped and their copies removed. Each entry that is acknowledged is printed by one system call,
// so that the recording has the moment.
import { mkdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  FileStorage,
  type FileStorageOptions,
  Signer,
} from "@ai-audit/core";
import { WORK_KEY } from "../work-key.ts";

const LANES = 8;
const PER_LANE = 24;
const [path = "", keys = "", archivePath = "", pem = ""] = process.argv.slice(2);
const signer = Signer.fromPem("faults", readFileSync(pem, "utf8"));
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** A directory outside of the one that loses its power. */
const archive: NonNullable<FileStorageOptions["archive"]> = {
  keepLocalDays: 1,
  onError: (error) => say(`ARCHIVE ${error.message}`),
  async store(segment) {
    const { file, directory, bytes } = segment;
    mkdirSync(join(archivePath, directory), { recursive: true });
    const place = join(archivePath, directory, file);
    writeFileSync(place, await segment.read(0, bytes));
    return place;
  },
};
const encryption = new EncryptionManager(WORK_KEY, { subjects: new FileKeyStore({ path: keys }) });
const storage = new FileStorage({ path, signer, rotationSizeMb: 0.03, archive });
const logger = new AuditLogger(storage, { retentionDays: 4, encryption, storeContent: true });

const lane = async (number: number): Promise<void> => {
  for (let n = 0; n < PER_LANE; n += 1) {
    const id = await logger.log({
      input: `question ${n} of lane ${number}`,
      output: "x".repeat((n * 97) % 1500),
      subject: `person ${(number + n) % 5}`,
    });
    say(`ACK ${id} ${(number + n) % 5}`);
  }
};
const lanes = Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
say(`CLEANED ${await logger.cleanupExpired()}`);
say("ERASING");
await logger.eraseSubject("person 1", { actor: "faults", reason: "asked for" });
say("ERASED");
await lanes;
await logger.close();
say("CLOSED");
