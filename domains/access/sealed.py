"""What this domain keeps encrypted, and how it is found without being read (加密列、盲索引)."""

from __future__ import annotations

import hashlib

from domains.kernel import phones, sealing
from domains.kernel.sealing import SealedColumn

PHONE = "pass.phone"
PHONE_TAIL = "pass.phone_tail"
LINK = "pass.link"
TEMPLATE_PHONE = "template.phone"
TEMPLATE_LINK = "template.link"
DIGITS = "pass.digits"
SIGNING_KEY = "access.pass_key"
SCREEN_KEY = "access.screen"

COLUMNS = (
    SealedColumn("access_rules", "screen_key_sealed", SCREEN_KEY, key="compound_id"),
    SealedColumn("pass_key", "private_sealed", SIGNING_KEY),
    SealedColumn("pass_template", "phone_sealed", TEMPLATE_PHONE),
    SealedColumn("pass_template", "link_sealed", TEMPLATE_LINK),
    SealedColumn("visitor_pass", "phone_sealed", PHONE),
    SealedColumn("visitor_pass", "link_sealed", LINK),
    SealedColumn("keypad_code", "digits_sealed", DIGITS),
)


def phone_columns(number: str) -> dict[str, bytes]:
    """A pass's columns of a normalised number."""
    return {
        "phone_sealed": sealing.seal(number, PHONE),
        "phone_index": sealing.find(number, PHONE),
        "phone_tail_index": phone_tail_index(phones.tail(number)),
    }


def phone_tail_index(last_four: str) -> bytes:
    """Of a number's last four digits (尾号)."""
    return sealing.find(last_four, PHONE_TAIL)


def link_columns(secret: str, purpose: str = LINK) -> dict[str, bytes]:
    """The columns of the secret in a pass's link, or a template's."""
    return {"link_hash": link_hash(secret), "link_sealed": sealing.seal(secret, purpose)}


def link_hash(secret: str) -> bytes:
    """Under which a link is found; the secret has 128 bits, so that it needs no key. Any text may be asked for."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
