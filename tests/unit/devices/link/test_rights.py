"""What the example configuration allows a device: its own topics, under its own name."""

from __future__ import annotations

import asyncio
import gc
from uuid import UUID, uuid4

import aiomqtt
import pytest

from domains.devices.link import Consumer, Link
from tests.broker import Mosquitto
from tests.unit.devices.link.conftest import Taken, eventually

SUFFIXES = ("ack", "evt", "state", "telemetry", "alarm")


@pytest.fixture
async def listening(real: Mosquitto, taken: Taken) -> Link:
    return Link(real.url, f"test-{uuid4()}", Consumer(dict.fromkeys((*SUFFIXES, "cmd", "other"), taken)))


async def test_a_device_speaks_on_its_own_topics(
    real: Mosquitto, listening: Link, taken: Taken, devices: list[UUID]
) -> None:
    async with listening, real.device(devices[0]) as door:
        await asyncio.wait_for(listening.online.wait(), 10)
        for suffix in SUFFIXES:
            await door.publish(f"linli/v1/{devices[0]}/{suffix}", suffix.encode(), qos=1)
        await eventually(lambda: len(taken.messages) == len(SUFFIXES))
    assert {(each.device_id, each.suffix, each.payload) for each in taken.messages} == {
        (devices[0], suffix, suffix.encode()) for suffix in SUFFIXES
    }


async def test_a_device_speaks_for_no_other_and_gives_no_commands(
    real: Mosquitto, listening: Link, taken: Taken, devices: list[UUID]
) -> None:
    one, other, _ = devices
    async with listening, real.device(one) as door:
        await asyncio.wait_for(listening.online.wait(), 10)
        for forbidden in (f"{other}/ack", f"{other}/cmd", f"{one}/cmd", f"{one}/other", f"{one}/ack/x", "x"):
            await door.publish(f"linli/v1/{forbidden}", b"forged", qos=1)
        await door.publish(f"linli/v1/{one}/ack", b"own", qos=1)
        await eventually(lambda: taken.messages)
        await asyncio.sleep(0.2)
    assert taken.payloads == [b"own"]


@pytest.mark.parametrize(
    "topic", ["linli/v1/{}/cmd", "linli/v1/+/cmd", "linli/v1/#", "#", "$share/x/linli/v1/+/cmd"]
)
async def test_a_device_hears_no_commands_but_its_own(
    real: Mosquitto, link: Link, devices: list[UUID], topic: str
) -> None:
    one, other, _ = devices
    async with real.device(one) as spy, real.device(other) as door:
        await door.subscribe(f"linli/v1/{other}/cmd", qos=1)
        await spy.subscribe(topic.format(other), qos=1)
        await link.publish(other, "cmd", b"open", expires_in_s=10)
        assert (await anext(aiter(door.messages))).payload == b"open"
        await asyncio.sleep(0.2)
        assert len(spy.messages) == 0


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"username": None, "password": None}])
async def test_who_does_not_prove_who_it_is_is_not_let_in(
    real: Mosquitto, devices: list[UUID], change: dict[str, str | None]
) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori"):
        async with real.device(devices[0], **change):
            pass


async def test_no_device_pushes_another_out_by_taking_its_client_id(
    real: Mosquitto, devices: list[UUID]
) -> None:
    one, other, _ = devices
    async with Link(real.url, "linli-worker") as link:
        await asyncio.wait_for(link.online.wait(), 10)
        async with real.device(other) as door:
            await door.subscribe(f"linli/v1/{other}/cmd", qos=1)
            for stolen in (str(other), "linli-worker"):
                async with real.device(one, identifier=stolen):
                    await asyncio.sleep(0.1)
            await link.publish(other, "cmd", b"open", expires_in_s=10)
            assert (await anext(aiter(door.messages))).payload == b"open"
        assert link.counts == {"connected": 1, "published": 1}


# The library leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_line_may_be_encrypted_and_an_unknown_certificate_is_refused(
    real: Mosquitto, devices: list[UUID], taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Link(real.tls_url, "test") as link:
        await eventually(lambda: link.counts["lost"] >= 1)
        assert not link.online.is_set()
    gc.collect()
    monkeypatch.setenv("SSL_CERT_FILE", str(real.certificate))
    async with Link(real.tls_url, "test", Consumer({"evt": taken})) as link, real.device(devices[0]) as door:
        await asyncio.wait_for(link.online.wait(), 10)
        for number in range(200):
            await door.publish(f"linli/v1/{devices[0]}/evt", b"%d" % number * 1000, qos=1)
        await eventually(lambda: len(taken.messages) == 200)


async def test_the_wrong_password_is_the_brokers_reason_and_is_not_in_the_log(
    real: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Link(real.url.replace("test-password", "s3cret"), "test") as link:
        await eventually(lambda: link.counts["lost"] >= 1)
    shown = capsys.readouterr().out
    assert "Not authorized" in shown
    assert "s3cret" not in shown
