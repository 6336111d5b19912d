"""Where the code on a paper leads (单据核验): whether it is genuine, for whoever holds it."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Refusal
from api.pages.page import Page
from api.pages.visiting.pass_page import private
from domains.kernel.money import display


async def show(page: Page) -> Response:
    """What the paper must say; not found for a code that was never given out."""
    try:
        found = (await page.ask("VerifyDocument", code=page.request.path_params["code"]))["verifyDocument"]
    except Refusal as refusal:
        # What is too long or no text at all is a code of no paper, too.
        status = 404 if refusal.status == 400 else refusal.status
        return private(
            page.show("verification.html", status, found=None, is_unknown=status == 404, refusal=refusal)
        )
    amount, refunded = display(found["amountFen"]), display(found["refundedFen"])
    return private(page.show("verification.html", found=found, amount=amount, refunded=refunded))
