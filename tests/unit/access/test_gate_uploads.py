"""What a gate tells after it was without a network: written once, counted once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.access.gate.reasons import Kind, Reason
from domains.access.models import ResidentCode, VisitorPass
from domains.access.service.uploads import Received, Told, receive
from domains.kernel import clock, database
from tests.factories import access, gates, residents
from tests.factories.gates import Post, records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


def told(
    sequence: int, shown: UUID | None, reason: Reason = Reason.OK, kind: Kind | None = Kind.VISITOR
) -> Told:
    """An event of an hour ago."""
    return Told(sequence, uuid4(), kind if shown else None, shown, clock.now() - timedelta(hours=1), reason)


async def send(gate: Post, events: Sequence[Told]) -> Received:
    return await receive(gate.device_id, events)


async def test_uses_are_counted_once_however_often_they_are_told(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=3)
    events = [told(1, pass_id), told(2, pass_id, Reason.USED_UP), told(3, None, Reason.NOT_A_PASS)]
    assert await send(gate, events) == Received(3, 0, [])
    assert await send(gate, events) == Received(3, 3, [])
    assert await send(gate, [*events, told(4, pass_id)]) == Received(4, 3, [])
    assert await records(gate.door_id) == [
        ("opened", ""), ("refused", "USED_UP"), ("refused", "NOT_A_PASS"), ("opened", ""),
    ]  # fmt: skip
    now = await visit(pass_id)
    assert (now.uses, now.state) == (2, "active")
    assert len(await residents.events("VisitorAdmitted", pass_id)) == 2


async def test_the_same_part_many_times_at_once(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=None)
    events = [told(n, pass_id) for n in range(1, 11)]
    got = await asyncio.gather(*(send(gate, events) for _ in range(8)))
    assert sorted(each.repeated for each in got) == [0, *[10] * 7]
    assert (await visit(pass_id)).uses == 10
    assert len(await records(gate.door_id)) == 10


async def test_two_gates_that_counted_for_themselves_overuse_a_pass_and_the_host_can_know(
    scene: Scene,
) -> None:
    posts = [await gates.post(scene.compound_id, f"门{n}") for n in range(2)]
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    await asyncio.gather(*(send(each, [told(1, pass_id)]) for each in posts))
    now = await visit(pass_id)
    assert (now.uses, now.state) == (2, "used_up")
    tried = [each for post in posts for each in await records(post.door_id)]
    assert sorted(tried) == [("opened", ""), ("opened", "OVERUSED")]
    [event] = await residents.events("PassOverused", pass_id)
    assert '"uses": 2' in str(event["payload"])


async def test_a_pass_that_is_over_by_now_stays_so(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    await VisitorPass.filter(pk=pass_id).update(state="revoked", ended_at=clock.now())
    await send(gate, [told(1, pass_id)])
    now = await visit(pass_id)
    assert (now.uses, now.state) == (1, "revoked")


async def test_whom_the_server_does_not_know_is_on_record(scene: Scene) -> None:
    gate, abroad = await gates.post(scene.compound_id), await gates.post(scene.other_compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    await send(gate, [told(1, uuid4()), told(2, uuid4(), kind=Kind.RESIDENT)])
    await send(abroad, [told(1, pass_id)])
    assert await records(gate.door_id) == [("opened", "UNKNOWN_PASS"), ("opened", "CODE_UNKNOWN")]
    assert await records(abroad.door_id) == [("opened", "UNKNOWN_PASS")]
    assert (await visit(pass_id)).uses == 0


async def test_a_resident_s_code_is_named_and_counts_once_with_the_scan(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.family, scene.house_id)
    id = (await ResidentCode.all().order_by("-issued_at").first().values("id"))["id"]
    await gate.scan(code)
    got = await send(gate, [told(1, id, kind=Kind.RESIDENT)])
    assert got.repeated == 1
    other = await gates.post(scene.compound_id, "北门")
    await send(other, [told(1, id, kind=Kind.RESIDENT)])
    assert await other.reason(code) == "CODE_USED"
    row = await database.fetchrow(
        "SELECT who, house_id, person_id FROM access_record WHERE door_id = $1", other.door_id
    )
    assert row is not None
    assert tuple(row) == ("张小妹", scene.house_id, scene.family.person_id)


async def test_gaps_are_told_and_a_queue_that_began_again_is_none(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    first = [told(n, None, Reason.NOT_A_PASS) for n in (3, 4, 9)]
    assert (await send(gate, first)).gaps == [(5, 8)]
    assert (await send(gate, [told(12, None, Reason.MALFORMED)])).gaps == [(10, 11)]
    assert await send(gate, [told(1, None, Reason.MALFORMED)]) == Received(1, 0, [])
    assert (await send(gate, [told(13, None, Reason.MALFORMED)])).gaps == []
    assert len(await records(gate.door_id)) == 6


@pytest.mark.parametrize(
    ("off", "is_believed"),
    [
        (timedelta(hours=-20), True), (timedelta(days=-29), True), (timedelta(minutes=4), True),
        (timedelta(days=-31), False), (timedelta(minutes=6), False), (timedelta(days=400), False),
    ],
)  # fmt: skip
async def test_the_device_s_time_is_kept_beside_ours(scene: Scene, off: timedelta, is_believed: bool) -> None:
    gate, now = await gates.post(scene.compound_id), clock.now()
    with clock.use(clock.FixedClock(now)):
        await send(gate, [replace(told(1, None, Reason.NOT_A_PASS), at=now + off)])
    row = await database.fetchrow(
        "SELECT at, device_at, received_at FROM access_record WHERE door_id = $1", gate.door_id
    )
    assert row is not None
    assert tuple(row) == (now + off if is_believed else now, now + off, now)


async def test_an_entry_that_was_counted_online_covers_the_inner_door_offline(scene: Scene) -> None:
    gate, inner = (
        await gates.post(scene.compound_id),
        await gates.post(scene.compound_id, "大堂", scene.building_id),
    )
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    await gate.scan(text)
    later: datetime = clock.now() + timedelta(seconds=1)
    await send(inner, [replace(told(1, pass_id), at=later), replace(told(2, pass_id), at=later)])
    assert await records(inner.door_id) == [("opened", ""), ("opened", "OVERUSED")]
    assert (await visit(pass_id)).uses == 2


async def test_leaving_ends_being_inside(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    await send(gate, [told(1, pass_id)])
    assert (await visit(pass_id)).inside_since
    await send(gate, [replace(told(2, pass_id), direction="out")])
    now = await visit(pass_id)
    assert (now.inside_since, now.uses) == (None, 1)


async def test_five_hundred_events_cost_as_many_statements_as_one(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    passes = [
        await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=200) for _ in range(5)
    ]
    events, costs = [told(n, passes[n % 5]) for n in range(1, 503)], []
    for part in (events[:1], events[1:2], events[2:]):
        async with database.counted() as spent:
            await send(gate, part)
        costs.append(spent.count)
    # The first of a compound makes its rules.
    assert costs[1:] == [12, 12]
    assert len(await records(gate.door_id)) == 502
