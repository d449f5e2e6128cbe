"""Checks of a load before anything is written: columns, places, choices, identity numbers (REG-01, REG-04).

What makes the whole file unusable (a missing column, a division that does not exist, one household twice) is a
BadInput that names the row, counted from 1. What is wrong with one person is no reason to refuse the others: bad
identity numbers come back as a list of rows with the words for each.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from huimin.database.bulk import fetch
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.identity import (
    CHECK_CHARACTERS,
    CHECK_WEIGHTS,
    LENGTH,
    BadIdentityNumber,
    normalise_identity,
    parse_identity,
)
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, require_place

HOUSEHOLD_COLUMNS = ("household_no", "division", "address", "phone")
PERSON_COLUMNS = ("household", "name", "id_number")
CARD_COLUMNS = ("account", "holder", "household", "kind", "state")
HOUSEHOLD_NO_MAX, NAME_MAX = 24, 60


@dataclass(frozen=True)
class Identities:
    """Identity numbers in one spelling, and what each states; `bad` tells what is wrong with the others, by row."""

    numbers: list[str]
    birth_date: pa.Array
    sex: pa.Array
    bad: dict[int, str]


def require_columns(table: pa.Table, names: tuple[str, ...], facts: tuple[Fact, ...], where: str) -> None:
    missing = [name for name in (*names, *(fact.code for fact in facts)) if name not in table.column_names]
    if missing:
        words = {fact.code: fact.name for fact in facts}
        named = "、".join(words.get(name, name) for name in missing)
        raise BadInput(f"缺少列：{named}", where=where, remedy="请补齐各列后再导入，未采集的内容留空")


def check_households(households: pa.Table, by: Actor, on: date) -> None:
    """Numbers once each, places in force, within the actor's place, villages or groups."""
    require_columns(households, HOUSEHOLD_COLUMNS, HOUSEHOLD_FACTS, "户表")
    numbers = households["household_no"]
    _require(pc.is_valid(numbers), "户编号为空", "户表", "请补户编号")
    _require(pc.less_equal(pc.utf8_length(numbers), HOUSEHOLD_NO_MAX), "户编号过长", "户表", "最多 24 位")
    if len(pc.unique(numbers)) < len(numbers):
        first = np.sort(np.unique(np.asarray(numbers), return_index=True)[1])
        row = int(np.setdiff1d(np.arange(len(numbers)), first)[0])
        raise BadInput("户编号重复", where=f"户表第 {row + 1} 行", remedy="一户只能有一行，请合并或更正编号")
    _check_places(households["division"], by, on)
    _check_choices(households, HOUSEHOLD_FACTS, "户表")


def check_people(people: pa.Table, households: int) -> None:
    """Columns, names, and that each belongs to one of the households of the load."""
    require_columns(people, PERSON_COLUMNS, PERSON_FACTS, "人员表")
    names = pc.utf8_length(people["name"])
    _require(pc.is_valid(names), "姓名为空", "人员表", "请补姓名")
    _require(pc.and_(pc.greater(names, 0), pc.less_equal(names, NAME_MAX)), "姓名为空或过长", "人员表", "请核对姓名")
    _require(_within(people["household"], households), "找不到所属的户", "人员表", "请核对该行的户编号")
    _require(pc.is_valid(people["relation"]), "与户主关系为空", "人员表", "请对照户口簿补填")
    _check_choices(people, PERSON_FACTS, "人员表")


def check_cards(cards: pa.Table, households: int, people: int) -> None:
    """Columns, and that holder and household are in the load."""
    require_columns(cards, CARD_COLUMNS, (), "卡表")
    _require(_within(cards["household"], households), "找不到所属的户", "卡表", "请核对该行的户编号")
    _require(_within(cards["holder"], people), "找不到持卡人", "卡表", "请核对该行的持卡人")
    for name, allowed in (("kind", ("household", "person")), ("state", ("active", "lost", "closed"))):
        right = pc.is_in(cards[name].cast(pa.string()), value_set=pa.array(allowed))
        _require(right, f"{name} 不在可选值中", "卡表", "可选：" + "、".join(allowed))
    accounts = pc.match_substring_regex(cards["account"], r"^[0-9]{10,30}$")
    _require(accounts, "账号不是 10 至 30 位数字", "卡表", "请核对；表格中该列应设为文本")


def check_identities(people: pa.Table, on: date) -> Identities:
    """Every number against GB 11643 and against the birth date and sex beside it, where those are given."""
    raw = people["id_number"].fill_null("").to_pylist()
    digits = _digits(raw)
    right = _check_digit_right(digits)
    numbers = [text if ok else normalise_identity(text) for text, ok in zip(raw, right, strict=True)]
    bad: dict[int, str] = {}
    for row in np.flatnonzero(~right).tolist():
        try:
            parse_identity(numbers[row], where=f"人员表第 {row + 1} 行", today=on)
            digits[row] = np.frombuffer(numbers[row].encode(), np.uint8)
        except BadIdentityNumber as wrong:
            bad[row] = wrong.what
    birth_date = _birth_dates(digits, on, bad)
    male = (digits[:, 16] & 1).astype(bool)
    sex = pa.array(np.where(male, "男", "女"))
    _compare(people["birth_date"], birth_date, "出生日期与证件号码不符", bad)
    _compare(people["sex"].cast(pa.string()), sex, "性别与证件号码不符", bad)
    return Identities(numbers, birth_date, sex, bad)


def _digits(numbers: list[str]) -> NDArray[np.uint8]:
    """Character codes, a row of zeros for what is not 18 ASCII characters."""
    zeros = b"0" * LENGTH
    joined = b"".join(text.encode() if len(text) == LENGTH and text.isascii() else zeros for text in numbers)
    return np.frombuffer(joined, np.uint8).reshape(len(numbers), LENGTH).copy()


def _check_digit_right(digits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Seventeen digits and their right check character; a row of zeros has none ("1" would be right)."""
    values = digits[:, :17].astype(np.int64) - ord("0")
    numeric = ((values >= 0) & (values <= 9)).all(axis=1)
    check = np.frombuffer(CHECK_CHARACTERS.encode(), np.uint8)
    right: NDArray[np.bool_] = numeric & (check[(values @ np.array(CHECK_WEIGHTS)) % 11] == digits[:, 17])
    return right


def _birth_dates(digits: NDArray[np.uint8], on: date, bad: dict[int, str]) -> pa.Array:
    """Dates of birth as the numbers state them; days that do not exist are added to `bad`."""
    text = digits[:, 6:14].copy().view("S8").ravel()
    year, month, day = (
        np.array([part]).ravel() for part in (_number(text, 0, 4), _number(text, 4, 6), _number(text, 6, 8))
    )
    possible = (month >= 1) & (month <= 12) & (year >= 1880)
    starts = (year * 12 + np.clip(month, 1, 12) - 1 - 1970 * 12).astype("datetime64[M]")
    length = ((starts + 1).astype("datetime64[D]") - starts.astype("datetime64[D]")).astype(np.int64)
    days = starts.astype("datetime64[D]") + (day - 1)
    possible &= (day >= 1) & (day <= length) & (days <= np.datetime64(on))
    for row in np.flatnonzero(~possible).tolist():
        bad.setdefault(row, "证件号码中的出生日期不成立")
    return pa.array(days.astype("datetime64[D]"), pa.date32())


def _number(text: NDArray[np.bytes_], low: int, high: int) -> NDArray[np.int64]:
    codes = text.view(np.uint8).reshape(len(text), 8)[:, low:high].astype(np.int64) - ord("0")
    value: NDArray[np.int64] = codes @ (10 ** np.arange(high - low - 1, -1, -1))
    return value


def _compare(given: pa.ChunkedArray, stated: pa.Array, words: str, bad: dict[int, str]) -> None:
    differs = pc.fill_null(pc.not_equal(given, stated), False).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(differs).tolist():
        bad.setdefault(row, words)


def _check_places(divisions: pa.ChunkedArray, by: Actor, on: date) -> None:
    _require(pc.is_valid(divisions), "没有区划", "户表", "请填村或村民组代码")
    codes = pc.unique(divisions).to_pylist()
    for code in codes:
        require_place(by, code)
    known = fetch(
        "SELECT code FROM divisions_division WHERE code = ANY(%s) AND level >= %s"
        " AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)",
        [codes, int(Level.VILLAGE), on, on],
    )
    missing = set(codes) - {code for (code,) in known}
    if missing:
        code = min(missing)
        row = int(pc.index(divisions, code).as_py())
        raise BadInput(f"没有村或村民组 {code}", where=f"户表第 {row + 1} 行", remedy="请核对代码，或先登记这个区划")


def _check_choices(table: pa.Table, facts: tuple[Fact, ...], where: str) -> None:
    for fact in facts:
        if fact.kind is not Kind.CHOICE:
            continue
        values = table[fact.code].cast(pa.string())
        allowed = pc.or_kleene(pc.is_null(values), pc.is_in(values, value_set=pa.array(fact.choices)))
        _require(allowed, f"{fact.name}不在可选值中", where, "可选：" + "、".join(fact.choices))


def _within(rows: pa.ChunkedArray, count: int) -> pa.ChunkedArray:
    return pc.fill_null(pc.and_(pc.greater_equal(rows, 0), pc.less(rows, count)), False)


def _require(right: pa.ChunkedArray, what: str, table: str, remedy: str) -> None:
    wrong = pc.index(pc.fill_null(right, False), False).as_py()
    if wrong >= 0:
        raise BadInput(what, where=f"{table}第 {wrong + 1} 行", remedy=remedy)
