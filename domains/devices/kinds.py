"""Kinds of devices, alarms and ledger lines (设备类型、告警类型、台账事项), each with what is decided by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Level = Literal["critical", "major", "minor"]


@dataclass(frozen=True, slots=True)
class Label:
    """A word for people, in both languages."""

    zh: str
    en: str


DEVICE_KINDS = {
    "door": Label("门禁控制器", "door controller"),
    "gate": Label("人行闸机", "pedestrian gate"),
    "vehicle_gate": Label("车辆道闸", "vehicle gate"),
    "fire_panel": Label("消防主机", "fire alarm panel"),
    "smoke_detector": Label("烟感探测器", "smoke detector"),
    "gas_detector": Label("可燃气体探测器", "gas detector"),
    "fire_door": Label("防火门监测", "fire door monitor"),
    "hydrant": Label("消火栓监测", "hydrant monitor"),
    "fire_lane": Label("消防通道监测", "fire lane monitor"),
    "manhole": Label("智能井盖", "manhole cover"),
    "lift": Label("电梯监测", "lift monitor"),
    "water_tank": Label("水箱监测", "water tank monitor"),
    "street_light": Label("智慧路灯", "street light"),
    "perimeter": Label("周界报警", "perimeter detector"),
    "falling_object": Label("高空抛物监测", "falling object camera"),
    "ebike_detector": Label("电动车入梯监测", "e-bike detector"),
    "environment": Label("环境监测", "environment station"),
    "other": Label("其他设备", "other device"),
}


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """A kind of alarm (告警类型).

    `off_delay` (IEC 62682) is how long the condition must be gone before the alarm is cleared: one that
    comes and goes stays one alarm. `shelf` is for how long reports of a condition that somebody has
    cleared by hand open no new alarm, short where a second look is a matter of life.
    """

    zh: str
    en: str
    level: Level
    off_delay: timedelta = timedelta(minutes=2)
    shelf: timedelta = timedelta(hours=4)


_SOON, _LIFE = timedelta(seconds=30), timedelta(minutes=10)

ALARM_KINDS = {
    "fire": AlarmKind("火警", "fire", "critical", timedelta(minutes=1), _LIFE),
    "gas": AlarmKind("燃气泄漏", "gas leak", "critical", timedelta(minutes=1), _LIFE),
    "lift_trapped": AlarmKind(
        "电梯困人", "people trapped in a lift", "critical", timedelta(minutes=1), _LIFE
    ),
    "water_quality": AlarmKind("水质超标", "water quality", "major"),
    "water_tank": AlarmKind("水箱液位异常", "water tank level", "major"),
    "fire_door": AlarmKind("防火门异常", "fire door", "major"),
    "hydrant": AlarmKind("消火栓异常", "hydrant", "major"),
    "fire_lane": AlarmKind("消防通道占用", "fire lane blocked", "major"),
    "manhole": AlarmKind("井盖异常", "manhole cover", "major"),
    "lift": AlarmKind("电梯故障", "lift fault", "major"),
    "perimeter": AlarmKind("周界入侵", "perimeter intrusion", "major", _SOON, _LIFE),
    "falling_object": AlarmKind("高空抛物", "falling object", "major", _SOON, _LIFE),
    "ebike_in_lift": AlarmKind("电动车入梯", "e-bike in a lift", "major", _SOON, _LIFE),
    "door_forced": AlarmKind("门被强行打开", "door forced", "major", _SOON, _LIFE),
    "door_held": AlarmKind("门未关好", "door held open", "minor", _SOON, timedelta(hours=1)),
    "tamper": AlarmKind("设备被拆动", "tamper", "major", _SOON, timedelta(hours=1)),
    "street_light": AlarmKind("路灯故障", "street light fault", "minor"),
    "clock": AlarmKind("设备时间不准", "device clock is wrong", "minor"),
    "fault": AlarmKind("设备故障", "device fault", "minor"),
    "offline": AlarmKind("设备离线", "device offline", "minor"),
}

_OF_EVERY_DEVICE = frozenset({"tamper", "fault", "offline", "clock"})
_OF_DOORS = frozenset({"door_forced", "door_held"})
_RAISED_BY = {
    "door": _OF_DOORS, "gate": _OF_DOORS, "vehicle_gate": _OF_DOORS,
    "fire_panel": frozenset({"fire", "gas", "fire_door", "hydrant"}), "smoke_detector": frozenset({"fire"}),
    "gas_detector": frozenset({"gas"}), "fire_door": frozenset({"fire_door"}), "hydrant": frozenset({"hydrant"}),
    "fire_lane": frozenset({"fire_lane"}), "manhole": frozenset({"manhole"}),
    "lift": frozenset({"lift", "lift_trapped", "ebike_in_lift"}), "ebike_detector": frozenset({"ebike_in_lift"}),
    "water_tank": frozenset({"water_tank", "water_quality"}), "street_light": frozenset({"street_light"}),
    "perimeter": frozenset({"perimeter"}), "falling_object": frozenset({"falling_object"}),
}  # fmt: skip


def may_raise(device_kind: str, alarm_kind: str) -> bool:
    """Whether a device of this kind can know of such a condition: a fire unlocks doors, so that not every
    device's word counts for one."""
    return alarm_kind in _OF_EVERY_DEVICE or alarm_kind in _RAISED_BY.get(device_kind, ())


ENTRY_KINDS = {
    "registered": Label("登记", "registered"),
    "installed": Label("安装投用", "installed"),
    "moved": Label("移位", "moved"),
    "inspected": Label("巡检", "inspected"),
    "maintained": Label("维护保养", "maintained"),
    "repaired": Label("维修", "repaired"),
    "part_replaced": Label("更换部件", "part replaced"),
    "out_of_order": Label("停用", "taken out of order"),
    "back": Label("恢复使用", "back in service"),
    "retired": Label("报废", "retired"),
    "corrected": Label("资料更正", "record corrected"),
}
