"""Who may do what: every command as every kind of caller. Whoever may not, changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from domains.residents import permissions
from domains.residents.models import Invitation, Vehicle
from domains.residents.queries import occupancies, people, registrations, vehicles
from domains.residents.service import invitations as invitation_service
from domains.residents.service import occupancy as occupancy_service
from domains.residents.service import passes as pass_service
from domains.residents.service import people as people_service
from domains.residents.service import registration as registration_service
from domains.residents.service import vehicles as vehicle_service
from tests.factories import identity, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")


async def a_registration(scene: Scene) -> UUID:
    return await registration_service.register_resident(
        await residents.newcomer(), compound_code=scene.code, building="1", unit="1", room="101", name="孙登记",
        capacity="family",
    )  # fmt: skip


async def a_vehicle(scene: Scene) -> UUID:
    made = await Vehicle.create(
        compound_id=scene.compound_id, house_id=scene.house_id, kind="car", plate="浙A54321", plate_colour="blue",
        source="staff", recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def an_invitation(scene: Scene) -> UUID:
    owner = await residents.resident(scene.owner.account_id)
    sent = await invitation_service.invite_to_house(
        owner, house_id=scene.house_id, capacity="family", name="张小弟", phone=identity.new_phone()
    )
    return sent.id


async def a_second_owner(scene: Scene) -> UUID:
    return (await residents.occupant(scene.house_id, "owner", "张太太")).occupancy_id


async def nothing(scene: Scene) -> UUID:
    return scene.house_id


Made = Callable[[Scene], Awaitable[UUID]]
Act = Callable[[Actor, Scene, UUID], Awaitable[object]]
RESIDENTS = {"owner", "family", "tenant"}

OPERATIONS: dict[str, tuple[str, Made, Act, set[str]]] = {
    "register": (
        "", nothing,
        lambda actor, scene, _: registration_service.register_resident(
            actor, compound_code=scene.code, building="2", unit="1", room="201", name="孙登记", capacity="family"
        ),
        {*RESIDENTS, "neighbour", "stranger"},
    ),
    "withdraw a registration": (
        "", a_registration,
        lambda actor, _, id: registration_service.withdraw_registration(actor, registration_id=id), set(),
    ),
    "review": (
        permissions.REVIEW, a_registration,
        lambda actor, _, id: registration_service.review_registration(actor, registration_id=id, approve=True),
        {"staff"},
    ),
    "invite": (
        "", nothing,
        lambda actor, _, house_id: invitation_service.invite_to_house(
            actor, house_id=house_id, capacity="tenant", name="李四", phone="13812345678", lease_until_on=clock.today()
        ),
        {"owner"},
    ),
    "withdraw an invitation": (
        "", an_invitation,
        lambda actor, _, id: invitation_service.withdraw_invitation(actor, invitation_id=id), {"owner"},
    ),
    "end a tenancy": (
        permissions.WRITE, nothing,
        lambda actor, scene, _: occupancy_service.end_occupancy(
            actor, occupancy_id=scene.tenant.occupancy_id, reason="退租"
        ),
        {"owner", "tenant", "staff"},
    ),
    "end an ownership": (
        permissions.WRITE, a_second_owner,
        lambda actor, _, id: occupancy_service.end_occupancy(actor, occupancy_id=id, reason="转让"), {"staff"},
    ),
    "update a resident": (
        permissions.WRITE, nothing,
        lambda actor, scene, _: people_service.update_resident(
            actor, person_id=scene.tenant.person_id, changes={"work_unit": "某厂"}
        ),
        {"staff"},
    ),
    "unlink an account": (
        permissions.WRITE, nothing,
        lambda actor, scene, _: people_service.unlink_account(
            actor, person_id=scene.tenant.person_id, reason="换号"
        ),
        {"staff"},
    ),
    "reveal a resident": (
        permissions.REVEAL, nothing,
        lambda actor, scene, _: people.reveal(actor, person_id=scene.tenant.person_id, reason="核实"), {"staff"},
    ),
    "register a vehicle": (
        permissions.WRITE, nothing,
        lambda actor, _, house_id: vehicle_service.register_vehicle(
            actor, house_id=house_id, kind="ebike", plate="杭州A12345"
        ),
        {*RESIDENTS, "staff"},
    ),
    "remove a vehicle": (
        permissions.WRITE, a_vehicle,
        lambda actor, _, id: vehicle_service.remove_vehicle(actor, vehicle_id=id), {*RESIDENTS, "staff"},
    ),
    "flag a vehicle": (
        permissions.WRITE, a_vehicle,
        lambda actor, _, id: vehicle_service.flag_vehicle(actor, vehicle_id=id, flag="cloned"), {"staff"},
    ),
    "fetch a pass": (
        "", nothing,
        lambda actor, _, house_id: pass_service.issue_residence_pass(actor, house_id=house_id), RESIDENTS,
    ),
    "list registrations": (
        permissions.REVIEW, nothing,
        lambda actor, scene, _: registrations.to_review(
            actor, scene.compound_id, state=None, building_id=None, after=None, limit=10
        ),
        {"staff", "staff of another building"},
    ),
    "list residents": (
        permissions.READ, nothing,
        lambda actor, scene, _: people.residents(
            actor, scene.compound_id, people.PersonFilter(), after=None, limit=10
        ),
        {"staff", "staff of another building"},
    ),
    "list vehicles": (
        permissions.READ, nothing,
        lambda actor, scene, _: vehicles.vehicles(
            actor, scene.compound_id, plate=None, flag=None, after=None, limit=10
        ),
        {"staff", "staff of another building"},
    ),
    "read a history": (
        permissions.READ, nothing,
        lambda actor, scene, house_id: occupancies.history(actor, scene.compound_id, [house_id]),
        {"staff", "staff of another building"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_matrix(operation: str, who: str) -> None:
    permission, made, act, allowed = OPERATIONS[operation]
    scene = await residents.scene()
    subject = await made(scene)
    actor = await residents.caller(scene, who, *([permission] if permission else []))
    before = await residents.fingerprint()
    if who in allowed:
        await act(actor, scene, subject)
        return
    with pytest.raises((Forbidden, Unauthenticated, NotFound)) as refused:
        await act(actor, scene, subject)
    assert isinstance(refused.value, Unauthenticated) == (who == "nobody")
    assert await residents.fingerprint() == before


async def test_a_refusal_of_staff_is_kept() -> None:
    scene = await residents.scene()
    id = await a_registration(scene)
    actor = residents.staff(
        permissions.REVIEW, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    with pytest.raises(Forbidden):
        await registration_service.review_registration(actor, registration_id=id, approve=True)
    [row] = await residents.audited("registration.review", scene.compound_id)
    assert (row["outcome"], row["subject_id"], row["actor_id"]) == ("refused", id, actor.id)


async def test_an_owner_takes_no_authority_to_another_house() -> None:
    scene = await residents.scene()
    neighbour = await residents.resident(scene.neighbour.account_id)
    id = await an_invitation(scene)
    with pytest.raises(NotFound):
        await invitation_service.withdraw_invitation(neighbour, invitation_id=id)
    assert (await Invitation.get(pk=id)).state == "open"
