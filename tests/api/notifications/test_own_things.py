"""Every operation is on one's own: each sort of caller may, on theirs, and reaches nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from domains.identity.models import StaffMember
from domains.kernel import database
from notifications.kinds import Channel
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import notifications as made
from tests.factories.identity import Places, places, resident, staff, token
from tests.factories.residents import scene
from tests.unit.notifications.test_push_subscriptions import KEYS

pytestmark = pytest.mark.usefixtures("instance")


@dataclass(frozen=True)
class World:
    """Accounts by sort of caller, and what one of them was told and registered."""

    accounts: dict[str, UUID]
    target: UUID
    told: UUID
    endpoint: str


async def _staff(at: Places) -> dict[str, UUID]:
    one = await staff(at, ["estate.read"], scope="compound", place_id=at.compound_id)
    elsewhere = await staff(at, ["estate.read"], scope="compound", place_id=at.other_compound_id)
    return {"staff": one, "staff of another compound": elsewhere}


@pytest.fixture(scope="module")
async def world(instance: object) -> World:
    made.use()
    there, at = await scene(), await places()
    target = there.owner.account_id
    accounts = {
        "family": there.family.account_id, "tenant": there.tenant.account_id, "neighbour": there.neighbour.account_id,
        "stranger": await resident(), **await _staff(at),
    }  # fmt: skip
    for account in (target, *accounts.values()):
        await made.contact(account, Channel.WECHAT)
    return World(
        {"owner": target, **accounts}, target, await made.told(target), f"https://push.example.com/{uuid4()}"
    )


@pytest.fixture(autouse=True)
def kinds(world: World) -> None:
    made.use()


Operation = tuple[str, str, dict[str, object]]


async def mark(_: World, account: UUID) -> Operation:
    return "markRead", "MarkReadInput", {"notifications": [encode("Notification", await made.told(account))]}


async def prefer(_: World, account: UUID) -> Operation:
    input: dict[str, object] = {"kind": made.PLAIN.name, "channel": "WECHAT", "isOn": False}
    return "setNotificationPreference", "SetNotificationPreferenceInput", input


async def be_quiet(_: World, account: UUID) -> Operation:
    return "setQuietHours", "SetQuietHoursInput", {"isOn": False}


async def grant(_: World, account: UUID) -> Operation:
    results = [{"template": made.WECHAT_TEMPLATES[made.PLAIN.name], "outcome": "ACCEPT"}]
    input: dict[str, object] = {"platform": "WECHAT", "results": results, "idempotencyKey": str(uuid4())}
    return "grantSubscribeMessages", "GrantSubscribeMessagesInput", input


async def register(_: World, account: UUID) -> Operation:
    input: dict[str, object] = {"endpoint": f"https://push.example.com/{uuid4()}", **KEYS}
    return "registerPushSubscription", "RegisterPushSubscriptionInput", input


async def drop(world: World, account: UUID) -> Operation:
    return "dropPushSubscription", "DropPushSubscriptionInput", {"endpoint": world.endpoint}


OPERATIONS: dict[str, tuple[Callable[[World, UUID], Awaitable[Operation]], str | None]] = {
    "markRead": (mark, "SELECT count(*) FROM notification WHERE account_id = $1 AND read_at IS NOT NULL"),
    "setNotificationPreference": (
        prefer,
        "SELECT count(*) FROM notification_preference WHERE account_id = $1",
    ),
    "setQuietHours": (
        be_quiet,
        "SELECT count(*) FROM recipient WHERE account_id = $1 AND NOT is_quiet_at_night",
    ),
    "grantSubscribeMessages": (grant, "SELECT count(*) FROM message_consent WHERE account_id = $1"),
    "registerPushSubscription": (register, "SELECT count(*) FROM push_subscription WHERE account_id = $1"),
    "dropPushSubscription": (drop, None),
}
CALLERS = ("owner", "family", "tenant", "neighbour", "stranger", "staff", "staff of another compound")


async def of_others(account: UUID) -> list[str]:
    """Every row that belongs to another account."""
    statement = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t WHERE account_id <> $1"
    return [await database.fetchval(statement.format(table), account) for table in made.TABLES]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_whoever_is_signed_in_changes_their_own_and_nothing_else(
    api: Api, world: World, name: str, caller: str
) -> None:
    account = world.accounts[caller]
    make, changed = OPERATIONS[name]
    _, kind, input = await make(world, account)
    mine, before = await token(account), await of_others(account)
    had = await database.fetchval(changed, account) if changed else 0
    answer = await api.run(name, kind, "__typename", mine, **input)
    assert answer["errors"] == []
    assert await of_others(account) == before
    if changed:
        assert await database.fetchval(changed, account) == had + 1


@pytest.mark.parametrize("name", OPERATIONS)
async def test_nobody_and_who_must_change_a_password_change_nothing(
    api: Api, world: World, name: str
) -> None:
    make, _ = OPERATIONS[name]
    _, kind, input = await make(world, world.target)
    confined = world.accounts["staff"]
    try:
        await StaffMember.filter(account_id=confined).update(must_change_password=True)
        for mine, code in ((None, "UNAUTHENTICATED"), (await token(confined), "PASSWORD_CHANGE_REQUIRED")):
            before = await made.fingerprint()
            answer = await api.attempt(name, kind, "__typename", mine, **input)
            assert codes(answer) == [code]
            assert await made.fingerprint() == before
    finally:
        await StaffMember.filter(account_id=confined).update(must_change_password=False)


@pytest.mark.parametrize("caller", [each for each in CALLERS if each != "owner"])
async def test_what_is_anothers_is_as_if_it_were_not(api: Api, world: World, caller: str) -> None:
    mine = await token(world.accounts[caller])
    owners = await token(world.target)
    browser: dict[str, object] = {"endpoint": world.endpoint, **KEYS}
    await api.run(
        "registerPushSubscription", "RegisterPushSubscriptionInput", "isRegistered", owners, **browser
    )
    before, id = await made.fingerprint(), encode("Notification", world.told)
    marked = await api.run("markRead", "MarkReadInput", "changedCount", mine, notifications=[id])
    assert (marked["changedCount"], marked["errors"]) == (0, [])
    assert codes(await api.run("markRead", "MarkReadInput", "changedCount", mine, through=id)) == [
        "NOTIFICATION_NOT_FOUND"
    ]
    dropped = await api.run(
        "dropPushSubscription", "DropPushSubscriptionInput", "isDropped", mine, endpoint=world.endpoint
    )
    assert not dropped["isDropped"]
    assert await made.fingerprint() == before


async def test_a_node_is_seen_by_its_owner_alone(api: Api, world: World) -> None:
    id = encode("Notification", world.told)
    query = """query($id: ID!) { node(id: $id) { id ... on Notification { title } }
        viewer { inbox(first: 100) { nodes { id } } } }"""
    for caller, account in world.accounts.items():
        answer = await api.ask(query, {"id": id}, await token(account))
        is_owner = caller == "owner"
        assert (answer["data"]["node"] is not None) is is_owner, caller
        seen = [node["id"] for node in answer["data"]["viewer"]["inbox"]["nodes"]]
        assert (id in seen) is is_owner, caller
    answer = await api.ask("query($id: ID!) { node(id: $id) { id } }", {"id": id})
    assert answer["data"] == {"node": None}


READS = (
    "{ viewer { inbox { unreadCount nodes { id } } } }", "{ viewer { notificationPreferences { quietHours { isOn } } } }",
    "{ viewer { subscribeTemplates(platform: WECHAT) { template } } }",
)  # fmt: skip


@pytest.mark.parametrize("query", READS)
async def test_reads_are_for_whoever_is_signed_in(api: Api, world: World, query: str) -> None:
    for account in world.accounts.values():
        assert "errors" not in await api.ask(query, token=await token(account))
    assert codes(await api.ask(query)) == ["UNAUTHENTICATED"]
    confined = world.accounts["staff"]
    await StaffMember.filter(account_id=confined).update(must_change_password=True)
    assert codes(await api.ask(query, token=await token(confined))) == ["PASSWORD_CHANGE_REQUIRED"]
    await StaffMember.filter(account_id=confined).update(must_change_password=False)
