"""A demonstration as the landing page shows it (示范入口)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from api.pages.showcase import DemoAccount, DemoHouse, Showcase, showcase

PARTS = ("owner", "tenant", "family", "outsider", "visitor", "manager", "reception", "accountant", "cashier",
         "guard", "neighbour")  # fmt: skip
"""All that labels are there for."""
PLATFORM = "http://127.0.0.1:9"
DEMO = Showcase(
    "桂语里", "GYL",
    (
        DemoAccount("owner", "沈嘉树", "19900001001"), DemoAccount("manager", "经理 <许>", "manager", "Pass-2026"),
        DemoAccount("guard", "秦守安", "guard", "Pass-2026"), DemoAccount("cashier", "周小芸", "cashier", "Pass-2026"),
    ),
    PLATFORM, "/v/a-visitors-secret", DemoHouse("3幢", "1单元", "1201", "南门"),
)  # fmt: skip


@contextmanager
def shown(demo: Showcase | None) -> Iterator[None]:
    """The landing page shows it, to whatever is built meanwhile."""
    token = showcase.fill(demo)
    try:
        yield
    finally:
        token.var.reset(token)


def demo(**more: Any) -> Showcase:  # Any: fields
    """The demonstration with something else in it."""
    return replace(DEMO, **more)
