"""Statements of dunning: what is due, what was sent, who is told, what was promised."""

# columns are constants of the module, values are parameters

from __future__ import annotations

from domains.billing.standing import COLUMNS, JOINS

STEPS = "SELECT id, days, form FROM dunning_step WHERE compound_id = $1 AND ended_at IS NULL ORDER BY days"

# Kept are the steps that are asked for again as they were: what had them does not have them once more.
END_STEPS = """
UPDATE dunning_step s SET ended_at = $4 WHERE s.compound_id = $1 AND s.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM unnest($2::int[], $3::text[]) AS w (days, form) WHERE w.days = s.days AND w.form = s.form)
"""

ADD_STEPS = """
INSERT INTO dunning_step (id, compound_id, days, form)
SELECT make_uuid7(), $1, w.days, w.form FROM unnest($2::int[], $3::text[]) AS w (days, form) ORDER BY w.days
ON CONFLICT (compound_id, days) WHERE ended_at IS NULL DO NOTHING
"""

COMPOUNDS = "SELECT DISTINCT compound_id FROM dunning_step WHERE ended_at IS NULL ORDER BY 1"

_PROMISED = """EXISTS (SELECT FROM payment_promise m
    WHERE m.house_id = b.house_id AND m.withdrawn_at IS NULL AND m.promised_on >= $2)"""

# Houses with a bill that has not had a step that is due, and those bills.
DUE = f"""
SELECT b.house_id, array_agg(b.id ORDER BY b.id) AS bill_ids FROM bill b
WHERE b.compound_id = $1 AND b.state IN ('open', 'partly_paid')
  AND EXISTS (
    SELECT FROM dunning_step s WHERE s.compound_id = $1 AND s.ended_at IS NULL AND b.due_on + s.days <= $2
      AND (b.payer <> 'developer' OR s.form = 'letter')
      AND NOT EXISTS (SELECT FROM dunning_sent d WHERE d.bill_id = b.id AND d.step_id = s.id))
  AND NOT {_PROMISED}
GROUP BY b.house_id ORDER BY b.house_id
"""

_OWED = f"b.id, b.compound_id, b.building_id, b.house_id, b.payer, b.person_id, {COLUMNS}"

CANDIDATES = f"""
SELECT {_OWED}, d.had, d.had_days FROM bill b {JOINS}
LEFT JOIN LATERAL (
    SELECT array_agg(t.step_id) AS had, max(s.days) AS had_days
    FROM dunning_sent t JOIN dunning_step s ON s.id = t.step_id WHERE t.bill_id = b.id) d ON true
WHERE b.id = ANY($1::uuid[]) AND b.state IN ('open', 'partly_paid') AND NOT {_PROMISED}
ORDER BY b.house_id, b.due_on, b.id
"""

# The constraint decides who sends what; whoever is second waits for the first and gets nothing. In one order, so that
# two never wait in a circle.
SEND = """
INSERT INTO dunning_sent (id, bill_id, step_id, sent_on, is_skipped)
SELECT make_uuid7(), w.bill_id, w.step_id, $4, w.is_skipped
FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS w (bill_id, step_id, is_skipped) ORDER BY w.bill_id, w.step_id
ON CONFLICT (bill_id, step_id) DO NOTHING RETURNING bill_id, step_id
"""

NUMBER_LETTERS = """
INSERT INTO document_counter (id, compound_id, kind, year, issued) VALUES (make_uuid7(), $1, 'letter', $2, $3)
ON CONFLICT (compound_id, kind, year) DO UPDATE SET issued = document_counter.issued + $3 RETURNING issued
"""

MAKE_LETTERS = """
INSERT INTO dunning_letter (id, compound_id, house_id, number, made_on, owed_fen)
SELECT w.id, $1, w.house_id, w.number, $2, w.fen
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[]) AS w (id, house_id, number, fen)
"""

PUT_ON_LETTERS = """
UPDATE dunning_sent d SET letter_id = w.letter_id, principal_fen = w.fen
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS w (bill_id, step_id, letter_id, fen)
WHERE d.bill_id = w.bill_id AND d.step_id = w.step_id
"""

HOUSE = "SELECT id, compound_id, building_id, number FROM house WHERE id = $1 FOR NO KEY UPDATE"

OPEN_OF_HOUSE = f"""
SELECT {_OWED} FROM bill b {JOINS}
WHERE b.house_id = $1 AND b.state IN ('open', 'partly_paid') AND b.payer <> 'developer' ORDER BY b.due_on, b.id
"""

PROMISED_UNTIL = """
SELECT max(promised_on) FROM payment_promise WHERE house_id = $1 AND withdrawn_at IS NULL AND promised_on >= $2
"""

REMINDED_ON = """
SELECT EXISTS (SELECT FROM house_reminder WHERE house_id = $1 AND sent_on = $2)
    OR EXISTS (SELECT FROM dunning_sent d JOIN bill b ON b.id = d.bill_id
        WHERE b.house_id = $1 AND d.sent_on = $2 AND NOT d.is_skipped)
"""

BY_HAND = """
INSERT INTO house_reminder (id, compound_id, house_id, sent_on, sent_by) VALUES (make_uuid7(), $1, $2, $3, $4)
ON CONFLICT (house_id, sent_on) DO NOTHING
"""

TOLD = f"""
SELECT {_OWED}, c.name AS compound, h.number AS house FROM bill b {JOINS}
JOIN house h ON h.id = b.house_id JOIN compound c ON c.id = b.compound_id
WHERE b.id = ANY($1::uuid[]) ORDER BY b.due_on, b.id
"""

LETTER_PLACE = """
SELECT l.id, l.compound_id, l.number, h.building_id, l.printed_at, EXISTS (
    SELECT FROM dunning_sent d JOIN bill b ON b.id = d.bill_id
    WHERE d.letter_id = l.id AND b.state IN ('open', 'partly_paid')) AS is_owed
FROM dunning_letter l JOIN house h ON h.id = l.house_id WHERE l.id = $1
"""

PRINTED = "UPDATE dunning_letter SET printed_at = $2, printed_by = $3 WHERE id = $1 AND printed_at IS NULL"

OWES = """
SELECT EXISTS (SELECT FROM payable WHERE holder_id = $1 AND settled_fen < due_fen AND subject_type IN ('bill', 'late_fee'))
"""

PROMISE = """
INSERT INTO payment_promise (id, compound_id, house_id, promised_on, amount_fen, note, recorded_by, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

LOCK_PROMISE = """
SELECT m.id, m.compound_id, m.house_id, m.promised_on, m.withdrawn_at, h.building_id
FROM payment_promise m JOIN house h ON h.id = m.house_id WHERE m.id = $1 FOR UPDATE OF m
"""

WITHDRAW = "UPDATE payment_promise SET withdrawn_at = $2 WHERE id = $1"

# What was paid between the promise and its day, and what was left on that day of all that was billed before: kept is a
# promise of an amount by the former, any promise by the latter.
PROMISE_COLUMNS = """m.id, m.compound_id, m.house_id, h.number AS house_number, m.promised_on, m.amount_fen, m.note,
    coalesce(a.name, '') AS recorded_by_name, m.recorded_at, m.withdrawn_at, k.paid_fen, CASE
        WHEN m.withdrawn_at IS NOT NULL THEN 'withdrawn'
        WHEN k.left_fen = 0 OR k.paid_fen >= m.amount_fen THEN 'kept'
        WHEN m.promised_on >= $1 THEN 'open' ELSE 'broken' END AS state"""

PROMISE_FROM = """payment_promise m JOIN house h ON h.id = m.house_id LEFT JOIN account a ON a.id = m.recorded_by
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.since_fen), 0)::bigint AS paid_fen, coalesce(sum(greatest(p.due_fen - x.by_fen, 0))
        FILTER (WHERE b.issued_on <= (m.recorded_at AT TIME ZONE 'Asia/Shanghai')::date), 0)::bigint AS left_fen
    FROM bill b JOIN payable p ON p.subject_id = b.id AND p.subject_type IN ('bill', 'late_fee')
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.amount_fen), 0) AS by_fen,
            coalesce(sum(s.amount_fen) FILTER (WHERE j.posted_at > m.recorded_at), 0) AS since_fen
        FROM settlement s JOIN journal j ON j.id = s.journal_id
        WHERE s.payable_id = p.id AND s.settled_on <= m.promised_on) x
    WHERE b.house_id = m.house_id) k"""
