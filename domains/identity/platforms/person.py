"""Whom a platform vouches for, and what a person is told when it does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from domains.kernel.errors import Unavailable
from domains.platforms.calling import PlatformFailure

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlatformPerson:
    """Who a platform says is signing in. Of what it answers besides (a session key) nothing is kept."""

    platform: str
    app_id: str
    open_id: str
    union_id: str | None = None


@contextmanager
def answering() -> Iterator[None]:
    """For whoever signs in a call that failed is one thing: they may try again. Raises Unavailable
    PLATFORM_UNAVAILABLE."""
    try:
        yield
    except PlatformFailure as failure:
        raise unavailable(failure.platform, failure.reason) from None


def unavailable(platform: str, reason: str) -> Unavailable:
    """What a person is told; the reason is for the operator and holds no secret."""
    log.warning("platform.unavailable", platform=platform, reason=reason)
    return Unavailable("PLATFORM_UNAVAILABLE", "平台暂时没有响应,请稍后重试")
