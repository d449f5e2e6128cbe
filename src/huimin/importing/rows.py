"""From texts to values: the rows of all tables of a file in one set of typed columns, and what is wrong with them (REG-03).

in    tables as laid out, the target of each column, the kind, the day, the places
out   `Rows`: an Arrow table of typed columns (one a target) with `sheet` and `number`; the faults, by row

Always true: a row with a fault is in `bad`; values of equal texts are read once, so that 200,000 rows cost what their
different texts cost. A target no column is mapped to is not in the table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from huimin.importing import cells
from huimin.importing.cells import Fault
from huimin.importing.faults import RowFault, shown
from huimin.importing.heads import factor_of
from huimin.importing.kinds import LABELS, ONLY_BY_HAND, Kind
from huimin.importing.layout import Laid
from huimin.importing.places import Places
from huimin.importing.reading.workbook import letters_of
from huimin.importing.terms import Terms
from huimin.kernel.facts import Kind as FactKind

FAULTS_MAX = 100_000
_USES = {
    "户": "household",
    "家庭": "household",
    "户卡": "household",
    "人": "person",
    "个人": "person",
    "本人": "person",
}
_TYPES = {
    FactKind.INT: pa.int64(), FactKind.MONEY: pa.int64(), FactKind.AREA: pa.int64(), FactKind.DATE: pa.date32(),
    FactKind.FLAG: pa.bool_(),
}  # fmt: skip


@dataclass
class Rows:
    """`table` has a row for every row of data, in the order of the file; `bad` are positions not to be taken."""

    kind: Kind
    table: pa.Table
    sheets: list[str]
    terms: Terms = field(default_factory=Terms)
    bad: set[int] = field(default_factory=set)
    faults: list[RowFault] = field(default_factory=list)
    added_to: dict[int, int] = field(default_factory=dict)
    """Rows that were added up with another of the same household → that row (importing.adding_up)."""
    columns: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(sheet, target) → (letter, head)."""

    @property
    def count(self) -> int:
        return int(self.table.num_rows)

    def texts(self, target: str) -> list[Any]:
        """Values of a target, all None where it is not mapped."""
        if target not in self.table.column_names:
            return [None] * self.count
        values: list[Any] = self.table[target].to_pylist()
        return values

    def blame(
        self,
        row: int,
        what: str,
        *,
        target: str = "",
        value: str = "",
        why: str = "",
        remedy: str = "",
        kind: str = "wrong",
    ) -> None:
        """Row `row` has a fault; it is not taken."""
        self.bad.add(row)
        if len(self.faults) < FAULTS_MAX:
            sheet = self.sheets[self.table["sheet"][row].as_py()]
            letter, head = self.columns.get((sheet, target), ("", LABELS.get(target, "")))
            number = self.table["number"][row].as_py()
            self.faults.append(RowFault(sheet, number, letter, head, shown(target, value), what, why, remedy, kind))


def read_rows(
    laid: list[Laid],
    mapping: dict[str, str],
    kind: str,
    today: date,
    places: Places,
    *,
    skip_hidden: bool = False,
    terms: Terms | None = None,
) -> Rows:
    """All tables of one kind, one after the other; `mapping` is label → target."""
    terms = terms or Terms()
    of = terms.kind(kind)
    parts = [_read_table(each, at, mapping, of, terms, today, skip_hidden) for at, each in enumerate(laid)]
    tables = [table for table, _, _ in parts]
    rows = Rows(of, pa.concat_tables(tables, promote_options="default"), [each.sheet for each in laid], terms)
    start = 0
    for (table, faults, columns), each in zip(parts, laid, strict=True):
        rows.columns |= {(each.sheet, target): found for target, found in columns.items()}
        for row, target, text, fault in faults:
            rows.blame(start + row, fault.what, target=target, value=text, why=fault.why, remedy=fault.remedy)
        start += table.num_rows
    _resolve_places(rows, places)
    _check(rows)
    return rows


def _read_table(
    laid: Laid, sheet: int, mapping: dict[str, str], kind: Kind, terms: Terms, today: date, skip_hidden: bool
) -> tuple[pa.Table, list[tuple[int, str, str, Fault]], dict[str, tuple[str, str]]]:
    keep = [at for at, number in enumerate(laid.numbers) if not (skip_hidden and number in laid.hidden_rows)]
    chosen = None if len(keep) == laid.rows else pa.array(keep, pa.int64())
    numbers = [laid.numbers[at] for at in keep]
    data: dict[str, Any] = {"sheet": pa.array([sheet] * len(keep), pa.int32()), "number": pa.array(numbers, pa.int64())}
    faults: list[tuple[int, str, str, Fault]] = []
    columns: dict[str, tuple[str, str]] = {}
    for at, label in enumerate(laid.labels):
        target = kind.target(mapping.get(label, ""))
        if not target or target in data:
            continue
        columns[target] = (letters_of(at), label)
        column = laid.columns[at] if chosen is None else laid.columns[at].take(chosen)
        reader, kept_as = _reader(target, label, terms, today)
        data[target], wrong = read_column(column, reader, kept_as)
        faults += [(row, target, text, fault) for row, text, fault in wrong]
    return pa.table(data), faults, columns


def _reader(target: str, label: str, terms: Terms, today: date) -> tuple[Callable[[str], Any], pa.DataType]:
    if target in ONLY_BY_HAND:
        return _by_hand, pa.date32()
    if target in terms.facts:
        fact = terms.facts[target]
        return cells.reader_of(fact, factor_of(label)), _TYPES.get(fact.kind, pa.string())
    readers: dict[str, Callable[[str], Any]] = {
        "household_no": cells.household_no_of, "head_name": cells.name_of, "name": cells.name_of,
        "account_name": cells.name_of, "account": cells.account_of, "phone": cells.phone_of, "use": _use_of,
        **dict.fromkeys(("id_number", "head_id", "holder_id"), lambda text: cells.identity_of(text, today)),
    }  # fmt: skip
    return readers.get(target, cells.text_of), pa.string()


def _by_hand(text: str) -> None:
    if not cells.not_stated(text):
        raise Fault(
            "死亡、迁出不随表导入",
            why="它们结束一个人的登记，要逐人核对依据",
            remedy="请在这一户的页面上办理，表中留空",
        )


def _use_of(text: str) -> str | None:
    plain = cells.tidy(text)
    if cells.not_stated(text):
        return None
    if plain not in _USES:
        raise Fault(f"“{plain[:20]}”不是卡的用途", remedy="请填 户 或 人")
    return _USES[plain]


def read_column(
    column: pa.ChunkedArray, reader: Callable[[str], Any], kept_as: pa.DataType
) -> tuple[pa.Array, list[tuple[int, str, Fault]]]:
    """(typed values, faults as (row, text, fault)); each different text is read once."""
    encoded = column.combine_chunks().dictionary_encode()
    values: list[Any] = []
    wrong: dict[int, Fault] = {}
    texts = encoded.dictionary.to_pylist()
    for at, text in enumerate(texts):
        try:
            values.append(reader(text))
        except Fault as fault:
            values.append(None)
            wrong[at] = fault
    typed = pa.array(values, kept_as).take(encoded.indices)
    if not wrong:
        return typed, []
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(np.isin(indices, np.fromiter(wrong, np.int64)))
    return typed, [(row, texts[indices[row]], wrong[indices[row]]) for row in rows.tolist()]


def _resolve_places(rows: Rows, places: Places) -> None:
    """The column `division` from codes, names or household numbers; unknown names are faults."""
    if rows.kind.code not in ("households", "members"):
        return
    named = [rows.texts(name) for name in ("division", "township", "village", "group", "household_no")]
    codes: list[str | None] = []
    for row, words in enumerate(zip(*named, strict=True)):
        try:
            codes.append(places.find(*words))
        except Fault as fault:
            codes.append(None)
            at = next(
                (
                    name
                    for name, word in zip(("village", "division", "group"), (words[2], words[0], words[3]), strict=True)
                    if word
                ),
                "village",
            )
            rows.blame(row, fault.what, target=at, value=places.said(words), why=fault.why, remedy=fault.remedy)
    table = rows.table.drop_columns(
        [name for name in ("division", "township", "village", "group") if name in rows.table.column_names]
    )
    rows.table = table.append_column("division", pa.array(codes, pa.string()))


def _check(rows: Rows) -> None:
    """What concerns more than one cell: keys that are missing, keys that come twice, dates and sexes that contradict."""
    if rows.kind.code == "members":
        _require_filled(rows, "id_number", "没有证件号码", "请补填；没有身份证的婴儿请先申领号码")
        _require_once(rows, "id_number", "证件号码")
        _compare_with_number(rows)
    elif rows.kind.code == "cards":
        _require_filled(rows, "account", "没有账号", "请补填，或删去这一行")
        _require_once(rows, "account", "账号")
        _require_key(rows, ("holder_id", "household_no"), "没有持卡人证件号码，也没有户编码")
    else:
        _require_key(rows, ("household_no", "head_id"), "没有户编码，也没有户主证件号码")
        if rows.kind.code != "resources":  # its rows of one household are added up
            _require_once(rows, "household_no", "户编码")
            _require_once(rows, "head_id", "户主证件号码")


def _require_filled(rows: Rows, target: str, what: str, remedy: str) -> None:
    empty = np.flatnonzero(rows.table[target].is_null().to_numpy()).tolist()
    for row in empty:
        if row not in rows.bad:
            rows.blame(row, what, target=target, remedy=remedy)


def _require_key(rows: Rows, targets: tuple[str, ...], what: str) -> None:
    there = np.zeros(rows.count, bool)
    for target in targets:
        if target in rows.table.column_names:
            there |= rows.table[target].is_valid().to_numpy()
    for row in np.flatnonzero(~there).tolist():
        if row not in rows.bad:
            rows.blame(row, what, remedy="请至少补填一项")


def _require_once(rows: Rows, target: str, label: str) -> None:
    if target not in rows.table.column_names:
        return
    encoded = rows.table[target].combine_chunks().dictionary_encode()
    if len(encoded.dictionary) == rows.count - encoded.null_count:
        return
    first: dict[int, int] = {}
    for row, key in enumerate(encoded.indices.to_pylist()):
        if key is None or row in rows.bad:
            continue
        if key in first:
            other, sheet = rows.table["number"][first[key]].as_py(), rows.table["sheet"][first[key]].as_py()
            where = f"“{rows.sheets[sheet]}”第 {other} 行"
            text = encoded.dictionary[key].as_py()
            rows.blame(row, f"{label}与{where}重复", target=target, value=text, remedy="请核对后只留一行")
        else:
            first[key] = row


def _compare_with_number(rows: Rows) -> None:
    """Birth date and sex, where given, are what the identity number states."""
    given = [name for name in ("sex", "birth_date") if name in rows.table.column_names]
    if not given:
        return
    numbers = rows.texts("id_number")
    stated = {"sex": _sex_of, "birth_date": _birth_of}
    words = {"sex": "性别与证件号码不符", "birth_date": "出生日期与证件号码不符"}
    for name in given:
        values = rows.table[name].to_pylist()
        for row, (value, number) in enumerate(zip(values, numbers, strict=True)):
            if value is not None and number is not None and stated[name](number) != value:
                remedy = "请对照身份证，改正其中写错的一项"
                rows.blame(row, words[name], target=name, value=str(value), remedy=remedy)


def _sex_of(number: str) -> str:
    return "男" if int(number[16]) % 2 else "女"


def _birth_of(number: str) -> date:
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def typed_identities(numbers: list[str]) -> tuple[pa.Array, pa.Array]:
    """(birth dates, sexes) of good numbers."""
    return pa.array([_birth_of(each) for each in numbers], pa.date32()), pa.array([_sex_of(each) for each in numbers])
