"""Who is refused without end fills no records, locks what is to be locked, and keeps nobody else out."""

from __future__ import annotations

from uuid import UUID, uuid4

import orjson
import pytest

from domains.access.gate.reasons import Kind, Reason
from domains.access.service import hearing, recording
from domains.access.service.uploads import Told, receive
from domains.devices.link import Message
from domains.devices.models import DeviceRefusal
from domains.devices.service.refusals import refusals
from domains.kernel import clock
from domains.kernel.rates import RateLimit, WhenDown
from tests.factories import gates, residents
from tests.factories.gates import Post, records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "REFUSED", RateLimit("refused-at-door", 1, 3600, 3, WhenDown.OPEN))


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def counted(post: Post) -> dict[tuple[str, str], int]:
    await refusals().write()
    return {(row.way, row.code): row.count for row in await DeviceRefusal.filter(device_id=post.device_id)}


async def test_scans(scene: Scene) -> None:
    gate, other = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    _, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=1)
    assert [await gate.reason("RC1:junk") for _ in range(8)] == ["MALFORMED"] * 8
    assert await records(gate.door_id) == [("refused", "MALFORMED")] * 3
    assert await counted(gate) == {("http", "ATTEMPTS_TOO_MANY"): 5}
    assert await other.reason("RC1:junk") == "MALFORMED"
    assert [await gate.reason(text) for _ in range(2)] == ["OK", "USED_UP"]
    assert (await records(gate.door_id))[3:] == [("opened", "")]
    assert len(await records(other.door_id)) == 1


async def test_wrong_digits_lock_the_keypad_all_the_same(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    answers = [await gate.reason("000000") for _ in range(20)]
    assert answers == ["CODE_WRONG"] * 10 + ["CODE_LOCKED"] * 10
    assert await records(gate.door_id) == [("refused", "CODE_WRONG")] * 10 + [("refused", "CODE_LOCKED")] * 3


async def test_what_a_gate_tells_later(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, _ = await gates.text(scene.compound_id, scene.house_id, uses_allowed=1)
    for part in range(3):
        told = [
            Told(n, uuid4(), None, None, clock.now(), Reason.MALFORMED) for n in range(3 * part, 3 * part + 3)
        ]
        await receive(gate.device_id, told)
    entry = Told(10, uuid4(), Kind.VISITOR, pass_id, clock.now(), Reason.OK)
    junk = Told(9, uuid4(), None, None, clock.now(), Reason.MALFORMED)
    assert (await receive(gate.device_id, [junk, entry])).up_to == 10
    assert await records(gate.door_id) == [("refused", "MALFORMED")] * 3 + [("opened", "")]
    assert (await visit(pass_id)).uses == 1
    assert await counted(gate) == {("http", "ATTEMPTS_TOO_MANY"): 7}


def card(device_id: UUID, result: str) -> Message:
    body = orjson.dumps({"id": str(uuid4()), "kind": "card", "result": result})
    return Message(device_id, "evt", body, clock.now(), retained=False)


async def test_cards(scene: Scene) -> None:
    gate, other = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    for _ in range(3):
        await hearing.hear_events([card(gate.device_id, "refused") for _ in range(3)])
    mixed = [
        card(gate.device_id, "refused"),
        card(gate.device_id, "opened"),
        card(other.device_id, "refused"),
    ]
    await hearing.hear_events(mixed)
    assert await records(gate.door_id) == [("refused", "")] * 3 + [("opened", "")]
    assert await records(other.door_id) == [("refused", "")]
    assert await counted(gate) == {("mqtt", "ATTEMPTS_TOO_MANY"): 7}
