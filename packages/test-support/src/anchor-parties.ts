// Parties that confirm checkpoints, for these tests: a witness in Python, written from the
// specification alone, and OpenSSL as a time-stamping authority behind a small server.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./temporary-directory.ts";
import { onTestFinished } from "vitest";

const SCRIPT = fileURLToPath(new URL("witness.py", import.meta.url));

/** A witness that follows one anchor log, until the test has finished. */
export async function startWitness(
  name: string,
  { name: origin, vkey: logVkey }: { readonly name: string; readonly vkey: string },
  seed: string = "11".repeat(32),
): Promise<{ readonly url: string; readonly vkey: string }> {
  const child = spawn("python3", ["-W", "ignore", SCRIPT, name, seed, origin, logVkey], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: port } = await lines.next();
  const { value: vkey } = await lines.next();
  return { url: `http://127.0.0.1:${String(port)}`, vkey: String(vkey) };
}

const TSA_CONFIG = `
[ tsa ]
default_tsa = one
[ one ]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
[ ext ]
extendedKeyUsage = critical,timeStamping
`;

/** A time-stamping authority. */
export interface TestAuthority {
  readonly url: string;
  /** Its certificate, in PEM, and the file with it. */
  readonly certificates: string;
  readonly certificateFile: string;
  /** Stops answering with tokens: 503 from now on, or again tokens. */
  setDown(isDown: boolean): void;
}

/** OpenSSL's `ts -reply` behind a server, until the test has finished. */
export async function startAuthority(
  name = "tsa-a",
  key: "ec" | "rsa" = "ec",
  digest: "sha256" | "sha512" = "sha256",
): Promise<TestAuthority> {
  const directory = join(await temporaryDirectory(), "tsa");
  await mkdir(directory);
  await writeFile(
    join(directory, "tsa.cnf"),
    TSA_CONFIG.replace("signer_digest = sha256", `signer_digest = ${digest}`),
  );
  await writeFile(join(directory, "serial"), "01\n");
  const run = (...words: string[]): void => {
    execFileSync("openssl", words, { cwd: directory, stdio: "pipe" });
  };
  const kind =
    key === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : ["-pkeyopt", "rsa_keygen_bits:2048"];
  const make = ["-newkey", key, ...kind, "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem"];
  await writeFile(
    join(directory, "req.cnf"),
    "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nextendedKeyUsage=critical,timeStamping\n",
  );
  run(
    "req",
    "-x509",
    "-config",
    "req.cnf",
    "-extensions",
    "ext",
    "-days",
    "3650",
    "-subj",
    `/CN=${name}`,
    ...make,
  );
  let isDown = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (isDown) {
        response.writeHead(503).end();
        return;
      }
      void writeFile(join(directory, "q.tsq"), Buffer.concat(chunks))
        .then(() => {
          run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-out", "r.tsr");
          return readFile(join(directory, "r.tsr"));
        })
        .then(
          (token) => response.end(token),
          () => response.writeHead(500).end(),
        );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const certificateFile = join(directory, "tsa.pem");
  return {
    url: `http://127.0.0.1:${port}`,
    certificates: await readFile(certificateFile, "utf8"),
    certificateFile,
    setDown: (down) => {
      isDown = down;
    },
  };
}
