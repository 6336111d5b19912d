"""Forgetting what was told and sent long ago (清理)."""

from __future__ import annotations

from datetime import datetime, timedelta

from domains.kernel import clock, database
from domains.kernel.jobs import Result
from notifications import viewer_events

DELIVERIES_KEPT = timedelta(days=180)
NOTICES_KEPT = timedelta(days=730)

# Attempts go with their delivery.
PURGE_DELIVERIES = """
DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE settled_at < $1 ORDER BY settled_at LIMIT $2)
"""

PURGE_THROTTLES = """
DELETE FROM message_throttle WHERE (delivery_id IS NULL OR held_until < $1) AND id IN (
    SELECT id FROM message_throttle
    WHERE (delivery_id IS NULL OR held_until < $1) AND (sent_at IS NULL OR sent_at < $1) LIMIT $2)
"""

PURGE_CONSENTS = """
DELETE FROM message_consent WHERE id IN (
    SELECT id FROM message_consent WHERE state IN ('spent', 'void') AND settled_at < $1 LIMIT $2)
"""

# What nobody has read stays; so does what a delivery still points at.
PURGE_INBOX = """
DELETE FROM notification WHERE id IN (
    SELECT n.id FROM notice o JOIN notification n ON n.notice_id = o.id
    WHERE o.created_at < $1 AND n.read_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.notice_id = o.id) LIMIT $2)
"""

PURGE_NOTICES = """
DELETE FROM notice WHERE id IN (
    SELECT o.id FROM notice o WHERE o.created_at < $1
        AND NOT EXISTS (SELECT FROM notification n WHERE n.notice_id = o.id)
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.notice_id = o.id) LIMIT $2)
"""


async def purge(_: datetime, batch: int = 5000) -> Result:
    """Forget events that no listener can ask for, deliveries of 180 days ago with their attempts and
    consents, and what was read in the inbox of two years ago, by batches."""
    now = clock.now()
    return {
        "viewer_events": await viewer_events.purge(),
        "deliveries": await _by_batches(PURGE_DELIVERIES, now - DELIVERIES_KEPT, batch),
        "consents": await _by_batches(PURGE_CONSENTS, now - DELIVERIES_KEPT, batch),
        "throttles": await _by_batches(PURGE_THROTTLES, now - DELIVERIES_KEPT, batch),
        "inbox": await _by_batches(PURGE_INBOX, now - NOTICES_KEPT, batch),
        "notices": await _by_batches(PURGE_NOTICES, now - NOTICES_KEPT, batch),
    }


async def _by_batches(statement: str, before: datetime, batch: int) -> int:
    total = 0
    while count := await database.execute(statement, before, batch):
        total += count
    return total
