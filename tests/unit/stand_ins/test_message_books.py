"""What a restart keeps of messages, consents, subscriptions and receivers; and books of an earlier version."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.unit.stand_ins import test_hooks as hooks
from tests.unit.stand_ins import test_subscribe_messages as wechat
from tests.unit.stand_ins.pushing import Pusher
from tests.unit.stand_ins.stand import running, send_sms

EARLIER = """
CREATE TABLE sms_messages (
    id INTEGER PRIMARY KEY, biz_id TEXT NOT NULL, phone TEXT NOT NULL, sign_name TEXT NOT NULL,
    template_code TEXT NOT NULL, kind TEXT NOT NULL, params TEXT NOT NULL, text TEXT NOT NULL,
    sent_at REAL NOT NULL
);
INSERT INTO sms_messages VALUES (1, 'b', '15500000000', '邻里', 'SMS_480000001', 'code', '{}', '旧短信', 1);
"""


def test_a_restart_keeps_the_books(tmp_path: Path) -> None:
    with running(tmp_path) as stand:
        stand.write("wechat_templates.json", wechat.TEMPLATES)
        wechat.consent(stand, "老周", times=2)
        openid = wechat.openid_of(stand, "老周")
        assert wechat.send(stand, openid)["errcode"] == 0
        stand.open("hooks", name="kept", secret=hooks.SECRET)
        assert hooks.deliver(stand, "kept").status_code == 204
        pusher = Pusher(stand, "老周")
        stand.http.post(f"/open/push/subscriptions/{pusher.token}/offline")
        origin = pusher.origin
        assert pusher.push(b"waits").status_code == 201
        before = stand.messages(person="老周")
        stand.process.kill()
        stand.process.wait(5)
    with running(tmp_path, stand.app_key) as again:
        assert again.messages(person="老周") == before
        assert [wechat.send(again, openid)["errcode"] for _ in range(2)] == [0, 43101]
        assert hooks.deliver(again, "kept").status_code == 204
        assert hooks.kept(again, "kept")[0]["times"] == 2
        assert again.http.post(f"/open/push/subscriptions/{pusher.token}/online").status_code == 204
        assert again.messages(person="老周")[-1]["text"] == "waits"
        pusher.stand = again
        assert pusher.push(b"new", authorization=pusher.authorization(aud=origin)).status_code == 201


def test_books_of_an_earlier_version_are_read_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "books.sqlite3")) as rows:
        rows.executescript(EARLIER)
    with running(tmp_path) as stand:
        assert [message["text"] for message in stand.sms_to("15500000000")] == ["旧短信"]
        assert send_sms(stand, "15500000000").json()["Code"] == "OK"
        assert len(stand.sms_to("15500000000")) == 2
