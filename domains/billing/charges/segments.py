"""The general way: periods cut where the price, who pays, a vacancy, an agreement or the number of cars changes."""

from __future__ import annotations

from domains.billing.charges.agreed import AGREED, VACANT
from domains.billing.charges.amounts import BASIS, MONTH, PROBLEM, QUANTITY, VALUES
from domains.billing.charges.formulas import Formulas, price_of
from domains.billing.charges.liable import LIABLE, PAYER, PERSON, TENANCY_FROM, TENANCY_UNTIL

_CAR_FROM = "(v.recorded_at AT TIME ZONE 'Asia/Shanghai')::date"
_CAR_UNTIL = "coalesce((v.removed_at AT TIME ZONE 'Asia/Shanghai')::date, 'infinity'::date)"

_CARS = f"""(SELECT count(*) FROM vehicle v WHERE v.house_id = c.house_id AND v.kind = 'car'
        AND {_CAR_FROM} <= c.day AND {_CAR_UNTIL} > c.day)"""

CUTS = f"""
cut AS MATERIALIZED (
    SELECT c.*, d.day, lead(d.day, 1, c.covered_until) OVER (PARTITION BY c.key ORDER BY d.day) AS until_day
    FROM priced c CROSS JOIN LATERAL (
        SELECT c.covered_from AS day
        UNION SELECT c.theirs_from
        UNION SELECT p.from_on FROM price p WHERE p.fee_item_id = c.item_id
        UNION SELECT b.day FROM liability l CROSS JOIN LATERAL (VALUES (l.from_on), (l.until_on)) AS b (day)
            WHERE l.house_id = c.house_id AND (l.fee_item_id = c.item_id OR l.fee_item_id IS NULL)
        UNION SELECT b.day FROM fee_agreement a CROSS JOIN LATERAL (VALUES (a.from_on), (a.until_on)) AS b (day)
            WHERE a.house_id = c.house_id AND a.fee_item_id = c.item_id
        UNION SELECT b.day FROM vacancy v CROSS JOIN LATERAL (VALUES (v.from_on), (v.until_on)) AS b (day)
            WHERE v.house_id = c.house_id AND v.state = 'approved' AND c.vacancy_percent <> 100
        UNION SELECT b.day FROM occupancy o CROSS JOIN LATERAL (VALUES ({TENANCY_FROM}), ({TENANCY_UNTIL})) AS b (day)
            WHERE o.house_id = c.house_id AND o.capacity = 'tenant' AND c.usual_payer = 'tenant'
        UNION SELECT b.day FROM vehicle v CROSS JOIN LATERAL (VALUES ({_CAR_FROM}), ({_CAR_UNTIL})) AS b (day)
            WHERE v.house_id = c.house_id AND v.kind = 'car' AND c.method = 'vehicle') AS d
    WHERE NOT c.is_plain AND d.day >= c.covered_from AND d.day < c.covered_until)"""

_AT = {
    "house": "c.house_id",
    "item": "c.item_id",
    "day": "c.day",
    "theirs_from": "c.theirs_from",
    "usual": "c.usual_payer",
}

_OF_SEGMENT = f"""
    SELECT c.key, c.house_id, c.item_id, c.sort, c.method, c.price_months, c.period_from, c.period_until, c.counted_from,
        c.day, c.until_day, c.built_area_m2, c.inner_area_m2, c.floor, c.building_id, p.id AS price_id, p.price_fen,
        CASE WHEN c.method = 'vehicle' THEN {_CARS} ELSE {QUANTITY} END AS quantity,
        {PAYER.format(**_AT)} AS payer, {PERSON.format(**_AT)} AS person_id, agreed.coefficient,
        nullif(coalesce(agreed.percent, 100), 100) AS agreed,
        CASE WHEN c.vacancy_percent <> 100 AND {VACANT.format(**_AT)} THEN c.vacancy_percent END AS vacant,
        month_parts(c.counted_from, c.until_day) - month_parts(c.counted_from, c.day) AS parts
    FROM cut c LEFT JOIN price p ON p.fee_item_id = c.item_id AND p.from_on <= c.day AND p.until_on > c.day
    {LIABLE.format(**_AT)} {AGREED.format(**_AT)}"""

_SEGMENT = f"""jsonb_strip_nulls(jsonb_build_object({VALUES.format(day_from="day", day_until="until_day")},
            'vacant', trim_scale(vacant)::text, 'agreed', trim_scale(agreed)::text,
            'coefficient', CASE WHEN method = 'formula' THEN trim_scale(coefficient)::text END))"""


# Percents of percents are multiplied and never divided, so that the one rounding at the end is of an exact quotient. Days
# without a car cost nothing and are no part of the line.
def general(formulas: Formulas) -> str:
    """Lines of the periods that are not plain: a part for each stretch of days that one pays, rounded cumulatively, so
    that the parts sum to the whole."""
    return f"""
{CUTS},
segment AS (
    SELECT *, {PROBLEM} AS segment_problem, price * quantity * percent * parts AS weight
    FROM (SELECT c.*, {price_of(formulas, "coalesce(c.coefficient, 1)")} AS price,
            coalesce(c.vacant, 100) * coalesce(c.agreed, 100) * (100 - $8::numeric) * 0.0001 AS percent
        FROM ({_OF_SEGMENT} OFFSET 0) AS c WHERE c.quantity > 0 OR c.quantity IS NULL OFFSET 0) AS valued),
turn AS (
    SELECT *, max(segment_problem) OVER (PARTITION BY key) AS problem,
        CASE WHEN lag(key) OVER days IS NOT NULL AND (payer IS DISTINCT FROM lag(payer) OVER days
            OR person_id IS DISTINCT FROM lag(person_id) OVER days) THEN 1 ELSE 0 END AS is_next
    FROM segment WINDOW days AS (PARTITION BY key ORDER BY day)),
stretch AS (
    SELECT *, (sum(is_next) OVER (PARTITION BY key ORDER BY day))::int AS part FROM turn),
part AS (
    SELECT key, house_id, item_id, sort, method, price_months, period_from, period_until, counted_from, part, payer,
        person_id, problem, min(day) AS covers_from, max(until_day) AS covers_until, sum(weight) AS weight,
        jsonb_agg({_SEGMENT} ORDER BY day) AS segments
    FROM stretch
    GROUP BY key, house_id, item_id, sort, method, price_months, period_from, period_until, counted_from, part, payer,
        person_id, problem),
general_charge AS (
    SELECT house_id, item_id, sort, period_from, period_until, part, payer, person_id, covers_from, covers_until, problem,
        half_up(up_to, whole) - half_up(up_to - weight, whole) AS amount, {BASIS.format(segments="segments")} AS basis
    FROM (SELECT *, sum(weight) OVER (PARTITION BY key ORDER BY part) AS up_to,
            100 * {MONTH}::numeric * price_months AS whole FROM part) AS summed)"""
