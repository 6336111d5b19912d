"""Statements of what papers say."""

from __future__ import annotations

from domains.billing.payer_sql import DEBTORS, ties

# A journal `j` of a payment's success is named after the attempt that succeeded.
_ATTEMPT = "CASE WHEN j.key LIKE 'payment:%' THEN substr(j.key, 9)::uuid END"
# One by which money that waited was put to bills is named after what was wrong with it.
_EXCEPTION = "CASE WHEN j.key LIKE 'exception:%' THEN substr(j.key, 11)::uuid END"
_WENT_BACK = f"""coalesce(
    (SELECT sum(r.amount_fen) FROM refund r
    WHERE r.attempt_id = {_ATTEMPT} AND r.state = 'succeeded' AND r.cause IN ('request', 'channel')),
    (SELECT -sum(s.amount_fen) FROM payment_exception e
    JOIN payment_exception w ON w.attempt_id = e.attempt_id AND w.action = 'book'
    JOIN journal k ON k.compound_id = w.compound_id AND k.key = 'exception:' || w.id
    JOIN settlement s ON s.journal_id = k.id WHERE e.id = {_EXCEPTION}))"""

_WAY = f"""(SELECT 'pay_' || a.channel FROM payment_exception e JOIN payment_attempt a ON a.id = e.attempt_id
    WHERE e.id = {_EXCEPTION})"""

# What paid nothing, and went back by rule, is on no receipt.
_IS_TAKEN_BACK = f"""(EXISTS (SELECT FROM journal v WHERE v.reverses_id = j.id) OR coalesce({_WENT_BACK} >= (
    SELECT sum(i.paid_fen) FROM payment_attempt a JOIN payment_item i ON i.order_id = a.order_id
    WHERE a.id = {_ATTEMPT}), {_WENT_BACK} >= (
    SELECT sum(s.amount_fen) FROM settlement s WHERE s.journal_id = j.id), false))"""

PLACE = """
SELECT c.name AS compound, m.name AS company, c.service_phone FROM compound c JOIN company m ON m.id = c.company_id
WHERE c.id = $1
"""

PAID = f"""
SELECT j.compound_id, coalesce({_WAY}, j.kind) AS kind, s.settled_on, s.amount_fen, p.subject_type, b.id AS bill_id,
    b.number, h.number AS house, {_IS_TAKEN_BACK} AS is_taken_back,
    (SELECT coalesce(sum(o.amount_fen), 0) FROM settlement o WHERE o.payable_id = p.id AND o.id < s.id)::bigint AS before_fen
FROM settlement s JOIN journal j ON j.id = s.journal_id
JOIN payable p ON p.id = s.payable_id AND p.subject_type IN ('bill', 'late_fee')
JOIN bill b ON b.id = p.subject_id JOIN house h ON h.id = b.house_id
WHERE s.journal_id = $1 ORDER BY b.number, p.subject_type
"""

# What the same payment put into the house's money. A second success of it puts in nothing.
PUT_IN = f"""
SELECT j.compound_id, j.kind, j.posted_on AS settled_on, i.paid_fen AS amount_fen, l.purpose, o.id AS payment_id,
    h.building_id, h.number AS house, {_IS_TAKEN_BACK} AS is_taken_back
FROM journal j JOIN payment_attempt a ON a.id = {_ATTEMPT} JOIN payment_order o ON o.id = a.order_id AND o.paid_by = a.id
JOIN payment_item i ON i.order_id = o.id AND i.paid_fen > 0
JOIN ledger_account l ON l.id = i.account_id AND l.code = 'prepayment' JOIN house h ON h.id = l.subject_id
WHERE j.id = $1 ORDER BY i.position
"""

# A period with its adjustments is one line on paper.
LINES = """
SELECT l.bill_id, i.name, i.category, l.period_from, l.period_until, sum(l.amount_fen)::bigint AS fen
FROM bill_line l JOIN fee_item i ON i.id = l.fee_item_id WHERE l.bill_id = ANY($1::uuid[])
GROUP BY l.bill_id, i.id, l.period_from, l.period_until, l.part ORDER BY l.bill_id, i.name, l.period_from, l.part
"""

PAYERS = f"""
SELECT DISTINCT n.name FROM ({DEBTORS}) n
UNION
SELECT '开发商' FROM bill b WHERE b.id = ANY($1::uuid[]) AND b.person_id IS NULL AND b.payer = 'developer'
ORDER BY name LIMIT 3
"""

# Who paid ahead: whose phone it was, else whoever had the house that day.
AHEAD_BY = f"""
WITH paid AS (SELECT *, (paid_at AT TIME ZONE 'Asia/Shanghai')::date AS paid_on FROM payment_order WHERE id = $1),
payer AS (SELECT r.name FROM paid JOIN person r ON r.account_id = paid.payer_id AND r.compound_id = paid.compound_id)
SELECT name FROM payer
UNION
SELECT r.name FROM paid CROSS JOIN LATERAL ({ties("m.house_id = paid.holder_id")}) t JOIN person r ON r.id = t.person_id
WHERE t.payer = 'owner' AND t.is_own AND paid.paid_on >= t.since AND paid.paid_on < t.until
    AND NOT EXISTS (SELECT FROM payer)
ORDER BY name LIMIT 3
"""

BILL = """
SELECT b.compound_id, b.number, b.month, b.issued_on, b.due_on, h.number AS house
FROM bill b JOIN house h ON h.id = b.house_id WHERE b.id = $1
"""

HOUSE = "SELECT compound_id, building_id, number FROM house WHERE id = $1"

BILLS_OF_HOUSE = "SELECT id FROM bill WHERE house_id = $1"

# What a payment gives back touches no debt, but is a payment: both sides are looked at.
MOVES = """
SELECT j.posted_on, j.kind, j.reverses_id IS NOT NULL AS is_reversal, b.number, p.subject_type,
    sum(m.net + m.paid)::bigint AS due_fen, sum(m.paid)::bigint AS paid_fen
FROM bill b JOIN payable p ON p.subject_id = b.id AND p.subject_type IN ('bill', 'late_fee')
CROSS JOIN LATERAL (
    SELECT journal_id, amount_fen AS net, 0 AS paid FROM entry WHERE payable_id = p.id
    UNION ALL SELECT journal_id, 0, amount_fen FROM settlement WHERE payable_id = p.id) m
JOIN journal j ON j.id = m.journal_id
WHERE b.id = ANY($1::uuid[]) AND j.posted_on <= $2
GROUP BY j.id, b.id, p.subject_type ORDER BY j.posted_on, j.id, b.number, p.subject_type
"""

LETTER = """
SELECT d.compound_id, h.building_id, d.number, d.made_on, d.owed_fen, h.number AS house FROM dunning_letter d
JOIN house h ON h.id = d.house_id WHERE d.id = $1
"""

OF_LETTER = """
SELECT b.id AS bill_id, b.number, b.month, b.due_on, s.principal_fen AS fen
FROM dunning_sent s JOIN bill b ON b.id = s.bill_id WHERE s.letter_id = $1 ORDER BY b.number
"""

_ISSUE = "id, kind, number, code, amount_fen, content::text AS content, file_key, issued_on"

FIND = f"""
SELECT {_ISSUE} FROM document_issue
WHERE subject_id = $1 AND kind = $2 AND (kind IN ('receipt', 'letter') OR sha256 = $3)
"""

ISSUE = f"SELECT {_ISSUE} FROM document_issue WHERE id = $1"

# The row stands locked to the end of the transaction that takes the number: whoever fails gives it back.
COUNT = """
INSERT INTO document_counter (id, compound_id, kind, year, issued) VALUES (make_uuid7(), $1, $2, $3, 1)
ON CONFLICT (compound_id, kind, year) DO UPDATE SET issued = document_counter.issued + 1 RETURNING issued
"""

# Papers of one thing are made one after the other, so that two who ask at once get the same.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('document:' || $1::uuid::text, 0))"

VERIFY = f"""
SELECT d.kind, d.number, c.name AS compound_name, d.amount_fen, d.issued_on,
    j.id IS NOT NULL AND {_IS_TAKEN_BACK} AS is_taken_back, coalesce({_WENT_BACK}, 0)::bigint AS refunded_fen
FROM document_issue d JOIN compound c ON c.id = d.compound_id
LEFT JOIN journal j ON j.id = d.subject_id AND d.kind = 'receipt' WHERE d.code = $1
"""
