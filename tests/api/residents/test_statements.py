"""What a list costs does not grow with its rows, however deep it is asked."""

from __future__ import annotations

import pytest

from domains.estate.models import Compound
from domains.kernel import database
from domains.residents.service import registration as service
from domains.residents.service import vehicles
from schema.relay import encode
from tests.api.identity.clients import Api
from tests.factories import estate, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

HOUSE = """house { number building { name } unit { name } vehicles { plate house { number } }
    members { name } occupancies { name house { number } } }"""
LISTS = {
    "residents": "residents(compound: $c, first: 10) { totalCount nodes { name occupancies { name house { "
    "number vehicles { plate } occupancies { name } } } } }",
    "registrations": f"registrations(compound: $c) {{ totalCount nodes {{ name facts {{ owners }} {HOUSE} }} }}",
    "vehicles": f"vehicles(compound: $c) {{ totalCount nodes {{ plate {HOUSE} }} }}",
    "houses": "compound(id: $c) { houses { nodes { number vehicles { plate } occupancies { name } } } }",
    "staff": "staff { nodes { name assignments { roleName placeName } } }",
    "audit": "auditLog(compound: $c) { nodes { action actorName details { name } } }",
}


async def household(scene: Scene, number: int) -> None:
    """One more house with an owner, a car and somebody who registers."""
    house_id = await estate.house(scene.building_id, f"{number}")
    owner = await residents.occupant(house_id, "owner")
    actor = await residents.resident(owner.account_id)
    await vehicles.register_vehicle(actor, house_id=house_id, kind="ebike", plate=f"HZ{number:05d}")
    await service.register_resident(
        await residents.newcomer(), compound_code=scene.code, building="1", unit="1", room=f"{number}",
        name="李新民", capacity="family",
    )  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_costs_the_same_however_long(api: Api, name: str) -> None:
    scene = await residents.scene()
    company = (await Compound.get(pk=scene.compound_id).select_related("company")).company.name
    everything = (*residents.EVERYTHING, "estate.read", "staff.read", "audit.read")
    token = await identity.token(await identity.staff(company, everything))
    query = f"query($c: ID!) {{ {LISTS[name]} }}" if "$c" in LISTS[name] else f"{{ {LISTS[name]} }}"
    variables = {"c": encode("Compound", scene.compound_id)} if "$c" in query else {}
    costs = []
    for numbers in ((301,), range(302, 312)):
        for number in numbers:
            await household(scene, number)
            await identity.staff(company, ["estate.read"])
        async with database.counted() as cost:
            answer = await api.ask(query, variables, token)
        assert "errors" not in answer, answer
        costs.append(cost.count)
    assert costs[0] == costs[1] <= 16, costs
