"""Reads a log by what the format's text says, with nothing of ours: every tree head, every signature, every link.

python3 read_log.py DIRECTORY VKEY  prints one JSON line a file: {"file", "checkpoints", "leaves", "entries", "closed"}.
Needs the `cryptography` package. Any disagreement is an AssertionError.
"""

import base64
import datetime
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data):
    return hashlib.sha256(data).digest()


def mth(hashes):
    """Merkle tree hash over leaf hashes, RFC 6962, 2.1: pairs level by level, an odd one moves up."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + hashes[i] + hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + ([hashes[-1]] if len(hashes) % 2 else [])
    return hashes[0]


def leads_to(old, old_root, size, root, proof):
    """Whether a consistency proof holds, by the algorithm of RFC 9162, 2.1.4.2."""
    if old == size:
        return not proof and old_root == root
    path = ([old_root] if old & (old - 1) == 0 else []) + proof
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for node in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01" + node + fr), sha256(b"\x01" + node + sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01" + sr + node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == root


def day_of(entry_id):
    """The UTC day of a UUIDv7, as file names spell it."""
    milliseconds = int(entry_id.replace("-", "")[:12], 16)
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).strftime("%Y%m%d")


def check_control(line):
    """What a control line says of itself."""
    for state in line.get("since", []):
        proof = [base64.b64decode(node, validate=True) for node in state["proof"]]
        roots = [base64.b64decode(text, validate=True) for text in (state["root"], line["root"])]
        assert leads_to(state["leaves"], roots[0], line["leaves"], roots[1], proof)


def check_again(again, lines, others):
    """Lines that were written again are those of the segment that they supersede, as far as it has them."""
    earlier = others[again["file"]]["lines"][again["leaf"] :]
    assert len(lines) == again["count"]
    assert all(new == old for new, old in zip(lines, earlier))


def read_vkey(vkey):
    name, key_hash, key = vkey.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    assert raw[0] == 1 and len(raw) == 33
    assert sha256(name.encode() + b"\n" + raw)[:4].hex() == key_hash
    return name, bytes.fromhex(key_hash), Ed25519PublicKey.from_public_bytes(raw[1:])


def read_segment(path, vkey):
    name, key_hash, public = read_vkey(vkey)
    data = path.read_bytes()
    assert data.endswith(b"\n")
    lines = data[:-1].split(b"\n")
    opening = json.loads(lines[0])
    assert opening["type"] == "segment.open" and opening["v"] == 1
    assert opening["file"] == path.name and opening["vkey"] == vkey
    hashes, heads, entries, closing = [], {}, 0, None
    leaves, last_id = [], ""
    for line in lines:
        if not line.startswith(b'{"type":"checkpoint",'):
            assert closing is None
            value = json.loads(line)
            if "type" in value:
                check_control(value)
            else:
                assert last_id < value["id"] and day_of(value["id"]) == path.name[6:14]
                entries, last_id = entries + 1, value["id"]
            closing = value if value.get("type") == "segment.close" else None
            hashes.append(sha256(b"\x00" + line))
            leaves.append(line)
            continue
        text, signatures = json.loads(line)["note"].rsplit("\n\n", 1)
        origin, size, root = text.split("\n")
        assert origin == f"{name}/{opening['stream']}/{path.stem}"
        assert int(size) == len(hashes)
        assert base64.b64decode(root, validate=True) == mth(hashes)
        dash, signer, signature = signatures.rstrip("\n").split(" ")
        assert (dash, signer) == ("—", name)
        signature = base64.b64decode(signature, validate=True)
        assert signature[:4] == key_hash
        public.verify(signature[4:], (text + "\n").encode())
        heads[len(hashes)] = root
    assert len(hashes) in heads, "every leaf is sealed"
    if closing:
        assert closing["leaves"] == len(hashes) and closing["entries"] == entries
    return {"opening": opening, "heads": heads, "lines": leaves, "entries": entries, "leaves": len(hashes), "closed": closing is not None}


def main(directory, vkey):
    segments = {path.name: read_segment(path, vkey) for path in sorted(pathlib.Path(directory).glob("*.jsonl"))}
    for segment in segments.values():
        for index, line in enumerate(segment["lines"]):
            if line.startswith(b'{"type":"again",'):
                again = json.loads(line)
                check_again(again, segment["lines"][index + 1 :][: again["count"]], segments)
        prev = segment["opening"]["prev"]
        for ref in segment["opening"]["seen"] + ([prev] if prev else []):
            assert segments[ref["file"]]["heads"][ref["size"]] == ref["root"]
    for file, segment in segments.items():
        counts = {key: segment[key] for key in ("leaves", "entries", "closed")}
        print(json.dumps({"file": file, "checkpoints": len(segment["heads"]), **counts}))


main(*sys.argv[1:])
