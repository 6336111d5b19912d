"""Consents to single messages (一次性订阅): granted by a person in the mini-program, each spent by one send.

Who grants says what the platform's dialogue answered, and the platform has the last word: this ledger
only keeps two workers from spending what is one, and from asking where nothing is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command
from domains.kernel.errors import Conflict, Invalid
from domains.kernel.ids import uuid7
from notifications.inbox import language_of
from notifications.kinds import Channel, Kind
from notifications.notifying import templates
from notifications.preferences import all_wishes, kinds_for, wants

Platform = Literal[Channel.WECHAT, Channel.ALIPAY]

MOST_AT_ONCE = 3
"""As many templates as the dialogue of either platform shows at once."""

MOST_KEPT = 50

# Who grants on a platform takes turns at the contact, so that the bound holds.
CONTACT = "SELECT id FROM contact WHERE account_id = $1 AND channel = $2 FOR UPDATE"
HAS_CONTACT = "SELECT EXISTS (SELECT FROM contact WHERE account_id = $1 AND channel = $2)"

GRANT = """
INSERT INTO message_consent (id, account_id, channel, template_id, state, granted_at)
SELECT given.id, $3, $4, given.template_id, 'free', $5 FROM unnest($1::uuid[], $2::text[]) AS given (id, template_id)
"""

# Locked in one order: a worker may be voiding the same rows.
LET_GO = """
WITH kept AS (
    SELECT id, row_number() OVER (PARTITION BY template_id ORDER BY granted_at DESC, id DESC) AS place
    FROM message_consent WHERE account_id = $1 AND channel = $2 AND template_id = ANY($3) AND state = 'free'),
spare AS (
    SELECT id FROM message_consent WHERE id IN (SELECT id FROM kept WHERE place > $4) AND state = 'free'
    ORDER BY id FOR UPDATE)
UPDATE message_consent c SET state = 'void', settled_at = $5 FROM spare WHERE c.id = spare.id
"""

LEFT = """
SELECT template_id, count(*) AS left FROM message_consent WHERE account_id = $1 AND channel = $2 AND state = 'free'
GROUP BY template_id
"""

TAKE = """
WITH held AS (SELECT id FROM message_consent WHERE delivery_id = $4 AND state = 'held'),
taken AS (
    UPDATE message_consent SET state = 'held', delivery_id = $4 WHERE id = (
        SELECT id FROM message_consent WHERE account_id = $1 AND channel = $2 AND template_id = $3
            AND state = 'free' AND NOT EXISTS (SELECT FROM held)
        ORDER BY granted_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id)
SELECT EXISTS (SELECT FROM held UNION ALL SELECT FROM taken)
"""

SPEND = """
UPDATE message_consent SET state = 'spent', settled_at = $2 WHERE delivery_id = $1 AND state = 'held'
"""

GIVE_BACK = """
UPDATE message_consent SET state = 'free', delivery_id = NULL WHERE delivery_id = $1 AND state = 'held'
"""

VOID = """
WITH free AS (
    SELECT id FROM message_consent WHERE account_id = $1 AND channel = $2 AND template_id = $3 AND state = 'free'
    ORDER BY id FOR UPDATE)
UPDATE message_consent c SET state = 'void', settled_at = $4 FROM free WHERE c.id = free.id
"""


class Outcome(StrEnum):
    """What a person, or the platform, answered about a template."""

    ACCEPT = "accept"
    REJECT = "reject"
    BAN = "ban"
    """The platform closed the template."""
    FILTER = "filter"
    """The platform left it out: another of the same title was asked with it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer about one template."""

    template: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class SubscribeTemplate:
    """A template to ask for: what it is for, and how many consents are left of it."""

    template: str
    kind: str
    label: str
    purpose: str
    left: int


# Not audited: the rows are the ledger of it.
@command("notification.grant", caller="account", audited=False)
async def grant_subscribe_messages(
    actor: Actor, *, platform: Platform, results: Sequence[Answer], idempotency_key: UUID
) -> int:
    """Note what the platform's dialogue answered; the number of consents there are more of.

    What was not accepted changes nothing: consents given before stand on the platform as well. Raises
    Invalid TEMPLATES_TOO_MANY beyond 3, TEMPLATE_TWICE, TEMPLATE_UNKNOWN for one this installation does
    not have; Conflict PLATFORM_NOT_BOUND where the platform does not know the caller.
    """
    _check(platform, [each.template for each in results])
    if await database.fetchval(CONTACT, actor.id, platform) is None:
        raise Conflict("PLATFORM_NOT_BOUND", "请先用该平台登录,再订阅消息", "platform")
    accepted = [each.template for each in results if each.outcome is Outcome.ACCEPT]
    if accepted:
        ids, now = [uuid7() for _ in accepted], clock.now()
        await database.execute(GRANT, ids, accepted, actor.id, platform, now)
        # Consents are what the client says they are: without a bound anybody could fill the table. The
        # oldest go, for of those the platform is the least likely to know any more.
        await database.execute(LET_GO, actor.id, platform, accepted, MOST_KEPT, now)
    return len(accepted)


async def subscribe_templates(
    actor: Actor, platform: Platform, kinds: Collection[str] | None = None
) -> list[SubscribeTemplate]:
    """What to ask the caller for now, at most 3: templates of the kinds that are wanted by the channel,
    those with the fewest consents first; of these kinds where some are named. None for whom the platform
    does not know."""
    if not await database.fetchval(HAS_CONTACT, actor.id, platform):
        return []
    left = Counter(
        {row["template_id"]: row["left"] for row in await database.fetch(LEFT, actor.id, platform)}
    )
    chosen = await all_wishes(actor.id)
    meant = [kind for kind in kinds_for(actor) if kinds is None or kind.name in kinds]
    wanted = [kind for kind in meant if wants(kind, platform, chosen.get(kind.name, {}))]
    asked = [each for each in _templates(actor, wanted, platform, left) if each.left < MOST_KEPT]
    return sorted(asked, key=lambda each: each.left)[:MOST_AT_ONCE]


async def take(account_id: UUID, channel: Channel, template_id: str, delivery_id: UUID) -> bool:
    """Hold a consent for a delivery, in the open transaction; whether there was one. A delivery that
    holds one already goes on holding that."""
    return bool(await database.fetchval(TAKE, account_id, channel, template_id, delivery_id))


async def settle(delivery_id: UUID, *, spent: bool) -> None:
    """What a delivery holds is spent, or given back. Where it is not known whether the message went out
    it is spent: the platform may have taken it."""
    if spent:
        await database.execute(SPEND, delivery_id, clock.now())
    else:
        await database.execute(GIVE_BACK, delivery_id)


async def void(account_id: UUID, channel: Channel, template_id: str) -> int:
    """Forget the free consents to a template, of which the platform says that there are none (43101);
    their number. The delivery that was told so settles its own first."""
    return await database.execute(VOID, account_id, channel, template_id, clock.now())


def _check(platform: Platform, asked: Sequence[str]) -> None:
    if len(asked) > MOST_AT_ONCE:
        raise Invalid("TEMPLATES_TOO_MANY", f"一次最多订阅 {MOST_AT_ONCE} 种消息,请分次订阅", "results")
    if len(set(asked)) < len(asked):
        raise Invalid("TEMPLATE_TWICE", "同一种消息一次只能订阅一次,请去掉重复的", "results")
    known = set(templates().get(platform, {}).values())
    for place, template in enumerate(asked):
        if template not in known:
            raise Invalid("TEMPLATE_UNKNOWN", "没有这种订阅消息,请刷新后重试", f"results.{place}.template")


def _templates(
    actor: Actor, wanted: Iterable[Kind], platform: Platform, left: Mapping[str, int]
) -> Iterable[SubscribeTemplate]:
    language, ids = language_of(actor), templates().get(platform, {})
    found = {
        ids[kind.name]: SubscribeTemplate(
            ids[kind.name], kind.name, kind.label.of(language), kind.purpose.of(language), left[ids[kind.name]]
        )
        for kind in wanted if kind.name in ids
    }  # fmt: skip
    return found.values()
