"""Webhooks over a receiver that verifies them as the Standard Webhooks libraries do."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock
from notifications.channels.outside import Answered, Outside
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain, Unknown
from notifications.channels.senders import senders
from notifications.channels.webhook import body, new_secret, signed
from notifications.kinds import Channel
from tests.factories.parcels import DATA, parcel
from tests.unit.stand_ins.stand import Json, Stand

HOUSE = UUID(int=5)


@pytest.fixture
def endpoint(reaching: object, stand: Stand) -> Json:
    """A receiver of its own, that knows its secret."""
    stand.http.delete("/open/faults")
    name, secret = uuid4().hex, new_secret()
    return {**stand.open("hooks", name=name, secret=secret), "name": name, "secret": secret}


def to(endpoint: Json, **columns: Any) -> Parcel:  # Any: columns of Parcel
    return parcel(endpoint["url"], keys=endpoint["secret"], subject=("House", HOUSE), **columns)


async def send(parcel: Parcel) -> Outcome:
    return await senders()[Channel.WEBHOOK].send(parcel)


def received(stand: Stand, endpoint: Json) -> list[Json]:
    found: list[Json] = stand.http.get(f"/open/hooks/{endpoint['name']}").json()["deliveries"]
    return found


async def test_the_receiver_gets_facts_and_ids_and_nobodys_words(stand: Stand, endpoint: Json) -> None:
    told = to(endpoint)
    assert await send(told) == Sent()
    [call] = received(stand, endpoint)
    assert call["id"] == str(told.delivery_id)
    assert json.loads(call["body"]) == {
        "id": str(told.notice_id),
        "type": "test.parcel",
        "occurredAt": told.created_at.isoformat(),
        "compound": base64.b64encode(f"Compound:{UUID(int=7)}".encode()).decode(),
        "urgency": "normal",
        "subject": base64.b64encode(f"House:{HOUSE}".encode()).decode(),
        "data": DATA,
    }


async def test_a_repetition_has_the_same_id(stand: Stand, endpoint: Json) -> None:
    told = to(endpoint)
    stand.fault("hooks", "deliver", "drop")
    assert isinstance(await send(told), Unknown)
    assert await send(told) == Sent()
    [call] = received(stand, endpoint)
    assert call["times"] == 2


def test_the_signature_is_that_of_the_specification() -> None:
    # The example that the specification's libraries are tested with.
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        datetime.fromtimestamp(1614265330, UTC),
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_secrets_are_long_and_differ() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert 24 <= len(base64.b64decode(first.removeprefix("whsec_"))) <= 64


def test_what_concerns_nothing_says_so() -> None:
    told = json.loads(body(parcel(compound_id=None)))
    assert (told["compound"], told["subject"]) == (None, None)


async def test_another_secret_is_refused(stand: Stand, endpoint: Json) -> None:
    refused = await send(to({**endpoint, "secret": new_secret()}))
    assert refused == Refused("HTTP_401", "no matching signature found")
    assert received(stand, endpoint) == []


@pytest.mark.parametrize(
    ("fault", "seconds", "code", "after_s"),
    [("http_429", 9.0, "HTTP_429", 9.0), ("http_500", 0.0, "HTTP_500", None), ("busy", 0.0, "HTTP_503", 1.0)],
)
async def test_a_receiver_in_trouble_is_tried_again(
    stand: Stand, endpoint: Json, fault: str, seconds: float, code: str, after_s: float | None
) -> None:
    stand.fault("hooks", "deliver", fault, seconds=seconds)
    told = to(endpoint)
    again = await send(told)
    assert isinstance(again, TryAgain)
    assert (again.code, again.after_s) == (code, after_s)
    assert await send(told) == Sent()


async def test_nobody_there_is_tried_again(reaching: object) -> None:
    again = await send(parcel("http://127.0.0.1:9/hook", keys=new_secret()))
    assert isinstance(again, TryAgain)
    assert again.code == "NOT_SENT"
    assert await senders()[Channel.WEBHOOK].was_sent(parcel(), clock.now()) is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Sent()),
        (299, Sent()),
        (302, Refused("HTTP_302", "")),
        (400, Refused("HTTP_400", "")),
        (404, Refused("HTTP_404", "")),
        (410, Refused("HTTP_410", "", Aftermath.DEAD_ADDRESS)),
        (502, TryAgain("HTTP_502", "")),
    ],
)
async def test_every_status_means_something(
    reaching: object, monkeypatch: pytest.MonkeyPatch, status: int, outcome: Outcome
) -> None:
    async def answer(*_: object) -> Answered:
        return Answered(status, {}, "")

    monkeypatch.setattr(Outside, "post", answer)
    assert await send(parcel("https://receiver.example/", keys=new_secret())) == outcome
