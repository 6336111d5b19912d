"""Statements of the commands on visitors' passes; those of the reads stand beside them."""

from __future__ import annotations

HOUSE_PLACE = "SELECT compound_id, building_id, unit_id FROM house WHERE id = $1"

# Held to the end: whoever leaves now leaves before the pass is made, or after it and takes it along.
STILL_LIVES = """
SELECT o.id FROM occupancy o JOIN person p ON p.id = o.person_id
WHERE p.account_id = $1 AND o.house_id = $2 AND o.ended_at IS NULL
    AND (o.lease_until_on IS NULL OR o.lease_until_on >= $3)
FOR SHARE OF o
"""

# Who signs in and belongs to the house now.
OCCUPANTS = """
SELECT DISTINCT p.account_id FROM occupancy o JOIN person p ON p.id = o.person_id
WHERE o.house_id = $1 AND o.ended_at IS NULL AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2)
    AND p.account_id IS NOT NULL
ORDER BY p.account_id
"""

# Passes that the house has let out since then, revoked ones included; those of a template, and those for which
# a guard answers, are not the house's doing. A request waits at most $3 for its approval.
MADE_TODAY = """
SELECT count(*) FROM visitor_pass WHERE house_id = $1 AND requested_at >= $2::timestamptz - $3::interval
    AND decided_at >= $2 AND host_id IS NOT NULL AND template_id IS NULL AND state <> 'rejected'
"""

# Who counts the cars of a compound waits for whoever counts them already.
CAR_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('visitor_cars:' || $1::uuid, 0))"

# Other cars that are expected while this one would be there, or that are in and not seen to leave.
OTHER_CARS = """
SELECT count(DISTINCT plate) FROM visitor_pass WHERE compound_id = $1 AND plate NOT IN ('', $2)
    AND state IN ('active', 'used_up') AND NOT is_car_refused AND (state = 'active' OR inside_since IS NOT NULL)
    AND starts_at < $4 AND ends_at > $3
"""

# Every visitors' door on the way to a house: the compound's own, then those of its building and unit.
WAY = """
SELECT d.id FROM door d JOIN house h ON h.compound_id = d.compound_id
WHERE h.id = $1 AND d.removed_at IS NULL AND d.is_for_visitors
    AND (d.building_id IS NULL OR d.building_id = h.building_id) AND (d.unit_id IS NULL OR d.unit_id = h.unit_id)
"""

VISIT_TO_CHANGE = """
SELECT v.id, v.compound_id, v.house_id, h.building_id, v.host_id, v.state, v.plate, v.starts_at, v.ends_at
FROM visitor_pass v JOIN house h ON h.id = v.house_id WHERE v.id = $1 FOR UPDATE OF v
"""

VISIT_PLACE = """
SELECT v.compound_id, v.house_id, h.building_id FROM visitor_pass v JOIN house h ON h.id = v.house_id WHERE v.id = $1
"""

# What a host leaves behind in a house; in one order, for rows are locked.
OPEN_OF_HOST = """
SELECT id, compound_id, house_id, state, ends_at FROM visitor_pass
WHERE house_id = $1 AND host_id = $2 AND state IN ('requested', 'active', 'used_up') AND ends_at > $3
ORDER BY id FOR UPDATE
"""

OPEN_OF_TEMPLATE = """
SELECT id, compound_id, house_id, state, ends_at FROM visitor_pass
WHERE template_id = $1 AND state IN ('active', 'used_up') AND ends_at > $2 ORDER BY id FOR UPDATE
"""

# What somebody is changing at this moment is left to the next run.
EXPIRE = """
WITH over AS (
    SELECT id FROM visitor_pass
    WHERE (state IN ('requested', 'active') AND ends_at < $1::timestamptz - $2::interval)
        OR (state = 'requested' AND requested_at < $1::timestamptz - $3::interval)
        OR (state = 'requested' AND ends_at < $1::timestamptz)
    ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE visitor_pass SET state = 'expired', ended_at = $1 WHERE id = ANY(ARRAY(SELECT id FROM over)) RETURNING id
"""

FORGET_PASSES = """
WITH old AS (
    SELECT id FROM visitor_pass
    WHERE ends_at < $1 AND state NOT IN ('requested', 'active')
        AND (guest_name <> '访客' OR phone_index IS NOT NULL OR plate <> '' OR message <> '' OR reason <> '')
    LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE visitor_pass SET guest_name = '访客', phone_sealed = NULL, phone_index = NULL, phone_tail_index = NULL,
    plate = '', message = '', reason = ''
WHERE id = ANY(ARRAY(SELECT id FROM old))
"""

FORGET_TEMPLATES = """
UPDATE pass_template SET guest_name = '访客', phone_sealed = NULL, plate = '', message = ''
WHERE coalesce(ended_at, (until_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') < $1
    AND (guest_name <> '访客' OR phone_sealed IS NOT NULL OR plate <> '' OR message <> '')
"""

FORGET_DIGITS = """
DELETE FROM keypad_code WHERE id IN (SELECT id FROM keypad_code WHERE on_day < $1 LIMIT $2)
"""

RUNNING_TEMPLATES = """
SELECT count(*) FROM pass_template WHERE house_id = $1 AND ended_at IS NULL AND until_on >= $2
"""

TEMPLATES_OF_HOST = """
SELECT id FROM pass_template WHERE house_id = $1 AND host_id = $2 AND ended_at IS NULL ORDER BY id FOR UPDATE
"""

# Templates that lack the pass of one of these days. Minutes are of the day in Shanghai, weekday bit 0 is Monday.
DUE_TEMPLATES = """
SELECT DISTINCT t.id, t.house_id FROM pass_template t
CROSS JOIN LATERAL (
    SELECT (day + t.from_minute * interval '1 minute') AT TIME ZONE 'Asia/Shanghai' AS starts_at,
        (day + t.until_minute * interval '1 minute') AT TIME ZONE 'Asia/Shanghai' AS ends_at
    FROM generate_series($1::date::timestamp, least($1::date + 2, t.until_on)::timestamp, interval '1 day') AS day
    WHERE t.weekdays >> (extract(isodow FROM day)::int - 1) & 1 = 1) AS visit
WHERE t.ended_at IS NULL AND t.until_on >= $1 AND visit.ends_at > $2 AND visit.starts_at < $3
    AND NOT EXISTS (SELECT FROM visitor_pass v WHERE v.template_id = t.id AND v.starts_at = visit.starts_at)
ORDER BY t.id
"""

TEMPLATE_TO_CHANGE = """
SELECT id, compound_id, house_id, host_id, ended_at FROM pass_template WHERE id = $1 FOR UPDATE
"""

MADE_OF_TEMPLATE = "SELECT starts_at FROM visitor_pass WHERE template_id = $1 AND ends_at > $2"

HOUSES_OF = "SELECT DISTINCT house_id FROM occupancy WHERE person_id = $1 ORDER BY house_id"

# What is told of a pass, and to whom.
VISIT_TOLD = """
SELECT v.state, v.guest_name, v.purpose, v.host_id, v.house_id, v.inside_since, v.uses_allowed, h.building_id,
    h.number AS house,
    c.name AS compound
FROM visitor_pass v JOIN house h ON h.id = v.house_id JOIN compound c ON c.id = v.compound_id WHERE v.id = $1
"""

RECORD_TOLD = """
SELECT d.name AS door, r.at, r.note FROM access_record r JOIN door d ON d.id = r.door_id WHERE r.id = $1
"""
