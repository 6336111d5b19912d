"""A random walk over payments: two processes that answer, one that asks, both platforms' stand-ins, and everything that
goes wrong, kills among it. In the end our books are the platforms' own.

WALK_STEPS and WALK_SEED set how far and which way: 10,000 steps take four minutes of two cores. Every walker's dice
are its own and fall by the seed, so that a walk that fails is walked again by it, and fewer steps find the shortest part
of it that still fails.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import httpx
import pytest

from api.instance import Addresses, running
from api.platforms import notify_path
from api.settings import Settings
from domains.kernel import database
from tests.factories.ledger import check_books
from tests.factories.programs import free_port
from tests.faults.conftest import Nursery, eventually
from tests.faults.walkers import PERSON, Town, Walker
from tests.unit.stand_ins.merchant import openid
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running

STEPS: Final = int(os.environ.get("WALK_STEPS", "600"))
SEED: Final = int(os.environ.get("WALK_SEED", "1"))
WALKERS, KILLS = 8, 20

TIME_PASSES: Final = (
    "UPDATE payment_order SET expires_at = now() - interval '3 minutes' WHERE expires_at > now()",
    "UPDATE payment_attempt SET next_query_at = now() WHERE next_query_at > now()",
    "UPDATE refund SET next_query_at = now() WHERE next_query_at > now()",
)
UNDER_WAY: Final = """
SELECT id::text, channel, state, queries, problem, next_query_at::text FROM payment_attempt
WHERE state IN ('created', 'prepared', 'unknown') OR next_query_at IS NOT NULL
UNION ALL
SELECT out_refund_no, '', state, queries, problem, next_query_at::text FROM refund
WHERE state IN ('approved', 'sent', 'abnormal') OR next_query_at IS NOT NULL
"""
ABNORMAL: Final = """
SELECT r.id::text AS refund, r.compound_id::text AS compound, r.out_refund_no, a.out_trade_no, a.channel
FROM refund r JOIN payment_attempt a ON a.id = r.attempt_id WHERE r.state = 'abnormal'
"""
PAID: Final = "SELECT out_trade_no, channel_no, paid_fen FROM payment_attempt WHERE state = 'succeeded'"
BACK: Final = "SELECT out_refund_no, amount_fen FROM refund WHERE state = 'succeeded'"
CLEARING: Final = """
SELECT a.compound_id, a.purpose AS channel, sum(e.amount_fen)::bigint AS fen
FROM entry e JOIN ledger_account a ON a.id = e.account_id WHERE a.code = 'clearing' GROUP BY 1, 2
"""
OF_COMPOUND: Final = "SELECT out_trade_no, compound_id, channel FROM payment_attempt"
# None of these has a row in the end.
WRONG: Final[Mapping[str, str]] = {
    "a trial balance that is not zero": """
        SELECT a.compound_id FROM entry e JOIN ledger_account a ON a.id = e.account_id
        GROUP BY 1 HAVING sum(e.amount_fen) <> 0
        """,
    "a bill that is held": "SELECT id FROM payable WHERE held_by IS NOT NULL OR held_until IS NOT NULL",
    "a payment that is open": "SELECT id FROM payment_order WHERE state = 'open'",
    "a success without its one journal": """
        SELECT a.id FROM payment_attempt a LEFT JOIN journal j ON j.key = 'payment:' || a.id::text
        GROUP BY a.id HAVING count(j.id) <> CASE a.state WHEN 'succeeded' THEN 1 ELSE 0 END
        """,
    "a success that was booked at another amount": """
        SELECT a.id FROM payment_attempt a JOIN journal j ON j.key = 'payment:' || a.id::text
        JOIN entry e ON e.journal_id = j.id JOIN ledger_account l ON l.id = e.account_id
        WHERE l.code = 'clearing' AND e.amount_fen <> a.paid_fen
        """,
    "a payment that was told of twice, or not at all": """
        SELECT o.id FROM payment_order o LEFT JOIN outbox_message m
            ON m.event = 'PaymentSucceeded' AND m.payload::jsonb ->> 'order_id' = o.id::text
        GROUP BY o.id HAVING count(m.id) <> CASE o.state WHEN 'paid' THEN 1 ELSE 0 END
        """,
    "a surplus that did not go back, or more than once": """
        SELECT j.id FROM journal j JOIN entry e ON e.journal_id = j.id JOIN ledger_account l ON l.id = e.account_id
        LEFT JOIN refund r ON r.id = l.subject_id AND r.amount_fen = -e.amount_fen AND r.state IN ('succeeded', 'closed')
        WHERE l.code = 'refund_due' AND j.key LIKE 'payment:%' AND r.id IS NULL
        """,
    "refunds by rule of one success": """
        SELECT attempt_id FROM refund WHERE origin = 'automatic' GROUP BY 1 HAVING count(*) > 1
        """,
    "money that is still set aside": """
        SELECT l.id FROM entry e JOIN ledger_account l ON l.id = e.account_id WHERE l.code = 'refund_due'
        GROUP BY 1 HAVING sum(e.amount_fen) <> 0
        """,
    "a refund that nobody asked for here": "SELECT id FROM refund WHERE origin = 'channel'",
    "trouble that nobody made": """
        SELECT kind, note FROM payment_exception WHERE kind NOT IN ('underpaid', 'refused', 'refund_abnormal')
        """,
    "a payment whose receipt has another's number, or none": """
        SELECT compound_id FROM payment_order WHERE state = 'paid' GROUP BY compound_id, left(number, 8)
        HAVING count(DISTINCT number) <> count(*) OR max(right(number, -8)::int) <> count(*)
        """,
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, given: dict[str, str]) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    with stand_running(settings.home / "platform", speed_up=24_000) as started:
        yield started


@pytest.fixture(scope="module")
def walkers() -> Iterator[Nursery]:
    nursery = Nursery("tests.faults.walking")
    yield nursery
    nursery.close()


@pytest.fixture
async def town(
    settings: Settings, addresses: Addresses, stand: Stand, walkers: Nursery
) -> AsyncIterator[Town]:
    """The processes run, and the platforms reach the first of them or the second, whoever began the payment."""
    url = str(stand.http.base_url).rstrip("/")
    async with (
        running(settings, replace(addresses, platform_url=url)) as keys,
        # A connection is not kept for as long as the platforms keep it: it would be used while they close it.
        httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(keepalive_expiry=2)) as http,
    ):
        assert stand.open("alipay/login", person=PERSON)["auth_code"]
        [[alipay]] = stand.books("SELECT alipay_open_id FROM people WHERE name = ?", PERSON)
        made = Town(
            walkers, http, url, (str(settings.home), addresses.app_url, addresses.redis_url, url),
            (free_port(), free_port()), {name: notify_path(name, keys.file_link) for name in ("alipay", "wechat")},
            {"alipay": alipay, "wechat": openid(stand, PERSON)}, Random(SEED), max(1, STEPS // (KILLS + 1)),
        )  # fmt: skip
        made.start()
        yield made


async def test_our_books_are_the_platforms_own(town: Town, stand: Stand) -> None:
    print(f"WALK_SEED={SEED} WALK_STEPS={STEPS}")
    walking = [Walker(town, Random(f"{SEED}:{number}")) for number in range(WALKERS)]
    await asyncio.gather(*(walker.walk(STEPS // WALKERS) for walker in walking))
    forget_faults(stand)
    end = End(town, stand, walking[0])
    await eventually(end.is_told, 60)
    await end.come()
    await end.require_same_books()
    await check_books()
    for what, statement in WRONG.items():
        assert await database.fetch(statement) == [], what
    assert town.done >= STEPS - WALKERS
    assert town.kills >= min(KILLS, STEPS // 2)


def forget_faults(stand: Stand) -> None:
    assert stand.http.delete("/open/faults").status_code == 204


@dataclass
class End:
    """What is left to do once nobody begins anything any more."""

    town: Town
    stand: Stand
    walker: Walker

    async def is_told(self) -> bool:
        """Every notification was taken, or given up."""
        [[waiting]] = self.stand.books("SELECT count(*) FROM notices WHERE next_at IS NOT NULL")
        return not waiting

    async def come(self) -> None:
        """Wait for it, and say what it waits for if it does not come."""
        for _ in range(60):
            if await self.is_over():
                return
            await asyncio.sleep(1)
        raise AssertionError([dict(row) for row in await database.fetch(UNDER_WAY)])

    async def is_over(self) -> bool:
        """Time passes until no payment can be paid, and people have seen to every refund that did not go through."""
        self.stand.books(
            "UPDATE trades SET expires_at = 1 WHERE status IN ('prepared', 'waiting') AND expires_at > 1"
        )
        for statement in TIME_PASSES:
            await database.execute(statement)
        stuck = await database.fetch(ABNORMAL)
        theirs = self._refunds() if stuck else {}
        for row in stuck:
            await self._see_to(dict(row), theirs.get(row["out_refund_no"], {}).get("state"))
        return not stuck and not await database.fetch(UNDER_WAY)

    async def _see_to(self, row: dict[str, Any], state: str | None) -> None:  # Any: columns
        """At the platform where that is the only way, or in the house's prepayment, or once more."""
        if state == "ABNORMAL":
            self.stand.http.post(
                "/open/wechatpay/refund", json={name: row[name] for name in ("out_trade_no", "out_refund_no")}
            )
        fields = {"compound": row["compound"], "refund": row["refund"], "keep": state == "CLOSED"}
        await self.walker.call("unstick", **fields)

    def _refunds(self) -> dict[str, Any]:
        return {
            each["out_refund_no"]: each for trade in self.stand.trades().values() for each in trade["refunds"]
        }

    async def require_same_books(self) -> None:
        """Every payment and every refund to the fen, and by compound and channel what the channel has of ours."""
        theirs = self.stand.trades()
        paid = {no: (each["trade_no"], each["paid_fen"]) for no, each in theirs.items() if each["paid_fen"]}
        ours = {
            row["out_trade_no"]: (row["channel_no"], row["paid_fen"]) for row in await database.fetch(PAID)
        }
        assert ours == paid
        assert len(paid) > STEPS // 20, "hardly anybody paid"
        back = {no: each["amount_fen"] for no, each in self._refunds().items() if each["state"] in DONE}
        assert {row["out_refund_no"]: row["amount_fen"] for row in await database.fetch(BACK)} == back
        held = defaultdict[tuple[object, str], int](int)
        for row in await database.fetch(OF_COMPOUND):
            if trade := theirs.get(row["out_trade_no"]):
                held[row["compound_id"], row["channel"]] += trade["paid_fen"] - trade["refunded_fen"]
        clearing = {
            (row["compound_id"], row["channel"]): row["fen"] for row in await database.fetch(CLEARING)
        }
        assert {each: fen for each, fen in clearing.items() if fen} == {
            each: fen for each, fen in held.items() if fen
        }


DONE: Final = ("SUCCESS", "REFUND_SUCCESS")
