"""Which template of a platform carries which kind of notice (消息模板): the operator's choice, or the stand-ins'."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping

from api.processes import CannotStart
from api.settings import Settings, env_name
from api.wiring import KINDS
from domains.platforms import Transports
from notifications.channels.wechat import Names
from notifications.kinds import Channel, Kind
from notifications.notifying import Templates

SETTINGS: Mapping[Channel, str] = {
    Channel.WECHAT: "wechat_templates",
    Channel.ALIPAY: "alipay_templates",
    Channel.SMS: "sms_templates",
    Channel.VOICE: "voice_templates",
}
"""Channel → the setting that holds name of a kind → id of the template."""


def build_templates(settings: Settings, transports: Transports) -> Templates:
    """The templates of the channels that are set up. Raises CannotStart for a kind that there is not, or that
    has no words for the channel."""
    if problems := list(_problems(settings)):
        raise CannotStart("\n".join(problems))
    ways = {
        Channel.WECHAT: transports.wechat, Channel.ALIPAY: transports.alipay,
        Channel.SMS: transports.sms, Channel.VOICE: transports.voice,
    }  # fmt: skip
    return {channel: getattr(settings, SETTINGS[channel]) for channel, way in ways.items() if way is not None}


def _problems(settings: Settings) -> Iterator[str]:
    for channel, name in SETTINGS.items():
        unknown = sorted(set(getattr(settings, name)) - {kind.name for kind in _carried(channel)})
        if unknown:
            yield f"{env_name(name)} 中没有这些通知类型:{'、'.join(unknown)},可用的名称见 docs/notifications.md"
    keywords = {kind.name: kind.wechat for kind in _carried(Channel.WECHAT)}
    for kind, names in settings.wechat_keywords.items():
        if not _fits(keywords.get(kind, {}), names):
            yield f"LINLI_WECHAT_KEYWORDS 中 {kind} 的对照不对:两边须是同一类型的关键词且不重复,见 docs/notifications.md"


def _fits(ours: Mapping[str, str], names: Mapping[str, str]) -> bool:
    """Whether the keywords are the kind's, each stands for one of its type, and no two for the same."""
    taken = [names.get(name, name) for name in ours]
    alike = all(_type_of(name) == _type_of(theirs) for name, theirs in names.items())
    return set(names) <= set(ours) and alike and len(set(taken)) == len(ours)


def _type_of(keyword: str) -> str:
    return keyword.rstrip("0123456789")


def _carried(channel: Channel) -> list[Kind]:
    """The kinds that have words for the channel's templates."""
    return [kind for kind in KINDS if kind.keywords(channel)]


def made_templates(settings: Settings, channel: Channel) -> Mapping[str, str]:
    """What the operator has set for the channel, else an id for every kind, in the platform's form."""
    given: Mapping[str, str] = getattr(settings, SETTINGS[channel])
    return given or {kind.name: _made_id(channel, kind.name) for kind in _carried(channel)}


def _made_id(channel: Channel, kind: str) -> str:
    digest = hashlib.sha256(f"{channel}:{kind}".encode()).digest()
    if channel is Channel.WECHAT:
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if channel is Channel.ALIPAY:
        return digest.hex()[:32]
    prefix = "TTS" if channel is Channel.VOICE else "SMS"
    return f"{prefix}_{int.from_bytes(digest) % 10**9:09d}"


def console(settings: Settings) -> dict[str, str]:
    """What an operator would have chosen in the platforms' consoles, as the stand-ins read it: file → JSON."""
    spoken = {**_texts(settings, Channel.SMS), **_texts(settings, Channel.VOICE)}
    chosen = {
        "wechat_templates.json": _forms(settings, Channel.WECHAT, settings.wechat_keywords),
        "alipay_templates.json": _forms(settings, Channel.ALIPAY, {}),
        "sms_templates.json": spoken,
    }
    return {file: json.dumps(templates, ensure_ascii=False, indent=1) for file, templates in chosen.items()}


def _chosen(settings: Settings, channel: Channel) -> Iterator[tuple[str, Kind]]:
    ids: Mapping[str, str] = getattr(settings, SETTINGS[channel])
    return ((ids[kind.name], kind) for kind in _carried(channel) if kind.name in ids)


def _forms(settings: Settings, channel: Channel, names: Names) -> dict[str, object]:
    return {
        id: {
            "title": kind.label.zh,
            "keywords": [names.get(kind.name, {}).get(each, each) for each in kind.keywords(channel)],
        }
        for id, kind in _chosen(settings, channel)
    }


def _texts(settings: Settings, channel: Channel) -> dict[str, object]:
    return {id: {"text": template_text(kind, channel)} for id, kind in _chosen(settings, channel)}


def template_text(kind: Kind, channel: Channel) -> str:
    """A text for the console of SMS or voice, with a variable for each parameter."""
    return (
        f"{kind.label.zh}：{'，'.join(f'${{{name}}}' for name in kind.keywords(channel))}。详情请登录查看。"
    )


_HEAD = """# Notices and their templates 通知与消息模板

Written by `make schema` from the kinds of notices in the program; do not edit.

Every notice is in the inbox. By WeChat, Alipay, SMS and voice it goes where the platform's template for it is set: choose
a template with keywords of these types in the platform's console, and name its id in
`LINLI_WECHAT_TEMPLATES`, `LINLI_ALIPAY_TEMPLATES`, `LINLI_SMS_TEMPLATES` or `LINLI_VOICE_TEMPLATES`, a JSON object from the
kind to the id:

    LINLI_WECHAT_TEMPLATES='{"registration.approved": "fbCYxmXbjPmnzs0Fo6xHYHBzMmEfGDKmNQVVQvFbxQE"}'
    LINLI_SMS_TEMPLATES='{"registration.approved": "SMS_480000123"}'

WeChat's library numbers the keywords of a template itself. Where they differ from the table, `LINLI_WECHAT_KEYWORDS` says
which stands for which; both must be of one type (`thing`, `time`, …):

    LINLI_WECHAT_KEYWORDS='{"registration.approved": {"thing1": "thing6", "time3": "time2"}}'

`on` are the channels that are on unless a person turns them off; `high` and `urgent` do not wait for the end of quiet hours.
"""


def as_markdown() -> str:
    """What an operator sets up in the consoles, as docs/notifications.md has it."""
    return "\n".join((_HEAD, *_kinds_table(), *_templates_table(), *_texts_table()))


def _kinds_table() -> Iterator[str]:
    yield from (
        "## Kinds",
        "",
        "| kind | 名称 | for | urgency | on | what for |",
        "|---|---|---|---|---|---|",
    )
    for kind in KINDS:
        on = ", ".join(channel for channel in Channel if channel in kind.channels)
        audience = ", ".join(sorted(kind.audience))
        yield f"| `{kind.name}` | {kind.label.zh} | {audience} | {kind.urgency} | {on} | {kind.purpose.en} |"
    yield ""


def _templates_table() -> Iterator[str]:
    yield from ("## WeChat and Alipay", "", "| kind | WeChat keywords | Alipay keywords |", "|---|---|---|")
    for kind in KINDS:
        if kind.wechat or kind.alipay:
            yield f"| `{kind.name}` | {_filled(kind.wechat)} | {_filled(kind.alipay)} |"
    yield ""


def _filled(keywords: Mapping[str, str]) -> str:
    return "<br>".join(f"`{name}` {value}" for name, value in keywords.items())


def _texts_table() -> Iterator[str]:
    yield from (
        "## SMS and voice",
        "",
        "| kind | channel | parameters | a text for the console |",
        "|---|---|---|---|",
    )
    for channel in (Channel.SMS, Channel.VOICE):
        for kind in _carried(channel):
            names = ", ".join(f"`{name}`" for name in kind.keywords(channel))
            yield f"| `{kind.name}` | {channel} | {names} | {template_text(kind, channel)} |"
    yield ""
