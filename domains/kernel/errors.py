"""What a command may refuse: one family of errors with stable codes.

A message is what a person reads: plain Chinese that says what to do. The English text
is looked up by code where it is presented, so a message is written once, here.
"""

from __future__ import annotations

from uuid import UUID


class DomainError(Exception):
    """A refusal with a stable `code`, a `message` for people and the input `field` it concerns."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field


class NotFound(DomainError):
    """The thing does not exist, or the caller may not know that it does."""


class Forbidden(DomainError):
    """The caller is known and lacks the authority, in `compound_id` where it is about one."""

    def __init__(
        self, code: str, message: str, field: str | None = None, *, compound_id: UUID | None = None
    ) -> None:
        super().__init__(code, message, field)
        self.compound_id = compound_id
        self.is_audited = False


class Conflict(DomainError):
    """Somebody was faster, or the state does not allow it any more."""


class Invalid(DomainError):
    """The input cannot be accepted as it is."""


class Unavailable(DomainError):
    """Something outside did not answer; the same request may succeed later."""


class Unauthenticated(DomainError):
    """There is no valid credential where one is needed."""


class Throttled(DomainError):
    """Too many requests; `retry_after_s` says how long to wait, in seconds."""

    def __init__(self, code: str, message: str, retry_after_s: float, field: str | None = None) -> None:
        super().__init__(code, message, field)
        self.retry_after_s = retry_after_s
