"""The columns a register may have (台账列), and the words property companies head them with."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache


class SheetKind(StrEnum):
    """What one sheet lists (表的种类)."""

    BUILDINGS = "buildings"
    HOUSES = "houses"
    PEOPLE = "people"
    VEHICLES = "vehicles"


class Field(StrEnum):
    """One column of a register (列). The same word means the same field in every kind of sheet."""

    ZONE = "zone"
    BUILDING = "building"
    UNIT = "unit"
    FLOOR = "floor"
    ROOM = "room"
    AREA = "area"
    INNER_AREA = "inner_area"
    USE = "use"
    DELIVERED_ON = "delivered_on"
    STATUS = "status"
    OWNER_NAME = "owner_name"
    NAME = "name"
    PHONE = "phone"
    DOCUMENT_KIND = "document_kind"
    DOCUMENT_NUMBER = "document_number"
    TENANT_NAME = "tenant_name"
    TENANT_PHONE = "tenant_phone"
    PLATE = "plate"
    SHARE = "share"
    NOTE = "note"
    RELATION = "relation"
    SEX = "sex"
    BORN_ON = "born_on"
    ETHNICITY = "ethnicity"
    NATIONALITY = "nationality"
    NATIVE_PLACE = "native_place"
    REGISTERED_ADDRESS = "registered_address"
    POPULATION = "population"
    TAGS = "tags"
    WORK_UNIT = "work_unit"
    MOVED_IN_ON = "moved_in_on"
    PLATE_COLOUR = "plate_colour"
    VEHICLE_KIND = "vehicle_kind"
    BRAND = "brand"
    MODEL = "model"
    COLOUR = "colour"
    BUILDING_CODE = "building_code"
    BUILT_YEAR = "built_year"
    STRUCTURE = "structure"
    FLOORS_ABOVE = "floors_above"
    FLOORS_BELOW = "floors_below"
    HEIGHT = "height"
    SERVICE_LIFE = "service_life"
    STANDARD_ADDRESS = "standard_address"
    POLICE_STATION = "police_station"
    STREET = "street"
    LONGITUDE = "longitude"
    LATITUDE = "latitude"


# The first word of each line is the field's title wherever it is shown to a person.
SYNONYMS: dict[Field, str] = {
    Field.ZONE: "期区 期数 分期 期 组团 分区 苑区 区域",
    Field.BUILDING: (
        "楼栋 栋 幢 座 栋号 幢号 座号 楼号 楼座 楼宇 楼幢 号楼 楼 栋数 楼栋号 楼幢号 楼栋名称 楼宇名称 "
        "楼栋编号 楼宇号 大楼 楼盘栋号 所在楼栋 楼栋单元 楼号单元 栋单元 楼栋及单元 几栋 几号楼 栋座"
    ),
    Field.UNIT: "单元 单元号 梯 梯号 单元名称 所在单元 门栋 门栋号 几单元",
    Field.FLOOR: "楼层 层 所在层 层数 层号 楼层号 所在楼层 所在层数 几层",
    Field.ROOM: (
        "房号 室号 门牌 门牌号 房间号 户号 房间 室 房屋编号 房屋号 房产编号 房屋 房产 房屋名称 房间编号 "
        "户室号 单元房号 房屋地址 房产地址 房屋坐落 坐落 住址 家庭住址 地址 房屋信息 详细地址 户 房室号 "
        "楼房号 房屋门牌 所在房屋 房屋全称"
    ),
    Field.AREA: (
        "建筑面积 建面 产权面积 面积 房屋面积 房产面积 计费面积 收费面积 建筑总面积 总建筑面积 产证面积 "
        "房产证面积 实测面积 实测建筑面积 面积建筑 登记面积"
    ),
    Field.INNER_AREA: "套内面积 套内 套内建筑面积 使用面积 实用面积 室内面积 面积套内",
    Field.USE: (
        "用途 房屋用途 使用性质 房屋性质 用房性质 房屋类型 规划用途 设计用途 物业类型 业态 房产类型 "
        "楼栋用途 建筑用途"
    ),
    Field.DELIVERED_ON: (
        "交房日期 交房时间 交付日期 交付时间 收房日期 收房时间 接房日期 接房时间 交楼日期 交楼时间 收楼日期"
    ),
    Field.STATUS: (
        "房屋状态 状态 入住状态 居住状态 使用状态 房屋使用状态 入住情况 房态 居住情况 销售状态 使用情况 "
        "房屋现状"
    ),
    Field.OWNER_NAME: (
        "业主姓名 业主 产权人 户主 产权人姓名 户主姓名 房主 房主姓名 业主名称 产权所有人 所有权人 权利人 "
        "购房人 买受人 业主名字 业主名 客户名称 客户姓名 车主 车主姓名 产权单位 房屋所有人 共有人 "
        "产权所有者 住户"
    ),
    Field.NAME: (
        "姓名 人员姓名 居民姓名 住户姓名 成员姓名 名字 家庭成员 家庭成员姓名 居住人 居住人姓名 人员 成员"
    ),
    Field.PHONE: (
        "联系电话 手机 电话 联系方式 手机号 手机号码 电话号码 联系手机 移动电话 联系号码 业主电话 "
        "业主手机 业主手机号 业主联系电话 业主联系方式 户主电话 产权人电话 车主电话 车主手机 "
        "业主手机号码 本人电话 常用电话 联系人电话 tel phone 手机电话"
    ),
    Field.DOCUMENT_KIND: "证件类型 证件种类 证件类别 证件名称 身份证件类型",
    Field.DOCUMENT_NUMBER: (
        "证件号码 身份证 身份证号 身份证号码 证件号 证件编号 身份证件号码 业主身份证 业主身份证号 "
        "业主证件号码 业主身份证号码 公民身份号码 身份号码 居民身份证号码"
    ),
    Field.TENANT_NAME: "租户姓名 租户 租客 租客姓名 承租人 承租人姓名 租住人 租赁人",
    Field.TENANT_PHONE: (
        "租户电话 租客电话 承租人电话 租户手机 租户手机号 租户联系电话 租户联系方式 租客联系电话 租客手机"
    ),
    Field.PLATE: (
        "车牌号 车牌 车牌号码 车号 号牌号码 车辆牌号 牌照 车辆号牌 机动车号牌 电动车牌号 牌号 业主车牌 "
        "车牌照号"
    ),
    Field.SHARE: "共有情况 产权份额 份额 共有方式 产权比例 共有份额 占有份额 产权情况",
    Field.NOTE: "备注 说明 备注说明 备注信息 其他 附注",
    Field.RELATION: (
        "与房屋关系 关系 与业主关系 与户主关系 与产权人关系 人员类型 住户类型 居住身份 身份 人员身份 "
        "住户身份 居民类型 家庭关系 成员关系 住户类别 与房主关系"
    ),
    Field.SEX: "性别",
    Field.BORN_ON: "出生日期 出生年月日 出生年月 生日 出生时间",
    Field.ETHNICITY: "民族",
    Field.NATIONALITY: "国籍 国籍地区",
    Field.NATIVE_PLACE: "籍贯",
    Field.REGISTERED_ADDRESS: "户籍地址 户籍地 户口所在地 户籍所在地 户口地址 身份证地址 户籍住址",
    Field.POPULATION: "人口类别 人口类型 人口性质 人口分类 人员类别 户籍类型 户籍类别",
    Field.TAGS: "标签 人员标签 特殊标签 人群标签",
    Field.WORK_UNIT: "工作单位 单位名称 就业单位 服务处所 从业单位 工作单位名称",
    Field.MOVED_IN_ON: "入住日期 入住时间 迁入日期 迁入时间 居住起始日期 起租日期",
    Field.PLATE_COLOUR: (
        "车牌颜色 车牌种类 号牌颜色 号牌种类 车牌类型 号牌类型 牌照颜色 车牌种类颜色 牌照类型"
    ),
    Field.VEHICLE_KIND: "车辆类型 车型 车辆种类 车辆类别 车种",
    Field.BRAND: "品牌 车辆品牌 厂牌 汽车品牌 品牌名称",
    Field.MODEL: "型号 车辆型号 品牌型号 规格型号",
    Field.COLOUR: "颜色 车身颜色 车辆颜色 车色",
    Field.BUILDING_CODE: "楼栋编码 楼宇编码 建筑编码 楼栋代码 建筑物编码 栋编码 楼栋国标码 编码",
    Field.BUILT_YEAR: "建成年份 建成年代 建筑年代 竣工年份 建造年份 竣工时间 竣工日期 建成时间 建成年",
    Field.STRUCTURE: "结构 建筑结构 结构类型 房屋结构 建筑结构类型",
    Field.FLOORS_ABOVE: "地上层数 地上楼层数 地上楼层 总层数 总楼层 地面层数 楼层总数 地上",
    Field.FLOORS_BELOW: "地下层数 地下楼层数 地下楼层 地下室层数 地下",
    Field.HEIGHT: "高度 建筑高度 楼高 楼栋高度",
    Field.SERVICE_LIFE: "使用年限 设计使用年限 设计年限 产权年限 寿命年限",
    Field.STANDARD_ADDRESS: "标准地址 标准门牌地址 公安标准地址 楼栋地址 楼宇地址",
    Field.POLICE_STATION: "派出所 所属派出所 管辖派出所 辖区派出所",
    Field.STREET: "街道 所属街道 街道办 所属街道办 街道办事处 街道乡镇",
    Field.LONGITUDE: "经度 中心经度",
    Field.LATITUDE: "纬度 中心纬度",
}

PLACE = (Field.ZONE, Field.BUILDING, Field.UNIT, Field.FLOOR, Field.ROOM)
# Companies add a second column for these instead of a second line in the cell.
REPEATABLE = frozenset(
    {Field.OWNER_NAME, Field.NAME, Field.PHONE, Field.PLATE, Field.TENANT_PHONE, Field.NOTE}
)

_BRACKETS = re.compile(r"[(\[【<〔{《][^)\]】>〕}》]*[)\]】>〕}》]?")
_NOISE = re.compile(r"[\s\u200b*★☆※:,.、。/\\|\-—_()\[\]【】<>〔〕{}《》\"'“”]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that name another field when a more exact header stands beside them.
_VAGUE = _words(
    "地址 住址 家庭住址 坐落 房屋坐落 详细地址 房屋地址 房产地址 面积 层数 名字 说明 其他 编码 户 "
    "住户 身份 房屋 房产 区域 单位名称"
)
_ABOUT_OTHERS = re.compile(r"紧急|物业费|管家|经办|中介|监护|公摊|分摊|车位|花园面积|赠送|地下室面积|储藏")
_OF_TENANT = {
    Field.NAME: Field.TENANT_NAME,
    Field.OWNER_NAME: Field.TENANT_NAME,
    Field.PHONE: Field.TENANT_PHONE,
}
ADDRESS_WORDS = _words("地址 住址 家庭住址 坐落 房屋坐落 详细地址 房屋地址 房产地址")
_UNIT_OF_MEASURE = re.compile(r"(m2|m²|平方米|平米|平方|单位)$")


def title(field: Field) -> str:
    """What a person calls this column."""
    return SYNONYMS[field].split(" ", 1)[0]


def header_keys(text: str) -> tuple[str, ...]:
    """The spellings under which a header is looked up, the most literal first."""
    folded = unicodedata.normalize("NFKC", text).lower()
    whole = _NOISE.sub("", folded)
    bare = _NOISE.sub("", _BRACKETS.sub("", folded))
    plain = _UNIT_OF_MEASURE.sub("", bare).rstrip("0123456789")
    shorter = re.sub(r"^(房屋|住宅|本户|业主的|所属|所在)", "", plain)
    return tuple(dict.fromkeys(key for key in (whole, bare, plain, shorter) if key))


@cache
def _by_word() -> dict[str, Field]:
    return {word: field for field, words in SYNONYMS.items() for word in words.split()}


@cache
def _long_words() -> tuple[tuple[str, Field], ...]:
    words = [(word, field) for word, field in _by_word().items() if len(word) >= 4]
    return tuple(sorted(words, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=4096)
def recognise(text: str) -> tuple[Field, float] | None:
    """The field a header names, with a confidence from 0 to 1, or None."""
    keys = header_keys(text) if len(text) <= 60 else ()
    if not keys or len(keys[0]) > 30 or _ABOUT_OTHERS.search(keys[0]):
        return None
    found = _exact(keys) or _contained(keys[0])
    if found and "租" in keys[0]:
        return _OF_TENANT.get(found[0], found[0]), found[1]
    return found


def _exact(keys: tuple[str, ...]) -> tuple[Field, float] | None:
    for position, key in enumerate(keys):
        if key in _by_word():
            return _by_word()[key], 0.7 if key in _VAGUE else 1.0 - 0.1 * min(position, 2)
    return None


def _contained(key: str) -> tuple[Field, float] | None:
    if len(key) > 16:
        return None
    return next(((field, 0.5) for word, field in _long_words() if word in key), None)
