"""The resident's face in a browser (居民端 H5): the committed build of the mini-program, as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages.assets import CONTENT_TYPES, WORKER_POLICY, Shelf
from api.settings import REPOSITORY

ADDRESS = "/app/"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
SHELF = Shelf(
    REPOSITORY / "miniprogram_stub" / "client" / "dist" / "h5",
    {**CONTENT_TYPES, ".html": "text/html; charset=utf-8", ".ttf": "font/ttf"},
)
# The framework places what it draws by styles of its own; scripts are files alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# The worker keeps the program on the device; it reaches what is below its own address, and no more.
_POLICIES = {"index.html": POLICY, "sw.js": WORKER_POLICY}
_HASHED = re.compile(r"assets/.+[-.][\w-]{8}\.\w+")


async def lead(_request: Request) -> Response:
    """To the address that the files are named from."""
    return RedirectResponse(ADDRESS, 308)


@dataclass(frozen=True, slots=True)
class Face:
    """The build at an installation's own address `url`."""

    url: str

    async def serve(self, request: Request) -> Response:
        """A file of the build: for a year where its name changes with its content."""
        name = request.path_params["name"] or "index.html"
        if name == "index.html" and self._is_by_another_name(request):
            return RedirectResponse(f"{self.url}{ADDRESS}", 307)
        response = await SHELF.answer(request, name, lasting=_HASHED.fullmatch(name) is not None)
        if policy := _POLICIES.get(name):
            response.headers["Content-Security-Policy"] = policy
        return response

    def _is_by_another_name(self, request: Request) -> bool:
        """Whether this machine is called by another of its names. A browser keeps sessions by the name, and from a
        cashier it comes back to the installation's own. Where the port is another one there is a tunnel in between."""
        own, asked = urlsplit(self.url), request.headers.get("host", "").lower()
        names = {f"{name}:{own.port}" if own.port else name for name in LOOPBACK}
        return own.netloc != asked and {own.netloc, asked} <= names
