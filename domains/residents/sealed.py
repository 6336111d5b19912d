"""What a person is found by without being read (盲索引): phone, its last four digits, document.

Registrations are indexed as people are, so that one finds the other. An invitation waits for an
account and is indexed as accounts are.
"""

from __future__ import annotations

from domains.kernel import documents, phones, sealing
from domains.kernel.sealing import SealedColumn

PHONE = "person.phone"
PHONE_TAIL = "person.phone_tail"
DOCUMENT = "person.document"
REGISTRATION_PHONE = "registration.phone"
REGISTRATION_DOCUMENT = "registration.document"
INVITATION_PHONE = "invitation.phone"

COLUMNS = (
    SealedColumn("person", "phone_sealed", PHONE),
    SealedColumn("person", "document_sealed", DOCUMENT),
    SealedColumn("registration", "phone_sealed", REGISTRATION_PHONE),
    SealedColumn("registration", "document_sealed", REGISTRATION_DOCUMENT),
    SealedColumn("invitation", "phone_sealed", INVITATION_PHONE),
)
"""What this domain keeps encrypted."""


def phone_index(number: str) -> bytes:
    """Of a normalised number."""
    return sealing.find(number, PHONE)


def phone_tail_index(last_four: str) -> bytes:
    """Of a number's last four digits (尾号)."""
    return sealing.find(last_four, PHONE_TAIL)


def document_index(number: str) -> bytes:
    """Of a validated document number."""
    return sealing.find(number, DOCUMENT)


def phone_columns(number: str) -> dict[str, bytes]:
    """A person's columns of a normalised number."""
    return {
        "phone_sealed": sealing.seal(number, PHONE),
        "phone_index": phone_index(number),
        "phone_tail_index": phone_tail_index(phones.tail(number)),
    }


def document_columns(number: str) -> dict[str, bytes]:
    """A person's columns of a validated number."""
    return {"document_sealed": sealing.seal(number, DOCUMENT), "document_index": document_index(number)}


def masked_phone(blob: bytes | None, purpose: str = PHONE) -> str | None:
    """As it is shown: 138****0001."""
    return None if blob is None else phones.mask(sealing.unseal(blob, purpose))


def masked_document(blob: bytes | None, purpose: str = DOCUMENT) -> str | None:
    """As it is shown: 3301********1234."""
    return None if blob is None else documents.mask(sealing.unseal(blob, purpose))
