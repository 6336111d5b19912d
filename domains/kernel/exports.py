"""Tables handed out as files (导出文件): under an address that opens for who asked alone, and not for long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.files import audience_of, links, storage
from domains.kernel.sheets import CONTENT_TYPES, Form, Row, written
from domains.kernel.storage import new_key

LIMIT_BYTES = 200_000_000
LIFETIME = timedelta(minutes=10)
"""Of the address."""
KEPT = timedelta(hours=1)
"""Of the file: longer than any download takes that began while the address counted."""

Book = Callable[[str, datetime], Awaitable[object]]
"""Writes down the key of a file and when it was made, so that it is deleted in time."""


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file under an address that opens for the caller alone, until `expires_at`."""

    address: str
    content_type: str
    rows: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Table:
    """A table to write: its name for people, the folder of the file store, its header and how many rows."""

    title: str
    folder: str
    header: Row
    rows: int


async def hand_out(
    actor: Actor, table: Table, form: Form, batches: AsyncIterator[list[Row]], book: Book
) -> ExportedFile:
    """Write the table to the file store and sign its address for the caller. Raises FILE_STORE_UNAVAILABLE."""
    content_type, chunks = CONTENT_TYPES[form], written(form, table.header, batches)
    folder = f"exports/{table.folder}"
    key = new_key(folder, content_type, clock.now())
    # Before there is a file: what is not on the books would never be deleted, whatever ends this process.
    await book(key, clock.now())
    stored = await storage().save(folder, chunks, content_type=content_type, limit_bytes=LIMIT_BYTES, key=key)
    # An address knows whole seconds only.
    expires_at = (clock.now() + LIFETIME).replace(microsecond=0)
    name = f"{table.title}-{clock.today():%Y%m%d}.{form}"
    address = links().address(
        stored.key, expires_at=expires_at, download_name=name, audience=audience_of(actor)
    )
    return ExportedFile(address, content_type, table.rows, expires_at)
