"""Who is told of visitors, through the outbox; who is not; and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.events import VisitorAdmitted, VisitorRefused
from domains.access.gate.reasons import Kind, Reason
from domains.access.handlers import VISIT_CHANGED
from domains.access.rules import Outcome
from domains.access.service import admitting, passes, requests, settings, uses
from domains.access.service.recording import Attempt, record
from domains.access.service.uploads import Told, receive
from domains.kernel import clock, database
from domains.kernel.errors import Invalid
from domains.kernel.events import Event
from tests.factories import access, gates, identity, relaying, residents, visits
from tests.factories.relaying import data_of, deliver, deliver_again, told
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


def people(scene: Scene) -> list[UUID]:
    return [who.account_id for who in (scene.owner, scene.family, scene.tenant)]


async def shown(account_id: UUID, pass_id: UUID) -> int:
    """How often open screens of an account were told to read the pass."""
    return int(
        await database.fetchval(
            "SELECT count(*) FROM viewer_event WHERE account_id = $1 AND name = $2 AND subject_id = $3",
            account_id, VISIT_CHANGED, pass_id,
        )
    )  # fmt: skip


async def test_all_who_live_there_are_told_at_once_and_the_guard_sees_it(scene: Scene) -> None:
    guard = await visits.guard(scene)
    id = await visits.ask_for_pass(scene)
    await deliver()
    await deliver_again()
    for account_id in people(scene):
        assert await told(account_id) == ["visitor.requested"]
        assert await shown(account_id, id) == 2, "one for each delivery"
    assert await told(scene.neighbour.account_id) == []
    assert await told(guard) == []
    assert await shown(guard, id) == 2
    said = await data_of(scene.owner.account_id, "visitor.requested")
    assert (said["name"], said["house"], said["purpose"]) == ("王来访", "1号楼1单元101", "探访亲友")


async def test_the_guard_is_told_where_nobody_else_could_answer(scene: Scene) -> None:
    guard = await visits.guard(scene)
    await visits.ask(scene, building="2", room="201")
    await deliver()
    assert await told(guard) == ["visitor.waiting"]
    await visits.set_rules(scene.compound_id, approver="guard")
    await visits.ask(scene)
    await deliver()
    assert await told(guard) == ["visitor.waiting"] * 2
    assert await told(scene.owner.account_id) == []


async def test_what_was_decided_meanwhile_rings_nowhere(scene: Scene) -> None:
    id = await visits.ask_for_pass(scene)
    guard = scene.staff(permissions.VISITORS_ADMIT)
    await requests.decide_visitor_pass(guard, visitor_pass_id=id, approve=True)
    await deliver()
    assert await told(scene.owner.account_id) == []


async def test_screens_follow_every_change(scene: Scene) -> None:
    owner = await visits.owner(scene)
    id = await visits.ask_for_pass(scene)
    await requests.decide_visitor_pass(owner, visitor_pass_id=id, approve=True)
    await passes.revoke_visitor_pass(owner, visitor_pass_id=id)
    await deliver()
    assert [await shown(account_id, id) for account_id in people(scene)] == [3, 3, 3]
    assert await shown(scene.neighbour.account_id, id) == 0


async def test_screens_follow_a_visitor_who_leaves(scene: Scene) -> None:
    guard, gate = await visits.guard(scene), await gates.post(scene.compound_id)
    told_by_gate = partial(Told, kind=Kind.VISITOR, reason=Reason.OK, direction="out")
    for number, way in enumerate(("online", "later", "by a guard")):
        pass_id, text = await gates.text(scene.compound_id, scene.house_id, inside_since=clock.now() - HOUR)
        if way == "online":
            assert await gate.reason(text, "out") == "OK"
        elif way == "later":
            event = told_by_gate(sequence=number, id=uuid4(), shown=pass_id, at=clock.now())
            await receive(gate.device_id, [event])
        else:
            actor = await identity.actor(guard)
            await admitting.leave_visitor(actor, pass_id=pass_id, door_id=gate.door_id)
        await deliver()
        assert len(await residents.events("VisitorLeft", pass_id)) == 1, way
        assert [await shown(each, pass_id) for each in (guard, scene.owner.account_id)] == [1, 1], way
        # Who is not inside has not left.
        assert await gate.reason(text, "out") == "OK"
        assert len(await residents.events("VisitorLeft", pass_id)) == 1, way


Passage = type[VisitorAdmitted | VisitorRefused]


async def at_door(kind: Passage, scene: Scene, pass_id: UUID, door_id: UUID, note: str = "") -> None:
    result: Outcome = "opened" if kind is VisitorAdmitted else "refused"
    written = await record(
        Attempt(door_id=door_id, method="guard", result=result, pass_id=pass_id, house_id=scene.house_id, note=note)
    )  # fmt: skip
    assert written is not None
    event: Event = kind(pass_id, scene.compound_id, scene.house_id, written)
    await relaying.record(event)
    await deliver()


async def test_the_host_learns_once_that_the_visitor_came(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOON)) as time:
        door = await access.door(scene.compound_id, "南门")
        id = await visits.create(
            await visits.caller(scene, "family"), scene.house_id, uses=5, ends_at=NOON + timedelta(days=2)
        )
        for _ in range(2):
            await uses.use(id, clock.now())
            await at_door(VisitorAdmitted, scene, id, door)
        assert await told(scene.family.account_id) == ["visitor.arrived"]
        assert await told(scene.owner.account_id) == []
        assert (await data_of(scene.family.account_id, "visitor.arrived"))["door"] == "南门"
        async with database.transaction():
            await uses.leave(id)
        time.advance(timedelta(hours=3))
        await uses.use(id, clock.now())
        await at_door(VisitorAdmitted, scene, id, door)
        assert await told(scene.family.account_id) == ["visitor.arrived"] * 2


async def test_the_host_learns_why_the_visitor_was_sent_away(scene: Scene) -> None:
    door = await access.door(scene.compound_id, "南门")
    id = await visits.create(await visits.owner(scene), scene.house_id)
    await at_door(VisitorRefused, scene, id, door, "证件\n不符")
    assert (await data_of(scene.owner.account_id, "visitor.refused"))["reason"] == "证件 不符"
    by_guard = await access.visitor_pass(scene.compound_id, scene.house_id)
    await at_door(VisitorRefused, scene, by_guard, door)
    assert await told(scene.owner.account_id) == ["visitor.refused"]


@pytest.mark.parametrize(
    "changes",
    [
        {"longest_window_h": 0}, {"longest_window_h": 8761}, {"most_uses": 1000}, {"most_uses": None},
        {"daily_passes_per_house": 0}, {"visitor_cars": -1}, {"daily_openings": 0}, {"approver": "anybody"},
        {"approver": None}, {"counts_offline": None}, {"records_kept_days": 29}, {"vehicle_records_kept_days": 179},
    ],
)  # fmt: skip
async def test_rules_have_bounds(scene: Scene, changes: settings.RuleChanges) -> None:
    actor, before = scene.staff(permissions.RULES_WRITE), await visits.fingerprint()
    with pytest.raises(Invalid, match="ACCESS_RULE_RANGE"):
        await settings.set_access_rules(actor, compound_id=scene.compound_id, changes=changes)
    assert (await visits.fingerprint())[3:] == before[3:]
