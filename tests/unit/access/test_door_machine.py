"""Orders in random order: whatever happens when, an order moves by its table and ends as it is written down."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.access.models import DoorCommand
from domains.access.rules import COMMAND
from domains.access.service import sending
from domains.access.service.settling import Said, settle, settle_overdue
from domains.kernel import database
from tests.unit.access.door_scenes import Doors, age, behave, device_of, doors, records, sent_to

pytestmark = pytest.mark.usefixtures("instance")

STEPS = ("send", "opened", "refused", "expired", "forged", "pass time", "overdue")
ENDS = ("opened", "refused", "expired")
EXPECTED = {
    ("requested", "send", False): "sent", ("requested", "overdue", True): "expired",
    ("sent", "overdue", True): "unknown",
    **{("sent", end, late): end for end in ENDS for late in (False, True)},
    **{("unknown", end, True): end for end in ENDS},
}  # fmt: skip
"""(State, step, whether its time is over) → next state; everything else leaves it as it is."""
RECORDED = {"opened": "opened", "refused": "refused", "expired": "refused", "unknown": "unknown"}


def walks(number: int = 60) -> list[list[str]]:
    """Sequences of steps as hypothesis finds them; they are walked in the event loop afterwards."""
    found: list[list[str]] = []

    @settings(max_examples=number, database=None, deadline=None)
    @given(st.lists(st.sampled_from(STEPS), max_size=10))
    def collect(steps: list[str]) -> None:
        found.append(steps)

    collect()
    return found


def test_what_is_expected_is_what_the_table_has() -> None:
    allowed = {(old, new) for old, targets in COMMAND.moves.items() for new in targets}
    # What cannot be reached ends an order that was not sent.
    assert {(old, new) for (old, _, _), new in EXPECTED.items()} | {("requested", "refused")} == allowed


async def test_an_order_moves_by_its_table() -> None:
    at = await doors()
    await behave(at.unit, answers=False)
    for steps in walks():
        await walk(at, steps)


async def walk(at: Doors, steps: list[str]) -> None:
    """Take an order through these steps."""
    before, sent = len(await records(at.unit)), await sent_to(at.unit)
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", at.at.owner.account_id, at.at.house_id)
    states, late = ["requested"], False
    for name in steps:
        await step(at, id, name)
        late = late or name == "pass time"
        states.append(EXPECTED.get((states[-1], name, late), states[-1]))
        order = await DoorCommand.get(pk=id)
        assert order.state == states[-1], (steps, name)
        assert (order.settled_at is None) == (order.state in ("requested", "sent"))
    moved = [new for old, new in itertools.pairwise(states) if old != new]
    assert await sent_to(at.unit) - sent == moved.count("sent") <= 1, steps
    ends = [RECORDED[each] for each in moved if each in RECORDED]
    assert [each["result"] for each in (await records(at.unit))[before:]] == ends, steps
    # Two of one person are never under way.
    await DoorCommand.filter(pk=id, state__in=("requested", "sent")).delete()


async def step(at: Doors, id: UUID, name: str) -> None:
    """Let one thing happen."""
    if name == "send":
        await sending.send(id)
    elif name == "pass time":
        await age(id, 12)
    elif name == "overdue":
        await settle_overdue(id)
    elif name == "forged":
        await settle([Said(id, await device_of(at.gate), "opened")])
    else:
        await settle([Said(id, await device_of(at.unit), name)])
