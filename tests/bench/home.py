"""The resident's home screen, on the demo's register and on one of ten times as many houses."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.caller import Caller
from tests.bench.documents import AUDIT_LOG, HOME, HOUSES, REGISTRATIONS, RESIDENTS
from tests.bench.figures import Figures
from tests.bench.graphql import compare
from tests.bench.importing import import_register
from tests.bench.paired import Side, cpu_ratio, take_turns, wall_ratio

MOST_FOR_TEN_TIMES = 1.15


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls a bench server, and about which compound."""

    manager: Caller
    owner: Caller
    compound: str


def fill(port: int, register: bytes) -> float:
    """Import the register into the bench server's compound; seconds it took."""
    staff = Caller(port).post("/bench/staff")
    return import_register(Caller(port, staff["manager"]), staff["compound"], register)


def cast_of(port: int) -> Cast:
    """The people of a bench server."""
    nobody = Caller(port)
    owner = nobody.post("/bench/owner")
    nobody.post("/bench/settle")
    staff = nobody.post("/bench/staff")
    return Cast(Caller(port, staff["manager"]), Caller(port, owner), staff["compound"])


async def measure(figures: Figures, demo: Cast, ten: Cast) -> None:
    """The home query by itself, against hand-written, and against ten times the data."""
    await compare(figures, demo.owner, "home screen", HOME, "/bench/home", {})
    small, large = await take_turns(
        [each.owner.side("/graphql", {"query": HOME}) for each in (demo, ten)], rounds=9, times=60
    )
    ratio, by_cpu = wall_ratio(large, small), cpu_ratio(large, small)
    goal, holds = f"≤ {MOST_FOR_TEN_TIMES} ×", ratio <= MOST_FOR_TEN_TIMES
    figures.add("home screen: ten times the data", f"{ratio:.2f} ×, by CPU {by_cpu:.2f} ×", goal, holds)
    small, large = await take_turns([_houses(each) for each in (demo, ten)], rounds=5, times=30)
    figures.add("houses page, counted: ten times the data", f"{wall_ratio(large, small):.2f} ×")
    _statements(figures, demo)


def _houses(cast: Cast) -> Side:
    return cast.manager.side("/graphql", {"query": HOUSES, "variables": {"id": cast.compound, "first": 50}})


def _statements(figures: Figures, cast: Cast) -> None:
    """From the token to the answer: two to five of them tell who calls and what they may."""
    manager, compound = cast.manager, cast.compound
    counts = {
        "home screen": cast.owner.statements(HOME),
        "houses page": manager.statements(HOUSES, id=compound, first=50),
        "residents search": manager.statements(RESIDENTS, id=compound),
        "registrations": manager.statements(REGISTRATIONS, id=compound),
        "audit log": manager.statements(AUDIT_LOG, id=compound),
        "who calls, alone": manager.statements("query Nothing { __typename }"),
    }
    for name, count in counts.items():
        figures.add(f"statements, {name}", str(count))
