"""Endpoints of other systems (系统对接, Webhook): which of a compound's notices are told to which address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from domains.kernel import clock, database, sealing, text, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid, NotFound
from domains.kernel.ids import uuid7
from notifications.channels.outside import is_callable, outside
from notifications.channels.webhook import new_secret
from notifications.deliveries.authority import require_all_of
from notifications.kinds import Kind, Text, Urgency, registry
from notifications.models import WebhookEndpoint
from notifications.notifying import LANES
from notifications.permissions import WEBHOOKS
from notifications.sealed import WEBHOOK_SECRET

MOST_ENDPOINTS = 10
_NAME_MAX, _URL_MAX = 60, 400

TEST = Kind(
    "webhook.test", Text("系统对接测试", "Webhook test"), {}, Text("测试消息", "Test message"), Text("", ""),
    channels=frozenset(), worth=timedelta(hours=1), is_optional=False, audience=frozenset(),
    purpose=Text("测试系统对接是否畅通", "Tries an endpoint of another system"),
)  # fmt: skip
"""What an endpoint is tried with; nobody's inbox has it."""

KINDS = (TEST,)

TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('webhook:' || $1::uuid, 0))"

_COLUMNS = (
    "SELECT id, compound_id, name, url, kinds, created_at, disabled_at FROM webhook_endpoint"  # no secret
)
LIST = f"{_COLUMNS} WHERE compound_id = $1 ORDER BY created_at, id"
BY_IDS = f"{_COLUMNS} WHERE id = ANY($1::uuid[]) AND compound_id = ANY($2::uuid[])"

SUPPRESS = """
UPDATE delivery SET state = 'suppressed', reason = $2, settled_at = $3
WHERE channel = 'webhook' AND target_id = $1 AND state = 'pending'
"""

TRY = """
WITH raised AS (
    INSERT INTO notice (id, kind, dedupe_key, compound_id, urgency, data, subject_type, subject_id, created_at, expires_at)
    VALUES ($1, $2, $1::uuid::text, $3, $4, '{}', 'Webhook', $5, $6, $7) RETURNING id)
INSERT INTO delivery (id, notice_id, compound_id, kind, channel, target_id, is_urgent, is_digest, is_climb, state,
    attempts, due_at, expires_at, created_at)
SELECT $8, id, $3, $2, 'webhook', $5, true, false, false, 'pending', 0, $6, $7, $6 FROM raised
"""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint as it is read; its secret is not."""

    id: UUID
    compound_id: UUID
    name: str
    url: str
    kinds: Sequence[str]
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Secret:
    """The secret of an endpoint (签名密钥), shown this once."""

    webhook_id: UUID
    secret: str


def kinds() -> list[Kind]:
    """What an endpoint can be told."""
    return [kind for kind in registry() if kind is not TEST]


@command("webhook.list", caller="staff", permission=WEBHOOKS, audited=False)
async def webhooks(actor: Actor, *, compound_id: UUID) -> list[Webhook]:
    """The endpoints of a compound, the oldest first; for who manages all of it."""
    require_all_of(actor, WEBHOOKS, compound_id)
    return [Webhook(**row) for row in await database.fetch(LIST, compound_id)]


async def webhooks_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Webhook]:
    """Endpoints by id, those of compounds that the caller manages."""
    rows = await database.fetch(BY_IDS, ids, actor.reach(WEBHOOKS).compounds)
    return {row["id"]: Webhook(**row) for row in rows}


@command("webhook.register", caller="staff", permission=WEBHOOKS)
async def register_webhook(
    actor: Actor, *, compound_id: UUID, name: str, url: str, kinds: Collection[str]
) -> Secret:
    """Tell another system of these kinds from now on.

    Raises Conflict WEBHOOKS_TOO_MANY beyond 10, Invalid WEBHOOK_URL_INVALID, WEBHOOK_KINDS_EMPTY,
    KIND_UNKNOWN or a TEXT_ code.
    """
    id, secret = uuid7(), new_secret()
    concerns("Webhook", id, compound_id, kinds=sorted(kinds))
    require_all_of(actor, WEBHOOKS, compound_id)
    name, url = text.clean(name, max_length=_NAME_MAX, field="name"), _checked_url(url)
    await database.execute(TAKE_TURN, compound_id)
    if await WebhookEndpoint.filter(compound_id=compound_id).count() >= MOST_ENDPOINTS:
        raise Conflict("WEBHOOKS_TOO_MANY", f"每个小区最多 {MOST_ENDPOINTS} 个对接地址,请先移除不用的")
    await WebhookEndpoint.create(
        id=id, compound_id=compound_id, name=name, url=url, kinds=_checked_kinds(kinds), created_by=actor.account_id,
        secret_sealed=sealing.seal(secret, WEBHOOK_SECRET), created_at=clock.now(),
    )  # fmt: skip
    concerns("Webhook", id, compound_id, host=httpx.URL(url).host)
    return Secret(id, secret)


@command("webhook.rotate_secret", caller="staff", permission=WEBHOOKS)
async def rotate_webhook_secret(actor: Actor, *, webhook_id: UUID) -> Secret:
    """Sign with another secret from the next call on. Raises NotFound WEBHOOK_NOT_FOUND."""
    endpoint = await _endpoint(actor, webhook_id)
    secret = new_secret()
    endpoint.secret_sealed = sealing.seal(secret, WEBHOOK_SECRET)
    await endpoint.save(update_fields=["secret_sealed"])
    return Secret(webhook_id, secret)


@command("webhook.enable", caller="staff", permission=WEBHOOKS)
async def enable_webhook(actor: Actor, *, webhook_id: UUID) -> UUID:
    """Tell it again of what happens from now on. Raises NotFound WEBHOOK_NOT_FOUND."""
    endpoint = await _endpoint(actor, webhook_id)
    endpoint.disabled_at = None
    await endpoint.save(update_fields=["disabled_at"])
    return webhook_id


@command("webhook.disable", caller="staff", permission=WEBHOOKS)
async def disable_webhook(actor: Actor, *, webhook_id: UUID) -> UUID:
    """Tell it nothing more, also not what waits. Raises NotFound WEBHOOK_NOT_FOUND."""
    endpoint = await _endpoint(actor, webhook_id)
    if endpoint.disabled_at is None:
        endpoint.disabled_at = clock.now()
        await endpoint.save(update_fields=["disabled_at"])
        await database.execute(SUPPRESS, webhook_id, "WEBHOOK_DISABLED", clock.now())
    return webhook_id


@command("webhook.remove", caller="staff", permission=WEBHOOKS)
async def remove_webhook(actor: Actor, *, webhook_id: UUID) -> UUID:
    """Forget it, and what waits for it is not sent. Raises NotFound WEBHOOK_NOT_FOUND."""
    endpoint = await _endpoint(actor, webhook_id)
    await endpoint.delete()
    await database.execute(SUPPRESS, webhook_id, "WEBHOOK_REMOVED", clock.now())
    return webhook_id


@command("webhook.test", caller="staff", permission=WEBHOOKS)
async def test_webhook(actor: Actor, *, webhook_id: UUID) -> UUID:
    """Send it a notice `webhook.test` the way all others go; the delivery's id.

    Raises NotFound WEBHOOK_NOT_FOUND, Conflict WEBHOOK_DISABLED.
    """
    endpoint = await _endpoint(actor, webhook_id)
    if endpoint.disabled_at is not None:
        raise Conflict("WEBHOOK_DISABLED", "这个对接地址已停用,请先启用再测试", "webhook")
    id, now = uuid7(), clock.now()
    await database.execute(
        TRY, uuid7(), TEST.name, endpoint.compound_id, Urgency.NORMAL, webhook_id, now, now + TEST.worth, id
    )
    waking.after_commit(LANES[True])
    return id


async def _endpoint(actor: Actor, webhook_id: UUID) -> WebhookEndpoint:
    """An endpoint of a compound that the caller manages, until the end of the transaction nobody else's."""
    endpoint = await WebhookEndpoint.filter(pk=webhook_id).select_for_update().first()
    if endpoint is None:
        raise NotFound("WEBHOOK_NOT_FOUND", "没有找到这个对接地址,请刷新后重试", "webhook")
    concerns("Webhook", webhook_id, endpoint.compound_id, name=endpoint.name)
    require_all_of(actor, WEBHOOKS, endpoint.compound_id)
    return endpoint


def _checked_url(written: str) -> str:
    url = written.strip()
    if len(url) > _URL_MAX or not is_callable(url, reaches_private=outside().reaches_private):
        message = "地址须为对方公网的 https 地址,不含账号密码,最长 400 字,请检查后重填"
        raise Invalid("WEBHOOK_URL_INVALID", message, "url")
    return url


def _checked_kinds(wanted: Collection[str]) -> list[str]:
    if not wanted:
        raise Invalid("WEBHOOK_KINDS_EMPTY", "请至少选择一种消息", "kinds")
    known = [kind.name for kind in kinds()]
    if not set(wanted) <= set(known):
        raise Invalid("KIND_UNKNOWN", "没有这种消息,请刷新后重试", "kinds")
    return [name for name in known if name in wanted]
