"""The cost budget over a real Valkey."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from redis.asyncio import Redis

from api.graphql.budget import LimiterBudget
from domains.kernel.rates import Limiter, RateLimit, WhenDown
from schema.context import Context
from tests.api.edge.clients import client, codes
from tests.conftest import TestServers


def budget(redis: Redis, burst: int) -> LimiterBudget:
    limit = RateLimit(f"test-{uuid4().hex}", per_period=1, period_s=10, burst=burst, when_down=WhenDown.OPEN)
    return LimiterBudget(Limiter(redis), limit)


async def test_requests_at_once_cannot_spend_more_than_there_is(servers: TestServers) -> None:
    async with Redis.from_url(servers.redis_url) as redis:
        purse = budget(redis, burst=1_200)
        async with client(budget=purse) as http:
            sent = (http.post("/graphql", json={"query": "{ expensive }"}) for _ in range(10))
            answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200, 200, *[429] * 8]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert codes(refused.json()) == ["THROTTLED"]
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 1_200


async def test_each_caller_has_a_bucket(servers: TestServers) -> None:
    async with Redis.from_url(servers.redis_url) as redis:
        purse = budget(redis, burst=10)
        one, other = Context(budget_key="one"), Context(budget_key="other")
        assert (await purse.take(one, 10)).allowed
        assert not (await purse.take(one, 1)).allowed
        assert (await purse.take(other, 1)).available == 9


async def test_an_operation_dearer_than_the_bucket_runs_from_a_full_one(servers: TestServers) -> None:
    async with Redis.from_url(servers.redis_url) as redis:
        purse = budget(redis, burst=10)
        first, second = [await purse.take(Context(budget_key="one"), 500) for _ in range(2)]
    assert (first.allowed, first.available) == (True, 0)
    assert not second.allowed
    assert second.retry_after_s > 60
