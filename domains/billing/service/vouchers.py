"""Vouchers (凭证) on their way into the file store: photos and PDF."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domains.kernel.files import storage
from domains.kernel.storage import Kind, inspect_upload
from domains.kernel.storage.content import JPEG, PDF, PNG, WEBP
from domains.kernel.storage.errors import file_type_refused
from domains.residents.service.photos import Upload

LIMIT_BYTES = 5 * 1024 * 1024
TYPES = frozenset({JPEG, PNG, WEBP, PDF})
"""What every phone and browser shows in place."""


@asynccontextmanager
async def kept(file: Upload | None) -> AsyncIterator[str | None]:
    """The key of the stored file, which is gone again unless the block succeeds.

    Raises FILE_TYPE_REFUSED, FILE_TOO_LARGE (over 5 MB), FILE_STORE_UNAVAILABLE.
    """
    key = None if file is None else await _save(file)
    try:
        yield key
    except BaseException:
        if key is not None:
            await storage().delete(key)
        raise


async def _save(file: Upload) -> str:
    kinds = {Kind.PICTURE, Kind.PDF}
    content_type, chunks = await inspect_upload(file.chunks, declared=file.declared, kinds=kinds)
    if content_type not in TYPES:
        raise file_type_refused()
    stored = await storage().save("vouchers", chunks, content_type=content_type, limit_bytes=LIMIT_BYTES)
    return stored.key
