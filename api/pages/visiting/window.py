"""When a visit is, in words (来访时间): a clock in China, the day by its name where it is near."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from api.pages.rendering import CHINA
from api.pages.texts import Texts

_WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when, as a clock in China shows it."""

    starts_at: datetime
    ends_at: datetime
    texts: Texts

    @classmethod
    def of(cls, starts_at: str, ends_at: str, texts: Texts) -> Window:
        """Of two instants of the API."""
        start, end = (datetime.fromisoformat(each).astimezone(CHINA) for each in (starts_at, ends_at))
        return cls(start, end, texts)

    @property
    def is_one_day(self) -> bool:
        """Whether it ends on the day on which it begins."""
        return self.starts_at.date() == self.ends_at.date()

    @property
    def hours(self) -> str:
        """Within a day: 14:00 – 16:00."""
        return f"{clock(self.starts_at)} – {clock(self.ends_at)}"

    @property
    def start(self) -> str:
        """When it begins: 11月21日 周六 14:00."""
        return f"{self.first_day} {clock(self.starts_at)}"

    @property
    def first_day(self) -> str:
        """The day on which it begins: 11月21日 周六."""
        return self.day(self.starts_at.date())

    @property
    def end(self) -> str:
        """When it ends: 16:00, with the day where that is another than it begins on."""
        until = clock(self.ends_at)
        return until if self.is_one_day else f"{self.day(self.ends_at.date())} {until}"

    def day(self, day: date) -> str:
        """A day: 11月21日 周六, Sat 21 Nov."""
        language = self.texts.language
        return self.texts(
            "{month}月{day}日 周{weekday}", month=day.month if language == "zh" else _MONTHS[day.month - 1],
            day=day.day, weekday=_WEEKDAYS[language][day.weekday()],
        )  # fmt: skip


def clock(at: datetime) -> str:
    """The time of day in China: 14:03."""
    return at.astimezone(CHINA).strftime("%H:%M")
