"""A random walk over payments: two processes that answer, one that asks, both platforms' stand-ins, and everything that
goes wrong, kills among it. In the end of every stretch our books are the platforms' own.

WALK_STEPS and WALK_SEED set how far and which way: 10,000 steps, the default, take some two minutes of two cores. They are
walked in stretches of some hundred, each by a seed of its own, so that one that fails can be walked alone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count
from typing import Final

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from api.instance import Addresses, running
from api.platforms import notify_path
from api.settings import Settings
from tests.factories.programs import free_port
from tests.faults.conftest import Nursery
from tests.faults.walk import Walk
from tests.faults.walk_end import End
from tests.faults.walk_town import PERSON, Town
from tests.unit.stand_ins.merchant import openid
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running

STEPS: Final = int(os.environ.get("WALK_STEPS", "10000"))
SEED: Final = int(os.environ.get("WALK_SEED", "1"))
RULES: Final = 600
LONG: Final = 10 * RULES
STRETCH: Final = hypothesis_settings(
    # The first is the simplest there is, in which nothing happens, the second is drawn.
    max_examples=2,
    stateful_step_count=RULES,
    # Processes are not the same twice: a shorter walk that fails would tell of another moment, and a kept one of none.
    phases=[Phase.generate],
    database=None,
    deadline=None,
    print_blob=False,
    # A stretch is long and slow by intention.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, given: dict[str, str]) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    with stand_running(settings.home / "platform", speed_up=24_000) as started:
        yield started


@pytest.fixture(scope="module")
def walkers() -> Iterator[Nursery]:
    nursery = Nursery("tests.faults.walking")
    yield nursery
    nursery.close()


@pytest.fixture
async def town(
    settings: Settings, addresses: Addresses, stand: Stand, walkers: Nursery
) -> AsyncIterator[Town]:
    """The processes run, and the platforms reach the first of them or the second, whoever began the payment."""
    url = str(stand.http.base_url).rstrip("/")
    async with (
        running(settings, replace(addresses, platform_url=url)) as keys,
        # A connection is not kept for as long as the platforms keep it: it would be used while they close it.
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=2), timeout=aiohttp.ClientTimeout(60)
        ) as http,
    ):
        assert stand.open("alipay/login", person=PERSON)["auth_code"]
        [[alipay]] = stand.books("SELECT alipay_open_id FROM people WHERE name = ?", PERSON)
        made = Town(
            walkers, http, url, (str(settings.home), addresses.app_url, addresses.redis_url, url),
            (free_port(), free_port()), {name: notify_path(name, keys.file_link) for name in ("alipay", "wechat")},
            {"alipay": alipay, "wechat": openid(stand, PERSON)},
        )  # fmt: skip
        made.start()
        yield made


async def test_our_books_are_the_platforms_own(town: Town, stand: Stand) -> None:
    end = End(town, stand)
    await asyncio.to_thread(walk, end)
    paid = await end.require_truth()
    if town.done > LONG:  # in a short one nobody may have had the chance
        assert paid > town.done // 20, "hardly anybody paid"
        assert town.kills, "nobody was killed"


def walk(end: End) -> None:
    """One stretch after the other, each with a seed of its own."""
    machine = type("Walk", (Walk,), {"end": end})
    for number in count(SEED):
        try:
            run_state_machine_as_test(seed(number)(machine), settings=STRETCH)
        except BaseException as failure:
            end.town.run(end.town.abandon())
            failure.add_note(f"The same stretch once more: WALK_SEED={number} WALK_STEPS=1")
            raise
        if end.town.done >= STEPS:
            return
