"""Who may see and do what at a gate and with its records: every operation as every kind of caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.queries import guard, records, statistics
from domains.access.queries.records import RecordFilter
from domains.access.service import admitting, exporting, looking
from domains.access.service.issuing import Guest
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from tests.factories import guards, residents
from tests.factories.guards import Post, left_behind
from tests.factories.residents import CALLERS

pytestmark = pytest.mark.usefixtures("instance")

Act = Callable[[Actor, Post, UUID], Awaitable[object]]
STAFF = {"staff"}
ANY_BUILDING = {"staff", "staff of another building"}


async def leave(actor: Actor, post: Post, pass_id: UUID) -> None:
    await admitting.leave_visitor(actor, pass_id=pass_id, door_id=post.door_id)


OPERATIONS: dict[str, tuple[str, Act, set[str]]] = {
    "admit": (permissions.VISITORS_ADMIT, lambda actor, post, id: post.admit(id, actor), STAFF),
    "refuse": (
        permissions.VISITORS_ADMIT,
        lambda actor, post, id: admitting.refuse_visitor(
            actor, pass_id=id, door_id=post.door_id, reason="证件不符", idempotency_key=uuid4()
        ),
        STAFF,
    ),
    "leave": (permissions.VISITORS_ADMIT, leave, STAFF),
    "register a walk-in": (
        permissions.VISITORS_ADMIT,
        lambda actor, post, _: admitting.register_walk_in(
            actor, compound_id=post.scene.compound_id, door_id=post.door_id, guest=Guest(name="孙快递"),
            house_id=post.scene.house_id, idempotency_key=uuid4(),
        ),
        STAFF,
    ),
    "look at a code": (
        permissions.VISITORS_ADMIT,
        lambda actor, post, _: looking.look(
            actor, compound_id=post.scene.compound_id, door_id=post.door_id, shown="123456"
        ),
        ANY_BUILDING,
    ),
    "see the desk": (
        permissions.VISITORS_READ, lambda actor, post, _: guard.guard_desk(actor, post.scene.compound_id), ANY_BUILDING
    ),
    "search": (
        permissions.VISITORS_READ,
        lambda actor, post, _: guard.guard_search(actor, post.scene.compound_id, "王"), ANY_BUILDING,
    ),
    "list records": (
        permissions.RECORDS_READ,
        lambda actor, post, _: records.access_records(
            actor, post.scene.compound_id, RecordFilter(), after=None, limit=10
        ),
        ANY_BUILDING,
    ),
    "count": (
        permissions.RECORDS_READ,
        lambda actor, post, _: statistics.access_statistics(
            actor, post.scene.compound_id, from_on=clock.today(), until_on=clock.today()
        ),
        ANY_BUILDING,
    ),
    "export": (
        permissions.RECORDS_READ,
        lambda actor, post, _: exporting.export_access_records(
            actor, compound_id=post.scene.compound_id, narrowed=RecordFilter(), form="csv"
        ),
        ANY_BUILDING,
    ),
}  # fmt: skip


async def caller(post: Post, who: str, permission: str) -> Actor:
    """One of CALLERS: staff hold the permission, or all of access but that."""
    scene = post.scene
    if who == "staff":
        return await guards.guard(scene, permission)
    if who == "staff without":
        return scene.staff(*(each for each in guards.ACCESS if each != permission))
    if who == "staff elsewhere":
        return residents.staff(*guards.ACCESS, compound_id=scene.other_compound_id)
    if who == "staff of another building":
        return residents.staff(permission, compound_id=scene.compound_id, building_id=scene.other_building_id)
    return await residents.caller(scene, who)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_matrix(operation: str, who: str) -> None:
    permission, act, allowed = OPERATIONS[operation]
    post = await guards.post()
    pass_id = await post.visitor(inside_since=clock.now())
    actor = await caller(post, who, permission)
    if (operation, who) == ("export", "staff of another building"):
        actor = await guards.guard(post.scene, permission)  # whoever exports has an account
    before = await left_behind()
    if who in allowed:
        await act(actor, post, pass_id)
        return
    with pytest.raises((Forbidden, Unauthenticated, NotFound)) as refused:
        await act(actor, post, pass_id)
    assert isinstance(refused.value, Unauthenticated) == (who == "nobody")
    assert await left_behind() == before


async def test_staff_of_a_building_see_its_visitors_only() -> None:
    post = await guards.post()
    scene = post.scene
    await post.visitor()
    for building_id, shown in ((scene.building_id, 1), (scene.other_building_id, 0)):
        narrow = residents.staff(*guards.ACCESS, compound_id=scene.compound_id, building_id=building_id)
        desk = await guard.guard_desk(narrow, scene.compound_id)
        assert (len(desk.expected), desk.counts.expected) == (shown, shown)
        assert len(await guard.guard_search(narrow, scene.compound_id, "王来访")) == shown
