"""The checked tree: every name resolved, every unit known; what the engine and the reference both read.

A number's value is in base units (元, 亩, 岁 ...) as an exact rational. A date is days since 1970-01-01 and a choice is
its position in the list of choices, in both evaluators.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from fractions import Fraction

from huimin.rules.units import PLAIN, Unit

EPOCH_ORDINAL = 719_163  # date(1970, 1, 1).toordinal()
NOBODY_BIT = 63  # in a missing mask: max or min over nobody


class Sort(Enum):
    NUMBER = "数"
    DATE = "日期"
    FLAG = "是否"
    CHOICE = "选项"


@dataclass(frozen=True, slots=True)
class Type:
    """`unit` None: a bare number that takes the unit of its neighbour."""

    sort: Sort
    unit: Unit | None = None
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.sort is Sort.NUMBER:
            return f"数（{self.unit or PLAIN}）"
        return f"选项（{'、'.join(self.choices)}）" if self.choices else self.sort.value


FLAG = Type(Sort.FLAG)
DATE = Type(Sort.DATE)


class Level(IntEnum):
    """How many values there are: one, one per household, one per member."""

    CONST = 0
    HOUSEHOLD = 1
    MEMBER = 2


class Op(Enum):
    """What a node does. Payloads: CONST value · FACT code · PARAM, VALUE name · IN constants · ROUND.. step ·
    HELD, FITS programme code ·
    TABLE name · RECODE the new position of each choice ·
    ELSEWHERE code of the place's fact, name of the parameter."""

    CONST = "const"
    FACT = "fact"
    PARAM = "param"
    VALUE = "value"
    TODAY = "认定日期"
    HEADS = "人口"
    PRESENT = "在户"
    AGE = "年龄"
    NEG = "-x"
    NOT = "not"
    AND = "and"
    OR = "or"
    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "=="
    NE = "!="
    IN = "in"
    IF = "if"
    MIN = "min"
    MAX = "max"
    ROUND = "round"
    FLOOR = "floor"
    CEIL = "ceil"
    COUNT = "count"
    SUM = "sum"
    ANY = "any"
    ALL = "all"
    MAX_OF = "max of members"
    MIN_OF = "min of members"
    YEARS = "整年"
    MONTHS = "整月"
    DAYS = "date - date"
    LATER_DAYS = "date + days"
    LATER_MONTHS = "date + months"
    TABLE = "table"
    RECODE = "recode"
    ELSEWHERE = "所在地"
    HELD = "享受"
    FITS = "符合"

    __hash__ = (
        object.__hash__
    )  # one object each; Enum's own hash is Python, and is asked for at every step of an evaluation


Payload = Fraction | int | bool | str | tuple[Fraction, ...] | tuple[int, ...] | tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Typed:
    """One checked node. `ragged`: a number whose denominator may differ from row to row (after a division by facts)."""

    op: Op
    type: Type
    level: Level
    args: tuple["Typed", ...] = ()
    payload: Payload = None
    start: int = 0
    end: int = 0
    ragged: bool = False
    depth: int = 0
    """How many nodes lie on the longest way down, through named values; set by the checker."""

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for expressions that say the same, wherever they stand."""
        return (self.op, self.payload, *(arg.key for arg in self.args))


DEPTH_MAX = 100
"""Deeper trees are refused: every evaluator walks them by recursion."""

AGGREGATES = frozenset({Op.COUNT, Op.SUM, Op.ANY, Op.ALL, Op.MAX_OF, Op.MIN_OF})
COMPARISON_OPS = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE})


def all_nodes(roots: Iterable[Typed], values: Mapping[str, Typed]) -> Iterator[Typed]:
    """Every node of the trees, and of each named value they use, once."""
    pending, seen = list(roots), set[object]()
    while pending:
        node = pending.pop()
        yield node
        pending += node.args
        if node.op is Op.VALUE and node.payload not in seen:
            seen.add(node.payload)
            pending.append(values[str(node.payload)])


def depth_of(node: Typed) -> int:
    """`node.depth`, also of a node that was made within the checking of another one."""
    return node.depth or 1 + max((depth_of(arg) for arg in node.args), default=0)
