"""Writes anchor.json: an anchor log, byte for byte, computed from docs/anchoring.md without any of our code.

Needs the `cryptography` package:  python3 make_anchor_vectors.py > anchor.json
"""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

NAME = "example.com/acme/anchor-0"
WITNESS = "witness.example.com"


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def root(leaves):
    """RFC 6962, 2.1, straight from its recursive definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(leaves, m):
    """RFC 6962, 2.1.1, straight from its recursive definition."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return path(leaves[:k], m) + [root(leaves[k:])]
    return path(leaves[k:], m - k) + [root(leaves[:k])]


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + raw(key)).digest()[:4]


def vkey(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(bytes([kind]) + raw(key))}"


def signature(name, kind, key, data):
    return f"\u2014 {name} {b64(key_id(name, kind, key) + data)}\n"


key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
witness = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


def state(origin, size, text):
    return (origin, size, b64(hashlib.sha256(text).digest()))


RUNS = [
    [
        state("acme/0198a/audit_20261130", 5, b"a"),
        state("acme/0198a/audit_20261129", 9, b"b"),
        state("acme/0198b/audit_20261130_001", 2, b"c"),
    ],
    [],
    [state("acme/0198a/audit_20261130", 17, b"d")],
]

leaves = [
    compact({
        "type": "anchor.begin",
        "at": "2026-11-30T12:00:00.000Z",
        "since": "start",
        "retention": 365,
        "previous": None,
    })
]
states_of = [[]]
for minute, states in enumerate(RUNS):
    states = sorted(states)
    texts = [f"{origin}\n{size}\n{digest}\n".encode() for origin, size, digest in states]
    leaf = {
        "type": "anchor.run",
        "at": f"2026-11-30T12:0{minute + 1}:00.000Z",
        "states": len(states),
        "root": b64(root(texts)),
    }
    if minute == 2:
        leaf["unconfirmed"] = ["tsa.example.com"]
    leaves.append(compact(leaf))
    states_of.append(states)

files = {}
for index, leaf in enumerate(leaves):
    head = b64(root([text.encode() for text in leaves[: index + 1]]))
    text = f"{NAME}\n{index + 1}\n{head}\n"
    note = f"{text}\n{signature(NAME, 1, key, key.sign(text.encode()))}"
    lines = "".join(f"{origin} {size} {digest}\n" for origin, size, digest in states_of[index])
    files[f"leaf_{index:010}"] = f"{leaf}\n{lines}\n{note}"

time = 1796040180
signed = f"cosignature/v1\ntime {time}\n{text}".encode()
blob = time.to_bytes(8, "big") + witness.sign(signed)
files[f"witness_{len(leaves):010}_{WITNESS}.note"] = note + signature(WITNESS, 4, witness, blob)


def part(leaf_index, state_index, size, note):
    """The way from a state to a checkpoint at some size."""
    texts = [f"{o}\n{n}\n{r}\n".encode() for o, n, r in states_of[leaf_index]]
    place = [leaves[leaf_index], str(state_index), *map(b64, path(texts, state_index))]
    head = ["c2sp.org/tlog-proof@v1", "extra " + b64("\n".join(place).encode()), f"index {leaf_index}"]
    hashes = path([text.encode() for text in leaves[:size]], leaf_index)
    return "\n".join([*head, *map(b64, hashes)]) + "\n\n" + note


print(json.dumps({
    "name": NAME,
    "pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "vkey": vkey(NAME, 1, key),
    "witness": vkey(WITNESS, 4, witness),
    "witness_time": time,
    "runs": [
        {
            "at": json.loads(leaf)["at"],
            "states": [{"origin": o, "size": n, "root": r} for o, n, r in states],
            "unconfirmed": json.loads(leaf).get("unconfirmed", []),
        }
        for leaf, states in list(zip(leaves, states_of))[1:]
    ],
    "files": files,
    "part": part(1, 1, 4, files[f"witness_{len(leaves):010}_{WITNESS}.note"]),
}, indent=2, ensure_ascii=False))
