"""Template messages over the stand-in of Alipay, and over answers that only a forger gives."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domains.kernel import clock
from domains.platforms import transports
from notifications.channels.alipay import AlipaySender
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.kinds import Channel, Written
from tests.factories import platforms
from tests.factories.parcels import open_id, parcel
from tests.unit.stand_ins.stand import Stand

METHOD = "alipay.open.app.mini.templatemessage.send"
NODE = METHOD.replace(".", "_") + "_response"
TEMPLATE = "a" * 32
KEYWORDS = {"keyword1": "3-1-101", "keyword2": "审核通过"}


@pytest.fixture
def console(reaching: object, stand: Stand) -> Stand:
    stand.write("alipay_templates.json", {TEMPLATE: {"title": "审核", "keywords": [*KEYWORDS]}})
    stand.http.delete("/open/faults")
    return stand


def to(stand: Stand, person: str, *, consents: int = 1, **columns: Any) -> Parcel:  # Any: columns of Parcel
    alipay = transports().alipay
    assert alipay is not None
    if consents:
        stand.open("alipay/consent", person=person, template=TEMPLATE, times=consents)
    given = {"keywords": KEYWORDS, "template_id": TEMPLATE, **columns}
    return parcel(open_id(stand, "alipay", person), app_id=alipay.app_id, **given)


async def send(parcel: Parcel) -> Outcome:
    return await senders()[Channel.ALIPAY].send(parcel)


async def test_the_phone_shows_what_was_sent(console: Stand) -> None:
    person = uuid4().hex
    assert await send(to(console, person)) == Sent()
    [shown] = console.messages(person=person, channel="alipay")
    assert json.loads(shown["content"]) == KEYWORDS
    assert (shown["template"], shown["page"]) == (TEMPLATE, "pages/pass/index?id=1")


async def test_an_app_from_before_open_ids_writes_to_user_ids(console: Stand) -> None:
    person = uuid4().hex
    told = to(console, person)
    [[user_id]] = console.books("SELECT alipay_user_id FROM people WHERE name = ?", person)
    old = parcel(user_id, app_id=told.address.app_id, keywords=KEYWORDS, template_id=TEMPLATE)
    assert await send(old) == Sent()
    assert len(console.messages(person=person, channel="alipay")) == 1


async def test_long_and_empty_values_and_no_page_do_not_have_it_refused(console: Stand) -> None:
    person = uuid4().hex
    keywords = {"keyword1": "长" * 80, "keyword2": ""}
    assert isinstance(await send(to(console, person, keywords=keywords, written=Written("a", "b"))), Sent)
    [shown] = console.messages(person=person, channel="alipay")
    assert json.loads(shown["content"]) == {"keyword1": "长" * 49 + "…", "keyword2": "-"}
    assert shown["page"] == "pages/index/index"


async def test_one_consent_is_one_message(console: Stand) -> None:
    person = uuid4().hex
    assert isinstance(await send(to(console, person)), Sent)
    refused = await send(to(console, person, consents=0))
    assert isinstance(refused, Refused)
    assert refused.aftermath is Aftermath.NO_CONSENT
    assert len(console.messages(person=person, channel="alipay")) == 1


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"template_id": "unknown"}, "USER_TEMPLATE_ILLEGAL"),
        ({"keywords": {"keyword1": "1"}}, "USER_TEMPLATE_LACK_KEYWORD"),
    ],
)
async def test_refusals_that_are_our_fault(console: Stand, columns: dict[str, Any], code: str) -> None:
    person = uuid4().hex
    refused = await send(to(console, person, **columns))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.aftermath) == (code, Aftermath.OUR_FAULT)
    assert console.messages(person=person, channel="alipay") == []


async def test_an_open_id_of_another_app_is_forgotten(console: Stand) -> None:
    refused = await send(parcel("x", app_id="2021-another", keywords=KEYWORDS, template_id=TEMPLATE))
    assert refused == Refused("OTHER_APP", aftermath=Aftermath.DEAD_ADDRESS)


async def test_a_gateway_that_turns_it_away_unread_is_tried_again(console: Stand) -> None:
    person = uuid4().hex
    tried = to(console, person)
    console.fault("alipay", METHOD, "http_429")
    assert isinstance(await send(tried), TryAgain)
    assert isinstance(await send(tried), Sent)


@pytest.mark.parametrize(
    ("fault", "code"), [("busy", "isp.unknow-error"), ("http_500", "NO_ANSWER"), ("drop", "NO_ANSWER")]
)
async def test_what_the_platform_leaves_open_is_unknown(console: Stand, fault: str, code: str) -> None:
    person = uuid4().hex
    tried = to(console, person)
    console.fault("alipay", METHOD, fault)
    unknown = await send(tried)
    assert isinstance(unknown, Unknown)
    assert unknown.code == code
    assert await senders()[Channel.ALIPAY].was_sent(tried, clock.now()) is None


GOOD = b'{"code":"10000","msg":"Success"}'


async def answered(answer: platforms.Answer) -> Outcome:
    sender = AlipaySender(platforms.alipay(answer))
    return await sender.send(parcel("open-id", app_id="2021", keywords=KEYWORDS, template_id=TEMPLATE))


@pytest.mark.parametrize(
    "signature", [None, "", "AAAA", platforms.alipay_sign(b'{"code":"10000","msg":"Other"}')]
)
async def test_a_forged_answer_is_not_believed(signature: str | None) -> None:
    assert isinstance(await answered(platforms.alipay_wire(NODE, GOOD, signature)), Unknown)


async def test_a_genuine_one_is() -> None:
    assert await answered(platforms.alipay_wire(NODE, GOOD, platforms.alipay_sign(GOOD))) == Sent()


async def test_an_answer_without_a_code_says_nothing() -> None:
    node = b"{}"
    outcome = await answered(platforms.alipay_wire(NODE, node, platforms.alipay_sign(node)))
    assert outcome == Unknown("MALFORMED_ANSWER")


async def test_it_goes_out_as_the_gateway_wants_it() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return platforms.alipay_wire(NODE, GOOD, platforms.alipay_sign(GOOD))(request)

    await answered(answer)
    assert asked[0].url.params["method"] == METHOD
    body = dict(httpx.QueryParams(asked[0].content.decode()))
    content = json.loads(body["biz_content"])
    assert content | {"data": json.loads(content["data"])} == {
        "to_open_id": "open-id",
        "user_template_id": TEMPLATE,
        "page": "pages/pass/index?id=1",
        "data": {name: {"value": value} for name, value in KEYWORDS.items()},
    }
