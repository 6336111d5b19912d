"""Endpoints of other systems in the API, by every kind of caller: who may, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from domains.kernel import database
from domains.kernel.actor import SYSTEM
from notifications import webhooks
from schema.relay import encode
from tests.api.identity.clients import Api, codes, count
from tests.factories import residents
from tests.factories.estate import house
from tests.factories.identity import Places, places, resident, staff, token

pytestmark = pytest.mark.usefixtures("instance")

MANAGES = ["notifications.webhooks", "estate.read"]
KIND = "registration.approved"
URL = "https://hooks.example.cn/linli"


@dataclass(frozen=True, slots=True)
class World:
    places: Places
    tokens: dict[str, str | None]

    @property
    def compound(self) -> str:
        return encode("Compound", self.places.compound_id)


async def _resident(house_id: UUID, capacity: str) -> str:
    return await token((await residents.occupant(house_id, capacity)).account_id)  # type: ignore[arg-type]  # one of them


@pytest.fixture(scope="module")
async def world(instance: object) -> World:
    there, other = await places(), await places()
    home, next_door = [await house(there.building_id, room) for room in ("101", "102")]
    tokens: dict[str, str | None] = {
        **{capacity: await _resident(home, capacity) for capacity in ("owner", "family", "tenant")},
        "neighbour": await _resident(next_door, "owner"),
        "stranger": await token(await resident()),
        "manager": await token(await staff(there, MANAGES)),
        "manager of the compound": await token(
            await staff(there, MANAGES, scope="compound", place_id=there.compound_id)
        ),
        "manager of a building": await token(
            await staff(there, MANAGES, scope="building", place_id=there.building_id)
        ),
        "manager of another compound": await token(
            await staff(there, MANAGES, scope="compound", place_id=there.other_compound_id)
        ),
        "clerk": await token(await staff(there, ["estate.read", "notifications.deliveries"])),
        "another company": await token(await staff(other, MANAGES)),
        "nobody": None,
    }
    return World(there, tokens)


CALLERS = (
    "owner", "family", "tenant", "neighbour", "stranger", "manager", "manager of the compound",
    "manager of a building", "manager of another compound", "clerk", "another company", "nobody",
)  # fmt: skip
MAY = {"manager", "manager of the compound"}
STAFF = {*CALLERS[5:11]}


async def registered(world: World) -> str:
    """An endpoint of the compound, the only one."""
    await database.execute("DELETE FROM webhook_endpoint")
    made = await webhooks.register_webhook(
        SYSTEM, compound_id=world.places.compound_id, name="工单", url=URL, kinds=[KIND]
    )
    return encode("Webhook", made.webhook_id)


def denied(caller: str) -> list[str]:
    return ["UNAUTHENTICATED" if caller == "nobody" else "FORBIDDEN"]


SHOWN = "webhook { id compound name url kinds isEnabled disabledAt createdAt }"
OPERATIONS = {
    "registerWebhook": ("RegisterWebhookInput", f"{SHOWN} secret"),
    "rotateWebhookSecret": ("WebhookInput", f"{SHOWN} secret"),
    "enableWebhook": ("WebhookInput", SHOWN),
    "disableWebhook": ("WebhookInput", SHOWN),
    "removeWebhook": ("WebhookInput", "webhook"),
    "testWebhook": ("WebhookInput", "delivery"),
}


async def state() -> object:
    """Everything that an operation here could change."""
    return [
        await database.fetchval(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t")
        for table in ("webhook_endpoint", "notice", "delivery")
    ]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_writing(api: Api, world: World, name: str, caller: str) -> None:
    kind, fields = OPERATIONS[name]
    id = await registered(world)
    input: dict[str, object] = (
        {"compound": world.compound, "name": "第二个", "url": URL, "kinds": [KIND]}
        if name == "registerWebhook"
        else {"webhook": id}
    )
    before, refusals = await state(), await count("audit_entry", "outcome = 'refused'")
    done = await count("audit_entry", "outcome = 'done' AND action LIKE 'webhook.%'")
    answer = await api.attempt(name, kind, fields, world.tokens[caller], **input)
    if caller in MAY:
        assert "errors" not in answer, answer
        assert answer["data"][name]["errors"] == []
        assert await count("audit_entry", "outcome = 'done' AND action LIKE 'webhook.%'") == done + 1
        return
    assert (codes(answer), answer["data"]) == (denied(caller), None)
    assert await state() == before
    assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)


@pytest.mark.parametrize("caller", CALLERS)
async def test_reading(api: Api, world: World, caller: str) -> None:
    id = await registered(world)
    refusals = await count("audit_entry", "outcome = 'refused'")
    query = "query($compound: ID!) { webhooks(compound: $compound) { id name url kinds isEnabled compound } }"
    answer = await api.ask(query, {"compound": world.compound}, world.tokens[caller])
    node = await api.ask("query($id: ID!) { node(id: $id) { id } }", {"id": id}, world.tokens[caller])
    assert node["data"]["node"] == ({"id": id} if caller in MAY else None)
    if caller not in MAY:
        assert (codes(answer), answer["data"]["webhooks"]) == (denied(caller), None)
        assert await count("audit_entry", "outcome = 'refused'") == refusals + (caller in STAFF)
        return
    assert answer["data"]["webhooks"] == [
        {"id": id, "name": "工单", "url": URL, "kinds": [KIND], "isEnabled": True, "compound": world.compound}
    ]


async def test_a_secret_is_shown_when_it_is_made_and_never_again(api: Api, world: World) -> None:
    mine = world.tokens["manager"]
    await registered(world)
    made = await api.run(
        "registerWebhook", "RegisterWebhookInput", f"{SHOWN} secret", mine,
        compound=world.compound, name=" 停车 ", url=URL, kinds=[KIND, KIND],
    )  # fmt: skip
    assert made["secret"].startswith("whsec_")
    assert (made["webhook"]["name"], made["webhook"]["kinds"]) == ("停车", [KIND])
    rotated = await api.run(
        "rotateWebhookSecret", "WebhookInput", "secret", mine, webhook=made["webhook"]["id"]
    )
    assert rotated["secret"] != made["secret"]
    fields = await api.ask('{ __type(name: "Webhook") { fields { name } } }', token=mine)
    assert "secret" not in [field["name"] for field in fields["data"]["__type"]["fields"]]


async def test_switched_off_on_and_removed(api: Api, world: World) -> None:
    mine, id = world.tokens["manager"], await registered(world)
    off = await api.run("disableWebhook", "WebhookInput", SHOWN, mine, webhook=id)
    assert (off["webhook"]["isEnabled"], off["webhook"]["disabledAt"] is None) == (False, False)
    tested = await api.run("testWebhook", "WebhookInput", "delivery", mine, webhook=id)
    assert (codes(tested), tested["delivery"]) == (["WEBHOOK_DISABLED"], None)
    on = await api.run("enableWebhook", "WebhookInput", SHOWN, mine, webhook=id)
    assert (on["webhook"]["isEnabled"], on["webhook"]["disabledAt"]) == (True, None)
    assert (await api.run("removeWebhook", "WebhookInput", "webhook", mine, webhook=id))["webhook"] == id
    gone = await api.run("removeWebhook", "WebhookInput", "webhook", mine, webhook=id)
    assert (codes(gone), gone["webhook"]) == (["WEBHOOK_NOT_FOUND"], None)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"url": "http://hooks.example.cn"}, "WEBHOOK_URL_INVALID", ["url"]),
        ({"kinds": []}, "WEBHOOK_KINDS_EMPTY", ["kinds"]),
        ({"kinds": ["no.such"]}, "KIND_UNKNOWN", ["kinds"]),
        ({"name": ""}, "TEXT_EMPTY", ["name"]),
        ({"compound": "x"}, "BAD_ID", ["compound"]),
    ],
)
async def test_bad_input_is_named(
    api: Api, world: World, changed: dict[str, object], code: str, field: list[str]
) -> None:
    await registered(world)
    input = {"compound": world.compound, "name": "系统", "url": URL, "kinds": [KIND], **changed}
    answer = await api.run(
        "registerWebhook", "RegisterWebhookInput", "secret", world.tokens["manager"], **input
    )
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]
    assert answer["secret"] is None
    assert await count("webhook_endpoint") == 1


async def test_the_kinds_to_choose_from(api: Api, world: World) -> None:
    answer = await api.ask("{ webhookKinds { name label } }", token=world.tokens["clerk"])
    names = [kind["name"] for kind in answer["data"]["webhookKinds"]]
    assert KIND in names
    assert "webhook.test" not in names
    assert all(kind["label"] for kind in answer["data"]["webhookKinds"])
    assert codes(await api.ask("{ webhookKinds { name } }", token=world.tokens["owner"])) == ["FORBIDDEN"]


async def test_a_list_costs_the_same_however_long_it_is(api: Api, world: World) -> None:
    mine = world.tokens["manager"]
    query = "query($compound: ID!) { webhooks(compound: $compound) { id name url kinds isEnabled compound } }"

    async def cost() -> int:
        async with database.counted() as statements:
            await api.ask(query, {"compound": world.compound}, mine)
        return statements.count

    await registered(world)
    await cost()
    one = await cost()
    for _ in range(4):
        await webhooks.register_webhook(
            SYSTEM, compound_id=world.places.compound_id, name="更多", url=URL, kinds=[KIND]
        )
    assert await cost() == one
