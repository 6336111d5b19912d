"""Trusted documents (登记过的查询): the operations that the clients were built with, by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """Digest in hexadecimal → text."""

    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> TrustedDocuments:
        """Reads a JSON object {digest: text}; ValueError when a digest is not that of its text."""
        texts = json.loads(path.read_text(encoding="utf-8"))
        for digest, text in texts.items():
            if digest_of(text) != digest:
                raise ValueError(f"{path}: {digest} is not the digest of its document")
        return cls(texts)

    def text(self, document_id: str) -> str | None:
        """The text, for `documentId` with or without the prefix "sha256:"."""
        return self.texts.get(document_id.removeprefix(PREFIX).lower())

    def holds(self, text: str) -> bool:
        """Whether this very text is registered."""
        return digest_of(text) in self.texts


def digest_of(text: str) -> str:
    """SHA-256 of the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
