"""Runs at the desk (出账): what a month would come to, started, approved, watched while it is posted."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.page import Page
from api.pages.staff.answering import told
from api.pages.staff.months import month_of, this_month
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from api.pages.staff.spans import day_of
from domains.billing import permissions as billing

ROWS = 20
LIST = "/staff/billing-runs"
SPAN = ("month", "from", "issued")
PARTS = {"bills": "staff/run_bills.html", "problems": "staff/run_problems.html"}


async def show(page: Page) -> Response:
    """The runs of the compound, the last one first."""
    place, after = await place_of(page), page.asked("after")
    found = (await page.ask("BillingRuns", compound=place.id, first=ROWS, after=after))["billingRuns"]
    template = "staff/billing_run_rows.html" if page.is_partial else "staff/billing_runs.html"
    return page.show(
        template, place=place, found=found, after=after, wanted={"month": this_month(), "from": "", "issued": ""},
        may_start=holds(page, place, billing.RUNS_START), items=await _items(page, place), chosen=[],
    )  # fmt: skip


async def _items(page: Page, place: Place) -> list[Data]:
    """What a run may be limited to, for who may see it."""
    if page.is_partial or not any(
        holds(page, place, each) for each in (billing.FEES_READ, billing.FEES_WRITE)
    ):
        return []
    found: list[Data] = (await page.ask("FeeItems", compound=place.id, active=True))["feeItems"]
    return found


async def show_preview(page: Page) -> Response:
    """What a run would come to; nothing is written."""
    wanted = {name: page.asked(name) or "" for name in SPAN}
    wanted["month"] = wanted["month"] or this_month()
    place, chosen = await place_of(page), page.request.query_params.getlist("item")
    span = _span(page, wanted, chosen)
    found = (await page.ask("PreviewBillingRun", compound=place.id, **span))["previewBillingRun"]
    return page.show(
        "staff/billing_preview.html", place=place, wanted=wanted, found=found, new_key=uuid4, after=None,
        may_start=True, items=await _items(page, place), chosen=chosen,
    )  # fmt: skip


def _span(page: Page, wanted: dict[str, str], chosen: list[str]) -> dict[str, object]:
    issued = wanted["issued"]
    return {
        "month": month_of(page, wanted["month"]), "fromMonth": month_of(page, wanted["from"]),
        "issuedOn": day_of(page, issued).isoformat() if issued else None,
        # None chosen is all of them.
        "feeItems": chosen or None,
    }  # fmt: skip


async def start(page: Page) -> Response:
    """Keep it as a draft for approval, once however often the form is sent."""
    wanted = {name: page.typed(name) for name in SPAN}
    chosen = [each for each in page.form.getlist("item") if isinstance(each, str)]
    given = {
        "compound": (await place_of(page)).id,
        **_span(page, wanted, chosen),
        "idempotencyKey": page.typed("key"),
    }
    payload = (await page.ask("StartBillingRun", input=given))["startBillingRun"]
    refused = told(page, payload, f"{LIST}/preview?{urlencode({**wanted, 'item': chosen}, doseq=True)}")
    return refused or page.go(
        address(payload["billingRun"]["id"]), "success", page.texts("出账批次已提交，等待审批")
    )


async def show_one(page: Page) -> Response:
    """One run; to a page that is open, more of a list of it."""
    id, place = page.asked("run") or "", await place_of(page)
    reads = holds(page, place, billing.BILLS_READ)
    after = {name: page.asked(f"{name}After") for name in PARTS}
    answer = await page.ask(
        "BillingRun",
        run=id,
        reads=reads,
        first=ROWS,
        problemsAfter=after["problems"],
        billsAfter=after["bills"],
    )
    run = _found(page, answer)
    template = PARTS.get(page.asked("part") or "", "") if page.is_partial else ""
    return page.show(
        template or "staff/billing_run.html", place=place, run=run, reads=reads, after=after,
        found=run.get("bills"), may_start=holds(page, place, billing.RUNS_START),
        may_approve=holds(page, place, billing.RUNS_APPROVE),
    )  # fmt: skip


async def show_progress(page: Page) -> Response:
    """How far it is; once it has ended, its whole page."""
    run = _found(page, await page.ask("BillingRunProgress", run=page.asked("run") or ""))
    if run["state"] != "APPROVED":
        return page.go(address(run["id"]))
    return page.show("staff/billing_run_progress.html", run=run)


def _found(page: Page, answer: Data) -> Data:
    run: Data | None = answer["billingRun"]
    if run is None:
        raise Refusal("NOT_FOUND", page.texts("没有找到这个出账批次，请返回列表刷新后重试"), 404)
    return run


async def approve(page: Page) -> Response:
    """Let it be posted, with the total that was shown."""
    id, total = page.typed("run"), page.typed("expected")
    given = {"run": id, "expectedFen": int(total) if total.isdecimal() else -1}
    payload = (await page.ask("ApproveBillingRun", input=given))["approveBillingRun"]
    return told(page, payload, address(id)) or page.go(address(id), "success", page.texts("已审批，正在出账"))


async def cancel(page: Page) -> Response:
    """Give a draft up, or stop a run after the houses it is at."""
    id = page.typed("run")
    payload = (await page.ask("CancelBillingRun", input={"run": id}))["cancelBillingRun"]
    return told(page, payload, address(id)) or page.go(address(id), "success", page.texts("出账批次已取消"))


def address(id: str) -> str:
    """Where a run's page is."""
    return f"{LIST}/one?{urlencode({'run': id})}"
