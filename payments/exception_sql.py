"""Statements on what a person has to look at."""

from __future__ import annotations

# Told of again while it is open it is the same, with the amount that is known by now: what somebody asked for was
# another sum, and is asked for anew.
OPEN = """
INSERT INTO payment_exception (id, compound_id, kind, attempt_id, refund_id, amount_fen, number, note, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (kind, attempt_id, refund_id, number)
    WHERE closed_at IS NULL AND (attempt_id IS NOT NULL OR refund_id IS NOT NULL)
DO UPDATE SET amount_fen = EXCLUDED.amount_fen, asked_action = NULL, asked_by = NULL, asked_at = NULL,
    asked_note = ''
    WHERE payment_exception.amount_fen <> EXCLUDED.amount_fen
RETURNING id
"""

# What waits for a decision of a refund is not decided in another way meanwhile.
COLUMNS = """
e.id, e.compound_id, e.kind, e.attempt_id, e.refund_id, e.amount_fen, e.number, e.note, e.opened_at, e.asked_action,
e.asked_by, e.asked_at, e.asked_note, e.action, e.closed_at, e.closed_by, e.decision_note, a.order_id,
coalesce(e.refund_id, back.id) AS shown_refund_id, coalesce(back.state = 'requested', false) AS is_asked_back,
EXISTS (SELECT FROM payment_item i WHERE i.order_id = a.order_id AND i.payable_id IS NOT NULL) AS pays_debts
"""

JOINS = """
LEFT JOIN refund r ON r.id = e.refund_id
LEFT JOIN payment_attempt a ON a.id = coalesce(e.attempt_id, r.attempt_id)
LEFT JOIN LATERAL (
    SELECT b.id, b.state FROM refund b
    WHERE e.kind IN ('underpaid', 'second_success') AND b.attempt_id = e.attempt_id AND b.origin = 'staff'
    ORDER BY b.id DESC LIMIT 1) back ON true
"""

ONE = f"SELECT {COLUMNS} FROM payment_exception e {JOINS} WHERE e.id = $1"

# What names no payment of ours, and is not seen to.
IS_OPEN = """
SELECT EXISTS (SELECT FROM payment_exception
    WHERE compound_id IS NULL AND closed_at IS NULL AND kind = $1 AND note = $2)
"""

LOCK = "SELECT FROM payment_exception WHERE id = $1 FOR NO KEY UPDATE"

ASK = """
UPDATE payment_exception SET asked_action = $2, asked_by = $3, asked_at = $4, asked_note = $5 WHERE id = $1
"""

CLOSE = """
UPDATE payment_exception SET closed_at = $2, closed_by = $3, action = $4, decision_note = $5 WHERE id = $1
"""

# Whichever of the two is named; without a person it came right by itself.
CLOSE_OF = """
UPDATE payment_exception SET closed_at = $4, closed_by = $5, action = $6, decision_note = $7
WHERE closed_at IS NULL AND kind = ANY($1::text[]) AND (attempt_id = $2 OR refund_id = $3)
"""

# Part of the money that waits is gone; once all of it is, nothing waits any more.
LESS_WAITS = """
UPDATE payment_exception SET amount_fen = CASE WHEN amount_fen > $2 THEN amount_fen - $2 ELSE amount_fen END,
    closed_at = CASE WHEN amount_fen <= $2 THEN $3::timestamptz END
WHERE closed_at IS NULL AND attempt_id = $1 AND kind IN ('underpaid', 'second_success')
"""

# All that the channel told of is in the books now: what had no room before was among it.
UNBOOKED_IS_BOOKED = """
UPDATE payment_exception SET closed_at = $3
WHERE closed_at IS NULL AND attempt_id = $1 AND kind = 'channel_refund' AND refund_id IS NULL AND number = $2
"""

# What stands on an account of suspense, credit above zero.
SUSPENSE = """
SELECT coalesce(-sum(e.amount_fen), 0)::bigint FROM entry e JOIN ledger_account a ON a.id = e.account_id
WHERE a.compound_id = $1 AND a.code = 'suspense' AND a.subject_id = $2 AND a.purpose = ''
"""

# Money in suspense that was put to debts, less what of it was taken out of them again.
PAID_OUT_OF_SUSPENSE = """
SELECT s.payable_id, sum(s.amount_fen)::bigint AS fen FROM payment_exception e
JOIN journal j ON j.compound_id = e.compound_id AND j.key = 'exception:' || e.id
JOIN settlement s ON s.journal_id = j.id
WHERE e.attempt_id = $1 GROUP BY s.payable_id HAVING sum(s.amount_fen) > 0 ORDER BY s.payable_id DESC
"""

# A prepayment that was to be topped up with it, or that which pays anything.
TOPPED_UP = """
SELECT l.purpose FROM payment_item i JOIN ledger_account l ON l.id = i.account_id
WHERE i.order_id = $1 AND l.code = 'prepayment' ORDER BY i.position LIMIT 1
"""

ITEMS_LEFT = """
SELECT id, paid_fen - given_back_fen AS left_fen FROM payment_item
WHERE order_id = $1 AND paid_fen > given_back_fen ORDER BY position
"""

# Done by hand at the platform, under a number of the platform's own.
DONE_BY_HAND = """
SELECT id FROM refund WHERE attempt_id = $1 AND state = 'abnormal' AND amount_fen = $2 ORDER BY id LIMIT 1
"""

# What was kept as a prepayment did not go back: it leaves room, and goes now.
RESERVE_BESIDE_KEPT = """
UPDATE payment_attempt SET given_back_fen = least(paid_fen, given_back_fen + $2)
WHERE id = $1 AND state = 'succeeded' AND paid_fen >= $2 + (
    SELECT coalesce(sum(r.amount_fen), 0) FROM refund r
    WHERE r.attempt_id = payment_attempt.id AND r.state NOT IN ('rejected', 'closed'))
RETURNING id
"""
