"""A resident who registers and is told what became of it, and what staff see of the telling."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from tests.journeys.client import Client
from tests.journeys.instance import Instance
from tests.journeys.moving_in import CODE, PENDING, REGISTER, REVIEW
from tests.journeys.phone import Phone, phone_of

T = TypeVar("T")
PATIENCE_S = 25.0
MOST_DIALOGUES = 5

INBOX = """
query Inbox { viewer { eventCursor inbox { unreadCount nodes { id kind title body link readAt } } } }
"""
TEMPLATES = "query Templates { viewer { subscribeTemplates(platform: WECHAT) { template kind left } } }"
GRANT = """
mutation Grant($input: GrantSubscribeMessagesInput!) { grantSubscribeMessages(input: $input) {
  granted errors { code message } } }
"""
QUIET = """
mutation Quiet($input: SetQuietHoursInput!) { setQuietHours(input: $input) { errors { code message } } }
"""
PREFER = """
mutation Prefer($input: SetNotificationPreferenceInput!) { setNotificationPreference(input: $input) {
  errors { code message } } }
"""
DELIVERIES = """
query Deliveries($compound: ID!) { deliveries(compound: $compound, first: 10) { nodes {
  id kind channel state reason recipient dueAt platformId attempts { outcome code } } } }
"""


def eventually(look: Callable[[], T | None]) -> T:
    """What a look finds at last; an AssertionError where it finds nothing for 25 seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"nothing came within {PATIENCE_S} seconds")


@dataclass
class Desk:
    """Staff who review, and look at what was delivered."""

    client: Client
    compound: str
    known: set[str] = field(default_factory=set)

    def review(self, decision: str, reason: str = "") -> None:
        """Decide on the one registration that waits."""
        (pending,) = self.client.ask(PENDING, compound=self.compound)["registrations"]["nodes"]
        given = {"registration": pending["id"], "decision": decision, "reason": reason}
        done = self.client.ask(REVIEW, input=given)["reviewRegistration"]
        assert done["errors"] == [], done

    def deliveries(self, channel: str) -> list[Any]:
        """Deliveries by a channel that were not there at the last `remember`, the newest first."""
        return [
            each
            for each in self.client.ask(DELIVERIES, compound=self.compound)["deliveries"]["nodes"]
            if each["channel"] == channel and each["id"] not in self.known
        ]

    def remember(self) -> None:
        """What is delivered from now on is new."""
        nodes = self.client.ask(DELIVERIES, compound=self.compound)["deliveries"]["nodes"]
        self.known |= {each["id"] for each in nodes}

    def settled(self, channel: str, state: str) -> Any:
        """The one new delivery by a channel, once it is in a state."""
        return eventually(
            lambda: next((each for each in self.deliveries(channel) if each["state"] == state), None)
        )


@dataclass
class Applicant:
    """Somebody with a phone who applies, again and again if need be."""

    instance: Instance
    person: str
    phone: Phone

    def apply(self, room: str) -> None:
        """Register as the owner of a room of 1号楼1单元."""
        wanted = {"compoundCode": CODE, "building": "1号楼", "unit": "1单元", "room": room}
        done = self.phone.ask(REGISTER, input={**wanted, "name": "马晓峰", "capacity": "OWNER"})
        assert done["registerResident"]["errors"] == [], done

    def inbox(self) -> Any:
        """What this person was told, and from where on to listen."""
        viewer = self.phone.ask(INBOX)["viewer"]
        return {**viewer["inbox"], "cursor": viewer["eventCursor"]}

    def consent(self, kind: str) -> None:
        """Say yes in WeChat's dialogue to what the mini-program asks for, until it asked for this kind."""
        for _ in range(MOST_DIALOGUES):
            offered = self.templates()
            self._say_yes([each["template"] for each in offered])
            if kind in {each["kind"] for each in offered}:
                return
        raise AssertionError(f"never asked for {kind}")

    def _say_yes(self, templates: list[str]) -> None:
        for template in templates:
            answer = self.phone.platform("/open/wechat/consent", person=self.person, template=template)
            assert answer[template] == "accept", answer
        results = [{"template": template, "outcome": "ACCEPT"} for template in templates]
        given = {"platform": "WECHAT", "results": results, "idempotencyKey": str(uuid.uuid4())}
        granted = self.phone.ask(GRANT, input=given)["grantSubscribeMessages"]
        assert (granted["granted"], granted["errors"]) == (len(templates), []), granted

    def templates(self) -> list[Any]:
        """What the mini-program would ask for now."""
        found: list[Any] = self.phone.ask(TEMPLATES)["viewer"]["subscribeTemplates"]
        return found

    def set_quiet_hours(self, **hours: object) -> None:
        """When nothing may intrude."""
        assert self.phone.ask(QUIET, input=hours)["setQuietHours"]["errors"] == []

    def prefer(self, kind: str, channel: str, *, is_on: bool) -> None:
        """Have a kind by a channel, or not."""
        given = {"kind": kind, "channel": channel, "isOn": is_on}
        assert self.phone.ask(PREFER, input=given)["setNotificationPreference"]["errors"] == []

    def messages(self, channel: str) -> list[Any]:
        """What the phone shows by a channel."""
        asked = {"person": self.person, "channel": channel}
        answer = httpx.get(f"{self.instance.platform_url}/open/messages", params=asked, timeout=10)
        found: list[Any] = answer.json()["messages"]
        return found


def applicant(instance: Instance, person: str, number: str) -> Applicant:
    """Somebody signed in with WeChat whom nothing keeps from being told, whatever the time of day."""
    phone = phone_of(instance.url, instance.platform_url)
    phone.sign_in_with_wechat(person, number)
    made = Applicant(instance, person, phone)
    made.set_quiet_hours(isOn=False)
    return made
