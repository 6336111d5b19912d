"""Transition tables: no sequence of racing moves leads outside of the table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.instance import Addresses
from domains.kernel import database
from domains.kernel.errors import Conflict, Invalid
from domains.kernel.models import JobRun
from domains.kernel.transitions import Machine
from tests.conftest import administer

pytestmark = pytest.mark.usefixtures("instance")

STATES = ("new", "open", "held", "paid", "void")
TICKET = Machine(
    "ticket",
    {
        "new": frozenset({"open", "void"}),
        "open": frozenset({"paid", "void"}),
        "paid": frozenset(),
        "void": frozenset(),
    },
    required={"paid": frozenset({"result"}), "void": frozenset({"error"})},
    frozen={"open": frozenset({"job"})},
)

# A row that allows any state, and a note of every change in the order in which it happened.
OPEN_UP = """
ALTER TABLE job_run DROP CONSTRAINT job_run_state;
CREATE TABLE move (place bigserial, row_id uuid, old text, new text);
CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO move (row_id, old, new) VALUES (NEW.id, OLD.state, NEW.state);
    RETURN NEW;
END $$;
CREATE TRIGGER note_move AFTER UPDATE OF state ON job_run FOR EACH ROW EXECUTE FUNCTION note_move();
GRANT SELECT ON move TO PUBLIC;
"""


@pytest.fixture(scope="module", autouse=True)
async def any_state(instance: object, addresses: Addresses) -> AsyncIterator[None]:
    """This module's own database lets rows have the states of any table."""
    await administer(addresses.owner_url, OPEN_UP)
    yield


async def row(state: str) -> JobRun:
    now = datetime.now(UTC)
    return await JobRun.create(job="t", due_at=now, state=state, started_at=now, lease_until=now)


async def moves(row_id: UUID) -> list[tuple[str, str]]:
    found = await database.fetch("SELECT old, new FROM move WHERE row_id = $1 ORDER BY place", row_id)
    return [(each["old"], each["new"]) for each in found]


async def attempt(machine: Machine, row_id: UUID, old: str, new: str) -> bool:
    try:
        await machine.move(JobRun, row_id, old, new)
    except Conflict:
        return False
    return True


tables = st.fixed_dictionaries({state: st.frozensets(st.sampled_from(STATES)) for state in STATES})
steps = st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(STATES)), min_size=1, max_size=24)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables, start=st.sampled_from(STATES), wanted=steps)
async def test_racing_moves_never_lead_outside_of_the_table(
    table: dict[str, frozenset[str]], start: str, wanted: list[tuple[str, str]]
) -> None:
    machine = Machine("any", table)
    subject = await row(start)
    moved = await asyncio.gather(*(attempt(machine, subject.id, old, new) for old, new in wanted))
    noted = await moves(subject.id)
    assert all(machine.allows(old, new) for old, new in noted)
    assert [old for old, _ in noted] == [start, *(new for _, new in noted)][: len(noted)]
    assert sorted(noted) == sorted(step for step, done in zip(wanted, moved, strict=True) if done)
    assert (await JobRun.get(pk=subject.id)).state == (noted[-1][1] if noted else start)


async def test_of_many_that_make_one_move_one_does() -> None:
    subject = await row("new")
    moved = await asyncio.gather(*(attempt(TICKET, subject.id, "new", "open") for _ in range(20)))
    assert sorted(moved) == [False] * 19 + [True]
    assert await moves(subject.id) == [("new", "open")]


async def test_a_move_writes_its_values_with_the_state_or_neither() -> None:
    subject = await row("open")
    await TICKET.move(JobRun, subject.id, "open", "paid", result={"fen": 100}, attempts=7)
    found = await JobRun.get(pk=subject.id)
    assert (found.state, found.result, found.attempts) == ("paid", {"fen": 100}, 7)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        await TICKET.move(JobRun, subject.id, "open", "void", error="late", attempts=9)
    assert (await JobRun.get(pk=subject.id)).attempts == 7


async def test_a_state_has_what_it_requires() -> None:
    subject = await row("open")
    for values in ({}, {"result": None}):
        with pytest.raises(Invalid, match="STATE_INCOMPLETE") as refusal:
            await TICKET.move(JobRun, subject.id, "open", "paid", **values)
        assert refusal.value.field == "result"
    assert await moves(subject.id) == []


async def test_what_is_frozen_is_not_changed_by_a_move() -> None:
    subject = await row("open")
    with pytest.raises(Conflict, match="STATE_FROZEN"):
        await TICKET.move(JobRun, subject.id, "open", "void", error="x", job="other")
    assert await moves(subject.id) == []
    fresh = await row("new")
    await TICKET.move(JobRun, fresh.id, "new", "open", job="other")
    assert (await JobRun.get(pk=fresh.id)).job == "other"


@pytest.mark.parametrize(
    ("old", "new"), [("paid", "open"), ("new", "paid"), ("new", "new"), ("new", "??"), ("??", "new")]
)
async def test_a_move_the_table_does_not_have_is_refused_unwritten(old: str, new: str) -> None:
    subject = await row("new")
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        await TICKET.move(JobRun, subject.id, old, new, result={}, error="x")
    assert await moves(subject.id) == []


def test_a_table_names_only_states_it_lists() -> None:
    listed = {"a": frozenset({"b"}), "b": frozenset[str]()}
    assert Machine("fine", listed).states == {"a", "b"}
    with pytest.raises(ValueError, match="'c'"):
        Machine("target", {"a": frozenset({"c"})})
    for part in ("required", "frozen"):
        with pytest.raises(ValueError, match="'c'"):
            Machine("part", listed, **{part: {"c": frozenset({"name"})}})
