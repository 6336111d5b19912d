"""The uploaded file between staging and applying: sealed, for it holds phones and documents, and forgotten after."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.kernel import clock, sealing
from domains.kernel.files import storage
from domains.kernel.jobs import Result
from domains.residents.models import RegisterImport

PURPOSE = "register.file"
LIMIT_BYTES = 10_000_000
KEPT = timedelta(days=7)
"""How long a register that was never applied can still be."""

_SEALED_LIMIT_BYTES = 2 * LIMIT_BYTES  # base64 takes a third more


@dataclass(frozen=True, slots=True)
class KeptFile:
    """Where the sealed file is, and the hash of what was uploaded."""

    key: str
    sha256: str


async def keep(data: bytes) -> KeptFile:
    """Store the file sealed."""
    sealed = await asyncio.to_thread(_seal, data)

    async def chunks() -> AsyncIterator[bytes]:
        yield sealed

    stored = await storage().save(
        "registers", chunks(), content_type="application/octet-stream", limit_bytes=_SEALED_LIMIT_BYTES
    )
    return KeptFile(stored.key, hashlib.sha256(data).hexdigest())


def _seal(data: bytes) -> bytes:
    return sealing.seal(base64.b64encode(data).decode(), PURPOSE)


async def read(key: str) -> bytes:
    """The file as it was uploaded."""
    sealed = b"".join([chunk async for chunk in await storage().open(key)])
    return await asyncio.to_thread(lambda: base64.b64decode(sealing.unseal(sealed, PURPOSE)))


async def forget(import_id: UUID, key: str) -> None:
    """Delete the file of an import that needs it no more."""
    await storage().delete(key)
    await RegisterImport.filter(pk=import_id).update(file_key="")


async def forget_old(_: datetime) -> Result:
    """Delete the files of imports that are applied, or too old to be (定时清理)."""
    old = await RegisterImport.filter(uploaded_at__lt=clock.now() - KEPT).exclude(file_key="")
    applied = await RegisterImport.filter(state="applied").exclude(file_key="")
    for each in {row.id: row for row in [*old, *applied]}.values():
        await forget(each.id, each.file_key)
    return {"forgotten": len({row.id for row in [*old, *applied]})}
