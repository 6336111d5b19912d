"""`linli outbox …`: what was not delivered, and delivering it again."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.running import in_instance

app = typer.Typer(no_args_is_help=True, help="Events that were not delivered.")


@app.command("list")
def list_parked(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most that many.")] = 100,
) -> None:
    """Show the backlog and the messages that were given up, oldest first."""
    from domains.kernel import outbox

    async def work() -> None:
        backlog = await outbox.backlog()
        print(f"待投递 {backlog.pending} 条,最早已等待 {backlog.oldest_s:.0f} 秒;已搁置 {backlog.parked} 条")
        for each in await outbox.parked(limit):
            reason = (each.error or "").partition("\n")[0]
            print(f"{each.id}\t{each.event}\t{each.subject}\t{each.recorded_at:%Y-%m-%d %H:%M}\t{reason}")

    in_instance(work)


@app.command()
def retry(
    ids: Annotated[list[int] | None, typer.Argument(help="Messages, as `list` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every message that was given up.")] = False,
) -> None:
    """Take messages up again; the later ones of their subjects follow in order."""
    from domains.kernel import outbox

    if everything == bool(ids):
        raise typer.BadParameter("请给出消息编号,或使用 --all 重试全部")

    async def work() -> None:
        if everything:
            print(f"已重新投递 {await outbox.retry_all()} 条")
        for each in ids or ():
            print(f"{each} 已重新投递" if await outbox.retry(each) else f"{each} 不是已搁置的消息,未处理")

    in_instance(work)
