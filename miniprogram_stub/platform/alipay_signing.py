"""What Alipay signs, and AES as it uses it (签名与接口内容加密)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from miniprogram_stub.platform.rsa_signing import rsa2_sign


def signed_text(params: Mapping[str, str]) -> str:
    """What a request's signature covers: every parameter that has a value, sorted, without `sign`."""
    return "&".join(f"{name}={value}" for name, value in sorted(params.items()) if value and name != "sign")


def sealed_phone(aes_key: str, key: RSAPrivateKey, phone: str) -> dict[str, str]:
    """What `my.getPhoneNumber` gives the mini-program: AES-CBC with a zero IV, signed by Alipay.

    The signature covers the ciphertext between double quotes, since that is how the node stands on the wire.
    """
    content = json.dumps({"code": "10000", "msg": "Success", "mobile": phone}, separators=(",", ":"))
    padder = PKCS7(128).padder()
    padded = padder.update(content.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(base64.b64decode(aes_key)), modes.CBC(bytes(16))).encryptor()
    response = base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
    return {
        "response": response,
        "sign": rsa2_sign(key, f'"{response}"'.encode()),
        "sign_type": "RSA2",
        "encrypt_type": "AES",
        "charset": "UTF-8",
    }
