"""Somebody comes without a pass: registered, admitted and on record in one go, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from domains.access.community import rules_of
from domains.access.models import AccessRules, VisitorPass
from domains.access.service import admitting
from domains.access.service.admitting import Admission
from domains.access.service.issuing import Guest
from domains.kernel.actor import Actor
from domains.kernel.documents import Kind
from domains.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.factories import access, guards, relaying, residents
from tests.factories.guards import Post, left_behind, recorded, visit

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def post() -> Post:
    return await guards.post()


async def walk_in(post: Post, guard: Actor | None = None, **more: Any) -> Admission:  # Any: arguments
    said: dict[str, Any] = {  # Any: arguments
        "compound_id": post.scene.compound_id, "door_id": post.door_id, "guest": Guest(name="孙快递"),
        "house_id": post.scene.house_id, "idempotency_key": uuid4(),
    }  # fmt: skip
    return await admitting.register_walk_in(guard or post.guard, **said | more)


async def test_somebody_without_a_pass_comes_in(post: Post) -> None:
    guest = Guest(name="孙快递", phone="138 0000 0001", purpose="delivery", companions=1)
    made = await walk_in(post, guest=guest, document_kind=Kind.RESIDENT_ID)
    now = await visit(made.pass_id)
    assert (now.origin, now.state, now.uses, now.uses_allowed, now.guest_name) == (
        "guard", "used_up", 1, 1, "孙快递",
    )  # fmt: skip
    assert (now.decided_by, now.document_checked_by) == (post.guard.id, post.guard.id)
    assert now.ends_at - now.starts_at == admitting.WALK_IN
    assert now.inside_since
    [row] = await recorded(made.pass_id)
    told = row["id"], row["house_id"], row["who"], row["result"], row["method"], row["note"]
    assert told == (
        made.record_id, post.scene.house_id, "孙快递", "opened", "guard", "已核对居民身份证,同行 1 人",
    )  # fmt: skip
    for name in ("VisitorPassIssued", "VisitorAdmitted"):
        assert len(await residents.events(name, made.pass_id)) == 1


async def test_the_house_is_told_of_whom_a_guard_has_let_in(post: Post) -> None:
    await walk_in(post)
    await relaying.deliver()
    for who, kinds in (
        (post.scene.owner, ["visitor.arrived"]), (post.scene.tenant, ["visitor.arrived"]), (post.scene.neighbour, []),
    ):  # fmt: skip
        assert await relaying.told(who.account_id) == kinds


async def test_the_same_walk_in_twice_is_one(post: Post) -> None:
    key = uuid4()
    ends = await asyncio.gather(*(walk_in(post, idempotency_key=key) for _ in range(5)))
    assert len({end.pass_id for end in ends}) == 1
    assert await VisitorPass.filter(compound_id=post.scene.compound_id).count() == 1
    assert len(await recorded(ends[0].pass_id)) == 1


@pytest.mark.parametrize("place", ["1-1-101", "1号楼1单元101", "１栋1单元101室"])
async def test_the_house_is_found_as_people_say_it(post: Post, place: str) -> None:
    made = await walk_in(post, house_id=None, place=place)
    assert (await VisitorPass.get(pk=made.pass_id).values("house_id"))["house_id"] == post.scene.house_id


async def test_what_cannot_be_leaves_nothing_behind(post: Post) -> None:
    other = await guards.post()
    far = await access.door(post.scene.compound_id, "2号楼", post.scene.other_building_id)
    before = await left_behind()
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [  # Any: arguments
        (NotFound, {"house_id": other.scene.house_id}), (NotFound, {"house_id": None, "place": "9-9-999"}),
        (Invalid, {"house_id": None, "place": ""}), (Invalid, {"house_id": None, "place": "1" * 31}),
        (NotFound, {"door_id": other.door_id}), (Conflict, {"door_id": far}),
        (Invalid, {"guest": Guest(name="")}), (Invalid, {"guest": Guest(name="=cmd()")}),
        (Invalid, {"guest": Guest(name="孙快递", phone="12345")}), (Invalid, {"guest": Guest(name="孙快递", plate="A")}),
        (Invalid, {"guest": Guest(name="孙快递", companions=51)}), (Invalid, {"guest": Guest(name="孙快递", purpose="x")}),
    ]  # fmt: skip
    for kind, more in wrong:
        with pytest.raises(kind):
            await walk_in(post, **more)
        assert await left_behind() == before, more


async def test_a_full_car_park_takes_the_person_only(post: Post) -> None:
    await rules_of(post.scene.compound_id)
    await AccessRules.filter(compound_id=post.scene.compound_id).update(visitor_cars=1)
    by_car = [Guest(name="孙快递", plate=plate) for plate in ("浙A11111", "浙A22222", "浙A33333")]
    ends = await asyncio.gather(*(walk_in(post, guest=guest) for guest in by_car), return_exceptions=True)
    assert sorted(str(end) for end in ends if isinstance(end, Conflict)) == ["VISITOR_CAR_REFUSED"] * 2
    assert await VisitorPass.filter(compound_id=post.scene.compound_id).count() == 1
    [made] = [end for end in ends if isinstance(end, Admission)]
    [row] = await recorded(made.pass_id)
    assert row["is_vehicle"]
    await walk_in(post)


async def test_a_guard_of_another_building_registers_nobody(post: Post) -> None:
    scene = post.scene
    elsewhere = residents.staff(
        *guards.ACCESS, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    before = await left_behind()
    with pytest.raises(Forbidden):
        await walk_in(post, elsewhere)
    assert await left_behind() == before
