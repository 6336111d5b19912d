"""The processes of a walk over payments: two that answer, one that asks the channels; each may be killed at any moment.

What is called over HTTP below /walk is the same services that the product's own commands call.
"""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

# What is imported when it is needed is imported here once, and not by every process that is started again.
import alipay.aop.api.request.AlipayTradeCreateRequest
import alipay.aop.api.request.AlipayTradePrecreateRequest  # noqa: F401
import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import gateway_notices
from api.instance import Addresses, running
from api.observability.metrics import Metrics
from api.settings import Settings
from domains.kernel import clock, database
from domains.kernel.actor import Actor, Grant
from domains.kernel.errors import DomainError
from domains.kernel.ids import uuid7
from payments import permissions
from payments.gateways import Product
from payments.service import asking, orders, payables
from payments.service.orders import NewItem, NewOrder
from payments.service.refund_requests import (
    RefundPart,
    decide_refund,
    keep_refund,
    request_refund,
    retry_refund,
)
from payments.service.results import Results
from payments.service.watching import cancel_payment, confirm_payment_hint
from tests.factories.ledger import payable as new_payable
from tests.faults.worker import main

Told = Mapping[str, Any]  # Any: JSON

ORDER = """
SELECT o.id::text AS order, a.id::text AS attempt, a.out_trade_no AS number, a.channel, a.product, a.state,
    a.client_parameters::text AS parameters
FROM payment_attempt a JOIN payment_order o ON o.id = a.order_id WHERE a.id = $1
"""
PASS_TIME = (
    "UPDATE payment_order SET expires_at = now() - interval '3 minutes' WHERE id = $1 AND state = 'open'",
    "UPDATE payable SET held_until = now() - interval '1 minute' WHERE held_by = $1",
)


async def begin(
    *, compound: str, house: str, payable: str, channel: str, product: Product, buyer: str
) -> Told:
    """Begin to pay what is left of a bill, unless somebody else is paying it."""
    order_id, gateway = uuid7(), orders.gateway_for(channel, product)
    async with database.transaction():
        state = await payables.lock_one(UUID(payable))
        if state.is_held or not state.outstanding_fen:
            return {}
        await payables.hold([state.id], orders.held_until(), order_id)
        items = [NewItem(state.outstanding_fen, state.id)]
        new = NewOrder(order_id, UUID(compound), UUID(house), "物业缴费", items, uuid4())
        await orders.open_order(new)
        attempt = await orders.try_by(order_id, new.amount_fen, gateway, product, buyer)
    return await _prepared(attempt)


async def owe(*, compound: str, fen: int, **how: Any) -> Told:  # Any: as it is begun
    """A house owes so much, and begins to pay it."""
    house = uuid4()
    payable = str(await new_payable(UUID(compound), house, fen))
    told = await begin(compound=compound, house=str(house), payable=payable, **how)
    return {**told, "house": str(house), "payable": payable}


async def another(*, order: str, channel: str, product: Product, buyer: str) -> Told:
    """Try it in another way."""
    gateway = orders.gateway_for(channel, product)
    async with database.transaction():
        found = await orders.lock_order(UUID(order))
        if found["state"] != "open" or found["expires_at"] <= clock.now():
            return {}
        attempt = await orders.try_by(found["id"], found["amount_fen"], gateway, product, buyer)
    return await _prepared(attempt)


async def _prepared(attempt: UUID) -> Told:
    await asking.prepare(attempt)
    row = await database.fetchrow(ORDER, attempt)
    assert row is not None, "attempts are kept"
    parameters = orjson.loads(row["parameters"]) if row["parameters"] else {}
    return {**row, "parameters": parameters}


async def prepare(*, attempt: str) -> Told:
    """The payer taps again."""
    return await _prepared(UUID(attempt))


async def ask(*, attempt: str, give_up: bool) -> Told:
    """Have the channel asked, and give it up if nobody wants to pay it any more."""
    await asking.ask(UUID(attempt), give_up=give_up)
    return {}


async def watch(*, compound: str, order: str, cancels: bool) -> Told:
    """Whoever waits for it says that it was paid, or that nobody wants to pay it any more."""
    await (cancel_payment if cancels else confirm_payment_hint)(clerk(compound), payment_id=UUID(order))
    return {}


async def expire(*, order: str) -> Told:
    """Its time is over."""
    async with database.transaction():
        for statement in PASS_TIME:
            await database.execute(statement, UUID(order))
    return {}


async def refund(*, compound: str, order: str, share: float, approve: bool) -> Told:
    """Some of a payment goes back: one asks, another decides."""
    item = await database.fetchrow("SELECT id, paid_fen FROM payment_item WHERE order_id = $1", UUID(order))
    if item is None or not item["paid_fen"]:
        return {}
    parts = [RefundPart(item["id"], max(1, int(item["paid_fen"] * share)))]
    made = await request_refund(clerk(compound), payment_id=UUID(order), parts=parts, reason="重复缴费")
    await decide_refund(clerk(compound), refund_id=made, approve=approve, note="" if approve else "无需退款")
    return {"refund": str(made)}


async def unstick(*, compound: str, refund: str, keep: bool) -> Told:
    """A person sees to a refund that did not go through."""
    await (keep_refund if keep else retry_refund)(clerk(compound), refund_id=UUID(refund))
    return {}


def clerk(compound: str) -> Actor:
    """Somebody else each time."""
    held = (permissions.REFUNDS_REQUEST, permissions.REFUNDS_DECIDE, permissions.DESK_WRITE)
    grants = tuple(Grant(each, UUID(compound)) for each in held)
    return Actor("staff", uuid4(), name="员工", grants=grants)


STEPS: Mapping[str, Callable[..., Awaitable[Told]]] = {
    each.__name__: each for each in (owe, begin, another, prepare, ask, watch, expire, refund, unstick)
}


async def _step(request: Request) -> Response:
    """What a step tells; a refusal is an answer, and what nobody expected is told whole."""
    try:
        told = await STEPS[request.path_params["step"]](**orjson.loads(await request.body()))
    except DomainError as refusal:
        return Response(orjson.dumps({"code": refusal.code}), 409)
    except Exception:
        return Response(traceback.format_exc(), 500)
    return Response(orjson.dumps(told))


def _settings(home: str, port: str) -> Settings:
    """Platforms tell what became of it on that port. Few connections: whoever wants a second one, while they have one,
    waits for it here."""
    return Settings(home=Path(home), public_url=f"http://127.0.0.1:{port}", pool_size=4)


async def api(home: str, app_url: str, redis_url: str, platform_url: str, port: str) -> None:
    """Answer on a port until killed; platforms send their notifications here."""
    settings = _settings(home, port)
    async with running(settings, Addresses("", app_url, redis_url, platform_url)):
        routes = [
            *gateway_notices.routes(Metrics()),
            Route("/walk/{step}", _step, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), loop="none", lifespan="off", log_config=None, ws="none"
        )
        await uvicorn.Server(config).serve([await _listening(int(port))])


async def _listening(port: int) -> socket.socket:
    """Whoever was killed may hold the port a moment longer."""
    while True:
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port), backlog=512)
        await asyncio.sleep(0.02)


async def worker(home: str, app_url: str, redis_url: str, platform_url: str, port: str) -> None:
    """Ask channels what became of payments and refunds until killed; whoever answers on the port is told of refunds."""
    settings = _settings(home, port)
    async with running(settings, Addresses("", app_url, redis_url, platform_url)):
        await Results(poll_s=0.2).run(asyncio.Event(), asyncio.Event())


if __name__ == "__main__":
    main({each.__name__: each for each in (api, worker)}, uvloop.run)
