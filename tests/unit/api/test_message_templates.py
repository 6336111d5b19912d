"""Templates of the platforms: what may be set, what the stand-ins are given, what operators read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr, ValidationError

from api.keys import load_keys
from api.message_templates import SETTINGS, as_markdown, build_templates, console, made_templates
from api.platforms import with_stand_ins
from api.processes import CannotStart
from api.settings import REPOSITORY, Settings, refused_settings
from api.wiring import KINDS
from domains.platforms import Transports
from miniprogram_stub.platform.wechat_values import acceptable
from notifications.kinds import Channel, FieldType, fill
from tests.unit.api.test_platforms import at_home

FORMS = {
    Channel.WECHAT: r"[A-Za-z0-9_-]{43}", Channel.ALIPAY: r"[a-z0-9]{32}",
    Channel.SMS: r"SMS_[0-9]{9}", Channel.VOICE: r"TTS_[0-9]{9}",
}  # fmt: skip
SAMPLE: dict[FieldType, object] = {
    FieldType.TEXT: "1号楼1单元101", FieldType.NUMBER: 3, FieldType.MONEY: 1999,
    FieldType.INSTANT: "2026-11-21T07:01:00+00:00", FieldType.DAY: "2026-11-21",
}  # fmt: skip


def settings(home: Path, **given: Any) -> Settings:  # Any: what a setting may be
    """Settings with a home where nothing is."""
    return Settings(home=home, **given)


def everything() -> Transports:
    """Every platform is set up; nobody calls it here."""
    way = cast("Any", object())  # Any: of four types
    return Transports(wechat=way, alipay=way, sms=way, voice=way)


@pytest.mark.parametrize("channel", FORMS)
def test_made_ids_look_like_the_platforms_and_are_one_per_kind(channel: Channel, tmp_path: Path) -> None:
    made = made_templates(Settings(home=tmp_path), channel)
    assert set(made) == {kind.name for kind in KINDS if kind.keywords(channel)}
    assert all(re.fullmatch(FORMS[channel], id) for id in made.values())
    assert len(set(made.values())) == len(made)
    given = {"registration.approved": "chosen"}
    assert made_templates(settings(tmp_path, **{SETTINGS[channel]: given}), channel) == given


def test_templates_are_of_the_channels_that_are_set_up(tmp_path: Path) -> None:
    ids = {"registration.approved": "SMS_1"}
    given = settings(tmp_path, sms_templates=ids, wechat_templates=ids)
    assert build_templates(given, Transports()) == {}
    found = build_templates(given, everything())
    assert found == {Channel.SMS: ids, Channel.WECHAT: ids, Channel.ALIPAY: {}, Channel.VOICE: {}}


NOT_CARRIED = (
    ("sms_templates", "no.such"), ("sms_templates", "vehicle.registered"), ("voice_templates", "job.failed"),
)  # fmt: skip


@pytest.mark.parametrize(("setting", "kind"), NOT_CARRIED)
def test_a_kind_that_the_channel_does_not_carry_keeps_the_program_from_starting(
    setting: str, kind: str, tmp_path: Path
) -> None:
    given = settings(tmp_path, **{setting: {kind: "id"}})
    with pytest.raises(CannotStart, match=f"LINLI_{setting.upper()} 中没有这些通知类型:{kind}"):
        build_templates(given, Transports())


@pytest.mark.parametrize("given", ["{", "[]", "SMS_1", '{"a": 1}', '{"a": ""}', '{"a": null}'])
def test_what_is_no_object_of_ids_is_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_SMS_TEMPLATES", given)
    with pytest.raises(ValidationError) as refused:
        Settings()
    (told,) = refused_settings(refused.value)
    assert told.startswith("LINLI_SMS_TEMPLATES 应为 JSON 对象")


def test_ids_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: dict[str, dict[str, str]] = {
        "": {},
        '{"registration.approved": "SMS_1"}': {"registration.approved": "SMS_1"},
    }
    for given, read in texts.items():
        monkeypatch.setenv("LINLI_SMS_TEMPLATES", given)
        assert Settings().sms_templates == read


def test_the_console_has_what_is_sent_and_nothing_else(tmp_path: Path) -> None:
    made = {SETTINGS[channel]: made_templates(Settings(home=tmp_path), channel) for channel in FORMS}
    files = {file: json.loads(text) for file, text in console(settings(tmp_path, **made)).items()}
    approved = next(kind for kind in KINDS if kind.name == "registration.approved")
    wechat = files["wechat_templates.json"][made["wechat_templates"][approved.name]]
    assert wechat == {"title": "登记审核通过", "keywords": ["thing1", "phrase2", "time3"]}
    assert set(files["alipay_templates.json"]) == set(made["alipay_templates"].values())
    for kind in KINDS:
        if kind.sms:
            text = files["sms_templates.json"][made["sms_templates"][kind.name]]["text"]
            assert set(re.findall(r"\$\{(\w+)\}", text)) == set(kind.sms)
    assert set(files["sms_templates.json"]) == {
        *made["sms_templates"].values(),
        *made["voice_templates"].values(),
    }
    assert console(Settings(home=tmp_path)) == dict.fromkeys(files, "{}")


def test_keywords_stand_for_keywords_of_their_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"registration.approved": {"thing1": "thing6", "time3": "time2"}}
    ids = {"registration.approved": "x" * 43}
    chosen = settings(tmp_path, wechat_templates=ids, wechat_keywords=names)
    build_templates(chosen, everything())
    wechat = json.loads(console(chosen)["wechat_templates.json"])
    assert wechat["x" * 43]["keywords"] == ["thing6", "phrase2", "time2"]
    monkeypatch.setenv("LINLI_WECHAT_KEYWORDS", json.dumps(names))
    assert Settings().wechat_keywords == names


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("no.such", {"thing1": "thing2"}),
        ("registration.approved", {"thing9": "thing2"}),
        ("registration.approved", {"thing1": "time9"}),
        ("invitation.received", {"thing1": "thing2"}),
    ],
)
def test_keywords_that_do_not_fit_are_refused_at_start(
    tmp_path: Path, kind: str, names: dict[str, str]
) -> None:
    with pytest.raises(CannotStart, match=f"LINLI_WECHAT_KEYWORDS 中 {kind}"):
        build_templates(settings(tmp_path, wechat_keywords={kind: names}), everything())


@pytest.mark.parametrize("given", ["[]", "{", '{"a": 1}', '{"a": {"b": 2}}'])
def test_keywords_that_are_no_names_are_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_WECHAT_KEYWORDS", given)
    with pytest.raises(ValidationError, match="关键词的对照"):
        Settings()


def test_stand_ins_are_told_what_is_sent_to_them_and_nothing_of_real_platforms(tmp_path: Path) -> None:
    keys = load_keys(Settings(home=tmp_path / "keys"))
    real = {
        "wechat_app_id": "wx-real",
        "wechat_secret": SecretStr("s"),
        "sms_templates": {"job.failed": "SMS_7"},
    }
    reached = with_stand_ins(at_home(tmp_path, keys, **real), keys, "http://127.0.0.1:9")
    kept = {
        path.name: json.loads(path.read_text()) for path in (tmp_path / "platform").glob("*_templates.json")
    }
    assert (reached.wechat_templates, kept["wechat_templates.json"]) == ({}, {})
    assert set(kept["alipay_templates.json"]) == set(reached.alipay_templates.values()) != set()
    sms = [each for each in kept["sms_templates.json"] if each.startswith("SMS_")]
    assert sms == ["SMS_7"]
    assert build_templates(reached, everything())[Channel.ALIPAY] == reached.alipay_templates


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.wechat], ids=lambda kind: kind.name)
def test_wechat_takes_what_a_kind_fills_in(kind: Any) -> None:  # Any: a Kind, by its parameter
    written = kind.written({name: SAMPLE[type_] for name, type_ in kind.fields.items()}, "zh")
    for keyword, template in kind.wechat.items():
        assert acceptable(keyword, fill(template, written)), (keyword, fill(template, written))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_words_fit_a_phone(kind: Any) -> None:  # Any: a Kind, by its parameter
    assert len(kind.label.zh) <= 10 and kind.label.en
    assert len(kind.title.zh) <= 24 and len(kind.title.en) <= 50
    assert len(kind.body.zh) <= 60 and len(kind.body.en) <= 100
    assert all((kind.purpose.zh, kind.purpose.en)) or not kind.audience


def test_the_operators_table_is_current() -> None:
    assert (REPOSITORY / "docs" / "notifications.md").read_text(encoding="utf-8") == as_markdown()
