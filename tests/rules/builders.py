"""Small policies and households for the tests of the rules."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from huimin.kernel.facts import FACTS
from huimin.kernel.places import NATION
from huimin.rules import Book, Column, Held, Programme, Table, read_book_texts
from huimin.rules.held_input import held_of
from huimin.rules.household_input import household_table
from huimin.rules.reference import holdings

ON = date(2026, 6, 1)
Household = tuple[Mapping[str, object], Sequence[Mapping[str, object]]]

TEMPLATE = """\
项目: trial
自: 2020-01-01
名称: 试算项目
简称: 试算项目
主管部门: 民政
对象: {unit}
期间: 月
发放: 按月
收款: 户主卡
依据: 试算
参数:
  - {{名称: 标准, 单位: 元/月, 数值: 650 元/月, 自: 2020-01-01, 来源: 试算}}
{more}
条件:
  - 编号: first
    说明: 第一条
    依据: 试算
    算式: >-
      {condition}
金额:
  依据: 试算
  取整: {rounding}
  算式: >-
    {amount}
"""


def policy_text(
    condition: str = "人口 > 0",
    amount: str = "标准",
    *,
    unit: str = "户",
    rounding: str = "四舍五入到分",
    values: Mapping[str, str] | None = None,
) -> str:
    lines = [f"  - {{名称: {name}, 算式: '{text}'}}" for name, text in (values or {}).items()]
    more = "数值:\n" + "\n".join(lines) if lines else ""
    return TEMPLATE.format(condition=condition, amount=amount, unit=unit, rounding=rounding, more=more)


def trial_book(*args: str, **more: object) -> Book:
    return read_book_texts({"试算.yaml": policy_text(*args, **more)})  # type: ignore[arg-type]


def trial(*args: str, **more: object) -> Programme:
    return trial_book(*args, **more).programmes_in_force((NATION,), ON)[0]


def joined_table(households: Sequence[Household]) -> Table:
    """One table of several households as written."""
    tables = [household_table(household, members, FACTS) for household, members in households]
    counts = [table.member_count for table in tables]
    return Table(
        _joined([table.households for table in tables]),
        _joined([table.members for table in tables]),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        _joined_held(households),
    )


def _joined_held(households: Sequence[Household]) -> dict[str, Held]:
    """What each household or member holds, all rows in order."""
    joined = {}
    members = [member for _, people in households for member in people]
    for rows in ([house for house, _ in households], members):
        for code in {code for row in rows for code in holdings(row)}:
            parts = [held_of(row, []).get(code) for row in rows]
            fields = [[0 if part is None else int(getattr(part, name)[0]) for part in parts] for name in _HELD]
            joined[code] = Held(np.array(fields[0], np.int64), *(np.array(each, np.int32) for each in fields[1:]))
    return joined


_HELD = ("amount_fen", "since", "phase_out_since")


def _joined(parts: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    return {code: _with_rubbish([part[code] for part in parts]) for code in parts[0]}


def _with_rubbish(columns: Sequence[Column]) -> Column:
    """What stands in an unknown place does not matter: put the worst there."""
    values = np.concatenate([column.values for column in columns])
    known = np.concatenate([column.known for column in columns])
    worst = True if values.dtype == np.bool_ else np.iinfo(values.dtype).max
    return Column(np.where(known, values, np.array(worst, values.dtype)), known)
