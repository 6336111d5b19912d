"""The one presenter: how a refusal, a bad request and a fault look to a client.

Business failures are data (`errors` of a payload). Authentication, authority, throttling, bad requests
and faults are top-level errors with `extensions.code` and `extensions.requestId`.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from enum import Enum
from typing import ParamSpec, TypeVar, cast

import strawberry
import structlog
from graphql import GraphQLError, GraphQLFormattedError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.utils.str_converters import to_camel_case

from domains.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from schema import catalogue
from schema.context import Info, Language
from schema.limits.cost import cost

log = structlog.get_logger("graphql")
P = ParamSpec("P")
R = TypeVar("R", bound="Payload")

BUSINESS = (Invalid, Conflict, NotFound, Unavailable)
_FAMILY_CODES: tuple[tuple[type[DomainError], str], ...] = (
    (Unauthenticated, "UNAUTHENTICATED"),
    (Forbidden, "FORBIDDEN"),
    (Throttled, "THROTTLED"),
    (NotFound, "NOT_FOUND"),
    (Conflict, "CONFLICT"),
    (Unavailable, "UNAVAILABLE"),
    (Invalid, "INVALID"),
)


@strawberry.enum(
    description="What went wrong, stable over time (错误代码). New values may appear: keep a default branch."
)
class ErrorCode(Enum):
    _ignore_ = "code zh en"
    for code, (zh, en) in catalogue.texts().items():
        locals()[code] = strawberry.enum_value(code, description=f"{en} {zh}")


@strawberry.type(description="Why a command was refused (业务错误), to be shown beside its input.")
class UserError:
    code: ErrorCode = strawberry.field(description="Stable code to branch on.")
    message: str = strawberry.field(description="Text for the person, in the language of Accept-Language.")
    field: list[str] | None = strawberry.field(
        default=None,
        description="Path below `input` of the value concerned; null when there is none.",
    )


@strawberry.type
class Payload:
    """What every mutation's payload derives from; its other fields are nullable and default to None."""

    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why nothing was changed; empty when the command was carried out.",
        metadata=cost(own=0),
    )


class RequestRefusedError(Exception):
    """A request that is not executed: an HTTP `status`, an error `code`, and its texts where
    they say more than the code's own."""

    def __init__(
        self,
        code: str,
        status: int = 400,
        messages: Mapping[Language, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.messages = messages
        self.headers = headers or {}


def family(error: DomainError) -> str:
    """The general code of the error's family."""
    return next((code for kind, code in _FAMILY_CODES if isinstance(error, kind)), "INVALID")


def known_code(error: DomainError) -> str:
    """The error's own code, or its family's while the table lacks it: an enum cannot carry a stranger."""
    return error.code if error.code in catalogue.texts() else family(error)


def message_of(error: DomainError, language: Language) -> str:
    """The text for the person: as raised in Chinese, by code in English."""
    if language == "zh":
        return error.message
    return catalogue.english(error.code) or catalogue.english(family(error)) or error.message


def present(error: DomainError, language: Language = "zh") -> UserError:
    """A refusal as data."""
    message = message_of(error, language)
    return UserError(code=ErrorCode[known_code(error)], message=message, field=field_path(error))


def field_path(error: DomainError) -> list[str] | None:
    """The input field concerned, as clients spell it: "items.2.house_id" is items, 2, houseId."""
    return [to_camel_case(part) for part in error.field.split(".")] if error.field else None


def refusals_as_data(
    payload: type[R],
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Coroutine[object, object, R]]]:
    """Decorates a mutation's resolver, which takes `info`: business failures become the payload's
    `errors`, everything else goes up."""

    def decorate(resolver: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[object, object, R]]:
        @functools.wraps(resolver)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return await resolver(*args, **kwargs)
            except BUSINESS as error:
                info = cast("Info", kwargs["info"])
                return payload(errors=[present(error, info.context.language)])

        return answer

    return decorate


def present_graphql(error: GraphQLError, request_id: str, language: Language) -> GraphQLFormattedError:
    """A top-level error; what is not meant for the client is masked and logged."""
    cause = _cause(error)
    formatted: GraphQLFormattedError = {"message": error.message}
    if isinstance(cause, DomainError):
        formatted["message"] = message_of(cause, language)
        extensions: dict[str, object] = {"code": cause.code, "family": family(cause)}
        if cause.field:
            extensions["field"] = field_path(cause)
        if isinstance(cause, Throttled):
            extensions["retryAfter"] = cause.retry_after_s
    elif cause is None and "code" in (error.extensions or {}):
        extensions = dict(error.extensions or {})
    elif _is_input_error(error, cause):
        extensions = {"code": "BAD_USER_INPUT"}
    else:
        log_fault("graphql.fault", cause or error, request_id, path=error.path)
        formatted["message"] = general_text("INTERNAL", language)
        extensions = {"code": "INTERNAL"}
    return _located(formatted, error, {**extensions, "requestId": request_id})


def present_request_error(error: GraphQLError, request_id: str, language: Language) -> GraphQLFormattedError:
    """An error found before execution: a scalar's own refusal keeps its code, and an error whose message
    is a code gets the text of that code."""
    cause = _cause(error)
    extensions = {"code": "BAD_USER_INPUT", **(error.extensions or {}), "requestId": request_id}
    message = error.message
    if isinstance(cause, DomainError):
        extensions["code"] = cause.code
        message = message_of(cause, language)
    elif message in catalogue.texts():
        message = general_text(message, language)
    return _located({"message": message}, error, extensions)


def refusal(error: RequestRefusedError, request_id: str, language: Language) -> GraphQLFormattedError:
    """An error about the request as a whole."""
    message = error.messages[language] if error.messages else general_text(error.code, language)
    return {"message": message, "extensions": {"code": error.code, "requestId": request_id}}


def general_text(code: str, language: Language) -> str:
    """The table's text of a code."""
    zh, en = catalogue.texts()[code]
    return zh if language == "zh" else en


def _cause(error: GraphQLError) -> BaseException | None:
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _is_input_error(error: GraphQLError, cause: BaseException | None) -> bool:
    # A variable can be valid by its own type and still not fit the argument: the executor finds out
    # last, and says so by an error that has no other mark than its first word.
    coercion = isinstance(error.original_error, StrawberryInputCoercionError)
    return cause is None and (coercion or error.message.startswith("Argument '"))


def _located(
    formatted: GraphQLFormattedError, error: GraphQLError, extensions: dict[str, object]
) -> GraphQLFormattedError:
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    formatted["extensions"] = extensions
    return formatted


def log_fault(event: str, fault: BaseException, request_id: str, **fields: object) -> None:
    """Logs a fault by kind and place. Never by its text: exception texts quote rows and input."""
    frames = traceback.extract_tb(fault.__traceback__)[-8:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error(event, request_id=request_id, kind=type(fault).__qualname__, frames=places, **fields)
