"""How a stored file is answered over HTTP (文件响应头): pure rules, the same for every store."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from domains.kernel.storage.content import Kind, kind_of
from domains.kernel.storage.errors import range_invalid

_SHOWN_IN_PLACE = frozenset({Kind.PICTURE, Kind.PDF})
# 80 Chinese characters are 240 bytes; file systems take 255.
_NAME_LENGTH = 80
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file: bytes from `start` up to, not including, `end`."""

    start: int
    end: int


def byte_range(header: str | None, size: int) -> ByteRange | None:
    """The part that a `Range` header asks of a file of `size` bytes; None means all of it.

    Several parts at once and units other than bytes may be ignored (RFC 9110, 14.2) and are.
    Raises `FILE_RANGE_INVALID` (416) when the part lies outside the file.
    """
    matched = _RANGE.fullmatch((header or "").strip())
    if matched is None or not (matched[1] or matched[2]):
        return None
    if not matched[1]:
        start, end = max(size - int(matched[2]), 0), size
    else:
        start, end = int(matched[1]), min(int(matched[2]) + 1, size) if matched[2] else size
        if matched[2] and int(matched[2]) < start:
            return None
    if start >= end:
        raise range_invalid()
    return ByteRange(start, end)


def response_headers(
    *,
    content_type: str,
    size: int,
    max_age_s: int,
    download_name: str | None = None,
    part: ByteRange | None = None,
) -> dict[str, str]:
    """The headers for a whole file of `size` bytes, or for a `part` of it (206).

    `max_age_s` is what is left of the address's life in seconds; a cache may keep no longer.
    """
    length = part.end - part.start if part else size
    headers = {
        "Content-Type": content_type + ("; charset=utf-8" if content_type.startswith("text/") else ""),
        "Content-Length": str(length),
        "Content-Disposition": content_disposition(content_type, download_name),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": f"private, max-age={max(max_age_s, 0)}",
        "Accept-Ranges": "bytes",
    }
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    return headers


def content_disposition(content_type: str, download_name: str | None) -> str:
    """Pictures and PDF are shown in place, everything else is downloaded (RFC 6266, RFC 5987)."""
    manner = "inline" if kind_of(content_type) in _SHOWN_IN_PLACE else "attachment"
    if download_name is None:
        return manner
    name = clean_name(download_name)
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return f"{manner}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def clean_name(name: str) -> str:
    """A name that every file system takes: one line, no folder, no invisible character.

    Among the invisible ones is U+202E, which shows `gpj.exe` as `exe.jpg`.
    """
    visible = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    flat = re.sub(r'[/\\:*?"<>|]', "_", re.sub(r"\s", " ", visible)).strip(" .")
    stem, dot, extension = flat.rpartition(".")
    if dot and len(extension) <= 10:
        return f"{stem[: _NAME_LENGTH - len(extension) - 1]}.{extension}"
    return flat[:_NAME_LENGTH].strip(" .") or "file"
