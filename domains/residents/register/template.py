"""The Excel template (导入模板) that a property company downloads and fills in."""

from __future__ import annotations

import io
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from domains.kernel.documents import LABELS
from domains.residents.register.lines import EXAMPLE_MARK

_FILLABLE_ROWS = 20_000
_HEADER_FILL = PatternFill("solid", fgColor="DDEBF7")
_EXAMPLE_FONT = Font(italic=True, color="808080")
_DOCUMENTS = ",".join(LABELS.values())
_USES = "住宅,商业,办公,车库,其他"

_INSTRUCTIONS = (
    "一、各表第一行是表头，请不要改动；不需要的列可以空着，不需要的表可以删除。",
    "二、带“示例”字样的行只供参考，导入时会跳过，删不删除都可以。",
    "三、楼栋、房号、建筑面积必须填写；没有单元的楼栋，整栋的“单元”都空着。",
    "四、一套房有几位业主时，姓名写在同一格，用顿号隔开（张三、李四），电话按同样的顺序填写。",
    "五、手机号、证件号码所在的列已设为文本格式，请直接填写，不要改成数字格式。",
    "六、日期按 2019-03-15 的样子填写；面积只写数字，单位是平方米。",
    "七、请不要使用公式；从别的表复制时，请用“选择性粘贴—数值”。",
    "八、人员表、车辆表里的房屋，应在房屋表里，或已经导入过。",
    "九、再次导入会更新已有的房屋，不会重复；有错误时整个文件都不导入，并逐行列出原因。",
)


@dataclass(frozen=True, slots=True)
class _Table:
    """One sheet of the template; its header and its example rows are written with a bar between the cells."""

    name: str
    header: str
    examples: tuple[str, str]
    choices: dict[str, str]


_TABLES = (
    _Table(
        "楼栋",
        "楼栋|楼栋编码|建成年份|用途|结构|地上层数|地下层数|高度(m)|建筑面积(㎡)|使用年限|标准地址|派出所|街道"
        "|经度|纬度",
        (
            "1号楼|B001|2018|住宅|钢筋混凝土|17|1|52.5|12000|70|幸福路1号1号楼|幸福路派出所|幸福街道"
            "|120.1551|30.2741",
            "2号楼|B002|2018|住宅|钢筋混凝土|11|1|34|8000|70|幸福路1号2号楼|幸福路派出所|幸福街道"
            "|120.1556|30.2745",
        ),
        {"用途": _USES},
    ),
    _Table(
        "房屋",
        "楼栋|单元|楼层|房号|建筑面积(㎡)|套内面积(㎡)|房屋用途|交房日期|房屋状态|业主姓名|联系电话|证件类型|证件号码"
        "|租户姓名|租户电话|车牌号|备注",
        (
            "1号楼|1单元|1|101|89.5|72.3|住宅|2019-03-15|自住|张三、李四|13800000001、13800000002||"
            "|||浙A12345|",
            "1号楼|1单元|1|102|120|97.2|住宅|2019-03-15|出租|王五|13800000003|护照|E12345678"
            "|赵六|13800000004||",
        ),
        {"房屋用途": _USES, "房屋状态": "未售,空置,出租,自住", "证件类型": _DOCUMENTS},
    ),
    _Table(
        "人员",
        "楼栋|单元|房号|姓名|与房屋关系|性别|出生日期|民族|国籍|籍贯|联系电话|证件类型|证件号码|户籍地址|人口类别|标签"
        "|工作单位|入住日期",
        (
            "1号楼|1单元|101|张三|业主|男|1980-05-01|汉族|中国|浙江杭州|13800000001|||浙江省杭州市|户籍人口|"
            "||2019-04-01",
            "1号楼|1单元|102|赵六|租户|女|1995-08-20|汉族|中国|江苏南京|13800000004|||江苏省南京市|流动人口|独居"
            "||2024-01-01",
        ),
        {
            "与房屋关系": "业主,家属,租户",
            "性别": "男,女",
            "证件类型": _DOCUMENTS,
            "人口类别": "户籍人口,流动人口,重点关注人口",
        },
    ),
    _Table(
        "车辆",
        "楼栋|单元|房号|车主|车牌号|车牌种类/颜色|车辆类型|品牌|型号|颜色",
        (
            "1号楼|1单元|101|张三|浙A12345|蓝牌|汽车|大众|朗逸|白色",
            "1号楼|1单元|102|赵六|杭州A00001||电动自行车|雅迪||黑色",
        ),
        {"车牌种类/颜色": "蓝牌,绿牌,黄牌,白牌,黑牌", "车辆类型": "汽车,电动自行车"},
    ),
)


def template_workbook() -> bytes:
    """The template as an .xlsx file: how to fill it in, and a sheet each for 楼栋, 房屋, 人员 and 车辆."""
    workbook = Workbook()
    guide = workbook.worksheets[0]
    guide.title = "填写说明"
    guide.column_dimensions["A"].width = 100
    for row, instruction in enumerate(_INSTRUCTIONS, start=1):
        guide.cell(row, 1, instruction).alignment = Alignment(wrap_text=True, vertical="top")
    for table in _TABLES:
        _write(workbook.create_sheet(table.name), table)
    body = io.BytesIO()
    workbook.save(body)
    return body.getvalue()


def _write(sheet: Worksheet, table: _Table) -> None:
    for column, header in enumerate(table.header.split("|"), start=1):
        _write_column(sheet, column, header, table.choices.get(header))
    for row, example in enumerate(table.examples, start=2):
        for column, value in enumerate((EXAMPLE_MARK + example).split("|"), start=1):
            sheet.cell(row, column, value or None).font = _EXAMPLE_FONT
    sheet.freeze_panes = "A2"


def _write_column(sheet: Worksheet, column: int, header: str, choices: str | None) -> None:
    cell = sheet.cell(1, column, header)
    cell.font, cell.fill = Font(bold=True), _HEADER_FILL
    letter = get_column_letter(column)
    sheet.column_dimensions[letter].width = max(12, 2 * len(header) + 4)
    if any(word in header for word in ("号", "电话")):
        sheet.column_dimensions[letter].number_format = "@"
    if choices:
        sheet.add_data_validation(_drop_down(letter, header, choices))


def _drop_down(letter: str, header: str, choices: str) -> DataValidation:
    """Only 255 characters of choices fit into a cell's list (ECMA-376 part 1, 18.3.1.33)."""
    validation = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
    validation.error = f"请从列表中选择{header}"
    validation.errorTitle = "填写有误"
    validation.add(f"{letter}2:{letter}{_FILLABLE_ROWS}")
    return validation
