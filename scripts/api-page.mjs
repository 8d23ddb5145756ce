// node scripts/api-page.mjs [--check]: writes docs/api.md, the list of what each entry point of each package exports,
// with the first sentence of each docstring. With --check it compares instead, and names exports without a docstring.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/api.md");

/** Entry points of @ai-audit/core. Another package has one, and its description says what it is. */
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

/** The exports of a module: name, kind, and first sentence, or the package that another one's comes from. */
function exportsOf(file) {
  const text = readFileSync(file, "utf8");
  const found = [];
  for (const [, list, from] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gms)) {
    for (const part of list
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean)) {
      const [name, alias = name] = part.replace(/^type /, "").split(" as ");
      const declared = declaring(file, from);
      if (declared === undefined) found.push({ name: alias, from });
      else if (alias !== "default") found.push({ name: alias, ...declarationOf(declared, name) });
    }
  }
  for (const [, from] of text.matchAll(/^export \* from "([^"]+)";/gm))
    found.push(...exportsOf(declaring(file, from)));
  for (const [, name] of text.matchAll(DECLARED))
    found.push({ name, ...declarationOf(file, name) });
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file that a module imports from; none where it belongs to a package that is not ours. */
function declaring(file, from) {
  if (from.startsWith(".")) return join(dirname(file), from);
  const [, name, entry] = /^@ai-audit\/([\w-]+)(.*)$/.exec(from) ?? [];
  return name === undefined ? undefined : sourcesOf(name)[`.${entry}`];
}

/** The entry points of a package with the file of each. */
function sourcesOf(name) {
  const folder = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.fromEntries(
    Object.entries(exports)
      .filter(([, target]) => target["ai-audit-source"] !== undefined)
      .map(([entry, target]) => [entry, join(folder, target["ai-audit-source"])]),
  );
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

/** The packages that are published, core first. */
function packages() {
  return readdirSync(join(root, "packages"))
    .map((name) => ({
      name,
      ...JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")),
      folder: name,
    }))
    .filter((one) => one.private !== true)
    .toSorted((a, b) => Number(b.folder === "core") - Number(a.folder === "core"));
}

function write() {
  const bare = [];
  let text = `# What the packages export

Made by \`node scripts/api-page.mjs\` from the docstrings, which say more: shapes, units, defaults and errors by code.
`;
  for (const { name, folder, description, bin } of packages()) {
    const sources = sourcesOf(folder);
    const entries = folder === "core" ? Object.keys(AUDIENCES) : Object.keys(sources);
    for (const entry of entries) {
      const about = folder === "core" ? `For ${AUDIENCES[entry]}.` : `${description}.`;
      text += `\n## \`${name}${entry.slice(1)}\`\n\n${about}\n\n| name | kind | what it is |\n| --- | --- | --- |\n`;
      const foreign = new Map();
      for (const { name: own, kind, summary, from } of exportsOf(sources[entry])) {
        if (from !== undefined) foreign.set(from, [...(foreign.get(from) ?? []), own]);
        else {
          if (summary === "") bare.push(`${name}${entry.slice(1)} ${own}`);
          text += `| \`${own}\` | ${kind} | ${summary.replaceAll("|", "\\|")} |\n`;
        }
      }
      for (const [from, names] of foreign)
        text += `\nFrom \`${from}\`, unchanged: ${names.map((one) => `\`${one}\``).join(", ")}.\n`;
    }
    if (entries.length === 0)
      text += `\n## \`${name}\`\n\n${description}. It has a command and no exports: \`${Object.keys(bin).join("`, `")}\`, see [the command](cli.md).\n`;
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
