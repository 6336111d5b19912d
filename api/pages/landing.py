"""Pages for everybody: what Linli is and where its faces are, and where a registration code leads (首页)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.pages.page import SIGN_IN, Page
from api.pages.showcase import Showcase, showcase

CODE = re.compile(r"[0-9A-Z]{2,12}")
Drawing = tuple[int, str]
RESIDENT, GUARD, STAFF = "/app/", "/staff/guard", "/staff"
HERE_ONLY = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104  # compared, not listened on
FEW = 16
"""Codes that are kept drawn: those of the landing page, which are the same for everybody."""


async def show_landing(page: Page) -> Response:
    """What Linli is and its faces; where a demonstration is loaded also how to try it, and as whom."""
    demo, parts = showcase(), urlsplit(page.settings.url)
    return page.show(
        "landing.html", demo=demo, faces=faces_of(demo), code_of=_codes(page.settings.url), url=page.settings.url,
        is_here_only=parts.hostname in HERE_ONLY, port=parts.port, has_ide=page.settings.ide,
        sign_in_as=sign_in_as,
    )  # fmt: skip


def faces_of(demo: Showcase | None) -> dict[str, str]:
    """Where each face begins. A visitor's needs a link or a compound's code, and both are a demonstration's."""
    visitor = (demo.visitor_path or f"/visit/{demo.code}") if demo else ""
    return {"resident": RESIDENT, "visitor": visitor, "guard": GUARD, "manager": STAFF}


def sign_in_as(login: str, path: str = STAFF) -> str:
    """The sign-in with the login filled in, also where somebody else is signed in, and on to a page."""
    return f"{SIGN_IN}?{urlencode({'as': login, 'next': path})}"


def _codes(url: str) -> Callable[[str], Drawing]:
    return lambda path: _kept(f"{url}{path}")


async def show_join(page: Page) -> Response:
    """Where a compound's code leads: how to register with it (扫码登记). Which compound it is, the API
    tells to who has signed in; here every code looks the same, so that nobody tries them out."""
    code = str(page.request.path_params["code"]).upper()
    if not CODE.fullmatch(code):
        raise HTTPException(404)
    return page.show(
        "join.html", typed=code, code=drawing(f"{page.settings.url}/join/{code}"),
        # Who is not signed in there is led to the sign-in, and back with the code.
        onward=f"{RESIDENT}#/pages/register/index?code={code}",
    )  # fmt: skip


def drawing(text: str) -> Drawing:
    """A QR code (二维码) as the side of its square, in modules, and the path that fills the dark ones."""
    import qrcode  # on first use, see `domains.residents.qr`

    made = qrcode.QRCode(border=2)
    made.add_data(text)
    rows = made.get_matrix()
    runs = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return len(rows), "".join(runs)


_kept = lru_cache(maxsize=FEW)(drawing)
