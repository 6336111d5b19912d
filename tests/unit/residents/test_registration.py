"""Registering oneself, withdrawing, and the review."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.identity.models import Account, PlatformIdentity
from domains.identity.platforms.person import PlatformPerson
from domains.identity.service.joining import Proof, account_of
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.documents import Kind
from domains.kernel.errors import Conflict, DomainError, Forbidden, Throttled
from domains.residents import permissions, sealed
from domains.residents.models import Occupancy, Person, Registration
from domains.residents.queries import registrations as queries
from domains.residents.queries import ties
from domains.residents.service import registration as service
from tests.factories import estate, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

ID_CARD = "330106199003078219"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def register(scene: Scene, actor: Actor, **given: Any) -> UUID:  # Any: the command's arguments
    said = {
        "building": "1号楼",
        "unit": "1单元",
        "room": "101",
        "name": "李新民",
        "capacity": "owner",
    } | given
    return await service.register_resident(actor, compound_code=scene.code, **said)


async def approve(scene: Scene, registration_id: UUID) -> None:
    reviewer = scene.staff(permissions.REVIEW)
    await service.review_registration(reviewer, registration_id=registration_id, approve=True)


async def code_of(attempt: Any) -> str:  # Any: whatever the command returns
    with pytest.raises(DomainError) as refused:
        await attempt
    return refused.value.code


async def test_a_registration_waits_with_what_was_typed(scene: Scene) -> None:
    actor = await residents.newcomer()
    id = await register(scene, actor, document_number=ID_CARD, note="请尽快审核")
    row = await Registration.get(pk=id)
    assert (row.state, row.place, row.name, row.capacity) == ("pending", "1号楼 1单元 101", "李新民", "owner")
    assert bytes(row.phone_index) == sealed.phone_index(await residents.phone_of(actor))
    assert await ties(actor.id) == ()
    [event] = await residents.events("ResidentRegistered", id)
    assert str(scene.house_id) in event["payload"]
    [audit] = await residents.audited("resident.register", scene.compound_id)
    assert audit["subject_id"] == id


@pytest.mark.parametrize(
    "written",
    [
        {"building": "1", "unit": "1", "room": "101"},
        {"building": "一号楼", "unit": "一单元", "room": "101室"},
        {"building": "1栋", "unit": "", "room": "101"},
        {"building": "１＃", "unit": "", "room": "1单元101"},
        {"building": "", "unit": "", "room": "1-1-101"},
        {"building": "", "unit": "", "room": "1号楼1单元101室"},
    ],
)
async def test_a_house_is_found_however_it_is_written(scene: Scene, written: dict[str, str]) -> None:
    id = await register(scene, await residents.newcomer(), **written)
    assert (await Registration.get(pk=id).values("house_id"))["house_id"] == scene.house_id


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"room": "999"}, "HOUSE_NOT_FOUND"),
        ({"building": "", "unit": "", "room": ""}, "HOUSE_NOT_FOUND"),
        ({"building": "9号楼"}, "HOUSE_NOT_FOUND"),
        ({"building": "1' OR 1=1"}, "HOUSE_NOT_FOUND"),
        ({"room": "1" * 31}, "TEXT_TOO_LONG"),
        ({"room": "10\u20281"}, "TEXT_INVISIBLE_CHARACTER"),
        ({"name": "李"}, "NAME_LENGTH"),
        ({"name": "=cmd()"}, "NAME_CHARACTER"),
        ({"document_number": "330106199003078211"}, "DOCUMENT_CHECK_DIGIT"),
        ({"note": "长" * 201}, "TEXT_TOO_LONG"),
        ({"capacity": "tenant"}, "LEASE_REQUIRED"),
    ],
)
async def test_bad_input_leaves_nothing(scene: Scene, said: dict[str, Any], code: str) -> None:
    actor = await residents.newcomer()
    before = await residents.fingerprint()
    assert await code_of(register(scene, actor, **said)) == code
    assert await residents.fingerprint() == before


async def test_an_unknown_compound_code_is_refused(scene: Scene) -> None:
    refused = service.register_resident(
        await residents.newcomer(),
        compound_code="NOPE",
        building="1",
        unit="1",
        room="101",
        name="李新民",
        capacity="owner",
    )
    assert await code_of(refused) == "COMPOUND_CODE_UNKNOWN"


async def test_without_a_phone_nobody_registers(scene: Scene) -> None:
    actor = await residents.resident(await identity.resident())
    assert await code_of(register(scene, actor)) == "PHONE_REQUIRED"
    assert await Registration.filter(account_id=actor.id).count() == 0


async def test_a_unit_may_be_left_out_only_where_it_is_clear(scene: Scene) -> None:
    await estate.house(scene.building_id, "101", unit="2单元")
    actor = await residents.newcomer()
    assert await code_of(register(scene, actor, unit="")) == "UNIT_REQUIRED"
    await register(scene, actor, unit="2")


async def test_whoever_lives_there_need_not_register(scene: Scene) -> None:
    actor = await residents.resident(scene.family.account_id)
    assert await code_of(register(scene, actor)) == "ALREADY_RESIDENT"


async def test_of_two_at_once_one_waits(scene: Scene) -> None:
    actor = await residents.newcomer()
    answers = await asyncio.gather(*(register(scene, actor) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Conflict)} == {"REGISTRATION_PENDING"}
    assert await Registration.filter(account_id=actor.id).count() == 1


async def test_ten_a_day(scene: Scene) -> None:
    actor = await residents.newcomer()
    for _ in range(10):
        assert await code_of(register(scene, actor, room="999")) == "HOUSE_NOT_FOUND"
    with pytest.raises(Throttled) as refused:
        await register(scene, actor)
    assert refused.value.retry_after_s > 3600
    assert await Registration.filter(account_id=actor.id).count() == 0


async def test_an_account_is_not_joined_away_while_it_registers(scene: Scene) -> None:
    """Empty a moment ago, and closed with a registration that nobody would ever see."""
    actor, kept = await residents.newcomer(), scene.family.account_id
    person = PlatformPerson("wechat", "app", identity.unique("open"))
    await PlatformIdentity.create(
        account_id=kept, platform=person.platform, app_id=person.app_id, open_id=person.open_id
    )
    proof = Proof("wechat", person, await residents.phone_of(actor))
    written = asyncio.Event()

    async def registers() -> UUID:
        async with database.transaction():
            id = await register(scene, actor)
            written.set()
            await asyncio.sleep(0.3)
            return id

    async def signs_in() -> object:
        await written.wait()
        async with database.transaction():
            return await account_of(proof)

    id, refused = await asyncio.gather(registers(), signs_in(), return_exceptions=True)
    assert isinstance(refused, Conflict) and refused.code == "ACCOUNTS_NOT_JOINED"
    assert (await Account.get(pk=actor.id)).disabled_at is None
    assert [row.id for row in await queries.own(actor)] == [id]


async def test_withdrawing_frees_the_place(scene: Scene) -> None:
    actor = await residents.newcomer()
    first = await register(scene, actor)
    await service.withdraw_registration(actor, registration_id=first)
    assert await code_of(service.withdraw_registration(actor, registration_id=first)) == "STATE_CONFLICT"
    await register(scene, actor)
    stranger = await residents.newcomer()
    assert (
        await code_of(service.withdraw_registration(stranger, registration_id=first))
        == "REGISTRATION_NOT_FOUND"
    )


async def test_approval_makes_a_person_and_binds(scene: Scene) -> None:
    actor = await residents.newcomer()
    id = await register(scene, actor, document_kind=Kind.RESIDENT_ID, document_number=ID_CARD)
    await approve(scene, id)
    [tie] = await ties(actor.id)
    assert (tie.house_id, tie.capacity) == (scene.house_id, "owner")
    person = await Person.get(account_id=actor.id)
    assert (person.name, person.source, person.document_kind) == ("李新民", "registration", "resident_id")
    row = await Occupancy.get(person_id=person.id)
    assert (row.verified_by, row.since_on) == ("staff", clock.today())
    assert await residents.events("RegistrationApproved", id)
    assert await residents.events("OccupancyBegan", row.id)
    [audit] = await residents.audited("registration.review", scene.compound_id)
    assert audit["subject_id"] == id


@pytest.mark.parametrize("how", ["document", "phone", "name"])
async def test_approval_finds_the_person_of_the_register(scene: Scene, how: str) -> None:
    actor = await residents.newcomer()
    columns: dict[str, Any] = {  # Any: column values
        "document": {"document": ID_CARD},
        "phone": {"phone": await residents.phone_of(actor)},
        "name": {},
    }[how]
    known = await residents.person(scene.compound_id, "李新民", **columns)
    listed = await residents.occupancy(scene.house_id, known, "owner")
    await approve(scene, await register(scene, actor, document_number=ID_CARD))
    person = await Person.get(account_id=actor.id)
    assert person.id == known
    assert person.phone_index is not None
    assert person.document_index is not None
    assert [row.id for row in await Occupancy.filter(person_id=known)] == [listed]
    assert not await residents.events("OccupancyBegan", listed)


async def test_a_person_of_another_account_is_not_given_away(scene: Scene) -> None:
    actor = await residents.newcomer("张建国")
    known = await Person.get(pk=scene.owner.person_id)
    await Person.filter(pk=known.id).update(**sealed.document_columns(ID_CARD), document_kind="resident_id")
    id = await register(scene, actor, name="张建国", document_number=ID_CARD)
    before = await residents.fingerprint()
    reviewer = scene.staff(permissions.REVIEW)
    assert (
        await code_of(service.review_registration(reviewer, registration_id=id, approve=True))
        == "PERSON_LINKED"
    )
    assert await residents.fingerprint() == before
    [seen] = await queries.to_review(
        reviewer, scene.compound_id, state="pending", building_id=None, after=None, limit=10
    )
    assert seen.facts is not None
    assert (seen.facts.document_matches, seen.facts.name_matches, seen.facts.phone_matches) == (
        True,
        True,
        False,
    )
    assert seen.facts.linked_to_another_account
    assert seen.facts.owners == 1
    assert seen.document_number == "3301********8219"


async def test_somebody_known_in_another_capacity_is_not_doubled(scene: Scene) -> None:
    actor = await residents.newcomer()
    known = await residents.person(scene.compound_id, "李新民", phone=await residents.phone_of(actor))
    await residents.occupancy(scene.house_id, known, "owner")
    id = await register(scene, actor, capacity="family")
    attempt = service.review_registration(scene.staff(permissions.REVIEW), registration_id=id, approve=True)
    assert await code_of(attempt) == "OCCUPANCY_DIFFERS"
    assert (await Registration.get(pk=id)).state == "pending"
    assert (await Person.get(pk=known).values("account_id"))["account_id"] is None


async def test_a_tenant_whose_lease_was_over_begins_anew(scene: Scene) -> None:
    actor = await residents.newcomer()
    known = await residents.person(scene.compound_id, "李新民", phone=await residents.phone_of(actor))
    old = await residents.occupancy(
        scene.house_id, known, "tenant", lease_until_on=clock.today() - timedelta(days=3)
    )
    until = clock.today() + timedelta(days=90)
    await approve(scene, await register(scene, actor, capacity="tenant", lease_until_on=until))
    assert (await Occupancy.get(pk=old)).end_reason == "租期届满"
    [tie] = await ties(actor.id)
    assert tie.capacity == "tenant"


async def test_rejecting_needs_a_reason_which_the_resident_reads(scene: Scene) -> None:
    actor, reviewer = await residents.newcomer(), scene.staff(permissions.REVIEW)
    id = await register(scene, actor)
    empty = service.review_registration(reviewer, registration_id=id, approve=False, reason="  ")
    assert await code_of(empty) == "REASON_REQUIRED"
    await service.review_registration(reviewer, registration_id=id, approve=False, reason="请上传产权证明")
    [seen] = await queries.open_ones(actor)
    assert (seen.state, seen.reason, seen.house_id, seen.facts) == ("rejected", "请上传产权证明", None, None)
    assert await ties(actor.id) == ()
    assert await residents.events("RegistrationRejected", id)


async def test_of_two_reviewers_one_wins(scene: Scene) -> None:
    actor = await residents.newcomer()
    id = await register(scene, actor)
    reviews = [
        service.review_registration(
            scene.staff(permissions.REVIEW), registration_id=id, approve=approve, reason="重复"
        )
        for approve in (True, False, True, False)
    ]
    answers = await asyncio.gather(*reviews, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, Conflict)] == [id]
    state = (await Registration.get(pk=id)).state
    assert len(await ties(actor.id)) == (1 if state == "approved" else 0)


async def test_two_houses_approved_at_once_make_one_person(scene: Scene) -> None:
    actor = await residents.newcomer()
    ids = [await register(scene, actor, room="101"), await register(scene, actor, room="102")]
    await asyncio.gather(*(approve(scene, id) for id in ids))
    assert await Person.filter(account_id=actor.id).count() == 1
    assert {tie.house_id for tie in await ties(actor.id)} == {scene.house_id, scene.next_door_id}


async def test_a_reviewer_of_one_building_sees_and_decides_its_own(scene: Scene) -> None:
    actor = await residents.newcomer()
    here = await register(scene, actor)
    far = await register(scene, actor, building="2", unit="1", room="201")
    reviewer = residents.staff(
        permissions.REVIEW, compound_id=scene.compound_id, building_id=scene.building_id
    )
    async with database.counted() as cost:
        rows = await queries.to_review(
            reviewer, scene.compound_id, state=None, building_id=None, after=None, limit=10
        )
    assert cost.count == 2
    assert await residents.audited("registration.list", scene.compound_id)
    assert [row.id for row in rows] == [here]
    assert await queries.count_to_review(reviewer, scene.compound_id, None, None) == 1
    assert set(await queries.by_id(reviewer, [here, far])) == {here}
    with pytest.raises(Forbidden):
        await service.review_registration(reviewer, registration_id=far, approve=True)
    assert (await Registration.get(pk=far)).state == "pending"


async def test_whoever_knows_a_document_number_is_not_whose_it_is(scene: Scene) -> None:
    """A tenant knows the landlord's number from the lease, and that is all it takes to type it."""
    landlord = await residents.person(scene.compound_id, "孙房东", document=ID_CARD)
    await residents.occupancy(scene.far_house_id, landlord, "owner")
    actor = await residents.newcomer()
    id = await register(scene, actor, document_number=ID_CARD)
    before = await residents.fingerprint()
    assert await code_of(approve(scene, id)) == "PERSON_NAME_DIFFERS"
    assert await residents.fingerprint() == before
    assert await ties(actor.id) == ()


async def test_a_reviewer_of_one_building_gives_away_no_house_in_another(scene: Scene) -> None:
    actor = await residents.newcomer()
    known = await residents.person(scene.compound_id, "李新民", phone=await residents.phone_of(actor))
    await residents.occupancy(scene.far_house_id, known, "owner")
    id = await register(scene, actor)
    of_building = residents.staff(
        permissions.REVIEW, compound_id=scene.compound_id, building_id=scene.building_id
    )
    before = await residents.fingerprint()
    review = service.review_registration(of_building, registration_id=id, approve=True)
    assert await code_of(review) == "PERSON_BEYOND_REACH"
    assert await residents.fingerprint() == before
    await approve(scene, id)
    assert {tie.house_id for tie in await ties(actor.id)} == {scene.house_id, scene.far_house_id}


async def test_a_reviewer_of_one_building_binds_whoever_is_signed_in_for_already(scene: Scene) -> None:
    actor = await residents.newcomer()
    await approve(scene, await register(scene, actor, building="2", unit="1", room="201"))
    id = await register(scene, actor)
    of_building = residents.staff(
        permissions.REVIEW, compound_id=scene.compound_id, building_id=scene.building_id
    )
    await service.review_registration(of_building, registration_id=id, approve=True)
    assert len(await ties(actor.id)) == 2


async def test_what_a_code_shows_is_names_to_type(scene: Scene) -> None:
    shown = await queries.compound_to_type(f" {scene.code.lower()} ")
    assert shown is not None
    assert [(each.name, each.units) for each in shown.buildings] == [
        ("1号楼", ["1单元"]),
        ("2号楼", ["1单元"]),
    ]
    assert await queries.compound_to_type("NOPE") is None
