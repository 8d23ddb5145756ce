"""Writes encryption.json: FORMAT's key derivation, JWE and keyed digest, computed without any of our code.

Needs the `cryptography` package:  python3 make_encryption_vectors.py > encryption.json
"""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hkdf(material, info):
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(material)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


MASTERS = {"first": bytes(range(32)), "second": hashlib.sha256(b"the second master key").digest()}
SECRET = hashlib.sha256(b"the secret of one subject").digest()
STREAM = "c3RyZWFtLW51bWJl"
SUBJECT = "c3ViamVjdC1udW1i"
ENTRY = "01981f6c-3a00-7abc-8def-0123456789ab"
TEXTS = {
    "ascii": ("text/plain", "Hello!"),
    "empty": ("text/plain", ""),
    "unicode": ("text/plain", "naïve 日本語 🚀\u2028next\n\"quoted\""),
    "json": ("application/json", '[{"content":"Hello!","role":"user"}]'),
    "diagnostics": ("application/json", '{"error_message":"No."}'),
}


def key_ids():
    for name, master in MASTERS.items():
        yield {"name": name, "key": b64url(master) + "=", "key_id": "k" + b64url(hkdf(master, "ai-audit/1 kid"))[:10]}


def contents():
    for number, (name, (media_type, text)) in enumerate(TEXTS.items()):
        for master_name, subject in (("first", False), ("second", True)):
            kid = ".".join(["v1", STREAM] + ([SUBJECT] if subject else []))
            material = MASTERS[master_name] + (SECRET if subject else b"")
            content_key = hkdf(material, "ai-audit/1 enc " + kid)
            digest_key = hkdf(material, "ai-audit/1 dig " + kid)
            field = name if name == "diagnostics" else "output" if subject else "input"
            header = {"alg": "dir", "enc": "A256GCM", "kid": kid, "cty": f"{media_type}; id={ENTRY}; field={field}"}
            protected = b64url(compact(header).encode())
            iv = bytes([number * 2 + subject]) * 12
            sealed = AESGCM(content_key).encrypt(iv, text.encode(), protected.encode())
            yield {
                "name": f"{name} text, {'with' if subject else 'without'} a subject",
                "key": b64url(MASTERS[master_name]) + "=",
                "subject_id": SUBJECT if subject else None,
                "subject_secret": b64url(SECRET) if subject else None,
                "kid": kid,
                "entry_id": ENTRY,
                "field": field,
                "format": "json" if media_type == "application/json" else None,
                "text": text,
                "content_key": b64url(content_key),
                "digest_key": b64url(digest_key),
                "header": compact(header),
                "iv": b64url(iv),
                "jwe": ".".join([protected, "", b64url(iv), b64url(sealed[:-16]), b64url(sealed[-16:])]),
                "digest": "hmac-sha256:" + b64url(hmac.digest(digest_key, text.encode(), "sha256")),
            }


print(json.dumps({"key_ids": list(key_ids()), "contents": list(contents())}, indent=2, ensure_ascii=False))
