"""What `viewer` answers about houses, money and visits: to whom, with an argument left out or given, and at what cost."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domains.access import permissions as access_permissions
from domains.access.service.issuing import Guest
from domains.billing import permissions as billing_permissions
from domains.billing.service.publishing import publish_accounts
from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import access, bills, identity, ledger, residents, visits
from tests.factories.books import on
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
JANUARY = date(2026, 1, 1)
RESIDENTS = ("owner", "family", "tenant", "neighbour", "houseless")
OTHERS = ("staff", "nobody")
STAFF = (
    billing_permissions.BILLS_READ, billing_permissions.BOOKS_PUBLISH, access_permissions.VISITORS_READ,
    access_permissions.RECORDS_READ,
)  # fmt: skip

BOOKS = """query($compound: ID) { viewer { books(compound: $compound) { compound months { month }
    accounts { month books { spentFen } } } } }"""
ACCOUNT = """query($house: ID) { viewer { account(house: $house) { house prepaidFen
    movements(first: 5) { nodes { amountFen } } } } }"""
PASSAGES = (
    "query($pass: ID) { viewer { accessRecords(visitorPass: $pass, first: 5) { nodes { id visitorPass } } } }"
)
GUESTS = "query($house: ID) { viewer { frequentGuests(house: $house) { name phone } } }"
DOORS = "query($house: ID) { viewer { doors(house: $house) { name compound } } }"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def token_of(scene: Scene, kind: str) -> str | None:
    """One of RESIDENTS or OTHERS signs in; staff hold what lets them read all of it elsewhere."""
    if kind == "nobody":
        return None
    if kind == "houseless":
        return await identity.token(await identity.resident())
    if kind != "staff":
        return await identity.token(getattr(scene, kind).account_id)
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.token(
        await identity.staff(company, STAFF, scope="compound", place_id=scene.compound_id)
    )


def refusal(kind: str) -> str | None:
    """What is said to whom these fields are not for; nothing where somebody merely has no house."""
    return {"staff": "FORBIDDEN", "nobody": "UNAUTHENTICATED"}.get(kind)


async def ask(api: Api, query: str, field: str, token: str | None, **variables: str) -> Json:
    """The field below `viewer`, or the code of the refusal."""
    answer = await api.ask(query, variables, token)
    if "errors" in answer:
        [code] = codes(answer)
        return code
    return (answer["data"]["viewer"] or {}).get(field)


async def cost(api: Api, query: str, scene: Scene, **variables: str) -> int:
    """Statements of the owner's query."""
    token = await identity.token(scene.owner.account_id)
    # The session is looked up once for all that it asks.
    await api.ask(query, variables, token)
    async with database.counted() as statements:
        answer = await api.ask(query, variables, token)
    assert "errors" not in answer, answer
    return statements.count


async def another_house(scene: Scene) -> Scene:
    """The owner owns a house in another compound too."""
    other = await residents.scene()
    person = await residents.person(other.compound_id, scene.owner.name, account_id=scene.owner.account_id)
    await residents.occupancy(other.house_id, person)
    return other


async def publish(scene: Scene) -> None:
    """January's accounts, in which nothing happened."""
    with on(date(2026, 2, 1)):
        await publish_accounts(
            scene.staff(billing_permissions.BOOKS_PUBLISH), compound_id=scene.compound_id, month=JANUARY
        )


async def guest_of(scene: Scene, name: str = "陈阿姨") -> UUID:
    return await visits.create(
        await visits.owner(scene), scene.house_id, Guest(name=name, phone="13911112222")
    )


@pytest.mark.parametrize("kind", [*RESIDENTS, *OTHERS])
async def test_books(api: Api, scene: Scene, kind: str) -> None:
    await publish(scene)
    token = await token_of(scene, kind)
    own, other = encode("Compound", scene.compound_id), encode("Compound", scene.other_compound_id)
    shown = await ask(api, BOOKS, "books", token)
    if kind in ("owner", "family", "tenant", "neighbour"):
        assert shown["compound"] == own
        assert shown["accounts"] == {"month": "2026-01-01", "books": {"spentFen": 0}}
        assert await ask(api, BOOKS, "books", token, compound=own) == shown
        assert await ask(api, BOOKS, "books", token, compound=other) == "FORBIDDEN"
    else:
        assert shown == refusal(kind)
        assert await ask(api, BOOKS, "books", token, compound=own) == (refusal(kind) or "FORBIDDEN")


@pytest.mark.parametrize("kind", [*RESIDENTS, *OTHERS])
async def test_account(api: Api, scene: Scene, kind: str) -> None:
    await ledger.prepay(scene.compound_id, scene.house_id, 12_300)
    token = await token_of(scene, kind)
    own = encode("House", scene.house_id)
    shown = await ask(api, ACCOUNT, "account", token)
    if kind in ("owner", "family"):
        assert (shown["house"], shown["prepaidFen"]) == (own, 12_300)
        assert await ask(api, ACCOUNT, "account", token, house=own) == shown
    elif kind == "neighbour":
        assert (shown["house"], shown["prepaidFen"]) == (encode("House", scene.next_door_id), 0)
        assert await ask(api, ACCOUNT, "account", token, house=own) == "FORBIDDEN"
    else:
        assert shown == refusal(kind)
        assert await ask(api, ACCOUNT, "account", token, house=own) == (refusal(kind) or "FORBIDDEN")
    assert await ledger.trial_balance(scene.compound_id) == {"opening": 12_300, "prepayment": -12_300}
    await ledger.check_books()


@pytest.mark.parametrize("kind", [*RESIDENTS, *OTHERS])
async def test_passages_of_a_visit(api: Api, scene: Scene, kind: str) -> None:
    gate, guest = await access.door(scene.compound_id), await guest_of(scene)
    made = await access.record(gate, house_id=scene.house_id, visitor_pass_id=guest)
    pass_id = encode("VisitorPass", guest)
    shown = await ask(api, PASSAGES, "accessRecords", await token_of(scene, kind), **{"pass": pass_id})
    if kind in ("owner", "family", "tenant"):
        assert shown["nodes"] == [{"id": encode("AccessRecord", made), "visitorPass": pass_id}]
    elif kind in ("neighbour", "houseless"):
        assert shown["nodes"] == []
    else:
        assert shown == refusal(kind)


@pytest.mark.parametrize("kind", [*RESIDENTS, *OTHERS])
async def test_frequent_guests(api: Api, scene: Scene, kind: str) -> None:
    await guest_of(scene)
    token = await token_of(scene, kind)
    own = encode("House", scene.house_id)
    shown = [await ask(api, GUESTS, "frequentGuests", token, **which) for which in ({}, {"house": own})]
    # Each has the guests they invited themselves, also in one house.
    known = [{"name": "陈阿姨", "phone": "139****2222"}]
    expected: dict[str, list[object]] = {
        "owner": [known, known], "family": [[], []], "tenant": [[], []], "neighbour": [[], "FORBIDDEN"],
        "houseless": [[], "FORBIDDEN"], "staff": ["FORBIDDEN"] * 2, "nobody": ["UNAUTHENTICATED"] * 2,
    }  # fmt: skip
    assert shown == expected[kind]


async def test_what_is_no_id_of_its_kind_is_told(api: Api, scene: Scene) -> None:
    token, wrong = await token_of(scene, "owner"), encode("Door", scene.house_id)
    for query, field, name in (
        (BOOKS, "books", "compound"), (ACCOUNT, "account", "house"), (PASSAGES, "accessRecords", "pass"),
        (GUESTS, "frequentGuests", "house"),
    ):  # fmt: skip
        assert await ask(api, query, field, token, **{name: wrong}) == "BAD_ID"


async def test_doors_say_which_compound_they_are_of(api: Api, scene: Scene) -> None:
    other = await another_house(scene)
    for each in (scene, other):
        await access.door(each.compound_id)
    shown = await ask(api, DOORS, "doors", await token_of(scene, "owner"))
    assert {door["compound"] for door in shown} == {
        encode("Compound", each.compound_id) for each in (scene, other)
    }
    assert {door["name"] for door in shown} == {"南门"}


async def test_more_houses_guests_and_records_cost_no_more(api: Api, scene: Scene) -> None:
    await publish(scene)
    await ledger.prepay(scene.compound_id, scene.house_id, 100)
    gate, guest = await access.door(scene.compound_id), await guest_of(scene)
    await access.record(gate, house_id=scene.house_id, visitor_pass_id=guest)
    asked: tuple[tuple[str, dict[str, str]], ...] = (
        (BOOKS, {}), (ACCOUNT, {}), (PASSAGES, {"pass": encode("VisitorPass", guest)}), (GUESTS, {}), (DOORS, {}),
    )  # fmt: skip
    before = [await cost(api, query, scene, **variables) for query, variables in asked]
    await another_house(scene)
    await bills.bill(scene.house_id, 5_000)
    await ledger.prepay(scene.compound_id, scene.house_id, 200)
    await access.door(scene.compound_id, "北门")
    for number in range(3):
        await guest_of(scene, f"客人{number}")
        await access.record(gate, house_id=scene.house_id, visitor_pass_id=guest)
    assert [await cost(api, query, scene, **variables) for query, variables in asked] == before
    # Session and ties, then: months and accounts; house and balances and movements; one each of the rest.
    assert before == [4, 5, 3, 3, 3]
