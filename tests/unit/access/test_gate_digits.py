"""Six digits at a keypad: today's, one pass's, and not to be found by trying."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domains.access.service import digits
from domains.access.service.digits import digits_of, is_locked
from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from tests.factories import access, gates, residents
from tests.factories.gates import Post, records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def guess(gate: Post, times: int) -> list[str]:
    """Digits that nobody has."""
    return [await gate.reason(f"{secrets.randbelow(10**6):06d}") for _ in range(times)]


async def test_digits_open_like_the_pass_they_stand_for(scene: Scene) -> None:
    gate, other = await gates.post(scene.compound_id), await gates.post(scene.other_compound_id)
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id)
    shown = await digits_of(pass_id)
    assert shown is not None
    assert (len(shown), shown.isdecimal()) == (6, True)
    assert await digits_of(pass_id) == shown
    assert await other.reason(shown) == "CODE_WRONG"
    assert [await gate.reason(shown), await gate.reason(shown)] == ["OK", "USED_UP"]
    assert (await visit(pass_id)).uses == 1
    kept = await database.fetchval(
        "SELECT digits_sealed FROM keypad_code WHERE visitor_pass_id = $1", pass_id
    )
    assert shown.encode() not in bytes(kept)


async def test_asked_for_at_once_they_are_the_same_and_of_another_pass_others(scene: Scene) -> None:
    passes = [await access.visitor_pass(scene.compound_id, scene.house_id) for _ in range(5)]
    made = await asyncio.gather(*(digits_of(each) for each in passes * 4))
    assert len(set(made)) == 5


async def test_each_day_has_its_own(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    with clock.use(clock.FixedClock(NOON)) as now:
        long: dict[str, Any] = {"ends_at": NOON + timedelta(days=3), "uses_allowed": 5}
        pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, **long)
        first = await digits_of(pass_id)
        now.advance(timedelta(days=1))
        second = await digits_of(pass_id)
        assert await gate.reason(first) == "CODE_WRONG"
        assert await gate.reason(second) == "OK"
        now.advance(timedelta(days=4))
        assert await digits_of(pass_id) is None


async def test_taken_digits_are_not_given_twice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(drawn))
    passes = [await access.visitor_pass(scene.compound_id, scene.house_id) for _ in range(2)]
    assert [await digits_of(each) for each in passes] == ["000007", "000008"]


async def test_a_day_s_digits_run_out_before_they_can_be_guessed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "MOST_A_DAY", 1)
    first, second = [await access.visitor_pass(scene.compound_id, scene.house_id) for _ in range(2)]
    given = await digits_of(first)
    with pytest.raises(Conflict, match="DIGITS_EXHAUSTED"):
        await digits_of(second)
    assert await digits_of(first) == given


async def test_a_pass_that_counts_no_more_gets_none(scene: Scene) -> None:
    ended: dict[str, Any] = {"state": "revoked", "ended_at": clock.now()}
    assert await digits_of(await access.visitor_pass(scene.compound_id, scene.house_id, **ended)) is None


async def test_ten_wrong_ones_lock_the_gate_for_five_minutes(scene: Scene) -> None:
    gate, other = await gates.post(scene.compound_id), await gates.post(scene.compound_id, "北门")
    with clock.use(clock.FixedClock(NOON)) as now:
        passes = [await gates.text(scene.compound_id, scene.house_id) for _ in range(3)]
        right = [await digits_of(pass_id) for pass_id, _ in passes]
        assert await guess(gate, 12) == [*["CODE_WRONG"] * 10, *["CODE_LOCKED"] * 2]
        assert await gate.reason(right[0]) == "CODE_LOCKED"
        assert await gate.reason(passes[0][1]) == "OK"
        assert await other.reason(right[1]) == "OK"
        now.advance(timedelta(minutes=5, seconds=1))
        assert await gate.reason(right[2]) == "OK"
    assert len(await records(gate.door_id)) == 15


async def test_many_guesses_at_once_are_ten(scene: Scene) -> None:
    gate = await gates.post(scene.compound_id)
    tried = await asyncio.gather(*(guess(gate, 1) for _ in range(30)))
    assert sorted(each for [each] in tried) == [*["CODE_LOCKED"] * 20, *["CODE_WRONG"] * 10]


async def test_guesses_from_gate_to_gate_lock_the_compound_and_no_other(scene: Scene) -> None:
    neighbours = await residents.scene()
    elsewhere = await gates.post(neighbours.compound_id)
    with clock.use(clock.FixedClock(NOON)) as now:
        for n in range(7):
            assert await guess(await gates.post(scene.compound_id, f"门{n}"), 9) == (
                ["CODE_WRONG"] * 9 if n < 6 else [*["CODE_WRONG"] * 6, *["CODE_LOCKED"] * 3]
            )
        assert await guess(elsewhere, 1) == ["CODE_WRONG"]
        now.advance(timedelta(hours=1, seconds=1))
        assert await guess(await gates.post(scene.compound_id, "新门"), 1) == ["CODE_WRONG"]


def test_slow_mistakes_lock_nothing() -> None:
    wrong = [NOON + timedelta(seconds=34 * n) for n in range(40)]
    assert not is_locked(wrong, wrong[-1])
    assert is_locked([NOON] * 10, NOON + timedelta(minutes=4, seconds=59))
    assert not is_locked([NOON] * 10, NOON + timedelta(minutes=5))
