from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import text
from domains.kernel.errors import Invalid
from domains.kernel.text import InvalidText


def refusal(written: str, **options: object) -> str:
    with pytest.raises(InvalidText) as refused:
        text.clean(written, **{"max_length": 50, **options})  # type: ignore[arg-type]  # options vary by test
    assert any("一" <= char <= "鿿" for char in refused.value.message)
    return refused.value.code


def name_refusal(written: str) -> str:
    with pytest.raises(InvalidText) as refused:
        text.name(written, field="name")
    assert refused.value.field == "name"
    return refused.value.code


def test_blanks_around_are_dropped_and_prose_keeps_its_punctuation() -> None:
    assert text.clean("　楼道灯坏了，请维修（急）！ \n", max_length=50) == "楼道灯坏了，请维修（急）！"


def test_folding_makes_full_width_codes_plain() -> None:
    assert text.clean("１－１０１Ａ", max_length=10, fold=True) == "1-101A"


def test_decomposed_text_is_composed_before_it_is_measured() -> None:
    assert text.clean("e\u0301" * 5, max_length=5) == "é" * 5


@pytest.mark.parametrize(
    "hidden",
    [
        "\x00", "\x07", "\x1b", "\x7f", "\x85", "\n", "\t", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff",
        "\u00ad", "\u200e", "\u202a", "\u202e", "\u2066", "\u2069", "\u061c", "\u2028", "\ud800", "\uffff",
    ],
)  # fmt: skip
def test_characters_that_nobody_sees_are_refused(hidden: str) -> None:
    assert refusal(f"张{hidden}三") == "TEXT_INVISIBLE_CHARACTER"


def test_several_lines_only_where_they_are_asked_for() -> None:
    assert text.clean("一\r\n二\r三\t四", max_length=50, multiline=True) == "一\n二\n三\t四"
    assert refusal("一\x00\n二", multiline=True) == "TEXT_INVISIBLE_CHARACTER"


def test_an_emoji_family_is_one_picture_and_a_joiner_elsewhere_is_not() -> None:
    for emoji in ("👨‍👩‍👧", "👩🏽‍💻", "👩‍❤️‍👨"):
        assert text.clean(f"好{emoji}", max_length=50) == f"好{emoji}"
    assert refusal("👨\u200d") == "TEXT_INVISIBLE_CHARACTER"


def test_length_is_bounded_on_both_sides() -> None:
    assert text.clean("好" * 50, max_length=50) == "好" * 50
    assert refusal("好" * 51) == "TEXT_TOO_LONG"
    assert refusal("好" * 1_000_000) == "TEXT_TOO_LONG"
    assert refusal("\ufdfa" * 10, fold=True) == "TEXT_TOO_LONG"
    assert refusal(" \u3000\n") == "TEXT_EMPTY"
    assert refusal("短", min_length=2) == "TEXT_TOO_SHORT"
    assert text.clean("  ", max_length=5, min_length=0) == ""


def test_a_refusal_is_a_domain_error_and_a_value_error() -> None:
    refused = InvalidText("TEXT_EMPTY", "内容不能为空，请填写", "title")
    assert isinstance(refused, Invalid)
    assert isinstance(refused, ValueError)
    assert (refused.code, refused.field) == ("TEXT_EMPTY", "title")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("王芳", "王芳"),
        ("张　三", "张三"),
        (" 欧阳 娜娜 ", "欧阳 娜娜"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 ・ 买买提", "阿卜杜拉·买买提"),
        ("Mary-Jane  O'Neil", "Mary-Jane O'Neil"),
        ("Ｊｏｈｎ Smith Jr.", "John Smith Jr."),
        ("ئەركىن", "ئەركىن"),
        ("བསྟན་འཛིན", None),
        ("𠮷田", "𠮷田"),
        ("\U000323b0明", "\U000323b0明"),
        ("武〇", "武〇"),
        ("杭州三六零物业(代持)", "杭州三六零物业(代持)"),
        ("360物业公司", "360物业公司"),
    ],
)
def test_names_of_all_who_live_here(written: str, read: str | None) -> None:
    if read is None:  # the Tibetan syllable mark is punctuation; such names are registered in Chinese
        assert name_refusal(written) == "NAME_CHARACTER"
    else:
        assert text.name(written) == read


@pytest.mark.parametrize("written", ["", "张", "  ", "好" * 51])
def test_names_of_the_wrong_length(written: str) -> None:
    assert name_refusal(written) == "NAME_LENGTH"


@pytest.mark.parametrize(
    "written",
    [
        "<b>张三</b>", "张三<script>", "张三&lt;", "{{7*7}}", "张三;", "=张三", "-张三", "@张三",
        "张三、李四", "123", "１２３４", "··", "张三😀", "$张三", "张三|李四", "张三\"", "张/三",
    ],
)  # fmt: skip
def test_markup_formulas_digits_and_lists_are_no_names(written: str) -> None:
    assert name_refusal(written) == "NAME_CHARACTER"


def test_a_name_hides_nothing() -> None:
    assert name_refusal("张\u202e三") == "TEXT_INVISIBLE_CHARACTER"
    assert name_refusal("张\n三") == "TEXT_INVISIBLE_CHARACTER"


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing_and_never_fails_otherwise(written: str) -> None:
    for fold in (False, True):
        try:
            once = text.clean(written, max_length=60, fold=fold)
        except InvalidText:
            continue
        assert text.clean(once, max_length=60, fold=fold) == once
        assert len(once) <= 60


@given(st.text(max_size=60))
def test_a_name_read_twice_is_the_same_name(written: str) -> None:
    try:
        once = text.name(written)
    except InvalidText:
        return
    assert text.name(once) == once
    assert not set(once) & set('<>&"{};=')
