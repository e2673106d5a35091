"""JOSE by hand for the tests, so that tokens can be wrong in every way: keys, JWKs, signatures, and what others signed."""

import base64
import hashlib
import hmac
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

P256_BYTES = 32


def encode(content):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value, length):
    return encode(value.to_bytes(length, "big"))


class Key:
    """A key pair: RS256, PS256, ES256 or EdDSA."""

    def __init__(self, algorithm="RS256", kid="k1"):
        self.algorithm, self.kid = algorithm, kid
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(65537, 2048)

    @property
    def pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()).decode()

    @property
    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def jwk(self):
        public, about = self.private.public_key(), {"use": "sig", "kid": self.kid, "alg": self.algorithm}
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": _number(numbers.x, P256_BYTES), "y": _number(numbers.y, P256_BYTES), **about}
        if self.algorithm == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw), **about}
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n, 256), "e": _number(numbers.e, 3), **about}

    def sign(self, content):
        if self.algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(content, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(P256_BYTES, "big") + s.to_bytes(P256_BYTES, "big")
        if self.algorithm == "EdDSA":
            return self.private.sign(content)
        pads = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)}
        return self.private.sign(content, pads[self.algorithm], hashes.SHA256())


class HmacKey:
    """For HS256 with a secret that is none."""

    def __init__(self, secret):
        self.secret = secret

    def sign(self, content):
        return hmac.new(self.secret, content, hashlib.sha256).digest()


class NoKey:
    def sign(self, _content):
        return b""


def token_of(header, claims, key):
    content = f"{encode(header)}.{encode(claims)}"
    return f"{content}.{encode(key.sign(content.encode()))}"


def verified_es256(token, public_key):
    """(header, claims) of a token that this key signed; None when it did not."""
    header, claims, signature = token.split(".")
    raw = decode(signature)
    if len(raw) != 2 * P256_BYTES:
        return None
    der = utils.encode_dss_signature(int.from_bytes(raw[:P256_BYTES], "big"), int.from_bytes(raw[P256_BYTES:], "big"))
    try:
        public_key.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return None
    return json.loads(decode(header)), json.loads(decode(claims))


def half_hash(text, algorithm="RS256"):
    """at_hash of an access token (OpenID Connect Core §3.1.3.6)."""
    full = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(text.encode()).digest()  # Ed25519's own hash
    return encode(full[:len(full) // 2])


def challenge_of(verifier):
    return encode(hashlib.sha256(verifier.encode()).digest())
