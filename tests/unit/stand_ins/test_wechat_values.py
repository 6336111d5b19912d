"""订阅消息参数值内容限制 over HTTP: each kind of keyword at its limit, and one over."""

from __future__ import annotations

import pytest

from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.test_subscribe_messages import openid_of, send

PERSON = "限值"

GOOD = {
    "thing": ["字" * 20, "A1, 混合!", "a"],
    "number": ["1" * 32, "3.14", "0"],
    "letter": ["a" * 32, "Z"],
    "symbol": ["!@#$%", "_", "。"],
    "character_string": ["a" * 32, "A-1 /x", "~"],
    "time": [
        "15:01",
        "2026年11月21日 15:01",
        "2026-11-21 23:59:59",
        "9:05",
        "00:00~23:59",
        "2026年1月1日 08:00~2026年1月2日 18:00",
    ],
    "date": [
        "2026年11月21日",
        "2026-11-21",
        "2026/11/21 15:01",
        "2026.11.21",
        "11-21",
        "2026年11月",
        "11月21日",
    ],
    "amount": ["¥1234567890.12", "0元", "$12.5", "￥8元", "100"],
    "phone_number": ["+86-0766-66888866", "13800000000"],
    "car_number": ["粤A8Z888挂", "京AD12345", "粤B12345"],
    "name": ["十" * 10, "a" * 20, "O'Neil J.", "王A"],
    "phrase": ["配送中", "五个字正好"],
}
BAD = {
    "thing": ["字" * 21, "", " ", "换\n行", "\t"],
    "number": ["1" * 33, "1.2.3", "-1", "一", "1e9", "１"],
    "letter": ["a" * 33, "a1", "字"],
    "symbol": ["!@#$%^", "a", "字", "1"],
    "character_string": ["a" * 33, "字", "é"],
    "time": [
        "25:00",
        "15:60",
        "15：01",
        "2026年13月1日 15:01",
        "2026年11月32日 15:01",
        "2026年11月21日",
        "3 pm",
    ],
    "date": ["2026年13月1日", "15:01", "2026年11月21日 24:01", "20261121", "明天"],
    "amount": ["12345678901", "¥¥1", "12.", "一元", "-1", "1元元"],
    "phone_number": ["1" * 18, "电话"],
    "car_number": ["粤B1234567", "粤B粤123", "-"],
    "name": ["十" * 11, "a" * 21, "用户410774", "7"],
    "phrase": ["六个字就多了", "配送1", "ok"],
    "riddle": ["x"],
}


def errcode(stand: Stand, kind: str, value: str) -> int:
    keyword = f"{kind}3"
    stand.write("wechat_templates.json", {"t": {"title": "限值", "keywords": [keyword]}})
    data = {keyword: {"value": value}}
    return int(send(stand, openid_of(stand, PERSON), template_id="t", data=data)["errcode"])


@pytest.fixture(scope="module", autouse=True)
def consented(stand: Stand) -> None:
    stand.write("wechat_templates.json", {"t": {"title": "限值", "keywords": ["thing1"]}})
    stand.open("wechat/consent", person=PERSON, template="t", times=100)


@pytest.fixture(autouse=True)
def rested(stand: Stand) -> None:
    stand.books("DELETE FROM codes")


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in GOOD for value in GOOD[kind]])
def test_within_the_limit(stand: Stand, kind: str, value: str) -> None:
    assert errcode(stand, kind, value) == 0


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in BAD for value in BAD[kind]])
def test_over_the_limit(stand: Stand, kind: str, value: str) -> None:
    assert errcode(stand, kind, value) == 47003
