"""The pages and their addresses (页面路由)."""

from __future__ import annotations

import asyncio

import strawberry
from starlette.routing import BaseRoute, Route

from api import edge
from api.graphql.budget import LimiterBudget
from api.graphql.connections import Connections
from api.graphql.options import EdgeOptions
from api.instance import cache
from api.observability.operations import ObservedEngine
from api.pages import assets, landing, sign_in, verification
from api.pages.sessions import Sessions
from api.pages.site import Site, View
from api.pages.staff import (
    access_records,
    access_rules,
    alarms,
    arrears,
    audit,
    billing_rules,
    billing_runs,
    bills,
    books,
    corrections,
    deliveries,
    device_life,
    devices,
    doors,
    dunning,
    expenses,
    fee_items,
    fee_prices,
    guard,
    guard_deciding,
    guard_scanning,
    guard_walk_in,
    home,
    house_terms,
    imports,
    inbox,
    inbox_settings,
    jobs,
    meter_files,
    meters,
    pooled_costs,
    readings,
    registrations,
    search,
    visitors,
    webhooks,
)
from api.pages.streaming import Lasting
from api.pages.visiting import pass_page, request_form
from api.refusals import keep_refusals
from api.settings import Settings
from domains.kernel.rates import Limiter

REGISTER_BYTES = 11_000_000
"""A register of 10 MB and the form around it."""
VOUCHER_BYTES = 5_500_000
"""A voucher of 5 MB and the form around it."""

VIEWS: tuple[tuple[str, str, View], ...] = (
    ("/", "GET", View(landing.show_landing, for_all=True)),
    ("/join/{code}", "GET", View(landing.show_join, for_all=True)),
    ("/visit/{code}", "GET", View(request_form.show, for_all=True)),
    ("/visit/{code}", "POST", View(request_form.send, for_all=True)),
    ("/v/{secret}", "GET", View(pass_page.show, for_all=True)),
    ("/v/{secret}/live", "GET", View(pass_page.listen, for_all=True)),
    ("/documents/{code}", "GET", View(verification.show, for_all=True)),
    ("/staff/sign-in", "GET", View(sign_in.show_sign_in, for_all=True, while_confined=True)),
    ("/staff/sign-in", "POST", View(sign_in.sign_in, for_all=True, while_confined=True)),
    ("/staff/sign-out", "POST", View(sign_in.sign_out, while_confined=True)),
    ("/staff/password", "GET", View(sign_in.show_password, while_confined=True)),
    ("/staff/password", "POST", View(sign_in.change_password, while_confined=True)),
    ("/staff", "GET", View(home.show)),
    ("/staff/compound", "POST", View(home.choose_compound)),
    ("/staff/registrations", "GET", View(registrations.show)),
    ("/staff/registrations/review", "POST", View(registrations.review)),
    ("/staff/guard", "GET", View(guard.show)),
    ("/staff/guard", "POST", View(guard.find)),
    ("/staff/guard/gate", "POST", View(guard.choose_gate)),
    ("/staff/guard/live", "GET", View(guard.listen, is_part=True)),
    ("/staff/guard/strip", "GET", View(guard.show_strip, is_part=True)),
    ("/staff/guard/visitor", "GET", View(guard.show_visitor)),
    ("/staff/guard/admit", "POST", View(guard_deciding.admit)),
    ("/staff/guard/refuse", "POST", View(guard_deciding.refuse)),
    ("/staff/guard/leave", "POST", View(guard_deciding.leave)),
    ("/staff/guard/decide", "POST", View(guard_deciding.decide)),
    ("/staff/guard/scan", "GET", View(guard_scanning.show)),
    ("/staff/guard/scan", "POST", View(guard_scanning.scan)),
    ("/staff/guard/walk-in", "GET", View(guard_walk_in.show)),
    ("/staff/guard/walk-in", "POST", View(guard_walk_in.register)),
    ("/staff/guard/alarms", "GET", View(guard.show_alarms)),
    ("/staff/alarms", "GET", View(alarms.show)),
    ("/staff/alarms/acknowledge", "POST", View(alarms.acknowledge)),
    ("/staff/alarms/clear", "POST", View(alarms.clear)),
    ("/staff/access-records", "GET", View(access_records.show)),
    ("/staff/access-records", "POST", View(access_records.find)),
    ("/staff/access-records/export", "POST", View(access_records.export)),
    ("/staff/access-records/statistics", "GET", View(access_records.show_statistics)),
    ("/staff/devices", "GET", View(devices.show)),
    ("/staff/devices/one", "GET", View(devices.show_one)),
    ("/staff/devices/new", "GET", View(devices.show_form)),
    ("/staff/devices/new", "POST", View(devices.register)),
    ("/staff/devices/key", "POST", View(devices.issue_key)),
    ("/staff/devices/key/revoke", "POST", View(devices.revoke_key)),
    ("/staff/devices/state", "POST", View(device_life.change_state)),
    ("/staff/devices/ledger", "POST", View(device_life.record_entry)),
    ("/staff/devices/export", "POST", View(device_life.export)),
    ("/staff/doors", "GET", View(doors.show)),
    ("/staff/doors/one", "GET", View(doors.show_one)),
    ("/staff/doors/one", "POST", View(doors.update)),
    ("/staff/doors/new", "GET", View(doors.show_form)),
    ("/staff/doors/new", "POST", View(doors.register)),
    ("/staff/doors/mode", "POST", View(doors.set_mode)),
    ("/staff/doors/remove", "POST", View(doors.remove)),
    ("/staff/access-rules", "GET", View(access_rules.show)),
    ("/staff/access-rules", "POST", View(access_rules.change)),
    ("/staff/visitors", "GET", View(visitors.show)),
    ("/staff/visitors", "POST", View(visitors.find)),
    ("/staff/visitors/decide", "POST", View(visitors.decide)),
    ("/staff/visitors/revoke", "POST", View(visitors.revoke)),
    ("/staff/billing-runs", "GET", View(billing_runs.show)),
    ("/staff/billing-runs/preview", "GET", View(billing_runs.show_preview)),
    ("/staff/billing-runs/start", "POST", View(billing_runs.start)),
    ("/staff/billing-runs/one", "GET", View(billing_runs.show_one)),
    ("/staff/billing-runs/progress", "GET", View(billing_runs.show_progress, is_part=True)),
    ("/staff/billing-runs/approve", "POST", View(billing_runs.approve)),
    ("/staff/billing-runs/cancel", "POST", View(billing_runs.cancel)),
    ("/staff/bills", "GET", View(bills.show)),
    ("/staff/bills/one", "GET", View(bills.show_one)),
    ("/staff/bills/correct", "POST", View(bills.correct)),
    ("/staff/bills/paper", "POST", View(bills.print_bill)),
    ("/staff/bills/receipt", "POST", View(bills.print_receipt)),
    ("/staff/bills/account", "GET", View(bills.show_account)),
    ("/staff/bills/statement", "POST", View(bills.print_statement)),
    ("/staff/corrections", "GET", View(corrections.show)),
    ("/staff/corrections/decide", "POST", View(corrections.decide)),
    ("/staff/corrections/withdraw", "POST", View(corrections.withdraw)),
    ("/staff/arrears", "GET", View(arrears.show)),
    ("/staff/arrears", "POST", View(arrears.find)),
    ("/staff/arrears/export", "POST", View(arrears.export)),
    ("/staff/arrears/remind", "POST", View(arrears.remind)),
    ("/staff/arrears/promise", "POST", View(arrears.promise)),
    ("/staff/arrears/promises", "GET", View(arrears.show_promises)),
    ("/staff/arrears/promises/withdraw", "POST", View(arrears.withdraw)),
    ("/staff/dunning", "GET", View(dunning.show)),
    ("/staff/dunning/steps", "POST", View(dunning.set_steps)),
    ("/staff/dunning/print", "POST", View(dunning.print_letter)),
    ("/staff/books", "GET", View(books.show)),
    ("/staff/books/publish", "POST", View(books.publish)),
    ("/staff/books/published", "GET", View(books.show_published)),
    ("/staff/books/expenses", "GET", View(expenses.show)),
    ("/staff/books/expenses", "POST", View(expenses.add, limit=VOUCHER_BYTES)),
    ("/staff/books/expenses/correct", "POST", View(expenses.correct)),
    ("/staff/books/expenses/remove", "POST", View(expenses.remove)),
    ("/staff/fees", "GET", View(fee_items.show)),
    ("/staff/fees/one", "GET", View(fee_items.show_one)),
    ("/staff/fees/one", "POST", View(fee_items.update)),
    ("/staff/fees/new", "GET", View(fee_items.show_form)),
    ("/staff/fees/new", "POST", View(fee_items.create)),
    ("/staff/fees/price", "POST", View(fee_prices.save)),
    ("/staff/fees/discount", "POST", View(fee_items.set_discount)),
    ("/staff/fees/end", "POST", View(fee_items.end)),
    ("/staff/fees/rules", "GET", View(billing_rules.show)),
    ("/staff/fees/rules", "POST", View(billing_rules.change)),
    ("/staff/fees/late-fee", "POST", View(billing_rules.set_late_fee)),
    ("/staff/fees/houses", "GET", View(house_terms.show)),
    ("/staff/fees/houses", "POST", View(house_terms.find)),
    ("/staff/fees/houses/one", "GET", View(house_terms.show_one)),
    ("/staff/fees/agreement", "POST", View(house_terms.agree)),
    ("/staff/fees/agreement/end", "POST", View(house_terms.end_agreement)),
    ("/staff/fees/liability", "POST", View(house_terms.make_liable)),
    ("/staff/fees/liability/end", "POST", View(house_terms.end_liability)),
    ("/staff/fees/vacancy", "POST", View(house_terms.record_vacancy)),
    ("/staff/fees/vacancy/decide", "POST", View(house_terms.decide_vacancy)),
    ("/staff/fees/vacancy/end", "POST", View(house_terms.end_vacancy)),
    ("/staff/fees/shared", "GET", View(pooled_costs.show)),
    ("/staff/fees/shared", "POST", View(pooled_costs.record)),
    ("/staff/fees/shared/remove", "POST", View(pooled_costs.remove)),
    ("/staff/meters", "GET", View(meters.show)),
    ("/staff/meters/one", "GET", View(meters.show_one)),
    ("/staff/meters/one", "POST", View(meters.update)),
    ("/staff/meters/new", "GET", View(meters.show_form)),
    ("/staff/meters/new", "POST", View(meters.register)),
    ("/staff/meters/replace", "POST", View(meters.replace)),
    ("/staff/meters/remove", "POST", View(meters.remove)),
    ("/staff/meters/enter", "GET", View(readings.show)),
    ("/staff/meters/enter", "POST", View(readings.enter)),
    ("/staff/meters/review", "GET", View(readings.show_waiting)),
    ("/staff/meters/review", "POST", View(readings.review)),
    ("/staff/meters/use", "GET", View(meter_files.show_use)),
    ("/staff/meters/import", "GET", View(meter_files.show)),
    ("/staff/meters/import", "POST", View(meter_files.upload, limit=REGISTER_BYTES)),
    ("/staff/search", "GET", View(search.show)),
    ("/staff/search", "POST", View(search.find)),
    ("/staff/import", "GET", View(imports.show)),
    ("/staff/import", "POST", View(imports.upload, limit=REGISTER_BYTES)),
    ("/staff/import/apply", "POST", View(imports.apply)),
    ("/staff/audit", "GET", View(audit.show)),
    ("/staff/inbox", "GET", View(inbox.show)),
    ("/staff/inbox/live", "GET", View(inbox.listen, is_part=True)),
    ("/staff/inbox/read", "POST", View(inbox.read)),
    ("/staff/inbox/open", "POST", View(inbox.follow_link)),
    ("/staff/inbox/settings", "GET", View(inbox_settings.show)),
    ("/staff/inbox/settings/quiet", "POST", View(inbox_settings.set_quiet_hours)),
    ("/staff/inbox/settings/preference", "POST", View(inbox_settings.set_preference)),
    ("/staff/inbox/push", "POST", View(inbox_settings.register_browser)),
    ("/staff/inbox/push/drop", "POST", View(inbox_settings.drop_browser)),
    ("/staff/deliveries", "GET", View(deliveries.show)),
    ("/staff/deliveries/resend", "POST", View(deliveries.resend)),
    ("/staff/webhooks", "GET", View(webhooks.show)),
    ("/staff/webhooks", "POST", View(webhooks.register)),
    ("/staff/webhooks/rotate", "POST", View(webhooks.rotate)),
    ("/staff/webhooks/test", "POST", View(webhooks.test)),
    ("/staff/webhooks/enable", "POST", View(webhooks.enable)),
    ("/staff/webhooks/disable", "POST", View(webhooks.disable)),
    ("/staff/webhooks/remove", "POST", View(webhooks.remove)),
    ("/staff/jobs", "GET", View(jobs.show)),
    ("/staff/jobs/runs", "GET", View(jobs.show_runs)),
    ("/staff/jobs/run", "POST", View(jobs.run)),
    ("/staff/jobs/pause", "POST", View(jobs.pause)),
    ("/staff/jobs/resume", "POST", View(jobs.resume)),
)


def site(
    schema: strawberry.Schema, settings: Settings, held: Connections, stop: asyncio.Event | None = None
) -> Site:
    """The pages over the schema. Their documents are part of the program, so that none has to be
    registered; what they cost is counted with what the same caller asks of the API."""
    options = EdgeOptions(introspection=False, suggestions=False, ide=False, on_errors=keep_refusals)
    engine = ObservedEngine(schema, options, LimiterBudget(Limiter(cache()), edge.DESK_BUDGET))
    return Site(engine, settings, Sessions(engine), Lasting(held, stop))


def routes(made: Site) -> list[BaseRoute]:
    """Every page, and the files that pages are made of."""
    pages = [made.route(path, method, view) for path, method, view in VIEWS]
    files = [
        Route("/static/{name:path}", assets.serve),
        Route("/service-worker.js", assets.serve_worker),
        Route("/visitor-worker.js", assets.serve_worker),
    ]
    return [*pages, *files]
