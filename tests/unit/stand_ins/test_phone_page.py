"""What the phones show: one list for programs, one page for people, and the links between the pages."""

from __future__ import annotations

import secrets

import pytest

from tests.unit.stand_ins.pushing import someone
from tests.unit.stand_ins.stand import Stand, send_sms
from tests.unit.stand_ins.test_voice import call


def number() -> str:
    return f"188{secrets.randbelow(10**8):08d}"


def test_messages_of_a_person_come_oldest_first_whatever_the_channel(stand: Stand) -> None:
    stand.write("sms_templates.json", {"TTS_100": {"text": "火警，${place}"}})
    pusher, phone = someone(stand), number()
    pusher.push(b"one")
    send_sms(stand, phone)
    call(stand, phone)
    assert [message["channel"] for message in stand.messages(person=pusher.person)] == ["push"]
    stand.open("wechat/phone", person=pusher.person, phone=phone)
    pusher.push(b"four")
    found = stand.messages(person=pusher.person)
    assert [message["channel"] for message in found] == ["push", "sms", "voice", "push"]
    assert {message["person"] for message in found} == {pusher.person}
    assert [message["id"] for message in found] == sorted(message["id"] for message in found)
    assert found == sorted(found, key=lambda message: float(message["sent_at"]))
    assert [m["channel"] for m in stand.messages(person=phone)] == ["sms", "voice"]
    assert [m["text"] for m in stand.messages(person=pusher.person, channel="push")] == ["one", "four"]
    assert [m["text"] for m in stand.messages(person=pusher.person, after=found[2]["id"])] == ["four"]


def test_a_number_told_to_alipay_is_that_persons_too(stand: Stand) -> None:
    phone = number()
    send_sms(stand, phone)
    stand.open("alipay/phone", person="有号码的人", phone=phone)
    assert [message["phone"] for message in stand.messages(person="有号码的人")] == [phone]


def test_a_long_list_comes_in_pieces(stand: Stand) -> None:
    rows = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1001)"
    stand.books(
        "INSERT INTO messages (channel, person, phone, template, title, text, page, content, platform_id,"
        f" sent_at) {rows} SELECT 'push', '多', '', '', '', i, '', '', '', 0 FROM n"
    )
    texts = [int(message["text"]) for message in stand.messages(person="多")]
    assert texts == list(range(502, 1002))
    found, after = [], 0
    while page := stand.messages(person="多", after=after):
        after = page[-1]["id"]
        found += [int(message["text"]) for message in page]
    assert found == list(range(1, 1002))


@pytest.mark.parametrize("query", [{"channel": "fax"}, {"after": "x"}, {"after": "-1"}, {"after": "9" * 19}])
def test_a_question_that_makes_no_sense(stand: Stand, query: dict[str, str]) -> None:
    answer = stand.http.get("/open/messages", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_page_shows_everybody_newest_first_and_runs_nothing(stand: Stand) -> None:
    first, second = someone(stand), someone(stand)
    first.push(b'{"title":"<script>1</script>","body":"<b>x</b>\\ny"}')
    second.push("后来的".encode())
    page = stand.http.get("/phone")
    assert page.headers["content-type"].startswith("text/html")
    assert "&lt;script&gt;1&lt;/script&gt;" in page.text and "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "<script" not in page.text and "<b>" not in page.text
    assert page.text.index("后来的") < page.text.index(first.person)
    assert 'name="viewport"' in page.text and 'http-equiv="refresh"' in page.text
    alone = stand.http.get("/phone", params={"person": first.person}).text
    assert first.person in alone and second.person not in alone


def test_the_pages_lead_to_each_other(stand: Stand) -> None:
    assert 'href="/sms"' in stand.http.get("/phone").text
    assert 'href="/phone"' in stand.http.get("/sms").text


def test_a_person_without_messages(stand: Stand) -> None:
    assert stand.messages(person="没有消息的人") == []
    assert "还没有消息" in stand.http.get("/phone", params={"person": "没有消息的人"}).text
