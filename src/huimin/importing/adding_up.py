"""Several rows for one household in a table of resources: plots, leases, herds, as clerks send them (REG-03, REG-01).

in    Rows of the kind resources, the tables they were read from
out   the first row of a household holds the sum of all its rows; the others are told to have been added to it

Declared, not guessed: whole numbers, areas and money of a table of resources are added up; anything else must say the same in
every row. Refused, with the reason: a row that repeats another word for word (but for its serial number), since it is as
likely to be the same plot twice; rows of which one has a fault, since the sum would be too small.
"""

from collections import defaultdict
from typing import Any

import pyarrow as pa

from huimin.importing.layout import Laid
from huimin.importing.rows import Rows
from huimin.kernel.facts import Kind as FactKind

ADDED = frozenset((FactKind.INT, FactKind.MONEY, FactKind.AREA))
_SERIAL = frozenset(("序号", "编号", "号", "NO", "NO."))


def add_up(rows: Rows, laid: list[Laid]) -> None:
    """Inside the reading of a table of resources; rows keep their place."""
    groups = [group for group in _groups(rows).values() if len(group) > 1]
    if not groups:
        return
    words = _Words(rows, laid)
    summed = {name: rows.table[name].to_pylist() for name in rows.table.column_names if name in rows.terms.facts}
    for group in groups:
        if _may_be_added(rows, group, words, summed):
            for values in summed.values():
                given = [values[row] for row in group if values[row] is not None]
                values[group[0]] = sum(given) if given and _is_number(given[0]) else next(iter(given), None)
            rows.added_to |= dict.fromkeys(group[1:], group[0])
    for name, values in summed.items():
        column = rows.table.column_names.index(name)
        rows.table = rows.table.set_column(column, name, pa.array(values, rows.table[name].type))


def _groups(rows: Rows) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    keys = zip(rows.texts("household_no"), rows.texts("head_id"), strict=True)
    for row, (number, head) in enumerate(keys):
        if number or head:
            found["number" if number else "head", number or head].append(row)
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class _Words:
    """What a row says in all, serial numbers left out."""

    def __init__(self, rows: Rows, laid: list[Laid]) -> None:
        self.laid = laid
        self.at = [{number: at for at, number in enumerate(each.numbers)} for each in laid]
        self.sheets, self.numbers = rows.table["sheet"].to_pylist(), rows.table["number"].to_pylist()

    def of(self, row: int) -> tuple[str, ...]:
        sheet = self.sheets[row]
        at, table = self.at[sheet][self.numbers[row]], self.laid[sheet]
        kept = (c for c, label in zip(table.columns, table.labels, strict=True) if label.upper() not in _SERIAL)
        return tuple("".join((column[at].as_py() or "").split()) for column in kept)

    def place(self, row: int) -> str:
        return f"“{self.laid[self.sheets[row]].sheet}”第 {self.numbers[row]} 行"


def _may_be_added(rows: Rows, group: list[int], words: _Words, summed: dict[str, list[Any]]) -> bool:
    if (bad := next((row for row in group if row in rows.bad), None)) is not None:
        return _refused(rows, group, f"同一户的{words.place(bad)}有误，没有相加", "请改正那一行后一起导入")
    heads = {head for row in group if (head := rows.texts("head_id")[row])}
    if len(heads) > 1:
        return _refused(rows, group, "同一户的几行户主证件号码不同", "请核对是不是同一户")
    seen: dict[tuple[str, ...], int] = {}
    for row in group:
        first = seen.setdefault(words.of(row), row)
        if first != row:
            return _refused(
                rows, group, f"与{words.place(first)}完全相同", "不是同一块的请写明地块等区别；重复的请只留一行"
            )
    for name, values in summed.items():
        if rows.terms.facts[name].kind not in ADDED and len({values[row] for row in group} - {None}) > 1:
            return _refused(rows, group, f"同一户的几行“{rows.terms.label(name)}”不同，不能相加", "请核对后写成一样的")
    return True


def _refused(rows: Rows, group: list[int], what: str, remedy: str) -> bool:
    for row in group:
        if row not in rows.bad:
            rows.blame(row, what, remedy=remedy, why="同一户有几行，相加才是全部")
    return False
