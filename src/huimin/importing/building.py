"""From rows of a file to the tables of a merge, and from its verdicts back to rows (REG-03).

in    Rows (values and faults)
out   the three tables of registry.commands.merging, built of the rows without faults; then counts, and a fault for every
      row the registry does not take

Members name their household by its number, by its head's identity number, or, in a table that has neither column, by
standing below their 户主.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from huimin.importing.faults import CONFLICT
from huimin.importing.kinds import FACT_OF
from huimin.importing.rows import Rows
from huimin.kernel.facts import Entity
from huimin.registry.added import stored
from huimin.registry.commands.merging import MergeReport
from huimin.registry.commands.merging.verdicts import CHANGED, NEW, WRONG, Verdict

HEAD = "户主"
_HOUSEHOLD_TEXTS = ("household_no", "head_id", "head_name", "division", "address", "phone")
_TARGET_OF = {
    "name": "name", "same_person": "id_number", "elsewhere": "id_number", "moved": "division", "nowhere": "village",
    "other_head": "head_id", "head": "relation", "second_head": "relation", "relation": "relation", "nameless": "name",
    "missing": "household_no", "closed": "household_no", "taken": "household_no", "twice": "household_no",
    "homeless": "household_no", "shared_card": "account", "second_card": "account", "no_holder": "holder_id",
    "not_own": "account_name", "not_head": "use", "not_member": "holder_id",
}  # fmt: skip


@dataclass
class Tables:
    """`rows_of_*[i]` is the row of the file that row i of a table came from."""

    households: pa.Table
    members: pa.Table
    cards: pa.Table
    rows_of_households: list[int] = field(default_factory=list)
    rows_of_members: list[int] = field(default_factory=list)
    rows_of_cards: list[int] = field(default_factory=list)
    household_of_row: dict[int, int] = field(default_factory=dict)


def build(rows: Rows) -> Tables:
    """The tables of the rows that have no fault."""
    if rows.kind.code == "members":
        _name_heads(rows)
    good = [row for row in range(rows.count) if row not in rows.bad and row not in rows.added_to]
    table = rows.table.take(pa.array(good, pa.int64()))
    none = pa.table({"household": pa.array([], pa.int64()), "id_number": pa.array([], pa.string())})
    no_cards = pa.table({"household": pa.array([], pa.int64()), "account": pa.array([], pa.string())})
    if rows.kind.code == "members":
        households, of_member = _households_of(table)
        facts = [name for name in table.column_names if name in FACT_OF and FACT_OF[name].entity is Entity.PERSON]
        members = table.select([name for name in ("name", "id_number") if name in table.column_names] + facts)
        members = _with_added(members, table, rows, Entity.PERSON)
        members = members.append_column("household", pa.array(of_member, pa.int64()))
        known = dict(zip(good, of_member, strict=True))
        return Tables(
            households, members, no_cards, [], good, [], {row: at for row, at in known.items() if at is not None}
        )
    if rows.kind.code == "cards":
        households, of_card = _households_of(table)
        names = [
            name
            for name in ("account", "account_name", "holder_id", "use", "bank_office_id")
            if name in table.column_names
        ]
        cards = table.select(names).append_column("household", pa.array(of_card, pa.int64()))
        return Tables(households, none, cards, rows_of_cards=good)
    facts = [name for name in table.column_names if name in FACT_OF and FACT_OF[name].entity is Entity.HOUSEHOLD]
    households = _with_texts(table.select([*(n for n in _HOUSEHOLD_TEXTS if n in table.column_names), *facts]))
    households = _with_added(households, table, rows, Entity.HOUSEHOLD)
    members, of_heads = _heads(table) if rows.kind.code == "households" else (none, [])
    return Tables(households, members, no_cards, good, [good[at] for at in of_heads])


def _with_texts(table: pa.Table) -> pa.Table:
    for name in ("household_no", "head_id", "head_name", "division"):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _with_added(made: pa.Table, table: pa.Table, rows: Rows, entity: Entity) -> pa.Table:
    """The county's own facts as one column of JSON, null where a row states none."""
    facts = rows.terms.of(entity, table.column_names)
    if not facts:
        return made
    columns = [table[fact.code].to_pylist() for fact in facts]
    codes = [fact.code for fact in facts]
    texts = [_as_json(codes, values) for values in zip(*columns, strict=True)]
    return made.append_column("added", pa.array(texts, pa.string()))


def _as_json(codes: list[str], values: tuple[Any, ...]) -> str | None:
    said = {code: stored(value) for code, value in zip(codes, values, strict=True) if value is not None}
    return json.dumps(said, ensure_ascii=False) if said else None


def _heads(table: pa.Table) -> tuple[pa.Table, list[int]]:
    """Heads of households that may be new: rows with a name and a number."""
    names, numbers = (
        table[name].to_pylist() if name in table.column_names else [None] * table.num_rows
        for name in ("head_name", "head_id")
    )
    at = [row for row in range(table.num_rows) if names[row] and numbers[row]]
    columns = {
        "household": pa.array(at, pa.int64()),
        "name": pa.array([names[row] for row in at], pa.string()),
        "id_number": pa.array([numbers[row] for row in at], pa.string()),
        "relation": pa.array([HEAD] * len(at), pa.string()),
    }
    return pa.table(columns), at


def _households_of(table: pa.Table) -> tuple[pa.Table, list[int | None]]:
    """Each household named once, with the first place said of it; and the household of each row."""
    names = ("household_no", "head_id", "division")
    texts = [table[name].to_pylist() if name in table.column_names else [None] * table.num_rows for name in names]
    found: dict[tuple[str, str], int] = {}
    rows: list[dict[str, Any]] = []
    of_row: list[int | None] = []
    for number, head, division in zip(*texts, strict=True):
        key = ("number", number) if number else ("head", head) if head else None
        if key is None:
            of_row.append(None)
            continue
        if key not in found:
            found[key] = len(rows)
            rows.append(
                {"household_no": number, "head_id": None if number else head, "head_name": None, "division": division}
            )
        at = found[key]
        rows[at]["division"] = rows[at]["division"] or division
        of_row.append(at)
    schema = pa.schema([(name, pa.string()) for name in ("household_no", "head_id", "head_name", "division")])
    return pa.Table.from_pylist(rows, schema), of_row


def _name_heads(rows: Rows) -> None:
    """The column `head_id` where the table has no column of the household; and the head's own row must say the same."""
    names = set(rows.table.column_names)
    relations, numbers = rows.texts("relation"), rows.texts("id_number")
    if not names & {"household_no", "head_id"} and "relation" in names:
        heads: list[str | None] = []
        head, sheets = None, rows.texts("sheet")
        for row, relation in enumerate(relations):
            if row and sheets[row] != sheets[row - 1]:
                head = None
            if relation == HEAD:
                head = numbers[row]
            heads.append(head)
        rows.table = rows.table.append_column("head_id", pa.array(heads, pa.string()))
        return
    for row, (relation, number, head) in enumerate(zip(relations, numbers, rows.texts("head_id"), strict=True)):
        if relation == HEAD and number and head and head != number and row not in rows.bad:
            remedy = "请核对谁是户主"
            rows.blame(row, "是户主，但户主证件号码是另一个", target="head_id", value=head, remedy=remedy)


def judge(rows: Rows, tables: Tables, report: MergeReport) -> dict[str, int]:
    """Counts of rows by what becomes of them; rows that are not taken get their fault."""
    status = np.full(rows.count, "same", "U8")
    status[sorted(rows.bad)] = WRONG
    verdicts = _by_row(tables, report)
    for row, found in sorted(verdicts.items()):
        status[row] = found.status
        if found.status in (WRONG, CONFLICT):
            _tell(rows, row, found)
    for row, first in rows.added_to.items():
        status[row] = status[first]
    counts = {name: int((status == name).sum()) for name in (NEW, CHANGED, "same", CONFLICT, WRONG)}
    if rows.kind.code == "members":
        counts["new_households"] = sum(1 for each in report.households.values() if each.status == NEW)
    if rows.added_to:
        counts["added_up"] = len(rows.added_to) + len(set(rows.added_to.values()))
    return {"rows": rows.count, **counts, "work_items": report.work_items}


def _by_row(tables: Tables, report: MergeReport) -> dict[int, Verdict]:
    """One verdict a row: what keeps it out first, then new, then changed."""
    found: dict[int, Verdict] = {}
    for at, verdict in report.households.items():
        if at < len(tables.rows_of_households):
            found[tables.rows_of_households[at]] = verdict
    for at, verdict in report.members.items():
        row = tables.rows_of_members[at]
        if verdict.state == "house" and row in tables.household_of_row:
            verdict = report.households.get(tables.household_of_row[row], verdict)
            verdict = Verdict(WRONG, verdict.what, verdict.why, verdict.remedy, state=verdict.state)
        earlier = found.get(row)
        if earlier is None or (earlier.status in (NEW, CHANGED) and verdict.status in (WRONG, CONFLICT)):
            found[row] = verdict
    for at, verdict in report.cards.items():
        found[tables.rows_of_cards[at]] = verdict
    return found


def _tell(rows: Rows, row: int, found: Verdict) -> None:
    target = _TARGET_OF.get(found.state, "")
    if target in ("household_no", "holder_id", "village") and target not in rows.table.column_names:
        target = {"household_no": "head_id", "holder_id": "household_no", "village": "division"}[target]
    value = rows.table[target][row].as_py() if target in rows.table.column_names else None
    rows.blame(
        row, found.what, target=target, value=str(value or ""), why=found.why, remedy=found.remedy, kind=found.status
    )
