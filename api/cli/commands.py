"""What an operator types: `linli …`, which is `python -m api.cli …`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from api.addresses import Addresses
from api.cli import administration, deliveries, doctor, jobs, outbox, staff
from api.cli.running import announce, in_instance, load_settings, run
from api.settings import REPOSITORY, Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="邻里 Linli"
)
app.add_typer(outbox.app, name="outbox")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(jobs.app, name="jobs")
app.add_typer(staff.app, name="staff")
administration.register(app)
doctor.register(app)


@app.command()
def serve() -> None:
    """API, worker and scheduler in one process, with private servers where none are set."""
    _serve_all(load_settings(), demo=False)


@app.command()
def demo() -> None:
    """Load the demo compound through the importer and serve it."""
    _serve_all(load_settings(), demo=True)


def _serve_all(settings: Settings, *, demo: bool) -> None:
    async def main() -> None:
        from api.processes import listen, prepared, until_stopped

        listening = listen(settings)
        stand_ins = settings.profile == "embedded"
        async with prepared(settings, platform=stand_ins, program="api.serving") as addresses:
            from api.observability import logs
            from api.serving import serve_all

            logs.configure(settings)
            if demo:
                await _load_demo(settings, addresses)
            ready = asyncio.Event()
            telling = asyncio.create_task(announce(ready, lambda: _welcome(settings, addresses, demo)))
            await until_stopped(lambda stop: serve_all(settings, addresses, ready, stop, [listening]))
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    run(main())


async def _load_demo(settings: Settings, addresses: Addresses) -> None:
    from api.demo.loading import fill_inboxes, load_demo
    from api.demo.showing import introduce_people, show_demo
    from api.demo.standing import stand

    await load_demo()
    await fill_inboxes(addresses)
    show_demo(addresses, await stand(addresses.platform_url))
    if addresses.platform_url:
        introduce_people(settings.home)


def _welcome(settings: Settings, addresses: Addresses, demo: bool) -> str:
    if not demo:
        return f"邻里 Linli  {settings.url}"
    from api.demo.loading import welcome

    return welcome(settings, addresses)


@app.command()
def api() -> None:
    """The API alone."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import listen, prepared, until_stopped

        listening = listen(settings)
        stand_ins = settings.profile == "embedded"
        async with prepared(settings, platform=stand_ins, program="api.serving") as addresses:
            from api.observability import logs
            from api.serving import serve_api

            logs.configure(settings)
            ready = asyncio.Event()
            telling = asyncio.create_task(announce(ready, lambda: _welcome(settings, addresses, False)))
            await until_stopped(lambda stop: serve_api(settings, ready, stop, [listening]))
            telling.cancel()

    run(main())


@app.command()
def worker() -> None:
    """Deliver events."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped

        async with prepared(settings, program="api.delivering"):
            from api.delivering import work
            from api.observability import logs

            logs.configure(settings)
            await until_stopped(work)

    run(main())


@app.command()
def scheduler() -> None:
    """Run scheduled jobs; of several processes one leads."""
    settings = load_settings()

    async def main() -> None:
        from api.processes import prepared, until_stopped

        async with prepared(settings, program="api.delivering") as addresses:
            from api.delivering import schedule
            from api.observability import logs

            logs.configure(settings)
            await until_stopped(lambda stop: schedule(addresses, stop))

    run(main())


@app.command()
def migrate() -> None:
    """Bring the database up to date; safe to run from several machines at once."""
    settings = load_settings()

    async def main() -> None:
        from api.addresses import servers
        from api.migrating import migrate as bring_up_to_date
        from api.processes import CannotStart
        from api.reaching import database_at

        if settings.profile == "production" and settings.database_owner_url is None:
            raise CannotStart("请设置 DATABASE_OWNER_URL:数据表属于另一个角色,应用的角色不能执行迁移")
        async with servers(settings) as addresses:
            async with database_at(addresses.owner_url, "DATABASE_OWNER_URL"):
                pass
            applied = await bring_up_to_date(addresses.owner_url, addresses.app_url)
            print("\n".join(applied) or "数据库已是最新")

    run(main())


@app.command("export-schema")
def export_schema(
    write: Annotated[
        bool, typer.Option("--write", help="Write schema.graphql and the tables in docs/.")
    ] = False,
) -> None:
    """Print the GraphQL schema."""
    from api import message_templates
    from schema import catalogue
    from schema.root import schema

    text = schema.as_str() + "\n"
    if write:
        (REPOSITORY / "schema.graphql").write_text(text, encoding="utf-8")
        (REPOSITORY / "docs" / "errors.md").write_text(catalogue.as_markdown(), encoding="utf-8")
        (REPOSITORY / "docs" / "notifications.md").write_text(
            message_templates.as_markdown(), encoding="utf-8"
        )
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
        print(f"审计日志完整,共 {verdict.seals} 个封条,最后一个的摘要为 {verdict.last_hash.hex()}")

    in_instance(work)


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

    in_instance(work)
