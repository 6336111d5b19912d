"""Web Push over a push service that decrypts and checks as a browser's does."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from jose import jwt

from api.keys import MADE
from domains.kernel import clock
from notifications.channels.outside import Answered, Outside
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.channels.webpush import PAYLOAD_MAX, Vapid, WebPushSender, payload, retry_after_s
from notifications.kinds import Channel, Urgency, Written
from notifications.push_subscriptions import vapid_public_key
from tests.factories.parcels import parcel
from tests.unit.stand_ins.stand import Json, Stand

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture
def browser(reaching: object, stand: Stand) -> Json:
    """A subscription of a browser of somebody's own."""
    stand.http.delete("/open/faults")
    person = uuid4().hex
    made = stand.open("push/subscriptions", person=person, vapid_public_key=vapid_public_key())
    return {**made, "person": person}


def to(browser: Json, **columns: Any) -> Parcel:  # Any: columns of Parcel
    return parcel(browser["endpoint"], keys=json.dumps(browser["keys"]), **columns)


async def send(parcel: Parcel) -> Outcome:
    return await senders()[Channel.WEB_PUSH].send(parcel)


async def test_the_browser_gets_what_was_written(stand: Stand, browser: Json) -> None:
    told = to(browser)
    outcome = await send(told)
    [shown] = stand.messages(person=browser["person"], channel="push")
    origin = str(stand.http.base_url).rstrip("/")
    assert outcome == Sent(f"{origin}/push/m/{shown['platform_id']}")
    assert json.loads(shown["content"]) == {
        "title": "门禁变更",
        "body": "三号楼的门禁换了",
        "link": "/pages/pass/index?id=1",
        "tag": told.notice_id.hex,
        "kind": "test.parcel",
    }


async def test_a_repetition_replaces_what_waits(stand: Stand, browser: Json) -> None:
    address = browser["endpoint"].rpartition("/")[2]
    assert stand.http.post(f"/open/push/subscriptions/{address}/offline").status_code == 204
    told = to(browser)
    assert [type(await send(told)) for _ in range(3)] == [Sent, Sent, Sent]
    assert stand.http.post(f"/open/push/subscriptions/{address}/online").status_code == 204
    assert len(stand.messages(person=browser["person"], channel="push")) == 1


async def test_the_longest_message_arrives(stand: Stand, browser: Json) -> None:
    long = Written("门禁", '很"长\n' * 3000, "/pages/pass")
    assert isinstance(await send(to(browser, written=long)), Sent)
    [shown] = stand.messages(person=browser["person"], channel="push")
    assert len(shown["content"].encode()) <= PAYLOAD_MAX
    assert json.loads(shown["content"])["body"].endswith("…")


@pytest.mark.parametrize("body", ["a" * 9000, "长" * 9000, "🏠" * 9000, '"\n' * 9000, ""])
def test_the_body_gives_way_and_no_more_than_it_must(body: str) -> None:
    made = payload(parcel(written=Written("t", body, "/x")))
    assert len(made) <= PAYLOAD_MAX
    assert not body or len(made) > PAYLOAD_MAX / 2
    assert orjson.loads(made)["title"] == "t"


async def test_a_browser_that_is_gone_is_forgotten(stand: Stand, browser: Json) -> None:
    address = browser["endpoint"].rpartition("/")[2]
    stand.http.delete(f"/open/push/subscriptions/{address}")
    gone = await send(to(browser))
    unknown = await send(to({**browser, "endpoint": browser["endpoint"] + "x"}))
    for refused, code in ((gone, "HTTP_410"), (unknown, "HTTP_404")):
        assert isinstance(refused, Refused)
        assert (refused.code, refused.aftermath) == (code, Aftermath.DEAD_ADDRESS)


@pytest.mark.parametrize(
    "keys",
    ["", "{}", "[]", '{"p256dh": "AAAA", "auth": "AAAA"}', '{"p256dh": 1, "auth": 2}', '{"p256dh": "é", "auth": ""}'],
)  # fmt: skip
async def test_keys_that_are_none_are_forgotten(browser: Json, keys: str) -> None:
    refused = await send(parcel(browser["endpoint"], keys=keys))
    assert refused == Refused("BAD_KEYS", aftermath=Aftermath.DEAD_ADDRESS)


async def test_another_key_of_ours_is_our_fault(stand: Stand, browser: Json) -> None:
    other = Vapid(MADE["vapid_key_pem"][1](), "mailto:a@b.cn")
    made = stand.open("push/subscriptions", person=uuid4().hex, vapid_public_key=other.public_key)
    refused = await send(to(made))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.aftermath) == ("HTTP_403", Aftermath.OUR_FAULT)
    assert "key" in refused.detail


@pytest.mark.parametrize(
    ("fault", "seconds", "code", "after_s"),
    [
        ("http_429", 17.0, "HTTP_429", 17.0),
        ("http_500", 0.0, "HTTP_500", None),
        ("busy", 0.0, "HTTP_503", 1.0),
    ],
)
async def test_a_service_in_trouble_is_tried_again_when_it_says(
    stand: Stand, browser: Json, fault: str, seconds: float, code: str, after_s: float | None
) -> None:
    stand.fault("push", "send", fault, seconds=seconds)
    told = to(browser)
    again = await send(told)
    assert isinstance(again, TryAgain)
    assert (again.code, again.after_s) == (code, after_s)
    assert isinstance(await send(told), Sent)


@pytest.mark.parametrize(("fault", "seconds"), [("drop", 0.0), ("slow", 9.0)])
async def test_without_an_answer_it_may_have_arrived(
    stand: Stand, browser: Json, fault: str, seconds: float
) -> None:
    stand.fault("push", "send", fault, seconds=seconds)
    told = to(browser)
    assert isinstance(await send(told), Unknown)
    assert await senders()[Channel.WEB_PUSH].was_sent(told, clock.now()) is None


async def test_a_subscription_gone_meanwhile(stand: Stand, browser: Json) -> None:
    stand.fault("push", "send", "gone")
    refused = await send(to(browser))
    assert isinstance(refused, Refused)
    assert refused.aftermath is Aftermath.DEAD_ADDRESS


class Noting(Outside):
    """A way outside that answers as it is told, and notes what went out."""

    def __init__(self, status: int, **headers: str) -> None:
        self.answer = Answered(status, headers, "")
        self.headers: list[Mapping[str, str]] = []

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answered:
        self.headers.append(headers)
        return self.answer


def noted(monkeypatch: pytest.MonkeyPatch, status: int = 201, **headers: str) -> Noting:
    noting = Noting(status, **headers)
    monkeypatch.setattr(senders()[Channel.WEB_PUSH], "_outside", noting)
    return noting


@pytest.mark.parametrize(
    ("status", "kind", "aftermath"),
    [
        (200, Sent, None),
        (202, Sent, None),
        (204, Sent, None),
        (301, Refused, Aftermath.NOTHING),
        (400, Refused, Aftermath.OUR_FAULT),
        (401, Refused, Aftermath.OUR_FAULT),
        (406, TryAgain, None),
        (413, Refused, Aftermath.OUR_FAULT),
        (418, Refused, Aftermath.NOTHING),
        (502, TryAgain, None),
    ],
)
async def test_every_status_means_something(
    browser: Json,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    kind: type[Outcome],
    aftermath: Aftermath | None,
) -> None:
    noted(monkeypatch, status)
    outcome = await send(to(browser))
    assert isinstance(outcome, kind)
    assert getattr(outcome, "aftermath", None) is aftermath


async def test_the_headers_say_how_long_how_urgent_and_instead_of_what(
    browser: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    noting = noted(monkeypatch)
    with clock.use(clock.FixedClock(NOON)):
        told = to(browser, urgency=Urgency.URGENT, expires_at=NOON + timedelta(minutes=5, milliseconds=900))
        await send(told)
        await send(to(browser, urgency=Urgency.LOW, expires_at=NOON - timedelta(seconds=9)))
    first, second = noting.headers
    assert (first["TTL"], first["Urgency"], first["Topic"]) == ("300", "high", told.notice_id.hex)
    assert (second["TTL"], second["Urgency"]) == ("0", "low")
    assert first["Content-Encoding"] == "aes128gcm"


async def test_one_token_serves_an_origin_until_shortly_before_its_end(browser: Json) -> None:
    noting = Noting(201)
    sender = WebPushSender(noting, Vapid(MADE["vapid_key_pem"][1](), "mailto:ops@example.cn"))
    with clock.use(clock.FixedClock(NOON)) as time:
        for hours in (0, 10, 2):
            time.advance(timedelta(hours=hours))
            await sender.send(to(browser))
    first, second, third = (headers["Authorization"] for headers in noting.headers)
    assert first == second != third
    token, key = first.removeprefix("vapid t=").split(", k=")
    claims = jwt.get_unverified_claims(token)
    origin = httpx.URL(browser["endpoint"])
    assert claims["aud"] == f"http://{origin.host}:{origin.port}"
    assert claims["exp"] == NOON.timestamp() + 12 * 3600
    assert claims["sub"] == "mailto:ops@example.cn"
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert len(base64.urlsafe_b64decode(key + "=")) == 65


def test_the_origin_leaves_the_default_port_out() -> None:
    vapid = Vapid(MADE["vapid_key_pem"][1](), "https://linli.example.cn")
    assert (
        vapid.authorization("https://a")
        == vapid.authorization("https://a")
        != vapid.authorization("https://b")
    )
    assert httpx.URL("https://fcm.googleapis.com:443/x").netloc == b"fcm.googleapis.com"


def test_typed_origins_do_not_fill_the_memory() -> None:
    vapid = Vapid(MADE["vapid_key_pem"][1](), "https://linli.example.cn")
    for number in range(300):
        vapid.authorization(f"https://{number}.example")
    assert len(vapid._tokens) <= 256


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("30", 30.0),
        (format_datetime(NOON + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOON - timedelta(minutes=2), usegmt=True), 0.0),
        ("soon", None),
        ("-3", None),
        ("Sat, 21 Nov 2026 04:00:00", None),
        ("", None),
    ],
)
def test_when_to_come_back(given: str, seconds: float | None) -> None:
    with clock.use(clock.FixedClock(NOON)):
        assert retry_after_s(Answered(429, {"retry-after": given}, "")) == seconds
        assert retry_after_s(Answered(429, {}, "")) is None


def test_the_key_is_of_the_right_kind() -> None:
    with pytest.raises(ValueError, match="P-256"):
        Vapid(MADE["alipay_app_key_pem"][1](), "mailto:a@b.cn")
