"""网页授权登录: a browser is led to a platform's page and back, to addresses that were registered and to no others."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.unit.stand_ins.stand import Json, Stand
from tests.unit.stand_ins.test_alipay import exchanged, refused
from tests.unit.stand_ins.test_wechat import phone_number, session, stable_token

SITE = "http://127.0.0.1:8000/app/"
RETURN = f"{SITE}#/pages/sign-in/index"
STATE = "5f1d2c3b4a59687786950a1b2c3d4e5f"
NASTY = '"><script>alert(1)</script>'
PEOPLE = [{"name": "沈嘉树", "phone": "19900001001"}, {"name": "周桂芳", "phone": "19900001003"}]


@pytest.fixture(autouse=True, scope="module")
def registered(stand: Stand) -> None:
    stand.write("return_addresses.json", [SITE, "http://localhost:8000/app/"])
    stand.write("people.json", PEOPLE)


def query(stand: Stand, platform: str, **changed: str) -> dict[str, str]:
    app = stand.credentials[platform]
    asked = {"app_id": app.get("appid") or app["app_id"], "return_to": RETURN, "state": STATE, **changed}
    return {name: value for name, value in asked.items() if value}


def shown(stand: Stand, platform: str, **changed: str) -> httpx.Response:
    return stand.http.get(f"/sign-in/{platform}", params=query(stand, platform, **changed))


def agreed(
    stand: Stand, platform: str, changed: dict[str, str] | None = None, /, **form: str
) -> httpx.Response:
    params = query(stand, platform, **(changed or {}))
    return stand.http.post(f"/sign-in/{platform}", params=params, data={"answer": "allow", **form})


def led(answer: httpx.Response) -> Json:
    """What the site gets, and that it is led to nowhere else."""
    assert answer.status_code == 303
    address, _, given = answer.headers["location"].partition("?")
    assert address == RETURN
    found = dict(parse_qsl(given))
    assert found.pop("state") == STATE
    return found


def codes(stand: Stand) -> int:
    return int(stand.books("SELECT count(*) FROM codes")[0][0])


@pytest.mark.parametrize(
    ("platform", "title"), [("wechat", "微信登录（替身）"), ("alipay", "支付宝登录（替身）")]
)
def test_the_page_names_the_site_and_the_people(stand: Stand, platform: str, title: str) -> None:
    page = shown(stand, platform)
    assert page.status_code == 200
    assert title in page.text and "127.0.0.1:8000" in page.text
    assert all(each["name"] in page.text and each["phone"] in page.text for each in PEOPLE)
    assert page.text.count(" checked") == 2


def test_who_agrees_at_wechat_goes_back_with_codes_that_are_good_once(stand: Stand) -> None:
    given = led(agreed(stand, "wechat", person="沈嘉树", with_phone="1"))
    assert set(given) == {"code", "phone_code"}
    assert "openid" in session(stand, given["code"])
    assert session(stand, given["code"])["errcode"] == 40163
    token = stable_token(stand)["access_token"]
    told = phone_number(stand, token, given["phone_code"])
    assert told["phone_info"]["purePhoneNumber"] == "19900001001"
    assert phone_number(stand, token, given["phone_code"])["errcode"] != 0


def test_who_agrees_at_alipay_goes_back_with_a_code_that_is_good_once(stand: Stand) -> None:
    given = led(agreed(stand, "alipay", person="沈嘉树", with_phone="1"))
    assert set(given) == {"code", "phone_response", "phone_sign"}
    assert "user_id" in exchanged(stand, code=given["code"])
    assert refused(stand, code=given["code"])[1] == "isv.code-is-used"


@pytest.mark.parametrize("platform", ["wechat", "alipay"])
def test_a_number_is_given_only_where_the_person_says_so(stand: Stand, platform: str) -> None:
    assert set(led(agreed(stand, platform, person="周桂芳"))) == {"code"}


@pytest.mark.parametrize("platform", ["wechat", "alipay"])
def test_a_code_lives_five_minutes(stand: Stand, platform: str) -> None:
    code = led(agreed(stand, platform, person="周桂芳"))["code"]
    [(expires_at,)] = stand.books("SELECT expires_at FROM codes WHERE code = ?", code)
    assert 290 < expires_at - time.time() <= 300


def test_somebody_else_is_named_with_a_number(stand: Stand) -> None:
    given = led(agreed(stand, "wechat", person="", name="马晓峰", phone="19900008888", with_phone="1"))
    assert stand.books("SELECT person FROM codes WHERE code = ?", given["code"])[0][0] == "马晓峰"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"person": "", "with_phone": "1"}, "请选择您是谁"),
        ({"person": "没有这个人"}, "请重新选择您是谁"),
        ({"person": "", "name": "马晓峰", "phone": "123", "with_phone": "1"}, "phone 须为 11 位"),
        ({"person": "", "name": NASTY * 4, "phone": "19900008888"}, "姓名 须为"),
    ],
)
def test_what_makes_no_sense_is_said_and_what_was_typed_stays(
    stand: Stand, form: dict[str, str], words: str
) -> None:
    before = codes(stand)
    page = agreed(stand, "wechat", None, **form)
    assert page.status_code == 400
    assert words in page.text and "<script>" not in page.text
    assert form.get("phone", "") in page.text
    assert codes(stand) == before


@pytest.mark.parametrize("platform", ["wechat", "alipay"])
def test_who_turns_away_goes_back_without_a_code(stand: Stand, platform: str) -> None:
    before = codes(stand)
    assert led(agreed(stand, platform, answer="cancel", person="沈嘉树")) == {"error": "access_denied"}
    assert codes(stand) == before


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/app/", "http://127.0.0.1:8000.evil.example/app/", "http://127.0.0.1:8000@evil.example/app/",
        "//evil.example/app/", "http://127.0.0.1:8001/app/", "https://127.0.0.1:8000/app/", "http://127.0.0.1:8000/app/../v/",
        "http://127.0.0.1:8000/app/?next=https://evil.example", "http://127.0.0.1:8000\\@evil.example/app/", "/app/",
        "javascript:alert(1)//127.0.0.1:8000/app/", f"{SITE}\r\nSet-Cookie: a=b", "http://127.0.0.1:8000", "", "#",
    ],
)  # fmt: skip
def test_nobody_is_led_to_an_address_that_is_not_registered(stand: Stand, foreign: str) -> None:
    before = codes(stand)
    page = shown(stand, "wechat", return_to=foreign)
    submitted = agreed(stand, "wechat", {"return_to": foreign}, person="沈嘉树")
    turned = agreed(stand, "wechat", {"return_to": foreign}, person="沈嘉树", answer="cancel")
    for answer in (page, submitted, turned):
        assert answer.status_code == 400 and "location" not in answer.headers
        assert "没有登记" in answer.text and "evil" not in answer.text
    assert codes(stand) == before


def test_another_registered_name_of_the_same_machine_is_led_to(stand: Stand) -> None:
    back = "http://localhost:8000/app/#/pages/sign-in/index"
    answer = agreed(stand, "wechat", {"return_to": back}, person="沈嘉树")
    assert urlsplit(answer.headers["location"]).netloc == "localhost:8000"


@pytest.mark.parametrize("state", ["", "short", "a b" * 10, "x" * 129])
def test_without_a_state_nobody_signs_in(stand: Stand, state: str) -> None:
    assert shown(stand, "alipay", state=state).status_code == 400
    assert agreed(stand, "alipay", {"state": state}, person="沈嘉树").status_code == 400


def test_another_app_is_refused_and_another_platform_is_not_there(stand: Stand) -> None:
    assert shown(stand, "wechat", app_id="wx0").status_code == 400
    assert shown(stand, "alipay", app_id=stand.credentials["wechat"]["appid"]).status_code == 400
    assert stand.http.get("/sign-in/qq").status_code == 400


def test_what_led_here_does_not_answer_for_the_person(stand: Stand) -> None:
    params = {**query(stand, "wechat"), "person": "沈嘉树", "with_phone": "1", "answer": "allow"}
    assert led(stand.http.post("/sign-in/wechat", params=params, data={})) == {"error": "access_denied"}


@pytest.mark.parametrize("content", [{}, None, "text", [7]])
def test_files_that_cannot_be_read_register_nothing(stand: Stand, content: object) -> None:
    try:
        stand.write("return_addresses.json", content)
        stand.write("people.json", content)
        assert shown(stand, "wechat").status_code == 400
    finally:
        stand.write("return_addresses.json", [SITE, "http://localhost:8000/app/"])
        stand.write("people.json", PEOPLE)
