"""Scans at a gate with a network: who is let in, who is not, and what is left on record."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domains.access import signing
from domains.access.community import rules_of
from domains.access.gate import base45, cose
from domains.access.gate import texts as gate_texts
from domains.access.gate.claims import PassClaims
from domains.access.models import VisitorPass, VisitorPassDoor
from domains.access.service import texts, uses
from domains.kernel import clock, database
from domains.kernel.errors import Conflict, NotFound
from tests.factories import access, gates, residents
from tests.factories.gates import records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def test_a_visitor_comes_in_and_the_host_and_the_record_know(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, companions=2, plate="浙A12345")
    answer = await gate.scan(text, "in")
    assert answer.admits
    assert answer.guest is not None
    assert (answer.guest.name, answer.guest.companions, answer.guest.plate) == ("王来访", 2, "浙A12345")
    assert answer.guest.house_number == "1号楼1单元101"
    row = await database.fetchrow("SELECT * FROM access_record WHERE door_id = $1", gate.door_id)
    assert row is not None
    told = row["visitor_pass_id"], row["house_id"], row["who"], row["direction"], row["method"], row["result"]
    assert told == (pass_id, scene.house_id, "王来访", "in", "qr", "opened")
    [event] = await residents.events("VisitorAdmitted", pass_id)
    assert str(row["id"]) in event["payload"]
    now = await visit(pass_id)
    assert (now.state, now.uses) == ("used_up", 1)
    assert now.inside_since


async def test_of_fifty_gates_at_once_exactly_one_opens(scene: Scene) -> None:
    posts = [await gates.post(scene.compound_id, f"门{n}") for n in range(2)]
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    answers = await asyncio.gather(*(posts[n % 2].scan(text, "in") for n in range(50)))
    assert sorted(str(answer.reason) for answer in answers) == ["OK", *["USED_UP"] * 49]
    tried = [each for post in posts for each in await records(post.door_id)]
    assert (len(tried), tried.count(("opened", ""))) == (50, 1)
    assert len(await residents.events("VisitorAdmitted", pass_id)) == 1


async def test_what_was_revoked_first_opens_nothing_and_what_opened_first_has_opened(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    for _ in range(10):
        pass_id, text = await gates.text(scene.compound_id, scene.house_id)
        revoke = VisitorPass.filter(pk=pass_id, state="active").update(state="revoked", ended_at=clock.now())
        answer, was_active = await asyncio.gather(gate.scan(text, "in"), revoke)
        assert answer.reason == ("REVOKED" if was_active else "OK")
        assert (await visit(pass_id)).uses == (0 if was_active else 1)


async def test_the_same_scan_again_gets_the_same_answer_and_uses_nothing(scene: Scene) -> None:
    gate, id = await gates.post(scene.compound_id), uuid4()
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=5)
    first, again = await gate.scan(text, id=id), await gate.scan(text, id=id)
    assert first == again
    assert (await visit(pass_id)).uses == 1
    assert len(await records(gate.door_id)) == 1
    later = clock.FixedClock(clock.now() + timedelta(minutes=2))
    with clock.use(later), pytest.raises(Conflict, match="SCAN_REPEATED"):
        await gate.scan(text, id=id)


async def test_the_same_scan_twice_at_once_uses_one(scene: Scene) -> None:
    gate, id = await gates.post(scene.compound_id), uuid4()
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=5)
    await asyncio.gather(*(gate.scan(text, id=id) for _ in range(5)), return_exceptions=True)
    assert (await visit(pass_id)).uses == 1


async def test_one_entry_opens_each_inner_door_once(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    inner = await gates.post(scene.compound_id, "1号楼大堂", scene.building_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert [await gate.reason(text), await inner.reason(text)] == ["OK", "OK"]
    assert [await inner.reason(text), await gate.reason(text)] == ["USED_UP", "USED_UP"]
    assert (await visit(pass_id)).uses == 1
    assert len(await residents.events("VisitorAdmitted", pass_id)) == 1


async def test_an_inner_door_twice_at_once_opens_once_for_an_entry(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    inner = await gates.post(scene.compound_id, "1号楼大堂", scene.building_id)
    _, text = await gates.text(scene.compound_id, scene.house_id)
    await gate.scan(text)
    answers = await asyncio.gather(*(inner.reason(text) for _ in range(10)))
    assert sorted(answers) == ["OK", *["USED_UP"] * 9]


async def test_who_is_inside_gets_out_whatever_the_pass_is_by_now(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    await gate.scan(text, "in")
    with clock.use(clock.FixedClock(clock.now() + timedelta(hours=9))):
        assert await gate.reason(text, "out") == "OK"
        assert (await visit(pass_id)).inside_since is None
    after = await visit(pass_id)
    assert (after.uses, after.state) == (1, "used_up")


async def test_a_door_of_one_way_knows_better_than_its_reader(scene: Scene) -> None:
    way_in = await gates.post(scene.compound_id, direction="in")
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert await way_in.reason(text, "out") == "OK"
    assert (await visit(pass_id)).uses == 1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"kind": "vehicle_gate"}, "CAR_REFUSED"),
        ({"kind": "gate"}, "OK"),
        ({"mode": "closed"}, "DOOR_CLOSED"),
        ({"methods": ["app", "code"]}, "METHOD_OFF"),
        ({"is_for_visitors": False}, "OTHER_GATE"),
        ({"needs_screen": True}, "SCREEN_REQUIRED"),
    ],
)
async def test_what_the_door_takes(scene: Scene, columns: dict[str, Any], reason: str) -> None:
    await gates.post(scene.compound_id)
    door = await gates.post(scene.compound_id, "侧门", **columns)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, is_car_refused=True, plate="浙A12345")
    assert await door.reason(text, "in") == reason
    assert (await visit(pass_id)).uses == (reason == "OK")
    assert await records(door.door_id) == [("opened", "") if reason == "OK" else ("refused", reason)]


async def test_doors_that_are_not_the_pass_s(scene: Scene) -> None:
    gate, narrow = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    other = await gates.post(scene.compound_id, "2号楼大堂", scene.other_building_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=5)
    await VisitorPassDoor.create(visitor_pass_id=pass_id, door_id=narrow.door_id)
    text = await texts.text_of(pass_id)
    assert [await each.reason(text) for each in (gate, other, narrow)] == ["OTHER_GATE", "OTHER_GATE", "OK"]


async def test_a_gate_of_another_compound(scene: Scene) -> None:
    await gates.post(scene.compound_id)
    abroad = await gates.post(scene.other_compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert await abroad.reason(text) == "OTHER_COMMUNITY"
    assert (await visit(pass_id)).uses == 0
    assert await records(abroad.door_id) == [("refused", "OTHER_COMMUNITY")]


async def test_a_device_that_is_no_door_decides_nothing(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    await database.execute("UPDATE door SET removed_at = now() WHERE id = $1", gate.door_id)
    with pytest.raises(NotFound, match="GATE_UNKNOWN"):
        await gate.scan(text)
    assert (await visit(pass_id)).uses == 0


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"state": "requested", "decided_at": None}, "NOT_APPROVED"),
        ({"state": "rejected", "ended_at": "now"}, "REJECTED"),
        ({"state": "revoked", "ended_at": "now"}, "REVOKED"),
        ({"state": "expired", "ended_at": "now"}, "EXPIRED"),
        ({"state": "used_up", "ended_at": "now"}, "USED_UP"),
    ],
)
async def test_the_row_counts_and_not_the_paper(scene: Scene, columns: dict[str, Any], reason: str) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    now = {name: clock.now() if value == "now" else value for name, value in columns.items()}
    await VisitorPass.filter(pk=pass_id).update(**now)
    assert await gate.reason(text) == reason
    assert (await visit(pass_id)).uses == 0


@pytest.mark.parametrize(("minutes", "reason"), [(-2, "NOT_YET"), (0, "OK"), (120, "OK"), (122, "EXPIRED")])
async def test_the_window_with_a_minute_of_tolerance(scene: Scene, minutes: int, reason: str) -> None:
    gate = await gates.post(scene.compound_id)
    _, text = await gates.text(scene.compound_id, scene.house_id)
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=minutes))):
        assert await gate.reason(text) == reason


async def signed(
    community: int, id: UUID, *, key: Ed25519PrivateKey | None = None, context: bytes = cose.PASS
) -> bytes:
    """A pass that nobody made, signed by the right key or another."""
    signer, now = await signing.signer(), int(clock.now().timestamp())
    claims = PassClaims(community=community, id=id.bytes, not_before=now - 10, expires_at=now + 1000)
    return cose.sign(claims.to_cbor(), kid=signer.kid, key=key or signer.key, context=context)


async def test_forged_and_damaged_texts_are_refused_and_on_record(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    number = (await rules_of(scene.compound_id)).number
    forged = await signed(number, pass_id, key=Ed25519PrivateKey.generate())
    delta = await signed(number, pass_id, context=cose.REVOCATIONS)
    unknown = await signed(number, uuid4())
    flipped = bytearray(base45.decode(text[4:]))
    flipped[-1] ^= 1
    shown = {
        "": "NOT_A_PASS", "https://example.cn": "NOT_A_PASS", "1234567": "NOT_A_PASS", "\x00\ud7ff": "NOT_A_PASS",
        "RC1:": "MALFORMED", text[:-7]: "MALFORMED", "RC1:" + "A" * 4000: "TOO_LONG",
        gate_texts.still(forged): "BAD_SIGNATURE", gate_texts.still(delta): "BAD_SIGNATURE",
        gate_texts.still(bytes(flipped)): "BAD_SIGNATURE", gate_texts.still(unknown): "UNKNOWN_PASS",
        "RC1:" + base45.encode(secrets.token_bytes(150)): "MALFORMED",
    }  # fmt: skip
    assert {each: await gate.reason(each) for each in shown} == shown
    assert await records(gate.door_id) == [("refused", reason) for reason in shown.values()]
    assert (await visit(pass_id)).uses == 0


async def test_moving_codes(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id, needs_screen=True)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=9)
    key, message = await texts.screen_of(pass_id), base45.decode(text[4:])
    assert key is not None
    now = int(clock.now().timestamp())
    assert await gate.reason(gate_texts.moving(message, key, now - 20)) == "OK"
    assert await gate.reason(gate_texts.moving(message, key, now - 90)) == "SCREEN_STALE"
    assert await gate.reason(gate_texts.moving(message, bytes(32), now)) == "SCREEN_WRONG"
    assert (await visit(pass_id)).uses == 1


async def test_the_text_stays_the_same_and_fits_a_small_code(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    away = await gates.post(scene.compound_id, "2号楼大堂", scene.other_building_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, offline_door_id=gate.door_id)
    first = await texts.text_of(pass_id)
    assert first == await texts.text_of(pass_id)
    assert first is not None
    assert len(first) <= 210
    claims = PassClaims.from_cbor(cose.parse(base45.decode(first[4:])).payload)
    assert (claims.id, claims.uses, claims.gates, claims.bound_gate) == (pass_id.bytes, 1, (1,), 1)
    assert await texts.screen_of(pass_id) is None
    await database.execute(
        "UPDATE door SET removed_at = now() WHERE id = ANY($1)", [gate.door_id, away.door_id]
    )
    assert await texts.text_of(pass_id) is None


async def test_of_very_many_gates_the_nearest_are_in_the_text(scene: Scene) -> None:
    for n in range(20):
        await access.door(scene.compound_id, f"门{n}")
    inner = await access.door(scene.compound_id, "1号楼大堂", scene.building_id)
    await access.door(scene.compound_id, "2号楼大堂", scene.other_building_id)
    bound = await database.fetchval(
        "SELECT id FROM door WHERE compound_id = $1 AND number = 20", scene.compound_id
    )
    _, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=bound)
    claims = PassClaims.from_cbor(cose.parse(base45.decode(text[4:])).payload)
    number = await database.fetchval("SELECT number FROM door WHERE id = $1", inner)
    assert claims.gates == (*range(1, 15), 20, number)
    assert claims.bound_gate == 20


async def test_a_pass_that_counts_no_more_has_no_text(scene: Scene) -> None:
    await gates.post(scene.compound_id)
    for state in ("revoked", "expired", "rejected"):
        ended: dict[str, Any] = {"state": state, "ended_at": clock.now()}
        assert (
            await texts.text_of(await access.visitor_pass(scene.compound_id, scene.house_id, **ended)) is None
        )
    used = await access.visitor_pass(scene.compound_id, scene.house_id)
    assert await uses.use(used, clock.now()) == 1
    assert await texts.text_of(used)
    assert await texts.text_of(uuid4()) is None


async def test_a_scan_costs_a_fixed_number_of_statements(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    _, text = await gates.text(scene.compound_id, scene.house_id)
    async with database.counted() as spent:
        await gate.scan(text)
    assert spent.count == 10, spent.texts
