"""Load divisions from the file of statistical codes, and the 村民组 of villages (ORG-01).

in    a CSV of code,name,level,parent in UTF-8; for groups, rows of 15-digit code and name
out   rows of `Division`, on the maintenance connection: divisions are national and belong to nobody's place

Always true: the whole input is checked before the first row is written, and any fault (named with file and line)
leaves everything as it was; loading the same input again adds nothing. A name that differs from the one in force is
refused: whether a place was renamed or the file is wrong is for a person to say (`organisation.boundaries.rename_division`).
Limits: the file's parents come before or after their children; a file never ends a division.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction

from huimin.database.bulk import copy_rows, fetch, run
from huimin.kernel.errors import BadInput
from huimin.kernel.pinyin import pinyin_key
from huimin.kernel.places import Level, scope_prefix

USING = "maintenance"
HEADER = ["code", "name", "level", "parent"]
NAME_LENGTH_MAX = 60
_LEVELS = {level.label: level for level in Level if level not in (Level.NATION, Level.GROUP)}
_ABOVE = {
    Level.CITY: Level.PROVINCE,
    Level.COUNTY: Level.CITY,
    Level.TOWNSHIP: Level.COUNTY,
    Level.VILLAGE: Level.TOWNSHIP,
}


@dataclass(frozen=True)
class Row:
    """One division as a file states it; `where` names file and line."""

    code: str
    name: str
    level: Level
    parent: str
    where: str


@dataclass(frozen=True)
class LoadReport:
    """How many divisions a load added, and how many were there already."""

    added: int
    unchanged: int


def load_divisions(path: Path, on: date) -> LoadReport:
    """Add the divisions of `path`, valid from `on`; BadInput with file and line, nothing changed, when it is wrong."""
    rows = _read(path)
    with transaction.atomic(using=USING):
        in_force = _in_force(on)
        _check_parents(rows, in_force)
        return _add(rows, in_force, on)


def load_groups(groups: Iterable[tuple[str, str]], on: date, *, source: str = "村民组名单") -> LoadReport:
    """Add 村民组 (15-digit code, name) below villages in force; BadInput names the line of `source`."""
    rows = [_group(code, name, f"{source} 第 {line} 行") for line, (code, name) in enumerate(groups, 1)]
    _check_duplicates(rows)
    with transaction.atomic(using=USING):
        in_force = _in_force(on)
        for row in rows:
            if in_force.get(row.parent, ("", Level.NATION))[1] != Level.VILLAGE:
                raise BadInput(f"没有村 {row.parent}", where=row.where, remedy="请先登记村，再登记村民组")
        return _add(rows, in_force, on)


def _read(path: Path) -> list[Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput("没有这个文件", where=str(path.name), remedy="请核对文件名和位置") from None
    except UnicodeDecodeError as wrong:
        line = path.read_bytes()[: wrong.start].count(b"\n") + 1
        raise BadInput("不是 UTF-8 编码", where=f"{path.name} 第 {line} 行", remedy="请另存为 UTF-8 后再导入") from None
    lines = csv.reader(text.splitlines())
    header = next(lines, [])
    if header != HEADER:
        raise BadInput(
            "表头不对", where=f"{path.name} 第 1 行", why=f"现为“{','.join(header)}”", remedy=f"应为 {','.join(HEADER)}"
        )
    rows = [_row(cells, f"{path.name} 第 {line} 行") for line, cells in enumerate(lines, 2) if cells]
    if not rows:
        raise BadInput("文件没有数据", where=path.name, remedy="请核对文件是否完整")
    _check_duplicates(rows)
    return rows


def _row(cells: list[str], where: str) -> Row:
    if len(cells) != len(HEADER):
        raise BadInput(
            f"应有 {len(HEADER)} 列，现有 {len(cells)} 列", where=where, remedy="请核对该行是否被截断或多了逗号"
        )
    code, name, label, parent = (cell.strip() for cell in cells)
    if label not in _LEVELS:
        raise BadInput(f"没有“{label}”这一级", where=where, remedy="级别只能是 " + " ".join(_LEVELS))
    level = _LEVELS[label]
    _require_code(code, 12, where)
    if code[int(level) :].strip("0"):
        raise BadInput(
            f"代码 {code} 不是{label}级代码", where=where, remedy=f"{label}级代码第 {int(level)} 位之后应全为 0"
        )
    _require_name(name, where)
    if (level is Level.PROVINCE) != (parent == ""):
        raise BadInput("上级代码不对", where=where, remedy="只有省级没有上级，其他各级须写上级代码")
    if parent and parent != scope_prefix(code, _ABOVE[level]).ljust(12, "0"):
        raise BadInput(f"上级 {parent} 与代码 {code} 不符", where=where, remedy="代码前几位应与上级相同，请核对两列")
    return Row(code, name, level, parent, where)


def _group(code: str, name: str, where: str) -> Row:
    _require_code(code, 15, where)
    _require_name(name, where)
    return Row(code, name, Level.GROUP, code[:12], where)


def _require_code(code: str, digits: int, where: str) -> None:
    if len(code) != digits or not (code.isascii() and code.isdigit()):
        raise BadInput(
            f"代码“{code[:20]}”不是 {digits} 位数字",
            where=where,
            remedy="请核对；表格中该列应设为文本，以免丢失前后的 0",
        )


def _require_name(name: str, where: str) -> None:
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        raise BadInput("没有名称或名称过长", where=where, remedy=f"名称为 1 至 {NAME_LENGTH_MAX} 个字")


def _check_duplicates(rows: list[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        if row.code in seen:
            raise BadInput(
                f"代码 {row.code} 重复", where=row.where, why=f"已见于{seen[row.code].where}", remedy="请删去多余的一行"
            )
        seen[row.code] = row


def _in_force(on: date) -> dict[str, tuple[str, Level]]:
    """Name and level of every division in force on `on`."""
    found = fetch(
        "SELECT code, name, level FROM divisions_division"
        " WHERE valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)",
        [on, on],
        USING,
    )
    return {code: (name, Level(level)) for code, name, level in found}


def _check_parents(rows: list[Row], in_force: dict[str, tuple[str, Level]]) -> None:
    levels = {code: level for code, (_, level) in in_force.items()} | {row.code: row.level for row in rows}
    for row in rows:
        if row.parent and levels.get(row.parent) != _ABOVE[row.level]:
            raise BadInput(
                f"上级 {row.parent} 不存在",
                where=row.where,
                why="文件和系统里都没有",
                remedy="请补上级一行，或核对代码",
            )


def _add(rows: list[Row], in_force: dict[str, tuple[str, Level]], on: date) -> LoadReport:
    new = [row for row in rows if row.code not in in_force]
    for row in rows:
        known = in_force.get(row.code)
        if known and known != (row.name, row.level):
            raise BadInput(
                f"{row.code} 在系统中名为“{known[0]}”，文件写作“{row.name}”",
                where=row.where,
                remedy="如已更名请先办理更名；否则请改正文件",
            )
    values = ((r.code, r.name, int(r.level), r.parent or None, pinyin_key(r.name)[:200], on) for r in new)
    fields = ("code", "text"), ("name", "text"), ("level", "int2"), ("parent", "text"), ("pinyin", "text")
    copy_rows("new_divisions", (*fields, ("valid_from", "date")), values, USING)
    _refuse_overlaps(new)
    run(
        "INSERT INTO divisions_division (code, name, level, parent, pinyin, valid_from)"
        " SELECT code, name, level, parent, pinyin, valid_from FROM new_divisions ORDER BY code",
        using=USING,
    )
    return LoadReport(added=len(new), unchanged=len(rows) - len(new))


def _refuse_overlaps(new: list[Row]) -> None:
    """A division that begins later than `on` is in the system already and cannot begin twice."""
    later = fetch(
        "SELECT n.code FROM new_divisions n JOIN divisions_division d ON d.code = n.code"
        " AND (d.valid_to IS NULL OR d.valid_to > n.valid_from) LIMIT 1",
        using=USING,
    )
    if later:
        row = next(row for row in new if row.code == later[0][0])
        raise BadInput(f"{row.code} 在此后已有登记", where=row.where, remedy="请用较晚的生效日期，或先核对区划沿革")
