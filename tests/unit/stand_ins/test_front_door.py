"""The phones' side: bad input gets a sentence and leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.unit.stand_ins.stand import Stand


def test_health(stand: Stand) -> None:
    assert stand.http.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["wechat/login", "wechat/phone", "alipay/login", "alipay/phone"])
@pytest.mark.parametrize(
    "body",
    [
        '{"person":""}',
        '{"person":7}',
        '{"person":"\\ud800"}',
        '{"person":"a\\u0000"}',
        "{}",
        "[]",
        "",
        "[" * 9999,
    ],
)
def test_nobody_is_created_by_bad_input(stand: Stand, path: str, body: str) -> None:
    before = stand.books("SELECT count(*) FROM people"), stand.books("SELECT count(*) FROM codes")
    answer = stand.http.post(f"/open/{path}", content=body)
    assert answer.status_code == 400
    assert "须" in answer.json()["error"]
    assert (stand.books("SELECT count(*) FROM people"), stand.books("SELECT count(*) FROM codes")) == before


@pytest.mark.parametrize(
    "phone", ["", "1234567890", "12800000000", "+8613800000000", 13800000000, "１３８００００００００"]
)
@pytest.mark.parametrize("platform", ["wechat", "alipay"])
def test_a_phone_number_is_a_mainland_one(stand: Stand, platform: str, phone: object) -> None:
    answer = stand.http.post(f"/open/{platform}/phone", json={"person": "甲", "phone": phone})
    assert answer.status_code == 400


def test_one_person_is_known_on_both_platforms(stand: Stand) -> None:
    stand.open("wechat/login", person="双栖")
    stand.open("alipay/login", person="双栖")
    assert len(stand.books("SELECT * FROM people WHERE name = '双栖'")) == 1


def test_a_phone_without_messages(stand: Stand) -> None:
    assert stand.sms_to("13000000000") == []
    assert stand.http.get("/sms").status_code == 200
