"""What platforms have in common when they do not take a parcel."""

from __future__ import annotations

from datetime import timedelta

from domains.kernel import clock
from domains.platforms.calling import NotSent, PlatformFailure
from notifications.channels.port import Outcome, TryAgain, Unknown


def unanswered(failure: PlatformFailure) -> Outcome:
    """A call without a usable answer: to be tried again only if it certainly did nothing."""
    if isinstance(failure, NotSent):
        return TryAgain("NOT_SENT", failure.reason)
    return Unknown("NO_ANSWER", failure.reason)


def until_tomorrow_s() -> float:
    """Seconds until midnight in Beijing, when daily quotas begin anew."""
    now = clock.now()
    _, end = clock.business_day_bounds(clock.business_date(now))
    return (end - now) / timedelta(seconds=1)
