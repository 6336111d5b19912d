"""SHA256withRSA (Alipay's RSA2, WeChat Pay's RSA2048), and the same over a weaker digest for a forgery."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


def rsa2_sign(key: RSAPrivateKey, content: bytes) -> str:
    """SHA256withRSA, base64."""
    return rsa_sign(key, content, hashes.SHA256())


def rsa_sign(key: RSAPrivateKey, content: bytes, digest: hashes.HashAlgorithm) -> str:
    """RSA over that digest, base64."""
    return base64.b64encode(key.sign(content, PKCS1v15(), digest)).decode()


def rsa2_verified(key: RSAPublicKey, content: bytes, sign: str) -> bool:
    """Whether the signature is the key's, over this content, with SHA-256 and nothing weaker."""
    try:
        key.verify(base64.b64decode(sign, validate=True), content, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
