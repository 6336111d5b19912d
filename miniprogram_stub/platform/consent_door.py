"""The dialogue in which a person consents to messages of a mini-program (订阅消息授权弹窗)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.consents import Platform, give_consent
from miniprogram_stub.platform.door_fields import (
    UnusableError,
    given_choice,
    given_fields,
    given_person,
    given_text,
    given_times,
)
from miniprogram_stub.platform.files import WatchedFile
from miniprogram_stub.platform.templates import MessageTemplate

Templates = WatchedFile[dict[str, MessageTemplate]]
_MOST_TIMES = 1_000_000


class ConsentDoor:
    """Both platforms' dialogues; `times` consents are given as if the person had answered that often."""

    def __init__(self, wechat: Templates, alipay: Templates, books: Books) -> None:
        self._wechat = wechat
        self._alipay = alipay
        self._books = books

    def routes(self) -> list[Route]:
        """One path per platform."""
        return [
            Route("/open/wechat/consent", self._ask_by_wechat, methods=["POST"]),
            Route("/open/alipay/consent", self._ask_by_alipay, methods=["POST"]),
        ]

    async def _ask_by_wechat(self, request: Request) -> Response:
        """What wx.requestSubscribeMessage hands to `success`."""
        fields = await given_fields(request)
        answer = given_choice(fields, "answer", ("accept", "reject", "ban"))
        template = await self._answered("wechat", self._wechat, fields, answer)
        return JSONResponse({"errMsg": "requestSubscribeMessage:ok", template: answer})

    async def _ask_by_alipay(self, request: Request) -> Response:
        """What my.requestSubscribeMessage hands to `success`; a refusal is a success there too."""
        fields = await given_fields(request)
        answer = given_choice(fields, "answer", ("accept", "reject"))
        template = await self._answered("alipay", self._alipay, fields, answer)
        accepted, refused = ([template], []) if answer == "accept" else ([], [template])
        result = {
            "subscribeEntityIds": accepted,
            "subscribedEntityIds": accepted,
            "unsubscribedEntityIds": refused,
            "currentSubscribedEntityIds": accepted,
        }
        return JSONResponse(
            {"behavior": "subscribe", "keep": False, "show": True, "result": result, template: answer}
        )

    async def _answered(
        self, platform: Platform, templates: Templates, fields: dict[str, object], answer: str
    ) -> str:
        person, template = given_person(fields), given_text(fields, "template", 128)
        times = given_times(fields, _MOST_TIMES)
        if template not in (templates.current() or {}):
            raise UnusableError(f"没有模板 {template}，请先把它写进 {templates.path.name}")
        if answer == "accept":
            await self._books.transact(give_consent, platform, person, template, times)
        return template
