"""Figures as pictures (图表): plain SVG with no script and no style of its own, so that any policy lets it be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT, FOOT = 480, 190, 24
"""Of columns, with the line of words below them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A figure: its value, the class that colours it, and its words for who points at it."""

    value: int
    look: str
    words: str


def columns(groups: Sequence[tuple[str, Sequence[Part]]], label: str) -> Markup:
    """Groups of columns side by side, each group under its name; what is below zero has no column."""
    most = max((part.value for _, parts in groups for part in parts), default=0)
    wide = WIDTH / max(len(groups), 1)
    drawn = Markup("").join(
        _group(name, parts, at * wide, wide, most) for at, (name, parts) in enumerate(groups)
    )
    line = Markup('<path class="axis" d="M0 {y}H{x}"/>').format(x=WIDTH, y=HEIGHT - FOOT)
    shown = Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{line}{drawn}</svg>'
    )
    return shown.format(w=WIDTH, h=HEIGHT, label=label, line=line, drawn=drawn)


def _group(name: str, parts: Sequence[Part], left: float, wide: float, most: int) -> Markup:
    each = wide * 0.76 / max(len(parts), 1)
    start = left + wide * 0.12
    bars = [_column(part, start + at * each, each, most) for at, part in enumerate(parts)]
    words = Markup('<text x="{x}" y="{y}" text-anchor="middle">{name}</text>')
    bars.append(words.format(x=round(left + wide / 2, 1), y=HEIGHT - 6, name=name))
    return Markup("").join(bars)


def _column(part: Part, left: float, wide: float, most: int) -> Markup:
    room = HEIGHT - FOOT - 6
    high = round(max(part.value, 0) * room / most, 1) if most > 0 else 0
    shown = Markup(
        '<rect class="{look}" x="{x}" y="{y}" width="{w}" height="{h}"><title>{words}</title></rect>'
    )
    return shown.format(
        look=part.look, x=round(left, 1), y=round(HEIGHT - FOOT - high, 1), w=round(wide * 0.9, 1), h=high,
        words=part.words,
    )  # fmt: skip


def bar(parts: Sequence[Part], most: int) -> Markup:
    """Parts one after another, the whole width being `most`; a table beside it has to say the figures."""
    drawn, at = Markup(""), 0.0
    for part in parts:
        wide = round(max(part.value, 0) * 100 / most, 2) if most > 0 else 0.0
        rect = Markup('<rect class="{look}" x="{x}" width="{w}" height="1"><title>{words}</title></rect>')
        drawn += rect.format(look=part.look, x=round(at, 2), w=wide, words=part.words)
        at += wide
    shown = Markup(
        '<svg class="strip" aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 1">{drawn}</svg>'
    )
    return shown.format(drawn=drawn)
