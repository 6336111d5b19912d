"""Subscribe messages over the stand-in of WeChat: what arrives, every refusal, every fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from domains.kernel import clock, database
from domains.platforms import transports
from notifications.channels.answers import until_tomorrow_s
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.channels.wechat import WeChatSender
from notifications.kinds import Channel, Written
from tests.factories.parcels import open_id, parcel
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("reaching")

TEMPLATE = "x" * 43
KEYWORDS = {"thing3": "张三", "time1": "2026年11月21日 15:01", "phrase2": "已通过"}


@pytest.fixture(autouse=True)
def console(reaching: object, stand: Stand) -> None:
    stand.write("wechat_templates.json", {TEMPLATE: {"title": "审核", "keywords": [*KEYWORDS]}})
    stand.http.delete("/open/faults")


def to(stand: Stand, person: str, *, consents: int = 1, **columns: Any) -> Parcel:  # Any: columns of Parcel
    wechat = transports().wechat
    assert wechat is not None
    if consents:
        stand.open("wechat/consent", person=person, template=TEMPLATE, times=consents)
    given = {"keywords": KEYWORDS, "template_id": TEMPLATE, **columns}
    return parcel(open_id(stand, "wechat", person), app_id=wechat.app_id, **given)


async def send(parcel: Parcel) -> Outcome:
    return await senders()[Channel.WECHAT].send(parcel)


async def test_the_phone_shows_what_was_sent(stand: Stand) -> None:
    person = uuid4().hex
    outcome = await send(to(stand, person, consents=2))
    [shown] = stand.messages(person=person, channel="wechat")
    assert outcome == Sent(shown["platform_id"])
    assert json.loads(shown["content"]) == KEYWORDS
    assert (shown["template"], shown["page"]) == (TEMPLATE, "pages/pass/index?id=1")


async def test_keywords_go_by_the_names_of_the_chosen_template(stand: Stand) -> None:
    person, wechat = uuid4().hex, transports().wechat
    assert wechat is not None
    stand.write(
        "wechat_templates.json", {TEMPLATE: {"title": "审核", "keywords": ["thing7", "time1", "phrase2"]}}
    )
    given = to(stand, person)
    sender = WeChatSender(wechat, {given.kind.name: {"thing3": "thing7"}})
    assert isinstance(await sender.send(given), Sent)
    [shown] = stand.messages(person=person, channel="wechat")
    assert json.loads(shown["content"])["thing7"] == "张三"


async def test_a_link_that_is_no_page_is_left_out(stand: Stand) -> None:
    person = uuid4().hex
    assert isinstance(
        await send(to(stand, person, written=Written("a", "b", "https://linli.example.cn/?q=1 2"))), Sent
    )
    assert stand.messages(person=person, channel="wechat")[0]["page"] == ""


async def test_long_and_english_values_do_not_have_it_refused(stand: Stand) -> None:
    person = uuid4().hex
    written = {"thing3": "长" * 60, "time1": "21 Nov 2026, 15:01", "phrase2": "Approved"}
    assert isinstance(await send(to(stand, person, keywords=written, language="en")), Sent)
    [shown] = stand.messages(person=person, channel="wechat")
    assert json.loads(shown["content"]) == {
        "thing3": "长" * 19 + "…", "time1": "2026年11月21日 15:01", "phrase2": "已通过",
    }  # fmt: skip


async def test_one_consent_is_one_message(stand: Stand) -> None:
    person = uuid4().hex
    assert isinstance(await send(to(stand, person)), Sent)
    refused = await send(to(stand, person, consents=0))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.aftermath) == ("43101", Aftermath.NO_CONSENT)
    assert len(stand.messages(person=person, channel="wechat")) == 1


@pytest.mark.parametrize(
    ("columns", "code", "aftermath"),
    [
        ({"template_id": "unknown"}, "40037", Aftermath.OUR_FAULT),
        ({"keywords": {"thing3": "张三"}}, "47003", Aftermath.OUR_FAULT),
        ({"keywords": {**KEYWORDS, "time1": "soon"}, "data": {}}, "47003", Aftermath.OUR_FAULT),
    ],
)
async def test_refusals(stand: Stand, columns: dict[str, Any], code: str, aftermath: Aftermath) -> None:
    person = uuid4().hex
    refused = await send(to(stand, person, **columns))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.aftermath) == (code, aftermath)
    assert stand.messages(person=person, channel="wechat") == []


async def test_somebody_who_is_not_there_is_forgotten(stand: Stand) -> None:
    wechat = transports().wechat
    assert wechat is not None
    gone = await send(parcel("oNobody", app_id=wechat.app_id, keywords=KEYWORDS, template_id=TEMPLATE))
    other = await send(parcel("oNobody", app_id="wx-another", keywords=KEYWORDS, template_id=TEMPLATE))
    assert gone == Refused("40003", gone.detail, Aftermath.DEAD_ADDRESS)  # type: ignore[union-attr]  # is refused
    assert other == Refused("OTHER_APP", aftermath=Aftermath.DEAD_ADDRESS)


@pytest.mark.parametrize(
    ("fault", "code"), [("http_429", "NOT_SENT"), ("http_500", "HTTP_500"), ("busy", "-1")]
)
async def test_a_platform_in_trouble_is_tried_again(stand: Stand, fault: str, code: str) -> None:
    person = uuid4().hex
    tried = to(stand, person)
    stand.fault("wechat", "subscribe/send", fault)
    again = await send(tried)
    assert isinstance(again, TryAgain)
    assert again.code == code
    assert isinstance(await send(tried), Sent)
    assert len(stand.messages(person=person, channel="wechat")) == 1


async def test_a_dead_token_is_renewed_and_the_message_sent_once(stand: Stand) -> None:
    person = uuid4().hex
    stand.fault("wechat", "subscribe/send", "dead_token")
    assert isinstance(await send(to(stand, person)), Sent)
    assert len(stand.messages(person=person, channel="wechat")) == 1


@pytest.mark.parametrize(("fault", "seconds"), [("drop", 0.0), ("slow", 9.0)])
async def test_without_an_answer_it_may_have_been_shown(stand: Stand, fault: str, seconds: float) -> None:
    person = uuid4().hex
    tried = to(stand, person)
    stand.fault("wechat", "subscribe/send", fault, seconds=seconds)
    unknown = await send(tried)
    assert isinstance(unknown, Unknown)
    assert unknown.code == "NO_ANSWER"
    assert await senders()[Channel.WECHAT].was_sent(tried, clock.now()) is None


async def test_a_used_up_day_waits_for_midnight_in_beijing(stand: Stand) -> None:
    tried = to(stand, uuid4().hex)
    stand.books("INSERT INTO quotas VALUES ('subscribe/send', '2026-11-21', 10000000) ON CONFLICT DO NOTHING")
    day = f"{datetime.now(clock.SHANGHAI):%Y-%m-%d}"
    stand.books("INSERT OR REPLACE INTO quotas VALUES ('subscribe/send', ?, 10000000)", day)
    try:
        again = await send(tried)
    finally:
        stand.books("DELETE FROM quotas")
    assert isinstance(again, TryAgain)
    assert again.code == "45009"
    assert again.after_s is not None
    assert 0 < again.after_s <= 86_400


async def test_midnight_is_beijings() -> None:
    with clock.use(clock.FixedClock(datetime(2026, 11, 21, 15, 59, tzinfo=UTC))):
        assert until_tomorrow_s() == 60


async def test_nothing_is_sent_inside_a_transaction(stand: Stand) -> None:
    tried = to(stand, uuid4().hex)
    async with database.transaction():
        with pytest.raises(AssertionError):
            await send(tried)


def test_it_says_what_it_is() -> None:
    assert (WeChatSender.is_repeatable, WeChatSender.needs_consent) == (False, True)
