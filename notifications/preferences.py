"""What a person wants to be told by which way (消息偏好), and when nothing may intrude (免打扰)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Invalid
from domains.kernel.ids import uuid7
from notifications import rules
from notifications.inbox import language_of
from notifications.kinds import Channel, Kind, Text, Urgency, registry
from notifications.notifying import channels_for

CHANNEL_LABELS: Mapping[Channel, Text] = {
    Channel.WECHAT: Text("微信", "WeChat"),
    Channel.ALIPAY: Text("支付宝", "Alipay"),
    Channel.WEB_PUSH: Text("浏览器推送", "Browser"),
    Channel.SMS: Text("短信", "SMS"),
    Channel.VOICE: Text("语音电话", "Phone call"),
}
"""The channels that reach a person."""

OWN = """
SELECT coalesce(r.is_quiet_at_night, true) AS is_quiet, coalesce(r.quiet_from, $2) AS quiet_from,
    coalesce(r.quiet_until, $3) AS quiet_until,
    (SELECT array_agg(c.channel) FROM contact c WHERE c.account_id = $1) AS contacts,
    EXISTS (SELECT FROM push_subscription s WHERE s.account_id = $1) AS has_device
FROM (VALUES ($1::uuid)) AS me (id) LEFT JOIN recipient r ON r.account_id = me.id
"""

WISHES = "SELECT kind, channel, is_on FROM notification_preference WHERE account_id = $1"

WISH = """
INSERT INTO notification_preference (id, account_id, kind, channel, is_on, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, kind, channel) DO UPDATE SET is_on = EXCLUDED.is_on, updated_at = EXCLUDED.updated_at
"""

SET_QUIET = """
INSERT INTO recipient AS r (account_id, language, is_quiet_at_night, quiet_from, quiet_until, updated_at)
VALUES ($1, $2, $3, coalesce($4::smallint, $6), coalesce($5::smallint, $7), $8)
ON CONFLICT (account_id) DO UPDATE SET is_quiet_at_night = $3, quiet_from = coalesce($4, r.quiet_from),
    quiet_until = coalesce($5, r.quiet_until), updated_at = $8
RETURNING quiet_from, quiet_until
"""

_CLOCK_TIME = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing intrudes; times of the day in Asia/Shanghai, "22:00", the end not included."""

    is_on: bool
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class ChannelWish:
    """A way a kind can come. `is_reachable`: this installation can send by it, and has an address."""

    channel: Channel
    label: str
    is_on: bool
    is_default: bool
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class KindWishes:
    """A kind of notices and the ways it comes."""

    kind: str
    label: str
    purpose: str
    urgency: Urgency
    is_optional: bool
    channels: tuple[ChannelWish, ...]


@dataclass(frozen=True, slots=True)
class Preferences:
    """All that a person may choose."""

    quiet_hours: QuietHours
    kinds: tuple[KindWishes, ...]


@dataclass(frozen=True, slots=True)
class _Own:
    quiet_hours: QuietHours
    channels: frozenset[Channel]
    wishes: Mapping[str, Mapping[Channel, bool]] = field(default_factory=dict)


async def preferences(actor: Actor) -> Preferences:
    """The caller's quiet hours, and of every kind that can reach this sort of account the ways it comes."""
    own = await _own(actor)
    return Preferences(own.quiet_hours, tuple(_wishes(actor, kind, own) for kind in kinds_for(actor)))


async def all_wishes(account_id: UUID) -> Mapping[str, Mapping[Channel, bool]]:
    """What an account chose, by name of the kind; what is not there is as the kind declares it."""
    chosen: defaultdict[str, dict[Channel, bool]] = defaultdict(dict)
    for row in await database.fetch(WISHES, account_id):
        if row["channel"] in CHANNEL_LABELS:
            chosen[row["kind"]][Channel(row["channel"])] = row["is_on"]
    return chosen


def kinds_for(actor: Actor) -> Iterator[Kind]:
    """The kinds that can reach this sort of account."""
    return (kind for kind in registry() if actor.kind in kind.audience)


def is_optional(kind: Kind) -> bool:
    """Whether a person may turn a channel off; what is urgent comes by all of them."""
    return kind.is_optional and kind.urgency is not Urgency.URGENT


def ways(kind: Kind) -> list[Channel]:
    """The channels by which a kind can reach a person at all, here or in another installation."""
    installed = channels_for(kind)
    return [each for each in CHANNEL_LABELS if each in installed or kind.keywords(each)]


@command("notification.set_preference", caller="account")
async def set_preference(actor: Actor, *, kind: str, channel: Channel, is_on: bool) -> KindWishes:
    """Have a kind come by a channel, or not; what is already on its way and not sent yet does not go out.

    Raises Invalid KIND_UNKNOWN (also for a kind that is not for this sort of account), KIND_NOT_OPTIONAL,
    CHANNEL_NOT_OFFERED for a way that the kind can never come.
    """
    known = next((each for each in kinds_for(actor) if each.name == kind), None)
    if known is None:
        raise Invalid("KIND_UNKNOWN", "没有这种消息,请刷新后重试", "kind")
    if not is_optional(known):
        raise Invalid("KIND_NOT_OPTIONAL", "这类消息涉及安全或您的权益,不能关闭", "kind")
    if channel not in ways(known):
        raise Invalid("CHANNEL_NOT_OFFERED", "这类消息不通过该渠道发送,请选择其他渠道", "channel")
    concerns("Account", actor.id, None, kind=kind, channel=channel, is_on=is_on)
    await database.execute(WISH, uuid7(), actor.id, kind, channel, is_on, clock.now())
    return _wishes(actor, known, await _own(actor))


@command("notification.set_quiet_hours", caller="account")
async def set_quiet_hours(
    actor: Actor, *, is_on: bool, starts: str | None = None, ends: str | None = None
) -> QuietHours:
    """Set the caller's quiet hours; a time that is left out stays, until then 22:00 to 07:00.

    Raises Invalid TIME_INVALID for what is no "22:00", QUIET_HOURS_EMPTY for equal bounds.
    """
    bounds = _minutes(starts, "from"), _minutes(ends, "until")
    row = await database.fetchrow(
        SET_QUIET, actor.id, language_of(actor), is_on, *bounds, *rules.NIGHT, clock.now()
    )
    assert row is not None, "an upsert returns its row"
    if row["quiet_from"] == row["quiet_until"]:
        raise Invalid("QUIET_HOURS_EMPTY", "开始与结束时间不能相同,请重新选择", "until")
    hours = QuietHours(is_on, _clock_time(row["quiet_from"]), _clock_time(row["quiet_until"]))
    concerns("Account", actor.id, None, is_on=is_on, starts=hours.starts, ends=hours.ends)
    return hours


async def _own(actor: Actor) -> _Own:
    row = await database.fetchrow(OWN, actor.id, *rules.NIGHT)
    assert row is not None, "there is a row for any account"
    reached = {each for each in Channel if each in (row["contacts"] or ())}
    if Channel.SMS in reached:
        reached.add(Channel.VOICE)
    if row["has_device"]:
        reached.add(Channel.WEB_PUSH)
    hours = QuietHours(row["is_quiet"], _clock_time(row["quiet_from"]), _clock_time(row["quiet_until"]))
    return _Own(hours, frozenset(reached), await all_wishes(actor.id))


def _wishes(actor: Actor, kind: Kind, own: _Own) -> KindWishes:
    language = language_of(actor)
    chosen, reached = own.wishes.get(kind.name, {}), own.channels & channels_for(kind)
    channels = tuple(
        ChannelWish(
            each, CHANNEL_LABELS[each].of(language), wants(kind, each, chosen), wants(kind, each, {}), each in reached
        )
        for each in ways(kind)
    )  # fmt: skip
    label, purpose = kind.label.of(language), kind.purpose.of(language)
    return KindWishes(kind.name, label, purpose, kind.urgency, is_optional(kind), channels)


def wants(kind: Kind, channel: Channel, wishes: Mapping[Channel, bool]) -> bool:
    """Whether a kind comes by a channel: what is urgent always, all else as it was chosen or declared."""
    return kind.urgency is Urgency.URGENT or rules.wants(kind, channel, wishes)


def _minutes(written: str | None, name: str) -> int | None:
    if written is None:
        return None
    found = _CLOCK_TIME.fullmatch(written)
    if found is None:
        raise Invalid("TIME_INVALID", "时间格式不正确,请按 22:00 的格式填写", name)
    return int(found["hour"]) * 60 + int(found["minute"])


def _clock_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
