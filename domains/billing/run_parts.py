"""The parts of a run (出账分段): houses that are posted together, with a digest of their lines at the preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

CHUNK = 2_000
"""Houses of a part, which is one transaction: more are no faster, and what waits for them waits longer."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many houses up to the last one in their order; the digest is that of all their lines."""

    houses: int
    last_sort: str | None
    last_id: UUID | None
    digest: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> Part:
        """What a statement over the part's houses says of them."""
        return cls(row["houses"], row["last_sort"], row["last_id"], int(row["digest"]))

    @property
    def as_json(self) -> list[object]:
        """As the run keeps it; the digest as text, for it is larger than what JSON keeps exactly."""
        return [self.houses, self.last_sort, self.last_id and str(self.last_id), str(self.digest)]


def parts_of(kept: str | None) -> Sequence[Part]:
    """The parts that a run keeps; none, before runs had any."""
    return [
        Part(houses, sort, UUID(id) if id else None, int(digest))
        for houses, sort, id, digest in orjson.loads(kept or "[]")
    ]
