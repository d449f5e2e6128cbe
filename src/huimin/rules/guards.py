"""Which divisors cannot be zero, from what the expression itself has already asked.

in    a divisor, the expressions known to be non-zero where it stands, a place to note parameters that must not be zero
out   True when the division is safe

A divisor is safe when it is a constant other than zero, a parameter (its value is checked when it is known), bounded
from below above zero (`max(1, 人口)`), or asked about beforehand: `if(人口 > 0, x / 人口, 0 元)`, `人口 > 0 and x / 人口 < y`.
"""

from fractions import Fraction

from huimin.rules.typed import Op, Sort, Typed

Guards = frozenset[tuple[object, ...]]
NONE: Guards = frozenset()


def is_nonzero(node: Typed, guards: Guards, nonzero_parameters: set[str]) -> bool:
    if node.op in (Op.PARAM, Op.TABLE):
        assert isinstance(node.payload, str)
        nonzero_parameters.add(node.payload)
        return True
    if node.op is Op.CONST:
        return node.payload != 0
    if node.op in (Op.MUL, Op.NEG):
        return node.key in guards or all(is_nonzero(arg, guards, nonzero_parameters) for arg in node.args)
    floor = lower_bound(node)
    return node.key in guards or (floor is not None and floor > 0)


def lower_bound(node: Typed) -> Fraction | None:
    """A number this never falls below, where one is evident."""
    if node.op is Op.CONST and isinstance(node.payload, Fraction):
        return node.payload
    if node.op in (Op.COUNT, Op.HEADS):
        return Fraction(0)
    bounds = [lower_bound(arg) for arg in node.args]
    known = [bound for bound in bounds if bound is not None]
    if node.op is Op.MAX and known:
        return max(known)
    if node.op in (Op.MIN, Op.ADD) and len(known) == len(bounds):
        return min(known) if node.op is Op.MIN else sum(known, Fraction(0))
    return None


def when_true(node: Typed) -> Guards:
    """What cannot be zero where `node` holds."""
    if node.op is Op.AND:
        return when_true(node.args[0]) | when_true(node.args[1])
    if node.op is Op.NOT:
        return when_false(node.args[0])
    return _from_comparison(node, _HOLDING)


def when_false(node: Typed) -> Guards:
    """What cannot be zero where `node` does not hold."""
    if node.op is Op.OR:
        return when_false(node.args[0]) | when_false(node.args[1])
    if node.op is Op.NOT:
        return when_true(node.args[0])
    return _from_comparison(node, _FAILING)


_MIRROR = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE}
_OPPOSITE = {Op.LT: Op.GE, Op.LE: Op.GT, Op.GT: Op.LE, Op.GE: Op.LT, Op.EQ: Op.NE, Op.NE: Op.EQ}
_HOLDING = {op: op for op in _MIRROR}
_FAILING = _OPPOSITE


def _from_comparison(node: Typed, reading: dict[Op, Op]) -> Guards:
    """`x > 0` read as it stands or as its opposite; the constant may stand on either side."""
    if node.op not in _MIRROR or node.args[0].type.sort is not Sort.NUMBER:
        return NONE
    op, (left, right) = reading[node.op], node.args
    if left.op is Op.CONST:
        op, left, right = _MIRROR[op], right, left
    if right.op is not Op.CONST or not isinstance(right.payload, Fraction):
        return NONE
    return frozenset({left.key}) if _excludes_zero(op, right.payload) else NONE


def _excludes_zero(op: Op, bound: Fraction) -> bool:
    zero_passes = {
        Op.LT: bound > 0,
        Op.LE: bound >= 0,
        Op.GT: bound < 0,
        Op.GE: bound <= 0,
        Op.EQ: bound == 0,
        Op.NE: bound != 0,
    }
    return not zero_passes[op]
