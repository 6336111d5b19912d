"""A platform that answers later than anybody waits: what is known then, and what its books have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domains.kernel import clock
from domains.platforms import calling, transports
from notifications.channels import outside
from notifications.channels.port import Parcel, Sent, Unknown
from notifications.channels.senders import senders
from notifications.channels.sms import SmsSender
from notifications.channels.webhook import new_secret
from notifications.kinds import Channel
from tests.factories.identity import new_phone
from tests.factories.parcels import open_id, parcel
from tests.unit.stand_ins.stand import Stand

PATIENCE_S, SLOW_S = 0.3, 0.7
SMS, VOICE, FORM = "SMS_480000077", "TTS_480000077", "t" * 43
WORDS = {"house": "3-1-101"}
FORMS = {FORM: {"title": "审核", "keywords": ["thing1"]}}


@dataclass(frozen=True)
class Told:
    """A parcel, and how often the platform has shown it."""

    parcel: Parcel
    times_shown: Callable[[], int]


def by_form(stand: Stand, channel: Channel) -> Told:
    person, way = uuid4().hex, getattr(transports(), channel)
    stand.open(f"{channel}/consent", person=person, template=FORM, times=1)
    told = parcel(
        open_id(stand, channel, person), app_id=way.app_id, template_id=FORM, keywords={"thing1": "3-1-101"}
    )
    return Told(told, lambda: len(stand.messages(person=person, channel=channel)))


def by_phone(stand: Stand, channel: Channel) -> Told:
    phone, template = new_phone(), SMS if channel is Channel.SMS else VOICE
    told = parcel(phone, template_id=template, keywords=WORDS)
    return Told(told, lambda: len(stand.messages(person=phone, channel=channel)))


def by_hook(stand: Stand, _: Channel) -> Told:
    name, secret = uuid4().hex, new_secret()
    url = stand.open("hooks", name=name, secret=secret)["url"]

    def times() -> int:
        return sum(each["times"] for each in stand.http.get(f"/open/hooks/{name}").json()["deliveries"])

    return Told(parcel(url, keys=secret), times)


Telling = Callable[[Stand, Channel], Told]
WAYS: list[tuple[Channel, str, str, Telling]] = [
    (Channel.WECHAT, "wechat", "subscribe/send", by_form),
    (Channel.ALIPAY, "alipay", "alipay.open.app.mini.templatemessage.send", by_form),
    (Channel.SMS, "sms", "SendSms", by_phone),
    (Channel.VOICE, "voice", "SingleCallByTts", by_phone),
    (Channel.WEBHOOK, "hooks", "deliver", by_hook),
]


@pytest.fixture
def console(reaching: object, stand: Stand) -> Stand:
    stand.write("wechat_templates.json", FORMS)
    stand.write("alipay_templates.json", FORMS)
    stand.write("sms_templates.json", {each: {"text": "${house}"} for each in (SMS, VOICE)})
    stand.http.delete("/open/faults")
    return stand


def deadline(patch: pytest.MonkeyPatch) -> None:
    """Less patience with a whole call."""
    patch.setattr(calling, "PATIENCE_S", PATIENCE_S)
    patch.setattr(outside, "PATIENCE_S", PATIENCE_S)


def silence(patch: pytest.MonkeyPatch) -> None:
    """Less patience with a connection on which nothing comes."""
    wechat = transports().wechat
    assert wechat is not None
    patch.setattr(wechat._http, "timeout", httpx.Timeout(4.0, read=PATIENCE_S))
    patch.setattr(outside, "_TIMEOUTS_S", {**outside._TIMEOUTS_S, "read": PATIENCE_S})


async def shown(told: Told) -> int:
    """How often it was shown, once whatever is under way has had its time."""
    async with asyncio.timeout(4 * SLOW_S):
        while not told.times_shown():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    return told.times_shown()


async def unanswered(stand: Stand, told: Told, channel: Channel, fault: tuple[str, str]) -> Unknown:
    stand.fault(*fault, "slow", seconds=SLOW_S)
    outcome = await senders()[channel].send(told.parcel)
    assert isinstance(outcome, Unknown)
    return outcome


@pytest.mark.parametrize(("limit", "reason"), [(deadline, "TimeoutError"), (silence, "ReadTimeout")])
@pytest.mark.parametrize(("channel", "platform", "api", "tell"), WAYS)
async def test_an_answer_that_comes_too_late_leaves_open_whether_it_was_shown(
    console: Stand, monkeypatch: pytest.MonkeyPatch, channel: Channel, platform: str, api: str, tell: Telling,
    limit: Callable[[pytest.MonkeyPatch], None], reason: str,
) -> None:  # fmt: skip
    # One in time first: what is slow below is the fault alone, not a token or a connection.
    assert isinstance(await senders()[channel].send(tell(console, channel).parcel), Sent)
    told = tell(console, channel)
    limit(monkeypatch)
    assert await unanswered(console, told, channel, (platform, api)) == Unknown("NO_ANSWER", reason)
    assert told.times_shown() == 0


@pytest.mark.parametrize(("channel", "platform", "api", "tell"), WAYS)
async def test_what_was_answered_too_late_was_shown_once(
    console: Stand, monkeypatch: pytest.MonkeyPatch, channel: Channel, platform: str, api: str, tell: Telling
) -> None:
    assert isinstance(await senders()[channel].send(tell(console, channel).parcel), Sent)
    told = tell(console, channel)
    deadline(monkeypatch)
    await unanswered(console, told, channel, (platform, api))
    assert await shown(told) == 1


async def test_an_sms_that_went_unanswered_is_found_once_the_records_have_it(
    console: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = transports().sms
    assert way is not None
    told, since = by_phone(console, Channel.SMS), clock.now()
    deadline(monkeypatch)
    await unanswered(console, told, Channel.SMS, ("sms", "SendSms"))
    monkeypatch.undo()
    assert await SmsSender(way, sign_name="邻里", settles_s=0).was_sent(told.parcel, since) is False
    patient = SmsSender(way, sign_name="邻里", settles_s=2 * SLOW_S)
    assert await patient.was_sent(told.parcel, since) is True
    assert told.times_shown() == 1


async def test_a_webhook_that_went_unanswered_is_repeated_under_its_id(
    console: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = by_hook(console, Channel.WEBHOOK)
    deadline(monkeypatch)
    await unanswered(console, told, Channel.WEBHOOK, ("hooks", "deliver"))
    monkeypatch.undo()
    await asyncio.sleep(SLOW_S)
    assert await senders()[Channel.WEBHOOK].send(told.parcel) == Sent()
    name = told.parcel.address.to.rpartition("/")[2]
    [call] = console.http.get(f"/open/hooks/{name}").json()["deliveries"]
    assert call["id"] == str(told.parcel.delivery_id)


@pytest.mark.parametrize("channel", [Channel.WECHAT, Channel.ALIPAY, Channel.VOICE, Channel.WEBHOOK])
async def test_the_others_cannot_be_asked(reaching: object, channel: Channel) -> None:
    told: dict[str, Any] = {"template_id": FORM, "keywords": WORDS}  # Any: columns of Parcel
    assert await senders()[channel].was_sent(parcel("x", **told), clock.now()) is None
