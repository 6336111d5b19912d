"""What controllers say: believed about their own door, once, and rubbish of one holds up nobody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import orjson
import pytest

from api import devices_listening
from domains.access.controllers import orders
from domains.access.controllers.simulator import Controller
from domains.access.gate import cose
from domains.access.models import Door, DoorCommand
from domains.access.service import hearing, sending
from domains.access.service.settling import settle_overdue
from domains.access.service.waiting import outcomes
from domains.access.signing import public_keys, signer
from domains.devices.link import Handler, Message
from domains.devices.models import Alarm
from domains.kernel import clock, database
from domains.kernel.ids import uuid7
from tests.unit.access.door_scenes import Doors, age, behave, device_of, doors, records

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def under_way(at: Doors) -> DoorCommand:
    """An order that was sent and not answered."""
    await behave(at.unit, answers=False)
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", at.at.owner.account_id, at.at.house_id)
    assert await sending.send(id)
    return await DoorCommand.get(pk=id)


def said(device_id: UUID, suffix: str, body: object) -> Message:
    payload = body if isinstance(body, bytes) else orjson.dumps(body, default=str)
    return Message(device_id, suffix, payload, clock.now(), retained=False)


def ack(device_id: UUID, command_id: object, result: object = "opened", **more: object) -> Message:
    now = int(clock.now().timestamp() * 1000)
    return said(device_id, "ack", {"id": command_id, "result": result, "reason": "", "at": now, **more})


async def state(id: UUID) -> str:
    return (await DoorCommand.get(pk=id)).state


async def test_only_the_doors_own_controller_is_believed(at: Doors) -> None:
    made = await under_way(at)
    await hearing.hear_acks([ack(await device_of(at.gate), made.id), ack(uuid4(), made.id)])
    assert await state(made.id) == "sent"
    assert await records(at.unit) == []
    # In one batch with the truth a lie hides nothing.
    await hearing.hear_acks([ack(await device_of(at.gate), made.id), ack(await device_of(at.unit), made.id)])
    assert await state(made.id) == "opened"


async def test_a_process_writes_down_what_somebody_there_waits_for(at: Doors) -> None:
    made, device = await under_way(at), await device_of(at.unit)
    rubbish = [said(device, "ack", each) for each in RUBBISH]
    async with database.counted() as cost:
        await hearing.hear_awaited_acks([*rubbish, ack(device, made.id)])
    assert (cost.count, await state(made.id)) == (0, "sent")
    lie = ack(await device_of(at.gate), made.id, "refused")
    with outcomes().expected(made.id) as settled:
        async with database.counted() as cost:
            await hearing.hear_awaited_acks([lie, *rubbish, ack(device, made.id)])
        assert settled.is_set()
    assert (cost.count, await state(made.id)) == (1, "opened")


async def test_a_thousand_answers_that_are_written_down_already_cost_one_statement(at: Doors) -> None:
    made, device = await under_way(at), await device_of(at.unit)
    await hearing.hear_acks([ack(device, made.id)])
    async with database.counted() as cost:
        await hearing.hear_acks([ack(device, made.id) for _ in range(1000)])
    assert cost.count == 1
    assert len(await records(at.unit)) == 1


async def ordered(at: Doors, *actions: str) -> list[UUID]:
    """Modes that somebody has ordered, one after the other, and the controller has not answered."""
    await behave(at.unit, answers=False)
    ids = []
    for action in actions:
        async with database.transaction():
            [id] = await sending.add([at.unit], action, at.at.owner.account_id)
        await sending.send(id)
        ids.append(id)
    return ids


async def test_an_earlier_mode_that_is_answered_late_changes_nothing(at: Doors) -> None:
    device, (earlier, later) = await device_of(at.unit), await ordered(at, "closed", "normal")
    for id in (later, earlier):
        await hearing.hear_acks([ack(device, id)])
    assert await state(earlier) == "opened"
    assert (await Door.get(pk=at.unit)).mode == "normal"


async def test_of_modes_that_are_answered_together_the_last_stands(at: Doors) -> None:
    device, ids = await device_of(at.unit), await ordered(at, "closed", "hold_open", "normal", "hold_open")
    await hearing.hear_acks([ack(device, id) for id in ids[::-1]])
    assert {await state(id) for id in ids} == {"opened"}
    assert (await Door.get(pk=at.unit)).mode == "held_open"
    assert await records(at.unit) == []


async def test_an_answer_counts_once_however_often_and_by_whom_it_is_heard(at: Doors) -> None:
    made, device = await under_way(at), await device_of(at.unit)
    again = [ack(device, made.id), ack(device, made.id, "refused")]
    await asyncio.gather(*(hearing.hear_acks(again) for _ in range(8)))
    assert await state(made.id) == "opened"
    assert [each["result"] for each in await records(at.unit)] == ["opened"]
    await hearing.hear_acks([ack(device, made.id, "refused")])
    assert await state(made.id) == "opened"


async def test_batches_of_two_processes_in_other_orders_do_not_wait_in_a_circle(at: Doors) -> None:
    device = await device_of(at.unit)
    async with database.transaction():
        ids = await sending.add([at.unit] * 20, "hold_open")
    for id in ids:
        await sending.send(id)
    acks = [ack(device, id) for id in ids]
    await asyncio.gather(*(hearing.hear_acks(each) for each in (acks, acks[::-1], acks, acks[::-1])))
    assert {await state(id) for id in ids} == {"opened"}


async def test_an_answer_before_the_order_left_is_none(at: Doors) -> None:
    async with database.transaction():
        [id] = await sending.add([at.unit], "open", at.at.owner.account_id, at.at.house_id)
    await hearing.hear_acks([ack(await device_of(at.unit), id)])
    assert await state(id) == "requested"


RUBBISH = (
    b"", b"\xff\xfe\x00", b"[]", b"null", b"{", b'{"id": 1}', b'{"id": "x", "result": "opened"}', b"[" * 5000,
    b'{"id": "01a1fd87-52fa-7044-8728-d9813110c154", "result": "exploded"}',
    b'{"id": "01a1fd87-52fa-7044-8728-d9813110c154", "result": "unknown"}',
)  # fmt: skip


@pytest.mark.parametrize("hear", [hearing.hear_acks, hearing.hear_events, hearing.hear_positions])
async def test_rubbish_changes_nothing_and_holds_up_nobody(at: Doors, hear: Handler) -> None:
    made, device = await under_way(at), await device_of(at.unit)
    await hear([said(device, "x", each) for each in RUBBISH])
    await hearing.hear_acks([*(said(device, "ack", each) for each in RUBBISH), ack(device, made.id)])
    assert await state(made.id) == "opened"
    assert len(await records(at.unit)) == 1


@pytest.mark.parametrize("at_ms", [None, "now", -1, 2**62, 1.5, True])
async def test_a_time_that_cannot_be_is_none(at: Doors, at_ms: object) -> None:
    made = await under_way(at)
    await hearing.hear_acks([ack(await device_of(at.unit), made.id, at=at_ms)])
    order = await DoorCommand.get(pk=made.id)
    assert (order.state, order.acted_at) == ("opened", None)
    [record] = await records(at.unit)
    assert abs(record["at"] - clock.now()) < timedelta(seconds=30)


async def test_a_clock_that_is_wrong_is_kept_beside_ours(at: Doors) -> None:
    made, wrong = await under_way(at), clock.now() - timedelta(days=400)
    await hearing.hear_acks([ack(await device_of(at.unit), made.id, at=int(wrong.timestamp() * 1000))])
    [record] = await records(at.unit)
    assert abs(record["device_at"] - wrong) < timedelta(seconds=1)
    assert abs(record["at"] - clock.now()) < timedelta(seconds=30)


async def test_unknown_is_left_for_what_the_controller_says_and_expired_is_not(at: Doors) -> None:
    made = await under_way(at)
    assert await settle_overdue(made.id) == 0
    await age(made.id, 9)
    assert await settle_overdue(made.id) == 0, "an answer may be on its way for two seconds"
    await age(made.id, 2)
    assert await settle_overdue(made.id) == 1
    assert await state(made.id) == "unknown"
    await hearing.hear_acks([ack(await device_of(at.unit), made.id, "expired", reason="COMMAND_EXPIRED")])
    assert await state(made.id) == "expired"
    await hearing.hear_acks([ack(await device_of(at.unit), made.id)])
    assert await state(made.id) == "expired"
    assert [each["result"] for each in await records(at.unit)] == ["unknown", "refused"]


async def test_other_ways_through_a_door_are_on_record_once(at: Doors) -> None:
    device, now = await device_of(at.unit), int(clock.now().timestamp() * 1000)
    events = [
        said(device, "evt", {"id": 7, "kind": "card", "at": now, "direction": "in"}),
        said(device, "evt", {"id": "8", "kind": "face", "at": now, "result": "refused"}),
        said(device, "evt", {"id": 9, "kind": "opened_by_button", "at": 1000, "direction": "out"}),
        said(device, "evt", {"id": 10, "kind": "levitation", "at": now}),
        said(device, "evt", {"kind": "card", "at": now}),
        said(uuid4(), "evt", {"id": 7, "kind": "card", "at": now}),
    ]
    await hearing.hear_events(events)
    await asyncio.gather(*(hearing.hear_events(events) for _ in range(4)))
    found = [(each["method"], each["result"], each["direction"]) for each in await records(at.unit)]
    assert found == [("card", "opened", "in"), ("face", "refused", "unknown"), ("button", "opened", "out")]
    assert abs((await records(at.unit))[2]["at"] - clock.now()) < timedelta(seconds=30)


async def test_what_is_wrong_with_a_door_is_an_alarm(at: Doors) -> None:
    device, now = await device_of(at.unit), int(clock.now().timestamp() * 1000)
    await hearing.hear_events(
        [
            said(device, "evt", {"id": 1, "kind": each, "at": now})
            for each in ("door_forced", "tamper", "door_forced")
        ]
    )
    kinds = [each.kind for each in await Alarm.filter(device_id=device).order_by("kind")]
    assert kinds == ["door_forced", "tamper"]
    await hearing.hear_events([said(device, "evt", {"id": 2, "kind": "tamper", "active": False, "at": now})])
    assert (await Alarm.get(device_id=device, kind="tamper")).calm_since is not None


async def test_how_a_door_stands_is_what_was_said_last(at: Doors) -> None:
    device, now = await device_of(at.unit), int(clock.now().timestamp() * 1000)

    async def position() -> str:
        return (await Door.get(pk=at.unit)).position

    assert await position() == "unknown"
    await hearing.hear_positions(
        [said(device, "state", {"online": True, "position": each, "at": now}) for each in ("closed", "open")]
    )
    assert await position() == "open"
    # One that was overtaken on the way does not count, a goodbye does.
    await hearing.hear_positions(
        [said(device, "state", {"online": True, "position": "closed", "at": now - 5000})]
    )
    assert await position() == "open"
    await hearing.hear_positions([said(device, "state", {"online": False})])
    assert await position() == "unknown"


async def test_an_order_is_believed_for_its_device_in_its_time_and_once(at: Doors) -> None:
    device, now, keys, key = uuid4(), clock.now(), await public_keys(), await signer()
    keys = await public_keys()
    controller = Controller(device)

    def order(**changes: object) -> orders.Order:
        given = {
            "id": uuid7(), "device_id": device, "action": "open", "issued_at": now,
            "expires_at": now + timedelta(seconds=8),
        }  # fmt: skip
        return orders.Order(**given | changes)  # type: ignore[arg-type]  # the fields' own types, put together by name

    good = orders.write(order(), key)
    for _ in range(3):
        answer = controller.take(good, keys, now)
        assert answer is not None and answer.result == "opened"
    assert controller.openings == 1
    late = controller.take(orders.write(order(), key), keys, now + timedelta(seconds=8))
    assert late is not None and late.result == "expired"
    assert controller.take(orders.write(order(device_id=uuid4()), key), keys, now) is None
    assert (
        controller.take(orders.write(order(expires_at=now + timedelta(seconds=11)), key), keys, now) is None
    )
    body = cose.verify(good, keys, cose.DOOR)
    for context in (cose.PASS, cose.CODE, cose.REVOCATIONS):
        assert controller.take(cose.sign(body, kid=key.kid, key=key.key, context=context), keys, now) is None
    assert controller.take(good[:-1] + bytes([good[-1] ^ 1]), keys, now) is None
    assert controller.openings == 1


async def test_of_two_modes_that_overtake_each_other_the_later_stands(at: Doors) -> None:
    device, now, key = uuid4(), clock.now(), await signer()
    keys, controller = await public_keys(), Controller(device)
    end = now + timedelta(seconds=8)
    earlier = orders.write(orders.Order(uuid7(), device, "closed", now - timedelta(seconds=1), end), key)
    later = orders.write(orders.Order(uuid7(), device, "hold_open", now, end), key)
    assert controller.take(later, keys, now) is not None
    overtaken = controller.take(earlier, keys, now)
    assert overtaken is not None and (overtaken.result, overtaken.reason) == ("refused", "OVERTAKEN")
    assert controller.mode == "hold_open"


async def test_the_listener_takes_an_answer_only_when_the_end_may_be_on_the_disk(
    at: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, waited = await under_way(at), asyncio.Event()
    device = await device_of(at.unit)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await waited.wait()

    monkeypatch.setattr(devices_listening, "asyncio", SimpleNamespace(sleep=pause))

    async def hear() -> None:
        await devices_listening.ROUTES["ack"]([ack(device, made.id)])

    hears = asyncio.create_task(hear())
    while not pauses:
        await asyncio.sleep(0)
    before = await state(made.id)
    waited.set()
    await hears
    assert (pauses, before) == ([devices_listening.ANSWERS_LATER_S], "sent")
    assert await state(made.id) == "opened"
