"""Templates of the pages (页面模板)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages.assets import address
from domains.kernel import clock
from domains.kernel.money import display

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
    made.filters["figure"] = figure
    made.filters["yuan"] = yuan
    made.filters["per_mille"] = per_mille
    made.filters["money"] = display
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


def figure(value: str | None) -> str:
    """A decimal of the API without the noughts at its end."""
    if value is None:
        return ""
    shown = format(Decimal(value), "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def per_mille(value: str) -> str:
    """A share as parts of a thousand."""
    return figure(str(Decimal(value) * 1000))


def yuan(value: int | str) -> str:
    """Fen as yuan: to the cent, and further only where a price goes further."""
    read = Decimal(value) / 100
    shown = figure(str(read))
    return shown if len(shown.partition(".")[2]) > 2 else f"{read:.2f}"
