"""The staff pages and who has something to do on them (导航)."""

from __future__ import annotations

from dataclasses import dataclass

from domains.access import permissions as access
from domains.billing import permissions as billing
from domains.devices import permissions as devices
from domains.estate import permissions as estate
from domains.identity import permissions as identity
from domains.kernel.actor import Actor
from domains.residents import permissions as residents
from notifications import permissions as notifications
from payments import permissions as payments


@dataclass(frozen=True, slots=True)
class Item:
    """A staff page as the navigation shows it; any one of the permissions is enough, where all that its page `needs`
    are held in the same compound. Pages about the installation are for who runs it, whatever their permissions."""

    path: str
    icon: str
    title: str
    permissions: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    for_operators: bool = False

    def is_for(self, actor: Actor) -> bool:
        """Whether the caller has something to do there."""
        if self.for_operators and actor.operator:
            return True
        return any(
            all(actor.may(each, compound_id) for each in self.needs)
            for name in self.permissions
            for compound_id in actor.compounds(name)
        )


ITEMS = (
    Item("/staff/registrations", "clipboard-check", "登记审核", (residents.REVIEW,)),
    Item("/staff/guard", "door-enter", "保安工作台", (access.VISITORS_READ,)),
    Item("/staff/search", "search", "房屋住户", (estate.READ, residents.READ)),
    Item("/staff/billing-runs", "repeat", "出账", (billing.RUNS_START, billing.RUNS_APPROVE)),
    Item("/staff/bills", "inbox", "账单", (billing.BILLS_READ,)),
    Item(
        "/staff/corrections",
        "circle-check",
        "账单更正审批",
        (billing.CORRECTIONS_REQUEST, billing.CORRECTIONS_DECIDE),
        needs=(billing.BILLS_READ,),
    ),
    Item("/staff/desk", "home", "收款台", (payments.DESK_WRITE,)),
    Item("/staff/payments", "receipt", "缴费记录", (payments.PAYMENTS_READ,)),
    Item("/staff/refunds", "arrow-right", "退款", (payments.PAYMENTS_READ,)),
    Item("/staff/payments/exceptions", "alert-triangle", "支付异常", (payments.PAYMENTS_READ,)),
    Item("/staff/ledger", "list-details", "总账", (payments.LEDGER_READ,)),
    Item("/staff/arrears", "hourglass", "欠费", (billing.BILLS_READ,)),
    Item("/staff/dunning", "message-2", "催缴", (billing.DUNNING_WRITE,), needs=(billing.BILLS_READ,)),
    Item("/staff/books", "chart-bar", "账目公示", (billing.BOOKS_WRITE, billing.BOOKS_PUBLISH)),
    Item("/staff/alarms", "bell-ringing", "设备告警", (devices.ALARMS_READ,)),
    Item("/staff/visitors", "users", "访客管理", (access.VISITORS_READ,)),
    Item("/staff/access-records", "list-details", "通行记录", (access.RECORDS_READ,)),
    Item("/staff/doors", "key", "门禁点位", (access.DOORS_READ,)),
    Item("/staff/access-rules", "lock", "通行规则", (access.RULES_WRITE,)),
    Item("/staff/fees", "receipt", "收费项目", (billing.FEES_READ, billing.FEES_WRITE)),
    Item("/staff/meters", "gauge", "仪表与读数", (billing.METERS_READ, billing.METERS_WRITE)),
    Item("/staff/devices", "cpu", "设备台账", (devices.READ,)),
    Item("/staff/import", "file-import", "台账导入", (estate.IMPORT,)),
    Item("/staff/audit", "shield-lock", "操作审计", (identity.AUDIT_READ,)),
    Item("/staff/deliveries", "send", "投递记录", (notifications.DELIVERIES_READ,)),
    Item("/staff/webhooks", "webhook", "系统对接", (notifications.WEBHOOKS,)),
    Item("/staff/jobs", "heart-rate-monitor", "定时任务", for_operators=True),
)


def items_for(actor: Actor) -> list[Item]:
    """What is of use to the caller; the pages themselves are guarded by the operations they run."""
    return [item for item in ITEMS if item.is_for(actor)]
