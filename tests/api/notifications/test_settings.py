"""Preferences, consents and browsers over the API: what is chosen is shown, what is wrong is named."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from notifications.kinds import Channel
from notifications.push_subscriptions import vapid_public_key
from tests.api.identity.clients import Api, Json, codes, count
from tests.factories import notifications as made
from tests.factories.identity import places, resident, staff, token
from tests.unit.notifications.test_push_subscriptions import KEYS

pytestmark = pytest.mark.usefixtures("instance")

KIND = "kind label purpose urgency isOptional channels { channel label isOn isDefault isReachable }"
PREFERENCES = (
    f"{{ viewer {{ notificationPreferences {{ quietHours {{ isOn from until }} kinds {{ {KIND} }} }} }} }}"
)
TEMPLATES = """query($p: SubscribePlatform!, $kinds: [String!]) { viewer {
    subscribeTemplates(platform: $p, kinds: $kinds) { template kind label purpose left } } }"""
PREFER = ("setNotificationPreference", "SetNotificationPreferenceInput")
QUIET = ("setQuietHours", "SetQuietHoursInput", "quietHours { isOn from until }")
GRANT = ("grantSubscribeMessages", "GrantSubscribeMessagesInput", "granted")
REGISTER = ("registerPushSubscription", "RegisterPushSubscriptionInput", "isRegistered")
DROP = ("dropPushSubscription", "DropPushSubscriptionInput", "isDropped")
T1, T2 = made.WECHAT_TEMPLATES[made.PLAIN.name], made.WECHAT_TEMPLATES[made.OTHER.name]


@pytest.fixture(autouse=True)
def kinds() -> None:
    made.use()


@pytest.fixture
async def me() -> UUID:
    return await resident()


async def preferences(api: Api, token: str) -> Json:
    answer = await api.ask(PREFERENCES, token=token)
    assert "errors" not in answer, answer
    return answer["data"]["viewer"]["notificationPreferences"]


async def test_what_is_chosen_is_shown(api: Api, me: UUID) -> None:
    mine = await token(me)
    input = {"kind": made.PLAIN.name, "channel": "WECHAT", "isOn": False}
    chosen = await api.run(*PREFER, f"preference {{ {KIND} }}", mine, **input)
    wanted: dict[str, object] = {"isOn": True, "from": "21:15", "until": "06:45"}
    hours = await api.run(*QUIET, mine, **wanted)
    found = await preferences(api, mine)
    assert found["quietHours"] == hours["quietHours"] == wanted
    assert chosen["preference"] in found["kinds"]
    assert chosen["preference"]["channels"][0] == {
        "channel": "WECHAT", "label": "微信", "isOn": False, "isDefault": True, "isReachable": False,
    }  # fmt: skip
    urgent = next(each for each in found["kinds"] if each["kind"] == made.URGENT.name)
    assert (urgent["urgency"], urgent["isOptional"], len(urgent["channels"])) == ("URGENT", False, 5)


async def test_staff_are_shown_what_is_for_staff(api: Api, me: UUID) -> None:
    there = await places()
    shown = [
        {each["kind"] for each in (await preferences(api, await token(id)))["kinds"]}
        for id in (me, await staff(there, ["estate.read"]))
    ]
    assert shown[0] ^ shown[1] == {made.RESIDENT.name, made.STAFF.name}
    assert made.STAFF.name in shown[1]


async def test_wrong_choices_are_named(api: Api, me: UUID) -> None:
    mine = await token(me)
    for kind, channel, code in (
        ("no.such", "WECHAT", "KIND_UNKNOWN"), (made.URGENT.name, "SMS", "KIND_NOT_OPTIONAL"),
        (made.PLAIN.name, "VOICE", "CHANNEL_NOT_OFFERED"),
    ):  # fmt: skip
        input = {"kind": kind, "channel": channel, "isOn": False}
        refused = await api.run(*PREFER, "preference { kind }", mine, **input)
        assert (codes(refused), refused["preference"]) == ([code], None)
    for hours, code, field in (
        ({"from": "25:00"}, "TIME_INVALID", "from"), ({"until": "22:00"}, "QUIET_HOURS_EMPTY", "until"),
    ):  # fmt: skip
        refused = await api.run(*QUIET, mine, isOn=True, **hours)
        assert refused["errors"] == [{"code": code, "field": [field]}]


async def test_consents_are_asked_for_granted_and_counted(api: Api, me: UUID) -> None:
    mine, key = await token(me), str(uuid4())
    results = [{"template": T1, "outcome": "ACCEPT"}, {"template": T2, "outcome": "BAN"}]
    input: dict[str, object] = {"platform": "WECHAT", "idempotencyKey": key, "results": results}
    assert codes(await api.run(*GRANT, mine, **input)) == ["PLATFORM_NOT_BOUND"]
    await made.contact(me, Channel.WECHAT)
    for _ in range(2):
        assert await api.run(*GRANT, mine, **input) == {"granted": 1, "errors": []}
    assert await made.consents(me, T1) == 1
    answer = await api.ask(TEMPLATES, {"p": "WECHAT"}, mine)
    asked = answer["data"]["viewer"]["subscribeTemplates"]
    assert [each["left"] for each in asked] == [0, 0, 0]
    assert asked[0] == {
        "template": T2, "kind": made.OTHER.name, "label": "其他", "purpose": "用于测试", "left": 0,
    }  # fmt: skip
    answer = await api.ask(TEMPLATES, {"p": "WECHAT", "kinds": [made.PLAIN.name]}, mine)
    assert [(each["template"], each["left"]) for each in answer["data"]["viewer"]["subscribeTemplates"]] == [
        (T1, 1)
    ]
    wrong = {**input, "idempotencyKey": str(uuid4()), "results": [{"template": "other", "outcome": "ACCEPT"}]}
    assert (await api.run(*GRANT, mine, **wrong))["errors"] == [
        {"code": "TEMPLATE_UNKNOWN", "field": ["results", "0", "template"]}
    ]


async def test_a_browser_comes_and_goes(api: Api, me: UUID) -> None:
    mine, endpoint = await token(me), f"https://push.example.com/{uuid4()}"
    registered = await api.run(*REGISTER, mine, endpoint=endpoint, **KEYS)
    assert registered["isRegistered"]
    session = "session_id = (SELECT id FROM session WHERE account_id = $1)"
    assert await count("push_subscription", session, me) == 1
    refused = await api.run(*REGISTER, mine, endpoint="ftp://x", **KEYS)
    assert (codes(refused), refused["isRegistered"]) == (["ENDPOINT_INVALID"], False)
    for dropped in (True, False):
        answer = await api.run(*DROP, mine, endpoint=endpoint)
        assert answer["isDropped"] is dropped


async def test_the_key_of_web_push_is_for_anybody(api: Api) -> None:
    vapid_public_key.fill("BPublic")
    assert (await api.ask("{ webPushPublicKey }"))["data"] == {"webPushPublicKey": "BPublic"}
