"""Names: surnames that run in the family, given names of the bearer's time, and the rare ones that break software.

in    families, and who was born when
out   three codes per person (surname, first and last given character) and the text made of them

Always true: siblings and fathers share a surname; married women keep theirs (民法典 第1015条, 第1056条). A few names
hold characters outside GBK or outside the Basic Plane (㛃 䶮 𠮷 𬱖), a few are ethnic names with a dot.
Limits: pools are assumptions, drawn without regard to which characters go well together.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huimin.demo.population.chance import Bools, Chance, Ints, happens, pick
from huimin.demo.population.families import Families, Role

SURNAMES = (
    *"汪王李张余陈刘周吴胡杨黄徐朱江何方程郑廖漆曾罗林叶熊詹沈袁蔡田潘彭杜夏易洪桂储史金梅台戴匡丁姚查佘闵单仇简卫祝",
    "欧阳",
    "司马",
    "诸葛",
)
SURNAME_DECAY = 0.06  # assumption: each surname is so much rarer than the one before it
COHORT_STARTS = (1957, 1986, 2003)  # assumption: taste in names changed with those born in

# Per cohort: men's first and last characters, women's first and last characters.
POOLS: tuple[tuple[str, str, str, str], ...] = (
    (
        "德传世家先道正维启永宗绍光承仁",
        "福贵财山发才明银根生祥文武兴友",
        "桂秀玉素翠金月凤兰春菊少",
        "英兰珍芳莲华云香荣芝梅琴",
    ),
    ("建国志爱新红卫文永世成家本", "军平国明华强勇兵林海波涛刚", "红小丽春晓玉海冬秋建", "芳丽霞燕萍敏红艳娟玲平群"),
    ("志文俊小晓海伟建明家宏", "鹏飞伟杰磊超斌浩亮峰龙辉", "晓雪婷小文丽思海佳静", "婷静娜蓉洁丹倩雯慧莹琳"),
    ("子浩梓宇俊泽明嘉一思", "轩涵宇豪睿博晨然泽航毅", "梓子欣雨思诗佳一语可", "涵萱怡彤琪妍瑶悦晴雅"),
)
SINGLE_GIVEN_SHARES = (0.08, 0.24, 0.18, 0.06)  # assumption, per cohort

RARE_CHARACTERS = "㛃䶮𠮷𬱖"
RARE_SHARE = 0.0008  # assumption: enough to be met in every sample
ETHNIC_SURNAMES = ("阿依古丽·", "买买提·", "次仁·", "努尔古丽·", "扎西·")
ETHNIC_GIVEN = ("吐尔逊", "卓玛", "艾合买提", "罗布", "库尔班")
ETHNIC_SHARE = 0.0006  # assumption: people who married into the county

HOMOPHONES = {
    "丽": "莉", "军": "君", "兰": "岚", "英": "瑛", "玉": "钰", "伟": "玮", "刚": "钢", "明": "铭", "萍": "苹",
    "华": "骅", "霞": "遐", "珍": "贞", "静": "婧", "婷": "亭", "文": "雯", "志": "智", "平": "坪", "福": "富",
    "荣": "蓉", "莲": "连", "芝": "枝", "芳": "方", "鹏": "朋", "涵": "晗", "宇": "羽", "浩": "皓", "琴": "勤",
}  # fmt: skip
"""What a bank clerk who heard the name wrote instead: same sound, other character."""


def _pool() -> tuple[list[str], list[str]]:
    """All surnames and all given parts; given part 0 is the empty one."""
    given = dict.fromkeys("".join("".join(pool) for pool in POOLS) + RARE_CHARACTERS + "".join(HOMOPHONES.values()))
    return [*SURNAMES, *ETHNIC_SURNAMES], ["", *given, *ETHNIC_GIVEN]


_SURNAMES, _GIVEN = _pool()
_CODE = {part: code for code, part in enumerate(_GIVEN)}
# For each given part the code of its homophone, 0 where we know none.
HOMOPHONE_CODE = np.array([_CODE[HOMOPHONES[part]] if part in HOMOPHONES else 0 for part in _GIVEN])


@dataclass(frozen=True)
class Names:
    """Codes into the pools, one row per person; a name of one given character has `last` 0."""

    surname: Ints
    first: Ints
    last: Ints

    def take(self, rows: Ints) -> "Names":
        return Names(self.surname[rows], self.first[rows], self.last[rows])

    def put(self, rows: Ints, names: "Names") -> None:
        """Overwrite `rows` with `names`."""
        self.surname[rows], self.first[rows], self.last[rows] = names.surname, names.first, names.last

    def text(self) -> pa.Array:
        surnames, given = pa.array(_SURNAMES), pa.array(_GIVEN)
        parts = surnames.take(pa.array(self.surname)), given.take(pa.array(self.first)), given.take(pa.array(self.last))
        return pc.binary_join_element_wise(*parts, "")

    def misheard(self) -> "Names":
        """Each name with its last character replaced by a homophone, unchanged where we know none."""
        last = np.where(self.last > 0, HOMOPHONE_CODE[self.last], 0)
        first = np.where(self.last == 0, HOMOPHONE_CODE[self.first], 0)
        return replace(self, first=np.where(first > 0, first, self.first), last=np.where(last > 0, last, self.last))


def draw_names(families: Families, birth_year: Ints, chance: Chance) -> Names:
    """A name for everyone."""
    rng, count = chance.stream("names"), len(birth_year)
    cohort = np.searchsorted(COHORT_STARTS, birth_year, side="right")
    first, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for number, pool in enumerate(POOLS):
        for men in (True, False):
            rows = np.flatnonzero((cohort == number) & (families.male == men))
            firsts, lasts = pool[:2] if men else pool[2:]
            first[rows] = _drawn_from(firsts, len(rows), rng)
            last[rows] = _drawn_from(lasts, len(rows), rng)
    alone = rng.random(count) < np.array(SINGLE_GIVEN_SHARES)[cohort]
    alone |= first == last  # nobody is called 志志 after the family's generation character
    first[alone], last[alone] = last[alone], 0
    rare = happens(rng, RARE_SHARE, count)
    last[rare] = _drawn_from(RARE_CHARACTERS, int(rare.sum()), rng)
    names = Names(_surnames(families, rng), first, last)
    _marry_in(names, families, rng)
    return names


def _drawn_from(characters: str, count: int, rng: np.random.Generator) -> Ints:
    codes = np.array([_CODE[char] for char in characters])
    return codes[rng.integers(0, len(codes), count)]


def _surnames(families: Families, rng: np.random.Generator) -> Ints:
    """Children bear the father's name where he is listed; the head's own line holds upwards and sideways."""
    weights = np.exp(-SURNAME_DECAY * np.arange(len(SURNAMES)))
    surname = pick(rng, weights, len(families.role))
    head = families.first[:-1]
    own = surname[head]
    spouse = np.minimum(head + 1, len(surname) - 1)  # a spouse always stands second
    man_is_spouse = ~families.male[head] & (families.role[spouse] == Role.SPOUSE)
    fathers = np.where(man_is_spouse, surname[spouse], own)
    role, house = families.role, families.household
    down = np.isin(role, (Role.CHILD, Role.GRANDCHILD))
    up: Bools = np.isin(role, (Role.PARENT, Role.GRANDPARENT)) & families.male
    side = role == Role.SIBLING
    return np.where(down, fathers[house], np.where(up | side, own[house], surname))


def _marry_in(names: Names, families: Families, rng: np.random.Generator) -> None:
    """A few wives and husbands come from far away and have names with a dot."""
    married = np.isin(families.role, (Role.SPOUSE, Role.CHILDS_SPOUSE)) & ~_names_children(families)
    rows = np.flatnonzero(married & happens(rng, ETHNIC_SHARE * len(married) / max(1, married.sum()), len(married)))
    names.surname[rows] = len(SURNAMES) + rng.integers(0, len(ETHNIC_SURNAMES), len(rows))
    names.first[rows] = len(_GIVEN) - 1 - rng.integers(0, len(ETHNIC_GIVEN), len(rows))
    names.last[rows] = 0


def _names_children(families: Families) -> Bools:
    """A male spouse's surname is the children's, so it stays one they can bear."""
    bearers: Bools = families.male & (families.role == Role.SPOUSE)
    return bearers
