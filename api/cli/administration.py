"""`linli create-compound` and `linli create-staff`: what has to be there before anybody can sign in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.cli.running import in_instance


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("create-compound")(create_compound)
    app.command("create-staff")(create_staff)


def create_compound(
    name: Annotated[str, typer.Argument(help="Name of the compound.")],
    company: Annotated[str, typer.Option(help="The property company.")],
    region: Annotated[str, typer.Option(help="Province/city/district/street/committee, separated by /.")],
    code: Annotated[str, typer.Option(help="What residents scan; made if not given.")] = "",
) -> None:
    """Create a compound under its neighbourhood committee."""

    async def work() -> None:
        from domains.estate.service.organisation import found_compound
        from domains.kernel import database
        from domains.kernel.actor import SYSTEM

        names = region.split("/")
        made = await found_compound(
            SYSTEM, region_names=names, company=company, name=name, code=code.strip().upper() or None
        )
        print(name, await database.fetchval("SELECT code FROM compound WHERE id = $1", made))

    in_instance(work)


def create_staff(
    login: Annotated[str, typer.Argument(help="Login name.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    company: Annotated[str, typer.Option(help="The property company.")],
) -> None:
    """Create an administrator of a company; prints a password that must be changed at first sign-in.
    The first member of staff of an installation also runs it; see `linli staff operator`.

    A password given on standard input (`echo … | linli create-staff …`) is kept as it is.
    """
    given = None if sys.stdin.isatty() else sys.stdin.readline().strip() or None

    async def work() -> None:
        from api.wiring import PERMISSIONS
        from domains.identity.service.founding import found_staff
        from domains.kernel.actor import SYSTEM

        made = await found_staff(
            SYSTEM, company=company, login=login, name=name, permissions=tuple(PERMISSIONS), password=given,
            first_operates=True,
        )  # fmt: skip
        print(login if given else f"{login} {made.temporary_password}")

    in_instance(work)
