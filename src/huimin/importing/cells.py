"""What one cell says: text as people write it into a value as the registry holds it, or why it cannot be (REG-03).

in    the text of a cell (never None); for facts the `Fact` it is read for
out   the value of `kernel.facts` (money in 分, area in hundredths, flags as bool …); None for "not stated"; or a Fault

Nothing is guessed: what may mean two things is a fault that says how to write it. Not stated are the empty cell and
`-`, `—`, `/`, `\\`, `…`: they leave what is registered as it is. "无" is a value where it is one of the choices, and
for numbers a fault (0, or not asked?). Pure; the same text always gives the same.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from huimin.importing.reading.sheets import NO_VALUE
from huimin.importing.words import CHOICE_WORDS
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import Fact, Kind
from huimin.kernel.identity import (
    LENGTH_BEFORE_1999,
    BadIdentityNumber,
    check_digit,
    normalise_identity,
    parse_identity,
)
from huimin.kernel.names import unfit_in

NAME_MAX, ADDRESS_MAX, HOUSEHOLD_NO_MAX = 60, 200, 24
_WIDE = {0xFF01 + at: 0x21 + at for at in range(94)} | {0x3000: " ", 0x3002: "."}
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD))
_NOT_STATED = frozenset(("", "-", "--", "—", "——", "－", "/", "\\", "…", "……", "*"))
_LOST = re.compile(r"\d(?:\.\d+)?[Ee]\+?\d{1,3}")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_YES = frozenset(("是", "√", "✓", "✔", "☑", "有", "对", "y", "yes", "true", "1", "v", "●"))
_NO = frozenset(("否", "×", "✗", "✘", "x", "无", "没有", "不是", "n", "no", "false", "0", "○", "☐", "□"))
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0?0:00(?::00)?(?:\.0+)?)?")
_DAY_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"[1-9]\d{4}")
_DIGITS_MAX = 15
_INT_MAX = 2**15 - 1
_MAY_BE_NEGATIVE = frozenset(("business_income_year",))
"""A farm may lose money in a year; nothing else of the dictionary can be below nothing."""


class Fault(Refusal):
    """This cell cannot be taken: `what` is wrong, `remedy` says what to write instead."""


def tidy(text: str) -> str:
    """Half-width, without invisible characters and spaces at the ends; the rest as it is."""
    return text.translate(_INVISIBLE).translate(_WIDE).strip()


def not_stated(text: str) -> bool:
    return tidy(text) in _NOT_STATED


def number_of(text: str, units: tuple[str, ...] = ("元",)) -> Decimal | None:
    """`１，234.50 元` is 1234.50."""
    plain = "".join(tidy(text).split())
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    plain = plain.removeprefix("¥").removeprefix("￥")
    for unit in units:
        plain = plain.removesuffix(unit)
    if _LOST.fullmatch(plain) or sum(char.isdigit() for char in plain) > _DIGITS_MAX:
        raise Fault("数字过长", why="超过 15 位的数 Excel 存不下", remedy="请核对后填写实际的数")
    if plain in ("无", "没有"):
        raise Fault(f"“{plain}”不是数", remedy="没有请填 0，没有调查请留空")
    try:
        if not _NUMBER.fullmatch(plain):
            raise InvalidOperation
        return Decimal(plain.replace(",", ""))
    except InvalidOperation:
        raise Fault(f"“{_short(text)}”不是数", remedy="请只填数字，没有请填 0，没有调查请留空") from None


def hundredths_of(
    text: str, *, factor: int = 1, negative: bool = False, units: tuple[str, ...] = ("元",)
) -> int | None:
    """分 of 元, or hundredths of 亩 or 平方米; `factor` 10,000 when the head says 万元. No rounding: a third decimal is a fault."""
    number = number_of(text, units)
    if number is None:
        return None
    value = number * factor * 100
    if value != value.to_integral_value():
        raise Fault(f"“{_short(text)}”小数超过两位", remedy="请保留两位小数")
    _require_sign(value, text, negative)
    if abs(value) >= 10**_DIGITS_MAX:
        raise Fault(f"“{_short(text)}”过大", remedy="请核对单位和小数点")
    return int(value)


def whole_of(text: str, units: tuple[str, ...] = ()) -> int | None:
    number = number_of(text, units)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Fault(f"“{_short(text)}”不是整数", remedy="请填整数")
    _require_sign(number, text, False)
    if number > _INT_MAX:
        raise Fault(f"“{_short(text)}”过大", remedy="请核对后重新填写")
    return int(number)


def flag_of(text: str) -> bool | None:
    plain = "".join(tidy(text).split()).lower()
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    if plain in _YES:
        return True
    if plain in _NO:
        return False
    raise Fault(f"“{_short(text)}”不是“是”或“否”", remedy="请填 是 或 否（√ 和 × 也可以），没有调查请留空")


def day_of(text: str) -> date | None:
    """Six forms: 2021-07-01, 2021/7/1, 2021.7.1, 2021年7月1日, 20210701, and the number a spreadsheet keeps for a day."""
    plain = "".join(tidy(text).split()) if "年" in text else tidy(text)
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    found = _DAY.fullmatch(plain) or _DAY_DIGITS.fullmatch(plain)
    try:
        if found:
            return date(*map(int, found.groups()))
        if _SERIAL.fullmatch(plain):
            return date(1899, 12, 30) + timedelta(days=int(plain))
    except ValueError:
        raise Fault(f"没有“{_short(text)}”这一天", remedy="请核对年月日") from None
    raise Fault(f"“{_short(text)}”不是完整的日期", remedy="请按 2021-07-01 的样子填写，年份写四位")


def choice_of(text: str, fact: Fact) -> str | None:
    """One of the fact's choices, also by the other words people use for it (importing.words)."""
    plain = "".join(tidy(text).split())
    if plain in fact.choices:
        return plain
    if plain in _NOT_STATED:
        return None
    if f"{plain}族" in fact.choices:
        return f"{plain}族"
    _require_known(plain)
    known = CHOICE_WORDS.get(fact.code, {}).get(plain)
    if known is None and fact.choices[:1] == ("否",):
        known = "否" if plain.lower() in _NO else None
    if known is None:
        raise Fault(f"“{_short(text)}”不在可选值中", remedy="可选：" + "、".join(fact.choices))
    return known


def identity_of(text: str, today: date) -> str | None:
    """18 characters; an old number of 15 digits becomes the one of 18 that its holder got."""
    plain = normalise_identity(tidy(text).lstrip("'’"))
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    if _LOST.fullmatch(plain) or (
        len(plain) == 18 and plain.endswith("000") and plain.isascii() and plain.isdigit() and _is_wrong(plain)
    ):
        raise Fault(
            f"“{_short(plain)}”已不是完整的证件号码" if _LOST.fullmatch(plain) else "证件号码的末几位变成了 0",
            why="Excel 把它当作数字，末几位已经丢失，无法还原",
            remedy="请把该列设为“文本”格式，对照身份证重新录入",
        )
    if len(plain) == LENGTH_BEFORE_1999 and plain.isascii() and plain.isdigit():
        first = f"{plain[:6]}19{plain[6:]}"
        plain = first + check_digit(first)
    try:
        return parse_identity(plain, today=today).number
    except BadIdentityNumber as wrong:
        raise Fault(wrong.what, why=wrong.why, remedy=wrong.remedy) from wrong


def _is_wrong(number: str) -> bool:
    return check_digit(number[:17]) != number[17]


def name_of(text: str) -> str | None:
    """A name exactly as written, rare characters included; only spaces that pad it are taken out."""
    plain = " ".join(text.translate(_INVISIBLE).replace("\u3000", " ").split())
    if not plain.isascii():
        plain = plain.replace(" ", "")
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    if found := unfit_in(plain):
        raise Fault(found.what, why=found.why, remedy=found.remedy)
    if len(plain) > NAME_MAX:
        raise Fault(
            "姓名过长", why=f"有 {len(plain)} 个字", remedy=f"最多 {NAME_MAX} 个字，请核对是否把别的内容填在了这里"
        )
    return plain


def text_of(text: str, most: int = ADDRESS_MAX) -> str | None:
    plain = " ".join(text.translate(_INVISIBLE).replace("\u3000", " ").split())
    if plain in _NOT_STATED:
        return None
    _require_known(plain)
    if len(plain) > most:
        raise Fault("内容过长", why=f"有 {len(plain)} 个字", remedy=f"最多 {most} 个字")
    return plain


def household_no_of(text: str) -> str | None:
    plain = "".join(tidy(text).split())
    if plain in _NOT_STATED:
        return None
    _require_digits_whole(plain, "户编码")
    if len(plain) > HOUSEHOLD_NO_MAX or not re.fullmatch(r"[0-9A-Za-z-]+", plain):
        raise Fault(f"“{_short(plain)}”不是户编码", remedy=f"户编码由数字、字母和短横组成，最多 {HOUSEHOLD_NO_MAX} 位")
    return plain


def account_of(text: str) -> str | None:
    plain = re.sub(r"[\s-]", "", tidy(text).lstrip("'’"))
    if plain in _NOT_STATED:
        return None
    _require_digits_whole(plain, "账号")
    if not re.fullmatch(r"[0-9]{10,30}", plain):
        raise Fault("账号不是 10 至 30 位数字", remedy="请对照存折或银行卡核对；该列应设为“文本”格式")
    return plain


def phone_of(text: str) -> str | None:
    plain = re.sub(r"[\s-]", "", tidy(text).lstrip("'’"))
    if plain in _NOT_STATED or plain in ("无", "没有"):
        return None
    _require_digits_whole(plain, "电话")
    if not re.fullmatch(r"\+?[0-9]{7,14}", plain):
        raise Fault("不是一个电话号码", remedy="请填 11 位手机号或带区号的座机号，一格只填一个")
    return plain


def division_code_of(text: str) -> str | None:
    """12 or 15 digits, when the cell holds a code; None for names."""
    plain = "".join(tidy(text).split())
    return plain if re.fullmatch(r"[0-9]{12}([0-9]{3})?", plain) else None


def _require_digits_whole(plain: str, what: str) -> None:
    _require_known(plain)
    if _LOST.fullmatch(plain):
        raise Fault(
            f"“{plain}”已不是完整的{what}",
            why="Excel 把它当作数字，末几位已经丢失，无法还原",
            remedy="请把该列设为“文本”格式后重新录入",
        )


def _require_known(plain: str) -> None:
    if plain == NO_VALUE or plain.startswith("="):
        raise Fault(
            "是公式，文件里没有它的结果",
            why="为安全起见不计算公式",
            remedy="请在 Excel 中复制该列，用“选择性粘贴—数值”后再导入",
        )
    if "\ufffd" in plain:
        raise Fault("有丢失的字", why="原来的字变成了“\ufffd”", remedy="请对照原件重新填写这个字")
    if plain.startswith("#") and plain.rstrip("!?").isupper():
        raise Fault(f"“{plain}”是公式出错的结果", remedy="请改正公式，粘贴为数值后再导入")


def _require_sign(value: Decimal, text: str, negative: bool) -> None:
    if value < 0 and not negative:
        raise Fault(f"“{_short(text)}”小于 0", remedy="请核对后重新填写")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 20 else plain[:20] + "…"


def reader_of(fact: Fact, factor: int = 1) -> Callable[[str], Any]:
    """What reads the cells of a fact; `factor` for heads in 万元."""
    units = tuple(filter(None, (f"{fact.unit}/{fact.per}", fact.unit, "周岁" if fact.unit == "岁" else "")))
    if fact.kind in (Kind.MONEY, Kind.AREA):
        negative = fact.code in _MAY_BE_NEGATIVE
        return lambda text: hundredths_of(text, factor=factor, negative=negative, units=(*units, "㎡", "m2", "元"))
    if fact.kind is Kind.INT:
        words = CHOICE_WORDS.get(fact.code, {})
        return lambda text: _worded(text, words) if "".join(tidy(text).split()) in words else whole_of(text, units)
    if fact.kind is Kind.FLAG:
        return flag_of
    if fact.kind is Kind.DATE:
        return day_of
    if fact.kind is Kind.CHOICE:
        return lambda text: choice_of(text, fact)
    return _place_of if fact.kind is Kind.PLACE else text_of


def _place_of(text: str) -> str | None:
    if not_stated(text):
        return None
    code = division_code_of(text)
    if code is None:
        raise Fault(f"“{_short(text)}”不是区划代码", remedy="请填 12 位区划代码")
    return code


def _worded(text: str, words: dict[str, Any]) -> int:
    return int(words["".join(tidy(text).split())])
