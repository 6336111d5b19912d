"""How a page tells that a command was refused (未办成的原因)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page


def told(page: Page, payload: Data, back: str) -> Response | None:
    """Why nothing was changed: in the page that is open, or in the one to go back to. None where it was."""
    if not payload["errors"]:
        return None
    message = payload["errors"][0]["message"]
    return page.notify(Flash("danger", message)) if page.is_partial else page.go(back, "danger", message)
