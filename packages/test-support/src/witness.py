"""A witness, written from https://c2sp.org/tlog-witness and https://c2sp.org/tlog-cosignature alone.

usage: witness.py NAME SEED ORIGIN VKEY

SEED are 64 hex digits: the witness' Ed25519 key. ORIGIN and VKEY are the one log that it follows.
Prints the port and its own vkey, a line each, and serves until its standard input closes. It keeps
its state in memory. No code of the project is used here.
"""

import base64
import hashlib
import http.server
import sys
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

name, seed, log_origin, log_vkey = sys.argv[1:5]
key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
raw = key.public_key().public_bytes(
    serialization.Encoding.Raw, serialization.PublicFormat.Raw
)
key_id = hashlib.sha256(name.encode() + b"\n\x04" + raw).digest()[:4]
vkey = f"{name}+{key_id.hex()}+{base64.b64encode(bytes([4]) + raw).decode()}"

log_name, log_hash, log_key = log_vkey.split("+", 2)
log_public = Ed25519PublicKey.from_public_bytes(base64.b64decode(log_key)[1:])

state = {"size": 0, "root": hashlib.sha256(b"").digest()}


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(first, first_root, second, second_root, proof):
    """RFC 9162, 2.1.4.2."""
    if first == 0:
        return proof == []
    if first == second:
        return proof == [] and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn != 0 and fn & 1 == 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def signed_by_log(text, signatures):
    for line in signatures:
        dash, who, blob = line.split(" ")
        data = base64.b64decode(blob)
        if dash == "\u2014" and who == log_name and data[:4].hex() == log_hash:
            try:
                log_public.verify(data[4:], text.encode())
                return True
            except InvalidSignature:
                return False
    return False


def add_checkpoint(body):
    head, _, note = body.partition("\n\n")
    old, *proof = head.split("\n")
    if not old.startswith("old "):
        return 400, ""
    old = int(old[4:])
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    if origin != log_origin:
        return 404, ""
    if not signed_by_log(text, signatures.split("\n")[:-1]):
        return 403, ""
    size, root = int(size), base64.b64decode(root)
    if old > size:
        return 400, ""
    if old != state["size"]:
        return 409, f"{state['size']}\n"
    if old == size and root != state["root"]:
        return 409, f"{state['size']}\n"
    nodes = [base64.b64decode(line) for line in proof]
    if not consistent(old, state["root"], size, root, nodes):
        return 422, ""
    state["size"], state["root"] = size, root
    now = int(time.time())
    message = f"cosignature/v1\ntime {now}\n{text}".encode()
    signature = now.to_bytes(8, "big") + key.sign(message)
    blob = base64.b64encode(key_id + signature).decode()
    return 200, f"\u2014 {name} {blob}\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length).decode()
        status, answer = (
            add_checkpoint(body) if self.path == "/add-checkpoint" else (404, "")
        )
        data = answer.encode()
        self.send_response(status)
        if status == 409:
            self.send_header("content-type", "text/x.tlog.size")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port)
print(vkey, flush=True)
sys.stdin.read()
