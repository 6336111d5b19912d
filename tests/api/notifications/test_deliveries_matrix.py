"""The delivery log by every kind of caller: who may read it and send again, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import get_args
from uuid import UUID, uuid4

import pytest

from api.wiring import PERMISSIONS
from domains.kernel import database
from domains.kernel.actor import Capacity
from notifications.channels.port import Refused
from notifications.kinds import Channel
from notifications.permissions import DELIVERIES_READ, DELIVERIES_RESEND
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes, count
from tests.factories import estate, identity, residents, sending
from tests.factories.identity import Places
from tests.factories.jobs import operator_account
from tests.factories.sending import Scripted, person, send_all, set_up, tell

pytestmark = pytest.mark.usefixtures("instance")
ALL = tuple(PERMISSIONS)
BUT_THESE = tuple(set(ALL) - {DELIVERIES_READ, DELIVERIES_RESEND})
RESIDENTS = (*get_args(Capacity), "neighbour", "stranger")
DENIED = (
    *RESIDENTS, "staff without", "staff of another compound", "staff of another company",
    "staff of one building", "staff of another building", "operator", "nobody",
)  # fmt: skip


@dataclass
class World:
    """A compound with a delivery that was given up, another of no compound, and a token per caller."""

    places: Places
    tokens: dict[str, str | None]
    delivery: UUID
    nowhere: UUID


@pytest.fixture(scope="module")
async def tokens(instance: object) -> tuple[Places, dict[str, str | None]]:
    at, other = await identity.places(), await identity.places()
    house, next_door = [await estate.house(at.building_id, room) for room in ("101", "102")]
    accounts = {kind: (await residents.occupant(house, kind)).account_id for kind in get_args(Capacity)} | {
        "neighbour": (await residents.occupant(next_door)).account_id,
        "stranger": await identity.resident(),
        "staff without": await identity.staff(at, BUT_THESE),
        "staff of another compound": await identity.staff(
            at, ALL, scope="compound", place_id=at.other_compound_id
        ),
        "staff of another company": await identity.staff(other, ALL),
        "staff of one building": await identity.staff(at, ALL, scope="building", place_id=at.building_id),
        "staff of another building": await identity.staff(
            at, ALL, scope="building", place_id=at.other_building_id
        ),
        "operator": await operator_account(),
        "reader": await identity.staff(at, [DELIVERIES_READ]),
        "manager": await identity.staff(at, ALL, scope="compound", place_id=at.compound_id),
    }
    made = {name: await identity.token(account) for name, account in accounts.items()}
    return at, made | {"nobody": None}


@pytest.fixture
async def world(tokens: tuple[Places, dict[str, str | None]]) -> AsyncIterator[World]:
    async with sending.cleared():
        set_up(Scripted(Channel.SMS, answers=[Refused("x")] * 2))
        for compound_id in (tokens[0].compound_id, None):
            await tell(await person(Channel.SMS), compound_id=compound_id)
        await send_all()
        found = {row["compound_id"]: row["id"] for row in await sending.rows()}
        yield World(*tokens, found[tokens[0].compound_id], found[None])


async def read(api: Api, token: str | None, compound_id: UUID | None) -> Json:
    query = "query($c: ID) { deliveries(compound: $c) { nodes { id recipientName attempts { code } } } }"
    return await api.ask(query, {"c": encode("Compound", compound_id) if compound_id else None}, token)


async def resend(api: Api, token: str | None, id: UUID) -> Json:
    given = {"delivery": encode("Delivery", id), "idempotencyKey": str(uuid4())}
    return await api.attempt("resendDelivery", "ResendDeliveryInput", "delivery", token, **given)


async def traces() -> tuple[object, ...]:
    row = await database.fetchrow(
        "SELECT (SELECT md5(string_agg(d::text, '|' ORDER BY d.id)) FROM delivery d), "
        "(SELECT count(*) FROM audit_entry WHERE outcome = 'done'), (SELECT count(*) FROM outbox_message), "
        "(SELECT count(*) FROM idempotency_record)"
    )
    assert row is not None
    return tuple(row.values())


@pytest.mark.parametrize("caller", DENIED)
async def test_who_may_not_learns_and_changes_nothing(api: Api, world: World, caller: str) -> None:
    token, code = world.tokens[caller], "UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN"
    before = await traces()
    refused = "action IN ('delivery.list', 'delivery.resend') AND outcome = 'refused'"
    seen = await count("audit_entry", refused)
    assert codes(await read(api, token, world.places.compound_id)) == [code]
    assert codes(await resend(api, token, world.delivery)) == [code]
    assert await traces() == before
    is_staff = caller.startswith("staff") or caller == "operator"
    assert await count("audit_entry", refused) == seen + 2 * is_staff, "a refusal of staff is kept"


@pytest.mark.parametrize("caller", [*DENIED, "reader", "manager"])
async def test_what_concerns_no_compound_is_the_operators(api: Api, world: World, caller: str) -> None:
    token, before = world.tokens[caller], await traces()
    answers = await read(api, token, None), await resend(api, token, world.nowhere)
    if caller == "operator":
        assert [row["id"] for row in answers[0]["data"]["deliveries"]["nodes"]] == [
            encode("Delivery", world.nowhere)
        ]
        assert answers[1]["data"]["resendDelivery"]["errors"] == []
    else:
        assert [codes(each) for each in answers] == [
            ["UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN"]
        ] * 2
        assert await traces() == before


async def test_who_may_read_reads_and_does_not_resend(api: Api, world: World) -> None:
    answer = await read(api, world.tokens["reader"], world.places.compound_id)
    [row] = answer["data"]["deliveries"]["nodes"]
    assert (row["id"], row["attempts"]) == (encode("Delivery", world.delivery), [{"code": "x"}])
    assert codes(await resend(api, world.tokens["reader"], world.delivery)) == ["FORBIDDEN"]
    assert "dead:x" in await sending.states()


async def test_the_manager_does_both(api: Api, world: World) -> None:
    manager = world.tokens["manager"]
    assert len((await read(api, manager, world.places.compound_id))["data"]["deliveries"]["nodes"]) == 1
    assert (await resend(api, manager, world.delivery))["data"]["resendDelivery"]["errors"] == []
    row = await database.fetchrow("SELECT state FROM delivery WHERE id = $1", world.delivery)
    assert row is not None and row["state"] == "pending"
