"""Reads a log by what the format's text says, with nothing of ours: every tree head, every signature, every link.

python3 read_log.py DIRECTORY VKEY  prints one JSON line a file: {"file", "checkpoints", "leaves", "entries", "closed"}.
Needs the `cryptography` package. Any disagreement is an AssertionError.
"""

import base64
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
    for line in lines:
        if not line.startswith(b'{"type":"checkpoint",'):
            assert closing is None
            value = json.loads(line)
            entries += "type" not in value
            closing = value if value.get("type") == "segment.close" else None
            hashes.append(sha256(b"\x00" + line))
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
    return {"opening": opening, "heads": heads, "entries": entries, "leaves": len(hashes), "closed": closing is not None}


def main(directory, vkey):
    segments = {path.name: read_segment(path, vkey) for path in sorted(pathlib.Path(directory).glob("*.jsonl"))}
    for segment in segments.values():
        prev = segment["opening"]["prev"]
        for ref in segment["opening"]["seen"] + ([prev] if prev else []):
            assert segments[ref["file"]]["heads"][ref["size"]] == ref["root"]
    for file, segment in segments.items():
        counts = {key: segment[key] for key in ("leaves", "entries", "closed")}
        print(json.dumps({"file": file, "checkpoints": len(segment["heads"]), **counts}))


main(*sys.argv[1:])
