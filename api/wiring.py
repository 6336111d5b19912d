"""The composition root: the apps, the one list "event → handlers", the one list of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from domains.access import events as access_events
from domains.access import fire_notices
from domains.access import handlers as access_handlers
from domains.access import jobs as access_jobs
from domains.access import notices as access_notices
from domains.access import permissions as access
from domains.access import sealed as access_sealed
from domains.access.service import doors, fire, lists, resident_codes, settling
from domains.billing import (
    bill_handlers,
    bill_jobs,
    bill_notices,
    book_handlers,
    book_notices,
    dunning_handlers,
    dunning_jobs,
    dunning_notices,
    liability_handlers,
    payment_handlers,
    payment_notices,
    reading_handlers,
    reading_notices,
    run_handlers,
    run_jobs,
    run_notices,
    vacancy_handlers,
    vacancy_notices,
)
from domains.billing import events as billing_events
from domains.billing import permissions as billing
from domains.billing.service import runs
from domains.devices import events as device_events
from domains.devices import handlers as device_handlers
from domains.devices import jobs as device_jobs
from domains.devices import notices as device_notices
from domains.devices import permissions as devices
from domains.estate import events as estate_events
from domains.estate import permissions as estate
from domains.identity import events as identity_events
from domains.identity import handlers as identity_handlers
from domains.identity import jobs as identity_jobs
from domains.identity import notices as identity_notices
from domains.identity import permissions as identity
from domains.identity import sealed as identity_sealed
from domains.kernel import audit, clock, files, jobs, outbox, sealing
from domains.kernel.events import Event, Registry
from domains.kernel.jobs import Job, Result, cron
from domains.kernel.outbox import Handler
from domains.kernel.sealing import SealedColumn
from domains.residents import events as residents_events
from domains.residents import handlers as residents_handlers
from domains.residents import jobs as residents_jobs
from domains.residents import notices as residents_notices
from domains.residents import permissions as residents
from domains.residents import sealed as residents_sealed
from domains.residents.importing import files as register_files
from notifications import events as notification_events
from notifications import permissions as notifications
from notifications import sealed as notification_sealed
from notifications import webhooks
from notifications.deliveries import jobs as delivery_jobs
from notifications.kinds import Kind
from payments import events as payment_events
from payments import jobs as payment_jobs
from payments import permissions as payments

APPS: Mapping[str, str] = {
    "kernel": "domains.kernel",
    "notifications": "notifications",
    "payments": "payments",
    "estate": "domains.estate",
    "identity": "domains.identity",
    "residents": "domains.residents",
    "devices": "domains.devices",
    "access": "domains.access",
    "billing": "domains.billing",
}
"""ORM app → package of its models; the order is that of the foreign keys."""

PERMISSIONS: Mapping[str, str] = {
    **estate.LABELS, **residents.LABELS, **access.LABELS, **devices.LABELS, **identity.LABELS,
    **notifications.LABELS, **billing.LABELS, **payments.LABELS,
}  # fmt: skip
"""Every permission there is, with its name for people."""

HANDLERS: Mapping[type[Event], Sequence[Handler]] = {
    **dict.fromkeys(jobs.EVENTS, ()),
    **dict.fromkeys(notification_events.EVENTS, ()),
    **dict.fromkeys(estate_events.EVENTS, ()),
    **dict.fromkeys(identity_events.EVENTS, ()),
    **dict.fromkeys(residents_events.EVENTS, ()),
    **dict.fromkeys(device_events.EVENTS, ()),
    **dict.fromkeys(access_events.EVENTS, ()),
    **dict.fromkeys(payment_events.EVENTS, ()),
    **dict.fromkeys(billing_events.EVENTS, ()),
    jobs.JobFailed: (identity_handlers.alarm_of_job,),
    notification_events.MessageFault: (identity_handlers.alarm_of_fault,),
    identity_events.PhoneVerified: (identity_handlers.tell_of_phone,),
    identity_events.AccountsJoined: (identity_handlers.tell_of_joining,),
    residents_events.ResidentRegistered: (residents_handlers.tell_reviewers,),
    residents_events.RegistrationApproved: (residents_handlers.tell_approved,),
    residents_events.RegistrationRejected: (residents_handlers.tell_rejected,),
    residents_events.HouseInvitationSent: (residents_handlers.tell_invited,),
    residents_events.OccupancyBegan: (residents_handlers.tell_of_arrival, liability_handlers.name_owner),
    residents_events.OccupancyEnded: (
        residents_handlers.tell_of_leaving,
        access_handlers.end_passes,
        liability_handlers.end_liability_of_leaver,
    ),
    residents_events.AccountUnlinked: (access_handlers.end_passes_of_unlinked,),
    residents_events.VehicleRegistered: (residents_handlers.tell_of_vehicle,),
    device_events.AlarmOpened: (
        fire.release_doors,
        device_handlers.tell_of_alarm,
        device_handlers.show_alarm,
    ),
    device_events.AlarmAcknowledged: (device_handlers.show_alarm,),
    device_events.AlarmCleared: (
        fire.restore_doors,
        device_handlers.tell_it_is_over,
        device_handlers.show_alarm,
    ),
    device_events.DeviceRetired: (device_handlers.end_alarms, doors.remove_with_device),
    access_events.VisitorPassRequested: (access_handlers.tell_of_request, access_handlers.show_pass),
    access_events.VisitorPassIssued: (access_handlers.show_pass,),
    access_events.VisitorPassRejected: (access_handlers.show_pass,),
    access_events.VisitorPassRevoked: (access_handlers.show_pass,),
    access_events.VisitorAdmitted: (access_handlers.tell_of_admission, access_handlers.show_pass),
    access_events.VisitorLeft: (access_handlers.show_pass,),
    access_events.PassOverused: (access_handlers.tell_of_overuse, access_handlers.show_pass),
    access_events.VisitorRefused: (access_handlers.tell_of_refusal, access_handlers.show_pass),
    billing_events.BillsIssued: (bill_handlers.spread,),
    billing_events.HousesBilled: (bill_handlers.tell_of_bills,),
    billing_events.BillingRunFailed: (run_handlers.tell_approvers,),
    billing_events.BillingRunPosted: (run_handlers.tell_of_posting,),
    billing_events.HouseCanPay: (bill_handlers.deduct_house,),
    billing_events.BillPaid: (bill_handlers.tell_of_payment,),
    billing_events.BillCorrected: (bill_handlers.tell_of_correction,),
    billing_events.CorrectionRequested: (bill_handlers.tell_deciders,),
    billing_events.CorrectionDecided: (bill_handlers.tell_requester,),
    payment_events.PayableSettled: (bill_handlers.follow_payables,),
    payment_events.PayableChanged: (bill_handlers.follow_payables,),
    payment_events.BalanceChanged: (bill_handlers.deduct_after_rise,),
    payment_events.PaymentSucceeded: (payment_handlers.tell_of_top_up,),
    payment_events.RefundRequested: (payment_handlers.tell_deciders,),
    payment_events.RefundEnded: (payment_handlers.tell_of_refund,),
    payment_events.PaymentTroubled: (payment_handlers.tell_of_trouble,),
    billing_events.DunningDue: (dunning_handlers.tell_of_dunning,),
    billing_events.VacancyRequested: (vacancy_handlers.tell_deciders,),
    billing_events.VacancyDecided: (vacancy_handlers.tell_of_decision,),
    billing_events.AccountsPublished: (book_handlers.tell_of_accounts,),
    billing_events.ReadingHeld: (reading_handlers.tell_reviewers,),
    billing_events.ReadingReviewed: (reading_handlers.tell_reader,),
}
"""What happens after a fact; the only map of it."""

EVENTS = Registry(HANDLERS)

KINDS: Sequence[Kind] = (
    *webhooks.KINDS, *identity_notices.KINDS, *residents_notices.KINDS, *device_notices.KINDS,
    *access_notices.KINDS, *fire_notices.KINDS, *reading_notices.KINDS,
    *bill_notices.KINDS, *book_notices.KINDS, *vacancy_notices.KINDS,
    *run_notices.KINDS,
    *dunning_notices.KINDS,
    *payment_notices.KINDS,
)  # fmt: skip
"""Every kind of notice there is; each domain declares its own."""


SEALED: Sequence[SealedColumn] = (
    *notification_sealed.COLUMNS, *identity_sealed.COLUMNS, *residents_sealed.COLUMNS,
    *access_sealed.COLUMNS,
)  # fmt: skip
"""Every encrypted column there is; what is not listed would keep an old key in use for ever."""

DELIVERED_KEPT = timedelta(days=14)
RUNS_KEPT = timedelta(days=90)
UPLOADS_KEPT = timedelta(days=1)


async def seal_audit(_: object) -> Result:
    """Seal what was written to the audit since the last time."""
    return {"sealed": await audit.seal()}


async def release_audit(_: object) -> Result:
    """Let go of the audit's rows that were kept for the term."""
    return {"released": await audit.release_expired()}


async def reseal_columns(_: object) -> Result:
    """Encrypt with the current key what an older one encrypted; reports where there was any."""
    done = {f"{each.table}.{each.column}": await sealing.reseal(each) for each in SEALED}
    return {column: asdict(found) for column, found in done.items() if found != sealing.Resealed()}


async def purge_kernel(_: object) -> Result:
    """Forget delivered events and runs of jobs."""
    now = clock.now()
    return {
        "events": await outbox.purge(now - DELIVERED_KEPT),
        "runs": await jobs.purge(now - RUNS_KEPT),
    }


async def sweep_files(_: object) -> Result:
    """Remove what uploads that broke off have left in the file store."""
    return {"swept": await files.storage().sweep_partial(UPLOADS_KEPT)}


JOBS: Sequence[Job] = (
    Job("audit.seal", cron("*/5 * * * *"), seal_audit, zh="封存审计记录", en="Seal the audit"),
    Job(
        "audit.release", cron("30 4 * * *"), release_audit,
        zh="释放保存期满的审计记录", en="Release audit rows past their term",
    ),
    Job(
        "keys.reseal", cron("0 4 * * *"), reseal_columns,
        zh="用当前密钥重新加密", en="Re-encrypt with the current key",
    ),
    Job(
        "kernel.purge", cron("50 3 * * *"), purge_kernel,
        zh="清理已投递事件与任务运行记录", en="Forget delivered events and runs of jobs",
    ),
    Job(
        "notifications.purge",
        cron("10 3 * * *"),
        delivery_jobs.purge,
        zh="清理过期的通知与投递记录",
        en="Forget old notices and deliveries",
    ),
    Job(
        "files.sweep", cron("40 3 * * *"), sweep_files,
        zh="清理中断的上传", en="Remove uploads that broke off",
    ),
    Job(
        "identity.purge", cron("17 3 * * *"), identity_jobs.purge,
        zh="清理过期验证码与刷新令牌", en="Delete old codes and refresh tokens",
    ),
    Job(
        "identity.write_contacts", cron("37 2 * * *"), identity_jobs.write_contacts,
        zh="核对消息接收人与联系方式", en="Put right who is reached where",
    ),
    Job(
        "residents.end_leases", cron("2 0 * * *"), residents_jobs.end_leases,
        zh="结束到期的租约", en="End leases that have run out",
    ),
    Job(
        "residents.forget_registers", cron("27 3 * * *"), register_files.forget_old,
        zh="清除已处理的台账文件", en="Forget register files",
    ),
    Job(
        "residents.expire_invitations", cron("7 0 * * *"), residents_jobs.expire_invitations,
        zh="邀请到期失效", en="Expire invitations",
    ),
    Job(
        "devices.clear_calm", cron("* * * * *"), device_jobs.clear_calm_alarms, attempts=1, limit_s=50,
        zh="解除已恢复的告警", en="Clear alarms that are over",
    ),
    Job(
        "devices.watch_offline", cron("* * * * *"), device_jobs.watch_offline, attempts=1, limit_s=50,
        zh="检查离线设备", en="Watch for silent devices",
    ),
    Job(
        "access.settle_commands", cron("* * * * *"), settling.settle_commands, attempts=1, limit_s=50,
        zh="了结超时的开门指令", en="End orders to doors that nobody answered",
    ),
    Job(
        "access.keep_fire_doors", cron("* * * * *"), fire.keep_doors, attempts=1, limit_s=50,
        zh="核对消防联动的门", en="See to the doors that a fire released",
    ),
    Job(
        "access.forget_codes", cron("47 3 * * *"), resident_codes.forget_codes,
        zh="清除过期住户码的归属", en="Forget whose residents' codes were",
    ),
    Job(
        "access.forget_revocations", cron("53 3 * * *"), lists.forget_revocations,
        zh="清除吊销名单中已过期的条目", en="Forget revocations of passes that are over",
    ),
    Job(
        "access.expire_passes", cron("* * * * *"), access_jobs.expire_passes, attempts=1, limit_s=50,
        zh="访客通行证到期失效", en="Expire visitors' passes",
    ),
    Job(
        "access.make_template_passes", cron("*/10 * * * *"), access_jobs.make_template_passes,
        zh="按常访模板生成通行证", en="Make passes of templates",
    ),
    Job(
        "access.forget_visitors", cron("23 3 * * *"), access_jobs.forget_visitors,
        zh="清除半年前的访客信息", en="Forget visitors of half a year ago",
    ),
    Job(
        "access.delete_records", cron("33 2 * * *"), access_jobs.delete_old_records, limit_s=3_600.0,
        zh="清理保存期满的通行记录", en="Delete records of doors past their term",
    ),
    Job(
        "access.delete_commands", cron("43 3 * * *"), access_jobs.delete_old_commands, limit_s=3_600.0,
        zh="清理保存期满的开门指令", en="Delete orders to doors past their term",
    ),
    Job(
        "access.forget_exports", cron("*/20 * * * *"), access_jobs.forget_exports,
        zh="清除导出的通行记录文件", en="Delete exported files of records",
    ),
    Job(
        "devices.forget_exports", cron("*/20 * * * *"), device_jobs.forget_exports,
        zh="清除导出的资产台账文件", en="Delete exported files of the asset ledger",
    ),
    Job(
        "billing.remind", cron("5 9 * * *"), dunning_jobs.remind, limit_s=3_600.0,
        zh="按催缴步骤提醒缴费", en="Remind of bills by the steps of dunning",
    ),
    Job(
        "billing.forget_exports", cron("*/20 * * * *"), dunning_jobs.forget_exports,
        zh="清除导出的欠费文件", en="Delete exported files of arrears",
    ),
    Job(
        "devices.purge", cron("20 3 * * *"), device_jobs.purge,
        zh="清理到期的遥测数据与拒收记录", en="Forget old readings and refusals",
    ),
    Job(
        "billing.start_runs", cron("30 0 * * *"), run_jobs.start_runs, limit_s=3_600.0,
        zh="按出账日自动发起出账", en="Begin runs on the compounds' billing day",
    ),
    Job(
        runs.POSTING, cron("* * * * *"), run_jobs.post_runs, attempts=1, limit_s=3_600.0,
        zh="执行已审批的出账", en="Post approved runs",
    ),
    Job(
        "payments.ask", cron("* * * * *"), payment_jobs.ask, attempts=1, limit_s=50,
        zh="向支付渠道查询未完结的支付与退款", en="Ask channels about payments and refunds that are not final",
    ),
    Job(
        "bills.deduct", cron("30 1 * * *"), bill_jobs.deduct, limit_s=3_600.0,
        zh="用预存款抵扣账单", en="Pay bills from prepayments",
    ),
)  # fmt: skip
"""Scheduled work."""
