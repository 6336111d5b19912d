"""The product with hand-written endpoints beside it, over one pool: `python -m tests.bench.server`.

Everything below /bench is the bench's; the rest is the product as it is, but for a caller's budget of
cost points, which nobody measures by using it up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import edge
from api.addresses import Addresses
from api.demo.loading import COMPANY, PASSWORD, load_demo, region_names
from api.demo.people import DemoAccount, demo_people
from api.demo.places import COMPOUND
from api.observability import logs
from api.processes import prepared, until_stopped
from api.serving import server
from api.settings import Settings
from api.wiring import PERMISSIONS
from domains.estate import queries as estate
from domains.estate.models import House
from domains.estate.service.organisation import found_compound
from domains.identity import contact
from domains.identity.models import Account, StaffMember
from domains.identity.service.founding import found_staff
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from domains.residents.service import imports
from domains.residents.service.binding import Applicant, Binding, bind
from domains.residents.service.registration import register_resident
from schema.relay import encode
from tests.bench import handwritten
from tests.factories import identity

shares: dict[str, float] = {}
"""Seconds of the parts of imports since they were last asked for."""


class BenchServer:
    """Hand-written below /bench, else the product; counts statements where it is asked to."""

    def __init__(self, product: ASGIApp, bench: ASGIApp) -> None:
        self.product, self.bench = product, bench

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/bench/"):
            await self.bench(scope, receive, send)
        elif scope["type"] == "http" and (b"x-bench-count", b"1") in scope["headers"]:
            await self._counted(scope, receive, send)
        else:
            await self.product(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with database.counted() as statements:

            async def tell(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-statements", str(statements.count).encode()))
                await send(message)

            await self.product(scope, receive, tell)


def time_the_parts_of_imports() -> None:
    """Let the importer's parts say how long they take."""
    for name, timer in (("read_register", _timed), ("stage", _timed), ("write", _timed_async)):
        setattr(imports, name, timer(name, getattr(imports, name)))


# Any: whatever the part takes and returns
def _timed(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(part)
    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return part(*args)
        finally:
            shares[name] = shares.get(name, 0) + time.perf_counter() - started

    return timed


def _timed_async(name: str, part: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(part)
    async def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return await part(*args)
        finally:
            shares[name] = shares.get(name, 0) + time.perf_counter() - started

    return timed


async def import_shares(_: Request) -> Response:
    """Seconds of the parts since the last call."""
    answer = JSONResponse(dict(shares))
    shares.clear()
    return answer


async def new_compound(_: Request) -> Response:
    """A compound with nothing in it, of the company whose staff the bench is."""
    name = identity.unique("小区")
    made = await found_compound(SYSTEM, region_names=region_names(COMPOUND), company=COMPANY, name=name)
    return JSONResponse(encode("Compound", made))


async def staff(_: Request) -> Response:
    """A token of the manager, and the compound."""
    manager = await StaffMember.get(login="manager").select_related("account")
    token = await identity.token(manager.account.id)
    return JSONResponse({"manager": token, "compound": encode("Compound", await _compound())})


async def owner(_: Request) -> Response:
    """A token of a house's owner, who has asked to be bound to another one as well; asked for once."""
    found = demo_people().owner
    known = await Account.get_or_none(kind="resident", phone_index=contact.index(found.phone))
    account_id = known.id if known else await _bound(found)
    await register_resident(
        await identity.actor(account_id), compound_code=COMPOUND.code, building="4幢", unit="1单元", room="301",
        name=found.name, capacity="family",
    )  # fmt: skip
    return JSONResponse(await identity.token(account_id))


async def _bound(found: DemoAccount) -> UUID:
    """The owner where the demo, which binds its own, was not loaded."""
    account_id = await identity.resident(found.phone, found.name)
    house = await House.get(
        compound_id=await _compound(), building__name=found.building, unit__name=found.unit, room=found.room
    )
    applicant = Applicant(account_id, found.name, found.phone)
    async with database.transaction():
        await bind(applicant, Binding(await _compound(), house.id, "owner", None, "staff"))
    return account_id


async def _compound() -> UUID:
    found = await estate.compound_by_code(COMPOUND.code)
    assert found is not None, "founded at the start"
    return found.id


async def _found(scale: int) -> None:
    """The demo as it is, or the place for a register of another size, which the bench imports itself."""
    if scale == 1:
        await load_demo()
    elif await estate.compound_by_code(COMPOUND.code) is None:
        await found_compound(
            SYSTEM,
            region_names=region_names(COMPOUND),
            company=COMPANY,
            name=COMPOUND.name,
            code=COMPOUND.code,
        )
        await found_staff(
            SYSTEM,
            company=COMPANY,
            login="manager",
            name="许文博",
            permissions=tuple(PERMISSIONS),
            password=PASSWORD,
        )


def _settle(addresses: Addresses) -> Route:
    async def settle(_: Request) -> Response:
        """What autovacuum does a minute later."""
        connection = await asyncpg.connect(addresses.owner_url)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        return JSONResponse({})

    return Route("/bench/settle", settle, methods=["POST"])


async def main(scale: int) -> None:
    """Serve until stopped."""
    settings = Settings()
    edge.BUDGET = replace(edge.BUDGET, per_period=10**9, burst=10**9)
    time_the_parts_of_imports()
    async with prepared(settings) as addresses:
        logs.configure(settings)
        await _found(scale)
        serving = server(settings, asyncio.Event())
        bench = handwritten.build_app(
            _settle(addresses),
            Route("/bench/staff", staff, methods=["POST"]),
            Route("/bench/owner", owner, methods=["POST"]),
            Route("/bench/compounds", new_compound, methods=["POST"]),
            Route("/bench/shares", import_shares, methods=["POST"]),
        )
        serving.config.app = BenchServer(serving.config.app, bench)  # type: ignore[arg-type]  # an ASGI app, not a name
        await until_stopped(serving.serve_until)


if __name__ == "__main__":
    import sys

    uvloop.run(main(int(sys.argv[1])))
