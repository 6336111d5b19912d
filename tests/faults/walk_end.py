"""Where a walk over payments ends: nothing is under way, and our books are the platforms' own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domains.kernel import database
from tests.factories.ledger import check_books
from tests.faults.walk_town import Town
from tests.unit.stand_ins.stand import Stand

# Whoever holds a row is not waited for: its time passes with the next.
TIME_PASSES: Final = (
    """
    UPDATE payment_order SET expires_at = now() - interval '3 minutes' WHERE id IN (
        SELECT id FROM payment_order WHERE expires_at > now() FOR NO KEY UPDATE SKIP LOCKED)
    """,
    """
    UPDATE payment_attempt SET next_query_at = now() WHERE id IN (
        SELECT id FROM payment_attempt WHERE next_query_at > now() FOR NO KEY UPDATE SKIP LOCKED)
    """,
    """
    UPDATE refund SET next_query_at = now() WHERE id IN (
        SELECT id FROM refund WHERE next_query_at > now() FOR NO KEY UPDATE SKIP LOCKED)
    """,
)
TIME_PASSES_THERE: Final = (
    "UPDATE trades SET expires_at = 1 WHERE status IN ('prepared', 'waiting') AND expires_at > 1"
)
WAITING_THERE: Final = "SELECT count(*) FROM notices WHERE next_at IS NOT NULL"
UNDER_WAY: Final = """
SELECT id::text, channel, state, queries, problem, next_query_at::text FROM payment_attempt
WHERE state IN ('created', 'prepared', 'unknown') OR next_query_at IS NOT NULL
UNION ALL
SELECT out_refund_no, '', state, queries, problem, next_query_at::text FROM refund
WHERE state IN ('approved', 'sent', 'abnormal') OR next_query_at IS NOT NULL
"""
ABNORMAL: Final = """
SELECT r.id::text AS refund, r.compound_id::text AS compound, r.out_refund_no, a.out_trade_no
FROM refund r JOIN payment_attempt a ON a.id = r.attempt_id WHERE r.state = 'abnormal'
"""
REFUND_THERE: Final = "SELECT state FROM refunds WHERE out_refund_no = ?"
PAID: Final = "SELECT out_trade_no, channel_no, paid_fen FROM payment_attempt WHERE state = 'succeeded'"
PAID_THERE: Final = "SELECT out_trade_no, trade_no, paid_fen FROM trades WHERE paid_fen > 0"
BACK: Final = "SELECT out_refund_no, amount_fen FROM refund WHERE state = 'succeeded'"
BACK_THERE: Final = "SELECT out_refund_no, amount_fen FROM refunds WHERE state = 'success'"
CLEARING: Final = """
SELECT a.compound_id, a.purpose AS channel, sum(e.amount_fen)::bigint AS fen
FROM entry e JOIN ledger_account a ON a.id = e.account_id WHERE a.code = 'clearing' GROUP BY 1, 2
"""
OF_COMPOUND: Final = "SELECT out_trade_no, compound_id, channel FROM payment_attempt"
LEFT_THERE: Final = """
SELECT out_trade_no, paid_fen - (
    SELECT coalesce(sum(amount_fen), 0) FROM refunds WHERE trade = trades.id AND state = 'success')
FROM trades WHERE paid_fen > 0
"""
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
"""Rows that no walk may leave behind, by what they would be."""

# A process that was killed at the last moment is up again within seconds.
_PATIENCE_S: Final = 60.0
_LOOK_EACH_S: Final = 0.05
# Whoever has taken something up keeps it for longer than that.
_HURRY_EACH_S: Final = 0.4


@dataclass
class End:
    """What is left to do once nobody begins anything any more, and what holds then of all that ever happened here."""

    town: Town
    stand: Stand

    async def come(self) -> None:
        """Wait for it, and say what it waits for if it does not come."""
        assert self.stand.http.delete("/open/faults").status_code == 204
        quiet = 0
        for turn in range(round(_PATIENCE_S / _LOOK_EACH_S)):
            if turn % round(_HURRY_EACH_S / _LOOK_EACH_S) == 0:
                await self._hurry()
            quiet = quiet + 1 if await self._is_over() else 0
            if quiet == 2:  # what ended between the two questions may have been told since
                return
            await asyncio.sleep(_LOOK_EACH_S)
        raise AssertionError([dict(row) for row in await database.fetch(UNDER_WAY)])

    async def _hurry(self) -> None:
        """Time passes until no payment can be paid, and people have seen to every refund that did not go through."""
        self.stand.books(TIME_PASSES_THERE)
        for statement in TIME_PASSES:
            await database.execute(statement)
        for row in await database.fetch(ABNORMAL):
            await self._see_to(dict(row))

    async def _see_to(self, row: dict[str, Any]) -> None:  # Any: columns
        """At the platform where that is the only way, or in the house's prepayment, or once more."""
        there = self.stand.books(REFUND_THERE, row["out_refund_no"])
        state = there[0][0] if there else ""
        if state == "abnormal":
            numbers = {name: row[name] for name in ("out_trade_no", "out_refund_no")}
            await self.town.at_platform("/open/wechatpay/refund", data=orjson.dumps(numbers))
        fields = {"compound": row["compound"], "refund": row["refund"], "keep": state == "closed"}
        await self.town.post(0, "/walk/unstick", data=orjson.dumps(fields))

    async def _is_over(self) -> bool:
        """Every notification was taken, or given up, and nobody waits for an answer."""
        [[waiting]] = self.stand.books(WAITING_THERE)
        return not waiting and not await database.fetch(UNDER_WAY)

    async def require_truth(self) -> int:
        """The books are right, and the platforms' own; how many payments there are in them."""
        paid = await self._require_same_books()
        await check_books()
        for what, statement in WRONG.items():
            found = await database.fetch(statement)
            assert not found, f"{what}: {[dict(row) for row in found]}"
        return paid

    async def _require_same_books(self) -> int:
        """Every payment and every refund to the fen, and by compound and channel what the channel has of ours."""
        paid = {
            row["out_trade_no"]: (row["channel_no"], row["paid_fen"]) for row in await database.fetch(PAID)
        }
        require_same(
            "payments", paid, {no: (number, fen) for no, number, fen in self.stand.books(PAID_THERE)}
        )
        back = {row["out_refund_no"]: row["amount_fen"] for row in await database.fetch(BACK)}
        require_same("refunds", back, dict(self.stand.books(BACK_THERE)))
        left = dict(self.stand.books(LEFT_THERE))
        held = defaultdict[tuple[object, str], int](int)
        for row in await database.fetch(OF_COMPOUND):
            held[row["compound_id"], row["channel"]] += left.get(row["out_trade_no"], 0)
        clearing = {
            (row["compound_id"], row["channel"]): row["fen"] for row in await database.fetch(CLEARING)
        }
        require_same("clearing", without_zeros(clearing), without_zeros(held))
        return len(paid)


def require_same(
    what: str, ours: Mapping[Any, object], theirs: Mapping[Any, object]
) -> None:  # Any: what names them
    """AssertionError with what differs."""
    wrong = {each for each in ours.keys() | theirs.keys() if ours.get(each) != theirs.get(each)}
    assert not wrong, (
        f"{what}, ours and theirs: {[(each, ours.get(each), theirs.get(each)) for each in wrong]}"
    )


def without_zeros(sums: Mapping[tuple[object, str], int]) -> dict[tuple[object, str], int]:
    return {each: fen for each, fen in sums.items() if fen}
