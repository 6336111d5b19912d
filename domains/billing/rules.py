"""Words and state tables of billing; what is computed stands in the modules named after it."""

from __future__ import annotations

from domains.kernel.transitions import Machine

CATEGORIES = {
    "property": "物业费", "parking": "停车费", "water": "水费", "hot_water": "热水费", "electricity": "电费",
    "gas": "燃气费", "heating": "取暖费", "shared": "公摊费", "waste": "垃圾费", "deposit": "押金", "other": "其他",
}  # fmt: skip
"""What a fee is for (费用类别)."""

PREPAYABLE = frozenset(CATEGORIES) - {"deposit"}
"""What money paid ahead may be kept for (专项预存); a deposit has an account of its own."""

METHODS = {
    "built_area": "按建筑面积", "inner_area": "按套内面积", "fixed": "按户固定", "metered": "按表计量",
    "pooled": "公摊", "vehicle": "按车", "one_off": "一次性", "formula": "公式",
}  # fmt: skip
"""How a fee is measured (计费方式)."""

METER_KINDS = {
    "water": "水表", "hot_water": "热水表", "electricity": "电表", "gas": "燃气表", "heat": "热量表",
}  # fmt: skip

EXCEPTIONS = {
    "NO_PRICE": "这段时间没有收费标准",
    "NO_INNER_AREA": "没有登记套内面积",
    "NO_READING": "没有本期读数",
    "READING_HELD": "读数待审核",
    "NO_POOLED_COST": "没有登记本期公摊费用",
    "FORMULA_FAILED": "公式无法计算",
    "AMOUNT_TOO_LARGE": "金额超出范围",
}
"""Why a line could not be made (出账异常)."""

READING_PROBLEMS = {
    "BACKWARDS": "读数小于上次读数",
    "IMPLAUSIBLE": "用量异常,请核对",
    "LATE": "早于已确认的读数",
}
"""Why a reading waits for review."""

EXPENSES = {
    "staff": "人员工资", "cleaning": "清洁卫生", "greening": "绿化养护", "security": "秩序维护", "repair": "维修养护",
    "energy": "公共能耗", "lift": "电梯维保", "insurance": "公众责任保险", "office": "办公费用", "tax": "税费",
    "other": "其他",
}  # fmt: skip
"""What a compound spends on (支出类别)."""

RUN = Machine(
    "billing_run",
    {
        "draft": frozenset({"approved", "cancelled"}),
        "approved": frozenset({"posted", "cancelled", "draft"}),
        "posted": frozenset(),
        "cancelled": frozenset(),
    },
    required={
        "draft": frozenset({"returned_at"}),
        "approved": frozenset({"approved_at"}),
        "posted": frozenset({"ended_at"}),
        "cancelled": frozenset({"ended_at"}),
    },
)
"""A run that is cancelled while it posts keeps the bills that it has made; one that would post other bills than those
approved is a draft again."""

BILL = Machine(
    "bill",
    {
        "open": frozenset({"partly_paid", "paid", "void"}),
        "partly_paid": frozenset({"open", "paid", "void"}),
        "paid": frozenset({"open", "partly_paid", "void"}),
        "void": frozenset(),
    },
    required={"paid": frozenset({"paid_at"})},
)
"""A paid bill is open again when its payment is taken back."""

CORRECTION = Machine(
    "correction",
    {
        "requested": frozenset({"approved", "rejected", "withdrawn"}),
        "approved": frozenset(),
        "rejected": frozenset(),
        "withdrawn": frozenset(),
    },
    required={
        "approved": frozenset({"decided_by", "decided_at", "effect_fen"}),
        "rejected": frozenset({"decided_by", "decided_at"}),
    },
)

READING = Machine(
    "meter_reading",
    {"held": frozenset({"accepted", "rejected"}), "accepted": frozenset(), "rejected": frozenset()},
    required={"accepted": frozenset({"reviewed_by", "reviewed_at", "total"})},
)

VACANCY = Machine(
    "vacancy",
    {"requested": frozenset({"approved", "rejected"}), "approved": frozenset(), "rejected": frozenset()},
    required={"approved": frozenset({"decided_at"}), "rejected": frozenset({"decided_at"})},
)
