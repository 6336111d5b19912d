"""The resident's face in a browser (居民端 H5): the committed build of the mini-program, as it is."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages.assets import CONTENT_TYPES, Shelf
from api.settings import REPOSITORY

ADDRESS = "/app/"
SHELF = Shelf(
    REPOSITORY / "miniprogram_stub" / "client" / "dist" / "h5",
    {**CONTENT_TYPES, ".html": "text/html; charset=utf-8", ".ttf": "font/ttf"},
)
# The framework places what it draws by styles of its own; scripts are files alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HASHED = re.compile(r"assets/.+[-.][\w-]{8}\.\w+")


async def lead(_request: Request) -> Response:
    """To the address that the files are named from."""
    return RedirectResponse(ADDRESS, 308)


async def serve(request: Request) -> Response:
    """A file of the build: for a year where its name changes with its content."""
    name = request.path_params["name"] or "index.html"
    response = await SHELF.answer(request, name, lasting=_HASHED.fullmatch(name) is not None)
    if name == "index.html":
        response.headers["Content-Security-Policy"] = POLICY
    return response
