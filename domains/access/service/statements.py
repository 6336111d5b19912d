"""Statements over doors and the orders to them."""

from __future__ import annotations

from domains.access.queries.doors import IN_REACH, LEADS_HOME, LIVES
from domains.access.rules import COMMAND
from domains.access.sql import SIGNING_KEY
from domains.kernel.idempotency import KEEP
from notifications import viewer_events


def _before(state: str) -> str:
    """States of an order that it may leave for this one."""
    return ", ".join(f"'{old}'" for old in COMMAND.moves if COMMAND.allows(old, state))


_HOME = f"""
SELECT o.house_id, p.id AS person_id, p.name
FROM person p JOIN occupancy o ON o.person_id = p.id JOIN house h ON h.id = o.house_id
WHERE {LIVES.format(account="$2", today="$3")} AND {LEADS_HOME} AND ($4::uuid IS NULL OR h.id = $4)
ORDER BY o.recorded_at, o.id LIMIT 1"""

_MAY = (
    f"CASE WHEN $7 THEN {IN_REACH.format(compounds='$5', buildings='$6')} ELSE home.house_id IS NOT NULL END"
)
_KEPT = KEEP.format(
    answer="to_jsonb(order_id)", source="FROM answered", actor="$2", operation="$13", key="$14"
)

# Whether somebody may open a door now, and the order if nothing is against it: nothing comes between the two. An
# occupancy that is being ended waits for this commit, or is not there any more. One account's calls come one
# after the other: of twenty taps at once the second finds the first, and a day's last opening is taken once.
# The order is the sender's from the start (`is_new`): its commit is the one that is waited for before it is sent.
ORDER = f"""
WITH asked AS MATERIALIZED (
    SELECT d.id, d.compound_id, d.device_id, home.house_id, first.id AS first_id,
        coalesce(first.is_overdue, false) AS is_overdue, r.compound_id IS NOT NULL AS has_rules, CASE
            WHEN ({_MAY}) IS NOT TRUE THEN 'FORBIDDEN'
            WHEN d.released_by_id IS NOT NULL OR d.mode = 'held_open' THEN 'DOOR_STANDS_OPEN'
            WHEN d.mode = 'closed' THEN 'DOOR_CLOSED'
            WHEN v.state <> 'in_service' THEN 'DOOR_OUT_OF_ORDER'
            WHEN $7 THEN NULL
            WHEN NOT d.methods @> '{{app}}' THEN 'DOOR_NOT_BY_APP'
            WHEN r.daily_openings <= (
                SELECT count(*) FROM door_command c WHERE c.account_id = $2 AND c.requested_at >= $9
                    AND c.compound_id = d.compound_id AND c.action = 'open' AND c.state NOT IN ('refused', 'expired'))
                THEN 'DOOR_QUOTA' END AS refusal
    FROM door d JOIN device v ON v.id = d.device_id LEFT JOIN access_rules r ON r.compound_id = d.compound_id
    LEFT JOIN LATERAL ({_HOME} FOR SHARE OF o) home ON true
    LEFT JOIN LATERAL (
        SELECT c.id, c.state IN ('requested', 'sent') AND c.expires_at <= $8 AS is_overdue FROM door_command c
        WHERE c.door_id = d.id AND c.account_id = $2 AND c.action = 'open'
            AND (c.state IN ('requested', 'sent') OR (c.state = 'opened' AND c.requested_at > $10))
        ORDER BY c.requested_at DESC LIMIT 1) first ON true
    WHERE d.id = $1 AND d.removed_at IS NULL),
ordered AS (
    INSERT INTO door_command (id, compound_id, door_id, account_id, house_id, action, state, reason, requested_at,
        sent_at, expires_at)
    SELECT $11::uuid, compound_id, id, $2, house_id, 'open', 'sent', '', $8, $8, $12::timestamptz FROM asked
    WHERE refusal IS NULL AND first_id IS NULL AND has_rules RETURNING id, action, requested_at, expires_at),
answered AS (
    SELECT asked.*, CASE WHEN NOT is_overdue THEN coalesce(first_id, ordered.id) END AS order_id,
        ordered.id IS NOT NULL AS is_new, ordered.action, ordered.requested_at, ordered.expires_at, key.kid
    FROM asked LEFT JOIN ordered ON true LEFT JOIN LATERAL ({SIGNING_KEY}) key ON true),
kept AS ({_KEPT} AND order_id IS NOT NULL)
SELECT * FROM answered
"""

HOME_OF = f"""
SELECT home.* FROM door d CROSS JOIN LATERAL ({_HOME}) home WHERE d.id = $1
"""

ADD_COMMANDS = """
INSERT INTO door_command (id, compound_id, door_id, account_id, house_id, action, state, reason, requested_at, expires_at)
SELECT new.id, d.compound_id, d.id, $3, $4, $5, 'requested', '', $6, $7
FROM unnest($1::uuid[], $2::uuid[]) AS new (id, door_id) JOIN door d ON d.id = new.door_id
"""

# The row count decides who publishes. What would lock a door that a fire has released stays here.
SENT = f"""
WITH sent AS (
    UPDATE door_command c SET state = 'sent', sent_at = $2 FROM door d
    WHERE c.id = $1 AND d.id = c.door_id AND c.state IN ({_before("sent")}) AND c.expires_at > $2
      AND (d.released_by_id IS NULL OR c.action IN ('open', 'hold_open'))
    RETURNING d.device_id, c.action, c.requested_at, c.expires_at)
SELECT sent.*, key.kid FROM sent LEFT JOIN LATERAL ({SIGNING_KEY}) key ON true
"""

# What ends is written down with its end: the record, the mode that the controller confirms, the news for who
# ordered it. Who that was says the register's name of who lives there, else the account's.
_END = f"""
ended AS MATERIALIZED (
    SELECT s.*, new.id AS new_id, d.compound_id, d.building_id, d.direction, a.kind AS account_kind,
        coalesce(who.name, a.name, '') AS who, who.id AS person_id
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS number FROM settled) s
    JOIN unnest($2::uuid[]) WITH ORDINALITY AS new (id, number) USING (number)
    JOIN door d ON d.id = s.door_id LEFT JOIN account a ON a.id = s.account_id
    LEFT JOIN LATERAL (
        SELECT p.id, p.name FROM person p JOIN occupancy o ON o.person_id = p.id
        WHERE p.account_id = s.account_id AND o.house_id = s.house_id ORDER BY o.recorded_at DESC LIMIT 1) who ON true),
recorded AS (
    INSERT INTO access_record (id, compound_id, door_id, building_id, house_id, person_id, account_id, command_id, who,
        plate, is_vehicle, at, device_at, received_at, direction, method, result, reason, note)
    SELECT new_id, compound_id, door_id, building_id, house_id, person_id, account_id, id, who, '', false,
        CASE WHEN acted_at BETWEEN $1::timestamptz - $3::interval AND $1::timestamptz + $3::interval
            THEN acted_at ELSE $1 END, acted_at, $1,
        coalesce(nullif(direction, 'both'), 'unknown'),
        CASE WHEN account_kind IS NULL THEN 'fire' WHEN account_kind = 'staff' THEN 'remote' ELSE 'app' END,
        CASE state WHEN 'expired' THEN 'refused' ELSE state END, reason, ''
    FROM ended WHERE action = 'open' OR (account_id IS NULL AND action = 'hold_open')
    ON CONFLICT DO NOTHING),
moded AS (
    UPDATE door d SET mode = l.mode FROM (
        SELECT DISTINCT ON (door_id) door_id, requested_at,
            CASE action WHEN 'hold_open' THEN 'held_open' ELSE action END AS mode
        FROM ended WHERE action <> 'open' AND state = 'opened' AND account_id IS NOT NULL
        ORDER BY door_id, requested_at DESC) l
    WHERE d.id = l.door_id AND d.released_by_id IS NULL
        AND NOT EXISTS (SELECT FROM door_command n WHERE n.door_id = l.door_id AND n.requested_at > l.requested_at
            AND n.action <> 'open' AND n.state = 'opened')),
told AS (
    {viewer_events.NOTED} SELECT new_id, account_id, $4, 'DoorCommand', id, $1 FROM ended WHERE account_id IS NOT NULL)
SELECT id, account_id FROM ended ORDER BY id
"""
_MOVED = "c.id, c.door_id, c.account_id, c.house_id, c.action, c.state, c.reason, c.acted_at, c.requested_at"

# Only the door's own controller is believed. Rows are locked in one order, so that two who hear the same
# never wait in a circle; what the other has settled meanwhile is not settled again. Whether the commit waits for
# the disk is this statement's own matter, and of nothing after it.
SETTLE = f"""
WITH found AS MATERIALIZED (
    SELECT c.id, s.state, s.reason, s.at
    FROM (SELECT set_config('synchronous_commit',
        CASE WHEN $10 THEN current_setting('synchronous_commit') ELSE 'off' END, true)) AS commit
    CROSS JOIN unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::timestamptz[])
        AS s (command_id, device_id, state, reason, at)
    JOIN door_command c ON c.id = s.command_id JOIN door d ON d.id = c.door_id AND d.device_id = s.device_id
    WHERE c.state IN ({_before("opened")}) ORDER BY c.id FOR UPDATE OF c),
settled AS (
    UPDATE door_command c SET state = f.state, reason = f.reason, settled_at = $1,
        acted_at = CASE WHEN f.state = 'opened' THEN f.at END
    FROM found f WHERE c.id = f.id AND c.state IN ({_before("opened")}) RETURNING {_MOVED}),
{_END}
"""

# What nobody sent has opened nothing; of what was sent nobody can say.
OVERDUE = f"""
WITH due AS MATERIALIZED (
    SELECT id FROM door_command
    WHERE state IN ('requested', 'sent') AND expires_at + CASE state WHEN 'sent' THEN $5::interval ELSE '0 s' END < $1
      AND ($6::uuid IS NULL OR id = $6)
    ORDER BY id LIMIT cardinality($2::uuid[]) FOR UPDATE SKIP LOCKED),
settled AS (
    UPDATE door_command c SET state = CASE c.state WHEN 'requested' THEN 'expired' ELSE 'unknown' END,
        reason = CASE c.state WHEN 'requested' THEN 'COMMAND_EXPIRED' ELSE '' END, settled_at = $1
    FROM due WHERE c.id = due.id AND c.state IN ('requested', 'sent') RETURNING {_MOVED}),
{_END}
"""

FINAL = "SELECT id FROM door_command WHERE id = ANY($1::uuid[]) AND state NOT IN ('requested', 'sent')"

ENDS = "SELECT expires_at FROM door_command WHERE id = $1 AND state IN ('requested', 'sent')"

DOOR_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('door numbers:' || $1::uuid, 0))"

NEXT_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM door WHERE compound_id = $1"

PLACE = """
SELECT b.id AS building_id, u.id AS unit_id FROM compound c
LEFT JOIN unit u ON u.id = $3 AND u.compound_id = c.id
LEFT JOIN building b ON b.id = $2 AND b.compound_id = c.id
WHERE c.id = $1 AND ($2::uuid IS NULL OR b.id IS NOT NULL)
  AND ($3::uuid IS NULL OR (u.id IS NOT NULL AND u.building_id = b.id))
"""

DEVICE = """
SELECT v.kind, v.state, EXISTS (SELECT FROM door d WHERE d.device_id = v.id AND d.removed_at IS NULL) AS is_taken
FROM device v WHERE v.id = $1 AND v.compound_id = $2 FOR SHARE OF v
"""

# Whoever mirrors the fires of a building takes turns: what the first leaves, the second finds.
FIRE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('fire:' || $1::uuid, 0))"

FIRE = """
SELECT a.id, a.compound_id, a.opened_at, c.name AS compound, b.name AS building
FROM alarm a JOIN compound c ON c.id = a.compound_id JOIN building b ON b.id = a.building_id
WHERE a.building_id = $1 AND a.kind = 'fire' AND a.state <> 'cleared' ORDER BY a.opened_at, a.id LIMIT 1
"""

RELEASE = """
WITH locked AS MATERIALIZED (
    SELECT id, released_by_id FROM door
    WHERE building_id = $1 AND removed_at IS NULL AND released_by_id IS DISTINCT FROM $2 ORDER BY id FOR UPDATE)
UPDATE door d SET released_by_id = $2, mode = 'held_open' FROM locked l WHERE d.id = l.id
RETURNING d.id, l.released_by_id IS NULL AS is_fresh
"""

RESTORE = """
WITH locked AS MATERIALIZED (
    SELECT id FROM door WHERE building_id = $1 AND released_by_id IS NOT NULL ORDER BY id FOR UPDATE)
UPDATE door d SET released_by_id = NULL, mode = 'normal' FROM locked l WHERE d.id = l.id RETURNING d.id
"""

BURNING = """
SELECT DISTINCT building_id FROM alarm WHERE kind = 'fire' AND state <> 'cleared' AND building_id IS NOT NULL
UNION SELECT building_id FROM door WHERE released_by_id IS NOT NULL
"""

LAST_CLEARED = """
SELECT a.id, a.compound_id, a.cleared_at, c.name AS compound, b.name AS building
FROM alarm a JOIN compound c ON c.id = a.compound_id JOIN building b ON b.id = a.building_id
WHERE a.building_id = $1 AND a.kind = 'fire' AND a.state = 'cleared' ORDER BY a.cleared_at DESC, a.id DESC LIMIT 1
"""

INSIDE = f"""
SELECT DISTINCT p.account_id FROM person p JOIN occupancy o ON o.person_id = p.id JOIN house h ON h.id = o.house_id
WHERE h.building_id = $1 AND p.account_id IS NOT NULL AND {LIVES.format(account="p.account_id", today="$2")}
ORDER BY p.account_id
"""

GUESTS = """
SELECT vp.id FROM visitor_pass vp JOIN house h ON h.id = vp.house_id
WHERE h.building_id = $1
  AND (vp.inside_since > $2::timestamptz - interval '1 day'
    OR (vp.state = 'active' AND vp.starts_at <= $2 AND vp.ends_at >= $2))
"""

# The last order of the house itself to a door, where it did not arrive: a mode is set again until it holds.
UNDELIVERED = """
SELECT d.id, CASE WHEN d.released_by_id IS NULL THEN 'normal' ELSE 'hold_open' END AS action
FROM door d JOIN LATERAL (
    SELECT c.state, c.requested_at FROM door_command c WHERE c.door_id = d.id AND c.account_id IS NULL
    ORDER BY c.requested_at DESC LIMIT 1) last ON last.state IN ('refused', 'expired', 'unknown')
WHERE d.removed_at IS NULL AND (d.released_by_id IS NOT NULL OR (d.mode = 'normal' AND d.id IN (
    SELECT door_id FROM door_command WHERE account_id IS NULL AND requested_at > $1)))
"""

# What was said later stands; a door that has left the register is not written about.
POSITIONS = """
WITH news AS MATERIALIZED (
    SELECT d.id, s.position, s.at FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS s (device_id, position, at)
    JOIN door d ON d.device_id = s.device_id AND d.removed_at IS NULL
    WHERE d.position <> s.position AND (d.position_at IS NULL OR d.position_at <= s.at)
    ORDER BY d.id FOR NO KEY UPDATE OF d)
UPDATE door d SET position = n.position, position_at = n.at FROM news n WHERE d.id = n.id
"""

MOVED = """
UPDATE door_command c SET moved_at = s.at
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS s (device_id, position, at)
JOIN door d ON d.device_id = s.device_id
CROSS JOIN LATERAL (
    SELECT id FROM door_command WHERE door_id = d.id AND state = 'opened' AND requested_at > s.at - $4::interval
        AND moved_at IS NULL ORDER BY requested_at DESC LIMIT 1) last
WHERE s.position = 'open' AND c.id = last.id
"""

ADD_PASSAGES = """
INSERT INTO access_record (id, compound_id, door_id, building_id, who, plate, is_vehicle, at, device_at, received_at,
    direction, method, result, reason, note, event_key)
SELECT e.id, d.compound_id, d.id, d.building_id, '', e.plate, d.kind = 'vehicle_gate', e.at, e.device_at, e.received_at,
    coalesce(e.direction, nullif(d.direction, 'both'), 'unknown'), e.method, e.result, '', '', e.event_key
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
    $8::timestamptz[], $9::timestamptz[], $10::text[])
    AS e (id, device_id, method, result, direction, plate, at, device_at, received_at, event_key)
JOIN door d ON d.device_id = e.device_id AND d.removed_at IS NULL
ON CONFLICT (door_id, event_key) WHERE event_key IS NOT NULL DO NOTHING
"""
