"""Webhooks over HTTP: the Standard Webhooks signature, replays in time and out of it, and what was kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

import httpx
import pytest

from tests.unit.stand_ins.stand import Json, Stand

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def name(stand: Stand) -> str:
    name = "receiver-" + secrets.token_hex(4)
    made = stand.open("hooks", name=name, secret=SECRET)
    assert made["url"] == f"{str(stand.http.base_url).rstrip('/')}/hooks/{name}"
    return name


def signature(
    message_id: str, timestamp: str, body: bytes, secret: str = SECRET, digest: str = "sha256"
) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, getattr(hashlib, digest))
    return "v1," + base64.b64encode(mac.digest()).decode()


def deliver(stand: Stand, name: str, body: bytes = b'{"type":"bill.paid"}', **changed: str) -> httpx.Response:
    message_id = changed.get("id", "msg_1")
    timestamp = changed.get("timestamp", str(int(time.time())))
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": changed.get("signature", signature(message_id, timestamp, body)),
    }
    return stand.http.post(f"/hooks/{name}", headers=headers, content=body)


def kept(stand: Stand, name: str) -> list[Json]:
    found: list[Json] = stand.http.get(f"/open/hooks/{name}").json()["deliveries"]
    return found


def test_a_delivery_is_kept_and_counted(stand: Stand, name: str) -> None:
    assert deliver(stand, name).status_code == 204
    assert deliver(stand, name).status_code == 204
    assert deliver(stand, name, "第二".encode(), id="msg_2").status_code == 204
    first, second = kept(stand, name)
    assert (first["id"], first["times"], first["body"]) == ("msg_1", 2, '{"type":"bill.paid"}')
    assert (second["id"], second["times"], second["body"]) == ("msg_2", 1, "第二")


def test_one_of_several_signatures_is_enough(stand: Stand, name: str) -> None:
    timestamp = str(int(time.time()))
    old = signature("msg_1", timestamp, b"x", "whsec_" + base64.b64encode(b"o" * 32).decode())
    both = f"{old} {signature('msg_1', timestamp, b'x')}"
    assert deliver(stand, name, b"x", timestamp=timestamp, signature=both).status_code == 204
    assert deliver(stand, name, b"x", timestamp=timestamp, signature=old).status_code == 401


@pytest.mark.parametrize("shift", [-301, 302])
def test_a_stale_delivery_is_refused(stand: Stand, name: str, shift: int) -> None:
    assert deliver(stand, name, timestamp=str(int(time.time()) + shift)).status_code == 401
    assert kept(stand, name) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": ""},
        {"signature": "v1,AAAA"},
        {"signature": signature("msg_1", str(int(time.time())), b"another body").removeprefix("v1,")},
        {"signature": signature("msg_1", str(int(time.time())), b"another body")},
        {"id": ""},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": "1e9"},
    ],
)
def test_a_forged_delivery_is_refused(stand: Stand, name: str, changed: dict[str, str]) -> None:
    assert deliver(stand, name, b"x", **changed).status_code == 401
    assert kept(stand, name) == []


def test_another_id_breaks_the_signature(stand: Stand, name: str) -> None:
    timestamp = str(int(time.time()))
    signed = signature("msg_1", timestamp, b"x")
    assert deliver(stand, name, b"x", id="msg_2", timestamp=timestamp, signature=signed).status_code == 401


def test_a_new_secret_replaces_the_old(stand: Stand, name: str) -> None:
    stand.open("hooks", name=name, secret="whsec_" + base64.b64encode(b"n" * 24).decode())
    assert deliver(stand, name).status_code == 401


def test_nobody_of_that_name(stand: Stand) -> None:
    assert deliver(stand, "nobody").status_code == 404
    assert kept(stand, "nobody") == []


def test_a_delivery_of_more_than_a_mebibyte(stand: Stand, name: str) -> None:
    assert deliver(stand, name, b"a" * (1 << 20)).status_code == 204
    assert deliver(stand, name, b"a" * ((1 << 20) + 1), id="msg_2").status_code == 413
    assert len(kept(stand, name)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "a b"},
        {"name": ""},
        {"secret": ""},
        {"secret": "secret"},
        {"secret": "whsec_***"},
        {"secret": "whsec_" + base64.b64encode(b"k" * 23).decode()},
        {"secret": base64.b64encode(b"k" * 32).decode()},
    ],
)
def test_a_receiver_that_makes_no_sense(stand: Stand, changed: Json) -> None:
    answer = stand.http.post("/open/hooks", json={"name": "ok", "secret": SECRET, **changed})
    assert answer.status_code == 400
    assert answer.json()["error"]
