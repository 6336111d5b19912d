"""What a posting writes of the charges of a chunk: bills, their lines, what is taken of meters, and exceptions."""

from __future__ import annotations

from domains.billing.charges.formulas import Formulas
from domains.billing.charges.statement import charges

# All that a line says and whom it asks to pay, so that another price, reading or payer is another digest, in whatever
# order the lines come. Of the row as text: the hash of a record is a sum over its columns, and two lines that change
# places would add up to the same. What is taken of meters stands in the basis as well.
_DIGEST = """coalesce(sum(hashtextextended(ROW(house_id, item_id, period_from, period_until, part, payer, person_id,
        covers_from, covers_until, amount_fen, basis)::text, 0)), 0)"""

# Beside the parameters of the charges: $9 run, $10 day of issue, $11 due date, $12 the bills' month, $13 the instant, $14
# the last bill number, $15 the rule of late fees. Bills are numbered in the order of houses. A line finds its bill by its
# place in an array: a join of rows that no table has may be planned as a loop of loops.
_WRITE = f"""
line AS MATERIALIZED (
    SELECT c.*, i.bears_late_fee, i.category, make_uuid7() AS line_id,
        dense_rank() OVER (ORDER BY c.sort, c.house_id, c.payer, c.person_id, i.bears_late_fee DESC) AS place
    FROM charge c JOIN item i ON i.id = c.item_id WHERE c.problem IS NULL),
made AS MATERIALIZED (
    SELECT place, make_uuid7() AS id, house_id, payer, person_id, bears_late_fee, min(covers_from) AS covers_from,
        max(covers_until) AS covers_until, sum(amount_fen)::bigint AS fen
    FROM line GROUP BY place, house_id, payer, person_id, bears_late_fee),
of_place AS MATERIALIZED (SELECT array_agg(id ORDER BY place) AS ids FROM made),
bills AS (
    INSERT INTO bill (id, compound_id, house_id, building_id, run_id, number, payer, person_id, month, covers_from,
        covers_until, issued_on, due_on, late_fee_rule_id, issued_fen, state, paid_at)
    SELECT id, $1, house_id, (SELECT h.building_id FROM house h WHERE h.id = m.house_id), $9::uuid, $14::bigint + place,
        payer, person_id, $12::date, covers_from, covers_until, $10::date, $11::date,
        CASE WHEN bears_late_fee THEN $15::uuid END,
        fen, CASE WHEN fen > 0 THEN 'open' ELSE 'paid' END, CASE WHEN fen = 0 THEN $13::timestamptz END
    FROM made m ORDER BY place),
lines AS (
    INSERT INTO bill_line (id, bill_id, house_id, fee_item_id, kind, period_from, period_until, part, amount_fen, basis)
    SELECT line_id, (SELECT ids FROM of_place)[place], house_id, item_id, 'charge', period_from, period_until, part,
        amount_fen, basis
    FROM line),
uses AS (
    INSERT INTO meter_use (id, line_id, meter_id, from_reading_id, to_reading_id, units, used_on)
    SELECT make_uuid7(), l.line_id, t.meter, t."from", t."to", t.units, t."on"
    FROM line l CROSS JOIN LATERAL jsonb_to_recordset(l.takes)
        AS t (meter uuid, "from" uuid, "to" uuid, units numeric, "on" date)),
problems AS (
    INSERT INTO run_exception (id, run_id, house_id, fee_item_id, period_from, code)
    SELECT make_uuid7(), $9::uuid, house_id, item_id, period_from, problem FROM charge WHERE problem IS NOT NULL
    ON CONFLICT (run_id, house_id, fee_item_id, period_from) DO NOTHING RETURNING id),
credit AS (
    SELECT CASE WHEN category = 'deposit' THEN (SELECT ids FROM of_place)[place] ELSE item_id END AS subject_id,
        category = 'deposit' AS is_deposit, sum(amount_fen)::bigint AS fen
    FROM line GROUP BY 1, 2 HAVING sum(amount_fen) > 0)
SELECT h.houses, h.last_sort, h.last_id, (SELECT count(*) FROM line) AS lines, (SELECT {_DIGEST} FROM line) AS digest,
    (SELECT count(*) FROM problems) AS exceptions, m.bill_ids, m.owed_ids, m.owed_by, m.owed_fen, m.fen,
    (SELECT jsonb_agg(jsonb_build_array(subject_id, is_deposit, fen)) FROM credit)::text AS credits
FROM (SELECT count(*) AS houses,
        (array_agg(sort ORDER BY sort DESC, id DESC))[1] AS last_sort,
        (array_agg(id ORDER BY sort DESC, id DESC))[1] AS last_id FROM house_of_run) h
CROSS JOIN (SELECT coalesce(array_agg(id ORDER BY place), '{{}}') AS bill_ids, coalesce(sum(fen), 0)::bigint AS fen,
        coalesce(array_agg(id ORDER BY place) FILTER (WHERE fen > 0), '{{}}') AS owed_ids,
        coalesce(array_agg(house_id ORDER BY place) FILTER (WHERE fen > 0), '{{}}') AS owed_by,
        coalesce(array_agg(fen ORDER BY place) FILTER (WHERE fen > 0), '{{}}') AS owed_fen FROM made) m"""


def posting(formulas: Formulas, *, of_one_house: bool) -> str:
    """The statement that writes the charges of the next houses, or of one; one row says what it did."""
    return f"WITH {charges(formulas, of_one_house=of_one_house)},{_WRITE}"


_SAMPLES = 100

_ADD_UP = f"""
SELECT (SELECT count(*) FROM house_of_run) AS houses, (SELECT max(sort) FROM house_of_run) AS last_sort,
    (SELECT id FROM house_of_run ORDER BY sort DESC, id DESC LIMIT 1) AS last_id, t.item_id, t.problem, t.lines, t.fen,
    coalesce(t.digest, 0) AS digest, t.samples
FROM (SELECT 1) AS once LEFT JOIN (
    SELECT item_id, problem, count(*) AS lines, coalesce(sum(amount_fen), 0)::bigint AS fen,
        CASE WHEN problem IS NULL THEN {_DIGEST} ELSE 0 END AS digest,
        (array_agg(house_id::text || ' ' || period_from::text ORDER BY sort, house_id, period_from)
            FILTER (WHERE problem IS NOT NULL))[1:{_SAMPLES}] AS samples
    FROM charge GROUP BY item_id, problem) AS t ON true"""


def adding_up(formulas: Formulas, *, of_one_house: bool) -> str:
    """The statement that adds up the same charges by fee item and problem, and writes nothing."""
    return f"WITH {charges(formulas, of_one_house=of_one_house)}{_ADD_UP}"
