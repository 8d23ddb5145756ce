// check.py of a bundle: a second, independent reading of the format, in another language and with other tools.

/** The script's text. */
export const CHECK_SCRIPT: string = `#!/usr/bin/env python3
"""Checks this bundle: python3 check.py VKEY [VKEY ...]

Exit code 0: every line is proven by a key that was given. 1: something was altered. 2: unknown key or no signature.
"""
import base64, hashlib, json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


def leaf(line):
    return hashlib.sha256(b"\\0" + line).digest()


def node(left, right):
    return hashlib.sha256(b"\\1" + left + right).digest()


class Tree:
    """RFC 6962, section 2.1: roots of the perfect subtrees, largest first."""

    def __init__(self):
        self.size, self.parts = 0, []

    def append(self, line):
        self.parts.append(leaf(line))
        self.size += 1
        size = self.size
        while size % 2 == 0:
            right, left = self.parts.pop(), self.parts.pop()
            self.parts.append(node(left, right))
            size //= 2

    def root(self):
        parts = list(self.parts)
        root = parts.pop() if parts else hashlib.sha256(b"").digest()
        while parts:
            root = node(parts.pop(), root)
        return root


def root_of_path(line, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return None
    first, last, root = index, size - 1, leaf(line)
    for hash_ in path:
        if last == 0:
            return None
        if first % 2 == 1 or first == last:
            root = node(hash_, root)
            while first % 2 == 0 and first != 0:
                first, last = first // 2, last // 2
        else:
            root = node(root, hash_)
        first, last = first // 2, last // 2
    return root if last == 0 else None


def read_vkey(text):
    name, key_hash, key = text.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    own = hashlib.sha256(name.encode() + b"\\n" + raw).hexdigest()[:8]
    if own != key_hash or raw[:1] != b"\\1" or len(raw) != 33:
        sys.exit("not a verification key: " + text)
    return (name, key_hash), ED25519_SPKI + raw[1:]


def openssl_verifies(spki, text, signature):
    with tempfile.TemporaryDirectory() as d:
        for name, data in (("key", spki), ("text", text), ("signature", signature)):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        args = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin"]
        done = subprocess.run(args + ["-in", "text", "-sigfile", "signature"], cwd=d, capture_output=True)
        return done.returncode == 0


def check_note(note, keys):
    """The checkpoint's size and root, and 0 when a key that was given signed it."""
    text, _, signatures = note.rpartition("\\n\\n")
    text += "\\n"
    origin, size, root = text.split("\\n")[:3]
    verdict = 2
    for line in signatures.splitlines():
        _, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        spki = keys.get((name, raw[:4].hex()))
        if spki is None:
            continue
        if not openssl_verifies(spki, text.encode(), raw[4:]):
            return origin, int(size), base64.b64decode(root), 1
        if origin.startswith(name + "/"):
            verdict = 0
    return origin, int(size), base64.b64decode(root), verdict


def check_segment(path, keys):
    tree, last, line_number, verdict = Tree(), None, 0, 2
    with open(path, "rb") as f:
        for raw in f:
            line_number += 1
            line = raw[:-1] if raw.endswith(b"\\n") else raw
            if line_number == 1 and not line.startswith(b'{"type":"segment.open"'):
                return 2, "not written by ai-audit: nothing vouches for it"
            if not line.startswith(b'{"type":"checkpoint",'):
                tree.append(line)
                continue
            note = json.loads(line)["note"]
            size, root = int(note.split("\\n")[1]), base64.b64decode(note.split("\\n")[2])
            if size != tree.size or root != tree.root():
                return 1, "altered before line %d" % line_number
            last = note
    if last is None:
        return 2, "no checkpoint"
    origin, size, _, verdict = check_note(last, keys)  # the last one covers everything before it
    if not origin.endswith("/" + os.path.basename(path)[: -len(".jsonl")]):
        return 1, "the file was renamed"
    if size != tree.size:
        return 2, "%d lines after the last checkpoint" % (tree.size - size)
    return verdict, "%d lines" % tree.size


def check_proof(path, line, keys):
    with open(path, encoding="utf-8") as f:
        head, _, note = f.read().partition("\\n\\n")
    header, extra, index, *hashes = head.split("\\n")
    if header != "c2sp.org/tlog-proof@v1" or base64.b64decode(extra[6:]) != line:
        return 1, "the proof is of another line"
    _, size, root, verdict = check_note(note, keys)
    path_root = root_of_path(line, int(index[6:]), size, [base64.b64decode(h) for h in hashes])
    return (verdict, "sealed") if path_root == root else (1, "not in the tree")


def results(keys):
    segments, entries = os.path.join(HERE, "segments"), os.path.join(HERE, "entries.jsonl")
    if os.path.isdir(segments):
        for folder, _, names in sorted(os.walk(segments)):
            for path in sorted(os.path.join(folder, name) for name in names):
                yield (os.path.relpath(path, segments), *check_segment(path, keys))
    if os.path.exists(entries):
        with open(entries, "rb") as f:
            for raw in f:
                line = raw.rstrip(b"\\n")
                id_ = json.loads(line)["id"]
                yield (id_, *check_proof(os.path.join(HERE, "proofs", id_ + ".tlog-proof"), line, keys))


def main():
    keys = dict(read_vkey(text) for text in sys.argv[1:])
    worst = 0
    for name, verdict, message in results(keys):
        print("%-10s %s: %s" % (("PROVEN", "ALTERED", "UNPROVEN")[verdict], name, message))
        worst = 1 if 1 in (worst, verdict) else max(worst, verdict)
    sys.exit(worst)


main()
`;
