"""Statements of what is done to alarms; those of the reads stand beside them."""

from __future__ import annotations

# Whoever reports of a device waits for its turn here, so that nobody else opens an alarm of it meanwhile.
DEVICES = """
SELECT id, compound_id, building_id, kind, state FROM device WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

# By the index of what is open and the one of what is shelved: a device's history is not read. The condition
# stands there twice, for who waits for a row finds it as it was left.
ON_RECORD = """
WITH asked AS (SELECT device_id, kind FROM unnest($1::uuid[], $2::text[]) AS c (device_id, kind)),
found AS (
    SELECT a.id FROM asked c JOIN alarm a ON a.device_id = c.device_id AND a.kind = c.kind AND a.state <> 'cleared'
    UNION ALL
    SELECT a.id FROM asked c JOIN alarm a ON a.device_id = c.device_id AND a.kind = c.kind AND a.shelved_until > $3)
SELECT a.id, a.device_id, a.kind, a.compound_id, a.building_id, a.calm_since, a.state = 'cleared' AS is_shelved
FROM alarm a WHERE a.id IN (SELECT id FROM found) AND (a.state <> 'cleared' OR a.shelved_until > $3)
ORDER BY a.device_id, a.kind, a.id FOR UPDATE
"""

CHANGE = """
UPDATE alarm a SET reports = a.reports + c.reports, flaps = a.flaps + c.flaps,
    reported_at = CASE WHEN c.reports > 0 THEN $8 ELSE a.reported_at END,
    detail = CASE WHEN c.detail = '' THEN a.detail ELSE c.detail END, calm_since = c.calm_since,
    state = CASE WHEN c.cleared_at IS NULL THEN a.state ELSE 'cleared' END,
    cleared_at = coalesce(c.cleared_at, a.cleared_at),
    shelved_until = CASE WHEN c.is_shelved THEN a.shelved_until END
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[])
    AS c (id, reports, flaps, detail, calm_since, cleared_at, is_shelved)
WHERE a.id = c.id
"""

OPEN = """
INSERT INTO alarm (id, compound_id, building_id, device_id, kind, level, state, detail, opened_at, said_at, reported_at,
    reports, flaps, calm_since, is_false, note)
SELECT o.id, o.compound_id, o.building_id, o.device_id, o.kind, o.level, 'open', o.detail, $11, o.said_at, $11,
    o.reports, o.flaps, o.calm_since, false, ''
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::bigint[], $10::int[], $12::timestamptz[])
    AS o (id, compound_id, building_id, device_id, kind, level, detail, said_at, reports, flaps, calm_since)
"""

# What somebody else has in hand is cleared a minute later.
CLEAR_CALM = """
WITH due AS (
    SELECT a.id, a.calm_since + k.off_delay AS over_at
    FROM unnest($1::text[], $2::interval[]) AS k (kind, off_delay) JOIN alarm a ON a.kind = k.kind
    WHERE a.state <> 'cleared' AND a.calm_since <= $3::timestamptz - k.off_delay
    ORDER BY a.calm_since LIMIT $4 FOR UPDATE OF a SKIP LOCKED)
UPDATE alarm a SET state = 'cleared', cleared_at = due.over_at FROM due WHERE a.id = due.id
RETURNING a.id, a.compound_id, a.building_id, a.kind
"""

CLEAR_OF_DEVICE = """
UPDATE alarm SET state = 'cleared', cleared_at = $2, note = $3
WHERE id IN (SELECT id FROM alarm WHERE device_id = $1 AND state <> 'cleared' ORDER BY kind FOR UPDATE)
RETURNING id, compound_id, building_id, kind
"""

FOR_HANDLING = """
SELECT id, compound_id, building_id, kind, state, calm_since, acknowledged_by FROM alarm WHERE id = $1 FOR UPDATE
"""

NAME_OF = "SELECT name FROM account WHERE id = $1"

_EXPECTED = "d.state = 'in_service' AND (d.silent_after_s IS NOT NULL OR d.offline_since IS NOT NULL)"
_SILENT = (
    "(d.last_seen_at < $1::timestamptz - make_interval(secs => d.silent_after_s) OR d.offline_since <= $2)"
)

# When the watch, which is kept every minute, was last taken up again: before, nobody could hear anything.
WATCHED_SINCE = """
SELECT max(started_at) FROM (
    SELECT due_at, started_at, lag(due_at) OVER (ORDER BY due_at) AS last_due_at FROM job_run
    WHERE job = 'devices.watch_offline' AND due_at > $1::timestamptz - interval '1 day') AS run
WHERE due_at - last_due_at > interval '3 minutes'
"""

# Told once: one that is known to be silent is not reported again, nor one that somebody has shelved.
FALLEN_SILENT = f"""
SELECT d.id FROM device d
WHERE {_EXPECTED} AND {_SILENT}
    AND (d.offline_since IS NOT NULL OR $3::timestamptz IS NULL OR $3 < $1 - make_interval(secs => d.silent_after_s))
    AND NOT EXISTS (
        SELECT FROM alarm a
        WHERE a.device_id = d.id AND a.kind = 'offline' AND a.state <> 'cleared' AND a.calm_since IS NULL)
    AND NOT EXISTS (SELECT FROM alarm a WHERE a.device_id = d.id AND a.kind = 'offline' AND a.shelved_until > $1)
ORDER BY d.id
"""

HEARD_AGAIN = f"""
SELECT d.id FROM device d
WHERE d.id IN (
    SELECT a.device_id FROM alarm a WHERE a.kind = 'offline' AND a.state <> 'cleared' AND a.calm_since IS NULL
    UNION ALL
    SELECT a.device_id FROM alarm a WHERE a.kind = 'offline' AND a.shelved_until > $1)
  AND d.state <> 'retired' AND NOT coalesce({_EXPECTED} AND {_SILENT}, false)
ORDER BY d.id
"""

TOLD = """
SELECT a.kind, a.level, a.opened_at, a.cleared_at, a.cleared_by, a.is_false, a.compound_id, a.building_id,
    c.name AS compound, concat_ws(' ', b.name, coalesce(nullif(d.place, ''), d.name)) AS place
FROM alarm a JOIN compound c ON c.id = a.compound_id JOIN device d ON d.id = a.device_id
LEFT JOIN building b ON b.id = a.building_id WHERE a.id = $1
"""
