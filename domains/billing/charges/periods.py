"""Whose periods fall due: the houses of a chunk, the fee items, their periods and the days that are covered.

Parameters of every part: $1 compound, $2 and $3 the first and last billing month, $4 fee items (none: all),
$5 and $6 sort key and id of the house to go on after, $7 how many houses, $8 percent off for months paid ahead.
"""

from __future__ import annotations

_HOUSE = """
house_of_run AS MATERIALIZED (
    SELECT id, building_id, sort, use, floor, built_area_m2, inner_area_m2, handed_over_on,
        CASE WHEN handed_over_on IS NULL AND state = 'unsold' THEN 'infinity'::date
            ELSE coalesce(handed_over_on, '-infinity'::date) END AS theirs_from,
        EXISTS (SELECT FROM vacancy v WHERE v.house_id = house.id AND v.state = 'approved')
            OR EXISTS (SELECT FROM fee_agreement a WHERE a.house_id = house.id) AS is_special
    FROM house WHERE compound_id = $1 AND {which})"""

NEXT_HOUSES = _HOUSE.format(which="(sort, id) > ($5::text, $6::uuid) ORDER BY sort, id LIMIT $7::int")
ONE_HOUSE = _HOUSE.format(which="sort > $5::text AND id = $6::uuid LIMIT $7::int")
"""Of one house alone: its id, and an empty sort key."""

ITEMS = """
item AS MATERIALIZED (
    SELECT id, category, method, cycle_months, price_months, timing, anchor, anchor_on, payer, vacancy_percent,
        bills_unsold, bears_late_fee, meter_kind, tier_span, pooled_by, uses, building_ids, starts_on,
        coalesce(ends_on, 'infinity'::date) AS ends_on
    FROM fee_item WHERE compound_id = $1 AND (cardinality($4::uuid[]) = 0 OR id = ANY($4::uuid[]))),
price AS MATERIALIZED (
    SELECT p.id, p.fee_item_id, p.from_on, p.price_fen, p.tiers, p.formula,
        lead(p.from_on, 1, 'infinity'::date) OVER (PARTITION BY p.fee_item_id ORDER BY p.from_on) AS until_on
    FROM fee_price p JOIN item i ON i.id = p.fee_item_id)"""

_MONTH_NUMBER = "(extract(year FROM {day}) * 12 + extract(month FROM {day}))::int"

# The k-th period is counted from the anchor itself, and falls due in the month of its first day, or in that of the
# first day after it; so a month is due when it is a whole number of cycles from the anchor's.
_PERIODS_OF = """
    JOIN LATERAL (
        SELECT n / i.cycle_months - (i.timing = 'arrears')::int AS k
        FROM (SELECT m.number - {anchor_month} AS n FROM month m) AS since
        WHERE n % i.cycle_months = 0) AS due ON due.k >= 0
    CROSS JOIN LATERAL (
        SELECT ({anchor} + make_interval(months => due.k * i.cycle_months))::date AS period_from,
            ({anchor} + make_interval(months => (due.k + 1) * i.cycle_months))::date AS period_until) AS period"""


def _periods_of(anchor: str) -> str:
    return _PERIODS_OF.format(anchor=anchor, anchor_month=_MONTH_NUMBER.format(day=anchor))


_FITS = """(cardinality(i.uses) = 0 OR h.use = ANY(i.uses))
        AND (cardinality(i.building_ids) = 0 OR h.building_id = ANY(i.building_ids))"""

# The house's facts go along: statements that look them up again by id might do so house by house.
_FACTS = """h.id AS house_id, h.building_id, h.sort, h.floor, h.built_area_m2, h.inner_area_m2, h.theirs_from, h.is_special,
    i.id AS item_id, i.method"""

_DAYS_OF = """
    period.period_from, period.period_until,
    greatest(period.period_from, i.starts_on, CASE WHEN i.bills_unsold THEN '-infinity'::date ELSE h.theirs_from END{since})
        AS covered_from,
    least(period.period_until, i.ends_on{until}) AS covered_until"""
_DAYS = _DAYS_OF.format(since="", until="")
_DAYS_UNCHARGED = _DAYS_OF.format(since=", uncharged.day_from", until=", uncharged.day_until")

# Where a date of hand-over was corrected, days of periods that were counted from the former one are charged already.
_UNCHARGED = """
    CROSS JOIN LATERAL (
        SELECT max(l.period_until) FILTER (WHERE l.period_from < period.period_from) AS day_from,
            min(l.period_from) FILTER (WHERE l.period_from > period.period_from) AS day_until
        FROM bill_line l WHERE l.house_id = h.id AND l.fee_item_id = i.id AND l.kind = 'charge'
          AND l.period_from > period.period_from - make_interval(months => i.cycle_months)
          AND l.period_from < period.period_until) AS uncharged"""

# A pooled cost was shared out when it was recorded: whoever has a share pays it, whatever the days. That a line
# exists is asked row by row: a join would read all lines there ever were.
CANDIDATES = f"""
month AS MATERIALIZED (
    SELECT {_MONTH_NUMBER.format(day="m")} AS number
    FROM generate_series($2::date::timestamp, $3::date::timestamp, interval '1 month') AS m),
calendar_period AS MATERIALIZED (
    SELECT i.id AS item_id, i.anchor_on AS counted_from, period.period_from, period.period_until FROM item i
    {_periods_of("i.anchor_on")}
    WHERE i.anchor = 'calendar' AND i.method <> 'one_off'),
due AS (
    SELECT period.counted_from, {_FACTS}, {_DAYS}
    FROM calendar_period period JOIN item i ON i.id = period.item_id JOIN house_of_run h ON {_FITS}
    UNION ALL
    SELECT h.handed_over_on, {_FACTS}, {_DAYS_UNCHARGED}
    FROM item i JOIN house_of_run h ON h.handed_over_on IS NOT NULL AND {_FITS}
    {_periods_of("h.handed_over_on")}{_UNCHARGED}
    WHERE i.anchor = 'hand_over' AND i.method <> 'one_off'),
candidate AS MATERIALIZED (
    SELECT row_number() OVER () AS key, due.* FROM due
    WHERE (covered_from < covered_until OR method = 'pooled')
      AND (SELECT 1 FROM bill_line l WHERE l.house_id = due.house_id AND l.fee_item_id = due.item_id
            AND l.period_from = due.period_from AND l.kind = 'charge' LIMIT 1) IS NULL)"""
