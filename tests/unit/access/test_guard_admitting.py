"""A guard lets visitors in, sends them away and sees them off: once, on record, and as the pass says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.access.community import rules_of
from domains.access.models import AccessRules, VisitorPassDoor
from domains.access.service import admitting, passes
from domains.kernel import clock
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from schema import catalogue
from tests.factories import access, guards, residents
from tests.factories.guards import Post, left_behind, recorded, visit

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def post() -> Post:
    return await guards.post()


async def test_a_visitor_comes_in(post: Post) -> None:
    pass_id = await post.visitor()
    made = await post.admit(pass_id, document_checked=True, companions=2)
    [row] = await recorded(pass_id)
    told = (
        row["id"],
        row["door_id"],
        row["house_id"],
        row["who"],
        row["direction"],
        row["method"],
        row["result"],
    )
    assert told == (made.record_id, post.door_id, post.scene.house_id, "王来访", "in", "guard", "opened")
    assert (row["guard_id"], row["note"], row["is_vehicle"]) == (post.guard.id, "已核对证件,同行 2 人", False)
    now = await visit(pass_id)
    assert (now.state, now.uses, now.document_checked_by) == ("used_up", 1, post.guard.id)
    assert now.inside_since
    assert now.document_checked_at
    [event] = await residents.events("VisitorAdmitted", pass_id)
    assert str(made.record_id) in event["payload"]
    [audited] = await residents.audited("visitor.admit", post.scene.compound_id)
    assert (audited["outcome"], audited["subject_id"], audited["actor_id"]) == (
        "done",
        pass_id,
        post.guard.id,
    )


async def test_the_same_admission_twice_is_one(post: Post) -> None:
    pass_id, key = await post.visitor(uses_allowed=5), uuid4()
    first, second = [await post.admit(pass_id, idempotency_key=key) for _ in range(2)]
    assert first == second
    assert (await visit(pass_id)).uses == len(await recorded(pass_id)) == 1
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        await post.admit(pass_id, idempotency_key=key, companions=1)


async def test_of_guards_at_once_exactly_one_admits(post: Post) -> None:
    pass_id = await post.visitor()
    ends = await asyncio.gather(*(post.admit(pass_id) for _ in range(20)), return_exceptions=True)
    lost = [str(end) for end in ends if isinstance(end, BaseException)]
    assert lost == ["VISITOR_USED_UP"] * 19
    rows = [(row["result"], row["reason"]) for row in await recorded(pass_id)]
    assert sorted(rows) == [("opened", ""), *[("refused", "USED_UP")] * 19]
    assert (await visit(pass_id)).uses == len(await residents.events("VisitorAdmitted", pass_id)) == 1


async def test_admitting_and_revoking_at_once_end_in_one_order_or_the_other(post: Post) -> None:
    host = await residents.resident(post.scene.owner.account_id)
    for _ in range(10):
        pass_id = await post.visitor()
        admitted, revoked = await asyncio.gather(
            post.admit(pass_id),
            passes.revoke_visitor_pass(host, visitor_pass_id=pass_id),
            return_exceptions=True,
        )
        assert revoked == pass_id
        [row] = await recorded(pass_id)
        now = await visit(pass_id)
        assert now.state == "revoked"
        if isinstance(admitted, BaseException):
            assert (str(admitted), row["reason"], now.uses) == ("VISITOR_REVOKED", "REVOKED", 0)
        else:
            assert (row["result"], now.uses) == ("opened", 1)


LATER = timedelta(hours=3)
STANDING: dict[str, dict[str, Any]] = {  # Any: columns
    "NOT_APPROVED": {"state": "requested", "decided_at": None},
    "REJECTED": {"state": "rejected", "ended_at": "now"},
    "REVOKED": {"state": "revoked", "ended_at": "now"},
    "EXPIRED": {"state": "expired", "ended_at": "now"},
    "USED_UP": {"state": "used_up", "ended_at": "now", "uses": 1},
    "NOT_YET": {"starts_at": LATER, "ends_at": 2 * LATER},
}


@pytest.mark.parametrize("reason", STANDING)
async def test_a_pass_that_does_not_count_is_refused_on_record(post: Post, reason: str) -> None:
    now = clock.now()
    columns: dict[str, Any] = {  # Any: columns
        name: now + value if isinstance(value, timedelta) else now if value == "now" else value
        for name, value in STANDING[reason].items()
    }
    pass_id = await post.visitor(**columns)
    before = await visit(pass_id)
    with pytest.raises(Conflict, match=f"^VISITOR_{reason}$"):
        await post.admit(pass_id, document_checked=True)
    [row] = await recorded(pass_id)
    assert (row["result"], row["reason"], row["guard_id"]) == ("refused", reason, post.guard.id)
    after = await visit(pass_id)
    assert (after.state, after.uses, after.inside_since, after.document_checked_at) == (
        before.state, before.uses, None, None,
    )  # fmt: skip
    assert not await residents.events("VisitorAdmitted", pass_id)


async def test_a_pass_is_over_when_its_time_is(post: Post) -> None:
    now = clock.now()
    pass_id = await post.visitor(starts_at=now - LATER, ends_at=now - timedelta(seconds=50))
    await post.admit(pass_id)
    late = await post.visitor(starts_at=now - LATER, ends_at=now - timedelta(seconds=70))
    with pytest.raises(Conflict, match="VISITOR_EXPIRED"):
        await post.admit(late)


def test_every_refusal_has_its_texts() -> None:
    for reason in [*STANDING, "OTHER_GATE", "CAR_REFUSED"]:
        refused = admitting.refusal(reason)
        assert refused.code in catalogue.texts()
        assert refused.message


async def test_a_pass_counts_at_the_doors_on_its_way(post: Post) -> None:
    scene = post.scene
    narrowed, elsewhere = await post.visitor(), await post.visitor()
    north = await access.door(scene.compound_id, "北门")
    await VisitorPassDoor.create(visitor_pass_id=narrowed, door_id=north)
    far = await access.door(scene.compound_id, "2号楼", scene.other_building_id)
    private = await access.door(scene.compound_id, "车库", is_for_visitors=False)
    for pass_id, door_id in ((narrowed, post.door_id), (elsewhere, far), (elsewhere, private)):
        with pytest.raises(Conflict, match="VISITOR_OTHER_GATE"):
            await post.admit(pass_id, door_id=door_id)
    await post.admit(narrowed, door_id=north)
    assert (await visit(elsewhere)).uses == 0


async def test_one_use_opens_the_gate_and_then_the_house(post: Post) -> None:
    pass_id = await post.visitor()
    inner = await access.door(post.scene.compound_id, "1号楼", post.scene.building_id)
    await post.admit(pass_id)
    await post.admit(pass_id, door_id=inner)
    assert (await visit(pass_id)).uses == 1
    assert [row["result"] for row in await recorded(pass_id)] == ["opened", "opened"]
    assert len(await residents.events("VisitorAdmitted", pass_id)) == 1
    with pytest.raises(Conflict, match="VISITOR_USED_UP"):
        await post.admit(pass_id, door_id=inner)


async def test_what_is_not_of_the_compound_is_not_there(post: Post) -> None:
    other = await guards.post()
    foreign, own = await other.visitor(), await post.visitor()
    gone = await access.door(post.scene.compound_id, removed_at=clock.now())
    before = await left_behind()
    for pass_id, door_id, code in (
        (foreign, post.door_id, "VISITOR_PASS_NOT_FOUND"), (uuid4(), post.door_id, "VISITOR_PASS_NOT_FOUND"),
        (own, other.door_id, "DOOR_NOT_FOUND"), (own, gone, "DOOR_NOT_FOUND"), (own, uuid4(), "DOOR_NOT_FOUND"),
    ):  # fmt: skip
        with pytest.raises(NotFound, match=code):
            await post.admit(pass_id, door_id=door_id)
        with pytest.raises(NotFound, match=code):
            await admitting.leave_visitor(post.guard, pass_id=pass_id, door_id=door_id)
        with pytest.raises(NotFound, match=code):
            await admitting.refuse_visitor(
                post.guard, pass_id=pass_id, door_id=door_id, reason="证件不符", idempotency_key=uuid4()
            )
    assert await left_behind() == before


@pytest.mark.parametrize(("plate", "companions"), [("浙A1", None), ("x" * 100, None), ("", -1), ("", 51)])
async def test_nonsense_is_refused(post: Post, plate: str, companions: int | None) -> None:
    pass_id = await post.visitor()
    before = await left_behind()
    with pytest.raises(Invalid):
        await post.admit(pass_id, plate=plate, companions=companions)
    assert await left_behind() == before


async def limit_cars(compound_id: UUID, most: int) -> None:
    await rules_of(compound_id)
    await AccessRules.filter(compound_id=compound_id).update(visitor_cars=most)


async def test_a_car_that_was_refused_stays_outside_while_its_driver_walks_in(post: Post) -> None:
    await limit_cars(post.scene.compound_id, 1)
    await post.visitor(plate="浙A00001")
    pass_id = await post.visitor(plate="浙A12345", is_car_refused=True)
    with pytest.raises(Conflict, match="VISITOR_CAR_REFUSED"):
        await post.admit(pass_id, plate="浙A·12345")
    await post.admit(pass_id)
    rows = [
        (row["result"], row["reason"], row["plate"], row["is_vehicle"]) for row in await recorded(pass_id)
    ]
    assert rows == [("refused", "CAR_REFUSED", "浙A12345", True), ("opened", "", "", False)]


async def test_a_car_has_its_place_or_finds_one(post: Post) -> None:
    await limit_cars(post.scene.compound_id, 1)
    booked = await post.visitor(plate="浙A12345")
    await post.admit(booked, plate="浙A12345")
    walker = await post.visitor()
    with pytest.raises(Conflict, match="VISITOR_CAR_REFUSED"):
        await post.admit(walker, plate="浙A54321")
    await admitting.leave_visitor(post.guard, pass_id=booked, door_id=post.door_id)
    await post.admit(walker, plate="浙A54321")
    assert (await visit(walker)).plate == "浙A54321"


async def test_a_visitor_is_sent_away_and_the_pass_counts_as_before(post: Post) -> None:
    pass_id, key = await post.visitor(), uuid4()
    for _ in range(2):
        made = await admitting.refuse_visitor(
            post.guard, pass_id=pass_id, door_id=post.door_id, reason=" 证件不符 ", idempotency_key=key
        )
    [row] = await recorded(pass_id)
    told = row["id"], row["result"], row["reason"], row["note"], row["guard_id"]
    assert told == (made.record_id, "refused", "GUARD_REFUSED", "证件不符", post.guard.id)
    assert len(await residents.events("VisitorRefused", pass_id)) == 1
    assert (await visit(pass_id)).state == "active"
    for reason in ("", "  ", "长" * 201, "a\u202eb"):
        with pytest.raises(Invalid):
            await admitting.refuse_visitor(
                post.guard, pass_id=pass_id, door_id=post.door_id, reason=reason, idempotency_key=uuid4()
            )
    assert len(await recorded(pass_id)) == 1


async def test_a_visitor_leaves_once(post: Post) -> None:
    pass_id = await post.visitor()
    with pytest.raises(Conflict, match="VISITOR_NOT_INSIDE"):
        await admitting.leave_visitor(post.guard, pass_id=pass_id, door_id=post.door_id)
    await post.admit(pass_id)
    leave = (admitting.leave_visitor(post.guard, pass_id=pass_id, door_id=post.door_id) for _ in range(5))
    ends = await asyncio.gather(*leave, return_exceptions=True)
    assert sum(isinstance(end, Conflict) for end in ends) == 4
    assert (await visit(pass_id)).inside_since is None
    assert [row["direction"] for row in await recorded(pass_id)] == ["in", "out"]
    assert len(await residents.events("VisitorLeft", pass_id)) == 1


async def test_a_guard_of_another_building_decides_nothing(post: Post) -> None:
    pass_id, scene = await post.visitor(), post.scene
    elsewhere = residents.staff(
        *guards.ACCESS, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    before = await left_behind()
    with pytest.raises(Forbidden):
        await post.admit(pass_id, elsewhere)
    assert await left_behind() == before
    [row] = await residents.audited("visitor.admit", scene.compound_id)
    assert row["outcome"] == "refused"
