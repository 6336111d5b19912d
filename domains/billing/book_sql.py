"""Statements over a compound's accounts. A month is [$2, $3) by the day on which the ledger has a journal."""

from __future__ import annotations

_OURS = "('bill', 'late_fee')"
_JOURNALS = "j.compound_id = $1 AND j.posted_on >= $2 AND j.posted_on < $3"
# A deposit is billed like a fee; what is then received of it is no second bill.
_BILLED = """(a.code IN ('income', 'late_fee_income') OR a.code = 'deposit_due' AND j.kind <> 'deposit')"""

BILLED = f"""
SELECT a.code, i.id AS fee_item_id, i.name, i.category, -sum(e.amount_fen)::bigint AS fen
FROM journal j JOIN entry e ON e.journal_id = j.id JOIN ledger_account a ON a.id = e.account_id
LEFT JOIN fee_item i ON a.code = 'income' AND i.id = a.subject_id
WHERE {_JOURNALS} AND ({_BILLED} OR a.code = 'waiver') AND (a.code <> 'income' OR i.id IS NOT NULL)
GROUP BY a.code, i.id
"""

# What was paid of a bill up to a day is shared out by its lines, and a month has the difference of two such days: a
# bill that is paid in many parts ends with what its lines say. Largest remainder, as kernel.money.split.
COLLECTED = f"""
WITH moved AS (
    SELECT p.id AS payable_id, p.subject_id AS bill_id, sum(s.amount_fen) AS fen
    FROM journal j JOIN settlement s ON s.journal_id = j.id
    JOIN payable p ON p.id = s.payable_id AND p.subject_type = 'bill'
    WHERE {_JOURNALS} GROUP BY p.id),
stood AS (
    SELECT m.bill_id, e.sign, e.fen FROM moved m CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.amount_fen), 0) AS fen FROM settlement s JOIN journal j ON j.id = s.journal_id
        WHERE s.payable_id = m.payable_id AND j.posted_on < $2) before
    CROSS JOIN LATERAL (VALUES (-1, before.fen), (1, before.fen + m.fen)) AS e (sign, fen)),
weighed AS (
    SELECT bill_id, fee_item_id, weight, sum(weight) OVER (PARTITION BY bill_id) AS whole FROM (
        SELECT l.bill_id, l.fee_item_id, greatest(sum(l.amount_fen), 0)::numeric AS weight FROM bill_line l
        WHERE l.bill_id IN (SELECT bill_id FROM moved) GROUP BY 1, 2) w),
cut AS (
    SELECT s.bill_id, s.sign, s.fen, w.fee_item_id, div(s.fen * w.weight, nullif(w.whole, 0)) AS base,
        mod(s.fen * w.weight, nullif(w.whole, 0)) AS rest
    FROM stood s JOIN weighed w ON w.bill_id = s.bill_id),
shared AS (
    SELECT fee_item_id, sign * (base + (row_number() OVER (PARTITION BY bill_id, sign ORDER BY rest DESC, fee_item_id)
        <= fen - sum(base) OVER (PARTITION BY bill_id, sign))::int) AS fen
    FROM cut)
SELECT s.fee_item_id, i.name, i.category, sum(s.fen)::bigint AS fen
FROM shared s JOIN fee_item i ON i.id = s.fee_item_id GROUP BY s.fee_item_id, i.id
"""

LATE_FEES_COLLECTED = f"""
SELECT coalesce(sum(s.amount_fen), 0)::bigint FROM journal j JOIN settlement s ON s.journal_id = j.id
JOIN payable p ON p.id = s.payable_id AND p.subject_type = 'late_fee' WHERE {_JOURNALS}
"""

# From what is open now back to the day: debts that are paid off need not be read.
OPEN = f"""
SELECT (now_open.fen - coalesce(sum(e.amount_fen), 0))::bigint AS before_fen,
    (now_open.fen - coalesce(sum(e.amount_fen) FILTER (WHERE e.posted_on >= $3), 0))::bigint AS after_fen
FROM (SELECT coalesce(sum(due_fen - settled_fen), 0) AS fen FROM payable
      WHERE compound_id = $1 AND settled_fen < due_fen AND subject_type IN {_OURS}) now_open
LEFT JOIN (SELECT e.amount_fen, e.posted_on FROM journal j JOIN entry e ON e.journal_id = j.id
      JOIN payable p ON p.id = e.payable_id AND p.subject_type IN {_OURS}
      WHERE j.compound_id = $1 AND j.posted_on >= $2) e ON true
GROUP BY now_open.fen
"""

OF_MONTHS_BILLS = """
SELECT coalesce(sum(e.fen + s.fen), 0)::bigint AS due_fen, coalesce(sum(s.fen), 0)::bigint AS settled_fen
FROM bill b JOIN payable p ON p.subject_id = b.id AND p.subject_type = 'bill'
CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0) AS fen FROM entry
    WHERE payable_id = p.id AND posted_on < $3) e
CROSS JOIN LATERAL (SELECT coalesce(sum(s.amount_fen), 0) AS fen FROM settlement s JOIN journal j ON j.id = s.journal_id
    WHERE s.payable_id = p.id AND j.posted_on < $3) s
WHERE b.compound_id = $1 AND b.month = $2
"""

MONTHS = f"""
SELECT month, sum(billed)::bigint AS billed_fen, sum(collected)::bigint AS collected_fen, sum(spent)::bigint AS spent_fen
FROM (
    SELECT date_trunc('month', j.posted_on)::date AS month, -e.amount_fen AS billed, 0 AS collected, 0 AS spent
    FROM journal j JOIN entry e ON e.journal_id = j.id JOIN ledger_account a ON a.id = e.account_id
    WHERE {_JOURNALS} AND {_BILLED}
      AND (a.code <> 'income' OR EXISTS (SELECT FROM fee_item i WHERE i.id = a.subject_id))
    UNION ALL
    SELECT date_trunc('month', j.posted_on)::date, 0, s.amount_fen, 0
    FROM journal j JOIN settlement s ON s.journal_id = j.id JOIN payable p ON p.id = s.payable_id
    WHERE {_JOURNALS} AND p.subject_type IN {_OURS}
    UNION ALL
    SELECT date_trunc('month', spent_on)::date, 0, 0, amount_fen FROM expense
    WHERE compound_id = $1 AND spent_on >= $2 AND spent_on < $3 AND removed_at IS NULL
) moves GROUP BY month
"""

EXPENSES_OF_MONTH = """
SELECT id, spent_on, category, amount_fen, note, voucher_key FROM expense
WHERE compound_id = $1 AND spent_on >= $2 AND spent_on < $3 AND removed_at IS NULL ORDER BY spent_on, id
"""

# The last revision of a month counts.
PUBLISHED = """
SELECT id, month, revision, content::text AS content, sha256, note, published_at FROM accounts_publication
WHERE compound_id = $1 AND ($2::date IS NULL OR month = $2) ORDER BY month DESC, revision DESC LIMIT 1
"""

PUBLISHED_MONTHS = """
SELECT DISTINCT ON (month) month, revision, published_at FROM accounts_publication
WHERE compound_id = $1 ORDER BY month DESC, revision DESC
"""

# Who enters, removes and publishes takes turns: what is published is what was there.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('books:' || $1::uuid::text, 0))"

LOCK_EXPENSE = """
SELECT e.id, e.compound_id, e.spent_on, e.category, e.amount_fen, e.voucher_key, e.corrects_id, e.removed_at,
    EXISTS (SELECT FROM accounts_publication p WHERE p.compound_id = e.compound_id
        AND p.month = date_trunc('month', e.spent_on)::date AND p.published_at >= e.entered_at) AS is_published,
    (SELECT coalesce(sum(c.amount_fen), 0) FROM expense c WHERE c.corrects_id = e.id AND c.removed_at IS NULL)::bigint
        AS corrected_fen
FROM expense e WHERE e.id = $1 FOR UPDATE
"""
