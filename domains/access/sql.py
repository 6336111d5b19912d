"""Statements that several commands of this domain share."""

from __future__ import annotations

ADD_RULES = """
INSERT INTO access_rules (compound_id, number, longest_window_h, most_uses, daily_passes_per_house, approver,
    daily_openings, counts_offline, records_kept_days, vehicle_records_kept_days, screen_key_sealed, revocation_sequence)
VALUES ($1, nextval('access_community'), 72, 20, 20, 'either', 200, false, 180, 180, $2, 0)
ON CONFLICT (compound_id) DO NOTHING
"""

RULES = "SELECT * FROM access_rules WHERE compound_id = $1"

# Two processes that sign for the first time make one key: the second waits for the first and finds it.
KEY_TURN = "SELECT pg_advisory_xact_lock(hashtext('linli.pass_key'))"

SIGNING_KEY = """
SELECT kid, private_sealed FROM pass_key WHERE retired_at IS NULL ORDER BY made_at DESC LIMIT 1
"""

PUBLIC_KEYS = "SELECT kid, public_key FROM pass_key ORDER BY made_at"

# Of a gate that asks ($6 is how far clocks may differ) the row count decides which of two opens. A use that a gate
# tells of has happened, whatever the pass is by now: it counts, and only a pass that counts is used up by it, so that
# `uses` may be over what is allowed. Whoever comes in again has left, whether or not it was seen.
USE = """
UPDATE visitor_pass p SET uses = p.uses + t.uses, last_used_at = greatest(p.last_used_at, t.used_at),
    inside_since = t.inside_since,
    state = CASE WHEN p.state = 'active' AND p.uses + t.uses >= p.uses_allowed THEN 'used_up' ELSE p.state END,
    ended_at = CASE WHEN p.state = 'active' AND p.uses + t.uses >= p.uses_allowed THEN $5 ELSE p.ended_at END
FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::timestamptz[]) AS t (id, uses, used_at, inside_since)
WHERE p.id = t.id AND ($6::interval IS NULL
    OR (p.state = 'active' AND p.starts_at - $6 <= t.used_at AND p.ends_at + $6 >= t.used_at))
RETURNING p.uses, p.compound_id, p.ends_at, p.state = 'used_up' AND (p.offline_door_id IS NOT NULL OR EXISTS (
    SELECT FROM access_rules r WHERE r.compound_id = p.compound_id AND r.counts_offline)) AS is_to_list
"""

LEAVE = """
UPDATE visitor_pass SET inside_since = NULL WHERE id = $1 AND inside_since IS NOT NULL RETURNING compound_id, house_id
"""

ADD_RECORD = """
INSERT INTO access_record (id, compound_id, door_id, building_id, house_id, person_id, account_id, visitor_pass_id,
    command_id, who, plate, is_vehicle, at, device_at, received_at, direction, method, result, reason, guard_id, note,
    event_key)
SELECT $1, d.compound_id, d.id, d.building_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20
FROM door d WHERE d.id = $2
ON CONFLICT DO NOTHING RETURNING id
"""

REVOKE = """
WITH counted AS (
    UPDATE access_rules SET revocation_sequence = revocation_sequence + 1 WHERE compound_id = $2
    RETURNING revocation_sequence
)
INSERT INTO revocation (id, compound_id, sequence, pass_id, expires_at, revoked_at)
SELECT $1, $2, revocation_sequence, $3, $4, $5 FROM counted RETURNING sequence
"""

# The controllers of doors that are in use, with how each door is held.
CONTROLLERS = """
SELECT d.device_id, d.mode FROM door d JOIN device v ON v.id = d.device_id
WHERE d.removed_at IS NULL AND v.state = 'in_service'
"""
