"""Gates over HTTP (道闸接口): scan, keys, revocations, what happened without a network."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.devices.signed import DeviceCall, SignedCalls
from domains.access.gate.reasons import Kind, Reason
from domains.access.service import lists, scanning, uploads
from domains.access.service.answers import Answer
from domains.access.service.uploads import MOST_EVENTS, Told
from domains.kernel.errors import Invalid

LATEST_S = 2**32 - 1
MOST_SEQUENCE = 2**63 - 1
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Way = Literal["in", "out", "unknown"]


class Body(BaseModel):
    """A body in which nothing is guessed: no other field, no number in a string."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class ScanBody(Body):
    """What was shown. `id` names the scan, so that asking again after no answer uses nothing twice."""

    id: Id
    shown: Annotated[str, Field(max_length=4096)]
    direction: Way = "unknown"


class EventBody(Body):
    """An event of the gate's own queue; `at` in epoch seconds by its own clock."""

    sequence: Annotated[int, Field(ge=1, le=MOST_SEQUENCE)]
    id: Id
    kind: Literal["visitor", "resident"] | None
    shown: Id | None
    at: Annotated[int, Field(ge=0, le=LATEST_S)]
    reason: Annotated[str, Field(pattern="^(" + "|".join(Reason) + ")$")]
    direction: Way = "unknown"

    def told(self) -> Told:
        """The event, as the domain knows it."""
        at = datetime.fromtimestamp(self.at, UTC)
        kind, shown = self.kind and Kind(self.kind), UUID(self.shown) if self.kind and self.shown else None
        return Told(self.sequence, UUID(self.id), kind, shown, at, Reason(self.reason), self.direction)


class EventsBody(Body):
    """A part of the queue."""

    events: Annotated[list[EventBody], Field(min_length=1, max_length=MOST_EVENTS)]


class After(BaseModel):
    """The sequence that the gate has, and for how many seconds it waits for another."""

    model_config = ConfigDict(extra="forbid")
    after: Annotated[int, Field(ge=0, le=MOST_SEQUENCE)]
    wait: Annotated[int, Field(ge=0, le=int(lists.LONGEST_WAIT_S))] = 0


Read = TypeVar("Read", bound=BaseModel)


def routes(signed: SignedCalls) -> list[Route]:
    """Everything below /device/v1/gate."""
    handlers = (
        ("GET", "keys", keys), ("GET", "revocations", revocations), ("POST", "scan", scan), ("POST", "events", events),
    )  # fmt: skip
    return [
        Route(f"/device/v1/gate/{name}", signed.endpoint(handler), methods=[method])
        for method, name, handler in handlers
    ]


async def scan(call: DeviceCall) -> Response:
    """Whether to open, to whom, what to show, and what the gate keeps in its journal."""
    body = _read(ScanBody, call.body)
    answer = await scanning.scan(
        call.device_id, scan_id=UUID(body.id), shown=body.shown, direction=body.direction
    )
    return _json({"admit": answer.admits, "reason": str(answer.reason), **_shown(answer)})


def _shown(answer: Answer) -> dict[str, object]:
    zh, en = answer.messages
    guest = answer.guest and {
        "name": answer.guest.name, "companions": answer.guest.companions, "plate": answer.guest.plate,
        "house": answer.guest.house_number,
    }  # fmt: skip
    spent = answer.spent and {
        "id": answer.spent.id.hex, "kind": str(answer.spent.kind),
        "expiresAt": int(answer.spent.expires_at.timestamp()),
    }  # fmt: skip
    return {"message": {"zh": zh, "en": en}, "guest": guest, "spent": spent}


async def keys(call: DeviceCall) -> Response:
    """What the gate needs to decide without a network."""
    held = await lists.keys_of(call.device_id)
    return _json(
        {
            "keys": {kid.hex(): key.hex() for kid, key in held.keys.items()},
            "community": held.community,
            "gate": held.gate,
            "needsScreen": held.needs_screen,
            "screenKey": held.screen_key and held.screen_key.hex(),
            "countsOffline": held.counts_offline,
            "now": round(held.now.timestamp() * 1000),
        }
    )


async def revocations(call: DeviceCall) -> Response:
    """The next part of the list; 409 with the first part where the gate's own is of no use."""
    try:
        asked = After.model_validate(dict(call.query))
    except ValidationError:
        raise _malformed() from None
    part = await lists.revocations_after(call.device_id, after=asked.after, wait_s=asked.wait)
    delta = base64.b64encode(part.delta).decode()
    told = {"delta": delta, "upTo": part.up_to, "more": part.has_more}
    return _json({"code": "LIST_UNKNOWN", **told}, 409) if part.is_anew else _json(told)


async def events(call: DeviceCall) -> Response:
    """Everything up to the last sequence of the body is kept from now on."""
    told = [event.told() for event in _read(EventsBody, call.body).events]
    got = await uploads.receive(call.device_id, told)
    return _json({"upTo": got.up_to, "repeated": got.repeated, "gaps": got.gaps})


def _read(form: type[Read], body: bytes) -> Read:
    try:
        return form.model_validate_json(body)
    except ValidationError:
        raise _malformed() from None


def _malformed() -> Invalid:
    return Invalid("BAD_REQUEST", "请求格式不正确,请按设备接口文档填写")


def _json(content: object, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store"})
