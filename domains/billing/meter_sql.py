"""The statements over meters and readings (仪表与读数)."""

from __future__ import annotations

# Not the key: bills whose lines point at a meter do not wait. In one order, so that two never wait for each other.
LOCK = """
SELECT m.id, m.compound_id, m.building_id, m.house_id, m.device_id, m.kind, m.number, m.multiplier, m.digits,
    m.daily_most, m.installed_on, m.removed_on
FROM meter m WHERE m.id = ANY($1::uuid[]) ORDER BY m.id FOR NO KEY UPDATE
"""

# For each reading that came: the accepted ones around it. Of earlier days the last reading counts, and each day is
# one look into the index, however often a collector reads.
AROUND = """
SELECT n.place, last.read_at AS last_at, last.value AS last_value, last.total AS last_total,
    after.read_at AS after_at, after.value AS after_value, after.total AS after_total,
    closing.ats, closing."values", closing.totals,
    after.read_at IS NOT NULL AND EXISTS (
        SELECT FROM meter_use u JOIN meter_reading t ON t.id = u.to_reading_id
        WHERE u.meter_id = n.meter_id AND u.used_on >= n.read_on AND t.read_at > n.read_at) AS is_billed,
    EXISTS (SELECT FROM meter_reading k WHERE k.meter_id = n.meter_id AND k.read_at = n.read_at) AS is_known,
    EXISTS (SELECT FROM meter_reading k WHERE k.meter_id = n.meter_id AND k.read_on = n.read_on
        AND k.state = 'held' AND k.source = 'collector') AS has_waiting
FROM unnest($1::uuid[], $2::timestamptz[], $3::date[]) WITH ORDINALITY AS n (meter_id, read_at, read_on, place)
LEFT JOIN LATERAL (
    SELECT r.read_at, r.value, r.total FROM meter_reading r
    WHERE r.meter_id = n.meter_id AND r.state = 'accepted' AND r.read_on <= n.read_on AND r.read_at < n.read_at
    ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (
    SELECT r.read_at, r.value, r.total FROM meter_reading r
    WHERE r.meter_id = n.meter_id AND r.state = 'accepted' AND r.read_on >= n.read_on AND r.read_at > n.read_at
    ORDER BY r.read_on, r.read_at LIMIT 1) after ON true
LEFT JOIN LATERAL (
    WITH RECURSIVE back AS (
        (SELECT r.read_on, r.read_at, r.value, r.total, 1 AS depth FROM meter_reading r
         WHERE r.meter_id = n.meter_id AND r.state = 'accepted' AND r.read_on < n.read_on
         ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1)
        UNION ALL
        SELECT earlier.*, b.depth + 1 FROM back b CROSS JOIN LATERAL (
            SELECT r.read_on, r.read_at, r.value, r.total FROM meter_reading r
            WHERE r.meter_id = n.meter_id AND r.state = 'accepted' AND r.read_on < b.read_on
            ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) earlier
        WHERE b.depth < 7)
    SELECT array_agg(read_at ORDER BY read_at) AS ats, array_agg(value ORDER BY read_at) AS "values",
        array_agg(total ORDER BY read_at) AS totals FROM back) closing ON true
ORDER BY n.place
"""

WRITE = """
INSERT INTO meter_reading (id, compound_id, meter_id, read_at, read_on, value, total, source, account_id, state, problem,
    note, received_at)
SELECT r.id, r.compound_id, r.meter_id, r.read_at, r.read_on, r.value, r.total, r.source, r.account_id, r.state,
    r.problem, r.note, $13
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::date[], $6::numeric[], $7::numeric[], $8::text[],
    $9::uuid[], $10::text[], $11::text[], $12::text[])
    AS r (id, compound_id, meter_id, read_at, read_on, value, total, source, account_id, state, problem, note)
"""

WRITE_METERS = """
INSERT INTO meter (id, compound_id, house_id, building_id, device_id, kind, number, multiplier, digits, daily_most,
    installed_on, recorded_at)
SELECT m.id, $1, m.house_id, m.building_id, m.device_id, m.kind, m.number, m.multiplier, m.digits, m.daily_most,
    m.installed_on, $2
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::numeric[], $10::smallint[],
    $11::numeric[], $12::date[])
    AS m (id, house_id, building_id, device_id, kind, number, multiplier, digits, daily_most, installed_on)
"""

OF_DEVICE = """
SELECT m.id, m.kind, m.number FROM meter m WHERE m.device_id = $1 AND m.removed_on IS NULL
"""

TO_REVIEW = """
SELECT r.id, r.compound_id, r.meter_id, r.read_at, r.value, r.source, r.state, r.note, m.building_id
FROM meter_reading r JOIN meter m ON m.id = r.meter_id WHERE r.id = $1
"""

# What waits behind a reading that was reviewed; of a meter at most one a day of a collector's does.
WAITING_AFTER = """
SELECT r.id, r.read_at, r.value, r.problem FROM meter_reading r
WHERE r.meter_id = $1 AND r.state = 'held' AND r.read_at > $2 ORDER BY r.read_at LIMIT 100
"""

PHOTO = """
UPDATE meter_reading SET photo_key = $2 WHERE id = $1 AND photo_key IS NULL AND account_id = $3 RETURNING id
"""

HOUSE_PLACE = "SELECT h.building_id FROM house h WHERE h.id = $1 AND h.compound_id = $2"

BUILDING_EXISTS = "SELECT EXISTS (SELECT FROM building b WHERE b.id = $1 AND b.compound_id = $2)"

DEVICE_EXISTS = """
SELECT EXISTS (SELECT FROM device d WHERE d.id = $1 AND d.compound_id = $2 AND d.state <> 'retired')
"""

LARGEST_VALUE = "SELECT max(r.value) FROM meter_reading r WHERE r.meter_id = $1 AND r.state <> 'rejected'"

READ_LATER = """
SELECT EXISTS (SELECT FROM meter_reading r WHERE r.meter_id = $1 AND r.read_at >= $2 AND r.state <> 'rejected')
"""

TAKEN_NUMBERS = """
SELECT n.place FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS n (kind, number, place)
JOIN meter m ON m.compound_id = $1 AND m.kind = n.kind AND m.number = n.number AND m.removed_on IS NULL
"""

METERS_NUMBERED = """
SELECT n.place, m.id, m.building_id, m.digits, m.installed_on FROM unnest($2::text[], $3::text[])
    WITH ORDINALITY AS n (kind, number, place)
JOIN meter m ON m.compound_id = $1 AND m.number = n.number AND (n.kind = '' OR m.kind = n.kind)
    AND m.removed_on IS NULL
"""

HOUSES_TYPED = """
SELECT n.place, h.id, b.id AS building_id
FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS n (building, unit, room, place)
JOIN building b ON b.compound_id = $1 AND b.key = n.building
LEFT JOIN (house h JOIN unit u ON u.id = h.unit_id) ON h.building_id = b.id AND h.room_key = n.room
    AND (n.unit = '' OR u.key = n.unit) AND n.room <> ''
WHERE n.room = '' OR h.id IS NOT NULL
"""

DEVICES_CODED = """
SELECT d.id, d.code FROM device d WHERE d.compound_id = $1 AND d.code = ANY($2::text[]) AND d.state <> 'retired'
"""

TOLD = """
SELECT r.value, r.state, r.problem, r.note, r.source, r.account_id, r.reviewed_at, m.kind, m.number, m.building_id,
    c.name AS compound, coalesce(h.number, b.name, c.name) AS place
FROM meter_reading r JOIN meter m ON m.id = r.meter_id JOIN compound c ON c.id = r.compound_id
LEFT JOIN house h ON h.id = m.house_id LEFT JOIN building b ON b.id = m.building_id
WHERE r.id = $1
"""
