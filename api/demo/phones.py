"""What the people of the demo do at the stand-ins of the platforms: their phones, browsers and systems (示范手机)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from api.actors import actor_for
from domains.identity.service.resident_sign_in import sign_in_with_wechat
from domains.kernel.actor import Actor, Origin
from notifications.consents import Answer, Outcome, grant_subscribe_messages
from notifications.kinds import Channel, Kind
from notifications.notifying import templates
from notifications.push_subscriptions import register_push_subscription, vapid_public_key

ORIGIN = Origin(request_id="demo", ip="127.0.0.1", user_agent="示范手机")


class Phones:
    """All of them, reached by the front door of the stand-ins."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def _post(self, path: str, **fields: object) -> Any:  # Any: JSON of the stand-ins
        answer = await self._http.post(path, json=fields)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def sign_in(self, person: str, phone: str) -> Actor:
        """Open the mini-program in WeChat and share the number."""
        js_code = (await self._post("/open/wechat/login", person=person))["js_code"]
        phone_code = (await self._post("/open/wechat/phone", person=person, phone=phone))["code"]
        done = await sign_in_with_wechat(
            Actor(origin=ORIGIN), js_code=js_code, phone_code=phone_code, device=ORIGIN.user_agent
        )
        return await actor_for(done.access_token, ORIGIN)

    async def consent(self, actor: Actor, person: str, kind: Kind) -> None:
        """Say yes once to WeChat messages of a kind."""
        template = templates()[Channel.WECHAT][kind.name]
        await self._post("/open/wechat/consent", person=person, template=template)
        await grant_subscribe_messages(
            actor,
            platform=Channel.WECHAT,
            results=[Answer(template, Outcome.ACCEPT)],
            idempotency_key=uuid4(),
        )

    async def open_browser(self, actor: Actor, person: str) -> None:
        """Take Web Push in a browser."""
        made = await self._post(
            "/open/push/subscriptions", person=person, vapid_public_key=vapid_public_key()
        )
        await register_push_subscription(actor, endpoint=made["endpoint"], **made["keys"])

    async def lose_an_answer(self) -> None:
        """WeChat does what it is asked next, and its answer is lost."""
        await self._post("/open/faults", platform="wechat", api="subscribe/send", kind="drop")

    async def set_up_receiver(self, name: str, secret: str) -> None:
        """Another company's system begins to take webhooks."""
        await self._post("/open/hooks", name=name, secret=secret)
