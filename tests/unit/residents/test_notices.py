"""Who is told what happened between people and houses, through the outbox; who is not; and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domains.identity import contact
from domains.identity.models import Account
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.residents import jobs, permissions
from domains.residents.models import Invitation, Occupancy
from domains.residents.service import invitations, occupancy, registration, vehicles
from notifications import viewer_events
from tests.factories import identity, residents
from tests.factories.relaying import data_of, deliver, deliver_again, told
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

NOON = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
"""10:30 in Shanghai."""


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def reviewer(
    scene: Scene, *, building_id: UUID | None = None, permission: str = permissions.REVIEW
) -> UUID:
    """A staff account that may review in the compound, or in one building of it."""
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    if building_id is None:
        return await identity.staff(company, [permission], scope="compound", place_id=scene.compound_id)
    return await identity.staff(company, [permission], scope="building", place_id=building_id)


async def register(scene: Scene) -> tuple[Actor, UUID]:
    """A newcomer asks to be bound to the scene's house."""
    actor = await residents.newcomer()
    id = await registration.register_resident(
        actor, compound_code=scene.code, building="1号楼", unit="1单元", room="101", name="李新民", capacity="owner",
    )  # fmt: skip
    return actor, id


async def review(scene: Scene, id: UUID, *, approve: bool, reason: str = "") -> None:
    await registration.review_registration(
        scene.staff(permissions.REVIEW), registration_id=id, approve=approve, reason=reason
    )


async def nobody_of(scene: Scene) -> list[str]:
    """What was told to the people of the scene's houses."""
    people = (scene.owner, scene.family, scene.tenant, scene.neighbour)
    return [kind for each in people for kind in await told(each.account_id)]


async def test_a_registration_is_told_to_who_may_review_it_and_to_no_other_staff(scene: Scene) -> None:
    at_work = [await reviewer(scene), await reviewer(scene, building_id=scene.building_id)]
    others = [
        await reviewer(scene, building_id=scene.other_building_id),
        await reviewer(scene, permission=permissions.READ),
        disabled := await reviewer(scene),
    ]
    await Account.filter(pk=disabled).update(disabled_at=clock.now())
    actor, id = await register(scene)
    await deliver()
    for account in at_work:
        assert await told(account) == ["registration.submitted"]
    assert [await told(each) for each in (*others, actor.id)] == [[], [], [], []]
    assert await nobody_of(scene) == []
    assert set(await data_of(at_work[0], "registration.submitted")) == {"compound", "house"}
    subject = await database.fetchrow(
        "SELECT subject_type, subject_id, compound_id FROM notice WHERE subject_id = $1", id
    )
    assert subject is not None and tuple(subject.values()) == ("Registration", id, scene.compound_id)


async def test_registrations_are_in_the_inbox_at_once_and_in_a_browser_by_the_hour(scene: Scene) -> None:
    account = await reviewer(scene)
    await database.execute(
        "INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, "
        "created_at) VALUES ($1, $1, $1, 'e', $2, 'k', now())", account, account.bytes,
    )  # fmt: skip
    with clock.use(clock.FixedClock(NOON)):
        await register(scene)
        await register(scene)
        await deliver()
    assert await told(account) == ["registration.submitted"] * 2
    rows = await database.fetch("SELECT due_at, is_digest FROM delivery WHERE account_id = $1", account)
    assert [tuple(row.values()) for row in rows] == [(datetime(2026, 11, 21, 4, tzinfo=UTC), True)]


async def test_a_registration_that_was_taken_back_is_told_to_nobody(scene: Scene) -> None:
    account = await reviewer(scene)
    actor, id = await register(scene)
    await registration.withdraw_registration(actor, registration_id=id)
    await deliver()
    assert await told(account) == []


async def test_the_applicant_learns_of_the_review_once(scene: Scene) -> None:
    actor, id = await register(scene)
    await review(scene, id, approve=True)
    await deliver()
    await deliver_again()
    assert await told(actor.id) == ["registration.approved"]
    assert (await data_of(actor.id, "registration.approved"))["house"] == "1号楼1单元101"
    assert set(await told(scene.neighbour.account_id)) == set()


async def test_a_refusal_says_why_in_one_line(scene: Scene) -> None:
    actor, id = await register(scene)
    await review(scene, id, approve=False, reason="证件照不清楚\n请重新提交")
    await deliver()
    assert await told(actor.id) == ["registration.rejected"]
    assert (await data_of(actor.id, "registration.rejected"))["reason"] == "证件照不清楚 请重新提交"
    assert await nobody_of(scene) == []


async def invite(scene: Scene, phone: str) -> UUID:
    owner = await residents.resident(scene.owner.account_id)
    made = await invitations.invite_to_house(
        owner, house_id=scene.house_id, capacity="family", name="赵小明", phone=phone
    )
    return made.id


async def test_an_invitation_is_told_to_who_proved_the_number_without_the_code(scene: Scene) -> None:
    phone = identity.new_phone()
    invited, staff = await identity.resident(phone), await reviewer(scene)
    await Account.filter(pk=staff).update(**contact.seal(phone))
    id = await invite(scene, phone)
    await deliver()
    assert await told(invited) == ["invitation.received"]
    data = await data_of(invited, "invitation.received")
    assert (set(data), data["inviter"]) == ({"compound", "house", "inviter", "until"}, "张建国")
    assert (
        await database.fetchval("SELECT compound_id FROM notice WHERE subject_id = $1", id)
        == scene.compound_id
    )
    assert await told(staff) == []
    assert await nobody_of(scene) == []


async def test_an_invitation_of_an_unknown_number_or_one_taken_back_is_told_to_nobody(scene: Scene) -> None:
    phone = identity.new_phone()
    await invite(scene, phone)
    await deliver()
    later = await identity.resident(phone)
    id = await invite(scene, phone)
    await Invitation.filter(pk=id).update(state="withdrawn")
    await deliver()
    await deliver_again()
    assert await told(later) == []


async def accept(scene: Scene) -> tuple[UUID, UUID]:
    """Somebody takes up an invitation to the scene's house; the account and the occupancy."""
    phone = identity.new_phone()
    actor = await residents.newcomer("赵小明", phone)
    id = await invite(scene, phone)
    return actor.id, await invitations.accept_invitation(actor, invitation_id=id)


async def test_owners_learn_who_joined_and_nobody_else(scene: Scene) -> None:
    former = await residents.occupant(scene.house_id, "owner", "孙前业主")
    await Occupancy.filter(pk=former.occupancy_id).update(ended_at=clock.now(), end_reason="出售")
    other_owner = await residents.occupant(scene.house_id, "owner", "李共有")
    joined, _ = await accept(scene)
    await deliver()
    await deliver_again()
    for owner in (scene.owner, other_owner):
        assert await told(owner.account_id) == ["household.joined"]
        assert (await data_of(owner.account_id, "household.joined"))["name"] == "赵小明"
    silent = (scene.family, scene.tenant, scene.neighbour, former)
    assert [await told(each.account_id) for each in silent] == [[], [], [], []]
    assert await told(joined) == []


async def test_who_leaves_is_told_and_so_are_owners_who_did_not_end_it(scene: Scene) -> None:
    other_owner = await residents.occupant(scene.house_id, "owner", "李共有")
    owner = await residents.resident(scene.owner.account_id)
    await occupancy.end_occupancy(owner, occupancy_id=scene.tenant.occupancy_id, reason="提前退租")
    await deliver()
    await deliver_again()
    for account in (other_owner.account_id, scene.tenant.account_id):
        assert await told(account) == ["household.left"]
        assert (await data_of(account, "household.left"))["reason"] == "提前退租"
    silent = (scene.owner, scene.family, scene.neighbour)
    assert [await told(each.account_id) for each in silent] == [[], [], []]


async def test_an_owner_who_came_later_does_not_learn_who_had_left(scene: Scene) -> None:
    over = clock.today() - timedelta(days=2)
    former = await residents.occupant(scene.house_id, "tenant", "钱旧客", lease_until_on=over)
    before = clock.now() - timedelta(days=30)
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(recorded_at=before)
    new = await residents.occupant(scene.house_id, "owner", "李新业主")
    await jobs.end_leases(None)
    await deliver()
    assert await told(former.account_id) == await told(scene.owner.account_id) == ["household.left"]
    assert await told(new.account_id) == []


async def test_who_never_signed_in_cannot_be_told_but_the_owner_is(scene: Scene) -> None:
    person = await residents.person(scene.compound_id, "周无账号")
    ended = await residents.occupancy(scene.house_id, person, "tenant")
    await occupancy.end_occupancy(scene.staff(permissions.WRITE), occupancy_id=ended, reason="已搬离")
    await deliver()
    assert await told(scene.owner.account_id) == ["household.left"]


async def add_vehicle(actor: Actor, house_id: UUID, plate: str) -> UUID:
    return await vehicles.register_vehicle(actor, house_id=house_id, kind="car", plate=plate)


async def test_owners_learn_of_a_vehicle_that_others_registered(scene: Scene) -> None:
    tenant = await residents.resident(scene.tenant.account_id)
    await add_vehicle(tenant, scene.house_id, "浙A12345")
    await deliver()
    await deliver_again()
    assert await told(scene.owner.account_id) == ["vehicle.registered"]
    assert (await data_of(scene.owner.account_id, "vehicle.registered"))["plate"] == "浙A12345"
    silent = (scene.tenant, scene.family, scene.neighbour)
    assert [await told(each.account_id) for each in silent] == [[], [], []]


async def test_an_owner_is_told_of_a_vehicle_by_staff_and_not_of_the_own(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    await add_vehicle(owner, scene.house_id, "浙A12346")
    await deliver()
    assert await told(scene.owner.account_id) == []
    staff = await reviewer(scene, permission=permissions.WRITE)
    await add_vehicle(await identity.actor(staff), scene.house_id, "浙A12347")
    gone = await add_vehicle(await identity.actor(staff), scene.house_id, "浙A12348")
    await vehicles.remove_vehicle(await identity.actor(staff), vehicle_id=gone)
    await deliver()
    assert await told(scene.owner.account_id) == ["vehicle.registered"]


async def changes(account_id: UUID) -> list[UUID]:
    """The registrations of which an account's open pages were told, in order."""
    rows = await database.fetch(
        "SELECT subject_id FROM viewer_event WHERE account_id = $1 AND name = 'registration.changed' "
        "AND subject_type = 'Registration' ORDER BY at, id", account_id,
    )  # fmt: skip
    return [row["subject_id"] for row in rows]


async def test_open_pages_of_the_applicant_learn_of_every_change(scene: Scene) -> None:
    actor, first = await register(scene)
    await registration.withdraw_registration(actor, registration_id=first)
    place = await viewer_events.here()
    second = await registration.register_resident(
        actor, compound_code=scene.code, building="1号楼", unit="1单元", room="101", name="李新民", capacity="owner",
    )  # fmt: skip
    await review(scene, second, approve=False, reason="请补充证件")
    assert await changes(actor.id) == [first, first, second, second]
    since, _ = await viewer_events.since(actor.id, place)
    assert [event.subject_id for event in since if event.name == "registration.changed"] == [second, second]


async def test_a_change_that_was_refused_is_told_to_nobody(scene: Scene) -> None:
    actor, id = await register(scene)
    with pytest.raises(Exception, match="REASON_REQUIRED"):
        await review(scene, id, approve=False)
    assert await changes(actor.id) == [id]


async def test_a_closed_account_is_told_nothing(scene: Scene) -> None:
    actor, id = await register(scene)
    await review(scene, id, approve=True)
    await database.execute(
        "INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, closed_at, "
        "updated_at) VALUES ($1, 'zh', true, 0, 0, now(), now())", actor.id,
    )  # fmt: skip
    await deliver()
    assert await told(actor.id) == []
