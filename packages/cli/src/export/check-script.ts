// check.py of a bundle: a second, independent reading of the format, in another language and with
// other tools. Over 300 lines: one script in one piece, as its reader gets it.

/** The script's text. */
export const CHECK_SCRIPT: string = `#!/usr/bin/env python3
"""Checks this bundle: python3 check.py VKEY [VKEY ...] [--tsa CERTIFICATES.pem]

A VKEY is the key of the log, of an anchor log, or of a witness. CERTIFICATES.pem has those of a time-stamping authority.
Exit code 0: every line is proven by a key that was given. 1: something was altered or is missing. 2: unknown key or no
signature. 3: it cannot be checked here, so nothing is said.
"""
import base64, datetime, hashlib, json, os, subprocess, sys, tempfile

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


class CannotCheck(Exception):
    """Nothing may be concluded: exit code 3."""


def read_vkey(text):
    name, key_hash, key = text.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    own = hashlib.sha256(name.encode() + b"\\n" + raw).hexdigest()[:8]
    if own != key_hash or raw[:1] not in (b"\\1", b"\\4") or len(raw) != 33:
        raise CannotCheck("not a verification key: " + text)
    return (raw[0], name, key_hash), ED25519_SPKI + raw[1:]


def openssl_verifies(spki, text, signature):
    with tempfile.TemporaryDirectory() as d:
        for name, data in (("key", spki), ("text", text), ("signature", signature)):
            with open(os.path.join(d, name), "wb") as f:
                f.write(data)
        args = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin"]
        try:
            done = subprocess.run(args + ["-in", "text", "-sigfile", "signature"], cwd=d, capture_output=True)
        except OSError as error:
            raise CannotCheck("there is no openssl command here: %s" % error)
        return done.returncode == 0


def require_openssl():
    """The second test of RFC 8032, section 7.1: an openssl that cannot do it accuses nobody."""
    key = ED25519_SPKI + bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    if not openssl_verifies(key, b"\\x72", signature) or openssl_verifies(key, b"\\x73", signature):
        raise CannotCheck("this openssl cannot verify Ed25519 (OpenSSL 3.0 can; LibreSSL and 1.1 cannot)")


def check_note(note, keys):
    """The checkpoint's size and root, and 0 when a key that was given signed it."""
    text, _, signatures = note.rpartition("\\n\\n")
    text += "\\n"
    origin, size, root = text.split("\\n")[:3]
    verdict = 2
    for line in signatures.splitlines():
        _, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        spki = keys.get((1, name, raw[:4].hex()))
        if spki is None:
            continue
        if not openssl_verifies(spki, text.encode(), raw[4:]):
            return origin, int(size), base64.b64decode(root), 1
        if origin == name or origin.startswith(name + "/"):
            verdict = 0
    return origin, int(size), base64.b64decode(root), verdict


def tokens_in(folder):
    """Paths of time-stamped checkpoints, by their bytes."""
    found = {}
    for name in sorted(os.listdir(folder)):
        if name.startswith("tsa_") and name.endswith(".note"):
            with open(os.path.join(folder, name), "rb") as f:
                found.setdefault(f.read(), []).append(os.path.join(folder, name))
    return found


def existed(note, tokens, keys, tsa):
    """Who says by when a checkpoint of an anchor log existed: messages, or None where a signature is not right."""
    said, text = [], note.rpartition("\\n\\n")[0] + "\\n"
    for line in note[len(text) + 1 :].splitlines():
        _, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        spki = keys.get((4, name, raw[:4].hex()))  # C2SP tlog-cosignature
        if spki is not None:
            time = int.from_bytes(raw[4:12], "big")
            if not openssl_verifies(spki, ("cosignature/v1\\ntime %d\\n%s" % (time, text)).encode(), raw[12:]):
                return None
            said.append("existed by %sZ, says %s" % (datetime.datetime.utcfromtimestamp(time).isoformat(), name))
    for path in tokens.get(note.encode(), ()) if tsa else ():
        token = path[:-5] + ".tsr"
        if run_openssl("ts", "-verify", "-data", path, "-in", token, "-CAfile", tsa).returncode != 0:
            return None
        shown = run_openssl("ts", "-reply", "-in", token, "-text").stdout.decode()
        time = shown.partition("Time stamp: ")[2].partition("\\n")[0]
        said.append("existed by %s, says %s" % (time, os.path.basename(path)[15:-5]))
    return said


def run_openssl(*args):
    try:
        return subprocess.run(["openssl", *args], capture_output=True)
    except OSError as error:
        raise CannotCheck("there is no openssl command here: %s" % error)


def check_anchors(proof_note, tokens, keys, tsa):
    """By when the state of a proof existed: messages, or None where a proof of it is not right."""
    state = proof_note.rpartition("\\n\\n")[0] + "\\n"
    folder = os.path.join(HERE, "anchors")
    path = os.path.join(folder, leaf(state.encode()).hex() + ".tlog-proofs")
    if not os.path.exists(path):
        return []
    said = []
    with open(path, encoding="utf-8") as f:
        parts = f.read().split("c2sp.org/tlog-proof@v1\\n")[1:]
    for part in parts:
        head, _, note = part.partition("\\n\\n")
        extra, index, *hashes = head.split("\\n")
        line, place, *path_ = base64.b64decode(extra[6:]).decode().split("\\n")
        states = json.loads(line)
        in_leaf = root_of_path(state.encode(), int(place), states["states"], [base64.b64decode(h) for h in path_])
        _, size, root, verdict = check_note(note, keys)
        in_log = root_of_path(line.encode(), int(index[6:]), size, [base64.b64decode(h) for h in hashes])
        by = existed(note, tokens, keys, tsa)
        if in_leaf != base64.b64decode(states["root"]) or in_log != root or verdict == 1 or by is None:
            return None
        said += by
    return said


def read_anchor_log(keys, tsa):
    """The anchor log of whole files: the states in it, and by when the newest existed. None where it is not right."""
    folder, tree, states, roots = os.path.join(HERE, "anchor"), Tree(), {}, {}
    for name in sorted(os.listdir(folder)):
        if not name.startswith("leaf_"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            head, _, note = f.read().partition("\\n\\n")
        line, *rows = head.split("\\n")
        tree.append(line.encode())
        _, size, root, verdict = check_note(note, keys)
        texts = [row.replace(" ", "\\n") + "\\n" for row in rows]
        of_states = Tree()
        for text in texts:
            of_states.append(text.encode())
            origin, leaves, digest = text.split("\\n")[:3]
            states.setdefault(origin, {})[int(leaves)] = base64.b64decode(digest)
        wanted, roots[tree.size] = json.loads(line).get("root"), tree.root()
        if size != tree.size or root != tree.root() or verdict == 1:
            return None, []
        if wanted is not None and base64.b64decode(wanted) != of_states.root():
            return None, []
    said, tokens = [], tokens_in(folder)
    newest = {name.split("_", 2)[2]: name for name in sorted(os.listdir(folder)) if name.endswith(".note")}
    for name in newest.values():  # the last one by each party
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            note = f.read()
        _, size, root, _ = check_note(note, keys)
        by = existed(note, tokens, keys, tsa)
        if by is None or roots.get(size) != root:
            return None, []
        said += ["at %d leaves it %s" % (size, text) for text in by]
    return states, said


def references(line):
    """The states of other files that a line records."""
    if line.get("type") == "segment.open":
        return [line["prev"]] * (line["prev"] is not None) + line["seen"]
    return line["seen"] if line.get("type") == "retention.seen" else []


def check_segment(path, keys, wanted):
    """A verdict, a message, the roots at the sizes wanted, and the lines about other files that are sealed."""
    tree, last, line_number, roots, said, sealed = Tree(), None, 0, {}, [], []
    with open(path, "rb") as f:
        for raw in f:
            line_number += 1
            line = raw[:-1] if raw.endswith(b"\\n") else raw
            if line_number == 1 and not line.startswith(b'{"type":"segment.open"'):
                return 2, "not written by ai-audit: nothing vouches for it", None, []
            if not line.startswith(b'{"type":"checkpoint",'):
                if not raw.endswith(b"\\n"):
                    break  # torn: never sealed
                tree.append(line)
                if tree.size in wanted:
                    roots[tree.size] = tree.root()
                if line.startswith((b'{"type":"segment.open"', b'{"type":"retention.')):
                    said.append(json.loads(line))
                continue
            note = json.loads(line)["note"]
            size, root = int(note.split("\\n")[1]), base64.b64decode(note.split("\\n")[2])
            if size != tree.size or root != tree.root():
                return 1, "altered before line %d" % line_number, None, []
            last, sealed = note, list(said)
    if last is None:
        return 2, "no checkpoint", None, []
    origin, size, _, verdict = check_note(last, keys)  # the last one covers everything before it
    if not origin.endswith("/" + os.path.basename(path)[: -len(".jsonl")]):
        return 1, "the file was renamed", None, []
    if size != tree.size:
        return max(verdict, 2), "%d lines after the last checkpoint" % (tree.size - size), roots, sealed
    return verdict, "%d lines" % tree.size, roots, sealed


def first_line(path):
    with open(path, "rb") as f:
        try:
            return json.loads(f.readline())
        except ValueError:
            return {}


def origin_of(path):
    """The origin that the first checkpoint of a file names."""
    with open(path, "rb") as f:
        for raw in f:
            if raw.startswith(b'{"type":"checkpoint",'):
                return json.loads(raw)["note"].split("\\n")[0]


def check_folder(folder, segments, keys, states):
    """The files of one log, what they record of each other, and the anchored states of them."""
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".jsonl"))
    wanted = {}
    for path in paths:
        for ref in references(first_line(path)):
            wanted.setdefault(ref["file"], set()).add(ref["size"])
    anchored = {}
    for origin, sizes in states.items():
        anchored.setdefault(origin.rpartition("/")[2] + ".jsonl", []).append((origin, sizes))
    for name, known in anchored.items():
        wanted.setdefault(name, set()).update(size for _, sizes in known for size in sizes)
    found, refs, removals, expires = {}, [], {}, None
    for path in paths:
        name = os.path.basename(path)
        verdict, message, roots, sealed = check_segment(path, keys, wanted.get(name, set()))
        yield os.path.relpath(path, segments), verdict, message
        found[name] = roots
        for origin, sizes in anchored.get(name, ()) if roots is not None else ():
            if origin_of(path) == origin and any(roots.get(size) != root for size, root in sizes.items()):
                yield os.path.relpath(path, segments), 1, "shorter than, or other than, what was anchored"
        for line in sealed if verdict != 1 else []:
            refs += [(name, ref) for ref in references(line)]
            expires = line.get("expires", expires)
            if line["type"] in ("retention.prune", "retention.archived"):
                removals.setdefault(line["file"], []).append(line)
    is_shipped = folder != segments
    for name, known in anchored.items() if not is_shipped else ():
        size, root = max(known[0][1].items())
        refs += [("the anchor log", {"file": name, "size": size, "root": base64.b64encode(root).decode()})] * (name not in found)
    for by, ref in refs:
        file, size, root = ref["file"], ref["size"], base64.b64decode(ref["root"])
        name = os.path.relpath(os.path.join(folder, os.path.basename(file)), segments)
        if "/" in file or size == 0:
            continue
        if file in found:
            if size in wanted.get(file, ()) and found[file] is not None and found[file].get(size) != root:
                yield name, 1, "not what %s records at %d lines" % (by, size)
            continue
        lines = [l for l in removals.get(file, ()) if l["leaves"] >= size]
        if any(l["leaves"] > size or base64.b64decode(l["root"]) == root for l in lines):
            continue
        day = file[6:14]
        if expires is not None and day.isdigit():
            gone = datetime.datetime.strptime(day, "%Y%m%d") + datetime.timedelta(days=expires)
            if gone <= datetime.datetime.utcnow():
                continue
        yield name, 2 if is_shipped else 1, "missing: %s records it" % by


def check_proof(path, line, tokens, keys, tsa):
    with open(path, encoding="utf-8") as f:
        head, _, note = f.read().partition("\\n\\n")
    header, extra, index, *hashes = head.split("\\n")
    if header != "c2sp.org/tlog-proof@v1" or base64.b64decode(extra[6:]) != line:
        return 1, "the proof is of another line"
    _, size, root, verdict = check_note(note, keys)
    path_root = root_of_path(line, int(index[6:]), size, [base64.b64decode(h) for h in hashes])
    if path_root != root:
        return 1, "not in the tree"
    said = check_anchors(note, tokens, keys, tsa)
    if said is None:
        return 1, "its anchors are not right"
    return verdict, "; ".join(["sealed", *said])


def missing_files():
    """Files of the manifest that are not here."""
    manifest = os.path.join(HERE, "SHA256SUMS")
    if not os.path.exists(manifest):
        raise CannotCheck("SHA256SUMS is missing: this is not a whole bundle")
    with open(manifest, encoding="utf-8") as f:
        names = [line.rstrip("\\n").split("  ", 1)[1] for line in f]
    return [name for name in names if not os.path.exists(os.path.join(HERE, name))]


def results(keys, tsa):
    segments, entries = os.path.join(HERE, "segments"), os.path.join(HERE, "entries.jsonl")
    for name in missing_files():
        yield name, 1, "missing from the bundle"
    states = {}
    if os.path.isdir(os.path.join(HERE, "anchor")):
        states, said = read_anchor_log(keys, tsa)
        yield "anchor", 1 if states is None else 0, "; ".join(["the anchor log", *said])
        states = states or {}
    if os.path.isdir(segments):
        for folder, _, _ in sorted(os.walk(segments)):
            yield from check_folder(folder, segments, keys, states)
    if os.path.exists(entries):
        anchors = os.path.join(HERE, "anchors")
        tokens = tokens_in(anchors) if os.path.isdir(anchors) else {}
        with open(entries, "rb") as f:
            for raw in f:
                line = raw.rstrip(b"\\n")
                id_ = json.loads(line)["id"]
                proof = os.path.join(HERE, "proofs", id_ + ".tlog-proof")
                if not os.path.exists(proof):
                    yield id_, 1, "its proof is missing"
                    continue
                yield (id_, *check_proof(proof, line, tokens, keys, tsa))


def main():
    worst, count = 0, 0
    try:
        words, tsa = sys.argv[1:], None
        if "--tsa" in words[:-1]:
            at = words.index("--tsa")
            tsa, words = words[at + 1], words[:at] + words[at + 2 :]
        keys = dict(read_vkey(text) for text in words)
        if keys:
            require_openssl()
        for name, verdict, message in results(keys, tsa):
            print("%-10s %s: %s" % (("PROVEN", "ALTERED", "UNPROVEN")[verdict], name, message))
            worst = 1 if 1 in (worst, verdict) else max(worst, verdict)
            count += 1
        if count == 0:
            raise CannotCheck("the bundle holds neither files nor entries")
    except CannotCheck as error:
        print("NOT CHECKED: %s" % error, file=sys.stderr)
        worst = 1 if worst == 1 else 3
    sys.exit(worst)


main()
`;
