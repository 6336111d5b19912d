"""Taking up deliveries: what is due is leased, and what must not be sent is settled at once instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from domains.kernel import clock, database
from domains.kernel.faults import place
from domains.kernel.ids import uuid7
from notifications import consents
from notifications.channels.port import Parcel
from notifications.deliveries import rules
from notifications.deliveries.climbing import climb_now
from notifications.deliveries.lease import Leased, facts, lease, parcel_of
from notifications.deliveries.rules import Move
from notifications.deliveries.sql import CLAIM, HOLD, LEAVE, LET_GO, LOAD, RECOVER
from notifications.kinds import Channel

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker took up: of `number` deliveries those that are to be sent."""

    number: int
    ready: Sequence[Leased]


@dataclass(slots=True)
class _Batch:
    """Deliveries that are being taken up, and those of them that are left."""

    lease_id: UUID
    now: datetime
    ready: list[Leased]
    left: dict[UUID, Move]

    def leave(self, id: UUID, move: Move) -> None:
        self.left[id] = move
        self.ready = [each for each in self.ready if each.id != id]


async def claim(*, urgent: bool, limit: int, lease_s: float, without: Collection[Channel] = ()) -> Taken:
    """Lease at most `limit` due deliveries of a lane for `lease_s`, one worker each, and settle those
    among them that must not be sent; channels in `without` are passed over."""
    lease_id, now = uuid7(), clock.now()
    async with database.transaction():
        rows = await database.fetch(CLAIM, lease_id, lease_s, urgent, limit, now, list(without))
        if not rows:
            return Taken(0, ())
        batch = _sorted_out(lease_id, now, await _load(rows))
        await _throttle(batch, lease_s)
        await _take_consents(batch)
        await _leave(batch, urgent=urgent)
    return Taken(len(rows), batch.ready)


async def recover(*, urgent: bool, limit: int, lease_s: float) -> list[Leased]:
    """Lease deliveries whose worker is gone: whether they were sent is unknown."""
    lease_id = uuid7()
    async with database.transaction():
        rows = await database.fetch(RECOVER, lease_id, lease_s, urgent, limit)
        began_at = {row["id"]: row["began_at"] for row in rows}
        loaded = await _load(rows) if rows else ()
        return [lease(row, lease_id, began_at[row["id"]], _written(row)) for row in loaded]


async def _load(rows: Sequence[asyncpg.Record]) -> Sequence[asyncpg.Record]:
    return await database.fetch(LOAD, [row["id"] for row in rows])


def _sorted_out(lease_id: UUID, now: datetime, rows: Sequence[asyncpg.Record]) -> _Batch:
    batch = _Batch(lease_id, now, [], {})
    for row in sorted(rows, key=lambda row: str(row["id"])):
        move = rules.hindrance(facts(row), now)
        parcel = _written(row) if move is None else None
        if parcel is not None:
            batch.ready.append(lease(row, lease_id, now, parcel))
        else:
            batch.left[row["id"]] = move or Move("dead", "UNREADABLE")
    return batch


def _written(row: asyncpg.Record) -> Parcel | None:
    """None for one that cannot be written: it must not keep the others from being sent."""
    known = facts(row)
    try:
        return parcel_of(row, known.kind) if known.kind and known.has_address else None
    except Exception as error:  # one damaged row, whatever is wrong with it
        log.error("delivery.unreadable", delivery=str(row["id"]), **place(error))
        return None


async def _throttle(batch: _Batch, lease_s: float) -> None:
    limited = []
    for each in batch.ready:
        assert each.parcel is not None, "what is ready is written"
        pause = rules.throttle(each.parcel.kind, each.parcel.urgency)
        if pause is not None and each.account_id is not None:
            limited.append(
                (each.id, each.account_id, each.kind, each.channel, each.target_id, batch.now - pause)
            )
    if limited:
        columns = [list(column) for column in zip(*limited, strict=True)]
        for row in await database.fetch(HOLD, *columns, lease_s):
            if not row["is_held"]:
                batch.leave(row["id"], rules.throttled(row["was_sent"], batch.now))


async def _take_consents(batch: _Batch) -> None:
    refused = []
    for each in [each for each in batch.ready if each.needs_consent]:
        assert each.account_id is not None, "consent is an account's"
        if not await consents.take(each.account_id, each.channel, each.template_id, each.id):
            batch.leave(each.id, rules.NO_CONSENT)
            refused.append(each.id)
    if refused:
        await database.execute(LET_GO, refused)


async def _leave(batch: _Batch, *, urgent: bool) -> None:
    if batch.left:
        moves = [(id, move.state, move.reason, move.due_at) for id, move in batch.left.items()]
        columns = [list(column) for column in zip(*moves, strict=True)]
        await database.execute(LEAVE, batch.lease_id, batch.now, *columns)
    lost = [id for id, move in batch.left.items() if move.state in rules.NOT_SENT]
    if lost and urgent:
        await climb_now(lost, batch.now)
