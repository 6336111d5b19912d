"""Values that WeChat takes: whatever a name or a reason is, it does not have the message refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprogram_stub.platform.wechat_values import acceptable
from notifications.channels.wechat_values import cut, fitted


@pytest.mark.parametrize(
    ("keyword", "value", "shown"),
    [
        ("thing1", "物业通知", "物业通知"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十零", "一二三四五六七八九十一二三四五六七八九…"),
        ("thing2", "第一行\n第二行\u200b", "第一行 第二行"),
        ("thing2", "  ", "-"),
        ("name1", "迪丽热巴·迪力木拉提·买买提", "迪丽热巴·迪力木拉…"),
        ("name1", "Alexander Maximilian Schmidt", "Alexander Maximilia…"),
        ("name1", "张3", "张"),
        ("name1", "", "-"),
        ("phrase3", "审核已经通过了", "审核已经通"),
        ("phrase3", "", "无"),
        ("character_string4", "３－１－１０１号", "3-1-101"),
        ("character_string4", "x" * 40, "x" * 32),
        ("character_string4", "号楼", "-"),
        ("car_number5", "粤A·8Z888挂", "粤A8Z888挂"),
        ("car_number5", "浙AD12345", "浙AD12345"),
        ("phone_number6", "0571-88886666 转 12345678", "0571-88886666 123"),
        ("amount7", "¥1,280.50", "¥1280.50"),
        ("number8", "3", "3"),
        ("letter9", "A-1", "A"),
        ("symbol10", "a!!", "!!"),
        ("time11", "2026年11月21日 15:01", "2026年11月21日 15:01"),
        ("date12", "2026-11-21", "2026-11-21"),
    ],
)
def test_what_is_too_long_or_of_another_form_is_made_to_fit(keyword: str, value: str, shown: str) -> None:
    assert fitted(keyword, value, value) == shown
    assert acceptable(keyword, shown)


@pytest.mark.parametrize(
    ("keyword", "english", "chinese"),
    [("time1", "21 Nov 2026, 15:01", "2026年11月21日 15:01"), ("phrase2", "Approved", "已通过")],
)
def test_what_fits_in_chinese_only_is_sent_in_chinese(keyword: str, english: str, chinese: str) -> None:
    assert fitted(keyword, english, chinese) == chinese


@pytest.mark.parametrize("keyword", ["time1", "amount2", "number3", "car_number4", "enum5"])
def test_nothing_is_made_up_where_no_value_fits(keyword: str) -> None:
    assert fitted(keyword, "？？", "") == "？？"


@given(
    st.sampled_from(["thing1", "name2", "phrase3", "character_string4", "phone_number5", "symbol6"]),
    st.text(),
)
def test_no_text_whatever_has_the_message_refused(keyword: str, text: str) -> None:
    assert acceptable(keyword, fitted(keyword, text, text)), (keyword, text)


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_is_as_short_as_platforms_count(text: str, most: int) -> None:
    assert len(cut(text, most).encode("utf-16-le", "ignore")) <= 2 * most
