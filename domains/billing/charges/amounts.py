"""The fast way: periods in which nothing changes, at one price and paid by one; rounded half up once."""

from __future__ import annotations

from domains.billing.charges.formulas import Formulas, price_of

MONTH = 377580
"""Parts of a month: the least number that every length of month divides."""

MOST_FEN = 10**11
"""The most of one line (¥1,000,000,000), so that the sums of a posting stay within what clients keep exactly."""

QUANTITY = (
    "CASE c.method WHEN 'built_area' THEN c.built_area_m2 WHEN 'inner_area' THEN c.inner_area_m2 ELSE 1 END"
)

# A formula that cannot be computed is null.
PROBLEM = """CASE WHEN price_id IS NULL THEN 'NO_PRICE' WHEN quantity IS NULL THEN 'NO_INNER_AREA'
    WHEN price IS NULL THEN 'FORMULA_FAILED' END"""

# Numbers are kept as text: whoever reads JSON would make floats of them.
VALUES = """'from', {day_from}, 'until', {day_until}, 'price', trim_scale(price)::text, 'quantity', quantity::text,
            'percent', trim_scale(percent)::text, 'parts', parts"""

BASIS = """jsonb_build_object('method', method, 'price_months', price_months, 'anchor', counted_from,
        'discount', trim_scale($8::numeric)::text, 'segments', {segments})"""

_ONE_SEGMENT = f"jsonb_build_object({VALUES.format(day_from='covered_from', day_until='covered_until')})"


# The aggregate has a row for every period, so that the plan cannot lose any: no row of liability is the usual payer.
def plain(formulas: Formulas) -> str:
    """Periods at one price, paid by one, of houses without a vacancy or an agreement; the others are `rough`."""
    return f"""
priced AS MATERIALIZED (
    SELECT c.*, i.price_months, i.cycle_months, p.id AS price_id, p.price_fen, i.payer AS usual_payer, i.vacancy_percent,
        liable.payer, liable.person_id,
        p.id IS NOT NULL AND c.method <> 'vehicle' AND i.payer = 'owner' AND NOT c.is_special
            AND c.theirs_from <= c.covered_from AND (liable.rows = 0 OR liable.rows = 1 AND liable.covers) AS is_plain
    FROM candidate c JOIN item i ON i.id = c.item_id
    LEFT JOIN price p ON p.fee_item_id = c.item_id AND p.from_on <= c.covered_from AND p.until_on >= c.covered_until
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows, min(l.payer) AS payer, (array_agg(l.person_id))[1] AS person_id,
            bool_and(l.from_on <= c.covered_from AND coalesce(l.until_on, 'infinity') >= c.covered_until) AS covers
        FROM liability l
        WHERE l.house_id = c.house_id AND (l.fee_item_id = c.item_id OR l.fee_item_id IS NULL)
          AND l.from_on < c.covered_until AND coalesce(l.until_on, 'infinity') > c.covered_from) AS liable
    WHERE c.method IN ('built_area', 'inner_area', 'fixed', 'formula', 'vehicle')),
plain_charge AS (
    SELECT house_id, item_id, sort, period_from, period_until, 0 AS part, coalesce(payer, 'owner') AS payer, person_id,
        covered_from AS covers_from, covered_until AS covers_until, problem, amount,
        {BASIS.format(segments=f"jsonb_build_array({_ONE_SEGMENT})")} AS basis
    FROM (SELECT *, {PROBLEM} AS problem,
            half_up(price * quantity * percent * parts, 100 * {MONTH}::numeric * price_months) AS amount
        FROM (SELECT c.*, {price_of(formulas, "1")} AS price,
                {QUANTITY} AS quantity, 100 - $8::numeric AS percent,
                CASE WHEN c.covered_from = c.period_from AND c.covered_until = c.period_until
                    THEN c.cycle_months * {MONTH}::bigint
                    ELSE month_parts(c.counted_from, c.covered_until) - month_parts(c.counted_from, c.covered_from)
                END AS parts
            FROM priced c WHERE c.is_plain) AS valued) AS computed)"""
