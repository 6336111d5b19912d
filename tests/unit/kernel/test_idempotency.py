"""The hash of a command's body, and the claim of a key by itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from uuid import UUID, uuid4

import pytest

from api.settings import REPOSITORY
from domains.kernel import database, idempotency
from domains.kernel.errors import Conflict

pytestmark = pytest.mark.usefixtures("instance")


@dataclass(frozen=True, slots=True)
class Line:
    """Part of a body."""

    amount_fen: int
    on: date


def test_equal_bodies_have_one_hash_whatever_their_order() -> None:
    one = {"a": 1, "b": Decimal("1.50"), "c": {"y": 1, "x": 2}, "d": Line(5, date(2026, 1, 2))}
    two = {"d": Line(5, date(2026, 1, 2)), "c": {"x": 2, "y": 1}, "b": Decimal("1.50"), "a": 1}
    assert idempotency.body_hash(one) == idempotency.body_hash(two)
    assert idempotency.body_hash(one) != idempotency.body_hash({**one, "a": 2})
    assert idempotency.body_hash({"a": "1"}) != idempotency.body_hash({"a": 1})
    assert idempotency.body_hash({"a": b"\xff"}) != idempotency.body_hash({"a": b"\xfe"})
    assert idempotency.body_hash({"at": datetime(2026, 1, 1, tzinfo=UTC)}) != idempotency.body_hash(
        {"at": None}
    )


def test_a_set_has_one_hash_in_every_process() -> None:
    program = (
        "from domains.kernel.idempotency import body_hash\n"
        "print(body_hash({'houses': frozenset(map(str, range(40)))}).hex())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, env={"PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1


def test_what_has_no_lasting_text_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        idempotency.body_hash({"file": BytesIO(b"x")})


async def test_a_claim_that_is_committed_and_not_done_says_so() -> None:
    actor, key, digest = uuid4(), uuid4(), idempotency.body_hash({"a": 1})
    assert (await idempotency.claim(actor, "pay", key, digest)).fresh
    with pytest.raises(Conflict, match="IN_PROGRESS"):
        await idempotency.claim(actor, "pay", key, digest)
    await idempotency.complete(actor, "pay", key, {"paid": 1})
    assert (await idempotency.claim(actor, "pay", key, digest)).answer == {"paid": 1}
    await idempotency.complete(actor, "pay", key, {"paid": 2})
    assert (await idempotency.claim(actor, "pay", key, digest)).answer == {"paid": 1}


async def test_an_empty_answer_is_an_answer() -> None:
    actor, key = uuid4(), uuid4()
    await idempotency.claim(actor, "end", key, b"x")
    await idempotency.complete(actor, "end", key, None)
    again = await idempotency.claim(actor, "end", key, b"x")
    assert (again.fresh, again.answer) == (False, None)


async def test_of_rivals_one_is_fresh_and_the_next_follows_when_it_fails() -> None:
    actor, key = uuid4(), uuid4()
    order: list[UUID] = []

    async def attempt(fails: bool) -> bool:
        async with database.transaction():
            claim = await idempotency.claim(actor, "race", key, b"x")
            if not claim.fresh:
                return False
            order.append(uuid4())
            await asyncio.sleep(0.02)
            if fails:
                raise ValueError("stop")
            await idempotency.complete(actor, "race", key, 1)
        return True

    first = asyncio.create_task(attempt(fails=True))
    await asyncio.sleep(0.01)
    results = await asyncio.gather(first, *(attempt(fails=False) for _ in range(6)), return_exceptions=True)
    assert isinstance(results[0], ValueError)
    assert sorted(map(bool, results[1:])) == [False] * 5 + [True]
    assert len(order) == 2


async def test_claims_by_turns_come_one_after_the_other_for_one_caller_and_operation() -> None:
    caller, under_way, most = uuid4(), 0, 0

    async def work(actor_id: UUID, operation: str) -> None:
        nonlocal under_way, most
        async with database.transaction():
            claim = await idempotency.claim(actor_id, operation, uuid4(), b"x", by_turns=True)
            assert claim.fresh
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.02)
            under_way -= 1

    await asyncio.gather(*(work(caller, "test.turns") for _ in range(5)))
    assert most == 1
    await asyncio.gather(work(caller, "test.turns"), work(caller, "test.others"), work(uuid4(), "test.turns"))
    assert most > 1


async def test_an_id_of_the_driver_is_the_same_id() -> None:
    id = uuid4()
    row = await database.fetchval("SELECT $1::uuid", id)
    assert type(row) is not UUID
    assert idempotency.body_hash({"id": row}) == idempotency.body_hash({"id": id})
