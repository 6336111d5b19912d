"""`linli staff …`: what only the command line gives to a member of staff."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.running import in_instance

app = typer.Typer(no_args_is_help=True, help="Staff accounts: who runs the installation.")


@app.callback()
def staff() -> None:
    """Staff accounts."""


@app.command()
def operator(
    login: Annotated[str, typer.Option(help="Login name.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it back.")] = False,
) -> None:
    """Let a member of staff run the installation: scheduled jobs, and alarms about them."""

    async def work() -> None:
        from domains.identity.queries import operators
        from domains.identity.service.operators import set_operator
        from domains.kernel.actor import SYSTEM

        await set_operator(SYSTEM, login=login, is_operator=not revoke)
        left = len(await operators())
        print(f"{login} {'不再是' if revoke else '已是'}系统运维人员;现有 {left} 位")

    in_instance(work)
