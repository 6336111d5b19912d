"""Keys of stored files (文件键): `{prefix}/{yyyy}/{mm}/{128 random bits}.{extension}`.

The extension is what makes the content type readable from the key alone, the same in every store.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from domains.kernel.storage.content import content_type_of, extension_of
from domains.kernel.storage.errors import key_invalid, prefix_invalid

# Nothing in a key can be a dot folder, an absolute path or a control character: only what is
# listed passes, and the one dot stands before the extension.
_SEGMENT = r"[a-z0-9][a-z0-9_-]{0,63}"
_PREFIX = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,5}}")
_KEY = re.compile(rf"{_PREFIX.pattern}/[0-9]{{4}}/[0-9]{{2}}/[0-9a-f]{{32}}\.([a-z0-9]{{2,5}})")


def new_key(prefix: str, content_type: str, now: datetime) -> str:
    """A key that nobody can guess.

    Raises `FILE_PREFIX_INVALID`, and `FILE_TYPE_REFUSED` for a content type that is never stored.
    """
    if not _PREFIX.fullmatch(prefix):
        raise prefix_invalid()
    month = now.astimezone(UTC).strftime("%Y/%m")
    return f"{prefix}/{month}/{secrets.token_hex(16)}.{extension_of(content_type)}"


def check_key(key: str) -> str:
    """The content type of the file under `key`; `FILE_KEY_INVALID` for what is no key of ours."""
    matched = _KEY.fullmatch(key)
    content_type = content_type_of(matched[1]) if matched else None
    if content_type is None:
        raise key_invalid()
    return content_type
