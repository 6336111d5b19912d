"""Templates of the pages (页面模板)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages.assets import address
from domains.kernel import clock

# China has one time zone and no summer time.
CHINA = timezone(timedelta(hours=8))


@cache
def environment() -> Environment:
    """Everything is escaped, and a name that is not there is a mistake."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = address
    made.filters["instant"] = instant
    made.filters["moment"] = moment
    return made


def rendered(template: str, context: Mapping[str, object]) -> str:
    """The template with its values."""
    return environment().get_template(template).render(context)


def instant(value: str | None) -> str:
    """An instant of the API as a clock in China shows it, to the minute."""
    return datetime.fromisoformat(value).astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if value else ""


def moment(value: str | None) -> str:
    """As `instant`, without the date where it is today's, and without the year."""
    if not value:
        return ""
    at = datetime.fromisoformat(value).astimezone(CHINA)
    return at.strftime("%H:%M" if at.date() == clock.today() else "%m-%d %H:%M")
