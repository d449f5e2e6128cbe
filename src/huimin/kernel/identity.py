"""Resident identity numbers (公民身份号码, GB 11643): read one, or say exactly what is wrong with it (REG-04).

in    text as people type it and spreadsheets hold it: full-width digits, spaces, a lower-case x
out   an `Identity`: the 18 characters in one spelling, and the region, birth date and sex they state

Always true: a returned number has 18 characters, a right check digit and a birth date that exists; equal people give
equal text, whatever way it was typed. The region part is never a reason to refuse: elders keep the code of a place
renamed since, and the demo's invented people carry 341599, which belongs to no place; `province_known` is a warning.
No clock in here: who cares about births in the future passes `today`. Errors never repeat the whole number (SEC-04).
"""

from dataclasses import dataclass
from datetime import date

from huimin.kernel.errors import BadInput

LENGTH = 18
LENGTH_BEFORE_1999 = 15
CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643 4.2: 2^(18-i) mod 11 for the places from the left."""
CHECK_CHARACTERS = "10X98765432"
"""By the weighted sum mod 11 (ISO 7064 MOD 11-2)."""
MALE, FEMALE = "男", "女"
EARLIEST_BIRTH = date(1880, 1, 1)
"""Nobody living was born before this day; an older date is a slip of the pen."""

# GB/T 2260: the first two digits of every province-level code, with 71, 81, 82, 83 (港澳台居住证) and 91 (外国人).
_PROVINCES = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91}
)
_SPELLING = str.maketrans("０１２３４５６７８９ｘＸx", "0123456789XXX")
# What copying from pages and spreadsheets leaves behind and str.isspace() does not know.
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff")


class BadIdentityNumber(BadInput):
    """The text is not an identity number; says which rule it breaks and what to compare it with."""


@dataclass(frozen=True)
class Identity:
    """One number and what it states. `sex` is 男 or 女, `region` the six digits of the place of first registration."""

    number: str
    region: str
    birth_date: date
    sex: str

    @property
    def province_known(self) -> bool:
        """False is worth a warning to the clerk, never a refusal."""
        return int(self.region[:2]) in _PROVINCES


def normalise_identity(text: str) -> str:
    """One spelling: half-width digits, X upper case, no spaces or invisible characters. Validates nothing."""
    kept = (char for char in text if not char.isspace() and char not in _INVISIBLE)
    return "".join(kept).translate(_SPELLING)


def check_digit(first17: str) -> str:
    """The eighteenth character for the first seventeen digits."""
    assert len(first17) == LENGTH - 1 and first17.isascii() and first17.isdigit()
    total = sum(weight * int(digit) for weight, digit in zip(CHECK_WEIGHTS, first17, strict=True))
    return CHECK_CHARACTERS[total % len(CHECK_CHARACTERS)]


def parse_identity(text: str, *, where: str = "证件号码", today: date | None = None) -> Identity:
    """The identity in `text`; BadIdentityNumber with `where` otherwise. With `today`, later births are refused."""
    number = normalise_identity(text)
    _require_form(number, where)
    birth = _birth_date(number[6:14], where, today)
    if check_digit(number[:17]) != number[17]:
        raise BadIdentityNumber(
            "证件号码校验位不符",
            where=where,
            why=f"末位应与前 17 位相符，现为“{number[17]}”",
            remedy="多为抄错或输错一位，请对照居民身份证逐位核对",
        )
    return Identity(number, number[:6], birth, MALE if int(number[16]) % 2 else FEMALE)


def _require_form(number: str, where: str) -> None:
    if not number:
        raise BadIdentityNumber("没有证件号码", where=where, remedy="请填写 18 位居民身份证号码")
    if len(number) == LENGTH_BEFORE_1999 and number.isascii() and number.isdigit():
        raise BadIdentityNumber(
            "这是 15 位旧号码",
            where=where,
            why="第一代居民身份证自 2013 年起停止使用",
            remedy="请填写户口簿或第二代居民身份证上的 18 位号码",
        )
    if len(number) != LENGTH:
        raise BadIdentityNumber(
            f"证件号码应为 18 位，现为 {len(number)} 位", where=where, remedy="请对照居民身份证核对是否多字或漏字"
        )
    if not (number.isascii() and number[:17].isdigit() and (number[17].isdigit() or number[17] == "X")):
        raise BadIdentityNumber(
            "证件号码中有不该出现的字符",
            where=where,
            why="前 17 位只能是数字，末位是数字或 X",
            remedy="请改正；表格中该列应设为文本格式",
        )


def _birth_date(digits: str, where: str, today: date | None) -> date:
    shown = f"{digits[:4]}年{digits[4:6]}月{digits[6:]}日"
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise _no_such_birth(f"没有{shown}这一天", where) from None
    if birth < EARLIEST_BIRTH:
        raise _no_such_birth(f"{shown}过早", where)
    if today is not None and birth > today:
        raise _no_such_birth(f"{shown}晚于今天", where)
    return birth


def _no_such_birth(why: str, where: str) -> BadIdentityNumber:
    return BadIdentityNumber(
        "证件号码中的出生日期不成立", where=where, why=why, remedy="请对照居民身份证核对第 7 至 14 位"
    )
