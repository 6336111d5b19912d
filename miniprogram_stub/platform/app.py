"""The platforms put together on one address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_gateway import AlipayGateway
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.consent_door import ConsentDoor
from miniprogram_stub.platform.courier import Courier
from miniprogram_stub.platform.credentials import AlipayKeys, WeChatPayKeys, load_credentials
from miniprogram_stub.platform.door_fields import UnusableError, explain
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.front_door import FrontDoor
from miniprogram_stub.platform.hooks import HookReceivers
from miniprogram_stub.platform.payment_platforms import PaymentPlatforms
from miniprogram_stub.platform.phone_page import PhonePage
from miniprogram_stub.platform.push_service import PushService
from miniprogram_stub.platform.rpc_gateway import RpcGateway
from miniprogram_stub.platform.sign_in_door import SignInDoor
from miniprogram_stub.platform.sms import sms_service
from miniprogram_stub.platform.sms_console import SmsConsole
from miniprogram_stub.platform.templates import watched_templates
from miniprogram_stub.platform.voice import voice_service
from miniprogram_stub.platform.wechat import WeChat


def build_app(home: Path, books: Books, *, address: str, speed_up: float) -> Starlette:
    """Everything the stand-ins answer; keys and credentials are made in `home` at the first start.

    `address` is where they are reached, `speed_up` what the waits of the payment platforms are divided by.
    """
    keys, wechat_pay_keys = AlipayKeys(home), WeChatPayKeys(home)
    credentials = load_credentials(home, keys, wechat_pay_keys)
    faults = Faults(books)
    payments = PaymentPlatforms(
        credentials, keys, wechat_pay_keys, books, faults, address=address, speed_up=speed_up
    )
    wechat_templates = watched_templates(home / "wechat_templates.json")
    alipay_templates = watched_templates(home / "alipay_templates.json")
    console = SmsConsole(home)
    return Starlette(
        routes=[
            Route("/health", _health),
            *WeChat(credentials.wechat, wechat_templates, books, faults).routes(),
            *AlipayGateway(
                credentials.alipay, keys, alipay_templates, books, faults, payments=payments.alipay
            ).routes(),
            *payments.routes(),
            *RpcGateway(sms_service(console), credentials.sms, books, faults).routes(),
            *RpcGateway(voice_service(console), credentials.sms, books, faults).routes(),
            *PushService(books, faults).routes(),
            *HookReceivers(books, faults).routes(),
            *FrontDoor(credentials.alipay, keys, books, faults).routes(),
            *ConsentDoor(wechat_templates, alipay_templates, books).routes(),
            *SignInDoor(home, credentials, keys, books).routes(),
            *PhonePage(books).routes(),
        ],
        exception_handlers={UnusableError: explain, ClientDisconnect: _nobody_waits},
        lifespan=_beside(payments.courier),
    )


def _beside(courier: Courier) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """The courier runs as long as the server does."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(courier.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    return lifespan


async def _nobody_waits(_request: Request, _gone: Exception) -> Response:
    """Whoever called has gone before the whole call was here: nothing was done, and nobody reads the answer."""
    return Response(status_code=400)


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
