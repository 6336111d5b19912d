"""Registers from the upload to the last row, over HTTP."""

from __future__ import annotations

import itertools
import time

import orjson

from api.demo.register import demo_register, demo_sheets
from api.demo.workbook import Sheet, xlsx
from tests.bench.caller import Caller
from tests.bench.documents import IMPORT
from tests.bench.figures import Figures
from tests.journeys.instance import REPOSITORY

GOAL_HOUSES, GOAL_S = 5000, 10.0
_ROOM_COLUMNS = ("楼栋", "单元", "房号")


def measure(figures: Figures, manager: Caller, large: float) -> None:
    """A company's own of 612 houses, which names owners only, and the demo's in sizes, with everybody who
    lives there; `large` is what the largest took."""
    kept = REPOSITORY / "tests" / "data" / "registers" / "register-jingui.xlsx"
    for houses, data in (
        (612, kept.read_bytes()),
        (1200, demo_register()),
        (GOAL_HOUSES, register_of(GOAL_HOUSES)),
    ):
        manager.post("/bench/shares")
        seconds = import_register(manager, manager.post("/bench/compounds"), data)
        is_goal = houses == GOAL_HOUSES
        goal, holds = (f"≤ {GOAL_S:.0f} s", seconds <= GOAL_S) if is_goal else ("", None)
        figures.add(f"{houses:,} houses", f"{seconds:.2f} s ({_shares(manager, seconds)})", goal, holds)
    figures.add("12,000 houses", f"{large:.2f} s")


_PARTS = {"read_register": "read", "stage": "seal", "write": "write"}


def _shares(manager: Caller, seconds: float) -> str:
    parts = manager.post("/bench/shares")
    return ", ".join(f"{shown} {parts[name] / seconds:.0%}" for name, shown in _PARTS.items())


def import_register(manager: Caller, compound: str, data: bytes) -> float:
    """Upload and apply; seconds from the first byte sent to the answer."""
    started = time.perf_counter()
    body, kind = _multipart({"input": {"compoundId": compound, "apply": True, "file": None}}, data)
    headers = {"content-type": kind, "apollo-require-preflight": "true"}
    response = manager.request("POST", "/graphql", body, headers)
    answer = orjson.loads(response.read())
    seconds = time.perf_counter() - started
    assert answer["data"]["importHouses"]["import"]["state"] == "applied", answer
    return seconds


def _multipart(variables: object, data: bytes) -> tuple[bytes, str]:
    """The GraphQL multipart request specification's three parts."""
    boundary = "linli-bench-boundary"
    operations = orjson.dumps({"query": IMPORT, "variables": variables})
    parts = (
        (b'name="operations"', operations),
        (b'name="map"', b'{"0": ["variables.input.file"]}'),
        (b'name="0"; filename="register.xlsx"', data),
    )
    lines = (
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (boundary.encode(), *part)
        for part in parts
    )
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def register_of(houses: int) -> bytes:
    """The demo's register, so many houses of it with everybody and everything that belongs to them."""
    buildings, homes, people, vehicles = demo_sheets(scale=-(-houses // 1200))
    kept = Sheet(homes.title, homes.header, homes.rows[:houses])
    rooms = set(_rooms(kept))
    return xlsx([buildings, kept, *(_of(sheet, rooms) for sheet in (people, vehicles))])


def _of(sheet: Sheet, rooms: set[tuple[object, ...]]) -> Sheet:
    return Sheet(
        sheet.title,
        sheet.header,
        list(itertools.compress(sheet.rows, (room in rooms for room in _rooms(sheet)))),
    )


def _rooms(sheet: Sheet) -> list[tuple[object, ...]]:
    places = [list(sheet.header).index(column) for column in _ROOM_COLUMNS]
    return [tuple(row[place] for place in places) for row in sheet.rows]
