"""What an operator types: `linli …`, which is `python -m api.cli …`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from api.settings import REPOSITORY, Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="邻里 Linli"
)


def load_settings() -> Settings:
    """The settings, or what is wrong with them, in words."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"{'.'.join(str(part) for part in problem['loc'])} {problem['msg']}", file=sys.stderr)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, None]) -> None:  # Any: a coroutine's other two types are asyncio's
    """Run an asynchronous command to its end; a refusal is a message, not a trace."""
    import uvloop

    from api.servers.errors import ServersError
    from domains.kernel.errors import DomainError

    try:
        uvloop.run(work)
    except DomainError as error:
        print(f"{error.message}({error.code})", file=sys.stderr)
        raise typer.Exit(1) from None
    except ServersError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _in_instance(work: Callable[[], Awaitable[None]], *, platform: bool = False) -> None:
    """Run work in a prepared instance."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared

        async with prepared(settings, platform=platform):
            await work()

    run(main())


@app.command()
def serve() -> None:
    """API, worker and scheduler in one process, with private servers where none are set."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped
        from api.serving import serve_all

        async with prepared(settings, platform=settings.profile == "embedded") as addresses:
            ready = _announced(settings)
            await until_stopped(lambda stop: serve_all(settings, addresses, ready, stop))

    run(main())


def _announced(settings: Settings) -> asyncio.Event:
    ready = asyncio.Event()

    async def announce() -> None:
        await ready.wait()
        print(f"邻里 Linli  {settings.url}", flush=True)

    _background.add(task := asyncio.get_running_loop().create_task(announce()))
    task.add_done_callback(_background.discard)
    return ready


_background: set[asyncio.Task[None]] = set()


@app.command()
def api() -> None:
    """The API alone."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped
        from api.serving import serve_api

        async with prepared(settings):
            ready = _announced(settings)
            await until_stopped(lambda stop: serve_api(settings, ready, stop))

    run(main())


@app.command()
def worker() -> None:
    """Deliver events."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped
        from api.serving import work

        async with prepared(settings):
            await until_stopped(work)

    run(main())


@app.command()
def scheduler() -> None:
    """Run scheduled jobs; of several processes one leads."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped
        from api.serving import schedule

        async with prepared(settings) as addresses:
            await until_stopped(lambda stop: schedule(addresses, stop))

    run(main())


@app.command()
def migrate() -> None:
    """Bring the database up to date; safe to run from several machines at once."""
    settings = load_settings()

    async def main() -> None:
        from api.instance import servers
        from api.migrating import migrate as bring_up_to_date

        async with servers(settings) as addresses:
            for name in await bring_up_to_date(addresses.owner_url, addresses.app_url):
                print(name)

    run(main())


@app.command("export-schema")
def export_schema(
    write: Annotated[bool, typer.Option("--write", help="Write docs/schema.graphql.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from schema.root import schema

    text = schema.as_str() + "\n"
    if write:
        (REPOSITORY / "schema.graphql").write_text(text, encoding="utf-8")
    else:
        print(text, end="")


@app.command("verify-audit")
def verify_audit() -> None:
    """Recompute the seals of the audit; exits 1 where the chain is broken."""

    async def work() -> None:
        from domains.kernel import audit

        verdict = await audit.verify()
        if verdict.broken_at is not None:
            print(f"审计日志在第 {verdict.broken_at} 个封条处被改动")
            raise typer.Exit(1)
        print(f"审计日志完整,共 {verdict.seals} 个封条")

    _in_instance(work)


@app.command()
def demo() -> None:
    """Load the demo compound through the importer and serve it."""
    settings = load_settings()

    async def main() -> None:
        from api.demo.loading import load_demo, print_welcome
        from api.processes import prepared, until_stopped
        from api.serving import serve_all

        async with prepared(settings, platform=True) as addresses:
            await load_demo()
            ready = asyncio.Event()
            _background.add(task := asyncio.create_task(print_welcome(settings, addresses, ready)))
            task.add_done_callback(_background.discard)
            await until_stopped(lambda stop: serve_all(settings, addresses, ready, stop))

    run(main())


@app.command("create-compound")
def create_compound(
    name: Annotated[str, typer.Argument(help="Name of the compound.")],
    company: Annotated[str, typer.Option(help="The property company.")],
    region: Annotated[str, typer.Option(help="Province/city/district/street/committee, separated by /.")],
    code: Annotated[str, typer.Option(help="What residents scan; made if not given.")] = "",
) -> None:
    """Create a compound under its neighbourhood committee."""

    async def work() -> None:
        from domains.estate.service.organisation import found_compound
        from domains.kernel.actor import SYSTEM

        names = region.split("/")
        await found_compound(SYSTEM, region_names=names, company=company, name=name, code=code or None)
        print(f"{name} {code}".strip())

    _in_instance(work)


@app.command("create-staff")
def create_staff(
    login: Annotated[str, typer.Argument(help="Login name.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    company: Annotated[str, typer.Option(help="The property company.")],
) -> None:
    """Create an administrator of a company; prints a password that must be changed at first sign-in.

    A password given on standard input (`echo … | linli create-staff …`) is kept as it is.
    """
    given = None if sys.stdin.isatty() else sys.stdin.readline().strip() or None

    async def work() -> None:
        from api.wiring import PERMISSIONS
        from domains.identity.service.founding import found_staff
        from domains.kernel.actor import SYSTEM

        made = await found_staff(
            SYSTEM, company=company, login=login, name=name, permissions=tuple(PERMISSIONS), password=given
        )
        print(login if given else f"{login} {made.temporary_password}")

    _in_instance(work)


@app.command("import-houses")
def import_houses(
    compound: Annotated[str, typer.Argument(help="The compound's code.")],
    file: Annotated[Path, typer.Argument(help="The register, .xlsx.", exists=True, dir_okay=False)],
    check: Annotated[bool, typer.Option("--check", help="Say what would happen and change nothing.")] = False,
) -> None:
    """Import a register: all of it or nothing."""

    async def work() -> None:
        from api.cli.importing import import_file

        await import_file(compound, file, apply=not check)

    _in_instance(work)
