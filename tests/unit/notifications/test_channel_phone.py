"""SMS and voice calls over the stand-in of Alibaba Cloud: what arrives, refusals, faults, and asking after it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domains.kernel import clock
from domains.platforms import transports
from notifications.channels.aliyun import variables
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sender, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.channels.sms import SmsSender
from notifications.channels.voice import VoiceSender
from notifications.kinds import Channel
from tests.factories import platforms
from tests.factories.identity import new_phone
from tests.factories.parcels import parcel
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("reaching")

SMS, VOICE = "SMS_480000009", "TTS_480000009"
TEXT = "${house}发生${what},请立即查看。"
KEYWORDS = {"house": "3-1-101", "what": "火警"}


@pytest.fixture(autouse=True)
def console(reaching: object, stand: Stand) -> None:
    stand.write("sms_templates.json", {SMS: {"text": TEXT}, VOICE: {"text": TEXT}})
    stand.http.delete("/open/faults")


def sms() -> SmsSender:
    """As wiring makes it, over records that do not lag."""
    way = transports().sms
    assert way is not None
    return SmsSender(way, sign_name="邻里", settles_s=0)


def text_to(phone: str, **columns: Any) -> Parcel:  # Any: columns of Parcel
    return parcel(phone, **{"template_id": SMS, "keywords": KEYWORDS, **columns})


def call_to(phone: str, **columns: Any) -> Parcel:  # Any: columns of Parcel
    return parcel(phone, **{"template_id": VOICE, "keywords": KEYWORDS, **columns})


async def test_the_phone_shows_the_message_under_our_signature(stand: Stand) -> None:
    told = text_to(new_phone())
    outcome = await senders()[Channel.SMS].send(told)
    [message] = stand.sms_to(told.address.to)
    assert outcome == Sent(message["biz_id"])
    assert message["text"] == "【邻里】3-1-101发生火警,请立即查看。"
    assert message["out_id"] == str(told.delivery_id)


async def test_the_phone_rings(stand: Stand) -> None:
    told = call_to(new_phone())
    outcome = await senders()[Channel.VOICE].send(told)
    [call] = stand.messages(person=told.address.to, channel="voice")
    assert outcome == Sent(call["platform_id"])
    assert call["text"] == "3-1-101发生火警,请立即查看。"
    [[out_id, times]] = stand.books(
        "SELECT out_id, play_times FROM voice_calls WHERE phone = ?", told.address.to
    )
    assert (told.delivery_id.hex.endswith(out_id), len(out_id), times) == (True, 15, 2)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
async def test_long_empty_and_linked_variables_do_not_have_it_refused(stand: Stand, channel: Channel) -> None:
    phone, template = new_phone(), SMS if channel is Channel.SMS else VOICE
    keywords = {"house": "长" * 80, "what": "https://evil.example/x"}
    assert isinstance(
        await senders()[channel].send(parcel(phone, template_id=template, keywords=keywords)), Sent
    )
    shown = stand.messages(person=phone, channel=channel)[0]["text"]
    assert shown.removeprefix("【邻里】") == "长" * 34 + "…发生-,请立即查看。"


async def test_many_variables_stay_below_what_a_call_takes(stand: Stand) -> None:
    names = [f"v{number}" for number in range(20)]
    stand.write("sms_templates.json", {VOICE: {"text": "".join(f"${{{name}}}" for name in names)}})
    told = call_to(new_phone(), keywords=dict.fromkeys(names, "很长的值" * 10))
    assert isinstance(await senders()[Channel.VOICE].send(told), Sent)


@pytest.mark.parametrize(
    ("told", "code", "aftermath"),
    [
        (text_to("12345"), "isv.MOBILE_NUMBER_ILLEGAL", Aftermath.DEAD_ADDRESS),
        (text_to("13900000001", template_id="SMS_1"), "isv.SMS_TEMPLATE_ILLEGAL", Aftermath.OUR_FAULT),
        (text_to("13900000001", keywords={}), "isv.TEMPLATE_MISSING_PARAMETERS", Aftermath.OUR_FAULT),
    ],
)
async def test_refusals_of_a_message(stand: Stand, told: Parcel, code: str, aftermath: Aftermath) -> None:
    assert_refused(await sms().send(told), code, aftermath)
    assert stand.sms_to(told.address.to) == []


async def test_a_signature_that_is_not_ours_is_our_fault() -> None:
    way = transports().sms
    assert way is not None
    outcome = await SmsSender(way, sign_name="别人").send(text_to(new_phone()))
    assert_refused(outcome, "isv.SMS_SIGNATURE_ILLEGAL", Aftermath.OUR_FAULT)


@pytest.mark.parametrize(
    ("told", "code", "aftermath"),
    [
        (call_to("12345"), "isv.MOBILE_NUMBER_ILLEGAL", Aftermath.DEAD_ADDRESS),
        (call_to("13900000001", template_id="TTS_1"), "isv.TTS_TEMPLATE_ILLEGAL", Aftermath.OUR_FAULT),
    ],
)
async def test_refusals_of_a_call(told: Parcel, code: str, aftermath: Aftermath) -> None:
    assert_refused(await senders()[Channel.VOICE].send(told), code, aftermath)


def assert_refused(outcome: Outcome, code: str, aftermath: Aftermath) -> None:
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.aftermath) == (code, aftermath)


async def test_a_phone_that_had_its_calls_waits(stand: Stand) -> None:
    phone = new_phone()
    assert isinstance(await senders()[Channel.VOICE].send(call_to(phone)), Sent)
    again = await senders()[Channel.VOICE].send(call_to(phone))
    assert isinstance(again, TryAgain)
    assert (again.code, again.after_s) == ("isv.BUSINESS_LIMIT_CONTROL", 60)


FAULTS = [("sms", "SendSms", Channel.SMS), ("voice", "SingleCallByTts", Channel.VOICE)]


@pytest.mark.parametrize(("platform", "api", "channel"), FAULTS)
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("http_429", TryAgain, "NOT_SENT"),
        ("busy", TryAgain, "isp.SYSTEM_ERROR"),
        ("http_500", Unknown, "NO_ANSWER"),
        ("drop", Unknown, "NO_ANSWER"),
    ],
)
async def test_faults(
    stand: Stand, platform: str, api: str, channel: Channel, fault: str, kind: type[Outcome], code: str
) -> None:
    told = text_to(new_phone()) if channel is Channel.SMS else call_to(new_phone())
    stand.fault(platform, api, fault)
    outcome = await senders()[channel].send(told)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Sent)
    assert outcome.code == code


async def test_a_message_of_unknown_outcome_is_found_by_asking(stand: Stand) -> None:
    lost, never = text_to(new_phone()), text_to(new_phone())
    since = clock.now()
    stand.fault("sms", "SendSms", "drop")
    assert isinstance(await sms().send(lost), Unknown)
    stand.fault("sms", "SendSms", "http_500")
    assert isinstance(await sms().send(never), Unknown)
    assert await sms().was_sent(lost, since) is True
    assert await sms().was_sent(never, since) is False


async def test_it_is_found_on_a_later_page_and_on_the_day_before(stand: Stand) -> None:
    phone = new_phone()
    first = text_to(phone)
    assert isinstance(await sms().send(first), Sent)
    stand.books("UPDATE sms_messages SET sent_at = sent_at - 86400 WHERE phone = ?", phone)
    stand.books(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        " INSERT INTO sms_messages (biz_id, phone, sign_name, template_code, kind, params, text, out_id, sent_at, status)"
        " SELECT biz_id || i, phone, sign_name, template_code, kind, params, text, 'x' || i, sent_at, status"
        " FROM sms_messages, n WHERE phone = ?",
        phone,
    )
    yesterday = clock.now() - timedelta(days=1)
    assert await sms().was_sent(first, yesterday) is True
    assert await sms().was_sent(first, clock.now()) is False


async def test_a_platform_that_does_not_say_leaves_it_open(stand: Stand) -> None:
    stand.fault("sms", "QuerySendDetails", "http_500")
    assert await sms().was_sent(text_to(new_phone()), clock.now()) is None
    stand.fault("sms", "QuerySendDetails", "busy")
    assert await sms().was_sent(text_to(new_phone()), clock.now()) is None


async def test_a_call_cannot_be_asked_after() -> None:
    assert await senders()[Channel.VOICE].was_sent(call_to(new_phone()), clock.now()) is None


async def test_the_records_are_given_the_time_they_need() -> None:
    way = transports().sms
    assert way is not None
    began, sender = clock.now(), SmsSender(way, sign_name="邻里", settles_s=0.4)
    assert await sender.was_sent(text_to(new_phone()), began) is False
    assert (clock.now() - began).total_seconds() >= 0.4


@pytest.mark.parametrize(
    ("answer", "kind", "after_s"),
    [
        ({"Code": "isv.DAY_LIMIT_CONTROL"}, TryAgain, 3600.0),
        ({"Code": "Throttling.User"}, TryAgain, None),
        ({"Code": "InternalError"}, Unknown, None),
        ({}, Unknown, None),
    ],
)
async def test_what_the_gateway_says(
    answer: dict[str, str], kind: type[Outcome], after_s: float | None
) -> None:
    sender: Sender = VoiceSender(platforms.aliyun(lambda _: httpx.Response(200, json=answer)))
    with clock.use(clock.FixedClock(datetime(2026, 11, 21, 15, tzinfo=UTC))):
        outcome = await sender.send(call_to("13900000001"))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "after_s", None) == after_s


async def test_no_money_is_our_fault() -> None:
    answer = {"Code": "isv.AMOUNT_NOT_ENOUGH", "Message": "余额不足"}
    outcome = await VoiceSender(platforms.aliyun(lambda _: httpx.Response(200, json=answer))).send(
        call_to("13900000001")
    )
    assert outcome == Refused("isv.AMOUNT_NOT_ENOUGH", "余额不足", Aftermath.OUR_FAULT)


def test_variables_are_short_texts() -> None:
    assert json.loads(variables({"a": "", "b": "一\n二", "c": uuid4().hex * 2})) | {"c": ""} == {
        "a": "-", "b": "一 二", "c": "",
    }  # fmt: skip
