"""What devices raise alarms about, over HTTP (设备告警上报)."""

from __future__ import annotations

import asyncio

import orjson
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.devices.signed import DeviceCall, SignedCalls
from domains.devices.service.alarm_reports import Intake, Said
from domains.kernel.errors import Invalid

MOST = 100


def routes(signed: SignedCalls) -> list[Route]:
    """The one route; requests that come side by side are taken together."""
    intake = Intake()

    async def tell_alarms(call: DeviceCall) -> Response:
        """How many were taken, and why the others were not, by their place in the list."""
        said = [Said(call.device_id, item, call.received_at, "http") for item in _items(call.body)]
        codes = await asyncio.gather(*map(intake, said))
        refused = [{"index": index, "code": code} for index, code in enumerate(codes) if code is not None]
        content = {
            "taken": len(said) - len(refused), "refused": refused, "now": round(call.received_at.timestamp() * 1000),
        }  # fmt: skip
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    return [Route("/device/v1/alarms", signed.endpoint(tell_alarms), methods=["POST"])]


def _items(body: bytes) -> list[object]:
    try:
        items = orjson.loads(body)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list):
        raise Invalid("PAYLOAD_INVALID", "内容应为 JSON 数组,请按设备接口文档的格式发送")
    if len(items) > MOST:
        raise Invalid("TOO_MANY_ALARMS", f"一次最多上报 {MOST} 条告警,请分批发送")
    return items
