"""The resident's home screen, on the demo's register and on one of ten times as many houses."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.caller import Caller
from tests.bench.documents import AUDIT_LOG, HOME, HOUSES, REGISTRATIONS, RESIDENTS
from tests.bench.figures import Figures
from tests.bench.graphql import compare
from tests.bench.importing import import_register
from tests.bench.paired import cpu_ratio, take_turns, wall_ratio

MOST_FOR_TEN_TIMES = 1.15


@dataclass(frozen=True, slots=True)
class Cast:
    """Who calls a bench server, and about which compound."""

    manager: Caller
    owner: Caller
    compound: str


def cast_of(port: int, register: bytes | None = None) -> Cast:
    """The people of a bench server, whose register is imported first where one is given."""
    nobody = Caller(port)
    if register is not None:
        staff = nobody.post("/bench/staff")
        import_register(Caller(port, staff["manager"]), staff["compound"], register)
    staff = nobody.post("/bench/staff")
    owner = nobody.post("/bench/owner")
    nobody.post("/bench/settle")
    return Cast(Caller(port, staff["manager"]), Caller(port, owner), staff["compound"])


async def measure(figures: Figures, demo: Cast, ten: Cast) -> None:
    """The home query by itself, against hand-written, and against ten times the data."""
    await compare(figures, demo.owner, "home screen", HOME, "/bench/home", {})
    for name, other in (("home screen", HOME),):
        await _ten_times(figures, name, demo.owner, ten.owner, other)
    _statements(figures, demo)


async def _ten_times(figures: Figures, name: str, demo: Caller, ten: Caller, document: str) -> None:
    body = {"query": document}
    small, large = await take_turns(
        [demo.side("/graphql", body), ten.side("/graphql", body)], rounds=9, times=60
    )
    ratio = wall_ratio(large, small)
    goal = f"≤ {MOST_FOR_TEN_TIMES}"
    figures.add(
        f"{name}: 12,000 houses beside 1,200", f"{ratio:.2f} × ({large})", goal, ratio <= MOST_FOR_TEN_TIMES
    )
    figures.add(f"{name}: the same by CPU", f"{cpu_ratio(large, small):.2f} ×")


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
