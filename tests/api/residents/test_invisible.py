"""Nothing of a house is visible before it is verified, nor after it ended: every field is asked for, by every
way there is, and the whole answer's text is searched for what must not be in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, is_composite_type, is_required_argument

from domains.kernel import clock
from domains.residents.models import Invitation, Occupancy, Person, Registration, Vehicle
from domains.residents.service import invitations, registration
from domains.residents.service.occupancy import end_occupancy
from schema.relay import encode
from schema.root import schema
from tests.api.identity.clients import Api
from tests.factories import estate, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

DEPTH = 4
AREA = "77.31"


@dataclass(frozen=True, slots=True)
class Hidden:
    """A house, what hangs on it, and the words that would give it away."""

    scene: Scene
    house_id: UUID
    ids: dict[str, UUID]
    words: frozenset[str]


def shown(phone: str) -> set[str]:
    """A phone in every form that gives it away: whole, masked, its last four digits; not four digits of a time."""
    return {phone, f"*{phone[-4:]}", f'"{phone[-4:]}"'}


@pytest.fixture(scope="module")
async def hidden(instance: object) -> Hidden:
    """A house with an owner, a car, a registration and an invitation of other people."""
    assert instance is not None
    scene = await residents.scene()
    house_id = await estate.house(scene.building_id, "888", area=AREA)
    owner = await residents.occupant(house_id, "owner", "欧阳藏锋")
    child = await residents.occupant(house_id, "family", "欧阳小藏")
    car = await Vehicle.create(
        compound_id=scene.compound_id, house_id=house_id, kind="car", plate="浙A6Z7Q8", plate_colour="blue",
        brand="红旗牌", source="staff", recorded_at=clock.now(),
    )  # fmt: skip
    await Person.filter(pk=owner.person_id).update(work_unit="藏锋铸剑厂", ethnicity="畲族")
    asked = await registration.register_resident(
        await residents.newcomer("司徒访客"), compound_code=scene.code, building="1", unit="1", room="888",
        name="司徒访客", capacity="family", note="住在八八八的亲戚",
    )  # fmt: skip
    sent = await invitations.invite_to_house(
        await residents.resident(owner.account_id),
        house_id=house_id,
        capacity="family",
        name="慕容受邀",
        phone="13600007531",
    )
    words = {
        "欧阳藏锋", "欧阳小藏", "司徒访客", "慕容受邀", "藏锋铸剑厂", "红旗牌", "浙A6Z7Q8", AREA, "住在八八八",
        "1号楼1单元888", *shown("13600007531"), *shown(owner.phone), *shown(child.phone),
    }  # fmt: skip
    ids = {
        "House": house_id, "Person": owner.person_id, "Vehicle": car.id, "Occupancy": owner.occupancy_id,
        "Registration": asked, "Invitation": sent.id, "Building": scene.building_id, "Compound": scene.compound_id,
    }  # fmt: skip
    return Hidden(scene, house_id, ids, frozenset(words))


async def stranger(hidden: Hidden) -> UUID:
    return (await residents.newcomer()).id


async def pending(hidden: Hidden) -> UUID:
    actor = await residents.newcomer("李登记")
    await registration.register_resident(
        actor,
        compound_code=hidden.scene.code,
        building="1",
        unit="1",
        room="888",
        name="李登记",
        capacity="family",
    )
    return actor.id


async def rejected(hidden: Hidden) -> UUID:
    account_id = await pending(hidden)
    [row] = await Registration.filter(account_id=account_id)
    await registration.review_registration(
        hidden.scene.staff("residents.review"), registration_id=row.id, approve=False, reason="材料不全"
    )
    return account_id


async def ex_tenant(hidden: Hidden) -> UUID:
    last_day = clock.today() + timedelta(days=30)
    once = await residents.occupant(hidden.house_id, "tenant", "孙前客", lease_until_on=last_day)
    me = await residents.resident(once.account_id)
    await end_occupancy(me, occupancy_id=once.occupancy_id, reason="退租")
    return once.account_id


async def tenant_whose_lease_is_over(hidden: Hidden) -> UUID:
    last_day = clock.today() - timedelta(days=1)
    once = await residents.occupant(hidden.house_id, "tenant", "孙到期", lease_until_on=last_day)
    assert (await Occupancy.get(pk=once.occupancy_id)).ended_at is None
    return once.account_id


async def next_door(hidden: Hidden) -> UUID:
    return hidden.scene.neighbour.account_id


async def once_invited(hidden: Hidden) -> UUID:
    actor = await residents.newcomer("周过期")
    owner = await residents.resident(hidden.scene.owner.account_id)
    sent = await invitations.invite_to_house(
        owner,
        house_id=hidden.scene.house_id,
        capacity="family",
        name="周过期",
        phone=await residents.phone_of(actor),
    )
    await Invitation.filter(pk=sent.id).update(expires_at=clock.now() - timedelta(seconds=1))
    return actor.id


async def staff_of_another_company(_: Hidden) -> UUID:
    return await identity.staff(await identity.places(), residents.EVERYTHING)


CALLERS = {
    each.__name__: each
    for each in (
        stranger, pending, rejected, ex_tenant, tenant_whose_lease_is_over, next_door, once_invited,
        staff_of_another_company,
    )
}  # fmt: skip


def selection(name: str, depth: int = DEPTH, path: tuple[str, ...] = ()) -> str:
    """Every field of a type that needs no argument, down to a depth; no type within itself."""
    kind = schema._schema.get_type(name)
    if not isinstance(kind, GraphQLObjectType):
        return "__typename"
    return " ".join(["__typename", *_fields(kind, depth, (*path, name))])


def _fields(kind: GraphQLObjectType, depth: int, path: tuple[str, ...]) -> Iterator[str]:
    for field, definition in kind.fields.items():
        if any(is_required_argument(argument) for argument in definition.args.values()):
            continue
        named = get_named_type(definition.type)
        few = "(first: 5)" if "first" in definition.args else ""
        if not is_composite_type(named):
            yield field
        elif depth > 1 and named.name not in path:
            yield f"{field}{few} {{ {selection(named.name, depth - 1, path)} }}"


def test_the_walk_reaches_what_matters() -> None:
    asked = selection("House")
    for field in ("builtAreaM2", "members", "occupancies", "vehicles", "plate", "phone", "name"):
        assert field in asked.split()


async def search(api: Api, token: str | None, query: str, hidden: Hidden, **variables: object) -> None:
    answer = await api.ask(query, variables, token)
    for error in answer.get("errors", []):
        assert error["extensions"]["code"] in ("UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"), error
    text = orjson.dumps(answer.get("data")).decode() + orjson.dumps(answer.get("errors")).decode()
    assert [word for word in hidden.words if word in text] == []


@pytest.mark.parametrize("who", [*CALLERS, "nobody"])
async def test_no_way_leads_to_the_house(api: Api, hidden: Hidden, who: str) -> None:
    token = None if who == "nobody" else await identity.token(await CALLERS[who](hidden))
    for name, id in hidden.ids.items():
        query = f"query($id: ID!) {{ node(id: $id) {{ __typename ... on {name} {{ {selection(name)} }} }} }}"
        await search(api, token, query, hidden, id=encode(name, id))
    await search(api, token, f"{{ viewer {{ {selection('Viewer')} }} }}", hidden)
    compound = encode("Compound", hidden.scene.compound_id)
    roots = schema._schema.get_type("Query")
    assert isinstance(roots, GraphQLObjectType)
    for root in ("residents", "registrations", "vehicles"):
        kind = get_named_type(roots.fields[root].type).name
        query = f"query($c: ID!) {{ {root}(compound: $c, first: 5) {{ {selection(kind, 3)} }} }}"
        await search(api, token, query, hidden, c=compound)
    query = f"query($c: ID!) {{ compound(id: $c) {{ {selection('Compound')} }} }}"
    await search(api, token, query, hidden, c=compound)
    query = f"query($code: String!) {{ compoundByCode(code: $code) {{ {selection('ScannedCompound')} }} }}"
    await search(api, token, query, hidden, code=hidden.scene.code)


async def test_the_search_finds_what_an_owner_may_see(api: Api, hidden: Hidden) -> None:
    """The same walk as the owner: it would find the words if they were there."""
    owner = await Person.get(pk=hidden.ids["Person"]).values("account_id")
    token = await identity.token(owner["account_id"])
    fields = "number builtAreaM2 members { name phone } vehicles { plate }"
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on House {{ {fields} }} }} }}"
    text = str(await api.ask(query, {"id": encode("House", hidden.house_id)}, token))
    for word in ("欧阳小藏", AREA, "浙A6Z7Q8", "1号楼1单元888"):
        assert word in text
