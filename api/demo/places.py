"""Where the demo lies (示范区域): real province and city, invented district, street and neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Level = Literal["province", "city", "district", "street", "neighbourhood"]


@dataclass(frozen=True, slots=True)
class OrganisationUnit:
    """One node of the organisation tree (省/市/区/街道/社区), below that of `parent_code`."""

    level: Level
    name: str
    code: str
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class CompoundSite:
    """A residential compound (小区); the position is that of its first building."""

    name: str
    code: str
    neighbourhood_code: str
    address: str
    street: str
    police_station: str
    longitude: Decimal
    latitude: Decimal


# Codes as in GB/T 2260 (first six digits) and GB/T 10114; no district of Hangzhou has 99.
ORGANISATION: tuple[OrganisationUnit, ...] = (
    OrganisationUnit("province", "浙江省", "330000", None),
    OrganisationUnit("city", "杭州市", "330100", "330000"),
    OrganisationUnit("district", "沐湖区", "330199", "330100"),
    OrganisationUnit("street", "桂湾街道", "330199001", "330199"),
    OrganisationUnit("neighbourhood", "桂语社区", "330199001001", "330199001"),
    OrganisationUnit("neighbourhood", "杏园社区", "330199001002", "330199001"),
)

COMPOUND = CompoundSite(
    name="桂语里",
    code="GYL",
    neighbourhood_code="330199001001",
    address="浙江省杭州市沐湖区桂语路18号",
    street="桂湾街道",
    police_station="桂湾派出所",
    longitude=Decimal("120.098200"),
    latitude=Decimal("30.316400"),
)

MAIN_GATE = "南门"
"""Where the compound's guests come in, and its guard stands."""

SECOND_COMPOUND = CompoundSite(
    name="银杏苑",
    code="YXY",
    neighbourhood_code="330199001002",
    address="浙江省杭州市沐湖区杏园巷6号",
    street="桂湾街道",
    police_station="桂湾派出所",
    longitude=Decimal("120.104600"),
    latitude=Decimal("30.313900"),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody comes from (籍贯), with a region code that GB/T 2260 has never assigned."""

    place: str
    region_code: str
    weight: int

    @property
    def is_local(self) -> bool:
        return self.region_code == "330199"


LOCAL = Origin("浙江杭州", "330199", 0)

# Regional codes end in 99 for the same reason that the phones are unissued: nobody's number is in the demo.
NEARBY: tuple[Origin, ...] = (
    Origin("浙江杭州", "330199", 60),
    Origin("浙江绍兴", "330699", 9),
    Origin("浙江金华", "330799", 7),
    Origin("浙江宁波", "330299", 4),
    Origin("浙江湖州", "330599", 4),
    Origin("浙江衢州", "330899", 4),
    Origin("浙江温州", "330399", 4),
    Origin("浙江丽水", "331199", 3),
    Origin("安徽黄山", "341099", 3),
    Origin("江苏苏州", "320599", 2),
)
FARAWAY: tuple[Origin, ...] = (
    Origin("安徽阜阳", "341299", 16),
    Origin("安徽安庆", "340899", 10),
    Origin("河南信阳", "411599", 12),
    Origin("河南周口", "411699", 8),
    Origin("江西上饶", "361199", 12),
    Origin("湖北黄冈", "421199", 8),
    Origin("四川达州", "511799", 6),
    Origin("贵州遵义", "520399", 6),
    Origin("湖南邵阳", "430599", 5),
    Origin("江苏盐城", "320999", 5),
    Origin("山东临沂", "371399", 4),
    Origin("浙江台州", "331099", 8),
)

# Han first; the others as Zhejiang's towns and its incomers have them.
ETHNICITIES: dict[str, int] = {
    "汉族": 962,
    "畲族": 10,
    "回族": 7,
    "土家族": 6,
    "苗族": 6,
    "满族": 5,
    "布依族": 4,
}

EMPLOYERS: tuple[str, ...] = (
    "杭州禾声软件有限公司",
    "杭州沐湖自来水厂",
    "沐湖区第二人民医院",
    "桂湾小学",
    "沐湖中学",
    "杭州山止设计院",
    "浙江岸橘电子商务有限公司",
    "杭州青桅物流有限公司",
    "沐湖区行政服务中心",
    "杭州溪上食品有限公司",
    "浙江木杉建设集团",
    "杭州知鹿科技有限公司",
    "桂湾街道社区卫生服务中心",
    "杭州拾叶餐饮管理有限公司",
    "浙江云陌银行沐湖支行",
    "杭州白屿服饰有限公司",
    "沐湖公交公司",
    "杭州归帆汽车服务有限公司",
    "个体经营",
    "自由职业",
)
# As many as there are shops in the demo compound, so that no two have one name.
SHOPS: tuple[str, ...] = (
    "桂语便利店",
    "拾叶面馆",
    "小满水果店",
    "阿根理发店",
    "禾木药房",
    "半亩咖啡",
    "安心洗衣",
    "桂湾烘焙",
    "知夏花店",
    "老街馄饨",
    "小鹿母婴",
    "云朵宠物",
    "青桅快递驿站",
    "巷口五金",
    "沐湖房产中介",
    "好邻居生鲜",
    "启明文具",
    "桂里茶铺",
    "晚风书吧",
    "康宁口腔诊所",
)
