"""Lines of people and of vehicles (人员行、车辆行) into rows."""

from __future__ import annotations

import re
from datetime import date
from typing import TypeVar

from domains.kernel import documents
from domains.kernel.documents import Kind, Sex
from domains.residents.register import cells
from domains.residents.register.addresses import Addresses
from domains.residents.register.cells import LineReader, choice, words
from domains.residents.register.contacts import document_pairs
from domains.residents.register.fields import Field
from domains.residents.register.lines import Line
from domains.residents.register.problems import Problems
from domains.residents.register.rows import Capacity, PersonRow, Population, VehicleKind, VehicleRow
from domains.residents.register.workbook import Cell

T = TypeVar("T")


def _each(words: str, value: T) -> dict[str, T]:
    return dict.fromkeys(words.split(), value)


_RELATIONS: dict[str, Capacity] = {
    **_each(
        "业主 户主 本人 产权人 房主 共有人 共有产权人 产权共有人 房东 业主本人 户主本人 业主(户主) 所有权人",
        Capacity.OWNER,
    ),
    **_each(
        "家属 家庭成员 亲属 业主家属 配偶 夫妻 丈夫 妻子 夫 妻 爱人 老公 老婆 子女 儿子 女儿 子 女 长子 "
        "次子 长女 次女 独生子 独生女 父母 父亲 母亲 父 母 爸爸 妈妈 公公 婆婆 岳父 岳母 儿媳 媳妇 女婿 "
        "孙子 孙女 外孙 外孙女 孙 祖父 祖母 爷爷 奶奶 外公 外婆 外祖父 外祖母 兄弟 姐妹 兄弟姐妹 哥哥 "
        "弟弟 姐姐 妹妹 兄 弟 姐 妹 侄子 侄女 外甥 外甥女 直系亲属 其他亲属 家人 成员",
        Capacity.FAMILY,
    ),
    **_each(
        "租户 租客 承租人 租赁 租住 合租 合租人 租房 租户家属 租客家属 同住租客 租赁户 承租户 租 租住人 房客",
        Capacity.TENANT,
    ),
}
_SEXES = {
    "男": Sex.MALE,
    "男性": Sex.MALE,
    "M": Sex.MALE,
    "女": Sex.FEMALE,
    "女性": Sex.FEMALE,
    "F": Sex.FEMALE,
}
_POPULATIONS = {
    **_each(
        "户籍人口 户籍 常住人口 常住 户籍常住 本地户籍 本市户籍 户籍人员",
        Population.PERMANENT,
    ),
    **_each(
        "流动人口 流动 暂住 暂住人口 外来人口 外地户籍 流动人员 非户籍",
        Population.FLOATING,
    ),
    **_each(
        "重点关注人口 重点关注 重点人口 重点人员 重点 关注人口 重点关注人员",
        Population.KEY_ATTENTION,
    ),
}
_VEHICLES = {
    **_each(
        "汽车 小汽车 轿车 小型汽车 小型轿车 机动车 SUV MPV 越野车 面包车 客车 小型客车 货车 新能源汽车 "
        "新能源 电动汽车 商务车 皮卡 跑车 大型汽车",
        VehicleKind.CAR,
    ),
    **_each(
        "电动自行车 电动车 电瓶车 非机动车 电单车 两轮电动车 助力车 电动两轮车 电动摩托车",
        VehicleKind.EBIKE,
    ),
}

_relation = choice(_RELATIONS, "业主、家属或租户")
_sex = choice(_SEXES, "男或女")
_population = choice(_POPULATIONS, "户籍人口、流动人口或重点关注人口")
_vehicle = choice(_VEHICLES, "汽车或电动自行车")


def capacity_said_by(text: str) -> Capacity | None:
    """What a header or a sheet's name says of everybody under it: 租户登记表 → tenant, 产权人 → owner."""
    for pattern, capacity in (
        (r"租|承租", Capacity.TENANT),
        (r"家属|家庭成员", Capacity.FAMILY),
        (r"业主|产权|户主|房主|权利人|所有权", Capacity.OWNER),
    ):
        if re.search(pattern, text):
            return capacity
    return None


def read_person(
    line: Line, addresses: Addresses, sheet_building: str | None, said: Capacity | None, problems: Problems
) -> PersonRow | None:
    """The person of a line, or None after noting its errors; `said` is the capacity where no column is."""
    reader = LineReader(line, problems)
    place = addresses.place(reader, sheet_building)
    name = reader.take(Field.NAME, cells.name, required=True)
    capacity = reader.take(Field.RELATION, _relation, required=said is None) or said
    phones = reader.take(Field.PHONE, cells.phone_numbers) or ()
    kind, number = _document(reader)
    born_on = reader.take(Field.BORN_ON, cells.day) or (documents.birth_date(number) if number else None)
    sex = reader.take(Field.SEX, _sex) or (documents.sex(number) if number else None)
    _check_birth(reader, born_on, number)
    ethnicity = reader.take(Field.ETHNICITY, words(30))
    nationality = reader.take(Field.NATIONALITY, words(50))
    native_place = reader.take(Field.NATIVE_PLACE, words(100))
    registered_address = reader.take(Field.REGISTERED_ADDRESS, words(200))
    work_unit = reader.take(Field.WORK_UNIT, words(100))
    population = reader.take(Field.POPULATION, _population)
    tags = reader.take(Field.TAGS, _tags) or ()
    moved_in_on = reader.take(Field.MOVED_IN_ON, cells.day)
    if reader.failed or place is None or name is None or capacity is None:
        return None
    return PersonRow(
        sheet=line.sheet,
        row=line.number,
        place=place,
        name=name,
        capacity=capacity,
        sex=sex,
        born_on=born_on,
        phone=phones[0] if phones else None,
        other_phones=phones[1:],
        document_kind=kind,
        document_number=number,
        population=population,
        tags=tags,
        moved_in_on=moved_in_on,
        relation=line.text(Field.RELATION).strip() or None,
        ethnicity=ethnicity,
        nationality=nationality,
        native_place=native_place,
        registered_address=registered_address,
        work_unit=work_unit,
    )


def read_vehicle(
    line: Line, addresses: Addresses, sheet_building: str | None, problems: Problems
) -> VehicleRow | None:
    """The vehicle of a line, or None after noting its errors. Without a kind, the plate decides."""
    reader = LineReader(line, problems)
    place = addresses.place(reader, sheet_building)
    kind = reader.take(Field.VEHICLE_KIND, _vehicle)
    is_ebike = kind is VehicleKind.EBIKE
    plate = reader.take(Field.PLATE, cells.free_plate if is_ebike else cells.plate, required=True)
    owner_name = reader.take(Field.OWNER_NAME, cells.name)
    phones = reader.take(Field.PHONE, cells.phone_numbers) or ()
    plate_colour = reader.take(Field.PLATE_COLOUR, words(30))
    brand = reader.take(Field.BRAND, words(50))
    model = reader.take(Field.MODEL, words(50))
    colour = reader.take(Field.COLOUR, words(30))
    if reader.failed or place is None or plate is None:
        return None
    return VehicleRow(
        sheet=line.sheet,
        row=line.number,
        place=place,
        owner_name=owner_name,
        phone=phones[0] if phones else None,
        plate=plate,
        plate_colour=plate_colour,
        kind=kind or VehicleKind.CAR,
        brand=brand,
        model=model,
        colour=colour,
    )


def _document(reader: LineReader) -> tuple[Kind | None, str | None]:
    pairs = document_pairs(reader)
    if len(pairs) > 1:
        reader.fail(
            Field.DOCUMENT_NUMBER, "DOCUMENTS_UNCLEAR", "有多个证件号码，请只填写这一个人的一个证件号码"
        )
    return pairs[0] if pairs else (None, None)


def _check_birth(reader: LineReader, born_on: date | None, number: str | None) -> None:
    told = documents.birth_date(number) if number else None
    if told and born_on and told != born_on:
        reader.fail(Field.BORN_ON, "BIRTH_CONFLICT", f"与证件号码里的 {told} 不一致，请核对后改正其中一个")


def _tags(cell: Cell) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words(20)(piece) for piece in cells.split(cell)))
