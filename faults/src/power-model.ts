// The possible contents of a disk after a power cut. A write is certain once fdatasync() or fsync()
// of its file returned that began after it, a name once fsync() of its directory did. Of everything
// else the disk holds what it likes, in any order.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { descriptorIn, type Step, stringsIn } from "./trace.ts";

const DIRECTORY = 0;
/** A file's number; `DIRECTORY` for every directory. */
type Node = number;

type Change =
  | { readonly kind: "write"; readonly node: Node; readonly offset: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly node: Node; readonly size: number }
  | { readonly kind: "name"; readonly path: string; readonly node: Node }
  | { readonly kind: "unname"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string };

export interface Pending {
  readonly change: Change;
  isCertain: boolean;
}

/** Files and directories as they would be found. */
export class Image {
  readonly names: Map<string, Node>;
  readonly bytes: Map<Node, Buffer>;

  constructor(names: ReadonlyMap<string, Node>, bytes: ReadonlyMap<Node, Buffer>) {
    this.names = new Map(names);
    this.bytes = new Map(bytes);
  }

  apply(change: Change): void {
    switch (change.kind) {
      case "write": {
        const before = this.bytes.get(change.node) ?? Buffer.alloc(0);
        const after = Buffer.alloc(Math.max(before.length, change.offset + change.data.length));
        before.copy(after);
        change.data.copy(after, change.offset); // what lies between is zeros, as on a disk
        this.bytes.set(change.node, after);
        break;
      }
      case "truncate":
        this.bytes.set(
          change.node,
          (this.bytes.get(change.node) ?? Buffer.alloc(0)).subarray(0, change.size),
        );
        break;
      case "name":
        this.names.set(change.path, change.node);
        break;
      case "unname":
        this.names.delete(change.path);
        break;
      case "rename":
        for (const [path, node] of new Map(this.names)) {
          if (path !== change.from && !path.startsWith(`${change.from}/`)) continue;
          this.names.delete(path);
          this.names.set(change.to + path.slice(change.from.length), node);
        }
        break;
    }
  }

  /**
   * The same for images that hold the same. Paths below a directory that is not there do not count.
   */
  digest(): string {
    const hash = createHash("sha256");
    for (const [path, node] of this.#reachable()) {
      hash.update(`${path}\0${node === DIRECTORY ? "directory" : "file"}\0`);
      if (node !== DIRECTORY)
        hash.update(
          createHash("sha256")
            .update(this.bytes.get(node) ?? "")
            .digest(),
        );
    }
    return hash.digest("hex");
  }

  /** Makes the image's directories and files below `target`, in place of what is there. */
  write(root: string, target: string): void {
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const [path, node] of this.#reachable()) {
      const place = target + path.slice(root.length);
      if (node === DIRECTORY) mkdirSync(place, { recursive: true, mode: 0o700 });
      else writeFileSync(place, this.bytes.get(node) ?? "", { mode: 0o600 });
    }
  }

  #reachable(): readonly (readonly [string, Node])[] {
    const sorted = [...this.names].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const there = new Set<string>();
    return sorted.filter(([path, node]) => {
      const isThere = there.size === 0 || there.has(dirname(path));
      if (isThere && node === DIRECTORY) there.add(path);
      return isThere;
    });
  }
}

/** The disk while the recorded program runs. Only what lies below `root` counts. */
export class PowerModel {
  readonly #root: string;
  readonly #cwd: string;
  /** Everything before the first change that is not certain. */
  readonly #base: Image;
  /** The content as the program sees it. */
  readonly #now: Image;
  #pending: Pending[] = [];
  #nodes = DIRECTORY;
  readonly #open = new Map<number, { readonly path: string; readonly node: Node }>();
  /** Of syncs that have begun: the changes that they make certain. */
  readonly #syncing = new Map<number, readonly Pending[]>();

  /** `snapshot`: a directory that holds what `root` held before the program began. */
  constructor(root: string, snapshot: string) {
    this.#root = root;
    this.#cwd = process.cwd();
    const names = new Map<string, Node>([[root, DIRECTORY]]);
    const bytes = new Map<Node, Buffer>();
    for (const entry of readdirSync(snapshot, { recursive: true, withFileTypes: true })) {
      const path = join(root, entry.parentPath.slice(snapshot.length), entry.name);
      if (entry.isDirectory()) names.set(path, DIRECTORY);
      else {
        this.#nodes += 1;
        names.set(path, this.#nodes);
        bytes.set(this.#nodes, readFileSync(join(entry.parentPath, entry.name)));
      }
    }
    this.#base = new Image(names, bytes);
    this.#now = new Image(names, bytes);
  }

  /** Changes since the last one before which all are certain, in their order. */
  get pending(): readonly Pending[] {
    return this.#pending;
  }

  /** The image with these of the pending changes, in this order. */
  image(changes: readonly Pending[]): Image {
    const image = new Image(this.#base.names, this.#base.bytes);
    for (const { change } of changes) image.apply(change);
    return image;
  }

  /** Follows one step of the recording. */
  follow(step: Step): void {
    const { kind, call, name, args, result = -1 } = step;
    const isSync = name === "fdatasync" || name === "fsync";
    if (isSync && kind !== "end") this.#syncing.set(call, this.#coveredBy(descriptorIn(args)));
    // The descriptor may be given anew before close() returns.
    if (name === "close" && kind !== "end") this.#open.delete(descriptorIn(args));
    if (kind === "begin" || result < 0) return;
    if (isSync) this.#settle(call);
    else this.#perform(name, args, result);
  }

  #perform(name: string, args: string, result: number): void {
    const [first, second] = stringsIn(args).map((text) => resolve(this.#cwd, text.toString()));
    switch (name) {
      case "open":
      case "openat":
        return this.#opened(first, args, result);
      case "write":
      case "writev":
      case "pwrite64":
      case "pwritev":
        return this.#wrote(name, args, result);
      case "ftruncate": {
        const file = this.#open.get(descriptorIn(args));
        if (file)
          this.#change({
            kind: "truncate",
            node: file.node,
            size: Number(/,\s*(\d+)/.exec(args)?.[1]),
          });
        return undefined;
      }
      case "mkdir":
      case "mkdirat":
        if (this.#isInside(first)) this.#change({ kind: "name", path: first, node: DIRECTORY });
        return undefined;
      case "unlink":
      case "unlinkat":
      case "rmdir":
        if (this.#isInside(first)) this.#change({ kind: "unname", path: first });
        return undefined;
      case "link":
      case "linkat": {
        const node = this.#now.names.get(first ?? "");
        if (this.#isInside(second) && node !== undefined)
          this.#change({ kind: "name", path: second, node });
        return undefined;
      }
      case "rename":
      case "renameat":
      case "renameat2":
        if (this.#isInside(first) && second !== undefined)
          this.#change({ kind: "rename", from: first, to: second });
        return undefined;
      default:
        return undefined;
    }
  }

  #opened(path: string | undefined, args: string, descriptor: number): void {
    this.#open.delete(descriptor);
    if (!this.#isInside(path)) return;
    if (!this.#now.names.has(path) && args.includes("O_CREAT")) {
      this.#nodes += 1;
      this.#change({ kind: "name", path, node: this.#nodes });
    }
    const node = this.#now.names.get(path);
    if (node === undefined) return;
    if (args.includes("O_TRUNC")) this.#change({ kind: "truncate", node, size: 0 });
    this.#open.set(descriptor, { path, node });
  }

  #wrote(name: string, args: string, count: number): void {
    const file = this.#open.get(descriptorIn(args));
    if (!file || file.node === DIRECTORY) return;
    const data = Buffer.concat(stringsIn(args)).subarray(0, count);
    const isAt = name.startsWith("p");
    const offset = isAt
      ? Number(/,\s*(\d+)\s*$/.exec(args)?.[1])
      : (this.#now.bytes.get(file.node)?.length ?? 0);
    this.#change({ kind: "write", node: file.node, offset, data });
  }

  #change(change: Change): void {
    this.#now.apply(change);
    this.#pending.push({ change, isCertain: false });
  }

  #coveredBy(descriptor: number): readonly Pending[] {
    const file = this.#open.get(descriptor);
    if (!file) return [];
    const isName = (path: string): boolean => dirname(path) === file.path;
    return this.#pending.filter(({ change }) => {
      switch (change.kind) {
        case "write":
        case "truncate":
          return file.node !== DIRECTORY && change.node === file.node;
        case "name":
        case "unname":
          return file.node === DIRECTORY && isName(change.path);
        case "rename":
          return file.node === DIRECTORY && isName(change.to);
      }
      return false;
    });
  }

  #settle(call: number): void {
    for (const pending of this.#syncing.get(call) ?? []) pending.isCertain = true;
    this.#syncing.delete(call);
    const first = this.#pending.findIndex(({ isCertain }) => !isCertain);
    const certain = this.#pending.splice(0, first === -1 ? this.#pending.length : first);
    for (const { change } of certain) this.#base.apply(change);
  }

  #isInside(path: string | undefined): path is string {
    return path !== undefined && (path === this.#root || path.startsWith(`${this.#root}/`));
  }
}

/** A write of which only the first `length` bytes got there; zeros follow, or nothing. */
export function torn(pending: Pending, length: number, hasZeros: boolean): Pending {
  const { change } = pending;
  if (change.kind !== "write") return pending;
  const data = hasZeros ? Buffer.alloc(change.data.length) : Buffer.alloc(length);
  change.data.copy(data, 0, 0, length);
  return { ...pending, change: { ...change, data } };
}
