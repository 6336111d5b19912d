"""What residents read of how an amount came."""

from __future__ import annotations

from typing import Any

import pytest

from domains.billing.charges.explanation import explain

WHOLE = {
    "from": "2026-11-01",
    "until": "2026-12-01",
    "price": "280",
    "quantity": "89.53",
    "percent": "100",
    "parts": 377580,
}


def area(*segments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "method": "built_area", "price_months": 1, "anchor": "2026-01-01", "discount": "0", "segments": list(segments),
    } | more  # fmt: skip


CASES: list[tuple[dict[str, Any], str, str]] = [
    (area(WHOLE), "2026年11月1日至11月30日,89.53 m² × 2.80 元/月", "2026-11-01 to 2026-11-30: 89.53 m² × 2.80 yuan a month"),
    (
        area(WHOLE | {"until": "2026-11-12"}),
        "2026年11月1日至11月11日,89.53 m² × 2.80 元/月 × 11/30 天",
        "2026-11-01 to 2026-11-11: 89.53 m² × 2.80 yuan a month × 11/30 of the month",
    ),
    (
        area(WHOLE | {"until": "2026-11-11"}, WHOLE | {"from": "2026-11-11", "price": "300.5"}),
        "2026年11月1日至11月10日,89.53 m² × 2.80 元/月 × 10/30 天;"
        "2026年11月11日至11月30日,89.53 m² × 3.005 元/月 × 20/30 天",
        "2026-11-01 to 2026-11-10: 89.53 m² × 2.80 yuan a month × 10/30 of the month; 2026-11-11 to 2026-11-30: 89.53 m² × "
        "3.005 yuan a month × 20/30 of the month",
    ),
    (
        area(WHOLE | {"until": "2027-01-11"}),
        "2026年11月1日至2027年1月10日,89.53 m² × 2.80 元/月 × (2 + 10/31)个月",
        "2026-11-01 to 2027-01-10: 89.53 m² × 2.80 yuan a month × (2 + 10/31) month(s)",
    ),
    (
        area(WHOLE | {"until": "2027-02-01"}),
        "2026年11月1日至2027年1月31日,89.53 m² × 2.80 元/月 × 3个月",
        "2026-11-01 to 2027-01-31: 89.53 m² × 2.80 yuan a month × 3 month(s)",
    ),
    (
        area(WHOLE | {"until": "2027-11-01", "quantity": "1", "price": "120000"}, method="fixed", price_months=12),
        "2026年11月1日至2027年10月31日,1 户 × 1200.00 元/年",
        "2026-11-01 to 2027-10-31: 1 household × 1200.00 yuan for 12 months",
    ),
    (
        area(WHOLE | {"quantity": "2", "price": "30000"}, method="vehicle", price_months=3),
        "2026年11月1日至11月30日,2 辆 × 300.00 元/季 × 1个月 ÷ 3",
        "2026-11-01 to 2026-11-30: 2 car(s) × 300.00 yuan for 3 months × 1 month(s) ÷ 3",
    ),
    (
        area(WHOLE | {"vacant": "70", "agreed": "50"}, discount="2.5"),
        "2026年11月1日至11月30日,89.53 m² × 2.80 元/月 × 70%(空置) × 50%(约定) × 97.5%(预缴优惠)",
        "2026-11-01 to 2026-11-30: 89.53 m² × 2.80 yuan a month × 70% (vacant) × 50% (as agreed) × 97.5% (paid ahead)",
    ),
    (
        area(WHOLE | {"until": "2026-11-02"}),
        "2026年11月1日,89.53 m² × 2.80 元/月 × 1/30 天",
        "2026-11-01: 89.53 m² × 2.80 yuan a month × 1/30 of the month",
    ),
    (
        {"method": "metered", "units": "8.2", "price": "350",
         "readings": [{"number": "W1", "from": "2026-09-30", "until": "2026-11-01", "first": "12.3", "last": "20.5",
                       "units": "8.2"}]},
        "表 W1,2026-09-30 至 2026-11-01,20.5 − 12.3 = 8.2;8.2 × 3.50 元",
        "Meter W1: 2026-09-30–2026-11-01: 20.5 − 12.3 = 8.2; 8.2 × 3.50 yuan",
    ),
    (
        {"method": "metered", "units": "15", "counted": "8", "tier_span": "year",
         "tiers": [{"above": "0", "price": "280", "units": "2"}, {"above": "10", "price": "400", "units": "13"}],
         "readings": [{"number": "W1", "from": "2026-09-30", "until": "2026-11-01", "first": "8", "last": "23",
                       "units": "15"}]},
        "表 W1,2026-09-30 至 2026-11-01,23 − 8 = 15;阶梯(本年已用 8):(2 × 2.80 + 13 × 4.00) 元",
        "Meter W1: 2026-09-30–2026-11-01: 23 − 8 = 15; in tiers (this year, 8 used before): (2 × 2.80 + 13 × 4.00) yuan",
    ),
    (
        {"method": "pooled", "pooled_by": "built_area", "total_fen": 123456, "weight": "89.53", "whole": "10000",
         "note": "电梯电费"},
        "共 1,234.56 元分摊 × 89.53 ÷ 10000 m²,电梯电费",
        "1,234.56 yuan × 89.53 ÷ 10000 m² — 电梯电费",
    ),
    ({"method": "one_off", "note": "装修押金"}, "装修押金", "装修押金"),
    ({"method": "one_off", "note": ""}, "一次性收费", "Charged once"),
    ({}, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("basis", "zh", "en"), CASES)
def test_in_words(basis: dict[str, Any], zh: str, en: str) -> None:
    assert explain(basis) == zh
    assert explain(basis, "en") == en
