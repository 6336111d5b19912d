"""Files of the pages (静态文件): read once, compressed once, addressed by what is in them."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

ROOT = Path(__file__).resolve().parent / "static"
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
WORKER_POLICY = "default-src 'none'; connect-src 'self'"
_REFUSED = re.compile(r";q=0(?:\.0*)?$")
YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served, and packed for who can read that: by encoding, the tightest first."""

    content_type: str
    digest: str
    plain: bytes
    packed: Mapping[str, bytes]

    def packed_for(self, accepted: str) -> tuple[bytes, str]:
        """The tightest form that an Accept-Encoding allows, and what to call it; as it is for none."""
        offered = {part.replace(" ", "") for part in accepted.split(",")}
        offered = {part.partition(";")[0] for part in offered if not _REFUSED.search(part)}
        for encoding, body in self.packed.items():
            if encoding in offered:
                return body, encoding
        return self.plain, ""


@dataclass(frozen=True)
class Shelf:
    """The files of a folder, of the kinds that are served."""

    root: Path
    content_types: Mapping[str, str] = field(hash=False)

    @cache  # noqa: B019  # there are two shelves, and both last as long as the program
    def names(self) -> frozenset[str]:
        """What there is: a request can name nothing else."""
        found = (path for path in self.root.rglob("*") if path.suffix in self.content_types)
        return frozenset(path.relative_to(self.root).as_posix() for path in found)

    @cache  # noqa: B019  # as above
    def read(self, name: str) -> Asset:
        """A file of `names`."""
        plain = (self.root / name).read_bytes()
        digest = hashlib.sha256(plain).hexdigest()[:16]
        return Asset(self.content_types[Path(name).suffix], digest, plain, self._packed(name, plain))

    def _packed(self, name: str, plain: bytes) -> dict[str, bytes]:
        """By gzip now, where that saves anything; by brotli where the build has done it, for which there is time then."""
        dense = self.root / f"{name}.br"
        packed = {"br": dense.read_bytes()} if dense.exists() else {}
        zipped = gzip.compress(plain, 6, mtime=0)
        return {**packed, "gzip": zipped} if len(zipped) < len(plain) * 0.9 else packed

    async def answer(self, request: Request, name: str, *, lasting: bool) -> Response:
        """A file, for a year where its address changes with its content. HTTPException 404."""
        if name not in self.names():
            raise HTTPException(404)
        asset = await asyncio.to_thread(self.read, name)
        headers = {
            "Cache-Control": f"public, max-age={YEAR_S}, immutable" if lasting else "no-cache",
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body, encoding = asset.packed_for(request.headers.get("accept-encoding", ""))
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(body, headers=headers, media_type=asset.content_type)


SHELF = Shelf(ROOT, CONTENT_TYPES)


def address(name: str) -> str:
    """The address of a file, which changes with its content. Raises LookupError."""
    if name not in SHELF.names():
        raise LookupError(name)
    return f"/static/{name}?v={SHELF.read(name).digest}"


async def serve_worker(request: Request) -> Response:
    """A service worker, above every page: a worker reaches the addresses below its own and no others."""
    response = await _serve(request, request.url.path.removeprefix("/"))
    # What a worker may fetch is said with its own file.
    response.headers["Content-Security-Policy"] = WORKER_POLICY
    return response


async def serve(request: Request) -> Response:
    """A file: kept for a year under its own digest, asked for again under any other address."""
    return await _serve(request, request.path_params["name"])


async def _serve(request: Request, name: str) -> Response:
    lasting = name in SHELF.names() and request.query_params.get("v") == SHELF.read(name).digest
    return await SHELF.answer(request, name, lasting=lasting)
