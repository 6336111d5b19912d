"""What staff read by id leaves its trace where it belongs (查阅留痕)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from domains.kernel import audit
from domains.kernel.actor import Actor


class Read(Protocol):
    """A row that was read."""

    @property
    def id(self) -> UUID: ...
    @property
    def compound_id(self) -> UUID: ...


async def note(actor: Actor, action: str, subject_type: str, rows: Iterable[Read]) -> None:
    """One audit row for each compound of what was read, in the open transaction: whoever may read the
    audit of a compound sees all reads of its people, also those that came with another's."""
    read: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        read[row.compound_id].append(row.id)
    for compound_id, ids in read.items():
        subject_id = ids[0] if len(ids) == 1 else None
        details = {} if len(ids) == 1 else {"read": [str(id) for id in ids]}
        await audit.record(actor, action, subject_type, subject_id, compound_id=compound_id, details=details)
