"""Residents' own codes: whose they are at the moment of the scan, once at each door."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domains.access.gate import base45, cose
from domains.access.gate.claims import CodeClaims
from domains.access.models import ResidentCode
from domains.access.service import resident_codes
from domains.access.service.resident_codes import KEPT, forget_codes, issue_resident_code
from domains.kernel import clock, database
from domains.kernel.errors import DomainError, Throttled
from domains.kernel.rates import RateLimit, WhenDown
from domains.residents.models import Occupancy
from tests.factories import gates, residents
from tests.factories.gates import records
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.mark.parametrize("who", CALLERS)
async def test_who_lives_there_gets_a_code_for_it_and_nobody_else(scene: Scene, who: str) -> None:
    caller, before = await residents.caller(scene, who), await ResidentCode.all().count()
    if who in ("owner", "family", "tenant"):
        await issue_resident_code(caller, house_id=scene.house_id)
    else:
        with pytest.raises(DomainError, match=r"FORBIDDEN|UNAUTHENTICATED"):
            await issue_resident_code(caller, house_id=scene.house_id)
    assert await ResidentCode.all().count() == before + (who in ("owner", "family", "tenant"))


async def test_one_account_makes_so_many_and_no_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    few = RateLimit("resident-code", 1, 3600, 3, WhenDown.OPEN)
    monkeypatch.setattr(resident_codes, "PER_ACCOUNT", few)
    owner, family = [await residents.resident(each.account_id) for each in (scene.owner, scene.family)]
    asked = [issue_resident_code(owner, house_id=scene.house_id) for _ in range(10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Throttled) for each in answers) == 7
    assert await ResidentCode.filter(account_id=owner.id).count() == 3
    await issue_resident_code(family, house_id=scene.house_id)


async def test_it_opens_each_door_of_the_way_once(scene: Scene) -> None:
    gate, inner = (
        await gates.post(scene.compound_id),
        await gates.post(scene.compound_id, "大堂", scene.building_id),
    )
    away = await gates.post(scene.compound_id, "2号楼大堂", scene.other_building_id)
    code = await gates.code(scene.tenant, scene.house_id)
    assert [await each.reason(code) for each in (gate, inner, away)] == ["OK", "OK", "OTHER_GATE"]
    assert [await each.reason(code) for each in (gate, inner)] == ["CODE_USED", "CODE_USED"]
    row = await database.fetchrow(
        "SELECT * FROM access_record WHERE door_id = $1 ORDER BY id LIMIT 1", gate.door_id
    )
    assert row is not None
    assert (row["person_id"], row["account_id"], row["house_id"], row["who"]) == (
        scene.tenant.person_id, scene.tenant.account_id, scene.house_id, "赵租客",
    )  # fmt: skip


async def test_shown_twice_at_once_it_opens_once(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.owner, scene.house_id)
    answers = await asyncio.gather(*(gate.reason(code) for _ in range(20)))
    assert sorted(answers) == [*["CODE_USED"] * 19, "OK"]
    assert (await records(gate.door_id)).count(("opened", "")) == 1


async def test_a_code_of_somebody_who_lives_there_no_more(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.tenant, scene.house_id)
    await Occupancy.filter(pk=scene.tenant.occupancy_id).update(ended_at=clock.now(), end_reason="退租")
    assert await gate.reason(code) == "NOT_RESIDENT"
    assert await records(gate.door_id) == [("refused", "NOT_RESIDENT")]


async def test_a_code_that_the_house_did_not_make(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.owner, scene.house_id)
    await ResidentCode.all().delete()
    assert await gate.reason(code) == "CODE_UNKNOWN"


async def test_it_lives_for_five_minutes_and_says_nothing_of_the_person(scene: Scene) -> None:
    gate, code = await gates.post(scene.compound_id), await gates.code(scene.owner, scene.house_id)
    claims = CodeClaims.from_cbor(cose.parse(base45.decode(code[4:])).payload)
    assert claims.expires_at - claims.not_before == 300
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=6, seconds=1))):
        assert await gate.reason(code) == "EXPIRED"


async def test_a_code_of_another_compound(scene: Scene) -> None:
    abroad, code = await gates.post(scene.other_compound_id), await gates.code(scene.owner, scene.house_id)
    assert await abroad.reason(code) == "OTHER_COMMUNITY"


async def test_whose_codes_were_is_forgotten(scene: Scene) -> None:
    await gates.code(scene.owner, scene.house_id)
    assert await forget_codes(None) == {"forgotten": 0}
    with clock.use(clock.FixedClock(clock.now() + KEPT + timedelta(minutes=1))):
        await forget_codes(None, batch=1)
    assert not await ResidentCode.all().exists()
