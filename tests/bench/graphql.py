"""What GraphQL costs on top of a hand-written route, and where."""

from __future__ import annotations

import itertools
from statistics import median

from schema.limits.bounds import Limits
from schema.limits.documents import Documents
from schema.root import schema
from tests.bench.caller import Caller, per_second
from tests.bench.documents import HOUSES
from tests.bench.figures import Figures
from tests.bench.paired import Side, cpu_ratio, microseconds, take_turns, wall_ratio


async def measure(figures: Figures, manager: Caller, compound: str) -> None:
    """The houses page of the demo compound, 50 houses of it."""
    variables = {"id": compound, "first": 50}
    await compare(figures, manager, "houses page", HOUSES, "/bench/houses", variables)
    await _documents(figures, manager, variables)
    await _middleware(figures, manager)


async def compare(
    figures: Figures, caller: Caller, name: str, document: str, route: str, variables: dict[str, object]
) -> None:
    """An operation against its hand-written twin, which must say the same."""
    query, plain = {"query": document, "variables": variables}, {"variables": variables}
    said, wanted = caller.post("/graphql", query), caller.post(route, plain)
    assert said["data"] == wanted["data"], (said, wanted)
    sides = (caller.side("/graphql", query), caller.side(route, plain))
    ours, theirs = await take_turns(sides, rounds=7, times=60)
    figures.add(f"{name}: GraphQL", str(ours))
    figures.add(f"{name}: hand-written", str(theirs))
    speed = f"{1 / wall_ratio(ours, theirs):.2f} of its speed, {1 / cpu_ratio(ours, theirs):.2f} by CPU"
    figures.add(f"{name}: GraphQL beside hand-written", speed)
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(3):
        rates[0].append(per_second(caller.port, caller.token, "/graphql", query))
        rates[1].append(per_second(caller.port, caller.token, route, plain))
    both = " beside ".join(f"{median(each):.0f}" for each in rates)
    figures.add(f"{name}: requests a second, six callers", both)


async def _documents(figures: Figures, manager: Caller, variables: dict[str, object]) -> None:
    """A document is parsed, validated and priced once: what the first request pays and no other."""
    known = manager.side("/graphql", {"query": HOUSES, "variables": variables})
    numbers = itertools.count()

    async def unseen() -> None:
        text = HOUSES.replace("query Houses", f"query Houses{next(numbers)}")
        manager.post("/graphql", {"query": text, "variables": variables})

    first, later = await take_turns([Side(unseen, manager.server_cpu), known], rounds=5, times=30)
    documents = Documents(schema._schema, Limits())
    lookup_us = await microseconds(lambda: documents.prepare(HOUSES))
    share = 1 - 1 / cpu_ratio(first, later)
    figures.add("parse and validate, share of a document's first request", f"{share:.0%} ({first})")
    later_share = lookup_us / later.cpu_ms / 1000
    figures.add(
        "the same, share of every later request",
        f"{later_share:.1%} ({lookup_us:.1f} µs)",
        "0",
        later_share < 0.01,
    )


async def _middleware(figures: Figures, caller: Caller) -> None:
    sides = [_reading(caller, path) for path in ("/health", "/bench/health")]
    whole, bare = await take_turns(sides, rounds=9, times=150)
    extra = (whole.cpu_ms - bare.cpu_ms) * 1000
    figures.add(
        "middleware and routing around a route",
        f"{extra:.0f} µs of CPU ({cpu_ratio(whole, bare):.2f} × the bare route)",
    )


def _reading(caller: Caller, path: str) -> Side:
    async def work() -> None:
        caller.get(path)

    return Side(work, caller.server_cpu)
