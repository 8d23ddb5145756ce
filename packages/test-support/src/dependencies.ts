// The programs from outside that tests need, and the switch that leaves out the tests of each.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";

/** A test for a dependency on this machine. */
const CHECKS = {
  bash: () => hasPrograms("bash"),
  /** A C compiler, for the library that makes system calls fail. */
  cc: () => hasPrograms("cc"),
  /** Ceph's S3 gateway. */
  ceph: () => hasPrograms("radosgw", "ceph-mon", "ceph-osd", "ceph"),
  chromium: () => existsSync("/usr/bin/chromium"),
  /** Python with `cryptography`. */
  cryptography: () => hasModule("cryptography.fernet"),
  fish: () => hasPrograms("fish"),
  /** Python with `joserfc`. */
  joserfc: () => hasModule("joserfc"),
  /** The right to mount a file system. */
  mount: () => mayMount(),
  /** moto's server of AWS services. */
  moto: () => hasPrograms("moto_server") && hasModule("moto.server"),
  strace: () => hasPrograms("strace"),
  zsh: () => hasPrograms("zsh"),
} as const satisfies Record<string, () => boolean>;

export type Dependency = keyof typeof CHECKS;

/** Every dependency, in the order of the alphabet. */
export const DEPENDENCIES: readonly Dependency[] = [
  "bash",
  "cc",
  "ceph",
  "chromium",
  "cryptography",
  "fish",
  "joserfc",
  "mount",
  "moto",
  "strace",
  "zsh",
];

/** Name of the environment variable that leaves a dependency's tests out, when it is `1`. */
export function switchOf(dependency: Dependency): string {
  return `AI_AUDIT_WITHOUT_${dependency.toUpperCase()}`;
}

/**
 * Whether the tests of a dependency are left out: its switch is set, or it is absent. Under `CI`
 * its absence leaves nothing out: the tests run and fail.
 */
export function isLeftOut(dependency: Dependency): boolean {
  if (process.env[switchOf(dependency)] === "1") return true;
  return !process.env["CI"] && !isPresent(dependency);
}

const found = new Map<Dependency, boolean>();

/** Whether this machine has it. */
export function isPresent(dependency: Dependency): boolean {
  const known = found.get(dependency);
  if (known !== undefined) return known;
  const present = CHECKS[dependency]();
  found.set(dependency, present);
  return present;
}

function hasPrograms(...programs: readonly string[]): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return programs.every((program) => folders.some((folder) => existsSync(join(folder, program))));
}

function hasModule(name: string): boolean {
  const search = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${name}") is None)`;
  return spawnSync("python3", ["-c", search]).status === 0;
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "ai-audit-mount-"));
  try {
    if (spawnSync("mount", ["-t", "tmpfs", "none", folder]).status !== 0) return false;
    return spawnSync("umount", [folder]).status === 0;
  } finally {
    rmdirSync(folder);
  }
}
