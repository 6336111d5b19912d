"""The first day: a register goes in, staff sign in, the compound is there, a stranger sees nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.journeys.client import Client
from tests.journeys.instance import REPOSITORY, Instance, linli
from tests.journeys.steps import Steps

PASSWORD = "Journey-2026-first"
REGION = "浙江省/杭州市/沐湖区/桂湾街道/桂语社区"
REGISTERS = REPOSITORY / "tests" / "data" / "registers"

IMPORT = """
mutation Import($input: ImportHousesInput!) { importHouses(input: $input) {
  import { id state errorCount errors { row column code message } counts { name count }
           sheets { name kind columns { letter header field } } }
  errors { code message } } }
"""

HOUSES = """
query Houses($id: ID!, $after: String) { compound(id: $id) { name houses(first: 20, after: $after) {
  totalCount edges { node { id number builtAreaM2 building { name } } }
  pageInfo { hasNextPage endCursor } } } }
"""


def prepare(home: Path, port: int) -> None:
    """What an operator does before anybody signs in."""
    for name, code, company, login in (
        ("金桂苑", "JGYJGY22", "桂语物业", "manager"),
        ("银杏苑", "YXYYXY22", "银杏物业", "neighbour"),
    ):
        linli(home, port, "create-compound", name, "--company", company, "--region", REGION, "--code", code)
        linli(
            home, port, "create-staff", login, "--name", f"{name}经理", "--company", company, stdin=PASSWORD
        )


def compound_of(client: Client) -> str:
    """The id of the one compound the caller works in."""
    (compound,) = client.ask("query Mine { compounds { id name } }")["compounds"]
    return str(compound["id"])


def import_register(client: Client, compound: str, name: str, *, apply: bool) -> Any:
    """Upload a register as the importer's page does."""
    variables: dict[str, object] = {"input": {"compoundId": compound, "apply": apply, "file": None}}
    data = client.upload(IMPORT, variables, "variables.input.file", name, (REGISTERS / name).read_bytes())
    return data["importHouses"]


def play(instance: Instance, steps: Steps) -> None:
    """The steps in order; each asserts what it claims."""
    manager, neighbour, nobody = (Client(instance.url) for _ in range(3))
    with steps.step("员工登录 staff sign in"):
        manager.sign_in_staff("manager", PASSWORD)
        neighbour.sign_in_staff("neighbour", PASSWORD)
        compound = compound_of(manager)
    with steps.step("有错的台账整份拒绝 a defective register is refused whole"):
        refused = import_register(manager, compound, "register-defects.xlsx", apply=True)["import"]
        assert refused["state"] == "refused" and refused["errorCount"] >= 9, refused
        assert manager.ask(HOUSES, id=compound)["compound"]["houses"]["totalCount"] == 0
    with steps.step("612 户台账导入 a register of 612 houses is imported"):
        done = import_register(manager, compound, "register-jingui.xlsx", apply=True)["import"]
        assert (done["state"], done["errorCount"]) == ("applied", 0), done
    with steps.step("分页读到每一户 every house is read, page by page"):
        assert read_all(manager, compound) == 612
    with steps.step("他人与外人看不到 another compound's staff and a stranger see nothing"):
        assert neighbour.codes(HOUSES, id=compound) == ["FORBIDDEN"]
        assert nobody.codes(HOUSES, id=compound) == ["UNAUTHENTICATED"]


def read_all(client: Client, compound: str) -> int:
    """The number of different houses over all pages."""
    seen: set[str] = set()
    after = None
    while True:
        page = client.ask(HOUSES, id=compound, after=after)["compound"]["houses"]
        assert page["totalCount"] == 612
        seen |= {edge["node"]["id"] for edge in page["edges"]}
        if not page["pageInfo"]["hasNextPage"]:
            return len(seen)
        after = page["pageInfo"]["endCursor"]
