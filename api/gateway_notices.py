"""Where channels tell of payments (支付异步通知): one unguessable address each, answered once it is committed."""

from __future__ import annotations

import hmac

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api import edge
from api.devices.signed import read_bounded, refused
from api.instance import cache
from api.observability.metrics import Metrics
from domains.kernel.errors import DomainError
from domains.kernel.rates import Limiter, RateLimit, WhenDown, network_of
from payments.gateways import gateways
from payments.service import intake

REFUSED = RateLimit("payment-notices-refused", 60, 60, 60, WhenDown.OPEN)
"""What is not genuine costs a row each; a platform is never held back, for what it sends is genuine."""

_SIGNED = ("wechatpay-serial", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature")


def routes(metrics: Metrics) -> list[BaseRoute]:
    """The one route."""
    limiter = Limiter(cache())

    async def take(request: Request) -> Response:
        channel = request.path_params["channel"]
        gateway, network = gateways().get(channel), network_of(edge.origin_of(request).ip)
        if gateway is None or not _is_for(gateway.notify_url, request.path_params["token"]):
            return Response(status_code=404)

        async def may_keep() -> bool:
            return (await limiter.take(REFUSED, network)).allowed

        try:
            taken = await intake.take_notification(
                gateway, _signed_headers(request), await read_bounded(request), may_keep
            )
        except DomainError as error:
            return refused(request, error)
        except ClientDisconnect:
            return Response(status_code=400)
        metrics.notified(channel, taken.verdict)
        if not taken.is_kept:
            return Response(status_code=429)
        reply = taken.reply
        return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)

    return [Route("/payments/notify/{channel}/{token}", take, methods=["POST"])]


def _is_for(address: str, token: str) -> bool:
    return hmac.compare_digest(address.rpartition("/")[2].encode(), token.encode())


def _signed_headers(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _SIGNED if name in request.headers}
