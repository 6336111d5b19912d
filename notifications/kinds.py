"""Kinds of notices (通知类型): what may be told, in which words, by which ways, for how long it is news.

Every domain declares its own beside its events; wiring puts them into the one registry there is.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from domains.kernel import clock, money
from domains.kernel.slots import Slot

Language = Literal["zh", "en"]
Audience = Literal["resident", "staff"]
"""Which accounts a kind may be for (受众)."""


class Channel(StrEnum):
    """A way out of the app (渠道). The inbox is none of them: it always gets the notice."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    WEB_PUSH = "webpush"
    SMS = "sms"
    VOICE = "voice"
    WEBHOOK = "webhook"


class Urgency(StrEnum):
    """How far a notice may intrude (紧急程度): low and normal wait for the end of quiet hours, high does
    not, urgent goes by every channel at once and past every preference."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class FieldType(StrEnum):
    """What a field of a notice holds, and so how it is written."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    """Integer fen."""
    INSTANT = "instant"
    """An aware instant, written in Asia/Shanghai."""
    DAY = "day"
    """A business date."""


Value = str | int | datetime | date


@dataclass(frozen=True, slots=True)
class Text:
    """A template in both languages; `{field}` is replaced by the written field, and nothing else is."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        """The template of a language."""
        return self.en if language == "en" else self.zh

    @property
    def named(self) -> frozenset[str]:
        """The fields that either template mentions."""
        return frozenset().union(*map(_named, (self.zh, self.en)))


@dataclass(frozen=True, slots=True)
class Climb:
    """If by then nobody has read, this channel too (升级提醒). `anyone`: whoever of all recipients reads
    stops it for all; otherwise each must read."""

    after: timedelta
    channel: Channel
    anyone: bool = False


_USUAL = frozenset({Channel.WECHAT, Channel.ALIPAY, Channel.WEB_PUSH})
_EVERYBODY: frozenset[Audience] = frozenset({"resident", "staff"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice.

    `fields` are what `notify` must be given, all of it. `channels` are on unless the person turns one
    off (`is_optional`). `worth` is how long it is worth sending. `slots` are the times of the day, in
    Asia/Shanghai, to which chatty notices are gathered (摘要). `throttle` is the least time between two
    messages of the kind to a person by a channel. `wechat`, `alipay`, `sms` and `voice` say what fills
    the keywords of the platform's template, each a template of its own. `purpose` tells the person what
    the kind is for, who is asked whether to have it; `personal` are the fields that tell of a person, which
    no other company's system is told; `audience` are the accounts it may reach.
    """

    name: str
    label: Text
    fields: Mapping[str, FieldType]
    title: Text
    body: Text
    urgency: Urgency = Urgency.NORMAL
    channels: frozenset[Channel] = _USUAL
    worth: timedelta = timedelta(days=3)
    link: str = ""
    is_optional: bool = True
    slots: tuple[time, ...] = ()
    throttle: timedelta | None = None
    climbs: tuple[Climb, ...] = ()
    wechat: Mapping[str, str] = field(default_factory=dict)
    alipay: Mapping[str, str] = field(default_factory=dict)
    sms: Mapping[str, str] = field(default_factory=dict)
    voice: Mapping[str, str] = field(default_factory=dict)
    purpose: Text = Text("", "")
    personal: frozenset[str] = frozenset()
    audience: frozenset[Audience] = _EVERYBODY

    def __post_init__(self) -> None:
        """ValueError for a template that mentions a field the kind does not have, a climb that would come
        when it is no news any more, and two climbs to one channel."""
        templates = [self.title.named, self.body.named, _named(self.link)]
        templates += [self.personal]
        templates += [_named(each) for channel in _TEMPLATED for each in self.keywords(channel).values()]
        if unknown := frozenset().union(*templates) - set(self.fields):
            raise ValueError(f"{self.name}: no such fields: {sorted(unknown)}")
        if any(each.after >= self.worth for each in self.climbs):
            raise ValueError(f"{self.name}: a climb comes after it is worth sending")
        if len({each.channel for each in self.climbs}) < len(self.climbs):
            raise ValueError(f"{self.name}: two climbs to one channel hide each other")

    def keywords(self, channel: Channel) -> Mapping[str, str]:
        """What fills the keywords of the platform's template; empty where the channel needs none."""
        filled: dict[Channel, Mapping[str, str]] = {
            Channel.WECHAT: self.wechat, Channel.ALIPAY: self.alipay,
            Channel.SMS: self.sms, Channel.VOICE: self.voice,
        }  # fmt: skip
        return filled.get(channel, {})

    def pack(self, data: Mapping[str, Value]) -> dict[str, str | int]:
        """The data as JSON. ValueError for a field too many, too few, or of another type: the caller's mistake."""
        if set(data) != set(self.fields):
            raise ValueError(f"{self.name} takes {sorted(self.fields)}, not {sorted(data)}")
        return {name: _packed(self.name, name, self.fields[name], value) for name, value in data.items()}

    def written(self, data: Mapping[str, object], language: Language) -> dict[str, str]:
        """Every field as people read it; one that an older program did not keep is empty, and one that it
        kept as something else is shown as it is."""
        return {
            name: _shown(type_, data[name], language) if name in data else ""
            for name, type_ in self.fields.items()
        }


_TEMPLATED = (Channel.WECHAT, Channel.ALIPAY, Channel.SMS, Channel.VOICE)


class Registry:
    """The kinds there are, by name. ValueError for a name twice."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            if self._kinds.setdefault(kind.name, kind) is not kind:
                raise ValueError(f"two kinds are named {kind.name}")

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def find(self, name: str) -> Kind | None:
        """The kind of that name; None for one that a newer, or older, program knows."""
        return self._kinds.get(name)


registry: Slot[Registry] = Slot("notice kinds")


@dataclass(frozen=True, slots=True)
class Written:
    """A notice in words."""

    title: str
    body: str
    link: str = ""


_UNKNOWN = Text("通知", "Notification")


def write(kind: Kind | None, data: Mapping[str, object], language: Language) -> Written:
    """A notice in a language. One of a kind this program does not know says only that it is there."""
    if kind is None:
        return Written(_UNKNOWN.of(language), "")
    fields = kind.written(data, language)
    title, body = kind.title.of(language), kind.body.of(language)
    raw = {name: str(data.get(name, "")) for name in kind.fields}
    return Written(fill(title, fields), fill(body, fields), fill(kind.link, raw))


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The template with its fields. The template is the program's, so that `format` is safe."""
    return template.format_map(fields)


def _named(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


_TYPES: Mapping[FieldType, type] = {
    FieldType.TEXT: str, FieldType.NUMBER: int, FieldType.MONEY: int,
    FieldType.INSTANT: datetime, FieldType.DAY: date,
}  # fmt: skip


def _packed(kind: str, name: str, type_: FieldType, value: Value) -> str | int:
    if type(value) is not _TYPES[type_] and not (type_ is FieldType.TEXT and isinstance(value, str)):
        raise ValueError(f"{kind}.{name} is {type_}, not {type(value).__name__}")
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise ValueError(f"{kind}.{name}: a naive datetime names no instant")
    return value.isoformat() if isinstance(value, datetime | date) else value


def _shown(type_: FieldType, value: object, language: Language) -> str:
    try:
        return _written(type_, value, language)
    except ValueError:
        return str(value)


def _written(type_: FieldType, value: object, language: Language) -> str:
    if type_ is FieldType.MONEY:
        return money.display(int(str(value)))
    if type_ is FieldType.INSTANT:
        at = datetime.fromisoformat(str(value)).astimezone(clock.SHANGHAI)
        return (
            f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}" if language == "zh" else f"{at:%-d %b %Y, %H:%M}"
        )
    if type_ is FieldType.DAY:
        day = date.fromisoformat(str(value))
        return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day:%-d %b %Y}"
    return str(value)
