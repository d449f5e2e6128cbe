"""From words to a tree: the grammar of an expression.

in    a Source
out   the tree (`Node`), or one fault: where, what was found, what would be right

Binding from loose to tight: or · and · not · comparison, in · + - · * / · minus sign. Comparisons do not chain. A number
takes the unit words that follow it (`18.34 元/亩`, `15%`); which names exist and which units fit is the checker's matter.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from huimin.rules.faults import FaultFound, Source, nearest
from huimin.rules.tokens import Kind, Token, tokenize
from huimin.rules.units import BASES, COUNTS, UNIT_WORDS, Unit, unit_of_words

DEPTH_MAX = 60
DIGITS_MAX, DECIMALS_MAX = 15, 12
CODE_CALLS = ("享受", "符合")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_POWER = {"or": 1, "and": 2, "in": 4, "not in": 4, "+": 5, "-": 5, "*": 6, "/": 6} | dict.fromkeys(COMPARISONS, 4)
_NOT_POWER, _MINUS_POWER = 3, 7


@dataclass(frozen=True, slots=True)
class Node:
    """What all nodes have: the stretch of text they stand for."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """`unit` None is a bare number; the value is already in base units (万元 → 元)."""

    value: Fraction
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class Day(Node):
    value: date


@dataclass(frozen=True, slots=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    text: str


@dataclass(frozen=True, slots=True)
class Prefix(Node):
    """`sign` is "not" or "-"."""

    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Infix(Node):
    sign: str
    sign_at: int
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Within(Node):
    """x in (a, b) and x not in (a, b)."""

    operand: Node
    items: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Call(Node):
    name: str
    arguments: tuple[Node, ...]


def parse(source: Source) -> Node:
    """The tree of one whole expression. Raises FaultFound."""
    if not source.text.strip():
        raise FaultFound(source, 0, "这里没有算式", "请写一个算式，例如 家庭人均月收入 < 低保标准")
    parser = _Parser(source)
    node = parser.expression(0)
    parser.expect_end()
    return node


class _Parser:
    """A Pratt parser over the tokens of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += token.kind is not Kind.END
        return token

    def fault(self, token: Token, wanted: str) -> FaultFound:
        found = f"写的是“{self.source.text[token.start : token.end]}”" if token.kind is not Kind.END else "算式到此为止"
        remedy = "请检查括号和运算符号是否齐全"
        if self.groups_digits(token):
            remedy = "数里不写分节的逗号，例如 10000 元"
        return FaultFound(self.source, token.start, f"这里应当是{wanted}，{found}", remedy)

    def groups_digits(self, token: Token) -> bool:
        """The comma of `1,000`."""
        after = self.tokens[min(self.tokens.index(token) + 1, len(self.tokens) - 1)]
        return token.text == "," and after.kind is Kind.NUMBER and after.start == token.end and len(after.text) == 3

    def expect(self, sign: str) -> Token:
        if self.token.kind is Kind.SIGN and self.token.text == sign:
            return self.take()
        raise self.fault(self.token, f"“{sign}”")

    def expect_end(self) -> None:
        if self.token.kind is not Kind.END:
            raise self.fault(self.token, "运算符号或结尾")

    def expression(self, power: int) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise FaultFound(self.source, self.token.start, f"括号套得超过 {DEPTH_MAX} 层", "请拆成几个有名称的数值")
        left = self.operand()
        while (sign := self.infix_sign()) and _POWER[sign] > power:
            left = self.infix(left, sign)
        self.depth -= 1
        return left

    def infix_sign(self) -> str:
        """The infix sign that stands here, "not in" seen as one; "" when there is none."""
        if self.token.kind is not Kind.SIGN:
            return ""
        if self.token.text == "not" and self.tokens[self.at + 1].text == "in":
            return "not in"
        return self.token.text if self.token.text in _POWER else ""

    def infix(self, left: Node, sign: str) -> Node:
        sign_token = self.take()
        if sign in ("in", "not in"):
            self.at += sign_token.text == "not"
            return self.within(left, sign == "not in")
        right = self.expression(_POWER[sign])
        if sign in COMPARISONS and self.infix_sign() in COMPARISONS:
            raise FaultFound(self.source, self.token.start, "比较不能连写", "请写成 下限 <= 数值 and 数值 <= 上限")
        return Infix(left.start, right.end, sign, sign_token.start, left, right)

    def within(self, operand: Node, negated: bool) -> Node:
        self.expect("(")
        items, closing = self.list_until_bracket()
        if not items:
            raise self.fault(closing, "至少一个选项")
        return Within(operand.start, closing.end, operand, items, negated)

    def list_until_bracket(self) -> tuple[tuple[Node, ...], Token]:
        items: list[Node] = []
        while not (self.token.kind is Kind.SIGN and self.token.text == ")"):
            if items:
                self.expect(",")
            items.append(self.expression(0))
        return tuple(items), self.take()

    def operand(self) -> Node:
        token = self.take()
        if token.kind is Kind.NUMBER:
            return self.number(token)
        if token.kind is Kind.DATE:
            return Day(token.start, token.end, self.day(token))
        if token.kind is Kind.TEXT:
            return Text(token.start, token.end, token.text[1:-1])
        if token.kind is Kind.WORD:
            return self.name_or_call(token)
        if token.kind is Kind.SIGN and token.text in ("not", "-", "("):
            return self.prefixed(token)
        raise self.fault(token, "名称、数或左括号")

    def prefixed(self, token: Token) -> Node:
        if token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        operand = self.expression(_NOT_POWER if token.text == "not" else _MINUS_POWER)
        return Prefix(token.start, operand.end, token.text, operand)

    def name_or_call(self, token: Token) -> Node:
        if not (self.token.kind is Kind.SIGN and self.token.text == "("):
            return Name(token.start, token.end, token.text)
        self.take()
        if token.text in CODE_CALLS:
            return self.call_with_code(token)
        arguments, closing = self.list_until_bracket()
        return Call(token.start, closing.end, token.text, arguments)

    def call_with_code(self, name: Token) -> Node:
        """享受(dibao-rural): what stands between the brackets is a code as it is, with or without quotation marks."""
        first = self.token
        while not (self.token.kind is Kind.END or self.token.text in ("(", ")", ",")):
            self.take()
        start, end = first.start, self.token.start
        closing = self.expect(")")
        code = self.source.text[start:end].strip().strip("\"'“”‘’＂＇").replace("－", "-").strip()
        return Call(name.start, closing.end, name.text, (Text(start, end, code),))

    def day(self, token: Token) -> date:
        digits = token.text.replace("年", "-").replace("月", "-").replace("日", "").split("-")
        try:
            return date(*(int(part) for part in digits))
        except ValueError:
            message = f"没有“{token.text}”这一天"
            raise FaultFound(
                self.source, token.start, message, "日期写成 2026-06-30，月 1–12，日不超过当月天数"
            ) from None

    def number(self, token: Token) -> Node:
        value = self.number_value(token)
        if self.token.text == "%" and self.token.kind is Kind.SIGN:
            return Number(token.start, self.take().end, value / 100, None)
        words: list[str] = []
        end = token.end
        while self.unit_follows(first=not words):
            self.at += bool(words)
            unit_token = self.take()
            words.append(unit_token.text)
            end = unit_token.end
        if not words and self.token.kind is Kind.WORD:
            raise self.no_unit(self.token)
        if not words:
            return Number(token.start, end, value, None)
        unit, factor = unit_of_words(words)
        return Number(token.start, end, value * factor, unit)

    def no_unit(self, token: Token) -> FaultFound:
        known = f"可写的有：{'、'.join([*BASES, *COUNTS])}"
        return FaultFound(
            self.source, token.start, f"“{token.text}”不是计量单位", nearest(token.text, sorted(UNIT_WORDS)) or known
        )

    def number_value(self, token: Token) -> Fraction:
        whole, _, decimals = token.text.partition(".")
        if len(whole.lstrip("0")) > DIGITS_MAX:
            raise FaultFound(
                self.source,
                token.start,
                f"数 {token.text[:20]}… 过大",
                f"整数部分至多 {DIGITS_MAX} 位，请检查有无多写的零",
            )
        if len(decimals) > DECIMALS_MAX:
            raise FaultFound(self.source, token.start, f"数 {token.text[:20]}… 小数太长", f"小数至多 {DECIMALS_MAX} 位")
        return Fraction(token.text)

    def unit_follows(self, *, first: bool) -> bool:
        """A unit word right after the number, or "/" and a unit word after a unit."""
        token = self.token
        if not first:
            if not (token.kind is Kind.SIGN and token.text == "/"):
                return False
            token = self.tokens[self.at + 1]
        return token.kind is Kind.WORD and token.text in UNIT_WORDS
