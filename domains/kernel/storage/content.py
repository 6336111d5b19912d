"""What a file is (文件类型): decided by its first bytes, never by its name or its sender's word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from enum import StrEnum

from domains.kernel.storage.errors import file_type_refused

SNIFF_BYTES = 4096
"""How many first bytes `sniff` wants: enough to see the first entries of a workbook."""

JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
GIF = "image/gif"
HEIC = "image/heic"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
MP4 = "video/mp4"
CSV = "text/csv"
TEXT = "text/plain"
JSON = "application/json"
BINARY = "application/octet-stream"


class Kind(StrEnum):
    """What a route may accept (文件种类)."""

    PICTURE = "picture"
    FILM = "film"
    PDF = "pdf"
    SHEET = "sheet"
    ARCHIVE = "archive"
    GENERATED = "generated"
    """Written by ourselves; no upload is ever recognised as this."""


# SVG and HTML are absent on purpose: both run scripts in the origin that shows them.
_TYPES: dict[str, tuple[str, Kind]] = {
    JPEG: ("jpg", Kind.PICTURE),
    PNG: ("png", Kind.PICTURE),
    WEBP: ("webp", Kind.PICTURE),
    GIF: ("gif", Kind.PICTURE),
    HEIC: ("heic", Kind.PICTURE),
    PDF: ("pdf", Kind.PDF),
    XLSX: ("xlsx", Kind.SHEET),
    ZIP: ("zip", Kind.ARCHIVE),
    MP4: ("mp4", Kind.FILM),
    CSV: ("csv", Kind.GENERATED),
    TEXT: ("txt", Kind.GENERATED),
    JSON: ("json", Kind.GENERATED),
    BINARY: ("bin", Kind.GENERATED),
}
_BY_EXTENSION = {extension: content_type for content_type, (extension, _) in _TYPES.items()}

_ALIASES = {
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/x-png": PNG,
    "image/heif": HEIC,
    "application/x-zip-compressed": ZIP,
    # Windows with WPS registers .xlsx under the name of the old format.
    "application/vnd.ms-excel": XLSX,
}
_MAGIC = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"%PDF-", PDF),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"})
_GENERIC_IMAGE_BRANDS = frozenset({b"mif1", b"msf1"})
_MP4_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash"}
)
_WORKBOOK_ENTRY = re.compile(rb"xl/(?:workbook|worksheets|styles|sharedStrings|theme|_rels)")


def extension_of(content_type: str) -> str:
    """The extension a stored file carries; `FILE_TYPE_REFUSED` for a type that is never stored."""
    if content_type not in _TYPES:
        raise file_type_refused()
    return _TYPES[content_type][0]


def content_type_of(extension: str) -> str | None:
    """The content type that an extension of ours stands for."""
    return _BY_EXTENSION.get(extension)


def kind_of(content_type: str) -> Kind | None:
    """The kind of a content type; None when it is none that is stored."""
    return _TYPES[content_type][1] if content_type in _TYPES else None


def sniff(first_bytes: bytes) -> str | None:
    """The content type by the signature in the first `SNIFF_BYTES`; None when it is none of ours."""
    for magic, content_type in _MAGIC:
        if first_bytes.startswith(magic):
            return content_type
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"WEBP":
        return WEBP
    if first_bytes.startswith(b"PK\x03\x04"):
        return XLSX if _WORKBOOK_ENTRY.search(first_bytes[:SNIFF_BYTES]) else ZIP
    return _sniff_media_box(first_bytes) if first_bytes[4:8] == b"ftyp" else None


def _sniff_media_box(first_bytes: bytes) -> str | None:
    """HEIC or MP4 by the brands of the `ftyp` box (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(first_bytes[:4], "big"), SNIFF_BYTES)
    major = first_bytes[8:12]
    compatible = {first_bytes[at : at + 4] for at in range(16, size, 4)}
    if major in _HEIC_BRANDS or (major in _GENERIC_IMAGE_BRANDS and compatible & _HEIC_BRANDS):
        return HEIC
    return MP4 if major in _MP4_BRANDS else None


def allowed(declared: str, sniffed: str | None, kinds: Collection[Kind]) -> bool:
    """Whether a file declared as one thing and sniffed as another is accepted where `kinds` are."""
    settled = _settle(declared, sniffed)
    return settled is not None and kind_of(settled) in kinds


def _settle(declared: str, sniffed: str | None) -> str | None:
    """The content type to store, None when the declaration contradicts the bytes.

    Within one kind the bytes win: phones save WebP under `.jpg` every day.
    """
    plain = declared.partition(";")[0].strip().lower()
    named = _ALIASES.get(plain, plain)
    if sniffed is None or named in ("", BINARY):
        return sniffed
    if {named, sniffed} == {XLSX, ZIP}:
        return XLSX
    return sniffed if kind_of(named) is kind_of(sniffed) else None


async def inspect_upload(
    chunks: AsyncIterator[bytes], *, declared: str, kinds: Collection[Kind]
) -> tuple[str, AsyncIterator[bytes]]:
    """The content type to store an upload under, and its bytes again from the first one.

    Reads no further than the first `SNIFF_BYTES`. Raises `FILE_TYPE_REFUSED`.
    """
    first = b""
    while len(first) < SNIFF_BYTES and (chunk := await anext(chunks, None)) is not None:
        first += chunk
    content_type = _settle(declared, sniff(first))
    if content_type is None or kind_of(content_type) not in kinds:
        raise file_type_refused()
    return content_type, _replay(first, chunks)


async def _replay(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
