"""Headers of an answered file, read back by a parser that is not ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from domains.kernel.errors import Invalid
from domains.kernel.storage import ByteRange, byte_range, response_headers
from domains.kernel.storage.headers import clean_name, content_disposition


def parsed(disposition: str) -> tuple[str, str | None]:
    manner, parameters = parse_options_header(disposition)
    return manner, parameters.get("filename")


def test_a_picture_is_shown_and_stays_with_its_reader() -> None:
    assert response_headers(content_type="image/png", size=9, max_age_s=60) == {
        "Content-Type": "image/png",
        "Content-Length": "9",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=60",
        "Accept-Ranges": "bytes",
    }


def test_a_part_says_which() -> None:
    headers = response_headers(content_type="video/mp4", size=100, max_age_s=-5, part=ByteRange(10, 20))
    assert (headers["Content-Range"], headers["Content-Length"]) == ("bytes 10-19/100", "10")
    assert headers["Cache-Control"] == "private, max-age=0"


def test_text_says_its_encoding() -> None:
    headers = response_headers(content_type="text/csv", size=1, max_age_s=0)
    assert headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("content_type", "manner"),
    [
        ("image/jpeg", "inline"),
        ("application/pdf", "inline"),
        ("application/zip", "attachment"),
        ("video/mp4", "attachment"),
        ("text/csv", "attachment"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("", "attachment"),
    ],
)
def test_only_pictures_and_pdf_are_shown_in_place(content_type: str, manner: str) -> None:
    assert parsed(content_disposition(content_type, None)) == (manner, None)
    assert parsed(content_disposition(content_type, "a.b")) == (manner, "a.b")


def test_a_chinese_name_arrives() -> None:
    header = content_disposition("application/pdf", "3号楼 收据（九月）.pdf")
    assert header.isascii()
    assert header == (
        "inline; filename=\"3__ ______.pdf\"; filename*=UTF-8''"
        "3%E5%8F%B7%E6%A5%BC%20%E6%94%B6%E6%8D%AE%EF%BC%88%E4%B9%9D%E6%9C%88%EF%BC%89.pdf"
    )


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\a\\b.pdf", "C__a_b.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x=1.pdf"),
        ("收据\u202efdp.exe", "收据fdp.exe"),
        ("a\0.pdf", "a.pdf"),
        ('"; filename="b.exe', "_; filename=_b.exe"),
        ("", "file"),
        ("...", "file"),
        ("\ud800", "file"),
        ("账" * 500 + ".pdf", "账" * 76 + ".pdf"),
        ("账" * 500, "账" * 80),
        ("\u3000九月\u2028账单\xa0", "九月 账单"),
    ],
)
def test_a_name_is_made_harmless(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.text(max_size=300))
def test_any_name_makes_one_harmless_line(name: str) -> None:
    header = content_disposition("application/zip", name)
    assert header.isascii()
    assert header.isprintable()
    assert parsed(header) == ("attachment", clean_name(name))
    assert clean_name(clean_name(name)) == clean_name(name)
    assert len(clean_name(name).encode()) <= 320


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=-5", ByteRange(95, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("bytes=１-２", None),
    ],
)
def test_a_range_header_becomes_a_part(header: str | None, part: ByteRange | None) -> None:
    assert byte_range(header, 100) == part


@pytest.mark.parametrize(("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])
def test_a_range_outside_the_file_is_refused(header: str, size: int) -> None:
    with pytest.raises(Invalid) as refused:
        byte_range(header, size)
    assert refused.value.code == "FILE_RANGE_INVALID"
