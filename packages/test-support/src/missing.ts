// `node missing.ts`: a line for each dependency of the tests that is missing and not switched off.
// Exits with 1 if any is.
import { DEPENDENCIES, isPresent, switchOf } from "./dependencies.ts";

const missing = DEPENDENCIES.filter(
  (dependency) => process.env[switchOf(dependency)] !== "1" && !isPresent(dependency),
);
for (const dependency of missing)
  console.error(
    `${dependency} is missing: scripts/install-test-tools.sh installs it, ${switchOf(dependency)}=1 leaves its tests out`,
  );
for (const dependency of DEPENDENCIES)
  if (process.env[switchOf(dependency)] === "1")
    console.error(`${switchOf(dependency)}=1: the tests of ${dependency} are left out`);
process.exitCode = missing.length > 0 ? 1 : 0;
