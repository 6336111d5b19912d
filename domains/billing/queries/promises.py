"""Reads of promises to pay (缴费承诺): kept or broken by what was paid, never by what somebody ticked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.billing.dunning_sql import PROMISE_COLUMNS, PROMISE_FROM
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note as leave_note


@dataclass(frozen=True, slots=True)
class PaymentPromise:
    """A promise as staff read it; `paid_fen` is what was paid from then on until the day promised."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    promised_on: date
    amount_fen: int | None
    note: str
    recorded_by_name: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    paid_fen: int
    state: str


# What a state says of the row itself stands in an index: those that are open, and those withdrawn, are read without a
# look at any other. Whether one whose day has passed was kept is what was paid, asked of each of those alone.
_WITHIN: Mapping[str | None, str] = {
    None: "m.withdrawn_at IS NULL",
    "open": "m.withdrawn_at IS NULL AND m.promised_on >= $1",
    "kept": "m.withdrawn_at IS NULL",
    "broken": "m.withdrawn_at IS NULL AND m.promised_on < $1",
    "withdrawn": "m.withdrawn_at IS NOT NULL",
}
_OF_COMPOUND = "m.compound_id = $2 AND ($3::uuid[] IS NULL OR h.building_id = ANY($3::uuid[]))"


def _judged(state: str | None, more: str = "") -> str:
    """The promises of a compound in a state; `more` says which of them."""
    wanted = "" if state is None else f"WHERE w.state = '{state}'"
    return f"""(SELECT {PROMISE_COLUMNS} FROM {PROMISE_FROM}
    WHERE {_OF_COMPOUND} AND {_WITHIN[state]} {more}) w {wanted}"""


PAGE = {
    state: f"""
SELECT w.* FROM {_judged(state, "AND ($4::date IS NULL OR (m.promised_on, m.id) < ($4, $5::uuid))")}
ORDER BY w.promised_on DESC, w.id DESC LIMIT $6
"""
    for state in _WITHIN
}

# Whether they were kept need not be known of all, nor of those withdrawn; the day is a parameter of every count.
_UNJUDGED = (
    "SELECT count(*) FROM payment_promise m JOIN house h ON h.id = m.house_id WHERE $1::date IS NOT NULL AND"
)

COUNT = {
    state: f"{_UNJUDGED} {_OF_COMPOUND} AND {_WITHIN[state]}"
    if state in (None, "withdrawn")
    else f"SELECT count(*) FROM {_judged(state)}"
    for state in _WITHIN
}

BY_ID = f"""
SELECT {PROMISE_COLUMNS} FROM {PROMISE_FROM}
WHERE m.id = ANY($2::uuid[]) AND (m.compound_id = ANY($3::uuid[]) OR h.building_id = ANY($4::uuid[]))
"""

LATEST = f"""
SELECT DISTINCT ON (m.house_id) {PROMISE_COLUMNS} FROM {PROMISE_FROM}
WHERE m.house_id = ANY($2::uuid[]) AND m.withdrawn_at IS NULL ORDER BY m.house_id, m.promised_on DESC, m.id DESC
"""


@sensitive_read("promise.list", caller="staff", permission=permissions.BILLS_READ)
async def for_staff(
    actor: Actor, compound_id: UUID, state: str | None, *, after: tuple[object, ...] | None, limit: int
) -> list[PaymentPromise]:
    """A page of a compound's promises, the latest day first; those withdrawn only when they are asked for."""
    concerns("PaymentPromise", None, compound_id, state=state)
    rows = await database.fetch(PAGE[state], *_arguments(actor, compound_id), *(after or (None, None)), limit)
    return [PaymentPromise(**row) for row in rows]


async def count(actor: Actor, compound_id: UUID, state: str | None) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT[state], *_arguments(actor, compound_id)))


def _arguments(actor: Actor, compound_id: UUID) -> tuple[object, ...]:
    actor.require(permissions.BILLS_READ, compound_id)
    reached = actor.buildings(permissions.BILLS_READ, compound_id)
    return clock.today(), compound_id, None if reached is None else list(reached)


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, PaymentPromise]:
    """Those the caller may see by permission, which leaves its trace."""
    reach = actor.reach(permissions.BILLS_READ)
    async with database.transaction():
        rows = await database.fetch(BY_ID, clock.today(), ids, reach.compounds, reach.buildings)
        found = {row["id"]: PaymentPromise(**row) for row in rows}
        await leave_note(actor, "promise.read", "PaymentPromise", found.values())
    return found


async def latest_of(house_ids: Sequence[UUID]) -> Mapping[UUID, PaymentPromise]:
    """The last promise of houses that the caller has read, by house; those withdrawn count as none."""
    rows = await database.fetch(LATEST, clock.today(), house_ids)
    return {row["house_id"]: PaymentPromise(**row) for row in rows}
