"""Typed trees over a Frame: what each operation does with whole columns.

in    a Typed node and a Frame
out   the column of its values

Unknown is contagious but for what decides alone: a false side decides `and`, a true side decides `or`, one member who
fits decides `any`, one who does not decides `all`; `if` asks only the branch that is taken. Where it is not known which
branch, or which members, everything that may be needed is named at once: nobody is sent home twice for papers.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.rules import exact
from huimin.rules.dates import later_months, months_between
from huimin.rules.exact import Flags, Ints, Num, Why, join_why
from huimin.rules.frame import Code, Col, Flag, Frame
from huimin.rules.tiers import FROM, Tiers
from huimin.rules.typed import AGGREGATES, NOBODY_BIT, Level, Op, Sort, Typed


def column_of(node: Typed, frame: Frame) -> Col:
    """The values of `node`: one per household or member as `node.level` says, or one for all."""
    memo = frame.chunk.memo
    if frame.whole is not None:
        return _cut(node, frame)
    found = memo.find(node)
    if found is None:
        found = _OPERATIONS[node.op](node, frame)
        memo.keep(node, found)
    return found


def _cut(node: Typed, frame: Frame) -> Col:
    """For some rows only: what costs little more for all, and may be there already, is cut; the rest is worked out for them."""
    assert frame.whole is not None
    if node.level is not frame.level:
        return column_of(node, frame.whole)
    if not node.args or node.op in AGGREGATES:
        return column_of(node, frame.whole).take(cast(Ints, frame.rows))
    return _OPERATIONS[node.op](node, frame)


def _args(node: Typed, frame: Frame) -> list[Col]:
    return [frame.spread(column_of(arg, frame), arg.level, node.level) for arg in node.args]


def _numbers(node: Typed, frame: Frame) -> list[Num]:
    return cast(list[Num], _args(node, frame))


# -- words


def _const(node: Typed, frame: Frame) -> Col:
    if isinstance(node.payload, bool):
        return Flag(node.payload)
    if node.type.sort is Sort.NUMBER:
        return exact.constant(cast(Fraction, node.payload))
    return Code(cast(int, node.payload))


def _fact(node: Typed, frame: Frame) -> Col:
    return frame.fact(cast(str, node.payload), node.level)


def _param(node: Typed, frame: Frame) -> Col:
    return frame.words.parameters[cast(str, node.payload)]


def _value(node: Typed, frame: Frame) -> Col:
    name = cast(str, node.payload)
    if name not in frame.memo:
        frame.memo[name] = column_of(frame.words.values[name], frame)
    return frame.memo[name]


def _heads(node: Typed, frame: Frame) -> Col:
    return exact.of_rows(_count(frame.present, frame), exact.ONE)


def _age(node: Typed, frame: Frame) -> Col:
    born = cast(Code, frame.fact("birth_date", Level.MEMBER))
    return _elapsed(born, Code(frame.today), 12)


def _table(node: Typed, frame: Frame) -> Col:
    """The value of the row each key falls into; row 0 is 其余."""
    (key,) = _args(node, frame)
    tiers = frame.words.tables[cast(str, node.payload)]
    if isinstance(key, Num):
        rows = _rows_of(key, tiers)
    else:
        positions = np.zeros(len(node.args[0].type.choices), np.int64)
        positions[[int(each) for each in tiers.keys]] = np.arange(1, len(tiers.values))
        rows = np.take(positions, cast(Code, key).v, mode="clip")
    return exact.picked(tiers.values, rows, key.why)


def _rows_of(key: Num, tiers: Tiers) -> "Ints | np.int64":
    """How many bounds the key has reached, or the row of the number it equals."""
    reached = np.greater_equal if tiers.word == FROM else np.equal
    rows: Ints = np.zeros((), np.int64)
    for at, bound in enumerate(tiers.keys, start=1):
        left, right = exact.aligned(key, exact.constant(bound))
        rows = np.where(reached(_in_range(left.n), _in_range(right.n)), np.int64(at), rows)
    return cast("Ints | np.int64", rows[()])


def _elsewhere(node: Typed, frame: Frame) -> Col:
    """The parameter at each one's own place; where it is not set, unknown for want of that place."""
    code, name = cast(tuple[str, str], node.payload)
    place, elsewhere = cast(Code, frame.fact(code, node.level)), frame.words.elsewhere[name]
    if elsewhere.everywhere is not None:
        return replace(exact.constant(elsewhere.everywhere), why=place.why)
    assert not isinstance(place.v, int)
    rows = elsewhere.rows(place.v)
    unset = np.where(rows < 0, np.uint64(1 << frame.words.bits[code]), np.uint64(0))
    why = place.why if not bool(unset.any()) else join_why(place.why, unset)
    return exact.picked(elsewhere.values or (Fraction(0),), np.maximum(rows, 0), why)


def _recode(node: Typed, frame: Frame) -> Col:
    (code,) = cast(list[Code], _args(node, frame))
    moved = np.take(np.array(node.payload, np.int64), code.v, mode="clip")  # an unknown place may hold anything
    return Code(moved if isinstance(moved, np.ndarray) else int(moved), code.why)


def _held(node: Typed, frame: Frame) -> Col:
    return frame.holds(cast(str, node.payload))


def _fits(node: Typed, frame: Frame) -> Col:
    return frame.fits[cast(str, node.payload)]


# -- logic


def _not(node: Typed, frame: Frame) -> Col:
    (a,) = cast(list[Flag], _args(node, frame))
    flipped = (not a.v) if isinstance(a.v, bool) else ~a.v
    return Flag(flipped if a.why is None else flipped & (a.why == 0), a.why)


def _and(node: Typed, frame: Frame) -> Col:
    a, b = cast(list[Flag], _args(node, frame))
    why = join_why(a.why, b.why)
    return Flag(a.v & b.v, why if why is None else _unless(_is_false(a) | _is_false(b), why))


def _or(node: Typed, frame: Frame) -> Col:
    a, b = cast(list[Flag], _args(node, frame))
    why = join_why(a.why, b.why)
    return Flag(a.v | b.v, why if why is None else _unless(a.v | b.v, why))


def _is_false(a: Flag) -> Flags | bool:
    if isinstance(a.v, bool):
        return not a.v
    return ~a.v if a.why is None else ~a.v & (a.why == 0)


def _unless(decided: Flags | bool, why: Why) -> Why:
    """No reason where the matter is decided anyway."""
    return cast(Why, np.multiply(_or_zero(why), ~decided if isinstance(decided, np.ndarray) else not decided))


def _if(node: Typed, frame: Frame) -> Col:
    condition, yes, no = _args(node, frame)
    assert isinstance(condition, Flag)
    v = condition.v
    if isinstance(v, bool):
        return yes if v else no
    why: Why = None
    if yes.why is not None or no.why is not None:
        why = cast(Why, np.multiply(v, _or_zero(yes.why)) | np.multiply(~v, _or_zero(no.why)))
    if condition.why is not None:  # an open condition does not hold
        why = cast(Why, condition.why | _or_zero(why) | np.multiply(condition.why != 0, _or_zero(yes.why)))
    if isinstance(yes, Num) and isinstance(no, Num):
        return exact.chosen(v, yes, no, why)
    if isinstance(yes, Code):
        return Code(cast(Ints, np.where(v, yes.v, cast(Code, no).v)), why)
    merged = (v & cast(Flag, yes).v) | (~v & cast(Flag, no).v)
    return Flag(merged if why is None else merged & (why == 0), why)


def _or_zero(why: Why) -> NDArray[np.uint64] | np.uint64:
    return np.uint64(0) if why is None else why


# -- comparison

_COMPARE: dict[Op, np.ufunc] = {
    Op.LT: np.less,
    Op.LE: np.less_equal,
    Op.GT: np.greater,
    Op.GE: np.greater_equal,
    Op.EQ: np.equal,
    Op.NE: np.not_equal,
}


def _compare(node: Typed, frame: Frame) -> Col:
    a, b = _args(node, frame)
    why = join_why(a.why, b.why)
    if isinstance(a, Num) and isinstance(b, Num):
        a, b = exact.aligned(a, b)
        result = _COMPARE[node.op](_in_range(a.n), _in_range(b.n))
    else:
        result = _COMPARE[node.op](cast(Flag | Code, a).v, cast(Flag | Code, b).v)
    return _flag(result, why)


def _in_range(n: exact.Whole) -> "Ints | int | NDArray[np.object_]":
    """One huge constant stays a Python object, which compares exactly with any array."""
    return n if not isinstance(n, int) or abs(n) <= exact.LIMIT else np.array(n, dtype=object)


def _flag(result: object, why: Why) -> Flag:
    if not isinstance(result, np.ndarray):
        return Flag(bool(result), why) if why is None else Flag(np.full(len(why), bool(result)) & (why == 0), why)
    flags = result.astype(np.bool_, copy=False)
    return Flag(flags if why is None else flags & (why == 0), why)


def _in(node: Typed, frame: Frame) -> Col:
    (a,) = _args(node, frame)
    hits: Flags | bool = False
    for item in cast(tuple[Fraction, ...], node.payload):
        hits = hits | _hit(a, item)
    return _flag(hits, a.why)


def _hit(a: Col, item: Fraction) -> "Flags | bool":
    if isinstance(a, Num):
        left, right = exact.aligned(a, exact.constant(item))
        return cast("Flags | bool", np.equal(_in_range(left.n), _in_range(right.n)))
    return cast("Flags | bool", np.equal(cast(Code, a).v, int(item)))


# -- arithmetic


def _arithmetic(node: Typed, frame: Frame) -> Col:
    a, b = _numbers(node, frame)
    if node.op is Op.ADD:
        return exact.total(a, b)
    if node.op is Op.SUB:
        return exact.total(a, exact.negative(b))
    return exact.product(a, b) if node.op is Op.MUL else exact.quotient(a, b)


def _negative(node: Typed, frame: Frame) -> Col:
    return exact.negative(_numbers(node, frame)[0])


def _extreme(node: Typed, frame: Frame) -> Col:
    first, *rest = _args(node, frame)
    larger = node.op is Op.MAX
    for other in rest:
        if isinstance(first, Num) and isinstance(other, Num):
            first = exact.extreme(first, other, larger=larger)
        else:
            pick = np.maximum if larger else np.minimum
            found = pick(cast(Code, first).v, cast(Code, other).v)
            v = int(found) if not isinstance(found, np.ndarray) else cast(Ints, found)
            first = Code(v, join_why(first.why, other.why))
    return first


def _rounded(node: Typed, frame: Frame) -> Col:
    rounder = {Op.ROUND: exact.round_to, Op.FLOOR: exact.floor_to, Op.CEIL: exact.ceil_to}[node.op]
    return rounder(_numbers(node, frame)[0], cast(Fraction, node.payload))


# -- dates


def _elapsed(a: Code, b: Code, months: int) -> Num:
    n = months_between(a.v, b.v, months)
    why = join_why(a.why, b.why)
    if isinstance(n, int):
        return replace(exact.constant(Fraction(n)), why=why)
    return exact.of_rows(n, exact.ONE, why)


def _between(node: Typed, frame: Frame) -> Col:
    a, b = cast(list[Code], _args(node, frame))
    return _elapsed(a, b, 12 if node.op is Op.YEARS else 1)


def _days(node: Typed, frame: Frame) -> Col:
    a, b = cast(list[Code], _args(node, frame))
    n, why = a.v - b.v, join_why(a.why, b.why)
    if isinstance(n, int):
        return replace(exact.constant(Fraction(n)), why=why)
    return exact.of_rows(n.astype(np.int64, copy=False), exact.ONE, why)


def _later(node: Typed, frame: Frame) -> Col:
    day, length = _args(node, frame)
    assert isinstance(day, Code)
    assert isinstance(length, Num)
    whole = exact.floor_to(length, exact.ONE)
    step: Ints | int = whole.n * int(whole.scale) if isinstance(whole.n, int) else whole.n
    v = later_months(day.v, step if node.op is Op.LATER_MONTHS else 0, 0 if node.op is Op.LATER_MONTHS else step)
    return Code(v, join_why(day.why, length.why))


# -- aggregates over 成员


FEW = 16
"""Of fewer than one row in so many, the rows themselves are counted."""


def _count(chosen: Flags, frame: Frame) -> Ints:
    if FEW * np.count_nonzero(chosen) < len(chosen):
        return np.bincount(frame.owners[np.flatnonzero(chosen)], minlength=len(frame.counts))
    return cast(Ints, exact.group_sums(chosen.astype(np.int64), 1, frame.table.offsets))


def _reasons(why: Why, frame: Frame) -> Why:
    """Everything unknown among a household's members, household by household."""
    if why is None or not bool(why.any()):
        return None
    return cast(Why, _reduce(np.bitwise_or, why, np.uint64(0), frame))


def _reduce(ufunc: np.ufunc, values: NDArray[np.generic], empty: np.generic, frame: Frame) -> object:
    """ufunc.reduceat, with `empty` for households without members, which reduceat does not know."""
    padded = np.append(values, empty)
    reduced = ufunc.reduceat(padded, frame.table.offsets[:-1])
    return np.where(frame.counts == 0, empty, reduced)


def _chosen_members(node: Typed, frame: Frame) -> tuple[Flags, Why]:
    """The members for whom the condition certainly holds, and why it is open for others."""
    condition = cast(Flag, frame.spread(column_of(node.args[0], frame), node.args[0].level, Level.MEMBER))
    why = None if condition.why is None else np.multiply(frame.present, condition.why)
    return frame.present & condition.v, why


def _tally(node: Typed, frame: Frame) -> Col:
    """count, any, all."""
    chosen, why = _chosen_members(node, frame)
    counts, reasons = _count(chosen, frame), _reasons(why, frame)
    if node.op is Op.COUNT:
        return exact.of_rows(counts, exact.ONE, reasons)
    if node.op is Op.ANY:
        return Flag(counts > 0, reasons if reasons is None else _unless(counts > 0, reasons))
    open_rows = 0 if why is None else _count(why != 0, frame)
    denied = counts + open_rows < _count(frame.present, frame)
    reasons = reasons if reasons is None else _unless(denied, reasons)
    return _flag(~denied, reasons)


def _gather(node: Typed, frame: Frame) -> Col:
    """sum, max, min: of the value where the condition holds."""
    chosen, why = _chosen_members(node, frame)
    value = frame.spread(column_of(node.args[1], frame), node.args[1].level, Level.MEMBER)
    assert isinstance(value, Num | Code)
    if value.why is not None:
        asked = chosen if why is None else chosen | (why != 0)
        why = join_why(why, np.multiply(asked, value.why))
    reasons = _reasons(why, frame)
    if node.op is Op.SUM:
        assert isinstance(value, Num)
        return _sum(value, chosen, reasons, frame)
    nobody = _count(chosen, frame) == 0
    if bool(nobody.any()):
        reasons = np.where(nobody & (_or_zero(reasons) == 0), np.uint64(1 << NOBODY_BIT), _or_zero(reasons))
    return _member_extreme(value, chosen, nobody, reasons, node.op is Op.MAX_OF, frame)


def _sum(value: Num, chosen: Flags, reasons: Why, frame: Frame) -> Num:
    n = exact.select(chosen, exact.fitting(value.n), 0)
    sums = cast(Ints, exact.group_sums(n, value.top, frame.table.offsets))
    return exact.of_rows(sums, value.scale, reasons)


def _member_extreme(value: Num | Code, chosen: Flags, nobody: Flags, reasons: Why, larger: bool, frame: Frame) -> Col:
    n = exact.fitting(value.n) if isinstance(value, Num) else value.v
    idle = -exact.LIMIT if larger else exact.LIMIT
    candidates = exact.select(chosen, n, idle)
    found = cast(Ints, _reduce(np.maximum if larger else np.minimum, candidates, np.int64(idle), frame))
    found = exact.select(~nobody, found, 0)
    if isinstance(value, Num):
        return exact.of_rows(found, value.scale, reasons)
    return Code(found, reasons)


_OPERATIONS: dict[Op, Callable[[Typed, Frame], Col]] = {
    Op.CONST: _const,
    Op.FACT: _fact,
    Op.PARAM: _param,
    Op.VALUE: _value,
    Op.TODAY: lambda node, frame: Code(frame.today),
    Op.HEADS: _heads,
    Op.PRESENT: lambda node, frame: Flag(frame.present),
    Op.AGE: _age,
    Op.TABLE: _table,
    Op.RECODE: _recode,
    Op.ELSEWHERE: _elsewhere,
    Op.HELD: _held,
    Op.FITS: _fits,
    Op.NEG: _negative,
    Op.NOT: _not,
    Op.AND: _and,
    Op.OR: _or,
    Op.IN: _in,
    Op.IF: _if,
    Op.YEARS: _between,
    Op.MONTHS: _between,
    Op.DAYS: _days,
    Op.LATER_DAYS: _later,
    Op.LATER_MONTHS: _later,
    **dict.fromkeys(_COMPARE, _compare),
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.DIV), _arithmetic),
    **dict.fromkeys((Op.MIN, Op.MAX), _extreme),
    **dict.fromkeys((Op.ROUND, Op.FLOOR, Op.CEIL), _rounded),
    **dict.fromkeys((Op.COUNT, Op.ANY, Op.ALL), _tally),
    **dict.fromkeys((Op.SUM, Op.MAX_OF, Op.MIN_OF), _gather),
}
