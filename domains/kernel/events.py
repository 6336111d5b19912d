"""What an event is: ids and facts in a frozen dataclass, named in the past tense, never a model."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

E = TypeVar("E", bound="Event")


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; the class name is the name on the wire and must not change."""

    @property
    def subject(self) -> str:
        """Events of one subject are delivered in order; the first field names it."""
        first = fields(self)[0].name
        return f"{first}:{getattr(self, first)}"


def to_payload(event: Event) -> dict[str, Any]:  # Any: JSON values of the event's fields
    """The event as JSON values."""
    return dict(_adapter(type(event)).dump_python(event, mode="json"))


_adapters: dict[type[Event], TypeAdapter[Event]] = {}


def _adapter(kind: type[Event]) -> TypeAdapter[Event]:
    # Making one costs more than all else that is done for an event.
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


class Registry:
    """The events that are known by name; wiring makes the one there is."""

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self._kinds: dict[str, type[Event]] = {}
        for kind in kinds:
            assert is_dataclass(kind)
            if self._kinds.setdefault(kind.__name__, kind) is not kind:
                raise ValueError(f"two events are named {kind.__name__}")

    def load(self, name: str, payload: object) -> Event:
        """The event of a message; an unknown name raises KeyError and parks the message."""
        return _adapter(self._kinds[name]).validate_python(payload)
