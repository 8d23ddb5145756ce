// Compares the built JavaScript with another compiler's output of the same sources.
// A compiler's mistake is invisible to tests that run from the sources: TypeScript 7.0.2 emits
// `{ _a: this.name }` for `{ Bucket: this.name }` inside `class Bucket`.
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import ts from "typescript-5.9";

/** One built file that is not what its source says. */
export interface BuildDifference {
  /** The built file, relative to the package. */
  readonly file: string;
  /** In words, with the first line that differs. */
  readonly difference: string;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  jsx: ts.JsxEmit.ReactJSX,
  jsxImportSource: "preact",
};

/** Bundles for browsers: esbuild makes them, of many sources each. */
const BUNDLES = /^browser[/\\]/;

/**
 * Differences between `dist/` and `src/` of one package: files whose code differs, that are
 * missing, or that no source accounts for. Comments, white space and redundant parentheses do not
 * count.
 */
export async function compareBuild(packageDirectory: string): Promise<readonly BuildDifference[]> {
  const [src, dist] = [join(packageDirectory, "src"), join(packageDirectory, "dist")];
  const sources = await filesBelow(src, /(?<!\.d)\.(?:[cm]?ts|tsx)$/);
  const all = await filesBelow(dist, /\.[cm]?js$/);
  const built = new Set(all.filter((file) => !BUNDLES.test(file)));
  const differences: BuildDifference[] = [];
  for (const source of sources) {
    const file = source.replace(/tsx?$/, "js");
    const expected = compile(await readFile(join(src, source), "utf8"), source);
    if (!built.delete(file)) {
      if (expected.statements.length > 0) differences.push({ file, difference: "is missing" });
      continue;
    }
    const actual = parse(await readFile(join(dist, file), "utf8"), file);
    const difference = firstDifference(expected, actual);
    if (difference !== undefined) differences.push({ file, difference });
  }
  for (const file of built)
    differences.push({ file, difference: "has no source: run pnpm clean, and build again" });
  return differences.map(({ file, difference }) => ({ file: join("dist", file), difference }));
}

async function filesBelow(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted();
}

function compile(text: string, fileName: string): ts.SourceFile {
  const isCommonJs = fileName.endsWith(".cts");
  const { outputText } = ts.transpileModule(text, {
    fileName,
    compilerOptions: {
      ...OPTIONS,
      verbatimModuleSyntax: !isCommonJs,
      module: isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
    },
  });
  return parse(outputText, `${fileName}.js`);
}

function parse(text: string, fileName: string): ts.SourceFile {
  return ts.createSourceFile(fileName, text, ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS);
}

/** The first line that differs, in the words of both compilers. */
function firstDifference(expected: ts.SourceFile, actual: ts.SourceFile): string | undefined {
  const [wanted, found] = [[...partsOf(expected, expected)], [...partsOf(actual, actual)]];
  const length = Math.max(wanted.length, found.length);
  for (let at = 0; at < length; at += 1) {
    if (wanted[at]?.what === found[at]?.what) continue;
    return `says ${lineOf(actual, found[at])} where its source says ${lineOf(expected, wanted[at])}`;
  }
  return undefined;
}

interface Part {
  readonly what: string;
  readonly at: number;
}

/** Every node of the code in its order: its kind, and the text or the operator that it holds. */
function* partsOf(node: ts.Node, file: ts.SourceFile): Generator<Part> {
  if (isJsxImport(node)) return;
  if (!ts.isParenthesizedExpression(node)) yield { what: describe(node), at: node.getStart(file) };
  const children: ts.Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* partsOf(child, file);
}

/** The import that compilers add to JSX; each has its own order of names. */
function isJsxImport(node: ts.Node): boolean {
  return (
    ts.isImportDeclaration(node) &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    node.moduleSpecifier.text === `${OPTIONS.jsxImportSource ?? ""}/jsx-runtime`
  );
}

function describe(node: ts.Node): string {
  const { kind } = node;
  if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) return `${kind} ${node.text}`;
  if (ts.isLiteralExpression(node)) return `${kind} ${node.text}`;
  if (ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
    return `${kind} ${node.text}`;
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node))
    return `${kind} ${node.operator}`;
  if (ts.isVariableDeclarationList(node)) return `${kind} ${node.flags & ts.NodeFlags.BlockScoped}`;
  return String(kind);
}

function lineOf(file: ts.SourceFile, part: Part | undefined): string {
  if (!part) return "nothing more";
  const { line } = file.getLineAndCharacterOfPosition(part.at);
  return `"${file.text.split("\n")[line]?.trim()}" in line ${line + 1}`;
}
