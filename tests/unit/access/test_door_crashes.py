"""A process is killed in the middle of opening a door: nothing opens twice, nothing opens late."""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

import pytest

from api.instance import Addresses
from api.settings import REPOSITORY, Settings
from domains.access.models import DoorCommand
from domains.access.service import sending
from domains.access.service.opening import open_door
from domains.access.service.settling import settle_commands
from tests.unit.access.door_scenes import age, doors, records, sent_to, tap

pytestmark = pytest.mark.usefixtures("instance")


@pytest.mark.parametrize("where", ["committed", "sending"])
async def test_an_order_outlives_its_process(where: str, settings: Settings, addresses: Addresses) -> None:
    at, key = await doors(), uuid4()
    owner = await at.resident()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.access.door_process", where, str(settings.home), addresses.owner_url,
        addresses.app_url, addresses.redis_url, str(owner.id), str(at.unit), str(key), cwd=REPOSITORY,
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 60) == -9
    [order] = await DoorCommand.filter(door_id=at.unit)
    assert order.state == "sent"
    await age(order.id, 11)
    # Asked again with the same key, after its time: the same order, and nothing is sent.
    assert await open_door(owner, door_id=at.unit, idempotency_key=key) == order.id
    assert await sent_to(at.unit) == 0
    await settle_commands(None)
    assert (await DoorCommand.get(pk=order.id)).state == "unknown"
    assert [each["result"] for each in await records(at.unit)] == ["unknown"]
    assert (await tap(owner, at.unit)).state == "opened"
    assert await sent_to(at.unit) == 1


async def test_an_order_whose_process_died_is_sent_by_nobody_else(
    settings: Settings, addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, key = await doors(), uuid4()
    owner = await at.resident()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.access.door_process", "committed", str(settings.home), addresses.owner_url,
        addresses.app_url, addresses.redis_url, str(owner.id), str(at.unit), str(key), cwd=REPOSITORY,
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 60) == -9
    [order] = await DoorCommand.filter(door_id=at.unit)
    # However long that process took to die: what counts is the order's own time.
    await age(order.id, -5)
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)
    assert await open_door(owner, door_id=at.unit, idempotency_key=key) == order.id
    assert await open_door(owner, door_id=at.unit, idempotency_key=uuid4()) == order.id
    assert (await DoorCommand.get(pk=order.id)).state == "sent"
    assert await sent_to(at.unit) == 0
