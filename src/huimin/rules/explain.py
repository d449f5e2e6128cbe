"""One household alone, with everything said: values, conditions with the numbers in them, what is missing (DET-01).

in    a Programme, one household's facts as written, the date
out   a dictionary in the form of the command line's JSON

The numbers are the engine's own, taken from a table of one household, so that an explanation cannot differ from the
determination it explains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from huimin.kernel.facts import Fact
from huimin.rules.engine import evaluate, make_frame, missing_names, outcomes_asked
from huimin.rules.exact import Num
from huimin.rules.frame import Col, Flag, Frame
from huimin.rules.held_input import given_outcomes, refuse_bare_holding, refuse_misplaced
from huimin.rules.household_input import household_table
from huimin.rules.judging import leveled
from huimin.rules.outcome import Outcome
from huimin.rules.programme import Condition, NamedValue, Programme
from huimin.rules.table import Table
from huimin.rules.typed import COMPARISON_OPS, Level, Op, Sort, Type, Typed, all_nodes
from huimin.rules.vocabulary import in_chinese

_EPOCH = date(1970, 1, 1)
_SIGNS = {Op.EQ: "=", Op.NE: "≠", Op.LE: "≤", Op.GE: "≥", Op.AND: "且", Op.OR: "或"}
_JOINED = COMPARISON_OPS | {Op.AND, Op.OR, Op.ADD, Op.SUB, Op.MUL, Op.DIV}
_POWER = {Op.OR: 1, Op.AND: 2, Op.ADD: 5, Op.SUB: 5, Op.MUL: 6, Op.DIV: 6} | dict.fromkeys(COMPARISON_OPS, 4)


def explain(
    programme: Programme,
    household: Mapping[str, object],
    members: Sequence[Mapping[str, object]],
    on: date,
    *,
    place: str = "",
    facts: Sequence[Fact] | None = None,
) -> dict[str, object]:
    """What the household and its members hold and are said to fit: `held_input`.

    {"place", "date", "results": [...]}: one result for the household, or one for each member. Raises BadInput."""
    refuse_misplaced(programme, household, members)
    table = household_table(household, members, programme.facts if facts is None else facts)
    given = given_outcomes(programme, household, members)
    asked = outcomes_asked(programme, table, on, given, threads=1)
    outcome = evaluate(programme, table, on, threads=1, others=asked)
    refuse_bare_holding(programme, outcome, household, members)
    teller = _Teller(programme, make_frame(programme, table, on, asked))
    by_person = programme.unit == "person"
    results = [_result(outcome, teller, row, row if by_person else None) for row in range(len(outcome.eligible))]
    return {"place": place, "date": on.isoformat(), "results": results}


def explain_rows(programme: Programme, table: Table, on: date) -> list[list[dict[str, object]]]:
    """The results of every household of a table, as `explain` tells each alone; each expression is worked out once for all."""
    asked = outcomes_asked(programme, table, on, {}, threads=1)
    outcome = evaluate(programme, table, on, threads=1, others=asked)
    teller = _Teller(programme, make_frame(programme, table, on, asked))
    if programme.unit != "person":
        return [[_result(outcome, teller, row, None)] for row in range(len(outcome.eligible))]
    bounds = pairwise(table.offsets.tolist())
    return [[_result(outcome, teller, row, row - low) for row in range(low, high)] for low, high in bounds]


def _result(outcome: Outcome, teller: "_Teller", row: int, member: int | None) -> dict[str, object]:
    programme = teller.programme
    return {
        "programme": programme.code,
        "name": programme.name,
        "unit": programme.unit,
        "member": member,
        "eligible": {1: True, 0: False, -1: None}[int(outcome.eligible[row])],
        "amount_fen": int(outcome.amount_fen[row]),
        "period": programme.period,
        "phase_out": bool(outcome.phase_out[row]),
        "conditions": [teller.condition(condition, row) for condition in programme.conditions],
        "values": teller.values(row),
        "missing": missing_names(programme, int(outcome.missing_mask[row])),
        "policy": programme.version,
    }


@dataclass
class _Teller:
    """Says what the columns hold for one row; a column is worked out once, however many rows are told."""

    programme: Programme
    frame: Frame
    columns: dict[int, Col] = field(default_factory=dict)

    @cached_property
    def named(self) -> list[NamedValue]:
        """Values the conditions and the amount use, directly or through another."""
        structure = self.programme.structure
        roots = [*(condition.tree for condition in structure.conditions), structure.amount]
        used = {node.payload for node in all_nodes(roots, self.frame.words.values) if node.op is Op.VALUE}
        return [value for value in structure.values if value.name in used and value.tree.level <= self.level]

    @property
    def level(self) -> Level:
        return Level.MEMBER if self.programme.unit == "person" else Level.HOUSEHOLD

    def condition(self, condition: Condition, row: int) -> dict[str, object]:
        return {
            "id": condition.id,
            "text": condition.text,
            "met": self.scalar(condition.tree, row),
            "detail": self.told(condition.tree, condition.expression, row),
            "basis": condition.citation,
        }

    def values(self, row: int) -> dict[str, str | None]:
        """Named values in use that are one value here; a member's own are told only in programmes about persons."""
        told: dict[str, str | None] = {}
        for value in self.named:
            found = self.scalar(value.tree, row)
            told[value.name] = None if found is None else shown(found, value.tree.type)
        return told

    def scalar(self, tree: Typed, row: int) -> Fraction | bool | int | None:
        if id(tree) not in self.columns:  # a tree lives as long as its programme
            self.columns[id(tree)] = leveled(tree, self.frame, self.level)
        return scalar_at(self.columns[id(tree)], row)

    def told(self, node: Typed, text: str, row: int) -> str:
        """The expression with each word's value beside it."""
        if node.op is Op.CONST:
            return in_chinese(text[node.start : node.end])
        if node.op is Op.NOT and node.args[0].op is not Op.IN:
            return f"非（{self.told(node.args[0], text, row)}）"
        if node.op is Op.NOT or node.op is Op.IN:
            operand = node.args[0].args[0] if node.op is Op.NOT else node.args[0]
            return f"{self.told(operand, text, row)} {in_chinese(text[operand.end : node.end].strip())}"
        written = all(arg.end for arg in node.args)
        if node.op in _JOINED and written:
            sign = _SIGNS.get(node.op, node.op.value)
            return f" {sign} ".join(self.operand(arg, node.op, text, row) for arg in node.args)
        return f"{in_chinese(text[node.start : node.end])} {self.value_of(node, row)}"

    def operand(self, node: Typed, outer: Op, text: str, row: int) -> str:
        told = self.told(node, text, row)
        return f"（{told}）" if node.op in _POWER and _POWER[node.op] < _POWER[outer] else told

    def value_of(self, node: Typed, row: int) -> str:
        found = self.scalar(node, row)
        value = "未知" if found is None else shown(found, node.type)
        overridden = node.op is Op.PARAM and self.programme.parameters[str(node.payload)].overridden
        return f"{value} (--set)" if overridden else value


def scalar_at(column: Col, row: int) -> Fraction | bool | int | None:
    """One value out of a column: Fraction, bool, or the whole number of a date or choice; None when unknown."""
    if column.why is not None and column.why[row]:
        return None
    if isinstance(column, Num):
        n = column.n if isinstance(column.n, int) else int(column.n[row])
        return Fraction(n, 1 if column.d is None else int(column.d[row])) * column.scale
    if isinstance(column, Flag):
        return column.v if isinstance(column.v, bool) else bool(column.v[row])
    return column.v if isinstance(column.v, int) else int(column.v[row])


def shown(value: Fraction | bool | int, kind: Type) -> str:
    """As people read it: money and areas with two decimals, counts whole, 是 or 否, ISO dates."""
    if kind.sort is Sort.FLAG:
        return "是" if value else "否"
    if kind.sort is Sort.DATE:
        return (_EPOCH + timedelta(days=int(value))).isoformat()
    if kind.sort is Sort.CHOICE:
        return kind.choices[int(value)]
    number = Fraction(value)
    counted = kind.unit is None or not any(kind.unit.powers[:3])
    return str(number.numerator) if counted and number.denominator == 1 else two_decimals(number)


def two_decimals(number: Fraction) -> str:
    """Rounded half away from zero."""
    hundredths = (2 * abs(number.numerator) * 100 + number.denominator) // (2 * number.denominator)
    sign = "-" if number < 0 and hundredths else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"
