"""Statements on bills: their late fees, states, corrections, and what pays them."""

# columns are constants of the module, values are parameters

from __future__ import annotations

from domains.billing.payer_sql import OWNED_THEN, PAID_BY_HOUSE, accounts
from domains.billing.standing import COLUMNS, JOINS

# All payables of the bills, and in one order: whoever wants several never waits in a circle.
LOCK_PAYABLES = """
SELECT id FROM payable WHERE subject_id = ANY($1::uuid[]) AND subject_type IN ('bill', 'late_fee') ORDER BY id FOR UPDATE
"""

STANDING = f"""
SELECT b.id, b.compound_id, b.house_id, {COLUMNS},
    (SELECT count(*) FROM entry e WHERE e.payable_id = f.id) AS late_fee_moves
FROM bill b {JOINS} WHERE b.id = ANY($1::uuid[]) ORDER BY b.id
"""

TO_PAY = """
SELECT id, subject_id, due_fen - settled_fen AS fen, coalesce(held_until > $2, false) AS is_held FROM payable
WHERE subject_id = ANY($1::uuid[]) AND subject_type IN ('bill', 'late_fee') AND settled_fen < due_fen
ORDER BY subject_id, subject_type
"""

LOCK_BILL = "SELECT id, state, compound_id, house_id FROM bill WHERE id = $1 FOR UPDATE"

# Whoever follows a bill has its row before the house's deposit: of several bills all rows come before any money.
LOCK_BILLS = "SELECT id FROM bill WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"

SETTLED = """
SELECT coalesce(sum(due_fen - settled_fen), 0)::bigint AS outstanding_fen,
    coalesce(sum(settled_fen), 0)::bigint AS settled_fen
FROM payable WHERE subject_id = $1 AND subject_type IN ('bill', 'late_fee')
"""

# What was billed for deposits, and what of it was moved to the house's deposit. A part payment pays all lines alike.
DEPOSIT = """
SELECT m.moves, m.kept_fen, coalesce(div(m.billed_fen * p.settled_fen, nullif((
    SELECT sum(l.amount_fen) FROM bill_line l WHERE l.bill_id = $1), 0)), 0)::bigint AS to_keep_fen
FROM (SELECT count(*) FILTER (WHERE j.kind = 'deposit') AS moves,
        -sum(e.amount_fen) FILTER (WHERE j.kind <> 'deposit') AS billed_fen,
        coalesce(sum(e.amount_fen) FILTER (WHERE j.kind = 'deposit'), 0)::bigint AS kept_fen
    FROM ledger_account a JOIN entry e ON e.account_id = a.id JOIN journal j ON j.id = e.journal_id
    WHERE a.subject_id = $1 AND a.code = 'deposit_due' HAVING count(*) > 0) m
JOIN payable p ON p.subject_id = $1 AND p.subject_type = 'bill'
"""

# Bills with something to pay out of the house's own money, all of whose payables are locked with them.
LOCK_OPEN_OF_HOUSE = f"""
SELECT id FROM payable
WHERE subject_type IN ('bill', 'late_fee') AND subject_id IN (
    SELECT p.subject_id FROM payable p JOIN bill b ON b.id = p.subject_id
    WHERE p.holder_id = $1 AND p.settled_fen < p.due_fen AND b.state <> 'void' AND {PAID_BY_HOUSE})
ORDER BY id FOR UPDATE
"""

OPEN_OF_HOUSE = f"""
SELECT b.id, b.number, {COLUMNS},
    (SELECT array_agg(DISTINCT i.category) FROM bill_line l JOIN fee_item i ON i.id = l.fee_item_id
     WHERE l.bill_id = b.id) AS categories
FROM bill b {JOINS}
WHERE b.state <> 'void' AND {PAID_BY_HOUSE} AND b.id IN (
    SELECT subject_id FROM payable WHERE holder_id = $1 AND settled_fen < due_fen)
"""

# Where what was paid of it may go back to the house's own money: where it is that which pays it, or came out of it
# before, and the house was not sold since.
GOES_BACK_TO_HOUSE = f"""
SELECT {PAID_BY_HOUSE} OR {OWNED_THEN} AND NOT EXISTS (
    SELECT FROM payable p JOIN settlement s ON s.payable_id = p.id AND s.amount_fen > 0
    JOIN journal j ON j.id = s.journal_id AND j.kind <> 'deduction'
    WHERE p.subject_id = b.id AND p.subject_type IN ('bill', 'late_fee'))
FROM bill b WHERE b.id = $1
"""

DEDUCTS = """
SELECT h.compound_id, coalesce(r.deducts_automatically, true) AS deducts FROM house h
LEFT JOIN billing_rules r ON r.compound_id = h.compound_id WHERE h.id = $1
"""

LOCK_BALANCES = """
SELECT purpose, balance_fen FROM ledger_account
WHERE compound_id = $1 AND code = 'prepayment' AND subject_id = $2 ORDER BY id FOR UPDATE
"""

_HAS_MONEY = """EXISTS (SELECT FROM ledger_account a WHERE a.subject_id = {house} AND a.code = 'prepayment'
    AND a.balance_fen > 0)"""

WITH_MONEY_AMONG = f"""
SELECT DISTINCT b.house_id FROM bill b WHERE b.id = ANY($1::uuid[]) AND {_HAS_MONEY.format(house="b.house_id")}
"""

WITH_MONEY_AND_DEBTS = """
SELECT a.subject_id AS house_id FROM ledger_account a
WHERE a.code = 'prepayment' AND a.balance_fen > 0
  AND EXISTS (SELECT FROM payable p WHERE p.holder_id = a.subject_id AND p.settled_fen < p.due_fen
      AND p.subject_type IN ('bill', 'late_fee'))
GROUP BY 1 ORDER BY 1
"""

BILL_PLACE = "SELECT id, compound_id, building_id, house_id, state FROM bill WHERE id = $1"

LINE_PLACE = """
SELECT l.id, l.bill_id, b.compound_id, b.building_id, b.house_id, b.state FROM bill_line l JOIN bill b ON b.id = l.bill_id
WHERE l.id = $1
"""

REQUEST = """
INSERT INTO correction (id, compound_id, bill_id, line_id, kind, concerns, amount_fen, reason, state, requested_by,
    requested_at, decision_note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', $9, $10, '')
ON CONFLICT (bill_id) WHERE state = 'requested' DO NOTHING RETURNING id
"""

LOCK_CORRECTION = """
SELECT c.id, c.compound_id, c.bill_id, c.line_id, c.kind, c.concerns, c.amount_fen, c.reason, c.state, c.requested_by,
    b.building_id, b.house_id, b.due_on
FROM correction c JOIN bill b ON b.id = c.bill_id WHERE c.id = $1 FOR UPDATE OF c
"""

# A line with all that was adjusted on it since: an adjustment carries the line's own item and period.
LINE = """
SELECT l.id, l.house_id, l.fee_item_id, l.period_from, l.period_until, l.part, i.category,
    (SELECT sum(o.amount_fen) FROM bill_line o WHERE o.bill_id = l.bill_id AND o.fee_item_id = l.fee_item_id
        AND o.period_from = l.period_from AND o.part = l.part)::bigint AS amount_fen
FROM bill_line l JOIN fee_item i ON i.id = l.fee_item_id WHERE l.id = $1
"""

ADJUST = """
INSERT INTO bill_line (id, bill_id, house_id, fee_item_id, kind, period_from, period_until, part, amount_fen, basis,
    correction_id)
VALUES ($1, $2, $3, $4, 'adjustment', $5, $6, $7, $8, jsonb_build_object('kind', 'adjustment', 'reason', $9::text), $10)
"""

BY_ITEM = """
SELECT l.fee_item_id, i.category, sum(l.amount_fen)::bigint AS fen FROM bill_line l JOIN fee_item i ON i.id = l.fee_item_id
WHERE l.bill_id = $1 GROUP BY 1, 2 HAVING sum(l.amount_fen) <> 0 ORDER BY 1
"""

WAIVED = """
SELECT concerns, -sum(effect_fen)::bigint AS fen FROM correction
WHERE bill_id = $1 AND kind = 'waiver' AND state = 'approved' GROUP BY concerns
"""


ISSUED = f"""
SELECT b.id, b.compound_id, b.house_id, b.month, b.issued_fen, b.due_on, c.name AS compound, h.number AS house,
    {accounts("b", "$2")} AS accounts
FROM bill b JOIN house h ON h.id = b.house_id JOIN compound c ON c.id = b.compound_id
WHERE b.id = ANY($1::uuid[]) AND b.issued_fen > 0 ORDER BY b.house_id, b.id
"""

BILL_TOLD = f"""
SELECT b.id, b.compound_id, b.building_id, b.number, b.month, b.state, c.name AS compound, h.number AS house,
    {accounts("b", "$2")} AS accounts
FROM bill b JOIN house h ON h.id = b.house_id JOIN compound c ON c.id = b.compound_id
WHERE b.id = $1
"""

# What was paid of it in all, and by what kind of posting last.
PAID_BY = """
SELECT (array_agg(j.kind ORDER BY j.posted_at DESC, j.id DESC))[1] AS kind, sum(s.amount_fen)::bigint AS fen
FROM settlement s JOIN payable p ON p.id = s.payable_id JOIN journal j ON j.id = s.journal_id
WHERE p.subject_id = $1 AND p.subject_type IN ('bill', 'late_fee') HAVING sum(s.amount_fen) > 0
"""

CORRECTION_TOLD = """
SELECT id, kind, reason, amount_fen, effect_fen, requested_by, decided_by, decision_note FROM correction WHERE id = $1
"""

HOUSES_OF_BILLS = "SELECT DISTINCT house_id, id FROM bill WHERE id = ANY($1::uuid[]) ORDER BY house_id, id"
