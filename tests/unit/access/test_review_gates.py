"""Visits over several doors and several days: what is counted, who is inside, whoever tells of it and however late."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.access import signing
from domains.access.community import rules_of
from domains.access.gate import revocations
from domains.access.gate.reasons import Kind, Reason
from domains.access.gate.verifier import Gate, GateSettings, Unbound
from domains.access.models import AccessRules, ResidentCode, VisitorPass
from domains.access.service import lists, texts
from domains.access.service import passes as revoke
from domains.access.service.uploads import Received, Told, receive
from domains.kernel import clock, database
from domains.kernel.errors import DomainError
from tests.factories import access, gates, guards, residents
from tests.factories.gates import Post, records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def way(scene: Scene) -> tuple[Post, Post]:
    """The compound's gate and the hall of the house's building."""
    return (
        await gates.post(scene.compound_id),
        await gates.post(scene.compound_id, "1号楼大堂", scene.building_id),
    )


def opened(sequence: int, shown: UUID, at: datetime, **more: object) -> Told:
    """A gate let somebody in on its own."""
    made = Told(sequence, uuid4(), Kind.VISITOR, shown, at, Reason.OK, "in")
    return replace(made, **more)  # type: ignore[arg-type]  # fields of the event


async def send(gate: Post, *events: Told) -> Received:
    return await receive(gate.device_id, events)


async def test_who_comes_again_gets_to_the_inner_door_again(scene: Scene) -> None:
    """Nobody saw them leave in between."""
    gate, hall = await way(scene)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=2)
    for _ in range(2):
        assert [await gate.reason(text, "in"), await hall.reason(text, "in")] == ["OK", "OK"]
    assert await hall.reason(text, "in") == "USED_UP"
    assert (await visit(pass_id)).uses == 2


async def test_who_comes_again_is_inside_since_then(scene: Scene) -> None:
    gate, _ = await way(scene)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=2)
    await gate.scan(text, "in")
    later = clock.now() + timedelta(hours=1)
    with clock.use(clock.FixedClock(later)):
        await gate.scan(text, "in")
    assert (await visit(pass_id)).inside_since == later


async def test_who_leaves_the_building_is_still_in_the_compound(scene: Scene) -> None:
    gate, hall = await way(scene)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert [await gate.reason(text, "in"), await hall.reason(text, "in")] == ["OK", "OK"]
    with clock.use(clock.FixedClock(clock.now() + timedelta(hours=9))):
        assert await hall.reason(text, "out") == "OK"
        assert (await visit(pass_id)).inside_since
        assert await gate.reason(text, "out") == "OK"
        assert (await visit(pass_id)).inside_since is None


async def test_where_the_building_is_the_way_in_it_is_the_way_out(scene: Scene) -> None:
    _, hall = await way(scene)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert [await hall.reason(text, "in"), await hall.reason(text, "out")] == ["OK", "OK"]
    assert (await visit(pass_id)).inside_since is None


async def test_the_same_holds_for_what_is_told_later(scene: Scene) -> None:
    gate, hall = await way(scene)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    at = clock.now() - timedelta(hours=1)
    await send(gate, opened(1, pass_id, at))
    await send(hall, opened(1, pass_id, at + MINUTE), opened(2, pass_id, at + 9 * MINUTE, direction="out"))
    assert (await visit(pass_id)).inside_since == at
    await send(gate, opened(2, pass_id, at + 10 * MINUTE, direction="out"))
    now = await visit(pass_id)
    assert (now.inside_since, now.uses) == (None, 1)


async def test_what_is_told_late_changes_nothing_about_now(scene: Scene) -> None:
    gate, other = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=9)
    ago = clock.now() - timedelta(hours=2)
    await gate.scan(text, "in")
    since = (await visit(pass_id)).inside_since
    await send(other, opened(1, pass_id, ago), opened(2, pass_id, ago + MINUTE, direction="out"))
    assert (await visit(pass_id)).inside_since == since, "came in after that"
    await gate.scan(text, "out")
    await send(other, opened(3, pass_id, ago + 2 * MINUTE))
    now = await visit(pass_id)
    assert now.inside_since is None, "went out after that"
    assert now.uses == 3


@pytest.mark.parametrize("gone", [False, True])
async def test_an_entry_is_one_use_whichever_door_tells_first(scene: Scene, gone: bool) -> None:
    gate, hall = await way(scene)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    at = clock.now() - timedelta(hours=1)
    left = [opened(2, pass_id, at + 30 * MINUTE, direction="out")] if gone else []
    await send(hall, opened(1, pass_id, at + MINUTE), *left)
    await send(gate, opened(1, pass_id, at))
    assert (await visit(pass_id)).uses == 1
    assert await records(gate.door_id) == [("opened", "")]
    assert not await residents.events("PassOverused", pass_id)
    await send(gate, opened(2, pass_id, at + 2 * MINUTE))
    assert (await visit(pass_id)).uses == 2, "an inner door stands for one entry"


async def test_an_inner_door_online_and_its_gate_offline_are_one_use(scene: Scene) -> None:
    gate, hall = await way(scene)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert await hall.reason(text, "in") == "OK"
    at = clock.now() - MINUTE
    await send(gate, opened(1, pass_id, at))
    now = await visit(pass_id)
    assert (now.uses, now.state) == (1, "used_up")
    assert await hall.reason(text, "in") == "USED_UP"


async def test_what_an_inner_door_took_covers_no_entry_of_another_hour(scene: Scene) -> None:
    gate, hall = await way(scene)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=5)
    at = clock.now() - timedelta(hours=3)
    await send(hall, opened(1, pass_id, at))
    await send(gate, opened(1, pass_id, at + 40 * MINUTE), opened(2, pass_id, at - 40 * MINUTE))
    assert (await visit(pass_id)).uses == 3


async def test_a_scan_that_was_decided_alone_for_want_of_an_answer_is_one_use(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=5)
    told = opened(1, pass_id, clock.now())
    assert (await gate.scan(text, "in", id=told.id)).admits
    assert (await send(gate, told)).repeated == 1
    assert (await visit(pass_id)).uses == 1
    assert await records(gate.door_id) == [("opened", "")]


async def test_the_gate_that_had_no_answer_names_its_event_after_the_scan(
    scene: Scene, tmp_path: Path
) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(
        scene.compound_id, scene.house_id, uses_allowed=5, offline_door_id=post.door_id
    )
    gate, id = await offline(scene, post, tmp_path), uuid4()
    await post.scan(text, "in", id=id)
    assert gate.admit(text, int(clock.now().timestamp()), id.bytes).opens
    [event] = gate.waiting()
    assert event.id == id.bytes
    at = datetime.fromtimestamp(event.at, clock.SHANGHAI)
    got = await send(
        post, Told(event.sequence, UUID(bytes=event.id), event.kind, pass_id, at, event.reason, "in")
    )
    assert (got.repeated, (await visit(pass_id)).uses) == (1, 1)


async def test_all_at_once_no_use_is_lost_and_nobody_waits_in_a_circle() -> None:
    at = await guards.post()
    await rules_of(at.scene.compound_id)
    await AccessRules.filter(compound_id=at.scene.compound_id).update(counts_offline=True)
    post, other = [await gates.post(at.scene.compound_id, name) for name in ("东门", "西门")]
    passes = [await at.visitor(uses_allowed=30) for _ in range(3)]
    shown = [await texts.text_of(each) or "" for each in passes]
    last = [await at.visitor() for _ in range(6)]
    now = clock.now()
    ends = await asyncio.gather(
        *(post.scan(text, "in") for text in shown * 4),
        *(at.admit(id) for id in passes * 4),
        *(send(other, *(opened(10 * n + k, id, now) for k, id in enumerate(passes))) for n in range(4)),
        *(at.admit(id) for id in last),
        *(revoke.revoke_visitor_pass(at.guard, visitor_pass_id=id) for id in last),
        return_exceptions=True,
    )
    assert not [each for each in ends if isinstance(each, Exception) and not isinstance(each, DomainError)]
    assert [(await visit(id)).uses for id in passes] == [12] * 3
    assert {(await visit(id)).state for id in last} == {"revoked"}


async def test_what_the_server_refused_and_the_gate_opened_is_written(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    await VisitorPass.filter(pk=pass_id).update(state="revoked", ended_at=clock.now())
    told = opened(1, pass_id, clock.now())
    assert await gate.reason(text, "in") == "REVOKED"
    refused = await gate.scan(text, "in", id=told.id)
    assert not refused.admits
    await send(gate, told)
    assert await records(gate.door_id) == [("refused", "REVOKED"), ("refused", "REVOKED"), ("opened", "")]
    assert (await visit(pass_id)).uses == 1


async def test_a_residents_code_asked_for_again_gets_its_answer(scene: Scene) -> None:
    gate, code, id = (
        await gates.post(scene.compound_id),
        await gates.code(scene.owner, scene.house_id),
        uuid4(),
    )
    assert (await gate.scan(code, id=id)).admits
    assert (await gate.scan(code, id=id)).admits
    assert await gate.reason(code) == "CODE_USED"
    later = clock.FixedClock(clock.now() + 2 * MINUTE)
    with clock.use(later):
        assert (await gate.scan(code, id=id)).reason == "CODE_USED"
    assert [each for each in await records(gate.door_id) if each[0] == "opened"] == [("opened", "")]


async def test_a_code_is_told_once_whoever_opened_for_it(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.owner, scene.house_id)
    await gate.scan(code)
    id: UUID = (await ResidentCode.all().order_by("-issued_at").first().values("id"))["id"]
    got = await send(gate, *(opened(n, id, clock.now(), kind=Kind.RESIDENT) for n in (1, 2)))
    assert got.repeated == 2
    assert await records(gate.door_id) == [("opened", "")]


@pytest.mark.parametrize(("hours", "reason"), [(-1, "NOT_YET"), (9, "EXPIRED")])
async def test_a_record_says_whose_pass_was_refused(scene: Scene, hours: int, reason: str) -> None:
    gate = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    with clock.use(clock.FixedClock(clock.now() + timedelta(hours=hours))):
        answer = await gate.scan(text, "in")
    assert (answer.reason, answer.guest and answer.guest.name) == (reason, "王来访")
    row = await database.fetchrow("SELECT * FROM access_record WHERE door_id = $1", gate.door_id)
    assert row is not None
    assert (row["visitor_pass_id"], row["house_id"], row["who"]) == (pass_id, scene.house_id, "王来访")


async def test_a_screenshot_is_on_record_with_its_pass(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id, needs_screen=True)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    assert await gate.reason(text, "in") == "SCREEN_REQUIRED"
    assert (
        await database.fetchval("SELECT visitor_pass_id FROM access_record WHERE door_id = $1", gate.door_id)
        == pass_id
    )


async def revoked(gate: Post, after: int = 0) -> list[bytes]:
    """The passes of the list after a sequence, as the gate reads them."""
    part = await lists.revocations_after(gate.device_id, after=after)
    return list(revocations.read(part.delta, await signing.public_keys()).revoked)


async def offline(scene: Scene, gate: Post, folder: Path, unbound: Unbound = Unbound.COUNT) -> Gate:
    """The gate as it is after it has asked for the list and lost its network."""
    held = await lists.keys_of(gate.device_id)
    keys = {kid: Ed25519PublicKey.from_public_bytes(key) for kid, key in held.keys.items()}
    made = Gate(
        folder, GateSettings(community=held.community, number=held.gate, unbound=unbound), keys, lambda: None
    )
    made.apply((await lists.revocations_after(gate.device_id, after=0)).delta)
    return made


@pytest.mark.parametrize("is_bound", [False, True])
async def test_what_is_used_up_opens_no_gate_that_lost_its_network_since(
    scene: Scene, tmp_path: Path, is_bound: bool
) -> None:
    await rules_of(scene.compound_id)
    await AccessRules.filter(compound_id=scene.compound_id).update(counts_offline=not is_bound)
    used, cut_off = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    bound = {"offline_door_id": cut_off.door_id} if is_bound else {}
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, **bound)
    assert await revoked(cut_off) == []
    assert await used.reason(text, "in") == "OK"
    gate = await offline(scene, cut_off, tmp_path)
    assert gate.admit(text, int(clock.now().timestamp())).reason is Reason.REVOKED
    assert await revoked(cut_off) == [pass_id.bytes]
    assert await used.reason(text, "out") == "OK", "on the list, and out all the same"


async def test_what_gates_cannot_open_alone_is_not_on_the_list(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    _, text = await gates.text(scene.compound_id, scene.house_id)
    assert await gate.reason(text, "in") == "OK"
    assert await revoked(gate) == []


async def test_a_use_by_guard_or_told_later_is_on_the_list_once(scene: Scene) -> None:
    post = await guards.post()
    at = post.scene
    await rules_of(at.compound_id)
    await AccessRules.filter(compound_id=at.compound_id).update(counts_offline=True)
    gate = await gates.post(at.compound_id, "北门")
    by_guard, by_gate = await post.visitor(), await post.visitor(uses_allowed=2)
    await post.admit(by_guard)
    await send(gate, opened(1, by_gate, clock.now()))
    assert await revoked(gate) == [by_guard.bytes]
    await send(gate, opened(2, by_gate, clock.now()))
    await send(gate, opened(3, by_gate, clock.now()))
    assert await revoked(gate) == [by_guard.bytes, by_gate.bytes]
    assert (await rules_of(at.compound_id)).revocation_sequence == 2
