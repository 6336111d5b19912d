"""The platforms put together on one address."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from miniprogram_stub.platform.alipay_gateway import AlipayGateway
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.credentials import AlipayKeys, load_credentials
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.front_door import FrontDoor, UnusableError, explain
from miniprogram_stub.platform.sms_console import sms_console
from miniprogram_stub.platform.sms_gateway import SmsGateway
from miniprogram_stub.platform.wechat import WeChat


def build_app(home: Path, books: Books) -> Starlette:
    """Everything the stand-ins answer; keys and credentials are made in `home` at the first start."""
    keys = AlipayKeys(home)
    credentials = load_credentials(home, keys)
    faults = Faults(books)
    return Starlette(
        routes=[
            Route("/health", _health),
            *WeChat(credentials.wechat, books, faults).routes(),
            *AlipayGateway(credentials.alipay, keys, books, faults).routes(),
            *SmsGateway(credentials.sms, sms_console(home), books, faults).routes(),
            *FrontDoor(credentials.alipay, keys, books, faults).routes(),
        ],
        exception_handlers={UnusableError: explain},
    )


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
