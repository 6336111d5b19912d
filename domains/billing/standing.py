"""How bills stand (账单结欠): principal by the ledger, the late fee computed for a day, nothing written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from domains.billing.late_fees import Debt, LateFee, Terms, after_waivers, late_fee
from domains.kernel import clock

COLUMNS = """b.issued_fen, b.due_on, b.state, r.daily_rate, r.grace_days, r.is_grace_charged, r.cap_percent,
    p.id AS principal_id, coalesce(p.due_fen, 0) AS principal_due_fen,
    coalesce(p.settled_fen, 0) AS principal_settled_fen, f.id AS late_fee_id, coalesce(f.due_fen, 0) AS late_fee_due_fen,
    coalesce(f.settled_fen, 0) AS late_fee_settled_fen, greatest(p.held_until, f.held_until) AS held_until,
    s.paid_on, s.paid_fen, coalesce(w.fen, 0) AS late_fee_waived_fen"""
"""What `standing` reads, of a bill `b` beside `JOINS`."""

# What a bill without a rule, or one that is void, was paid and waived need not be known.
JOINS = """LEFT JOIN late_fee_rule r ON r.id = b.late_fee_rule_id
    LEFT JOIN payable p ON p.subject_id = b.id AND p.subject_type = 'bill'
    LEFT JOIN payable f ON f.subject_id = b.id AND f.subject_type = 'late_fee'
    LEFT JOIN LATERAL (
        SELECT array_agg(settled_on ORDER BY settled_on, id) AS paid_on,
            array_agg(amount_fen ORDER BY settled_on, id) AS paid_fen
        FROM settlement WHERE payable_id = p.id) s ON r.id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT -sum(effect_fen)::bigint AS fen FROM correction
        WHERE bill_id = b.id AND kind = 'waiver' AND concerns = 'late_fee' AND state = 'approved') w ON r.id IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is owed of a bill on a day, in fen. `late_fee` is what was borne, `late_fee_fen` what is owed of it after
    waivers; of a void bill, and while a payment is under way, what the ledger has."""

    terms: Terms | None
    principal_id: UUID | None
    late_fee_id: UUID | None
    principal_due_fen: int
    principal_settled_fen: int
    late_fee: LateFee
    late_fee_fen: int
    late_fee_posted_fen: int
    late_fee_settled_fen: int
    is_held: bool

    @property
    def principal_outstanding_fen(self) -> int:
        """What is to be paid of the principal."""
        return self.principal_due_fen - self.principal_settled_fen

    @property
    def late_fee_outstanding_fen(self) -> int:
        """What is to be paid of the late fee."""
        return self.late_fee_fen - self.late_fee_settled_fen

    @property
    def outstanding_fen(self) -> int:
        """What is to be paid in all."""
        return self.principal_outstanding_fen + self.late_fee_outstanding_fen


def standing(row: asyncpg.Record, as_of: date) -> Standing:
    """A bill's row, read with COLUMNS, as it stands on a day."""
    terms = _terms(row)
    is_held = row["held_until"] is not None and row["held_until"] > clock.now()
    borne, owed = late_fee(terms, _debt(row), as_of), row["late_fee_due_fen"]
    if terms is not None and row["state"] != "void" and not is_held:
        owed = after_waivers(borne.amount_fen, row["late_fee_waived_fen"], row["late_fee_settled_fen"])
    return Standing(
        terms, row["principal_id"], row["late_fee_id"], row["principal_due_fen"], row["principal_settled_fen"],
        borne, owed, row["late_fee_due_fen"], row["late_fee_settled_fen"], is_held,
    )  # fmt: skip


def _terms(row: asyncpg.Record) -> Terms | None:
    if row["daily_rate"] is None:
        return None
    return Terms(row["daily_rate"], row["grace_days"], row["is_grace_charged"], row["cap_percent"])


def _debt(row: asyncpg.Record) -> Debt:
    payments: Any = zip(row["paid_on"] or (), row["paid_fen"] or (), strict=True)  # Any: arrays of the driver
    return Debt(row["issued_fen"], row["principal_due_fen"], row["due_on"], tuple(payments))
