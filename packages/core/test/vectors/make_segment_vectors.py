"""Writes segments.json: whole segments, line for line, computed from the format's text without any of our code.

Needs the `cryptography` package:  python3 make_segment_vectors.py > segments.json
"""

import base64
import datetime
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


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


def consistency(old, leaves, is_whole=True):
    """PROOF and SUBPROOF of RFC 6962, 2.1.2, straight from their recursive definition."""
    if old == len(leaves):
        return [] if is_whole else [root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if old <= k:
        return consistency(old, leaves[:k], is_whole) + [root(leaves[k:])]
    return consistency(old - k, leaves[k:], False) + [root(leaves[:k])]


class Key:
    def __init__(self, name, seed):
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        public = b"\x01" + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.hash = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.hash.hex()}+{b64(public)}"
        self.pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Segment:
    def __init__(self, key, file, stream, seq, prev, seen, more):
        self.key = key
        self.file = file
        self.name = key.name if key else "ai-audit"
        self.origin = f"{self.name}/{stream}/{file.removesuffix('.jsonl')}"
        self.options = {"file": file, "stream": stream, "seq": seq, "created": "2026-11-23T00:00:00.000Z"}
        self.options |= {"prev": prev, "seen": seen, "sdk": "vectors 1"} | more
        self.leaves = []
        o = self.options
        opening = {"type": "segment.open", "v": 1, "file": file, "stream": stream, "seq": seq}
        opening |= {"created": o["created"], "vkey": key.vkey if key else None, "prev": prev, "seen": seen, "sdk": o["sdk"]} | more
        self.first = [compact(opening)]

    def commit(self, lines):
        lines, self.first = self.first + lines, []
        self.leaves += [line.encode() for line in lines]
        text = f"{self.origin}\n{len(self.leaves)}\n{b64(root(self.leaves))}\n"
        note = text + "\n"
        if self.key:
            note += f"— {self.name} {b64(self.key.hash + self.key.private.sign(text.encode()))}\n"
        return [*lines, compact({"type": "checkpoint", "note": note})]

    def close(self, reason, entries):
        leaves = len(self.leaves) + len(self.first) + 1
        return self.commit([compact({"type": "segment.close", "reason": reason, "leaves": leaves, "entries": entries})])

    def ref(self):
        return {"file": self.file, "size": len(self.leaves), "root": b64(root(self.leaves))}


KEY = Key("example.com/audit", hashlib.sha256(b"the signing key of these vectors").digest())


def entry_id(day, number):
    """A UUIDv7 of a day in November 2026: ids of a segment ascend and lie in its day."""
    start = datetime.datetime(2026, 11, day, tzinfo=datetime.timezone.utc)
    time = f"{int(start.timestamp()) * 1000 + number:012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-000000000000"


def commits(day):
    ids = [f'"id":"{entry_id(day, number)}"' for number in range(8)]
    return [
        [f"{{{ids[0]}}}"],
        [f'{{{ids[1]},"a":"é 日本 😀"}}', '{"type":"loss","entries":1,"from":"f","to":"t","reason":"r"}', f"{{{ids[2]}}}"],
        [f"{{{one}}}" for one in ids[3:]],
    ]


ENTRY = {"id": entry_id(26, 0), "timestamp": "2026-11-26T00:00:00.000Z"}
ENTRY |= {"input_hash": "hmac-sha256:AAAA", "operation": "human_review", "outcome": "ok"}
ENTRY |= {"run": {"id": "r2", "parent_id": "r1", "root_id": "r1", "path": ["agent é"], "called_by": "call_1"}}
ENTRY |= {"kid": "k1.c3RyZWFtLW51bWJl"}
ENTRY |= {"actor": {"id": "u1", "kind": "user", "role": "clerk", "on_behalf_of": "u2"}}
ENTRY |= {"review": {"of": "i1", "verdict": "modified", "role": "clerk", "input_hash": "hmac-sha256:CCCC"}}
ENTRY |= {"review_required": True, "diagnostics_hash": "hmac-sha256:BBBB"}
HELD = {"from": "2026-11-01T00:00:00.000Z", "to": None}
# A line each, by its members in the order of the format's text. The hold is the second line of its segment.
CONTROL = [
    {"type": "retention.hold", "hold": "h1", **HELD, "reason": "case é 1", "actor": "a", "placed": "2026-11-23T00:00:00.000Z"},
    {"type": "retention.release", "hold": "h1", "reason": "over", "actor": "a", "released": "2026-11-23T00:00:01.000Z"},
    {"type": "retention.prune", "file": "audit_20261101.jsonl", "leaves": 5, "root": b64(root([b"{}"]))}
    | {"from": None, "to": None, "policy": "30 days", "actor": "a"},
    {"type": "retention.seen", "seen": [{"file": "audit_20261101.jsonl", "size": 5, "root": b64(root([b"{}"]))}]},
    {"type": "subject.erased", "subject": "s1", "actor": "a", "reason": "asked to"},
    {"type": "call.started", "call": "c1", "timestamp": "2026-11-23T00:00:02.000Z", "provider": "p", "model": None}
    | {"operation": "chat", "input_hash": "hmac-sha256:AAAA"},
]
LEAVES = [str(number).encode() for number in range(11)]
ROOT = b64(root(LEAVES))
AT = "2026-11-23T00:00:03.000Z"
SINCE = [{"leaves": old, "root": b64(root(LEAVES[:old])), "proof": [b64(node) for node in consistency(old, LEAVES)]} for old in (3, 8)]
IDS = {"first": ENTRY["id"], "last": ENTRY["id"]}
TAIL = {"bytes": 5, "sha256": hashlib.sha256(b"torn\x00").hexdigest()}
# Lines with every member that may be absent, and lines that tell of other files.
FURTHER = [
    CONTROL[2] | {"leaves": 11, "root": ROOT, "at": AT, "since": SINCE},
    {"type": "retention.archived", "file": "audit_20261101.jsonl", "leaves": 11, "root": ROOT, "sha256": "ab" * 32}
    | {"location": "s3://b/k", "at": AT},
    {"type": "retention.seen", "seen": [{"file": "audit_20261101.jsonl", "size": 11, "root": ROOT, "tail": TAIL}]},
    {"type": "subject.erased", "subject": "s1", "actor": "a", "reason": "asked to", "at": AT},
    {"type": "loss", "entries": 1, "from": AT, "to": AT, "reason": "EIO", "at": AT, **IDS, "certain": False},
    {"type": "again", "file": "audit_20261123.jsonl", "leaf": 4, **IDS, "count": 2, "reason": "EIO"},
    {"type": "segment.gap", "file": "audit_20261122.jsonl", "size": 11, "root": ROOT, "found": None},
    {"type": "run.started", "run": "r1", "parent": None, "root": "r1", "name": "agent é", "kind": "agent", "at": AT},
    {"type": "heartbeat", "at": AT},
]
KINDS = [[compact(line) for line in CONTROL[:1]], [compact(ENTRY)] + [compact(line) for line in CONTROL[1:]]]


def vector(title, key, file, seq, prev, seen, commits, **more):
    segment = Segment(key, file, "c3RyZWFtLW51bWJl", seq, prev, seen, more)
    entries = sum(not line.startswith('{"type":') for lines in commits for line in lines)
    steps = [{"lines": lines, "written": segment.commit(lines)} for lines in commits]
    steps.append({"close": "vectors", "written": segment.close("vectors", entries)})
    return {"title": title, "signed": key is not None, "options": segment.options, "steps": steps, "ref": segment.ref()}


SETTLED_STATE = {"file": "audit_20261101.jsonl", "size": 11, "root": ROOT}
SETTLED = [
    {"day": "20261101", "numbers": "0-17,19", "state": SETTLED_STATE},
    {"day": "20261102", "numbers": "3", "state": {"file": "audit_20261102_003.jsonl", "size": 11, "root": ROOT}},
]
signed = vector("signed", KEY, "audit_20261123.jsonl", 0, None, [], commits(23))
vectors = [
    signed,
    vector("unsigned", None, "audit_20261123_001.jsonl", 0, None, [], commits(23)),
    vector("with links", KEY, "audit_20261124_1000.jsonl", 1, signed["ref"], [signed["ref"]], commits(24)[:1]),
    vector("closed at once", KEY, "audit_20261125.jsonl", 2, None, [], []),
    vector("with every kind of line", KEY, "audit_20261126.jsonl", 3, None, [], KINDS),
    vector("with settled files", KEY, "audit_20261127.jsonl", 4, None, [], commits(27)[:1], expires=366, settled=SETTLED),
]
key = {"name": KEY.name, "pem": KEY.pem, "vkey": KEY.vkey}
proofs = [
    {"old": old, "size": size, "old_root": b64(root(LEAVES[:old])), "root": b64(root(LEAVES[:size]))}
    | {"proof": [b64(node) for node in consistency(old, LEAVES[:size])]}
    for size in range(1, 12)
    for old in range(1, size + 1)
]
print(json.dumps({"key": key, "leaves": [leaf.decode() for leaf in LEAVES], "consistency": proofs, "control": [{"members": line, "line": compact(line)} for line in CONTROL + FURTHER], "segments": vectors}, indent=2, ensure_ascii=False))
