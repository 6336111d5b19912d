"""Invitations: only an owner sends one, only the invited phone takes it up, once and in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Conflict, DomainError, NotFound
from domains.residents.jobs import expire_invitations
from domains.residents.models import Invitation, Occupancy, Person
from domains.residents.queries import invitations as queries
from domains.residents.queries import people, ties
from domains.residents.service import invitations as service
from domains.residents.service.invitations import Invited
from domains.residents.service.occupancy import end_occupancy
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

LATER = clock.today() + timedelta(days=400)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def invite(scene: Scene, phone: str, **given: Any) -> Invited:  # Any: the command's arguments
    said = {"capacity": "family", "name": "张小弟"} | given
    owner = await residents.resident(scene.owner.account_id)
    return await service.invite_to_house(owner, house_id=scene.house_id, phone=phone, **said)


async def invited(scene: Scene, **given: Any) -> tuple[Actor, Invited]:  # Any: the command's arguments
    actor = await residents.newcomer("张小弟")
    return actor, await invite(scene, await residents.phone_of(actor), **given)


async def code_of(attempt: Any) -> str:  # Any: whatever the command returns
    with pytest.raises(DomainError) as refused:
        await attempt
    return refused.value.code


@pytest.mark.parametrize("by_code", [True, False])
async def test_accepting_binds_on_the_owners_word(scene: Scene, by_code: bool) -> None:
    actor, sent = await invited(scene, capacity="tenant", lease_until_on=LATER)
    [waiting] = await queries.received(actor)
    assert (waiting.id, waiting.inviter_name, waiting.is_mine, waiting.state) == (
        sent.id,
        "张建国",
        False,
        "open",
    )
    taken: dict[str, Any] = {"code": sent.code} if by_code else {"invitation_id": sent.id}  # Any: one of two
    id = await service.accept_invitation(actor, **taken)
    row = await Occupancy.get(pk=id)
    assert (row.verified_by, row.capacity, row.lease_until_on) == ("owner", "tenant", LATER)
    [tie] = await ties(actor.id)
    assert tie.house_id == scene.house_id
    assert (await Person.get(account_id=actor.id)).source == "invitation"
    assert await residents.events("HouseInvitationSent", sent.id)
    assert await residents.events("OccupancyBegan", id)
    assert await queries.received(actor) == []


async def test_the_code_is_kept_as_a_hash_only(scene: Scene) -> None:
    _, sent = await invited(scene)
    row = await Invitation.get(pk=sent.id)
    assert sent.code.encode() not in bytes(row.code_hash)
    assert len(bytes(row.code_hash)) == 32


async def test_to_anybody_else_a_code_is_unknown(scene: Scene) -> None:
    _, sent = await invited(scene)
    before = await residents.fingerprint()
    other = await residents.newcomer()
    messages = set()
    for code in (sent.code, "x" * 32, ""):
        with pytest.raises(NotFound) as refused:
            await service.accept_invitation(other, code=code)
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1
    owner = await residents.resident(scene.owner.account_id)
    assert await code_of(service.accept_invitation(owner, code=sent.code)) == "INVITATION_NOT_FOUND"
    assert await code_of(service.accept_invitation(other, invitation_id=sent.id)) == "INVITATION_NOT_FOUND"
    nameless = await residents.resident(await identity.resident())
    assert await code_of(service.accept_invitation(nameless, code=sent.code)) == "PHONE_REQUIRED"
    assert await queries.by_id(other, [sent.id]) == {}
    assert await residents.fingerprint() == before


async def test_accepting_ten_times_at_once_binds_once(scene: Scene) -> None:
    actor, sent = await invited(scene)
    answers = await asyncio.gather(
        *(service.accept_invitation(actor, code=sent.code) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Conflict)} == {"INVITATION_CLOSED"}
    assert len(await ties(actor.id)) == 1


async def test_withdrawn_and_accepted_at_once_is_one_of_them(scene: Scene) -> None:
    actor, sent = await invited(scene)
    owner = await residents.resident(scene.owner.account_id)
    await asyncio.gather(
        service.accept_invitation(actor, code=sent.code),
        service.withdraw_invitation(owner, invitation_id=sent.id),
        return_exceptions=True,
    )
    state = (await Invitation.get(pk=sent.id)).state
    assert len(await ties(actor.id)) == (1 if state == "accepted" else 0)


async def test_a_withdrawn_one_binds_nobody(scene: Scene) -> None:
    actor, sent = await invited(scene)
    owner = await residents.resident(scene.owner.account_id)
    await service.withdraw_invitation(owner, invitation_id=sent.id)
    assert await code_of(service.accept_invitation(actor, code=sent.code)) == "INVITATION_CLOSED"
    assert await code_of(service.withdraw_invitation(owner, invitation_id=sent.id)) == "STATE_CONFLICT"
    assert await code_of(service.withdraw_invitation(actor, invitation_id=sent.id)) == "INVITATION_NOT_FOUND"
    assert await ties(actor.id) == ()


async def test_after_seven_days_it_is_over(scene: Scene) -> None:
    actor, sent = await invited(scene)
    with clock.use(FixedClock(clock.now() + timedelta(days=7))):
        assert await code_of(service.accept_invitation(actor, code=sent.code)) == "INVITATION_EXPIRED"
        assert await queries.received(actor) == []
        [mine] = await queries.sent(await residents.resident(scene.owner.account_id))
        assert mine.state == "expired"
        await expire_invitations(None)
    assert (await Invitation.get(pk=sent.id)).state == "expired"
    assert await ties(actor.id) == ()


async def test_an_owner_who_is_none_any_more_invites_nobody(scene: Scene) -> None:
    actor, sent = await invited(scene)
    # As an import does it: nobody withdrew the invitation.
    await Occupancy.filter(pk=scene.owner.occupancy_id).update(ended_at=clock.now(), end_reason="register")
    assert await queries.received(actor) == []
    assert await code_of(service.accept_invitation(actor, code=sent.code)) == "INVITER_NOT_OWNER"
    assert await ties(actor.id) == ()


async def test_ending_the_owner_withdraws_what_was_sent(scene: Scene) -> None:
    actor, sent = await invited(scene)
    staff = scene.staff("residents.write")
    await end_occupancy(staff, occupancy_id=scene.owner.occupancy_id, reason="房屋已转让")
    assert (await Invitation.get(pk=sent.id)).state == "withdrawn"
    assert await code_of(service.accept_invitation(actor, code=sent.code)) == "INVITATION_CLOSED"


async def test_an_owner_who_ends_while_guests_accept(scene: Scene) -> None:
    guests = [await invited(scene, name=f"张小弟{number}") for number in range(5)]
    staff = scene.staff("residents.write")
    answers = await asyncio.gather(
        *(service.accept_invitation(actor, code=sent.code) for actor, sent in guests),
        end_occupancy(staff, occupancy_id=scene.owner.occupancy_id, reason="房屋已转让"),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(answer, Conflict) for answer in refused), refused
    assert answers[-1] == scene.owner.occupancy_id
    assert await Invitation.filter(house_id=scene.house_id, state="open").count() == 0
    bound = sum([len(await ties(actor.id)) for actor, _ in guests])
    assert bound == await Invitation.filter(house_id=scene.house_id, state="accepted").count()


async def test_a_second_invitation_replaces_the_first(scene: Scene) -> None:
    actor, first = await invited(scene)
    second = await invite(scene, await residents.phone_of(actor))
    assert await code_of(service.accept_invitation(actor, code=first.code)) == "INVITATION_CLOSED"
    await service.accept_invitation(actor, code=second.code)
    assert len(await ties(actor.id)) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"phone": "12345"}, "PHONE_INVALID"),
        ({"name": "="}, "NAME_LENGTH"),
        ({"capacity": "tenant"}, "LEASE_REQUIRED"),
        ({"lease_until_on": LATER}, "LEASE_NOT_APPLICABLE"),
    ],
)
async def test_bad_input_leaves_nothing(scene: Scene, said: dict[str, Any], code: str) -> None:
    before = await residents.fingerprint()
    assert await code_of(invite(scene, **{"phone": identity.new_phone()} | said)) == code
    assert await residents.fingerprint() == before


async def test_nobody_invites_themselves(scene: Scene) -> None:
    assert await code_of(invite(scene, scene.owner.phone)) == "INVITATION_TO_ONESELF"


async def test_a_nickname_does_not_make_two_of_one(scene: Scene) -> None:
    neighbour = await residents.resident(scene.neighbour.account_id)
    sent = await invite(scene, scene.neighbour.phone, name="老钱")
    await service.accept_invitation(neighbour, code=sent.code)
    assert {tie.house_id for tie in await ties(neighbour.id)} == {scene.house_id, scene.next_door_id}
    assert (await Person.get(account_id=neighbour.id)).name == "钱邻居"


async def test_an_owner_speaks_for_one_house_only(scene: Scene) -> None:
    """Somebody of the register whom no account signs in for has another house: accepting an invitation
    must not hand that one over too."""
    actor = await residents.newcomer("张小弟")
    phone = await residents.phone_of(actor)
    known = await residents.person(scene.compound_id, "张小弟", phone=phone)
    await residents.occupancy(scene.far_house_id, known, "owner")
    sent = await invite(scene, phone)
    await service.accept_invitation(actor, code=sent.code)
    assert {tie.house_id for tie in await ties(actor.id)} == {scene.house_id}
    assert (await Person.get(pk=known).values("account_id"))["account_id"] is None


async def test_a_name_alone_does_not_show_a_tenants_document_to_the_landlord(scene: Scene) -> None:
    """An owner may call the invited anything: the tenant's name, and invite a second phone of one's own."""
    tenant = await residents.person(scene.compound_id, "郑租客", document="330106199003078219")
    await residents.occupancy(scene.house_id, tenant, "tenant", lease_until_on=LATER)
    actor, sent = await invited(scene, name="郑租客", capacity="tenant", lease_until_on=LATER)
    await service.accept_invitation(actor, code=sent.code)
    assert [profile.document_number for profile in await people.own_profiles(actor)] == [None]
    assert (await Person.get(pk=tenant).values("account_id"))["account_id"] is None
