"""How alike two people are: points for each sign, and the sign in words (REG-04).

in    two rows of people as `searching` lays them out: a and b
out   SQL for the score and the reasons' codes; a reason in words that name both

Points are set so that 70 is reached by: the same name and birth date anywhere in the county; names read alike with the
same birth date; the same name with day and month exchanged or two digits exchanged; and, in one township or village or
with one telephone, also one wrong digit, one other character. Two children of one household are pushed below it: twins
differ in one character. One number or one account in two records is listed whatever else differs.
"""

KEEP_FROM = 70
_SAME_NAME, _SAME_DAY = "a.folded = b.folded", "a.born = b.born"
_SWAPPED = "a.y = b.y AND a.m = b.d AND a.d = b.m AND a.m <> a.d"


def near_two(one: str, other: str) -> str:
    """SQL: two-digit numbers with one other digit, or the digits exchanged; not equal."""
    return (
        f"({one} <> {other} AND ({one} / 10 = {other} / 10 OR {one} % 10 = {other} % 10 OR {turned_two(one, other)}))"
    )


def turned_two(one: str, other: str) -> str:
    return f"({one} <> {other} AND {one} / 10 = {other} % 10 AND {one} % 10 = {other} / 10)"


def near_year(one: str, other: str) -> str:
    """SQL: years with one other digit, or two neighbours exchanged; not equal."""
    digits = [f"({one} / {at} % 10 <> {other} / {at} % 10)::int" for at in (1, 10, 100, 1000)]
    return f"({' + '.join(digits)} = 1 OR {turned_year(one, other)})"


def turned_year(one: str, other: str) -> str:
    ends = f"({one} / 100 = {other} / 100 AND {turned_two(f'{one} % 100', f'{other} % 100')})"
    middle = (
        f"({one} / 1000 = {other} / 1000 AND {one} % 10 = {other} % 10"
        f" AND {turned_two(f'{one} / 10 % 100', f'{other} / 10 % 100')})"
    )
    return f"({ends} OR {middle})"


_TURNED = (
    f"(a.y = b.y AND a.m = b.m AND {turned_two('a.d', 'b.d')} OR a.y = b.y AND a.d = b.d AND {turned_two('a.m', 'b.m')}"
    f" OR a.m = b.m AND a.d = b.d AND {turned_year('a.y', 'b.y')})"
)

# (code, condition, points); of one group the first that holds counts.
_NAME = (
    ("name_same", "a.name = b.name", 40),
    ("name_variant", _SAME_NAME, 38),
    ("name_sound", "a.spoken = b.spoken", 30),
    ("name_char", "a.len = b.len AND a.len > 2 AND p.one_char", 18),
)
_BORN = (
    ("born_same", _SAME_DAY, 40),
    ("born_swapped", _SWAPPED, 30),
    ("born_turned", _TURNED, 25),
    ("born_year", f"a.m = b.m AND a.d = b.d AND {near_year('a.y', 'b.y')}", 15),
    (
        "born_digit",
        f"a.y = b.y AND ({near_two('a.d', 'b.d')} AND a.m = b.m OR {near_two('a.m', 'b.m')} AND a.d = b.d)",
        22,
    ),
)
_PLACE = (
    ("household", "a.household = b.household", -25),
    ("village", "a.village = b.village", 12),
    ("township", "left(a.village, 9) = left(b.village, 9)", 5),
)
_SEX = (("sex_same", "a.sex = b.sex", 5), ("sex_other", "true", -15))
_PHONE = (("phone", "a.phone = b.phone", 15),)
_ACCOUNT = (("account", "p.account", 40),)
_NUMBER = (("number", "p.number", 100),)
_GROUPS = (_NUMBER, _ACCOUNT, _NAME, _BORN, _PHONE, _PLACE, _SEX)


def _first(group: tuple[tuple[str, str, int], ...], value: int) -> str:
    whens = " ".join(f"WHEN {each[1]} THEN {each[value] if value == 2 else repr(each[0])}" for each in group)
    return f"CASE {whens} {'ELSE 0 ' if value == 2 else ''}END"


SCORE = f"least(100, greatest(0, {' + '.join(_first(group, 2) for group in _GROUPS)}))"
REASONS = f"array_remove(ARRAY[{', '.join(_first(group, 0) for group in _GROUPS)}], NULL)"
"""Codes, the weightiest kind of sign first."""

_WORDS = {
    "number": "证件号码相同",
    "account": "同一账户",
    "name_same": "姓名相同",
    "name_variant": "姓名为繁简或异体字",
    "name_sound": "姓名同音",
    "name_char": "姓名只差一字",
    "born_same": "出生日期相同",
    "born_swapped": "出生日期月日颠倒",
    "born_turned": "出生日期两位数字颠倒",
    "born_digit": "出生日期只差一位",
    "born_year": "出生月日相同，年份只差一位",
    "phone": "户内登记的电话相同",
    "household": "同一户",
    "village": "同村",
    "township": "同乡镇",
    "sex_same": "性别相同",
    "sex_other": "性别不同",
}
_NAMED = {"name_variant", "name_sound", "name_char"}
CODES = tuple(_WORDS)


def in_words(reasons: list[str], first: str, second: str) -> str:
    """姓名同音：张伟／章伟；出生日期相同；同村；性别相同"""
    told = [f"{_WORDS[code]}：{first}／{second}" if code in _NAMED else _WORDS[code] for code in reasons]
    return "；".join(told)
