"""Statements on payments of bills."""

from __future__ import annotations

BUYER = """
SELECT open_id FROM platform_identity WHERE account_id = $1 AND platform = $2 AND app_id = $3
ORDER BY created_at DESC, id DESC LIMIT 1
"""

# Payments that hold any of these bills, with all the bills that they pay.
OPEN_OF_BILLS = """
WITH held AS (
    SELECT DISTINCT p.held_by AS id FROM payable p
    WHERE p.subject_id = ANY($1::uuid[]) AND p.subject_type IN ('bill', 'late_fee') AND p.held_until > $2)
SELECT o.id, o.payer_id, array_agg(DISTINCT p.subject_id) AS bill_ids
FROM held JOIN payment_order o ON o.id = held.id JOIN payment_item i ON i.order_id = o.id
JOIN payable p ON p.id = i.payable_id
GROUP BY o.id
"""

ALLOWS_PART = "SELECT allows_part_payment FROM billing_rules WHERE compound_id = $1"

HOUSE = """
SELECT h.number, c.name AS compound FROM house h JOIN compound c ON c.id = h.compound_id WHERE h.id = $1
"""

HOUSE_TO_PAY = """
SELECT h.number, h.compound_id, h.building_id, c.name AS compound FROM house h JOIN compound c ON c.id = h.compound_id
WHERE h.id = $1
"""

TOPPED_UP = """
SELECT h.number AS house, sum(i.paid_fen)::bigint AS fen FROM payment_order o JOIN payment_item i ON i.order_id = o.id
JOIN house h ON h.id = o.holder_id WHERE o.id = $1 AND i.account_id IS NOT NULL AND i.paid_fen > 0 GROUP BY h.number
"""

REFUND_TOLD = """
SELECT r.amount_fen AS fen, r.reason, r.requested_by, o.payer_id, coalesce(h.number, '') AS house, c.name AS compound
FROM refund r JOIN payment_order o ON o.id = r.order_id JOIN compound c ON c.id = r.compound_id
LEFT JOIN house h ON h.id = o.holder_id WHERE r.id = $1
"""

TROUBLE = """
SELECT e.amount_fen AS fen, c.name AS compound FROM payment_exception e LEFT JOIN compound c ON c.id = e.compound_id
WHERE e.id = $1
"""
