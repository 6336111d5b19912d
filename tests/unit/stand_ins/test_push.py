"""Web Push over HTTP: what RFC 8030, 8188, 8291 and 8292 ask for, and nothing less."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.stand_ins.pushing import Pusher, base64url, point, someone, unbase64url
from tests.unit.stand_ins.stand import Stand


@pytest.fixture
def pusher(stand: Stand) -> Pusher:
    return someone(stand)


def test_a_subscription_is_what_a_browser_hands_over(pusher: Pusher) -> None:
    assert pusher.subscription["endpoint"] == f"{pusher.origin}/push/{pusher.token}"
    keys = pusher.subscription["keys"]
    assert len(unbase64url(keys["p256dh"])) == 65
    assert len(unbase64url(keys["auth"])) == 16
    assert "=" not in keys["p256dh"] + keys["auth"]


def test_a_message_arrives(pusher: Pusher) -> None:
    answer = pusher.push("门铃响了".encode(), urgency="high", topic="door-1")
    assert answer.status_code == 201
    assert answer.headers["ttl"] == "60"
    [message] = pusher.stand.messages(person=pusher.person)
    assert (message["channel"], message["text"]) == ("push", "门铃响了")
    assert answer.headers["location"] == f"{pusher.origin}/push/m/{message['platform_id']}"


def test_a_notifications_title_and_body_are_shown(pusher: Pusher) -> None:
    content = json.dumps({"title": "火警", "body": "3号楼", "url": "/alarms/1"})
    pusher.push(content.encode())
    [message] = pusher.stand.messages(person=pusher.person)
    assert (message["title"], message["text"], message["content"]) == ("火警", "3号楼", content)


@pytest.mark.parametrize("content", ["[" * 3000, '"x"', '{"body":7}', " "])
def test_any_text_is_a_message(pusher: Pusher, content: str) -> None:
    assert pusher.push(content.encode()).status_code == 201
    assert pusher.texts() == [content]


@pytest.mark.parametrize(
    "headers",
    [
        {"ttl": None},
        {"ttl": "-1"},
        {"ttl": "1.5"},
        {"ttl": "soon"},
        {"content_encoding": None},
        {"content_encoding": "aesgcm"},
        {"urgency": "extreme"},
        {"topic": "t" * 33},
        {"topic": "a b"},
        {"topic": "a="},
    ],
)
def test_malformed_headers(pusher: Pusher, headers: dict[str, str | None]) -> None:
    assert pusher.push(**headers).status_code == 400  # type: ignore[arg-type]  # mypy mixes body up with headers
    assert pusher.texts() == []


def test_nothing_is_kept_longer_than_four_weeks(pusher: Pusher) -> None:
    assert pusher.push(ttl="9999999999").headers["ttl"] == str(28 * 86400)


@pytest.mark.parametrize("urgency", ["very-low", "low", "normal", "high"])
def test_every_urgency_is_known(pusher: Pusher, urgency: str) -> None:
    assert pusher.push(urgency=urgency, topic="T" * 32).status_code == 201


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer x", "vapid", "vapid t=x", "vapid k=x", "vapid t=x, k=*"]
)
def test_without_credentials(pusher: Pusher, authorization: str | None) -> None:
    answer = pusher.push(authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "vapid"
    assert pusher.texts() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://push.example.com"},
        {"aud": None},
        {"exp": 0},
        {"exp": int(time.time()) + 90000},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": None},
        {"sub": None},
        {"sub": "it@example.com"},
        {"sub": "http://example.com"},
        {"alg": "none"},
        {"signer": ec.generate_private_key(ec.SECP256R1())},
    ],
)
def test_credentials_that_do_not_hold(pusher: Pusher, claims: dict[str, object]) -> None:
    assert pusher.push(authorization=pusher.authorization(**claims)).status_code == 403
    assert pusher.texts() == []


def test_a_token_expires_although_its_signature_is_known(pusher: Pusher) -> None:
    authorization = pusher.authorization(exp=int(time.time()) + 2)
    assert pusher.push(authorization=authorization).status_code == 201
    time.sleep(2.1)
    assert pusher.push(authorization=authorization).status_code == 403


def test_a_subscription_belongs_to_one_server(pusher: Pusher) -> None:
    other = someone(pusher.stand)
    assert pusher.push(authorization=other.authorization()).status_code == 403
    mixed = f"vapid t={other.jwt()}, k={base64url(point(pusher.key))}"
    assert pusher.push(authorization=mixed).status_code == 403
    assert pusher.push(authorization="vapid t=a.b, k=" + base64url(point(pusher.key))).status_code == 403
    assert pusher.texts() == []


def test_unknown_and_dropped_subscriptions(pusher: Pusher) -> None:
    nobody = pusher.stand.http.post(
        "/push/nobody",
        content=pusher.encrypted(b"x"),
        headers={"ttl": "1", "content-encoding": "aes128gcm", "authorization": pusher.authorization()},
    )
    assert nobody.status_code == 404
    path = f"/open/push/subscriptions/{pusher.token}"
    assert pusher.stand.http.delete(path).status_code == 204
    assert pusher.push().status_code == 410
    assert pusher.stand.http.delete(path).status_code == 404
    assert pusher.stand.http.post(f"{path}/online").status_code == 404
    assert pusher.texts() == []


def test_a_body_of_4096_bytes_and_no_more(pusher: Pusher) -> None:
    overhead = len(pusher.encrypted(b"a")) - 1
    largest = "a" * (4096 - overhead)
    assert pusher.push(largest.encode()).status_code == 201
    assert pusher.push((largest + "a").encode()).status_code == 413
    assert pusher.push(body=b"x" * 100_000).status_code == 413
    assert pusher.texts() == [largest]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"",
        lambda body: body[:86],
        lambda body: body[:-1],
        lambda body: body[:-1] + bytes([body[-1] ^ 1]),
        lambda body: bytes([body[0] ^ 1]) + body[1:],
        lambda body: body[:20] + b"\x00" + body[21:],
        lambda body: body[:21] + b"\x04" + b"\xff" * 64 + body[86:],
        lambda body: body[:16] + (17).to_bytes(4, "big") + body[20:],
    ],
)
def test_a_body_that_does_not_open(pusher: Pusher, spoil: Callable[[bytes], bytes]) -> None:
    body = spoil(pusher.encrypted(b"a secret of some length"))
    assert pusher.push(body=body).status_code == 400
    assert pusher.texts() == []


def test_a_body_for_another_browser(pusher: Pusher) -> None:
    other = someone(pusher.stand)
    assert pusher.push(body=other.encrypted(b"x")).status_code == 400
    assert pusher.push(b"\xff\xfe").status_code == 400


def test_an_offline_browser_gets_the_last_of_each_topic(pusher: Pusher) -> None:
    path = f"/open/push/subscriptions/{pusher.token}"
    assert pusher.stand.http.post(f"{path}/offline").status_code == 204
    for content, topic in ((b"1", "lift"), (b"2", None), (b"3", "lift"), (b"4", "door")):
        assert pusher.push(content, topic=topic).status_code == 201
    assert pusher.push(b"now or never", ttl="0").status_code == 201
    assert pusher.texts() == []
    pusher.stand.books("UPDATE push_waiting SET expires_at = 0 WHERE topic = 'door'")
    assert pusher.stand.http.post(f"{path}/online").status_code == 204
    assert pusher.texts() == ["2", "3"]
    assert pusher.push(b"5", topic="lift").status_code == 201
    assert pusher.push(b"6", topic="lift").status_code == 201
    assert pusher.texts() == ["2", "3", "5", "6"]


@pytest.mark.parametrize(
    "key", ["", "AAAA", "*", base64url(b"\x04" + b"\xff" * 64), base64url(b"\x02" + b"\x01" * 32), 7]
)
def test_no_subscription_without_a_servers_key(stand: Stand, key: object) -> None:
    answer = stand.http.post("/open/push/subscriptions", json={"person": "甲", "vapid_public_key": key})
    assert answer.status_code == 400
    assert "vapid_public_key" in answer.json()["error"]
