"""What staff are told of runs (出账通知)."""

from __future__ import annotations

from datetime import timedelta

from notifications.kinds import Audience, Channel, FieldType, Kind, Text, Urgency

_STAFF: frozenset[Audience] = frozenset({"staff"})
_RUN = {"compound": FieldType.TEXT, "month": FieldType.TEXT}

WAITING = Kind(
    "billing_run.waiting",
    Text("出账待审批", "A run waits for approval"),
    _RUN,
    Text("{compound} {month} 出账待审批", "{compound}: the run of {month} waits for approval"),
    Text("预览已生成，请核对金额与异常后审批。", "Look at its totals and exceptions, and approve it."),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=7),
    link="/staff/billing-runs",
    purpose=Text("自动出账等待审批时通知您", "Tells you when a scheduled run waits for approval"),
    audience=_STAFF,
)

RETURNED = Kind(
    "billing_run.returned",
    Text("出账须重新审批", "A run must be approved again"),
    _RUN,
    Text("{compound}{month}出账须重新审批", "{compound}: approve the run of {month} again"),
    Text(
        "审批后费用数据有变化，有变化的部分没有出账，请核对后重新审批。",
        "Charges changed after the approval: what changed was not billed. Look and approve it again.",
    ),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=3),
    link="/staff/billing-runs",
    purpose=Text(
        "出账因费用数据变化被退回审批时通知您",
        "Tells you when a run is sent back for approval, its charges having changed",
    ),
    audience=_STAFF,
)

NOT_STARTED = Kind(
    "billing_run.not_started",
    Text("自动出账失败", "A scheduled run failed"),
    _RUN,
    Text("{compound} {month}未能自动出账", "{compound}: the run of {month} could not be begun"),
    Text("请手动预览并出账，或联系系统运维。", "Preview and start it by hand, or call the operators."),
    urgency=Urgency.HIGH,
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=3),
    link="/staff/billing-runs",
    purpose=Text("自动出账没有成功时通知您", "Tells you when a scheduled run could not be begun"),
    audience=_STAFF,
)

POSTED = Kind(
    "billing_run.posted",
    Text("出账完成", "A run is posted"),
    {**_RUN, "bills": FieldType.NUMBER, "fen": FieldType.MONEY, "exceptions": FieldType.NUMBER},
    Text("{compound} {month} 已出账", "{compound}: the run of {month} is posted"),
    Text(
        "共 {bills} 张账单，{fen}，异常 {exceptions} 项。", "{bills} bills, {fen}, {exceptions} exceptions."
    ),
    channels=frozenset({Channel.WEB_PUSH}),
    worth=timedelta(days=3),
    link="/staff/billing-runs",
    purpose=Text(
        "您发起或审批的出账完成时通知您", "Tells you when a run that you began or approved is posted"
    ),
    audience=_STAFF,
)

KINDS = (WAITING, RETURNED, NOT_STARTED, POSTED)
"""Everything staff are told of runs."""
