"""Start and stop as whoever runs `make demo` meets them, and what the program holds of memory."""

from __future__ import annotations

from api.demo.loading import PASSWORD
from tests.bench.caller import Caller
from tests.bench.documents import BUILDINGS, COMPOUNDS, HOUSES, ME, SIGN_IN_STAFF
from tests.bench.figures import Figures
from tests.bench.processes import Program

SECOND_START_S = 3.0
MEMORY_MIB = 150.0
REQUESTS = 2000


def first_start(figures: Figures, program: Program) -> None:
    """After the program has stopped."""
    figures.add(
        "first start on an empty home, with 1,200 houses imported, to ready", f"{program.ready_s:.2f} s"
    )
    figures.add("stop, servers and all", f"{program.stop_s:.2f} s")


def second_start(figures: Figures, program: Program) -> None:
    """While the program runs."""
    holds = program.ready_s <= SECOND_START_S
    figures.add("second start to ready", f"{program.ready_s:.2f} s", f"≤ {SECOND_START_S:.0f} s", holds)


def memory(figures: Figures, program: Program) -> None:
    """Of the one process that is API, worker and scheduler, before and after it was used."""
    _add_memory(figures, "memory after the start", program)
    staff = [_signed_in(program, login) for login in ("manager", "reception")]
    compound = staff[0].ask(COMPOUNDS)["compounds"][0]["id"]
    for number in range(REQUESTS // 4):
        caller = staff[number % len(staff)]
        caller.ask(ME)
        caller.ask(COMPOUNDS)
        caller.ask(BUILDINGS, id=compound)
        caller.ask(HOUSES, id=compound, first=5)
    _add_memory(figures, f"memory after {REQUESTS:,} requests", program)


def _signed_in(program: Program, login: str) -> Caller:
    input = {"login": login, "password": PASSWORD, "device": "bench"}
    signed = Caller(program.port).ask(SIGN_IN_STAFF, input=input)["signInStaff"]
    return Caller(program.port, signed["credentials"]["accessToken"])


def _add_memory(figures: Figures, name: str, program: Program) -> None:
    rss, pss = program.memory_mib()
    figures.add(name, f"RSS {rss:.0f} MiB, PSS {pss:.0f} MiB", f"≤ {MEMORY_MIB:.0f} MiB", rss <= MEMORY_MIB)
