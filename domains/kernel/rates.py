"""Rate limits (限流), counted in Valkey by one script, so that every process counts together.

The generic cell rate algorithm: a limit keeps one number per key, the instant at which all that
was taken will be earned again. Time is the server's own, in whole microseconds, which doubles
hold exactly; a script runs alone, so a race cannot let one too many through.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# KEYS: one per take. ARGV: interval, capacity (both µs) and cost of each.
# The first pass decides, the second writes: either every take counts or none does.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored, earned, refused, retry = {}, {}, 0, 0
for i, key in ipairs(KEYS) do
  local interval, capacity = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  if not stored[key] then
    stored[key] = math.max(tonumber(redis.call('GET', key) or 0), now)
    earned[key] = stored[key]
  end
  local after = earned[key] + interval * tonumber(ARGV[3 * i])
  local wait = after - capacity - now
  if wait <= 0 then
    earned[key] = after
  elseif wait > retry then
    refused, retry = i, wait
  end
end
local counted = refused == 0 and earned or stored
local reset, remaining = 0, nil
for i, key in ipairs(KEYS) do
  local interval, ahead = tonumber(ARGV[3 * i - 2]), counted[key] - now
  local left = math.max(0, math.floor((tonumber(ARGV[3 * i - 1]) - ahead) / interval))
  remaining, reset = math.min(remaining or left, left), math.max(reset, ahead)
  if refused == 0 then
    redis.call('SET', key, string.format('%.0f', earned[key]), 'PX', math.ceil(ahead / 1000))
  end
end
return {refused, remaining, reset, retry}
"""
_US = 1_000_000
_RETRY_WHEN_DOWN_S = 5.0


class WhenDown(StrEnum):
    """What a limit answers while Valkey does not."""

    OPEN = "open"
    """Allow: the limit protects capacity, and service matters more (API traffic)."""
    CLOSED = "closed"
    """Refuse: the limit protects a secret or costs money (sign-in codes, SMS)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`per_period` takes each `period_s` seconds, of which `burst` may come at once.

    For "five an hour and not one more" burst equals per_period. ValueError when a number is not
    positive.
    """

    name: str
    per_period: int
    period_s: float
    burst: int
    when_down: WhenDown

    def __post_init__(self) -> None:
        if min(self.per_period, self.period_s, self.burst) <= 0:
            raise ValueError("a rate limit needs positive numbers")

    @property
    def interval_us(self) -> int:
        """Microseconds in which one take is earned again, rounded up so that the rate is never exceeded."""
        return math.ceil(self.period_s * _US / self.per_period)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a take is allowed, and what to tell the caller. With several limits: the strictest.

    `remaining` takes are left now; after `reset_after_s` seconds everything is earned again;
    `retry_after_s` is 0 when allowed. `refused_by` names the limit that lets the caller wait longest.
    """

    allowed: bool
    remaining: int
    reset_after_s: float
    retry_after_s: float
    refused_by: str | None = None


Take = tuple[RateLimit, str, int]


def network_of(ip: str) -> str:
    """Whom an address is counted as: an IPv6 customer has a whole /64 to call from."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or int(address) >> 64)
    return ip


class Limiter:
    """Takes from limits. The client should have short timeouts; `patience_s` bounds a take in any case."""

    def __init__(self, redis: Redis, *, patience_s: float = 0.5) -> None:
        self._redis = redis
        self._script = redis.register_script(_SCRIPT)
        self._patience_s = patience_s
        self._down = False

    async def take(self, limit: RateLimit, key: str, cost: int = 1) -> Verdict:
        """Take `cost` from the limit of `key`, an opaque name: a blind index rather than a phone number."""
        return await self.take_all([(limit, key, cost)])

    async def take_all(self, takes: Sequence[Take]) -> Verdict:
        """Take from every limit or, when one refuses, from none.

        ValueError when there is none, or when a cost is below 1 or beyond its burst (it could never be met).
        """
        if not takes or any(not 1 <= cost <= limit.burst for limit, _, cost in takes):
            raise ValueError("a take costs at least 1 and at most the burst of its limit")
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._run(takes)
        except (RedisError, OSError) as error:
            return self._without_valkey(takes, error)
        self._counted()
        return _verdict(takes, answer)

    async def take_each(self, takes: Sequence[Take]) -> list[Verdict]:
        """Take from each limit by itself, in their order and in one round trip: what one refuses the others
        still give. ValueError as `take_all`."""
        if any(not 1 <= cost <= limit.burst for limit, _, cost in takes):
            raise ValueError("a take costs at least 1 and at most the burst of its limit")
        try:
            async with asyncio.timeout(self._patience_s), self._redis.pipeline(transaction=False) as pipe:
                for take in takes:
                    await self._script(*_arguments([take]), client=pipe)
                answers = await pipe.execute()
        except (RedisError, OSError) as error:
            return [self._without_valkey([take], error) for take in takes]
        self._counted()
        return [_verdict([take], answer) for take, answer in zip(takes, answers, strict=True)]

    async def _run(self, takes: Sequence[Take]) -> list[int]:
        # The client is typed for its synchronous twin as well; this one always awaits.
        return await cast(Awaitable[list[int]], self._script(*_arguments(takes)))

    def _counted(self) -> None:
        if self._down:
            self._down = False
            log.info("rate_limits_counted_again")

    def _without_valkey(self, takes: Sequence[Take], error: Exception) -> Verdict:
        # Once per outage: a line per request would be a flood of its own.
        if not self._down:
            self._down = True
            log.warning("rate_limits_not_counted", error=type(error).__name__)
        closed = next((limit.name for limit, _, _ in takes if limit.when_down is WhenDown.CLOSED), None)
        if closed is None:
            return Verdict(True, remaining=0, reset_after_s=0.0, retry_after_s=0.0)
        return Verdict(False, 0, _RETRY_WHEN_DOWN_S, _RETRY_WHEN_DOWN_S, closed)


def _arguments(takes: Sequence[Take]) -> tuple[list[str], list[int]]:
    numbers = [
        number
        for limit, _, cost in takes
        for number in (limit.interval_us, limit.interval_us * limit.burst, cost)
    ]
    return [f"rate:{limit.name}:{key}" for limit, key, _ in takes], numbers


def _verdict(takes: Sequence[Take], answer: list[int]) -> Verdict:
    refused, remaining, reset_us, retry_us = answer
    return Verdict(
        allowed=not refused,
        remaining=remaining,
        reset_after_s=reset_us / _US,
        retry_after_s=retry_us / _US,
        refused_by=takes[refused - 1][0].name if refused else None,
    )
