"""Gates that lose the network, the power and their process: nobody gets in twice, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domains.access import sql
from domains.access.models import VisitorPass
from domains.access.service.digits import digits_of
from domains.kernel import clock, database, live
from domains.kernel.ids import uuid7
from tests.api.access.gatehouse import machine, served
from tests.factories import gates, residents
from tests.factories.gates import records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with served() as address:
        yield address


async def test_killed_in_the_middle_of_a_use_without_a_network(
    scene: Scene, url: str, tmp_path: Path
) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=post.door_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        await gate.do("poll")
        await gate.do("cut", is_cut=True)
        await gate.do("stall")
        assert await gate.do("scan", shown=text) == {"opening": True}
        await gate.reboot()
        await gate.do("cut", is_cut=True)
        again = await gate.do("scan", shown=text)
        assert again == {"by": "gate", "opens": False, "reason": "USED_UP"}
        await gate.do("cut", is_cut=False)
        told = await gate.do("upload", forgets=True)
        assert (told["upTo"], told["repeated"]) == (2, 0)
        await gate.reboot()
        assert (await gate.do("upload"))["repeated"] == 2
        online = await gate.do("scan", shown=text)
        assert online == {"by": "server", "opens": False, "reason": "USED_UP"}
        assert gate.openings == 1
    assert await records(post.door_id) == [("opened", ""), ("refused", "USED_UP"), ("refused", "USED_UP")]
    now = await visit(pass_id)
    assert (now.uses, now.state) == (1, "used_up")
    assert len(await residents.events("VisitorAdmitted", pass_id)) == 1


async def test_used_online_it_is_used_up_offline_as_well(scene: Scene, url: str, tmp_path: Path) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=post.door_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        await gate.do("poll")
        assert (await gate.do("scan", shown=text))["opens"]
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "USED_UP"
        assert gate.openings == 1
    assert (await visit(pass_id)).uses == 1


@pytest.mark.parametrize("uses", [1, 2])
async def test_used_by_six_digits_it_does_not_open_once_more_offline(
    scene: Scene, url: str, tmp_path: Path, uses: int
) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(
        scene.compound_id, scene.house_id, offline_door_id=post.door_id, uses_allowed=uses
    )
    typed = await digits_of(pass_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        await gate.do("poll")
        for _ in range(uses):
            assert (await gate.do("scan", shown=typed))["opens"]
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "USED_UP"
        await gate.reboot()
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "USED_UP"
        assert gate.openings == uses
    assert (await visit(pass_id)).uses == uses


async def test_what_it_did_alone_is_told_before_it_asks(scene: Scene, url: str, tmp_path: Path) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=post.door_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        await gate.do("poll")
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["opens"]
        await gate.do("cut", is_cut=False)
        assert (await gate.do("scan", shown=text))["reason"] == "USED_UP"
        assert gate.openings == 1
    assert (await visit(pass_id)).uses == 1


async def test_two_gates_without_a_network_open_a_single_use_where_it_is_bound(
    scene: Scene, url: str, tmp_path: Path
) -> None:
    posts = [await gates.post(scene.compound_id, f"门{n}") for n in range(2)]
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=posts[0].door_id)
    async with (
        machine(tmp_path / "a", url, posts[0]) as bound,
        machine(tmp_path / "b", url, posts[1]) as other,
    ):
        for gate in (bound, other):
            await gate.do("poll")
            await gate.do("cut", is_cut=True)
        answers = [(await gate.do("scan", shown=text))["reason"] for gate in (other, bound, bound, other)]
        assert answers == ["BOUND_ELSEWHERE", "OK", "USED_UP", "BOUND_ELSEWHERE"]
        await bound.reboot()
        for gate in (bound, other):
            await gate.do("cut", is_cut=False)
            assert (await gate.do("upload"))["gaps"] == []
        assert (bound.openings, other.openings) == (1, 0)
    assert (await visit(pass_id)).uses == 1
    assert await records(posts[1].door_id) == [("refused", "BOUND_ELSEWHERE")] * 2


async def test_a_revocation_that_arrived_counts_without_a_network_and_after_a_reboot(
    scene: Scene, url: str, tmp_path: Path
) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=post.door_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        await gate.do("poll")
        waiting = asyncio.create_task(gate.do("poll", wait=20))
        await asyncio.sleep(0.3)
        await revoke(scene, pass_id)
        assert await waiting == {"sequence": 1}
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "REVOKED"
        await gate.reboot()
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "REVOKED"
        assert gate.openings == 0


async def test_a_gate_whose_list_is_of_another_time_takes_the_whole_one(
    scene: Scene, url: str, tmp_path: Path
) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id, offline_door_id=post.door_id)
    async with machine(tmp_path / "gate", url, post) as gate:
        for _ in range(2):
            await revoke(scene, (await gates.text(scene.compound_id, scene.house_id))[0])
        assert await gate.do("poll") == {"sequence": 2}
        await database.execute("DELETE FROM revocation WHERE compound_id = $1", scene.compound_id)
        await database.execute(
            "UPDATE access_rules SET revocation_sequence = 0 WHERE compound_id = $1", scene.compound_id
        )
        await revoke(scene, pass_id)
        assert await gate.do("poll") == {"sequence": 1}
        await gate.do("cut", is_cut=True)
        assert (await gate.do("scan", shown=text))["reason"] == "REVOKED"


async def revoke(scene: Scene, pass_id: object) -> None:
    """As the resident does it: row, line and wake-up in one transaction."""
    now = clock.now()
    async with database.transaction():
        await VisitorPass.filter(pk=pass_id).update(state="revoked", ended_at=now)
        await database.execute(sql.REVOKE, uuid7(), scene.compound_id, pass_id, now + timedelta(hours=2), now)
        await live.wake([f"revocations:{scene.compound_id}"])
