"""The device's side: signs requests as a gate or a controller does, over any client."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COVERED = '("@method" "@path" "@query" "content-digest")'


@dataclass(frozen=True)
class DeviceSigner:
    """A device's key. Written from the RFCs and not from the server's code, so that one checks the other."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @cached_property
    def public_key(self) -> bytes:
        """The raw 32 bytes, as they are registered."""
        return self.key.public_key().public_bytes_raw()

    @property
    def keyid(self) -> str:
        """The first 16 hex digits of the key's SHA-256."""
        return hashlib.sha256(self.public_key).hexdigest()[:16]

    def headers(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        created: int | None = None,
        nonce: str | None = None,
    ) -> dict[str, str]:
        """The three headers for a request to `target`, the path and query exactly as they are sent.
        `created` is in epoch seconds, now unless given."""
        parameters = (
            f"{COVERED};created={int(time.time()) if created is None else created}"
            f';keyid="{self.keyid}";nonce="{nonce or secrets.token_urlsafe(16)}";alg="ed25519"'
        )
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        place = urlsplit(target)
        signed = (
            f'"@method": {method}\n"@path": {place.path}\n"@query": ?{place.query}\n'
            f'"content-digest": {digest}\n"@signature-params": {parameters}'
        )
        signature = base64.b64encode(self.key.sign(signed.encode())).decode()
        return {
            "Content-Digest": digest,
            "Signature-Input": f"sig1={parameters}",
            "Signature": f"sig1=:{signature}:",
        }
