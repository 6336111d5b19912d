"""A resident's own passes: what is made, what is refused, the limits under races, and taking back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.access import sealed
from domains.access.models import Revocation, VisitorPass, VisitorPassDoor
from domains.access.queries import passes as queries
from domains.access.rules import TOLERANCE
from domains.access.service import ending, passes, uses
from domains.access.service.issuing import Guest
from domains.kernel import clock, database, sealing
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domains.residents.service.occupancy import end_occupancy
from tests.factories import access, estate, residents, visits
from tests.factories.relaying import deliver
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def code_of(awaited: object) -> str:
    with pytest.raises(DomainError) as refused:
        await awaited  # type: ignore[misc]  # whatever is awaited
    return refused.value.code


@pytest.mark.parametrize("who", ["owner", "family", "tenant"])
async def test_whoever_lives_there_invites(scene: Scene, who: str) -> None:
    actor = await visits.caller(scene, who)
    guest = Guest(name="王来访", phone="138 1234 5678", plate="浙a·12345", companions=2, message="到了打电话")
    id = await visits.create(actor, scene.house_id, guest, uses=3)
    made = await VisitorPass.get(pk=id)
    assert (made.state, made.origin, made.uses_allowed, made.plate) == ("active", "host", 3, "浙A12345")
    assert sealing.unseal_optional(made.phone_sealed, sealed.PHONE) == "13812345678"
    assert made.ends_at - made.starts_at == timedelta(hours=2)
    [event] = await residents.events("VisitorPassIssued", id)
    assert str(scene.house_id) in str(event)
    row = (await queries.by_id(actor, [id]))[id]
    assert row.is_mine
    assert row.phone == "138****5678"
    assert row.link is not None
    assert sealed.link_hash(row.link) == bytes(made.link_hash)


async def test_the_same_key_makes_one_pass(scene: Scene) -> None:
    actor, key = await visits.owner(scene), uuid4()
    ids = {await visits.create(actor, scene.house_id, idempotency_key=key) for _ in range(3)}
    assert len(ids) == 1
    other = visits.create(actor, scene.house_id, Guest(name="李来访"), idempotency_key=key)
    assert await code_of(other) == "IDEMPOTENCY_CONFLICT"
    kept = await database.fetchval("SELECT answer::text FROM idempotency_record WHERE key = $1", key)
    assert kept == f'"{ids.pop()}"', "no secret of a link stands beside the key"


@pytest.mark.parametrize(
    ("guest", "more", "code"),
    [
        (Guest(name="王"), {}, "NAME_LENGTH"),
        (Guest(name="=1+1"), {}, "NAME_CHARACTER"),
        (Guest(name="王来访", phone="12345"), {}, "PHONE_INVALID"),
        (Guest(name="王来访", plate="不是车牌"), {}, "PLATE_INVALID"),
        (Guest(name="王来访", companions=51), {}, "VISIT_COMPANIONS_RANGE"),
        (Guest(name="王来访", companions=-1), {}, "VISIT_COMPANIONS_RANGE"),
        (Guest(name="王来访", purpose="party"), {}, "INVALID"),
        (Guest(name="王来访", message="字" * 201), {}, "TEXT_TOO_LONG"),
        (Guest(name="王来访", message="\u202e反"), {}, "TEXT_INVISIBLE_CHARACTER"),
        (visits.GUEST, {"uses": 0}, "VISIT_USES_RANGE"),
        (visits.GUEST, {"uses": 21}, "VISIT_USES_RANGE"),
        (visits.GUEST, {"door_ids": [uuid4()]}, "DOOR_NOT_ON_WAY"),
        (visits.GUEST, {"door_ids": [uuid4() for _ in range(17)]}, "VISIT_DOORS_TOO_MANY"),
        (visits.GUEST, {"offline_door_id": uuid4()}, "DOOR_NOT_ON_WAY"),
        (Guest(name="王来访"), {"phone_of_id": uuid4()}, "VISITOR_PASS_NOT_FOUND"),
    ],
)
async def test_bad_input_makes_nothing(
    scene: Scene, guest: Guest, more: dict[str, object], code: str
) -> None:
    actor, before = await visits.owner(scene), await visits.fingerprint()
    assert await code_of(visits.create(actor, scene.house_id, guest, **more)) == code
    after = await visits.fingerprint()
    assert after[0] == before[0]
    assert after[4:] == before[4:]


async def test_a_pass_is_narrowed_to_doors_on_the_way(scene: Scene) -> None:
    actor = await visits.owner(scene)
    unit_id = await database.fetchval("SELECT unit_id FROM house WHERE id = $1", scene.house_id)
    gate = await access.door(scene.compound_id, "南门")
    stairs = await access.door(scene.compound_id, "单元门", scene.building_id, unit_id)
    elsewhere = await access.door(scene.compound_id, "2号楼", scene.other_building_id)
    private = await access.door(scene.compound_id, "会所", is_for_visitors=False)
    removed = await access.door(scene.compound_id, "北门", removed_at=clock.now())
    for wrong in (elsewhere, private, removed):
        assert await code_of(visits.create(actor, scene.house_id, door_ids=[wrong])) == "DOOR_NOT_ON_WAY"
    narrowed = visits.create(actor, scene.house_id, door_ids=[gate], offline_door_id=stairs)
    assert await code_of(narrowed) == "DOOR_NOT_ON_WAY"
    all_of_them = await visits.create(actor, scene.house_id)
    id = await visits.create(actor, scene.house_id, door_ids=[gate, gate], offline_door_id=gate)
    assert await VisitorPassDoor.filter(visitor_pass_id=id).count() == 1
    opened = await queries.doors_of_passes([id, all_of_them])
    assert [door.id for door in opened[id]] == [gate]
    assert [(door.name, door.place) for door in opened[all_of_them]] == [
        ("南门", ""),
        ("单元门", "1号楼1单元"),
    ]
    assert [door.id for door in await queries.doors_of_house(actor, scene.house_id)] == [gate, stairs]


async def test_the_days_limit_holds_when_all_come_at_once(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, daily_passes_per_house=3)
    people = [await visits.caller(scene, who) for who in ("owner", "family", "tenant")] * 3
    made = await asyncio.gather(
        *(visits.create(actor, scene.house_id) for actor in people), return_exceptions=True
    )
    refused = [each for each in made if isinstance(each, Conflict)]
    assert [each.code for each in refused] == ["VISITS_TOO_MANY"] * 6
    assert await VisitorPass.filter(house_id=scene.house_id).count() == 3
    await visits.create(await visits.caller(scene, "neighbour"), scene.next_door_id)


async def test_the_limit_is_of_the_day_and_revoking_gives_nothing_back(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, daily_passes_per_house=1)
    actor = await visits.owner(scene)
    with clock.use(clock.FixedClock(NOW)) as time:
        id = await visits.create(actor, scene.house_id)
        await passes.revoke_visitor_pass(actor, visitor_pass_id=id)
        assert await code_of(visits.create(actor, scene.house_id)) == "VISITS_TOO_MANY"
        time.advance(timedelta(hours=14))
        await visits.create(actor, scene.house_id)


async def test_a_full_compound_refuses_the_car_and_not_the_person(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id, visitor_cars=1)
    one, other = await visits.owner(scene), await visits.caller(scene, "neighbour")
    made = await asyncio.gather(
        visits.create(one, scene.house_id, Guest(name="王来访", plate="浙A11111")),
        visits.create(other, scene.next_door_id, Guest(name="李来访", plate="浙A22222")),
    )
    rows = await VisitorPass.filter(pk__in=made).values_list("state", "is_car_refused")
    assert sorted(rows) == [("active", False), ("active", True)]
    let_in = await VisitorPass.get(pk__in=made, is_car_refused=False)
    again = await visits.create(one, scene.house_id, Guest(name="王来访", plate=let_in.plate))
    tomorrow = await visits.create(
        one, scene.house_id, Guest(name="赵来访", plate="浙A33333"), starts_at=clock.now() + timedelta(days=1)
    )
    on_foot = await visits.create(one, scene.house_id)
    assert not await VisitorPass.filter(pk__in=[again, tomorrow, on_foot], is_car_refused=True).exists()
    # A car whose pass is used up stands there until it is seen to leave.
    await uses.use(let_in.id, clock.now())
    await passes.revoke_visitor_pass(one, visitor_pass_id=again)
    third = await visits.create(one, scene.house_id, Guest(name="孙来访", plate="浙A44444"))
    assert (await VisitorPass.get(pk=third)).is_car_refused
    async with database.transaction():
        await uses.leave(let_in.id)
    fourth = await visits.create(one, scene.house_id, Guest(name="周来访", plate="浙A55555"))
    assert not (await VisitorPass.get(pk=fourth)).is_car_refused


@pytest.mark.parametrize("old", ["requested", "active", "used_up"])
async def test_revoking_is_on_the_list_if_it_was_ever_signed(scene: Scene, old: str) -> None:
    ended = {"ended_at": clock.now()} if old == "used_up" else {}
    id = await access.visitor_pass(
        scene.compound_id, scene.house_id, scene.owner.account_id, state=old, **ended
    )
    await visits.set_rules(scene.compound_id)
    await passes.revoke_visitor_pass(await visits.owner(scene), visitor_pass_id=id, reason="不来了")
    made = await VisitorPass.get(pk=id)
    assert (made.state, made.reason, made.ended_by) == ("revoked", "不来了", scene.owner.account_id)
    lines = await Revocation.filter(pass_id=id).values_list("sequence", "expires_at")
    assert lines == ([] if old == "requested" else [(1, made.ends_at + TOLERANCE)])
    assert len(await residents.events("VisitorPassRevoked", id)) == 1
    again = passes.revoke_visitor_pass(await visits.owner(scene), visitor_pass_id=id)
    assert await code_of(again) == "STATE_CONFLICT"
    assert await Revocation.filter(pass_id=id).count() == len(lines)


async def test_lines_are_numbered_without_gaps_however_many_come_at_once(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id)
    ids = [
        await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id) for _ in range(8)
    ]
    actor = await visits.owner(scene)
    await asyncio.gather(*(passes.revoke_visitor_pass(actor, visitor_pass_id=id) for id in ids))
    lines = (
        await Revocation.filter(compound_id=scene.compound_id)
        .order_by("sequence")
        .values_list("sequence", flat=True)
    )
    assert [*lines] == [*range(1, 9)]


async def test_revoked_or_used_but_never_used_after_it(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id)
    actor = await visits.owner(scene)
    for _ in range(10):
        id = await access.visitor_pass(scene.compound_id, scene.house_id, actor.id)
        used, _ = await asyncio.gather(
            uses.use(id, clock.now()), passes.revoke_visitor_pass(actor, visitor_pass_id=id),
            return_exceptions=True,
        )  # fmt: skip
        made = await VisitorPass.get(pk=id)
        assert made.uses == (0 if used is None else 1)
        assert made.state in ("revoked", "used_up")
        assert await uses.use(id, clock.now()) is None


async def test_two_who_revoke_at_once_revoke_once(scene: Scene) -> None:
    id = await access.visitor_pass(scene.compound_id, scene.house_id, scene.family.account_id)
    await visits.set_rules(scene.compound_id)
    callers = [await visits.owner(scene), await visits.caller(scene, "family")]
    done = await asyncio.gather(
        *(passes.revoke_visitor_pass(actor, visitor_pass_id=id) for actor in callers), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in done) == 1
    assert await Revocation.filter(pass_id=id).count() == 1


async def test_what_somebody_hosts_ends_with_the_occupancy(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id)
    tenant, owner = await visits.caller(scene, "tenant"), await visits.owner(scene)
    gone = await visits.create(tenant, scene.house_id)
    stays = await visits.create(owner, scene.house_id)
    await end_occupancy(owner, occupancy_id=scene.tenant.occupancy_id, reason="退租")
    assert await code_of(visits.create(tenant, scene.house_id)) == "FORBIDDEN", (
        "in a request that began before"
    )
    await deliver()
    assert (await visits.state_of(gone), await visits.state_of(stays)) == ("revoked", "active")
    assert await Revocation.filter(pass_id=gone).count() == 1
    tenant = await visits.caller(scene, "tenant")
    assert not await queries.of_own_houses(tenant, None, states=None, after=None, limit=9)
    assert not await queries.by_id(tenant, [gone])
    with pytest.raises(Forbidden):
        await queries.of_own_houses(tenant, scene.house_id, states=None, after=None, limit=9)


async def test_who_stays_in_another_capacity_stays_host(scene: Scene) -> None:
    tenant = await visits.caller(scene, "tenant")
    id = await visits.create(tenant, scene.house_id)
    await end_occupancy(await visits.owner(scene), occupancy_id=scene.tenant.occupancy_id, reason="转为家属")
    await residents.occupancy(scene.house_id, scene.tenant.person_id, "family")
    await deliver()
    assert await visits.state_of(id) == "active"


async def test_an_occupancy_ends_before_a_pass_or_takes_it_along(scene: Scene) -> None:
    await visits.set_rules(scene.compound_id)
    owner = await visits.owner(scene)
    for number in range(5):
        leaver = await residents.occupant(scene.house_id, "family", f"家人{number}号")
        actor = await residents.resident(leaver.account_id)
        made, _ = await asyncio.gather(
            visits.create(actor, scene.house_id),
            end_occupancy(owner, occupancy_id=leaver.occupancy_id, reason="搬走"), return_exceptions=True,
        )  # fmt: skip
        await deliver()
        assert isinstance(made, Forbidden) or await visits.state_of(made) == "revoked"  # type: ignore[arg-type]  # the id
        assert not await VisitorPass.filter(host_id=leaver.account_id, state="active").exists()


async def test_time_ends_passes_and_unanswered_requests(scene: Scene) -> None:
    with clock.use(clock.FixedClock(NOW)) as time:
        short = await access.visitor_pass(scene.compound_id, scene.house_id)
        long = await access.visitor_pass(scene.compound_id, scene.house_id, ends_at=NOW + timedelta(days=2))
        asked = await access.visitor_pass(
            scene.compound_id, scene.house_id, state="requested", ends_at=NOW + timedelta(hours=9)
        )
        time.advance(timedelta(hours=2, seconds=30))
        assert await ending.expire() == 1
        assert [await visits.state_of(id) for id in (short, long, asked)] == ["active", "active", "expired"]
        time.advance(timedelta(minutes=1))
        assert await ending.expire() == 1
        assert await ending.expire() == 0
        assert [await visits.state_of(id) for id in (short, long)] == ["expired", "active"]
    assert (await VisitorPass.get(pk=short)).ended_at == NOW + timedelta(hours=2, minutes=1, seconds=30)


async def test_repeat_guests_fill_in_the_form(scene: Scene) -> None:
    actor = await visits.owner(scene)
    aunt = Guest(name="陈阿姨", phone="13911112222")
    for guest in (aunt, aunt, Guest(name="王来访", plate="浙A12345")):
        last = await visits.create(actor, scene.house_id, guest)
    await visits.create(await visits.caller(scene, "family"), scene.house_id, Guest(name="别人的客"))
    first, second = await queries.frequent_guests(actor, scene.house_id)
    assert await queries.frequent_guests(actor) == [first, second]
    assert await queries.frequent_guests(await visits.caller(scene, "neighbour")) == []
    assert (first.name, first.phone, first.visits, first.plate) == ("陈阿姨", "139****2222", 2, "")
    assert (second.name, second.phone, second.visits, second.pass_id) == ("王来访", None, 1, last)
    id = await visits.create(
        actor, scene.house_id, Guest(name="陈阿姨"), phone_of_id=UUID(str(first.pass_id))
    )
    made = await VisitorPass.get(pk=id)
    assert sealing.unseal_optional(made.phone_sealed, sealed.PHONE) == "13911112222"
    with pytest.raises(NotFound):
        family = await visits.caller(scene, "family")
        await visits.create(
            family, scene.house_id, Guest(name="陈阿姨"), phone_of_id=UUID(str(first.pass_id))
        )


async def test_one_compounds_house_is_no_other_house(scene: Scene) -> None:
    actor = await visits.owner(scene)
    far = await estate.house(scene.other_building_id, "301")
    for house in (scene.next_door_id, far, uuid4()):
        with pytest.raises(Forbidden):
            await visits.create(actor, house)
    with pytest.raises(Invalid):
        await visits.create(actor, scene.house_id, ends_at=clock.now() + timedelta(hours=73))
