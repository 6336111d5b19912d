"""Encryption at rest (加密存储) as the domains use it: seal, open, find, and keys that change.

A sealed column holds its key's version, so that after a new key is added every row is still
readable, and a job reseals what is old without stopping anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from domains.kernel import database
from domains.kernel.crypto import DecryptionFailed, Keyring
from domains.kernel.slots import Slot

log = structlog.get_logger(__name__)

keyring: Slot[Keyring] = Slot("keyring")


def seal(text: str, purpose: str) -> bytes:
    """Encrypt for this purpose (`table.column`)."""
    return keyring().encrypt(text, purpose)


def unseal(blob: bytes, purpose: str) -> str:
    """Decrypt what was sealed for this purpose."""
    return keyring().decrypt(bytes(blob), purpose)


def seal_optional(text: str | None, purpose: str) -> bytes | None:
    """None stays None."""
    return None if text is None else seal(text, purpose)


def unseal_optional(blob: bytes | None, purpose: str) -> str | None:
    """None stays None."""
    return None if blob is None else unseal(blob, purpose)


def find(value: str, purpose: str) -> bytes:
    """The blind index under which an equal value is found."""
    return keyring().blind_index(value, purpose)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that is encrypted; names come from the code, never from input. `key` is a UUID column."""

    table: str
    column: str
    purpose: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a run came across: rows sealed anew, rows that no key of the ring opens."""

    rows: int = 0
    unreadable: int = 0


async def reseal(place: SealedColumn, batch: int = 500) -> Resealed:
    """Encrypt anew every row whose key is not the current one, in one pass by batches.

    A row that somebody is writing is left out, so that nobody waits and nothing waits for anybody:
    it is sealed with the current key by the writer, or by the next run.
    """
    total, after = Resealed(), None
    while True:
        async with database.transaction():
            rows = await database.fetch(_old_rows(place), keyring().current, batch, after)
            found = await _reseal_rows(place, rows)
        total = Resealed(total.rows + found.rows, total.unreadable + found.unreadable)
        if len(rows) < batch:
            return total
        after = rows[-1]["id"]


def _old_rows(place: SealedColumn) -> str:
    table, column, key = place.table, place.column, place.key
    return (
        f"SELECT {key} AS id, {column} AS blob FROM {table} "  # noqa: S608  # names are constants of the code
        f"WHERE {column} IS NOT NULL AND get_byte({column}, 0) <> $1 AND ($3::uuid IS NULL OR {key} > $3) "
        f"ORDER BY {key} LIMIT $2 FOR UPDATE SKIP LOCKED"
    )


async def _reseal_rows(place: SealedColumn, rows: Sequence[asyncpg.Record]) -> Resealed:
    fresh: list[tuple[UUID, bytes]] = []
    for row in rows:
        try:
            fresh.append((row["id"], seal(unseal(row["blob"], place.purpose), place.purpose)))
        except DecryptionFailed as error:  # one damaged row must not keep an old key in use for all others
            log.error("reseal.unreadable", table=place.table, row=str(row["id"]), kind=type(error).__name__)
    await database.execute(
        f"UPDATE {place.table} SET {place.column} = fresh.blob "  # noqa: S608  # names are constants of the code
        f"FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, blob) WHERE {place.table}.{place.key} = fresh.id",
        [id for id, _ in fresh], [blob for _, blob in fresh],
    )  # fmt: skip
    return Resealed(len(fresh), len(rows) - len(fresh))
