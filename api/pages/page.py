"""One request for a page (页面请求): who asks, in which language, and what goes back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.graphql.engine import Engine
from api.pages import asking
from api.pages.cookies import Flash, Jar, Tone
from api.pages.navigation import Item, items_for
from api.pages.rendering import rendered
from api.pages.streaming import EventStream, Frame, Lasting
from api.pages.texts import Texts
from api.settings import Settings
from schema.context import Context

HOME = "/staff"
SIGN_IN = "/staff/sign-in"
PASSWORD = "/staff/password"  # noqa: S105  # an address
# A path of the staff pages and nothing that a browser could read as another host.
_LOCAL = re.compile(r"/staff(?:/[a-z0-9-]+)*(?:\?[A-Za-z0-9_.~%=&+-]*)?")


def local(target: str | None) -> str:
    """Where to go next: an address of the staff pages, or their start for anything else."""
    return target if target and _LOCAL.fullmatch(target) else HOME


@dataclass(frozen=True, slots=True)
class Bell:
    """How much of the caller's inbox is unread, and the place from which changes are followed."""

    unread: int
    cursor: str


@dataclass(slots=True)
class Page:
    """What a handler works with."""

    engine: Engine
    settings: Settings
    request: Request
    jar: Jar
    context: Context
    lasting: Lasting
    form: FormData = field(default_factory=FormData)
    bell: Bell | None = None
    """For whole staff pages."""

    @property
    def texts(self) -> Texts:
        """The texts in the caller's language."""
        return Texts(self.context.language)

    @property
    def is_partial(self) -> bool:
        """Whether a part of a page is asked for, by a page that is open."""
        return "hx-request" in self.request.headers

    @property
    def navigation(self) -> list[Item]:
        """The staff pages that the caller has something to do on."""
        return items_for(self.context.actor)

    @property
    def here(self) -> str:
        """The entry of the navigation that this page belongs to: the longest of which its path is part."""
        path = self.request.url.path
        return max((item.path for item in self.navigation if path.startswith(item.path)), key=len, default="")

    @property
    def seat(self) -> tuple[str, str]:
        """By which a browser knows again who chose something in it, and in which session."""
        actor = self.context.actor
        known = (str(actor.account_id), str(actor.session_id))
        account, session = (hashlib.sha256(each.encode()).hexdigest()[:16] for each in known)
        return account, session

    async def ring(self) -> None:
        """Read what the bell shows."""
        viewer = (await self.ask("Bell"))["viewer"]
        self.bell = Bell(viewer["inbox"]["unreadCount"], viewer["eventCursor"])

    async def ask(self, document: str, **variables: object) -> asking.Data:
        """The data of a committed operation, on behalf of the caller. Raises Refusal."""
        # Loaders remember for one operation; a page may ask for what it has just changed.
        self.context.loaders.clear()
        return await asking.ask(self.engine, self.context, document, variables)

    async def follow(self, document: str, frame: Frame, **variables: object) -> Response:
        """What happens from now on, as server-sent events. Raises Refusal."""
        answers = await asking.follow(self.engine, self.context, document, variables)
        return EventStream(self.context, self.lasting, answers, frame)

    def typed(self, name: str) -> str:
        """What was typed into a field, without the blanks around it."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def asked(self, name: str) -> str | None:
        """A value of the address; None for none."""
        return self.request.query_params.get(name, "").strip() or None

    def uploaded(self, name: str) -> UploadFile | None:
        """A file that was chosen; None for none."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """A page or a part of one."""
        texts = self.texts
        shell = {
            "page": self, "_": texts, "label": texts.label, "language": texts.language,
            "actor": self.context.actor,
            "form_token": self.jar.form_token(self.context.actor.session_id),
            "flash": None if self.is_partial else self.jar.take(),
        }  # fmt: skip
        return HTMLResponse(rendered(template, {**shell, **values}), status)

    def notify(self, flash: Flash) -> Response:
        """A message in the page that is open, which stays as it is otherwise."""
        shown = self.show("notice.html", flash=flash)
        shown.headers.update({"HX-Retarget": "#notices", "HX-Reswap": "innerHTML show:window:top"})
        return shown

    def go(self, path: str, tone: Tone | None = None, text: str = "") -> Response:
        """On to another page, where the message is shown."""
        if tone is not None:
            self.jar.leave(Flash(tone, text))
        if self.is_partial:
            return Response(headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)
