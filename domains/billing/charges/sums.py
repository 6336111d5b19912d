"""Charges that are sums already: shares of a pooled cost (公摊) and what comes once (一次性收费)."""

from __future__ import annotations

from domains.billing.charges.liable import LIABLE, PAYER, PERSON

_LAST_DAY = {
    "house": "c.house_id", "item": "c.item_id", "day": "c.period_until - 1", "theirs_from": "c.theirs_from",
    "usual": "i.payer",
}  # fmt: skip

# Where no cost is recorded it is said once, at the first house that the item is for.
_POOLED = f"""
pooled_charge AS (
    SELECT c.house_id, c.item_id, c.sort, c.period_from, c.period_until, 0 AS part, {PAYER.format(**_LAST_DAY)} AS payer,
        {PERSON.format(**_LAST_DAY)} AS person_id, c.period_from AS covers_from, c.period_until AS covers_until,
        NULL::text AS problem, s.amount_fen::numeric AS amount,
        jsonb_build_object('method', 'pooled', 'pooled_by', i.pooled_by, 'total_fen', p.total_fen, 'weight',
            trim_scale(s.weight)::text, 'whole', trim_scale(p.weight)::text, 'note', p.note) AS basis
    FROM candidate c JOIN item i ON i.id = c.item_id
    JOIN pooled_cost p ON p.fee_item_id = c.item_id AND p.period_from = c.period_from
    JOIN pool_share s ON s.pooled_cost_id = p.id AND s.house_id = c.house_id
    {LIABLE.format(**_LAST_DAY)}
    WHERE c.method = 'pooled'
    UNION ALL
    SELECT c.house_id, c.item_id, c.sort, c.period_from, c.period_until, 0, 'owner', NULL::uuid, c.period_from,
        c.period_until, 'NO_POOLED_COST', NULL::numeric, NULL::jsonb
    FROM candidate c JOIN item i ON i.id = c.item_id
    WHERE c.method = 'pooled' AND c.covered_from < c.covered_until
      AND NOT EXISTS (SELECT FROM pooled_cost p WHERE p.fee_item_id = c.item_id AND p.period_from = c.period_from)
      AND c.house_id = (SELECT h.id FROM house h WHERE h.compound_id = $1
        AND (cardinality(i.uses) = 0 OR h.use = ANY(i.uses))
        AND (cardinality(i.building_ids) = 0 OR h.building_id = ANY(i.building_ids)) ORDER BY h.sort, h.id LIMIT 1))"""

_ONE_OFF = f"""
one_off AS (
    SELECT h.id AS house_id, i.id AS item_id, h.sort, o.charged_on AS period_from, o.charged_on + 1 AS period_until,
        h.theirs_from, o.amount_fen, o.note, o.id AS charge_id
    FROM item i JOIN house_of_run h ON i.method = 'one_off'
    JOIN one_off_charge o ON o.house_id = h.id AND o.fee_item_id = i.id AND o.cancelled_at IS NULL
        AND o.charged_on >= $2::date AND o.charged_on < ($3::date + interval '1 month')::date
    WHERE (SELECT 1 FROM bill_line l WHERE l.house_id = h.id AND l.fee_item_id = i.id AND l.period_from = o.charged_on
        AND l.kind = 'charge' LIMIT 1) IS NULL),
one_off_charged AS (
    SELECT c.house_id, c.item_id, c.sort, c.period_from, c.period_until, 0 AS part, {PAYER.format(**_LAST_DAY)} AS payer,
        {PERSON.format(**_LAST_DAY)} AS person_id, c.period_from AS covers_from, c.period_until AS covers_until,
        NULL::text AS problem, c.amount_fen::numeric AS amount,
        jsonb_build_object('method', 'one_off', 'note', c.note) AS basis
    FROM one_off c JOIN item i ON i.id = c.item_id {LIABLE.format(**_LAST_DAY)})"""

SUMS = f"{_POOLED},{_ONE_OFF}"
