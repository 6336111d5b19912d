"""Statements by which workers take up deliveries and settle them."""

# What is taken up is leased. A channel whose platform is slow keeps what it has and no more ($6).
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM delivery
    WHERE state = 'pending' AND is_urgent = $3 AND due_at <= $5 AND channel <> ALL($6::text[])
    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE delivery d SET state = 'sending', lease_id = $1, attempts = d.attempts + 1,
    leased_until = clock_timestamp() + make_interval(secs => $2)
FROM due WHERE d.id = due.id RETURNING d.id
"""

# Whose worker is gone. The attempt counts: what kills its worker is given up in the end.
RECOVER = """
WITH lost AS MATERIALIZED (
    SELECT id, leased_until FROM delivery
    WHERE state = 'sending' AND leased_until < clock_timestamp() AND is_urgent = $3
    ORDER BY leased_until LIMIT $4 FOR UPDATE SKIP LOCKED)
UPDATE delivery d SET lease_id = $1, leased_until = clock_timestamp() + make_interval(secs => $2)
FROM lost WHERE d.id = lost.id RETURNING d.id, lost.leased_until - make_interval(secs => $2) AS began_at
"""

# A statement of its own, after the rows are locked: its snapshot has what a digest was touched for.
LOAD = """
SELECT d.id, d.notice_id, d.account_id, d.compound_id, d.kind, d.channel, d.target_id, d.is_urgent,
    d.is_digest, d.is_climb, d.attempts, d.expires_at, n.urgency, n.created_at,
    n.subject_type, n.subject_id,
    coalesce(newest.data, n.data)::text AS data, coalesce(gathered.unread, 0) AS unread,
    coalesce(r.language, 'zh') AS language, r.closed_at IS NOT NULL AS is_closed,
    own.read_at IS NOT NULL AS is_read,
    d.is_climb AND EXISTS (
        SELECT FROM notification x WHERE x.notice_id = d.notice_id AND x.read_at IS NOT NULL) AS is_read_by_anyone,
    d.channel <> 'webhook' AND coalesce(r.is_quiet_at_night, true) AS is_quiet,
    coalesce(r.quiet_from, 1320) AS quiet_from, coalesce(r.quiet_until, 420) AS quiet_until,
    p.is_on AS wish, c.app_id, c.address_sealed, s.endpoint_sealed, s.keys_sealed, w.url, w.secret_sealed
FROM delivery d JOIN notice n ON n.id = d.notice_id
LEFT JOIN notification own ON own.id = d.notification_id
LEFT JOIN recipient r ON r.account_id = d.account_id
LEFT JOIN notification_preference p
    ON p.account_id = d.account_id AND p.kind = d.kind AND p.channel = d.channel
LEFT JOIN contact c ON c.account_id = d.account_id
    AND c.channel = CASE d.channel WHEN 'voice' THEN 'sms' ELSE d.channel END
LEFT JOIN push_subscription s ON d.channel = 'webpush' AND s.id = d.target_id AND s.account_id = d.account_id
LEFT JOIN webhook_endpoint w ON d.channel = 'webhook' AND w.id = d.target_id AND w.disabled_at IS NULL
LEFT JOIN LATERAL (
    SELECT count(*) AS unread FROM notification u WHERE d.is_digest AND u.account_id = d.account_id
        AND u.kind = d.kind AND u.created_at >= d.created_at AND u.read_at IS NULL) AS gathered ON true
LEFT JOIN LATERAL (
    SELECT latest.data FROM notification u JOIN notice latest ON latest.id = u.notice_id
    WHERE d.is_digest AND u.account_id = d.account_id AND u.kind = d.kind AND u.created_at >= d.created_at
        AND u.read_at IS NULL
    ORDER BY u.created_at DESC, u.id DESC LIMIT 1) AS newest ON true
WHERE d.id = ANY($1::uuid[])
"""

# What is not sent after all, in the transaction that took it up: no attempt was made.
LEAVE = """
UPDATE delivery d SET state = l.state, reason = l.reason, due_at = coalesce(l.due_at, d.due_at),
    attempts = d.attempts - 1, lease_id = NULL, leased_until = NULL,
    settled_at = CASE WHEN l.state = 'pending' THEN NULL ELSE $2::timestamptz END
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[]) AS l (id, state, reason, due_at)
WHERE d.id = l.id AND d.lease_id = $1 AND d.state = 'sending'
"""

CLIMBS = """
SELECT c.id FROM delivery c JOIN delivery f ON f.notification_id = c.notification_id
WHERE f.id = ANY($1::uuid[]) AND c.is_climb AND c.state = 'pending' ORDER BY c.id FOR UPDATE OF c
"""

CLIMB_NOW = """
UPDATE delivery c SET due_at = $2 FROM delivery f
WHERE f.id = ANY($1::uuid[]) AND c.notification_id = f.notification_id
    AND c.is_climb AND c.state = 'pending' AND c.due_at > $2
    AND NOT EXISTS (SELECT FROM delivery o WHERE o.notification_id = f.notification_id AND NOT o.is_climb
        AND o.state IN ('pending', 'sending', 'sent', 'uncertain'))
"""

# In the order of the key, so that workers who want the same wait for each other and never in a circle.
HOLD = """
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[])
        AS w (id, account_id, kind, channel, target_id, since)),
held AS (
    INSERT INTO message_throttle AS t (id, account_id, kind, channel, target_id, delivery_id, held_until)
    SELECT DISTINCT ON (account_id, kind, channel, target_id) gen_random_uuid(), account_id, kind, channel,
        target_id, id, clock_timestamp() + make_interval(secs => $7)
    FROM wanted ORDER BY account_id, kind, channel, target_id, id
    ON CONFLICT (account_id, kind, channel, target_id)
        DO UPDATE SET delivery_id = EXCLUDED.delivery_id, held_until = EXCLUDED.held_until
        WHERE (t.delivery_id IS NULL OR t.delivery_id = EXCLUDED.delivery_id OR t.held_until < clock_timestamp())
            AND (t.sent_at IS NULL
                OR t.sent_at <= (SELECT w.since FROM wanted w WHERE w.id = EXCLUDED.delivery_id))
    RETURNING t.delivery_id)
SELECT w.id, EXISTS (SELECT FROM held WHERE held.delivery_id = w.id) AS is_held,
    EXISTS (SELECT FROM message_throttle t
        WHERE t.account_id = w.account_id AND t.kind = w.kind AND t.channel = w.channel
            AND t.target_id IS NOT DISTINCT FROM w.target_id AND t.sent_at > w.since) AS was_sent
FROM wanted w
"""

LET_GO = """
UPDATE message_throttle t SET delivery_id = NULL, held_until = NULL FROM delivery d
WHERE d.id = ANY($1::uuid[]) AND t.delivery_id = d.id AND t.account_id = d.account_id AND t.kind = d.kind
    AND t.channel = d.channel
"""

# Only who holds the lease settles. A digest that is to be sent again gives way to one that has come to
# wait meanwhile, which then stands for what this one stood for.
SETTLE = """
WITH mine AS MATERIALIZED (
    SELECT * FROM delivery WHERE id = $1 AND lease_id = $2 AND state = 'sending' FOR UPDATE),
merged AS (
    UPDATE delivery w SET created_at = least(w.created_at, mine.created_at) FROM mine
    WHERE $3 = 'pending' AND mine.is_digest AND w.is_digest AND w.state = 'pending'
        AND w.account_id = mine.account_id AND w.kind = mine.kind AND w.channel = mine.channel
        AND w.target_id IS NOT DISTINCT FROM mine.target_id
    RETURNING w.id),
decided AS MATERIALIZED (
    SELECT mine.id, CASE WHEN gone.away THEN 'suppressed' ELSE $3::text END AS state,
        CASE WHEN gone.away THEN 'MERGED' ELSE $4::text END AS reason
    FROM mine, (SELECT EXISTS (SELECT FROM merged) AS away) AS gone),
settled AS (
    UPDATE delivery d SET state = decided.state, reason = decided.reason, due_at = coalesce($5, d.due_at),
        platform_id = coalesce($6, d.platform_id), lease_id = NULL, leased_until = NULL,
        settled_at = CASE WHEN decided.state = 'pending' THEN NULL ELSE $7::timestamptz END
    FROM decided WHERE d.id = decided.id RETURNING d.id, d.attempts),
tried AS (
    INSERT INTO delivery_attempt (id, delivery_id, number, outcome, code, detail, began_at, ended_at)
    SELECT $8, id, attempts, $9, $10, $11, $12, $7 FROM settled),
freed AS (
    UPDATE message_throttle t SET delivery_id = NULL, held_until = NULL,
        sent_at = CASE WHEN $3 = 'sent' THEN $7 ELSE t.sent_at END
    FROM mine WHERE t.delivery_id = mine.id AND t.account_id = mine.account_id AND t.kind = mine.kind
        AND t.channel = mine.channel)
SELECT count(*) FROM settled
"""

# Another worker has taken the one that held it for dead.
ANSWERED_LATE = """
UPDATE delivery SET state = 'sent', reason = 'ANSWERED_LATE', platform_id = $2, settled_at = $3
WHERE id = $1 AND state = 'uncertain'
"""

FORGET_CONTACT = "DELETE FROM contact WHERE account_id = $1 AND channel = $2 AND address_sealed = $3"
FORGET_DEVICE = "DELETE FROM push_subscription WHERE id = $1 AND account_id = $2"
CLOSE_ENDPOINT = "UPDATE webhook_endpoint SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL"
