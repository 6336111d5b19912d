"""Encryption at rest (加密存储) as the domains use it: seal, open, find, and keys that change.

A sealed column holds its key's version, so that after a new key is added every row is still
readable, and a job reseals what is old without stopping anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel import database
from domains.kernel.crypto import Keyring
from domains.kernel.slots import Slot

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
    """A column that is encrypted; names come from the code, never from input."""

    table: str
    column: str
    purpose: str
    key: str = "id"


async def reseal(place: SealedColumn, batch: int = 500) -> int:
    """Encrypt one batch of rows anew whose key is not the current one; the number of rows.
    A row that changed meanwhile is left to the next run."""
    table, column, key = place.table, place.column, place.key
    rows = await database.fetch(
        f"SELECT {key} AS id, {column} AS blob FROM {table} "  # noqa: S608  # names are constants of the code
        f"WHERE {column} IS NOT NULL AND get_byte({column}, 0) <> $1 LIMIT $2",
        keyring().current, batch,
    )  # fmt: skip
    done = 0
    for row in rows:
        fresh = seal(unseal(row["blob"], place.purpose), place.purpose)
        done += await database.execute(
            f"UPDATE {table} SET {column} = $3 WHERE {key} = $1 AND {column} = $2",  # noqa: S608  # as above
            row["id"], row["blob"], fresh,
        )  # fmt: skip
    return done
