"""`linli deliveries …`: messages that did not go out, one in full, and sending again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from api.cli.running import in_instance

app = typer.Typer(no_args_is_help=True, help="Messages by the platforms: what did not go out, resend.")

STATES = {
    "pending": "待发送", "sending": "发送中", "sent": "已发送", "uncertain": "结果不明", "suppressed": "未发送",
    "expired": "已过期", "dead": "投递失败",
}  # fmt: skip
TROUBLE = ("dead", "uncertain", "expired")


@app.command("list")
def list_trouble(
    state: Annotated[
        list[str] | None, typer.Option(help="dead, uncertain, expired, suppressed, sent.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most that many.")] = 50,
) -> None:
    """Show deliveries that were given up, may not have arrived or expired, the last ones first."""
    if unknown := set(state or ()) - (set(STATES) - {"pending", "sending"}):
        raise typer.BadParameter(f"没有这种状态:{'、'.join(sorted(unknown))}")

    async def work() -> None:
        from notifications.deliveries import queries

        found = await queries.trouble(state or TROUBLE, limit)
        for each in found:
            when = f"{each.settled_at or each.created_at:%Y-%m-%d %H:%M}"
            print(
                "\t".join(
                    (str(each.id), when, STATES[each.state], each.channel, each.kind, each.reason or "")
                )
            )
        if not found:
            print("没有这样的投递")

    in_instance(work)


@app.command()
def show(id: Annotated[UUID, typer.Argument(help="The delivery, as `list` shows it.")]) -> None:
    """Show a delivery and every try of it."""

    async def work() -> None:
        from domains.kernel.actor import SYSTEM
        from notifications.deliveries import queries

        each = await queries.delivery(SYSTEM, delivery_id=id)
        print(
            f"{each.kind}\t{each.channel}\t{STATES[each.state]}\t{each.reason or ''}\t{each.platform_id or ''}"
        )
        print(f"应发 {each.due_at:%Y-%m-%d %H:%M:%S}\t失效 {each.expires_at:%Y-%m-%d %H:%M:%S}")
        for one in (await queries.attempts(SYSTEM, [id])).get(id, []):
            took = (one.ended_at - one.began_at).total_seconds()
            print(
                f"{one.number}\t{one.began_at:%Y-%m-%d %H:%M:%S}\t{took:.1f} 秒\t{one.outcome}\t{one.code}\t{one.detail}"
            )

    in_instance(work)


@app.command()
def resend(ids: Annotated[list[UUID], typer.Argument(help="Deliveries, as `list` shows them.")]) -> None:
    """Send deliveries again; one whose outcome was unknown may arrive twice."""

    async def work() -> None:
        from domains.kernel.actor import SYSTEM
        from domains.kernel.errors import DomainError
        from notifications.deliveries.service import resend_delivery

        refused = 0
        for id in ids:
            try:
                await resend_delivery(SYSTEM, delivery_id=id)
                print(f"{id} 已重新投递")
            except DomainError as error:
                refused += 1
                print(f"{id} {error.message}({error.code})")
        if refused:
            raise typer.Exit(1)

    in_instance(work)
