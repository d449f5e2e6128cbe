"""The slow, plain evaluator the engine is held against: one household, exact fractions, no columns.

in    a Programme, one household's facts as written, the date
out   `Verdict`s; nothing but the checked tree is shared with the engine

It looks only where the policy looks (the branch of an `if` that is taken, the side of an `and` that decides), so that a
division by zero the checker let through would be raised here. What is open it looks at both ways, to name all it needs.
"""

import operator
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import cast

from huimin.kernel.facts import Fact, Kind
from huimin.rules.programme import Programme
from huimin.rules.tiers import Tiers
from huimin.rules.typed import EPOCH_ORDINAL, Level, Op, Sort, Typed

_OPERATORS = {
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.DIV: operator.truediv,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
}
Facts = Mapping[str, object]


@dataclass(frozen=True)
class Unknown:
    """Not known, for want of these facts (by code; 成员 when nobody was there to look at)."""

    missing: frozenset[str]


Value = Fraction | bool | int | date | Unknown


@dataclass(frozen=True)
class Verdict:
    """As in `Outcome`, for one household or member; conditions by id: True, False or None."""

    eligible: bool | None
    amount_fen: int
    conditions: dict[str, bool | None]
    missing: frozenset[str]
    phase_out: bool = False


def determine(programme: Programme, household: Facts, members: Sequence[Facts], on: date) -> list[Verdict]:
    """One verdict for the household, or one for each member in order."""
    if programme.unit == "household":
        return [_verdict(_Scope(programme, household, members, None, on))]
    return [_verdict(_Scope(programme, household, members, member, on)) for member in members]


def value_of(tree: Typed, programme: Programme, household: Facts, members: Sequence[Facts], on: date) -> Value:
    """A household-level tree's value, for tests of single expressions."""
    return _Scope(programme, household, members, None, on).value(tree)


def _verdict(scope: "_Scope") -> Verdict:
    programme = scope.programme
    found = {condition.id: scope.value(condition.tree) for condition in programme.conditions}
    flags = {key: None if isinstance(value, Unknown) else cast(bool, value) for key, value in found.items()}
    if False in flags.values():
        return _phased(scope, found, flags)
    amount = scope.value(programme.structure.amount)
    missing = _missing(*found.values(), amount)
    if missing:
        return Verdict(None, 0, flags, missing)
    return Verdict(True, _fen(programme, cast(Fraction, amount)), flags, frozenset())


def _fen(programme: Programme, amount: Fraction) -> int:
    rounders = {"四舍五入": Op.ROUND, "进一": Op.CEIL, "舍去": Op.FLOOR}
    fen = round_to(rounders[programme.structure.rounding], amount, programme.structure.rounding_step) * 100
    assert fen.denominator == 1
    return int(fen)


def _phased(scope: "_Scope", found: dict[str, Value], flags: dict[str, bool | None]) -> Verdict:
    """渐退, or simply no."""
    programme, rule = scope.programme, scope.programme.structure.phase_out
    holding = holdings(scope.household if scope.member is None else scope.member).get(programme.code)
    no = Verdict(False, 0, flags, frozenset())
    if (
        rule is None
        or holding is None
        or any(flag is False and key not in rule.triggers for key, flag in flags.items())
    ):
        return no
    begun = _as_date(holding.get("渐退自") or scope.on)
    month = max(1, (scope.on.year - begun.year) * 12 + scope.on.month - begun.month + 1)
    premise = scope.value(rule.premise) if rule.premise else True
    months = scope.value(rule.months)
    if premise is False or (not isinstance(months, Unknown) and month > cast(Fraction, months)):
        return no
    missing = _missing(premise, months, *(value for key, value in found.items() if key not in rule.triggers))
    if missing:
        return Verdict(None, 0, flags, missing)
    share = scope.value([share for first, share in rule.steps if first <= month][-1])
    granted = Fraction(Decimal(str(holding.get("金额", "0.01"))))
    return Verdict(True, _fen(programme, granted * cast(Fraction, share)), flags, frozenset(), phase_out=True)


def _missing(*values: Value) -> frozenset[str]:
    return frozenset().union(*(value.missing for value in values if isinstance(value, Unknown)))


def round_to(op: Op, value: Fraction, step: Fraction) -> Fraction:
    ratio = value / step
    if op is Op.FLOOR:
        return floor(ratio) * step
    if op is Op.CEIL:
        return ceil(ratio) * step
    size = floor(abs(ratio) + Fraction(1, 2))
    return (size if ratio >= 0 else -size) * step


def months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def later(day: date, months: int, days: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(years, month + 1)[1]
    return date(years, month + 1, min(day.day, last)) + timedelta(days=days)


@dataclass
class _Scope:
    """One household, and the member spoken of, if any."""

    programme: Programme
    household: Facts
    members: Sequence[Facts]
    member: Facts | None
    on: date

    def value(self, node: Typed) -> Value:
        match node.op:
            case Op.CONST:
                return self.constant(node)
            case Op.FACT:
                return self.fact(node)
            case Op.PARAM:
                return self.parameter(str(node.payload))
            case Op.VALUE:
                trees = {value.name: value.tree for value in self.programme.structure.values}
                return self.value(trees[str(node.payload)])
            case Op.TODAY:
                return self.on
            case Op.HEADS:
                return Fraction(sum(1 for member in self.members if self.present(member)))
            case Op.PRESENT:
                assert self.member is not None
                return self.present(self.member)
            case Op.AGE:
                return self.age()
            case Op.ELSEWHERE:
                return self.elsewhere(node)
            case Op.TABLE:
                return self.looked_up(node)
            case Op.HELD:
                return str(node.payload) in holdings(self.facts_of(node))
            case Op.FITS:
                return self.fits(node)
            case Op.AND | Op.OR:
                return self.logic(node)
            case Op.IF:
                return self.branch(node)
            case Op.COUNT | Op.SUM | Op.ANY | Op.ALL | Op.MAX_OF | Op.MIN_OF:
                return self.aggregate(node)
        values = [self.value(arg) for arg in node.args]
        missing = _missing(*values)
        return Unknown(missing) if missing else _plain(node, values)

    def constant(self, node: Typed) -> Value:
        if node.type.sort is Sort.DATE:
            return date.fromordinal(cast(int, node.payload) + EPOCH_ORDINAL)
        return cast(Value, node.payload)

    def parameter(self, name: str) -> Value:
        value = self.programme.parameters[name].value
        assert not isinstance(value, Tiers)
        if isinstance(value, int) and not isinstance(value, bool):
            return date.fromordinal(value + EPOCH_ORDINAL)
        return value

    def fact(self, node: Typed) -> Value:
        fact = next(f for f in self.programme.facts_needed if f.code == node.payload)
        return _read(fact, self.facts_of(node))

    def elsewhere(self, node: Typed) -> Value:
        code, name = cast(tuple[str, str], node.payload)
        fact = next(f for f in self.programme.facts_needed if f.code == code)
        place = self.facts_of(node).get(fact.name)
        value = None if place is None else self.programme.elsewhere[name].at(str(place))
        return Unknown(frozenset({code})) if value is None else value

    def looked_up(self, node: Typed) -> Value:
        key, tiers = self.value(node.args[0]), self.programme.parameters[str(node.payload)].value
        if isinstance(key, Unknown):
            return key
        assert isinstance(tiers, Tiers)
        at = 0
        for row, bound in enumerate(tiers.keys, start=1):
            if cast(Fraction, key) == bound or (tiers.word == "满" and cast(Fraction, key) > bound):
                at = row
        return tiers.values[at]

    def facts_of(self, node: Typed) -> Facts:
        return self.household if node.level is Level.HOUSEHOLD else cast(Facts, self.member)

    def fits(self, node: Typed) -> Value:
        """As given, where anything is given; else as the other programme's own slow determination says."""
        code = str(node.payload)
        if any("符合" in facts for facts in (self.household, *self.members)):
            return code in cast(Sequence[str], self.facts_of(node).get("符合", ()))
        other = self.programme.companion(code)
        if other is None:
            return False
        verdicts = determine(other, self.household, self.members, self.on)
        at = 0 if node.level is Level.HOUSEHOLD else next(i for i, m in enumerate(self.members) if m is self.member)
        eligible = verdicts[at].eligible
        return Unknown(verdicts[at].missing) if eligible is None else eligible

    def age(self) -> Value:
        born = (self.member or {}).get("出生日期")
        if born is None:
            return Unknown(frozenset({"birth_date"}))
        return Fraction(months_between(_as_date(born), self.on) // 12)

    def present(self, member: Facts) -> bool:
        events = (member.get("死亡日期"), member.get("迁出日期"))
        return all(event is None or _as_date(event) > self.on for event in events)

    def logic(self, node: Typed) -> Value:
        decisive = node.op is Op.OR
        first = self.value(node.args[0])
        if first is decisive:
            return decisive
        second = self.value(node.args[1])
        if second is decisive:
            return decisive
        missing = _missing(first, second)
        return Unknown(missing) if missing else not decisive

    def branch(self, node: Typed) -> Value:
        condition = self.value(node.args[0])
        if isinstance(condition, Unknown):
            return Unknown(_missing(condition, self.value(node.args[1]), self.value(node.args[2])))
        return self.value(node.args[1 if condition else 2])

    def aggregate(self, node: Typed) -> Value:
        scopes = [
            _Scope(self.programme, self.household, self.members, member, self.on)
            for member in self.members
            if self.present(member)
        ]
        answers = [(scope, scope.value(node.args[0])) for scope in scopes]
        chosen = [scope for scope, answer in answers if answer is True]
        missing = _missing(*(answer for _, answer in answers))
        if node.op in (Op.ANY, Op.ALL):
            return _any_or_all(node.op, [answer for _, answer in answers], missing)
        if node.op is Op.COUNT:
            return Unknown(missing) if missing else Fraction(len(chosen))
        missing |= _missing(*(scope.value(node.args[1]) for scope, answer in answers if answer is not False))
        values = [scope.value(node.args[1]) for scope in chosen]
        if not missing and not values and node.op is not Op.SUM:
            missing = frozenset({"成员"})
        return Unknown(missing) if missing else _collected(node.op, values)


def _any_or_all(op: Op, answers: list[Value], missing: frozenset[str]) -> Value:
    decisive = op is Op.ANY
    if any(answer is decisive for answer in answers):
        return decisive
    return Unknown(missing) if missing else not decisive


def _collected(op: Op, values: list[Value]) -> Value:
    if op is Op.SUM:
        return sum(cast(list[Fraction], values), Fraction(0))
    return max(cast(list[Fraction], values)) if op is Op.MAX_OF else min(cast(list[Fraction], values))


def holdings(facts: Facts) -> dict[str, Facts]:
    """What a household or member holds, by code."""
    items = cast(Sequence[object], facts.get("享受", ()))
    rows = [{"项目": item} if isinstance(item, str) else cast(Facts, item) for item in items]
    return {str(row["项目"]): row for row in rows}


def _as_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _read(fact: Fact, facts: Facts) -> Value:
    value = facts.get(fact.name)
    if value is None:
        return Unknown(frozenset({fact.code}))
    if fact.kind is Kind.DATE:
        return _as_date(value)
    if fact.kind is Kind.CHOICE:
        return fact.choices.index(str(value))
    return value if isinstance(value, bool) else Fraction(Decimal(str(value)))


def _plain(node: Typed, values: list[Value]) -> Value:
    """Operations that look at nothing but their known arguments."""
    op, (a, *rest) = node.op, cast(list[Fraction], values)
    b = rest[0] if rest else a
    if op is Op.NEG:
        return -a
    if op in _OPERATORS:
        return cast(Value, _OPERATORS[op](a, b))
    if op in (Op.MIN, Op.MAX):
        return min(a, *rest) if op is Op.MIN else max(a, *rest)
    if op in (Op.ROUND, Op.FLOOR, Op.CEIL):
        return round_to(op, a, cast(Fraction, node.payload))
    if op is Op.RECODE:
        return cast(tuple[int, ...], node.payload)[int(a)]
    if op is Op.NOT:
        return not a
    if op is Op.IN:
        key = Fraction(a.toordinal() - EPOCH_ORDINAL) if isinstance(a, date) else Fraction(a)
        return key in cast(tuple[Fraction, ...], node.payload)
    return _dates(op, values)


def _dates(op: Op, values: list[Value]) -> Value:
    a, b = values
    if op is Op.DAYS:
        return Fraction((cast(date, a) - cast(date, b)).days)
    if op in (Op.YEARS, Op.MONTHS):
        months = months_between(cast(date, a), cast(date, b))
        return Fraction(months // 12 if op is Op.YEARS else months)
    whole = floor(cast(Fraction, b))
    return later(cast(date, a), whole, 0) if op is Op.LATER_MONTHS else later(cast(date, a), 0, whole)
