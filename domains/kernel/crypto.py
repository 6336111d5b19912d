"""Encryption at rest (加密存储) with the national algorithms (国密): SM4-GCM and HMAC-SM3.

A sealed text is one byte of key version, a 12-byte random nonce, the ciphertext and a 16-byte
tag. The version and the purpose are authenticated with it, so that a value moved to another
column, or to another key, does not open. Random nonces bear about 2^32 texts per key: a new
version is added long before.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

NONCE_BYTES, TAG_BYTES = 12, 16
_KEY_BYTES, _INDEX_KEY_BYTES = 16, 32
_PURPOSE = re.compile(r"[a-z][a-z0-9_.]{0,62}")


class DecryptionFailed(Exception):
    """The sealed text is damaged, altered, or was sealed for another purpose or key."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or self.__doc__)


class UnknownKeyVersion(DecryptionFailed):
    """The sealed text names a key version that this keyring does not hold."""


class Keyring:
    """The keys by version (密钥环), the version that encrypts, and the key of the blind indexes.

    SM4 keys are 16 bytes, versions 1 to 255, the index key 32 bytes; ValueError otherwise.
    """

    __slots__ = ("_current", "_index_key", "_keys")

    def __init__(self, keys: Mapping[int, bytes], current: int, index_key: bytes) -> None:
        if current not in keys:
            raise ValueError("the current key version is not among the keys")
        if any(not 1 <= version <= 255 or len(key) != _KEY_BYTES for version, key in keys.items()):
            raise ValueError("an SM4 key has 16 bytes and a version from 1 to 255")
        if len(index_key) != _INDEX_KEY_BYTES:
            raise ValueError("the index key has 32 bytes")
        self._keys, self._current, self._index_key = dict(keys), current, index_key

    def __repr__(self) -> str:
        return f"Keyring(versions={sorted(self._keys)}, current={self._current})"

    @property
    def current(self) -> int:
        """The version that encrypts."""
        return self._current

    def encrypt(self, text: str, purpose: str) -> bytes:
        """Seal `text` for one purpose (`table.column`); equal texts give different bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        header = bytes([self._current])
        return (
            header
            + nonce
            + sm4_gcm_seal(self._keys[self._current], nonce, text.encode(), header + _checked(purpose))
        )

    def decrypt(self, blob: bytes, purpose: str) -> str:
        """The text that was sealed. Raises UnknownKeyVersion or DecryptionFailed, neither with any of it."""
        if len(blob) < 1 + NONCE_BYTES + TAG_BYTES:
            raise DecryptionFailed("the sealed text is cut short")
        key = self._keys.get(blob[0])
        if key is None:
            raise UnknownKeyVersion
        nonce, sealed = blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :]
        return sm4_gcm_open(key, nonce, sealed, blob[:1] + _checked(purpose)).decode()

    def is_current(self, blob: bytes) -> bool:
        """Whether the current key sealed it; a job seals the others anew."""
        return blob[:1] == bytes([self._current])

    def blind_index(self, value: str, purpose: str) -> bytes:
        """32 bytes under which an equal value of the same purpose is found (盲索引), and nothing else.

        The caller normalises `value` first. Its key does not rotate with the others: every row
        would have to be indexed anew at once.
        """
        return hmac_sm3(self._index_key, _checked(purpose) + b"\0" + value.encode())


def sm4_gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag by SM4 (GB/T 32907) in GCM."""
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag


def sm4_gcm_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext of `sm4_gcm_seal`. Raises DecryptionFailed when anything was altered."""
    ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(associated)
    plaintext = decryptor.update(ciphertext)
    try:
        return plaintext + decryptor.finalize()
    except InvalidTag:
        raise DecryptionFailed from None


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (GB/T 15852.2) over SM3 (GB/T 32905), 32 bytes."""
    mac = HMAC(key, SM3())
    mac.update(data)
    return mac.finalize()


def _checked(purpose: str) -> bytes:
    """A purpose comes from the code; its shape keeps it apart from the value that follows it."""
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError("a purpose looks like table.column")
    return purpose.encode()
