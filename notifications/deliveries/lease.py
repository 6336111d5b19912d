"""A delivery in the hand of a worker, with all that is needed to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import sealing
from notifications.channels.port import Address, Parcel, Sender
from notifications.channels.senders import senders
from notifications.deliveries.rules import UNTEMPLATED, Facts, digest_words
from notifications.kinds import Channel, Kind, Language, Urgency, fill, registry, write
from notifications.notifying import templates
from notifications.sealed import CONTACT_ADDRESS, PUSH_ENDPOINT, PUSH_KEYS, WEBHOOK_SECRET


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that one worker holds until it is settled or its lease runs out.

    `began_at` is when it was taken up to be sent. `parcel` is None for one that was found with its worker
    gone and can no longer be written. `address_mark` is the address as it was stored: what has been changed
    meanwhile is not forgotten.
    """

    id: UUID
    lease_id: UUID
    attempt: int
    began_at: datetime
    channel: Channel
    kind: str
    account_id: UUID | None
    target_id: UUID | None
    is_urgent: bool
    expires_at: datetime
    template_id: str
    address_mark: bytes | None
    sender: Sender | None
    parcel: Parcel | None

    @property
    def needs_consent(self) -> bool:
        """Whether sending it takes one of the person's consents with it, or may have done so where the
        channel is gone since."""
        return self.sender is None or self.sender.needs_consent

    @property
    def is_repeatable(self) -> bool:
        """Whether the receiver tells a repetition from a second message."""
        return self.sender is not None and self.sender.is_repeatable


def lease(row: asyncpg.Record, lease_id: UUID, began_at: datetime, parcel: Parcel | None) -> Leased:
    """The delivery of a loaded row."""
    channel = Channel(row["channel"])
    return Leased(
        id=row["id"], lease_id=lease_id, attempt=row["attempts"], began_at=began_at, channel=channel, kind=row["kind"],
        account_id=row["account_id"], target_id=row["target_id"], is_urgent=row["is_urgent"],
        expires_at=row["expires_at"], template_id=template_of(channel, row["kind"]),
        address_mark=row["address_sealed"], sender=senders().get(channel), parcel=parcel,
    )  # fmt: skip


def template_of(channel: Channel, kind: str) -> str:
    """The platform's id of the template; empty where there is none."""
    return templates().get(channel, {}).get(kind, "")


def facts(row: asyncpg.Record) -> Facts:
    """What the rules decide by."""
    channel = Channel(row["channel"])
    return Facts(
        kind=registry().find(row["kind"]), channel=channel, urgency=Urgency(row["urgency"]),
        expires_at=row["expires_at"], is_climb=row["is_climb"], is_digest=row["is_digest"],
        is_closed=row["is_closed"], is_read=row["is_read"], is_read_by_anyone=row["is_read_by_anyone"],
        wish=row["wish"], quiet=(row["quiet_from"], row["quiet_until"]) if row["is_quiet"] else None,
        unread=row["unread"], has_sender=channel in senders(),
        has_template=channel in UNTEMPLATED or bool(template_of(channel, row["kind"])),
        has_address=any(row[each] is not None for each in ("address_sealed", "endpoint_sealed", "url")),
    )  # fmt: skip


def parcel_of(row: asyncpg.Record, kind: Kind) -> Parcel:
    """The delivery as its channel sends it. Raises DecryptionFailed for an address that no key opens,
    ValueError for data that are not what the kind declares."""
    language: Language = "en" if row["language"] == "en" else "zh"
    channel, data = Channel(row["channel"]), orjson.loads(row["data"])
    newest = write(kind, data, language)
    return Parcel(
        delivery_id=row["id"], notice_id=row["notice_id"], kind=kind, urgency=Urgency(row["urgency"]),
        language=language, written=digest_words(kind, row["unread"], newest, language), data=data,
        keywords=_keywords(kind, channel, data, language), template_id=template_of(channel, row["kind"]),
        address=_address(row), compound_id=row["compound_id"], created_at=row["created_at"],
        expires_at=row["expires_at"],
        subject=(row["subject_type"], row["subject_id"]) if row["subject_id"] else None,
    )  # fmt: skip


def _keywords(kind: Kind, channel: Channel, data: Mapping[str, object], language: Language) -> dict[str, str]:
    written = kind.written(data, language)
    return {name: fill(template, written) for name, template in kind.keywords(channel).items()}


def _address(row: asyncpg.Record) -> Address:
    if row["url"] is not None:
        return Address(row["url"], keys=sealing.unseal(row["secret_sealed"], WEBHOOK_SECRET))
    if row["endpoint_sealed"] is not None:
        endpoint = sealing.unseal(row["endpoint_sealed"], PUSH_ENDPOINT)
        return Address(endpoint, keys=sealing.unseal(row["keys_sealed"], PUSH_KEYS))
    return Address(sealing.unseal(row["address_sealed"], CONTACT_ADDRESS), app_id=row["app_id"])
