"""Decisions about a delivery in a worker's hand, pure: whether it is sent at all, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications import rules
from notifications.channels.port import Aftermath, Outcome, Refused, Sent, TryAgain, Unknown
from notifications.kinds import Channel, Kind, Language, Urgency, Written

UNTEMPLATED = frozenset({Channel.WEB_PUSH, Channel.WEBHOOK})
_FOR_A_NEWER_PROGRAM = timedelta(minutes=1)
_FOR_WHO_HOLDS_IT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a delivery goes from `sending`, why, and when it is due if it is to be sent later."""

    state: str
    reason: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a due delivery when it is taken up. `wish` is what the person chose for the kind
    by the channel, `quiet` the minutes of the day in which nothing intrudes, `unread` how many a digest
    stands for."""

    kind: Kind | None
    channel: Channel
    urgency: Urgency
    expires_at: datetime
    is_climb: bool = False
    is_digest: bool = False
    is_closed: bool = False
    is_read: bool = False
    is_read_by_anyone: bool = False
    wish: bool | None = None
    quiet: tuple[int, int] | None = None
    unread: int = 0
    has_sender: bool = True
    has_template: bool = True
    has_address: bool = True


def hindrance(facts: Facts, now: datetime) -> Move | None:
    """Why a due delivery is not sent now; None where nothing is in its way.

    A kind that this program does not know waits for a newer one until it is no news any more.
    """
    kind = facts.kind
    if facts.expires_at <= now:
        return Move("expired", "EXPIRED")
    if kind is None:
        return Move("pending", "UNKNOWN_KIND", now + _FOR_A_NEWER_PROGRAM)
    reasons = (
        (not facts.has_sender, Move("dead", "CHANNEL_NOT_SET_UP")),
        (not facts.has_template, Move("dead", "TEMPLATE_NOT_SET")),
        (facts.is_closed, Move("suppressed", "ACCOUNT_CLOSED")),
        (_is_turned_off(facts, kind), Move("suppressed", "TURNED_OFF")),
        (_is_read(facts, kind), Move("suppressed", "READ")),
        (not facts.has_address, Move("suppressed", "NO_ADDRESS")),
    )
    return next((move for stands, move in reasons if stands), None) or _until_morning(facts, now)


def _until_morning(facts: Facts, now: datetime) -> Move | None:
    """Planned for the day, and due at night because it was tried again, or nobody was there to send it."""
    morning = rules.after_quiet(facts.quiet, now)
    if morning == now or facts.urgency in (Urgency.HIGH, Urgency.URGENT):
        return None
    if morning < facts.expires_at:
        return Move("pending", "QUIET_HOURS", morning)
    return Move("suppressed", "QUIET_HOURS")


def _is_turned_off(facts: Facts, kind: Kind) -> bool:
    if facts.urgency is Urgency.URGENT or facts.wish is None:
        return False
    return not rules.wants(kind, facts.channel, {facts.channel: facts.wish})


def _is_read(facts: Facts, kind: Kind) -> bool:
    if facts.is_digest:
        return facts.unread == 0
    climbs_for_all = any(each.anyone for each in kind.climbs if each.channel is facts.channel)
    return facts.is_climb and (facts.is_read or (climbs_for_all and facts.is_read_by_anyone))


def throttle(kind: Kind, urgency: Urgency) -> timedelta | None:
    """The least time between two of a kind; what is urgent is never held back for having been said."""
    return None if urgency is Urgency.URGENT else kind.throttle


def throttled(was_sent: bool, now: datetime) -> Move:
    """One of the kind was sent too shortly before, or is being sent: that one may fail."""
    if was_sent:
        return Move("suppressed", "THROTTLED")
    return Move("pending", "THROTTLE_HELD", now + _FOR_WHO_HOLDS_IT)


NOT_SENT = frozenset({"suppressed", "expired", "dead"})
NO_CONSENT = Move("suppressed", "NO_CONSENT")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a delivery's next step depends on besides what the platform said."""

    attempt: int
    is_repeatable: bool
    is_urgent: bool
    expires_at: datetime


def judge(outcome: Outcome, was_sent: bool | None, terms: Terms, now: datetime) -> Move:
    """What follows from an attempt. `was_sent` is what the platform answered when it was asked about an
    unknown outcome.

    Of unknown outcome, what cannot be repeated is left `uncertain`; but what is urgent is sent again:
    twice is better than never.
    """
    match outcome:
        case Sent():
            return Move("sent")
        case Refused(aftermath=Aftermath.NO_CONSENT):
            return NO_CONSENT
        case Refused(code=code):
            return Move("dead", code)
        case TryAgain(code=code, after_s=after_s):
            return _again(code, after_s, "dead", terms, now)
        case Unknown(code=code):
            return _of_unknown(code, was_sent, terms, now)


def _of_unknown(code: str, was_sent: bool | None, terms: Terms, now: datetime) -> Move:
    if was_sent:
        return Move("sent", code)
    if was_sent is False:
        return _again(code, None, "dead", terms, now)
    if terms.is_repeatable or terms.is_urgent:
        return _again(code, None, "uncertain", terms, now)
    return Move("uncertain", code)


def _again(code: str, after_s: float | None, given_up: str, terms: Terms, now: datetime) -> Move:
    if terms.attempt >= rules.MOST_ATTEMPTS:
        return Move(given_up, code)
    wait_s = rules.pause_s(terms.attempt) if after_s is None else max(after_s, 0.0)
    due_at = now + timedelta(seconds=wait_s)
    if due_at < terms.expires_at:
        return Move("pending", code, due_at)
    return Move("uncertain" if given_up == "uncertain" else "expired", code)


def digest_words(kind: Kind, unread: int, newest: Written, language: Language) -> Written:
    """What a digest (摘要) says: one notice itself; of several their number and the newest one's title."""
    if unread < 2:
        return newest
    label = kind.label.of(language)
    number = f"{unread} new messages" if language == "en" else f"{unread} 条新消息"
    return Written(f"{label}: {number}", newest.title)
