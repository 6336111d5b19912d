"""The guide's example verifies what is really sent, and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.settings import REPOSITORY
from notifications.channels.webhook import new_secret, signed

GUIDE = REPOSITORY / "docs" / "notifications-guide.md"
BODY = '{"type": "registration.approved", "data": {"house": "3幢"}}'.encode()
SECRET = new_secret()
Check = Callable[[str, dict[str, str], bytes], bool]


@pytest.fixture(scope="module")
def is_genuine() -> Check:
    """The function of the example."""
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}  # Any: whatever the example defines
    exec(compile(example, GUIDE.name, "exec"), names)  # our own document
    check: Check = names["is_genuine"]
    return check


def headers(secret: str = SECRET, body: bytes = BODY, *, late: timedelta = timedelta(0)) -> dict[str, str]:
    """What a call carries."""
    at = datetime.fromtimestamp(time.time(), UTC) - late
    return {name.lower(): value for name, value in signed("d-1", body, secret, at).items()}


def test_what_we_send_is_genuine(is_genuine: Check) -> None:
    assert is_genuine(SECRET, headers(), BODY)
    both = headers() | {"webhook-signature": f"v1,AAAA {headers()['webhook-signature']}"}
    assert is_genuine(SECRET, both, BODY)


def test_anything_else_is_not(is_genuine: Check) -> None:
    assert not is_genuine(SECRET, headers(), BODY + b" ")
    assert not is_genuine(new_secret(), headers(), BODY)
    assert not is_genuine(SECRET, headers(late=timedelta(minutes=6)), BODY)
    assert not is_genuine(SECRET, headers(late=timedelta(minutes=-6)), BODY)
    assert not is_genuine(SECRET, headers() | {"webhook-id": "d-2"}, BODY)
