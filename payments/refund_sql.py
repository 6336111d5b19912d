"""Statements on refunds."""

from __future__ import annotations

REFUND = """
SELECT r.id, r.compound_id, r.order_id, r.attempt_id, r.out_refund_no, r.amount_fen, r.origin, r.cause, r.reason, r.state,
    r.requested_by, r.requested_at, r.queries, a.channel, a.purpose, a.out_trade_no, a.channel_no, a.paid_fen,
    a.state AS attempt_state, o.holder_id, o.cashier_id, o.payer_id
FROM refund r JOIN payment_attempt a ON a.id = r.attempt_id JOIN payment_order o ON o.id = r.order_id
"""

REFUND_BY_ID = REFUND + "WHERE r.id = $1"

# Of any transaction of a payment: a channel names all of them by our number of the first.
REFUND_BY_NUMBER = REFUND + "WHERE r.out_refund_no = $1 AND r.order_id = $2"

# Made at the platform itself: its number there stands in the reason, or is that of ours which was done by hand there.
FOREIGN = """
SELECT id FROM refund WHERE attempt_id = $1 AND (origin = 'channel' AND reason = $2 OR channel_refund_no = $2)
"""

# Of what is only asked for, was refused, or was kept, nothing went.
MAY_HAVE_GONE = """
SELECT coalesce(sum(amount_fen), 0)::bigint FROM refund WHERE attempt_id = $1 AND state IN ('approved', 'sent', 'succeeded')
"""

LOCK_REFUND = "SELECT state FROM refund WHERE id = $1 FOR NO KEY UPDATE"

# What is not refused of all refunds stays within what was paid, however many are asked for at once.
RESERVE = """
UPDATE payment_attempt SET given_back_fen = given_back_fen + $2
WHERE id = $1 AND state = 'succeeded' AND given_back_fen + $2 BETWEEN 0 AND paid_fen RETURNING id
"""

RESERVE_ITEMS = """
UPDATE payment_item SET given_back_fen = payment_item.given_back_fen + r.fen
FROM unnest($2::uuid[], $3::bigint[]) AS r (item_id, fen)
WHERE payment_item.id = r.item_id AND order_id = $1 AND payment_item.given_back_fen + r.fen BETWEEN 0 AND paid_fen
"""

NEW_ITEMS = """
INSERT INTO refund_item (id, refund_id, item_id, account_id, amount_fen)
SELECT make_uuid7(), $1::uuid, i.item_id, i.account_id, i.fen
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS i (item_id, account_id, fen)
"""

ITEMS = """
SELECT r.item_id, r.amount_fen, i.payable_id, a.code, a.subject_id, a.purpose,
    r.account_id IS NULL AND i.payable_id IS NOT NULL AS stands_again
FROM refund_item r JOIN payment_item i ON i.id = r.item_id
LEFT JOIN ledger_account a ON a.id = coalesce(r.account_id, i.account_id)
WHERE r.refund_id = $1 ORDER BY i.position
"""

# Of one channel.
CLAIM_DUE = """
UPDATE refund SET next_query_at = $1::timestamptz + make_interval(secs => $2), queries = least(queries + 1, 32000)
WHERE id IN (
    SELECT r.id FROM refund r JOIN payment_attempt a ON a.id = r.attempt_id AND a.channel = $4
    WHERE r.next_query_at <= $1 ORDER BY r.next_query_at LIMIT $3 FOR NO KEY UPDATE OF r SKIP LOCKED)
RETURNING id
"""

ASK_AGAIN_AT = "UPDATE refund SET next_query_at = $2 WHERE id = $1 AND next_query_at IS NOT NULL"
