"""Decisions of notifications, pure: which ways a notice goes, when, how often it is tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

from domains.kernel import clock
from domains.kernel.transitions import Machine
from notifications.kinds import Channel, Kind, Urgency

DELIVERY = Machine(
    "delivery",
    {
        "pending": frozenset({"sending", "suppressed", "expired", "dead"}),
        "sending": frozenset({"pending", "sent", "suppressed", "expired", "uncertain", "dead"}),
        "sent": frozenset(),
        "uncertain": frozenset({"pending", "sent"}),
        "suppressed": frozenset(),
        "expired": frozenset({"pending"}),
        "dead": frozenset({"pending"}),
    },
    required={"sending": frozenset({"lease_id", "leased_until"}), "sent": frozenset({"settled_at"})},
)
"""States of a delivery (投递状态). `uncertain`: it may or may not have arrived, and the platform cannot be
asked. `suppressed`: not sent on purpose. `expired`: not news any more. `dead`: given up."""

RESENDABLE = frozenset({"uncertain", "expired", "dead"})
MOST_ATTEMPTS = 10
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 900.0
NIGHT = (1320, 420)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Person:
    """What planning must know of a recipient.

    `channels` are those that have an address, `devices` the browsers that take Web Push, `wishes` what
    the person chose for the kind, `quiet` the minutes of the day between which nothing intrudes.
    """

    channels: frozenset[Channel] = frozenset()
    devices: Sequence[UUID] = ()
    wishes: Mapping[Channel, bool] = field(default_factory=dict)
    quiet: tuple[int, int] | None = NIGHT


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to be made."""

    channel: Channel
    due_at: datetime
    target_id: UUID | None = None
    is_digest: bool = False
    is_climb: bool = False
    suppressed: str | None = None


def plan(
    kind: Kind, urgency: Urgency, available: frozenset[Channel], person: Person, now: datetime
) -> list[Planned]:
    """How a notice reaches a person outside of the app: what is urgent by every channel at once and by
    the climbs after their time; all else by the channels the person wants, after the quiet hours.

    `available` are the channels this installation has for the kind.
    """
    reached = (person.channels | ({Channel.WEB_PUSH} if person.devices else frozenset())) & available
    if urgency is Urgency.URGENT:
        return [each for each in _urgent(kind, reached, now) for each in _to_devices(each, person)]
    wanted = [channel for channel in Channel if channel in reached and wants(kind, channel, person.wishes)]
    moment = due(kind, urgency, person.quiet, now)
    late = None if moment < now + kind.worth else "QUIET_HOURS"
    planned = [Planned(each, moment, is_digest=bool(kind.slots), suppressed=late) for each in wanted]
    return [each for one in planned for each in _to_devices(one, person)]


def _urgent(kind: Kind, reached: frozenset[Channel], now: datetime) -> Iterator[Planned]:
    climbs = {climb.channel: climb for climb in kind.climbs if climb.channel in reached}
    at_once = reached - set(climbs)
    for channel in Channel:
        if channel in at_once:
            yield Planned(channel, now)
        elif channel in climbs:
            # Whom nothing else reaches does not wait for somebody to read what was not sent.
            waits = climbs[channel].after if at_once else timedelta(0)
            yield Planned(channel, now + waits, is_climb=bool(at_once))


def _to_devices(planned: Planned, person: Person) -> Iterator[Planned]:
    if planned.channel is not Channel.WEB_PUSH:
        yield planned
        return
    for device in person.devices:
        yield Planned(
            planned.channel, planned.due_at, device, planned.is_digest, planned.is_climb, planned.suppressed
        )


def wants(kind: Kind, channel: Channel, wishes: Mapping[Channel, bool]) -> bool:
    """Whether a person wants the kind by the channel; a kind that is not optional comes as it is declared."""
    default = channel in kind.channels
    return wishes.get(channel, default) if kind.is_optional else default


def due(kind: Kind, urgency: Urgency, quiet: tuple[int, int] | None, now: datetime) -> datetime:
    """When it is sent: now, or with the next digest, and not within quiet hours unless it is high."""
    moment = next_slot(kind.slots, now) if kind.slots else now
    return moment if urgency in (Urgency.HIGH, Urgency.URGENT) else after_quiet(quiet, moment)


def next_slot(slots: Sequence[time], now: datetime) -> datetime:
    """The first of these times of the day in Asia/Shanghai after now, in UTC."""
    today = now.astimezone(clock.SHANGHAI)
    moments = [
        datetime.combine(today.date() + timedelta(days=days), slot, clock.SHANGHAI)
        for days in (0, 1) for slot in slots
    ]  # fmt: skip
    return min(each for each in moments if each > now).astimezone(now.tzinfo)


def after_quiet(quiet: tuple[int, int] | None, moment: datetime) -> datetime:
    """The moment, or the end of the quiet hours (免打扰) it falls into; they may span midnight. Equal
    bounds are no hours at all."""
    if quiet is None or quiet[0] == quiet[1]:
        return moment
    start, end = quiet
    local = moment.astimezone(clock.SHANGHAI)
    minute = local.hour * 60 + local.minute
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if not inside:
        return moment
    ahead = (end - minute) % 1440
    return (local.replace(second=0, microsecond=0) + ahead * _MINUTE).astimezone(moment.tzinfo)


def pause_s(attempt: int, *, roll: float | None = None) -> float:
    """Seconds before the next attempt: 2, 4, 8 … at most 900, of which half is by chance, so that what
    failed together does not come back together. `roll` in [0, 1) fixes the chance."""
    whole = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempt - 1))
    return whole / 2 + whole / 2 * (random.random() if roll is None else roll)  # noqa: S311  # no secret
