"""`make bench`: measures everything against private instances and writes docs/figures.md."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from pathlib import Path

import structlog
import uvloop

from api.demo.register import demo_register
from api.processes import prepared
from api.servers.state import read_state
from api.settings import Settings
from tests.bench import (
    alarms,
    billing,
    doors,
    gates,
    graphql,
    home,
    importing,
    kernel,
    live,
    miniprogram,
    notifications,
    payments,
    signing_in,
    starting,
)
from tests.bench.figures import Figures
from tests.bench.processes import launched
from tests.journeys.instance import REPOSITORY, free_port, fresh

SCALE = 10
GIVEN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PORT")


def main() -> int:
    """Measure, print, write; what cannot be measured ends it."""
    started, figures = time.monotonic(), Figures()
    for name in [*os.environ]:
        if name in GIVEN or name.startswith("LINLI_"):
            del os.environ[name]  # what is measured is private
    homes = [fresh(REPOSITORY / ".linli" / "bench" / name) for name in ("demo", "ten", "gates", "live")]
    uvloop.run(_measure(figures, *homes))
    for measured in homes:
        shutil.rmtree(measured)  # some hundred megabytes; where a run fails its logs are in there
    figures.write(REPOSITORY / "docs" / "figures.md")
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


async def _measure(figures: Figures, small: Path, large: Path, gated: Path, alone: Path) -> None:
    await _as_anybody_runs_it(figures, small)
    ten = "tests.bench.server", str(SCALE)
    with launched(large, free_port(), *ten) as program:
        large_s = home.fill(program.port, demo_register(scale=SCALE))
    figures.section("Home screen and lists")
    with launched(small, free_port(), "tests.bench.server", "1") as program:
        cast = home.cast_of(program.port)
        with launched(large, free_port(), *ten) as other:
            await home.measure(figures, cast, home.cast_of(other.port))
        figures.section("GraphQL")
        await graphql.measure(figures, cast.manager, cast.compound)
        figures.section("Import, from the upload to the last row")
        importing.measure(figures, cast.manager, large_s)
    figures.section("Kernel")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    async with prepared(Settings(home=small)) as addresses:
        await kernel.measure(figures)
        figures.section("Messages")
        await notifications.measure(figures, addresses.app_url)
        figures.section("Doors")
        await doors.measure(figures, small / "broker")
        figures.section("Alarms")
        await alarms.measure(figures)
        figures.section("Payments")
        await payments.measure(figures)
        figures.section("Billing")
        await billing.measure(figures, addresses)
    figures.section("Gates")
    await gates.measure(figures, gated)
    figures.section("Live updates")
    await live.measure(figures, alone)


async def _as_anybody_runs_it(figures: Figures, home: Path) -> None:
    figures.section("Start, stop, memory")
    with launched(home, free_port(), "api.cli", "demo") as first:
        pass
    starting.first_start(figures, first)
    with launched(home, free_port(), "api.cli", "demo") as second:
        starting.second_start(figures, second)
        starting.memory(figures, second)
        platform = read_state(home / "children" / "platform")
        assert platform is not None, "the stand-ins run beside the demo"
        figures.section("Sign-in")
        stand_ins = f"http://127.0.0.1:{platform.port}"
        await signing_in.measure(figures, second, stand_ins)
        figures.section("Mini-program in a browser, on fast 3G and a CPU of a quarter")
        await miniprogram.measure(figures, second.url, stand_ins)


if __name__ == "__main__":
    sys.exit(main())
