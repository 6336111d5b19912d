"""Types by content: what files really begin with, and what pretends to be one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

import pytest
import qrcode
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from domains.kernel.errors import Invalid
from domains.kernel.storage import Kind, allowed, inspect_upload, sniff
from domains.kernel.storage.content import HEIC, JPEG, MP4, PDF, PNG, XLSX, ZIP
from tests.unit.kernel.storage.stores import read_all, stream


def workbook() -> bytes:
    book, written = Workbook(), io.BytesIO()
    book.create_sheet("房屋")
    book.save(written)
    return written.getvalue()


def archive(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        for name in names:
            packed.writestr(name, "x" * 50)
    return written.getvalue()


def qr_png() -> bytes:
    written = io.BytesIO()
    qrcode.make("https://example.com").save(written)
    return written.getvalue()


def box(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08mdatheic"


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
        (b"\xff\xd8\xff\xe1Exif", JPEG),
        (qr_png(), PNG),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a\x01\0", "image/gif"),
        (b"GIF87a\x01\0", "image/gif"),
        (box(b"heic", b"mif1", b"heic"), HEIC),
        (box(b"mif1", b"mif1", b"heic"), HEIC),
        (b"%PDF-1.7\n", PDF),
        (workbook(), XLSX),
        (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), XLSX),
        (archive("[Content_Types].xml", "word/document.xml"), ZIP),
        (archive("名册.txt"), ZIP),
        (box(b"isom", b"isom", b"avc1"), MP4),
        (box(b"mp42", b"mp42"), MP4),
    ],
)
def test_a_type_is_known_by_its_first_bytes(first: bytes, expected: str) -> None:
    assert sniff(first) == expected


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"\xff\xd8",
        b'<svg xmlns="http://www.w3.org/2000/svg">',
        b'<?xml version="1.0"?><svg/>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\xef\xbb\xbf<html>",
        b"MZ\x90\0",
        b"\x7fELF",
        b"#!/bin/sh\n",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b" %PDF-1.7",
        box(b"mif1", b"avif"),
        box(b"M4A ", b"isom"),
        b"\xff\xff\xff\xffftyp",
    ],
)
def test_anything_else_is_nothing(first: bytes) -> None:
    assert sniff(first) is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_sniffed(first: bytes) -> None:
    assert sniff(b"\0\0\0\x20ftyp" + first) in (None, HEIC, MP4)
    assert sniff(b"PK\x03\x04" + first) in (XLSX, ZIP)
    sniff(first)


@pytest.mark.parametrize(
    ("declared", "sniffed", "kind", "accepted"),
    [
        ("image/jpeg", JPEG, Kind.PICTURE, True),
        ("image/jpg", JPEG, Kind.PICTURE, True),
        ("IMAGE/JPEG; name=a.jpg", JPEG, Kind.PICTURE, True),
        ("image/jpeg", "image/webp", Kind.PICTURE, True),
        ("", PNG, Kind.PICTURE, True),
        ("application/octet-stream", HEIC, Kind.PICTURE, True),
        ("application/vnd.ms-excel", XLSX, Kind.SHEET, True),
        (XLSX, ZIP, Kind.SHEET, True),
        ("application/zip", XLSX, Kind.SHEET, True),
        ("image/svg+xml", None, Kind.PICTURE, False),
        ("image/png", None, Kind.PICTURE, False),
        ("image/svg+xml", PNG, Kind.PICTURE, False),
        ("text/html", PNG, Kind.PICTURE, False),
        ("image/png", PDF, Kind.PICTURE, False),
        ("image/png", PDF, Kind.PDF, False),
        ("image/png", PNG, Kind.PDF, False),
        ("application/zip", ZIP, Kind.SHEET, False),
        ("", ZIP, Kind.SHEET, False),
        ("text/csv", None, Kind.GENERATED, False),
        ("nonsense", JPEG, Kind.PICTURE, False),
    ],
)
def test_declaration_and_content_must_agree(
    declared: str, sniffed: str | None, kind: Kind, accepted: bool
) -> None:
    assert allowed(declared, sniffed, {kind}) is accepted


@pytest.mark.parametrize("step", [1, 7, 100_000])
async def test_an_inspected_upload_is_still_whole(step: int) -> None:
    content = workbook()
    chunks = stream(*(content[at : at + step] for at in range(0, len(content), step)))
    content_type, again = await inspect_upload(chunks, declared=XLSX, kinds={Kind.SHEET})
    assert content_type == XLSX
    assert await read_all(again) == content


async def test_inspection_reads_no_further_than_it_must() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield qr_png() + b"\0" * 4096
        raise AssertionError("read on")

    content_type, _ = await inspect_upload(endless(), declared="image/jpeg", kinds={Kind.PICTURE})
    assert content_type == PNG


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"<html>", b"%PDF-1.7"])
async def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        await inspect_upload(stream(content), declared="image/png", kinds={Kind.PICTURE})
    assert (refused.value.code, refused.value.field) == ("FILE_TYPE_REFUSED", "file")
