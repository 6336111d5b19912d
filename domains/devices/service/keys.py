"""Keys by which devices sign (设备密钥): the private half stays with the device, or is shown once."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tortoise.exceptions import IntegrityError

from domains.devices import permissions
from domains.devices.models import DeviceKey
from domains.devices.service.reaching import open_device
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7

MOST_IN_USE = 2
"""The one that is being replaced, and the one that replaces it."""
_SIZE = 32


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key in use; `private_pem` (PKCS #8) is there where it was made here, and nowhere else ever again."""

    key_id: str
    private_pem: str | None = field(repr=False)


@command("device_key.issue", caller="staff", permission=permissions.WRITE)
async def issue_device_key(actor: Actor, *, device_id: UUID, public_key: str | None = None) -> IssuedKey:
    """Let a device sign by a public key, 32 bytes of Ed25519 in Base64, or make a pair for it.

    Raises DEVICE_NOT_FOUND, DEVICE_RETIRED, DEVICE_KEY_INVALID, DEVICE_KEY_TAKEN, DEVICE_KEYS_IN_USE.
    """
    device = await open_device(actor, device_id)
    made = Ed25519PrivateKey.generate() if public_key is None else None
    raw = made.public_key().public_bytes_raw() if made else _read(public_key or "")
    key_id = hashlib.sha256(raw).hexdigest()[:16]
    concerns("Device", device_id, device.compound_id, key=key_id)
    if await DeviceKey.filter(device_id=device_id, revoked_at=None).count() >= MOST_IN_USE:
        raise Conflict("DEVICE_KEYS_IN_USE", "设备已有两个在用的密钥,请先停用一个", "device")
    await _keep(actor, device_id, key_id, raw)
    return IssuedKey(key_id, _pem(made) if made else None)


@command("device_key.revoke", caller="staff", permission=permissions.WRITE)
async def revoke_device_key(actor: Actor, *, device_id: UUID, key_id: str) -> UUID:
    """Let a key count no more, from the next request on. Raises DEVICE_NOT_FOUND, DEVICE_KEY_NOT_FOUND."""
    device = await open_device(actor, device_id, allow_retired=True)
    concerns("Device", device_id, device.compound_id, key=key_id)
    in_use = DeviceKey.filter(device_id=device_id, key_id=key_id, revoked_at=None)
    if not await in_use.update(revoked_at=clock.now(), revoked_by=actor.account_id):
        raise NotFound("DEVICE_KEY_NOT_FOUND", "没有找到这个密钥,它可能已经停用,请刷新后重试", "key_id")
    return device_id


async def _keep(actor: Actor, device_id: UUID, key_id: str, raw: bytes) -> None:
    try:
        await DeviceKey.create(
            id=uuid7(), device_id=device_id, key_id=key_id, public_key=raw, issued_at=clock.now(),
            issued_by=actor.account_id,
        )  # fmt: skip
    except IntegrityError:
        message = "这个密钥已经登记过,请让设备生成新的密钥"
        raise Conflict("DEVICE_KEY_TAKEN", message, "public_key") from None


def _read(written: str) -> bytes:
    try:
        raw = base64.b64decode(written.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _SIZE:
        message = "公钥应为 Ed25519 公钥的 32 个字节,以 Base64 填写"
        raise Invalid("DEVICE_KEY_INVALID", message, "public_key")
    return raw


def _pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
