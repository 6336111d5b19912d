"""Structured logs (结构化日志), set up once per process: JSON lines, or for people on a terminal.

What libraries log through the standard library takes the same way, so that it is masked as well.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

from api.observability.exchange import current
from api.observability.masking import masked
from api.settings import Settings
from domains.kernel.faults import place

Line = MutableMapping[str, Any]  # Any: a log line holds what its writer gives


def configure(settings: Settings) -> None:
    """Set up logging for this process; the lines go to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            name_request,
            name_faults,
            mask,
            _renderer(settings),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Foreign()], level=logging.WARNING, force=True)


class Foreign(logging.Handler):
    """Takes what libraries log. Of a line about a fault only the first words: the rest may quote the fault."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record as a line of ours."""
        event = record.getMessage()
        if record.exc_info:
            event = event.partition("\n")[0]
        structlog.get_logger().log(record.levelno, event, logger=record.name, exc_info=record.exc_info)


def for_people(settings: Settings) -> bool:
    """Whether lines are for a person who watches a terminal."""
    if settings.log_format == "auto":
        return settings.profile == "embedded" and sys.stderr.isatty()
    return settings.log_format == "console"


def _renderer(settings: Settings) -> Processor:
    if for_people(settings):
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(line: Line, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()


def name_request(_logger: object, _method: str, line: Line) -> Line:
    """The request that the line was written for."""
    if here := current():
        line.setdefault("request_id", here.request_id)
    return line


def name_faults(_logger: object, _method: str, line: Line) -> Line:
    """A fault by its kind and place, never by its text, which may quote a row or what was sent."""
    fault = line.pop("exc_info", None)
    if fault is True:
        fault = sys.exc_info()
    if isinstance(fault, tuple):
        fault = fault[1]
    if isinstance(fault, BaseException):
        line.update(place(fault))
    return line


def mask(_logger: object, _method: str, line: Line) -> Line:
    """Every value without phone and identity numbers."""
    return {key: value if key == "timestamp" else masked(value) for key, value in line.items()}
