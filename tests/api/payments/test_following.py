"""A payment that is followed on an open socket (graphql-transport-ws) while the platform takes the money."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from uuid import UUID

import httpx
import pytest
import uvicorn

from api.app import build_app
from api.settings import Settings
from domains.kernel import database
from domains.kernel.ids import uuid7
from payments.service import refund_sending
from schema.relay import encode
from tests.api.payments.cases import FEN, World
from tests.api.payments.test_authority import token_of
from tests.api.subscriptions.listening import Json, by_websocket, message
from tests.factories import residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.ledger import check_books, trial_balance

pytestmark = pytest.mark.usefixtures("instance")

FOLLOW = "subscription($p: ID!) { paymentChanged(payment: $p) { id state attemptState refundedFen number } }"
NUMBER = "SELECT out_trade_no FROM payment_attempt WHERE order_id = $1"


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


@pytest.fixture(scope="module")
def address(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
async def channel(
    settings: Settings, instance: object, listener: socket.socket, address: str
) -> AsyncIterator[ScriptedChannel]:
    """The channel, which tells the API of what happens; the API is served from here on."""
    config = uvicorn.Config(
        build_app(settings), loop="none", lifespan="off", log_config=None, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    made = ScriptedChannel(notify_url=f"http://{address}/payments/notify/alipay/{uuid7().hex}")
    with channel_of(made):
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.02)
        yield made
        server.should_exit = True
        await serving


@pytest.fixture
async def world(channel: ScriptedChannel) -> World:
    return World(await residents.scene(), channel)


async def notify(world: World, payment: UUID, times: int = 1) -> None:
    """Somebody pays, and the platform says so, so many times at once."""
    said = world.channel.pay(await database.fetchval(NUMBER, payment))
    async with httpx.AsyncClient(trust_env=False) as http:
        told = await asyncio.gather(
            *(http.post(world.channel.notify_url, content=said) for _ in range(times))
        )
    assert {each.content for each in told} == {b"success"}


def shown(heard: Json) -> tuple[str, str, int]:
    assert heard["type"] == "next" and "errors" not in heard["payload"], heard
    payment = heard["payload"]["data"]["paymentChanged"]
    return payment["state"], payment["attemptState"], payment["refundedFen"]


async def test_who_pays_is_told_once_that_it_is_paid(address: str, world: World) -> None:
    payment = await world.open()
    token = await token_of(world.scene, "owner")
    async with by_websocket(address, token, FOLLOW, p=encode("Payment", payment)) as ws:
        assert shown(await message(ws)) == ("OPEN", "PREPARED", 0)
        await notify(world, payment, times=3)
        assert shown(await message(ws)) == ("PAID", "SUCCEEDED", 0)
        await notify(world, payment)
        # What comes next is the next that happens: it was told once.
        await world.approved(payment)
        assert await refund_sending.see_to_due() == 1
        assert shown(await message(ws)) == ("PAID", "SUCCEEDED", FEN)
    assert await trial_balance(world.scene.compound_id) == {"receivable": FEN, "income": -FEN}
    await check_books()


async def test_staff_follow_it_as_well(address: str, world: World) -> None:
    payment = await world.open()
    token = await token_of(world.scene, "staff")
    async with by_websocket(address, token, FOLLOW, p=encode("Payment", payment)) as ws:
        assert shown(await message(ws)) == ("OPEN", "PREPARED", 0)
        await notify(world, payment)
        assert shown(await message(ws)) == ("PAID", "SUCCEEDED", 0)


@pytest.mark.parametrize(
    "kind", ["stranger", "neighbour", "tenant", "family", "staff without", "staff elsewhere"]
)
async def test_to_others_it_ends_without_a_word(address: str, world: World, kind: str) -> None:
    payment = await world.open()
    token = await token_of(world.scene, kind)
    async with by_websocket(address, token, FOLLOW, p=encode("Payment", payment)) as ws:
        assert await message(ws) == {"id": "1", "type": "complete"}
        await notify(world, payment)
        await ws.send('{"type": "ping"}')
        assert (await message(ws))["type"] == "pong"


async def test_nobody_is_refused(address: str, world: World) -> None:
    payment = await world.open()
    async with by_websocket(address, None, FOLLOW, p=encode("Payment", payment)) as ws:
        refused = await message(ws)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
