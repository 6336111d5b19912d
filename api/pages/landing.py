"""Pages for everybody: what Linli is and where its faces are, and where a registration code leads (首页)."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.pages.page import Page
from api.pages.showcase import showcase

CODE = re.compile(r"[0-9A-Z]{2,12}")


async def show_landing(page: Page) -> Response:
    """What Linli is, its faces, and how to try it where a demonstration is loaded."""
    demo = showcase()
    address = f"{page.settings.url}/join/{demo.code}" if demo else ""
    return page.show(
        "landing.html", demo=demo, join_address=address, code=drawing(address) if demo else None,
        has_ide=page.settings.ide,
    )  # fmt: skip


async def show_join(page: Page) -> Response:
    """Where a compound's code leads: how to register with it (扫码登记). Which compound it is, the API
    tells to who has signed in; here every code looks the same, so that nobody tries them out."""
    code = str(page.request.path_params["code"]).upper()
    if not CODE.fullmatch(code):
        raise HTTPException(404)
    return page.show("join.html", typed=code, code=drawing(f"{page.settings.url}/join/{code}"))


def drawing(text: str) -> tuple[int, str]:
    """A QR code (二维码) as the side of its square, in modules, and the path that fills the dark ones."""
    import qrcode  # on first use, see `domains.residents.qr`

    made = qrcode.QRCode(border=2)
    made.add_data(text)
    rows = made.get_matrix()
    runs = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return len(rows), "".join(runs)
