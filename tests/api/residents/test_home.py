"""The home screen: one query, a number of statements that depends on nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.identity.models import Account
from domains.kernel import clock, database
from domains.residents.models import Occupancy, Vehicle
from domains.residents.service import invitations, registration
from schema.home import PartOfDay, part_of_day
from tests.api.identity.clients import Api, codes
from tests.factories import access, bills, estate, identity, residents, visits
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

HOME = """{ viewer { home {
    greeting { name partOfDay today }
    houses { capacity compound { name } house { number members { name phone } vehicles { plate } } }
    registrations { id state place } invitations { id houseNumber inviterName }
    cards { __typename key ... on RegistrationPendingCard { registration { place } }
        ... on RegistrationRejectedCard { registration { reason } } ... on InvitationCard { invitation { name } }
        ... on LeaseEndingCard { daysLeft house { house { number } } } } } } }"""

# Session and ties make the caller; houses, members, vehicles, registrations, invitations, visitors and bills the screen.
STATEMENTS = 2 + 7


async def home(api: Api, token: str) -> tuple[Any, int]:  # Any: JSON
    async with database.counted() as cost:
        answer = await api.ask(HOME, token=token)
    assert "errors" not in answer, answer
    return answer["data"]["viewer"]["home"], cost.count


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_statements_do_not_grow(api: Api, scene: Scene) -> None:
    token = await identity.token(scene.owner.account_id)
    seen, cost = await home(api, token)
    assert len(seen["houses"]) == 1
    assert cost == STATEMENTS
    for room in range(301, 311):
        house_id = await estate.house(scene.building_id, str(room))
        await residents.occupancy(house_id, scene.owner.person_id)
        for number in range(3):
            await residents.occupant(house_id, "family", f"家人{number}号")
            await Vehicle.create(
                compound_id=scene.compound_id, house_id=house_id, kind="ebike", plate=f"杭州{room}{number}",
                source="staff", recorded_at=clock.now(),
            )  # fmt: skip
    seen, cost = await home(api, token)
    assert len(seen["houses"]) == 11
    assert len(seen["houses"][-1]["house"]["members"]) == 4
    assert len(seen["houses"][-1]["house"]["vehicles"]) == 3
    assert cost == STATEMENTS


NAMES = "{ viewer { me { name } home { greeting { name } } } }"


async def names(api: Api, account_id: UUID) -> tuple[str, str, int]:
    """What the account and the greeting call the caller, and the statements that it took."""
    token = await identity.token(account_id)
    async with database.counted() as cost:
        viewer = (await api.ask(NAMES, token=token))["data"]["viewer"]
    return viewer["me"]["name"], viewer["home"]["greeting"]["name"], cost.count


async def test_who_gave_no_name_is_called_as_the_register_does(api: Api, scene: Scene) -> None:
    named, greeted, usual = await names(api, scene.owner.account_id)
    assert (named, greeted) == ("张建国", "张建国")
    await Account.filter(pk=scene.owner.account_id).update(name="")
    assert await names(api, scene.owner.account_id) == ("张建国", "张建国", usual + 1)
    await Account.filter(pk=scene.owner.account_id).update(name="老张")
    assert await names(api, scene.owner.account_id) == ("老张", "老张", usual)


async def test_the_register_names_nobody_who_does_not_live_there(api: Api, scene: Scene) -> None:
    stranger = await identity.resident(identity.new_phone(), "")
    assert (await names(api, stranger))[:2] == ("", "")
    await residents.person(scene.compound_id, "查无此人", account_id=stranger)
    assert (await names(api, stranger))[:2] == ("", "")
    await Account.filter(pk=scene.family.account_id).update(name="")
    assert (await names(api, scene.family.account_id))[:2] == ("张小妹", "张小妹")
    await Occupancy.filter(pk=scene.family.occupancy_id).update(ended_at=clock.now(), end_reason="不再居住")
    assert (await names(api, scene.family.account_id))[:2] == ("", "")


async def test_cards_in_the_order_of_what_presses(api: Api, scene: Scene) -> None:
    phone = identity.new_phone()
    actor = await residents.newcomer("李新民", phone)
    token = await identity.token(actor.id)
    seen, cost = await home(api, token)
    assert [card["__typename"] for card in seen["cards"]] == ["RegisterHouseCard"]
    assert cost == STATEMENTS - 3

    async def ask(room: str, building: str = "1") -> Any:  # Any: an id
        return await registration.register_resident(
            actor,
            compound_code=scene.code,
            building=building,
            unit="1",
            room=room,
            name="李新民",
            capacity="family",
        )

    refused = await ask("102")
    await registration.review_registration(
        scene.staff("residents.review"), registration_id=refused, approve=False, reason="请到物业前台核验"
    )
    await ask("201", "2")
    owner = await residents.resident(scene.owner.account_id)
    await invitations.invite_to_house(
        owner, house_id=scene.house_id, capacity="family", name="李新民", phone=phone
    )
    ending = await residents.scene()
    known = await residents.person(ending.compound_id, "李新民", account_id=actor.id, phone=phone)
    last_day = clock.today() + timedelta(days=10)
    await residents.occupancy(ending.house_id, known, "tenant", lease_until_on=last_day)
    seen, cost = await home(api, token)
    assert [card["__typename"] for card in seen["cards"]] == [
        "InvitationCard", "LeaseEndingCard", "RegistrationRejectedCard", "RegistrationPendingCard",
    ]  # fmt: skip
    assert [card.get("daysLeft") for card in seen["cards"]] == [None, 10, None, None]
    assert seen["cards"][2]["registration"]["reason"] == "请到物业前台核验"
    assert {each["state"] for each in seen["registrations"]} == {"PENDING", "REJECTED"}
    assert [each["inviterName"] for each in seen["invitations"]] == ["张建国"]
    assert cost == STATEMENTS
    await ask("102")
    seen, _ = await home(api, token)
    assert "RegistrationRejectedCard" not in [card["__typename"] for card in seen["cards"]]


async def test_the_home_screen_is_for_residents(api: Api) -> None:
    assert codes(await api.ask(HOME)) == ["UNAUTHENTICATED"]
    staff = await identity.token(await identity.staff(await identity.places(), ["residents.read"]))
    answer = await api.ask(HOME, token=staff)
    assert codes(answer) == ["FORBIDDEN"]
    assert answer["data"]["viewer"]["home"] is None


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (0, PartOfDay.EVENING), (4, PartOfDay.EVENING), (5, PartOfDay.MORNING), (11, PartOfDay.NOON),
        (13, PartOfDay.AFTERNOON), (18, PartOfDay.EVENING), (23, PartOfDay.EVENING),
    ],
)  # fmt: skip
def test_part_of_day(hour: int, part: PartOfDay) -> None:
    assert part_of_day(hour) is part


async def test_who_waits_for_a_word_comes_first_and_what_is_owed_before_who_is_expected(
    api: Api, scene: Scene
) -> None:
    early = clock.now() - timedelta(hours=1)
    await access.visitor_pass(
        scene.compound_id, scene.house_id, scene.owner.account_id, starts_at=early, requested_at=early
    )
    await visits.ask_for_pass(scene)
    await bills.bill(scene.house_id, 100)
    seen, cost = await home(api, await identity.token(scene.owner.account_id))
    assert [card["__typename"] for card in seen["cards"]] == [
        "VisitRequestedCard", "BillsDueCard", "VisitExpectedCard",
    ]  # fmt: skip
    assert cost == STATEMENTS
