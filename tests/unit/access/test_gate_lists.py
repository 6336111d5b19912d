"""Keys and revocation lists as gates take them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.access import permissions, signing, sql
from domains.access.community import rules_of
from domains.access.gate import revocations
from domains.access.gate.verifier import Gate, GateSettings
from domains.access.queries.doors import by_id
from domains.access.service import lists
from domains.access.service.lists import keys_of, revocations_after
from domains.kernel import clock, database, live
from domains.kernel.errors import NotFound, Throttled
from tests.factories import access, devices, gates, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def revoke(compound_id: UUID, life: timedelta = timedelta(hours=2)) -> UUID:
    """A pass is revoked; whoever waits is woken."""
    pass_id, now = uuid4(), clock.now()
    async with database.transaction():
        await rules_of(compound_id)
        await database.execute(sql.REVOKE, uuid4(), compound_id, pass_id, now + life, now)
        await live.wake([f"revocations:{compound_id}"])
    return pass_id


async def gate_of(path: Path, post: gates.Post) -> Gate:
    """A gate computer with the keys that the server gives it."""
    held = await keys_of(post.device_id)
    keys = {kid: Ed25519PublicKey.from_public_bytes(raw) for kid, raw in held.keys.items()}
    return Gate(path, GateSettings(community=held.community, number=held.gate), keys, lambda: None)


async def test_a_gate_follows_the_list_part_by_part(scene: Scene, tmp_path: Path) -> None:
    post = await gates.post(scene.compound_id)
    gate = await gate_of(tmp_path, post)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, uses_allowed=None)
    gate.apply((await revocations_after(post.device_id, after=0)).delta)
    now = int(clock.now().timestamp())
    assert gate.admit(text, now).opens
    async with database.transaction():
        await database.execute(sql.REVOKE, uuid4(), scene.compound_id, pass_id, clock.now(), clock.now())
    await revoke(scene.compound_id)
    part = await revocations_after(post.device_id, after=0)
    gate.apply(part.delta)
    assert (part.up_to, gate.list_sequence()) == (2, 2)
    assert gate.admit(text, now).reason == "REVOKED"


async def test_the_list_says_exactly_what_came_after(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    revoked = [await revoke(scene.compound_id) for _ in range(3)]
    await revoke(scene.other_compound_id)
    part = await revocations_after(post.device_id, after=1)
    delta = revocations.read(part.delta, await signing.public_keys())
    assert (delta.community, delta.after, delta.up_to) == ((await rules_of(scene.compound_id)).number, 1, 3)
    assert set(delta.revoked) == {each.bytes for each in revoked[1:]}


async def test_what_is_over_is_left_out_and_the_sequence_stays(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    await revoke(scene.compound_id, timedelta(minutes=-2))
    lasting = await revoke(scene.compound_id)
    await revoke(scene.compound_id, timedelta(minutes=-2))
    part = await revocations_after(post.device_id, after=0)
    delta = revocations.read(part.delta, await signing.public_keys())
    assert (part.up_to, set(delta.revoked)) == (3, {lasting.bytes})


async def test_a_long_list_comes_in_parts(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await gates.post(scene.compound_id)
    gate = await gate_of(tmp_path, post)
    monkeypatch.setattr(revocations, "MOST_REVOKED", 2)
    revoked = [await revoke(scene.compound_id) for _ in range(5)]
    parts, after = [], 0
    while True:
        part = await revocations_after(post.device_id, after=after)
        gate.apply(part.delta)
        parts.append((part.up_to, part.has_more))
        after = part.up_to
        if not part.has_more:
            break
    assert parts == [(2, True), (4, True), (5, False)]
    assert all(each.bytes in gate._revocations for each in revoked)


async def test_a_sequence_that_there_is_not_gets_the_list_from_the_beginning(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    revoked = await revoke(scene.compound_id)
    part = await revocations_after(post.device_id, after=99, wait_s=20)
    delta = revocations.read(part.delta, await signing.public_keys())
    assert (part.is_anew, delta.after, delta.up_to, set(delta.revoked)) == (True, 0, 1, {revoked.bytes})


async def test_what_list_a_gate_has_is_known_to_staff(scene: Scene) -> None:
    post, silent = await gates.post(scene.compound_id), await access.door(scene.compound_id, "北门")
    await revoke(scene.compound_id)
    await revocations_after(post.device_id, after=1)
    await revoke(scene.compound_id)
    both = [post.door_id, silent]
    seen = await by_id(scene.staff(permissions.DOORS_READ), both)
    assert (seen[post.door_id].list_sequence, bool(seen[post.door_id].listed_at)) == (1, True)
    assert (seen[silent].list_sequence, seen[silent].listed_at) == (None, None)
    for blind in (scene.staff(permissions.DOORS_WRITE), await residents.caller(scene, "stranger")):
        assert not await by_id(blind, both)


async def test_fifty_gates_that_wait_hear_of_a_revocation_at_once(scene: Scene) -> None:
    posts = [await gates.post(scene.compound_id, f"门{n}") for n in range(50)]
    await rules_of(scene.compound_id)
    waiting = [asyncio.create_task(revocations_after(each.device_id, after=0, wait_s=20)) for each in posts]
    async with asyncio.timeout(10):
        while live.hub().listeners() < 50:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    started = perf_counter()
    await revoke(scene.compound_id)
    parts = await asyncio.gather(*waiting)
    assert perf_counter() - started < 5
    assert {each.up_to for each in parts} == {1}
    assert not lists._waiting


async def test_nothing_happens_and_the_list_is_younger(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    part = await revocations_after(post.device_id, after=0, wait_s=0.2)
    delta = revocations.read(part.delta, await signing.public_keys())
    assert (delta.up_to, delta.revoked) == (0, {})
    assert abs(delta.issued_at - clock.now().timestamp()) < 5


async def test_a_gate_waits_twice_and_not_more_often(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    waiting = [revocations_after(post.device_id, after=0, wait_s=0.5) for _ in range(4)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(each, Throttled) for each in answers) == 2


async def test_the_screen_key_goes_only_where_it_is_needed(scene: Scene) -> None:
    plain, moving = (
        await gates.post(scene.compound_id),
        await gates.post(scene.compound_id, "侧门", needs_screen=True),
    )
    assert (await keys_of(plain.device_id)).screen_key is None
    held = await keys_of(moving.device_id)
    assert held.screen_key == (await rules_of(scene.compound_id)).screen_key
    assert (held.gate, held.needs_screen, held.counts_offline) == (2, True, False)
    assert held.screen_key.hex() not in repr(held)


async def test_a_device_that_is_no_door_gets_nothing(scene: Scene) -> None:
    device_id = await devices.device(scene.compound_id)
    for asked in (keys_of(device_id), revocations_after(device_id, after=0)):
        with pytest.raises(NotFound, match="GATE_UNKNOWN"):
            await asked


async def test_lines_that_are_over_are_forgotten_and_the_sequence_goes_on(scene: Scene) -> None:
    post = await gates.post(scene.compound_id)
    for minutes in (-2, -2, 60):
        await revoke(scene.compound_id, timedelta(minutes=minutes))
    await lists.forget_revocations(None, batch=1)
    left = await database.fetchval(
        "SELECT count(*) FROM revocation WHERE compound_id = $1", scene.compound_id
    )
    assert left == 1
    await revoke(scene.compound_id)
    part = await revocations_after(post.device_id, after=0)
    delta = revocations.read(part.delta, await signing.public_keys())
    assert (part.up_to, len(delta.revoked)) == (4, 2)
