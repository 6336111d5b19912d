"""Papers as PDF: what is printed is what is read back, in an embedded font, the same bytes every time."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from domains.billing.documents.composing import allotted
from domains.billing.documents.drawing import draw, printable
from domains.billing.documents.papers import Column, Paper, Seal, numbered, restored

PAPER = Paper(
    "receipt", "翠苑小区", "杭州邻里物业服务有限公司",
    (("房号", "3号楼1单元101"), ("交款人", "张玥珺"), ("收款方式", "预存抵扣")),
    (Column("收费项目", 30), Column("账单号", 18), Column("计费期间", 34), Column("金额（元）", 18, is_figure=True)),
    (("物业费", "1024", "2026-01-01 至 2026-03-31", "1,230.00"), ("滞纳金", "1024", "", "0.05")),
    123005, "合计", ("尊敬的业主：",), ("本收据不是税务发票。",),
)  # fmt: skip
SEAL = Seal("SJ2026000001", "2026年11月21日", "https://linli.example/documents/" + "A" * 26)


def test_everything_on_the_paper_can_be_read_back() -> None:
    page = PdfReader(io.BytesIO(draw(PAPER, SEAL))).pages[0]
    text = page.extract_text()
    for words in (
        "翠苑小区", "收据", "SJ2026000001", "2026年11月21日", "3号楼1单元101", "张玥珺", "物业费",
        "2026-01-01 至 2026-03-31",
        "1,230.00", "合计：¥1,230.05", "人民币（大写）：壹仟贰佰叁拾元零伍分", "本收据不是税务发票。",
        "杭州邻里物业服务有限公司（盖章）", SEAL.address, "尊敬的业主：",
    ):  # fmt: skip
        assert words in text, words


def test_the_font_goes_with_the_paper() -> None:
    fonts = PdfReader(io.BytesIO(draw(PAPER, SEAL))).pages[0]["/Resources"]["/Font"]  # type: ignore[index]  # untyped by nature
    descriptors = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts.values()
    ]
    assert descriptors
    assert all(len(each.get_object()["/FontFile2"].get_object().get_data()) > 1000 for each in descriptors)


def test_the_same_paper_is_the_same_file_also_after_it_was_kept() -> None:
    kept = restored(orjson.loads(orjson.dumps(PAPER.content())))
    assert kept == PAPER
    assert kept.sha256 == PAPER.sha256
    assert draw(kept, SEAL) == draw(PAPER, SEAL)


def test_a_paper_that_says_something_else_has_another_digest() -> None:
    assert replace(PAPER, amount_fen=123006).sha256 != PAPER.sha256


def test_long_papers_have_their_head_on_every_page() -> None:
    pages = PdfReader(io.BytesIO(draw(replace(PAPER, rows=PAPER.rows * 40), SEAL))).pages
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "翠苑小区" in text
        assert f"第 {number} 页" in text
    assert "合计" in pages[-1].extract_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("张玥珺", "张玥珺"),
        ("堃喆祎翀", "堃喆祎翀"),
        ("𠮷野", "〓野"),
        ("两行\n文字\t😀", "两行 文字 〓"),
        ("", ""),
    ],
)
def test_what_the_font_lacks_is_marked_and_lines_are_one(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_fact_that_is_too_long_is_cut_and_says_so() -> None:
    long = replace(PAPER, facts=(("房号", "一" * 80), ("交款人", "张玥珺")))
    text = PdfReader(io.BytesIO(draw(long, SEAL))).pages[0].extract_text()
    assert "一…" in text
    assert "张玥珺" in text


def test_numbers_count_in_their_kind_and_year() -> None:
    assert numbered("receipt", 2026, 7) == "SJ2026000007"


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any), st.lists(st.floats(0, 1), max_size=5)
)
def test_parts_of_payments_sum_to_the_payment_and_in_the_end_to_the_lines(
    weights: list[int], cuts: list[float]
) -> None:
    whole = sum(weights)
    stops = sorted({0, whole, *(int(whole * cut) for cut in cuts)})
    parts = [allotted(weights, before, after - before) for before, after in pairwise(stops)]
    assert [sum(each) for each in parts] == [after - before for before, after in pairwise(stops)]
    assert [sum(line) for line in zip(*parts, strict=True)] == weights


def test_a_bill_without_anything_above_zero_has_no_parts() -> None:
    assert allotted([0, -5], 0, 0) == [0, 0]
