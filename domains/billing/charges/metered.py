"""Metered periods (按表计量): from the last reading that a line took to the last accepted one of the period."""

from __future__ import annotations

from domains.billing.charges.agreed import AGREED, VACANT
from domains.billing.charges.liable import LIABLE, PAYER, PERSON

_LAST_DAY = {
    "house": "c.house_id", "item": "c.item_id", "day": "c.covered_until - 1", "theirs_from": "c.theirs_from",
    "usual": "c.usual_payer",
}  # fmt: skip

# Where a run goes through several periods of a meter, each begins where the one before it ends; two fee items never
# take the same units. A meter that stands at the end of a period must have been read, unless a line of a later day has
# taken its units already.
_READINGS = """
meter_period AS MATERIALIZED (
    SELECT c.key, c.house_id, c.item_id, c.sort, c.theirs_from, c.period_from, c.period_until, c.covered_from,
        c.covered_until, i.meter_kind, m.id AS meter_id, m.number, coalesce(last.total < start.total, false) AS is_backwards,
        m.removed_on IS NULL OR m.removed_on > c.period_until AS stands, start.read_at AS start_at,
        coalesce(start.is_taken AND start.read_on > c.period_from, false) AS is_taken, last.read_at AS last_at,
        EXISTS (SELECT FROM price p WHERE p.fee_item_id = c.item_id AND p.from_on <= c.covered_until - 1
            AND p.until_on > c.covered_until - 1) AS is_priced,
        lag(last.read_at) OVER (PARTITION BY m.id ORDER BY c.period_until, c.item_id) AS before_at,
        lag(c.period_until) OVER (PARTITION BY m.id ORDER BY c.period_until, c.item_id) AS before_until
    FROM candidate c JOIN item i ON i.id = c.item_id
    JOIN meter m ON m.house_id = c.house_id AND m.kind = i.meter_kind AND m.installed_on < c.period_until
    LEFT JOIN LATERAL (
        SELECT * FROM (
            (SELECT r.read_at, r.read_on, r.total, true AS is_taken
            FROM meter_use u JOIN meter_reading r ON r.id = u.to_reading_id
            WHERE u.meter_id = m.id ORDER BY u.used_on DESC, r.read_at DESC LIMIT 1)
            UNION ALL
            (SELECT r.read_at, r.read_on, r.total, false FROM meter_reading r
            WHERE r.meter_id = m.id AND r.state = 'accepted' ORDER BY r.read_on, r.read_at LIMIT 1)) AS either
        ORDER BY is_taken DESC LIMIT 1) AS start ON true
    LEFT JOIN LATERAL (
        SELECT r.read_at, r.total FROM meter_reading r
        WHERE r.meter_id = m.id AND r.state = 'accepted' AND r.read_on <= c.period_until
        ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) AS last ON true
    WHERE c.method = 'metered'),
meter_news AS (
    SELECT *, NOT is_backwards AND coalesce(last_at > greatest(start_at, before_at), false) AS is_read,
        is_taken OR coalesce(before_until = period_until, false) AS is_done,
        is_backwards OR EXISTS (SELECT FROM meter_reading r WHERE r.meter_id = n.meter_id AND r.state = 'held'
            AND r.read_on <= n.period_until AND r.read_at > coalesce(greatest(n.start_at, n.before_at), '-infinity'))
            AS is_held
    FROM meter_period n),
meter_judged AS (
    SELECT *, NOT is_priced OR bool_or(NOT is_read AND (stands OR is_held)) OVER (PARTITION BY key) AS is_blocked,
        NOT is_priced AND bool_or(is_read) OVER (PARTITION BY key) AS is_unpriced,
        bool_or(NOT is_read AND is_held) OVER (PARTITION BY key) AS waits,
        bool_or(NOT is_read AND stands AND NOT is_done) OVER (PARTITION BY key) AS is_missing
    FROM meter_news),
meter_span AS (
    SELECT *, greatest(start_at, max(last_at) FILTER (WHERE NOT is_blocked) OVER (PARTITION BY meter_id
            ORDER BY period_until, item_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS first_at
    FROM meter_judged)"""

_TAKEN = """
taken AS MATERIALIZED (
    SELECT s.*, first.id AS from_reading_id, last.id AS to_reading_id, first.total AS first_total, last.total AS last_total,
        last.total - first.total AS units, last.read_on AS used_on, first.read_on AS since_on
    FROM meter_span s JOIN meter_reading first ON first.meter_id = s.meter_id AND first.read_at = s.first_at
    JOIN meter_reading last ON last.meter_id = s.meter_id AND last.read_at = s.last_at
    WHERE s.is_read AND NOT s.is_blocked)"""

# Tiers of a year count what was used since 1 January of the closing reading's year, by lines that are there and by
# earlier periods of this run; tiers of a month are for as many months as the period has.
_USED = """
used AS (
    SELECT key, house_id, item_id, sort, theirs_from, period_from, period_until, covered_from, covered_until, meter_kind,
        sum(units) AS units, max(used_on) AS used_on,
        jsonb_agg(jsonb_build_object('meter', meter_id, 'from', from_reading_id, 'to', to_reading_id, 'units', units,
            'on', used_on)) AS takes,
        jsonb_agg(jsonb_build_object('number', number, 'from', since_on, 'until', used_on,
            'first', trim_scale(first_total)::text, 'last', trim_scale(last_total)::text,
            'units', trim_scale(units)::text) ORDER BY number, meter_id) AS readings
    FROM taken
    GROUP BY key, house_id, item_id, sort, theirs_from, period_from, period_until, covered_from, covered_until, meter_kind),
used_before AS (
    SELECT *, coalesce(sum(units) OVER (PARTITION BY house_id, meter_kind, date_trunc('year', used_on::timestamp)
            ORDER BY period_until, item_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
        + (SELECT coalesce(sum(u.units), 0) FROM meter m JOIN meter_use u ON u.meter_id = m.id
            WHERE m.house_id = used.house_id AND m.kind = used.meter_kind
              AND u.used_on >= date_trunc('year', used.used_on::timestamp)
              AND u.used_on < date_trunc('year', used.used_on::timestamp) + interval '1 year') AS in_year
    FROM used)"""

_TIERS = """
    LEFT JOIN LATERAL (
        SELECT sum(price * units) AS fen, jsonb_agg(jsonb_build_object('above', trim_scale(above)::text,
                'price', trim_scale(price)::text, 'units', trim_scale(units)::text) ORDER BY above)
                FILTER (WHERE units > 0) AS tiers
        FROM (
            SELECT above, price, greatest(0, least(c.counted + c.units, coalesce(next_above, 'infinity'))
                    - greatest(c.counted, above)) AS units
            FROM (SELECT above, price, lead(above) OVER (ORDER BY above) AS next_above FROM (
                SELECT (t ->> 'above')::numeric * c.tier_months AS above, (t ->> 'price_fen')::numeric AS price
                FROM jsonb_array_elements(c.tiers) AS t) AS each_tier) AS tier) AS band
        WHERE c.tiers IS NOT NULL) AS tiered ON true"""

_METERED = f"""
metered AS (
    SELECT c.*, i.payer AS usual_payer, i.vacancy_percent, p.price_fen, p.tiers,
        CASE WHEN i.tier_span = 'year' THEN 1 ELSE i.cycle_months END AS tier_months,
        CASE WHEN i.tier_span = 'year' THEN c.in_year ELSE 0 END AS counted, i.tier_span
    FROM used_before c JOIN item i ON i.id = c.item_id
    LEFT JOIN price p ON p.fee_item_id = c.item_id AND p.from_on <= c.covered_until - 1
        AND p.until_on > c.covered_until - 1),
metered_value AS (
    SELECT c.*, {PAYER.format(**_LAST_DAY)} AS payer, {PERSON.format(**_LAST_DAY)} AS person_id,
        coalesce(agreed.percent, 100) AS agreed, coalesce(tiered.fen, c.price_fen * c.units) AS fen, tiered.tiers AS bands,
        CASE WHEN c.vacancy_percent <> 100 AND {VACANT.format(**_LAST_DAY)} THEN c.vacancy_percent ELSE 100 END AS vacant
    FROM metered c {_TIERS} {LIABLE.format(**_LAST_DAY)} {AGREED.format(**_LAST_DAY)}),
metered_charge AS (
    SELECT house_id, item_id, sort, period_from, period_until, 0 AS part, payer, person_id, covered_from AS covers_from,
        covered_until AS covers_until, CASE WHEN fen IS NULL THEN 'NO_PRICE' END AS problem,
        half_up(fen * vacant * agreed, 10000) AS amount, takes,
        jsonb_strip_nulls(jsonb_build_object('method', 'metered', 'units', trim_scale(units)::text, 'readings', readings,
            'price', CASE WHEN bands IS NULL THEN trim_scale(price_fen)::text END, 'tiers', bands,
            'tier_span', CASE WHEN bands IS NOT NULL THEN tier_span END,
            'counted', CASE WHEN bands IS NOT NULL THEN trim_scale(counted)::text END,
            'vacant', nullif(trim_scale(vacant)::text, '100'), 'agreed', nullif(trim_scale(agreed)::text, '100'))) AS basis
    FROM metered_value
    UNION ALL
    SELECT DISTINCT ON (j.key) j.house_id, j.item_id, j.sort, j.period_from, j.period_until, 0, 'owner', NULL::uuid,
        j.covered_from, j.covered_until,
        CASE WHEN j.waits THEN 'READING_HELD' WHEN j.is_missing THEN 'NO_READING' ELSE 'NO_PRICE' END,
        NULL::numeric, NULL::jsonb, NULL::jsonb
    FROM meter_judged j WHERE j.waits OR j.is_missing OR j.is_unpriced)"""

METERED = ",".join((_READINGS, _TAKEN, _USED, _METERED))
