"""Statements on payments: orders, their items and attempts, and what channels said."""

from __future__ import annotations

NEW_ITEMS = """
INSERT INTO payment_item (id, order_id, position, payable_id, account_id, amount_fen, paid_fen, given_back_fen)
SELECT make_uuid7(), $1::uuid, i.place, i.payable_id, i.account_id, i.fen, 0, 0
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS i (payable_id, account_id, fen, place)
"""

ITEMS = """
SELECT id, payable_id, account_id, amount_fen FROM payment_item WHERE order_id = $1 ORDER BY position
"""

# The order first: whoever tries it again, closes it or credits it comes one after the other.
LOCK_ORDER = """
SELECT id, compound_id, holder_id, payer_id, cashier_id, title, amount_fen, state, number, created_at, expires_at,
    paid_at, paid_by
FROM payment_order WHERE id = $1 FOR NO KEY UPDATE
"""

ATTEMPT = """
SELECT a.id, a.order_id, a.compound_id, a.channel, a.product, a.out_trade_no, a.buyer, a.amount_fen, a.state,
    a.channel_no, a.paid_fen, a.given_back_fen, a.created_at, a.queries, a.succeeded_at, o.title, o.expires_at,
    o.state AS order_state
FROM payment_attempt a JOIN payment_order o ON o.id = a.order_id
"""

ATTEMPT_BY_ID = ATTEMPT + "WHERE a.id = $1"

ATTEMPT_BY_NUMBER = ATTEMPT + "WHERE a.out_trade_no = $1 AND a.channel = $2"

# A second transaction of a payment has no number of ours at the channel.
ATTEMPT_OF_TRANSACTION = ATTEMPT + "WHERE a.channel = $1 AND a.channel_no = $2 AND a.order_id = $3"

LIVE_ATTEMPTS = (
    ATTEMPT + "WHERE a.order_id = $1 AND a.state IN ('created', 'prepared', 'unknown') ORDER BY a.id"
)

LOCK_ATTEMPT = """
SELECT state, channel_no, paid_fen FROM payment_attempt WHERE id = $1 FOR NO KEY UPDATE
"""

# Of one channel. Whoever takes them has them for a while: of two pollers one asks.
CLAIM_DUE = """
UPDATE payment_attempt SET next_query_at = $1::timestamptz + make_interval(secs => $2), asked_at = $1,
    queries = least(queries + 1, 32000)
WHERE id IN (
    SELECT id FROM payment_attempt WHERE channel = $4 AND next_query_at <= $1
    ORDER BY next_query_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
"""

# Somebody who waits may have the channel asked, but not without end, unless they give it up ($4). What another has in hand,
# who books it, they leave alone: the others are what that one takes up next.
CLAIM_LIVE = """
UPDATE payment_attempt SET next_query_at = $2::timestamptz + make_interval(secs => $3), asked_at = $2
WHERE id IN (
    SELECT id FROM payment_attempt WHERE order_id = $1 AND next_query_at IS NOT NULL
    AND ($4::boolean OR asked_at IS NULL OR asked_at < $2::timestamptz - interval '2 seconds') FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
"""

ASK_AGAIN_AT = "UPDATE payment_attempt SET next_query_at = $2 WHERE id = $1 AND next_query_at IS NOT NULL"

ASK_NOW = """
UPDATE payment_attempt SET next_query_at = least(next_query_at, $2) WHERE id = $1 AND next_query_at IS NOT NULL
"""

# A number of the channel's is the money of one attempt.
OTHER_OF_NUMBER = "SELECT order_id FROM payment_attempt WHERE channel = $1 AND channel_no = $2 AND id <> $3"

SECOND = """
INSERT INTO payment_attempt (id, order_id, compound_id, channel, product, out_trade_no, app_id, payee, reference, buyer,
    amount_fen, state, channel_no, paid_fen, given_back_fen, problem, created_at, queries, succeeded_at, ended_at)
SELECT $2, order_id, compound_id, channel, product, $3, app_id, payee, '', buyer, $4::bigint, 'succeeded', $5, $4, 0, '',
    $6::timestamptz, 0, $7, $6
FROM payment_attempt WHERE id = $1 ON CONFLICT DO NOTHING RETURNING id
"""

NEXT_NUMBER = """
INSERT INTO payment_counter (id, compound_id, day, last_number) VALUES (make_uuid7(), $1, $2, 1)
ON CONFLICT (compound_id, day) DO UPDATE SET last_number = payment_counter.last_number + 1 RETURNING last_number
"""

ACCOUNTS = "SELECT id, code, subject_id, purpose FROM ledger_account WHERE id = ANY($1::uuid[])"

KEEP_EVENT = """
INSERT INTO gateway_event (id, channel, kind, external_id, verdict, out_trade_no, attempt_id, refund_id, headers, facts,
    body, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10::text::jsonb, $11, $12)
ON CONFLICT (channel, external_id, verdict) DO NOTHING RETURNING id
"""

ITEMS_PAID = """
UPDATE payment_item SET paid_fen = p.fen
FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS p (payable_id, account_id, fen)
WHERE order_id = $1 AND (payment_item.payable_id = p.payable_id OR payment_item.account_id = p.account_id)
"""

HELD = "SELECT id, facts::text AS facts FROM gateway_event WHERE attempt_id = $1 AND verdict = 'held' ORDER BY id"

WHOSE = "SELECT payer_id, cashier_id, compound_id FROM payment_order WHERE id = $1"

PAID_ATTEMPT = ATTEMPT + "WHERE a.id = (SELECT paid_by FROM payment_order WHERE id = $1)"

# One of a compound at a time: of two who enter the same number at once the second finds it. It is free again once all
# of it was taken back or went back: a refund that is not decided, or was kept, may yet leave the money here.
REFERENCE = """
SELECT EXISTS (SELECT FROM payment_attempt a WHERE a.compound_id = $1 AND a.channel = $2 AND a.reference = $3
    AND a.state = 'succeeded' AND (a.given_back_fen < a.paid_fen OR EXISTS (
        SELECT FROM refund r WHERE r.attempt_id = a.id AND r.state NOT IN ('succeeded', 'rejected'))))
FROM pg_advisory_xact_lock(hashtextextended($2::text || ':' || $3::text || ':' || $1::uuid::text, 0))
"""

JOURNAL = "SELECT id FROM journal WHERE compound_id = $1 AND key = $2"

PAID_ITEMS = "SELECT id, paid_fen FROM payment_item WHERE order_id = $1 AND paid_fen > 0"

PAID_FROM_BALANCE = """
WITH paid AS (
    INSERT INTO payment_order (id, compound_id, holder_id, title, amount_fen, state, number, created_at, expires_at,
        paid_at, paid_by)
    VALUES ($1, $2, $3, $4, $5, 'paid', $7, $6, $6, $6, $8) RETURNING id),
way AS (
    INSERT INTO payment_attempt (id, order_id, compound_id, channel, product, out_trade_no, app_id, payee, reference,
        purpose, buyer, amount_fen, state, channel_no, paid_fen, given_back_fen, problem, created_at, queries,
        succeeded_at, ended_at)
    SELECT $8, id, $2, 'balance', 'balance', $9, '', '', '', $10, '', $5, 'succeeded', $9, $5, 0, '', $6, 0, $6, $6
    FROM paid)
INSERT INTO payment_item (id, order_id, position, payable_id, amount_fen, paid_fen, given_back_fen)
SELECT make_uuid7(), paid.id, i.place, i.payable_id, i.fen, i.fen, 0
FROM paid, unnest($11::uuid[], $12::bigint[]) WITH ORDINALITY AS i (payable_id, fen, place)
"""
