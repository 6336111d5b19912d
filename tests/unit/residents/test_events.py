"""What is recorded can be delivered."""

from __future__ import annotations

from dataclasses import fields
from uuid import uuid4

import pytest

from api.wiring import EVENTS as REGISTRY
from api.wiring import HANDLERS
from domains.kernel.events import Event, to_payload
from domains.residents.events import EVENTS


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_known_and_comes_back_as_it_was(kind: type[Event]) -> None:
    event = kind(*("owner" if field.name == "capacity" else uuid4() for field in fields(kind)))
    assert REGISTRY.load(kind.__name__, to_payload(event)) == event
    assert kind in HANDLERS
