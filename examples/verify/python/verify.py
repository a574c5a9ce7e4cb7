"""Checks a token of Bridgehead from the public key alone. Needs the package cryptography, and nothing else.

    python3 verify.py KEY < token

KEY is the public key in base64, as JWT_PUBLIC_KEY has it, or the address of the head's key set.
"""
import base64
import json
import re
import sys
import time
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    pass


def decode(part):
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise Refused("written in more than one way")
    return data


def once(pairs):
    """Python takes the last of two members with one name; other readers take the first."""
    if len(dict(pairs)) != len(pairs):
        raise Refused("a member is there twice")
    return dict(pairs)


def verify(token, keys, now):
    """Returns the claims of a token that one of the keys has signed, and that is good now."""
    if len(token) > 8192 or not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        raise Refused("not a token")
    head, payload, signature = token.split(".")
    header = json.loads(decode(head), object_pairs_hook=once)
    # The key decides what the algorithm is. A token that needs more than these three members is none of ours.
    if not header.keys() <= {"alg", "kid", "typ"} or header["alg"] != "EdDSA":
        raise Refused("another kind of token")
    key = keys.get(header.get("kid")) or keys.get("")
    if key is None:
        raise Refused("another key")
    try:
        key.verify(decode(signature), f"{head}.{payload}".encode())
    except InvalidSignature:
        raise Refused("bad signature") from None
    claims = json.loads(decode(payload), object_pairs_hook=once)  # not before the signature is known to be good
    if claims.get("iss") != "bridgehead" or claims.get("aud") != "bridgehead":
        raise Refused("for somebody else")
    if now >= claims["exp"] or now + 30 < claims.get("nbf", 0):
        raise Refused("expired, or not good yet")
    return claims


def read_keys(where):
    """Reads the keys of a set (RFC 7517), or the one key in base64."""
    if not where.startswith("http"):
        return {"": Ed25519PublicKey.from_public_bytes(base64.b64decode(where, validate=True))}
    with urllib.request.urlopen(where, timeout=10) as reply:
        found = json.load(reply)["keys"]
    return {k["kid"]: Ed25519PublicKey.from_public_bytes(decode(k["x"])) for k in found if k.get("crv") == "Ed25519"}


if __name__ == "__main__":
    try:
        print(json.dumps(verify(sys.stdin.read(10000).strip(), read_keys(sys.argv[1]), time.time())))
    except (Refused, KeyError, TypeError, ValueError) as why:
        sys.exit(f"refused: {why}")
