"""Invented names as China gives them: surnames by frequency, given names by the decade of birth."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Literal

Sex = Literal["男", "女"]

# Parts in ten thousand, roughly the country's; the last line is more common in Zhejiang than elsewhere.
_SURNAME_WEIGHTS: tuple[tuple[int, str], ...] = (
    (720, "王 李 张"),
    (510, "刘 陈"),
    (220, "杨 黄 吴 赵 周 徐"),
    (140, "孙 马 朱 胡 林 郭 何 高"),
    (100, "罗 郑 梁 谢 宋 唐 许 邓 冯 韩 曹 曾 彭 萧"),
    (65, "蔡 潘 田 董 袁 于 余 叶 蒋 杜 苏 魏 程 吕 丁 沈 任 姚 卢 傅 钟 姜 崔"),
    (45, "谭 廖 范 汪 陆 金 石 戴 贾 韦 夏 邱 方 侯 邹 熊 孟 秦 白 江 阎 薛 尹 段 雷 黎 史 龙 陶 贺 顾"),
    (30, "毛 郝 龚 邵 万 钱 严 覃 武 戚 莫 孔 向 汤 俞 章 施 洪 翁 骆 季 詹 童"),
    (10, "柴 楼 应 来 裘 盛 诸葛 欧阳"),
)

# From this year of birth on: given names for boys, for girls.
_GIVEN: tuple[tuple[int, str, str], ...] = (
    (
        1900,
        "德福 长根 金水 阿根 永昌 福生 宝林 炳荣 连生 志高 天佑 木根 来法 水根 荣生 春林 寿康 文彬 鸿才 "
        "德明 顺发 关林 松泉 茂才 祖荫 锡昌 柏林 云祥 庆余 士奎 子安 有财 小毛 根土 阿毛 仁德",
        "秀英 桂英 阿珍 兰芳 金娣 玉兰 秀珍 凤英 桂香 翠英 月娥 彩凤 水仙 素珍 美英 巧云 银花 阿凤 杏花 "
        "宝珠 莲英 雪娥 荷花 桂花 菊仙 玉珍 秀兰 淑贞 云仙 惠珍 爱珠 小妹 梅英 玉英 根娣 雅琴",
    ),
    (
        1950,
        "建国 国庆 卫国 志强 建华 保国 跃进 援朝 新民 建民 国强 金龙 光明 国良 永康 根法 志明 国荣 建平 "
        "忠良 伟民 水林 荣华 炳泉 胜利 和平 关根 福根 国平 建中 金根 守义 学文 连根 宝根 兴发",
        "桂芳 秀芳 玉珍 美珍 建英 爱珍 月珍 素芬 玉芬 惠芳 凤珍 菊英 秀娟 桂珍 彩娟 国英 爱华 兰英 金凤 "
        "梅芳 雪珍 淑芳 玉琴 文英 水珍 荷英 阿娟 琴芳 巧珍 桂仙 慧珍 云芳 爱娣 菊芬 美娟 银凤",
    ),
    (
        1960,
        "建军 卫东 红兵 志刚 永红 文革 国华 建明 卫民 向东 学军 建新 国民 立新 爱军 志华 国伟 海根 金荣 "
        "建林 建设 利民 小明 小平 晓东 伟强 国梁 跃明 永明 向阳 新华 军民 志良 伟明 建刚 荣根",
        "丽华 秀丽 红梅 建芳 玉梅 爱萍 美华 丽萍 雅芳 小红 建萍 卫红 文娟 红英 亚萍 雪琴 丽娟 惠琴 小萍 "
        "月琴 春香 水娟 丽芳 凤仙 爱芬 国珍 向红 素琴 秋英 群英 建珍 彩英 玲娣 小芬 丽珍 晓华",
    ),
    (
        1970,
        "勇 军 伟 强 涛 斌 建波 海波 志伟 晓明 永强 立军 国锋 剑平 俊杰 春雷 海峰 小军 建峰 云飞 卫星 明华 "
        "志勇 文斌 永刚 小波 建强 少华 晓峰 利军 海明 亚东 永军 剑锋 毅 洪波",
        "丽 艳 敏 静 红 燕 丽丽 海燕 晓燕 春梅 雪梅 小燕 丽君 亚琴 玲玲 晓红 莉萍 小英 建丽 秋萍 月红 "
        "雅琴 春燕 群芳 莉 萍 芳 娟 晓萍 丽敏 文琴 红霞 海英 晓芳 志红 佩芳",
    ),
    (
        1980,
        "磊 鹏 杰 超 浩 俊 凯 峰 晓东 海涛 志鹏 文杰 宇 亮 斌斌 伟杰 少波 晓磊 建飞 佳伟 嘉 旭东 立峰 俊峰 "
        "国栋 丹枫 一鸣 晨光 景行 天宇 佳明 泽民 振宇 海洋 文韬 启航",
        "婷 丹 娜 莹 雪 琳 静怡 晶晶 婷婷 佳 璐 倩 颖 慧 蓉 薇 晓丽 佳丽 园园 莎莎 文静 海霞 蓓蓓 丹丹 "
        "双双 佳佳 雯 瑾 露 洁 思敏 晓雯 雅静 梦 圆圆 菲菲",
    ),
    (
        1990,
        "凯 宇航 浩然 俊豪 佳豪 鑫 晨 泽宇 嘉伟 天翔 昊 志远 文博 晓宇 子豪 梓轩 家豪 思远 俊凯 煜 翔宇 "
        "逸飞 一凡 成龙 明哲 睿 伟豪 博文 立诚 书航 承志 弘毅 瀚文 少杰 家俊 若愚",
        "雨婷 梦婷 佳琪 雪莹 思雨 欣怡 梦瑶 晓彤 雨欣 嘉怡 文婷 佳慧 诗雨 静雯 晨曦 雅婷 梦琪 舒婷 可心 "
        "丹妮 悦 璇 钰 思琪 心怡 雨晴 若兰 诗琪 秋雨 晓晴 婉婷 佳颖 紫薇 清扬 楚楚 一诺",
    ),
    (
        2000,
        "宇轩 子轩 浩宇 俊杰 梓豪 文轩 嘉豪 天乐 博涵 子涵 皓轩 宇泽 鹏飞 俊熙 昊天 逸凡 思哲 家乐 俊宇 "
        "煜城 晨阳 明轩 泽楷 子墨 哲瀚 瑞霖 致远 英杰 建宇 越泽 智宸 承轩 乐天 彦哲 伟祺 语堂",
        "欣妍 雨涵 子萱 诗涵 梓涵 欣悦 可欣 佳怡 紫涵 思涵 雨桐 语嫣 静香 梦洁 美琳 欢馨 优璇 雨嘉 晓妍 "
        "嘉欣 慧妍 心妍 语晨 梓琪 依诺 婉清 芷若 佳宁 馨月 安琪 歆瑶 凌薇 雪瑶 乐怡 晨悦 菲儿",
    ),
    (
        2010,
        "沐宸 浩轩 奕辰 宇辰 亦辰 梓睿 子墨 俊熙 宸宇 一诺 泽宇 铭泽 沐阳 星辰 予安 景澄 知行 允执 书言 "
        "嘉树 云起 屿川 时安 承泽 牧野 怀瑾 逸尘 柏舟 清和 向晨 修远 明煦 楷瑞 以恒 子衿 谨言",
        "一诺 依诺 欣怡 梓涵 语桐 欣妍 可馨 语汐 雨桐 若汐 沐瑶 夏沫 知夏 予安 清欢 念安 星禾 芷晴 苡沫 "
        "舒窈 诗语 佳禾 安然 昕玥 沐晴 子衿 书瑶 锦书 晚柠 云舒 静姝 采薇 南乔 乐之 语桃 希言",
    ),
)

SURNAMES: tuple[str, ...] = tuple(name for _, line in _SURNAME_WEIGHTS for name in line.split())
_WEIGHTS = [weight for weight, line in _SURNAME_WEIGHTS for _ in line.split()]
_BOYS = [(since, boys.split()) for since, boys, _ in _GIVEN]
_GIRLS = [(since, girls.split()) for since, _, girls in _GIVEN]


class Names:
    """Draws full names (姓名), never one of the last sixteen again."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        # Longer than any household, so that nobody shares a name with who lives beside them.
        self._recent: deque[str] = deque(maxlen=16)

    def surname(self) -> str:
        return self._rng.choices(SURNAMES, _WEIGHTS)[0]

    def full_name(self, surname: str, sex: Sex, birth_year: int) -> str:
        """A name of the fashion of `birth_year` under this surname."""
        fashions = _BOYS if sex == "男" else _GIRLS
        given = next(names for since, names in reversed(fashions) if since <= birth_year)
        while (name := surname + self._rng.choice(given)) in self._recent:
            pass
        self._recent.append(name)
        return name
