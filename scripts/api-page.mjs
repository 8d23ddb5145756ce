// node scripts/api-page.mjs [--check]: writes docs/api.md, the list of what each entry point of @ai-audit/core exports,
// with the first sentence of each docstring. With --check it compares instead, and names exports without a docstring.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const core = join(root, "packages/core");
const page = join(root, "docs/api.md");

const AUDIENCES = {
  ".": "programs that log",
  "./capture": "wrappers of an SDK or a framework",
  "./sdk": "wrappers of a generated SDK's client",
  "./verify": "auditors",
  "./reading": "views of a log: filters, figures, transcripts, trees",
  "./format": "tools that read or write the bytes of a log",
  "./s3": "a log in a bucket",
  "./anchor": "states of a log beyond its owner's reach",
  "./sql": "questions over many entries",
  "./testing": "authors of a storage",
  "./aws-kms": "master keys wrapped by AWS KMS",
  "./aws-secrets": "master keys from AWS Secrets Manager",
};

/** The exports of a module: name, and file and name of its declaration. */
function exportsOf(file) {
  const text = readFileSync(file, "utf8");
  const found = [];
  for (const [, list, from] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gms)) {
    for (const part of list
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean)) {
      const [name, alias = name] = part.replace(/^type /, "").split(" as ");
      found.push({ name: alias, ...declarationOf(join(dirname(file), from), name) });
    }
  }
  for (const [, name] of text.matchAll(DECLARED))
    found.push({ name, ...declarationOf(file, name) });
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const DECLARED =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|interface|type|const) (\w+)/gm;

/** Kind and first docstring sentence of a declaration; follows re-exports. */
function declarationOf(file, name) {
  const text = readFileSync(file, "utf8");
  const again = new RegExp(
    `^export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from "([^"]+)"`,
    "ms",
  ).exec(text);
  if (again) return declarationOf(join(dirname(file), again[1]), name);
  const declared = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:async )?(class|function\\*?|interface|type|const) ${name}\\b`,
    "m",
  ).exec(text);
  if (!declared) throw new Error(`${name} is not declared in ${file}`);
  const [, kind] = declared;
  const doc = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:\/\/[^\n]*\s*)*$/.exec(
    text.slice(0, declared.index),
  );
  const words = (doc?.[1] ?? "")
    .replace(/^\s*\* ?/gm, " ")
    .split(/\s@\w|\n\s*\n/)[0]
    .replace(/\s+/g, " ")
    .trim();
  return { kind: kind.replace("*", ""), summary: firstSentence(words) };
}

function firstSentence(text) {
  return /^.*?[.:](?= [A-Z`]|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text;
}

function write() {
  const { exports } = JSON.parse(readFileSync(join(core, "package.json"), "utf8"));
  const bare = [];
  let text = `# What \`@ai-audit/core\` exports

Made by \`node scripts/api-page.mjs\` from the docstrings, which say more: shapes, units, defaults and errors by code.
`;
  for (const [entry, audience] of Object.entries(AUDIENCES)) {
    const source = exports[entry]["ai-audit-source"];
    text += `\n## \`@ai-audit/core${entry.slice(1)}\`\n\nFor ${audience}.\n\n| name | kind | what it is |\n| --- | --- | --- |\n`;
    for (const { name, kind, summary } of exportsOf(join(core, source))) {
      if (summary === "") bare.push(`${entry} ${name}`);
      text += `| \`${name}\` | ${kind} | ${summary.replaceAll("|", "\\|")} |\n`;
    }
  }
  return { text, bare };
}

const { text, bare } = write();
if (bare.length > 0) {
  console.error(`exports without a docstring: ${bare.join(", ")}`);
  process.exitCode = 1;
}
if (!process.argv.includes("--check")) writeFileSync(page, text);
else if (readFileSync(page, "utf8") !== text) {
  console.error("docs/api.md is not what the source says: run node scripts/api-page.mjs");
  process.exitCode = 1;
}
