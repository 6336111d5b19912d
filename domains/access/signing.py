"""The keys that sign passes, lists and commands (签发密钥): one signs, all that ever did are believed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domains.access import sealed, sql
from domains.access.models import PassKey
from domains.kernel import clock, database, sealing


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """The key that signs now."""

    kid: bytes
    key: Ed25519PrivateKey


_opened: dict[bytes, Signer] = {}


async def signer(kid: bytes | None = None) -> Signer:
    """The key that signs now; the first one is made when it is first needed. `kid` is its id, where a statement
    of the caller's has brought it along: then nothing is asked again."""
    if kid in _opened:
        return _opened[kid]
    row = await database.fetchrow(sql.SIGNING_KEY)
    if row is None:
        await _make_first()
        row = await database.fetchrow(sql.SIGNING_KEY)
    assert row is not None
    if row["kid"] not in _opened:
        seed = bytes.fromhex(sealing.unseal(row["private_sealed"], sealed.SIGNING_KEY))
        _opened[row["kid"]] = Signer(row["kid"], Ed25519PrivateKey.from_private_bytes(seed))
    return _opened[row["kid"]]


async def public_keys() -> Mapping[bytes, Ed25519PublicKey]:
    """Every key whose signatures count, by its id."""
    rows = await database.fetch(sql.PUBLIC_KEYS)
    return {row["kid"]: Ed25519PublicKey.from_public_bytes(row["public_key"]) for row in rows}


async def _make_first() -> None:
    async with database.transaction():
        await database.execute(sql.KEY_TURN)
        if await database.fetchrow(sql.SIGNING_KEY) is None:
            await make_key()


async def make_key() -> bytes:
    """A new key, which signs from now on; its id. What older ones signed counts on."""
    key = Ed25519PrivateKey.generate()
    kid = secrets.token_bytes(4)
    await PassKey.create(
        kid=kid, public_key=key.public_key().public_bytes_raw(), made_at=clock.now(),
        private_sealed=sealing.seal(key.private_bytes_raw().hex(), sealed.SIGNING_KEY),
    )  # fmt: skip
    return kid
