"""The signed-in staff member's inbox (收件箱), and the bell that follows it on every staff page."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Flash
from api.pages.page import HOME, Page, local
from api.pages.staff.place import choose

ROWS = 20
LIST = "/staff/inbox"


async def show(page: Page) -> Response:
    """What the caller was told, the newest first; only what is unread where that is asked for."""
    wanted = {"unread": page.asked("unread") is not None, "after": page.asked("after")}
    found = await page.ask("Inbox", unreadOnly=wanted["unread"], first=ROWS, after=wanted["after"])
    template = "staff/inbox_notes.html" if page.is_partial else "staff/inbox.html"
    return page.show(template, found=found["viewer"]["inbox"], wanted=wanted, destination=destination)


def destination(note: Data) -> str:
    """The staff page that a notice leads to; empty where it leads nowhere that staff can go."""
    link = str(note["link"])
    return link if local(link) == link and link != HOME else ""


async def read(page: Page) -> Response:
    """Mark one as read, or that one and all before it."""
    everything = page.typed("through")
    given = {"through": everything} if everything else {"notifications": [page.typed("notification")]}
    payload = (await page.ask("MarkRead", input=given))["markRead"]
    if payload["errors"]:
        return _unchanged(page, payload["errors"][0]["message"])
    if not page.is_partial:
        return page.go(LIST)
    if everything:
        return await show(page)
    note = (await page.ask("Notification", id=page.typed("notification")))["node"]
    return page.show("staff/inbox_note.html", note=note, destination=destination)


def _unchanged(page: Page, message: str) -> Response:
    return page.notify(Flash("danger", message)) if page.is_partial else page.go(LIST, "danger", message)


async def follow_link(page: Page) -> Response:
    """Go where a notice leads, in the compound that it concerns; it is read then."""
    if wanted := page.typed("compound"):
        await choose(page, wanted)
    await page.ask("MarkRead", input={"notifications": [page.typed("notification")]})
    return page.go(local(page.typed("next")))


async def listen(page: Page) -> Response:
    """The unread count whenever it changes, as server-sent events; a browser goes on after its last one."""
    after = page.request.headers.get("last-event-id") or page.asked("after")
    try:
        return await page.follow("InboxChanged", _unread, after=after)
    except Refusal:
        # No content: a browser does not ask again, and what is open stays as it is.
        return Response(status_code=204)


def _unread(answer: Data) -> bytes:
    """Under the place from which a browser goes on."""
    change = answer["inboxChanged"]
    return f"id: {change['cursor']}\nevent: unread\ndata: {change['unreadCount']}\n\n".encode()
