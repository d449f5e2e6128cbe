"""Expressions of the policy language in the office's words, for people who do not read formulas (POL-01, POL-05).

in    an expression as written, names of other programmes
out   a phrase; the expression itself where this module does not know how to say it

`家庭人均月收入 < 低保标准` → `家庭人均月收入低于低保标准`. Nothing is computed or checked: the rules room does that.
"""

import re
from collections.abc import Mapping

from huimin.rules import syntax
from huimin.rules.faults import FaultFound, Source
from huimin.rules.vocabulary import FUNCTIONS, MEMBERS

_COMPARED = {"<": "低于", "<=": "不超过", ">": "高于", ">=": "不低于", "==": "是", "!=": "不是"}
_ARITHMETIC = {"+": " + ", "-": " − ", "*": " × ", "/": " ÷ "}
_POWER = {"+": 5, "-": 5, "*": 6, "/": 6}
_ROUNDED = {"round": "四舍五入", "floor": "舍去尾数", "ceil": "进一"}
_PER = {"年": "每年", "半年": "每半年", "季": "每季", "月": "每月"}
_NAME = re.compile(r"[^\W\d]\w*")


class _Unsaid(Exception):
    """There is no phrase for this."""


def in_words(expression: str, programmes: Mapping[str, str] | None = None) -> str:
    """The expression as a phrase; as written when it cannot be said."""
    try:
        return _Speaker(expression, programmes or {}).say(syntax.parse(Source.plain(expression)))
    except (_Unsaid, FaultFound, RecursionError):
        return " ".join(expression.split())


def names_in(expression: str) -> set[str]:
    """Every word of an expression that could be a name."""
    return set(_NAME.findall(expression))


class _Speaker:
    def __init__(self, text: str, programmes: Mapping[str, str]) -> None:
        self.text = text
        self.programmes = programmes

    def say(self, node: syntax.Node) -> str:
        match node:
            case syntax.Number():
                return self.text[node.start : node.end].strip()
            case syntax.Day():
                return node.value.isoformat()
            case syntax.Text():
                return f"“{node.value}”"
            case syntax.Name():
                return node.text
            case syntax.Prefix():
                return self.prefixed(node)
            case syntax.Infix():
                return self.joined(node)
            case syntax.Within():
                return self.within(node)
            case syntax.Call():
                return self.called(node)
        raise _Unsaid

    def prefixed(self, node: syntax.Prefix) -> str:
        if node.sign == "-":
            return f"−{self.operand(node.operand, '*')}"
        match node.operand:
            case syntax.Call(name=name, arguments=(syntax.Name(text=over), *rest)) if over == MEMBERS:
                if FUNCTIONS.get(name) == "any":
                    return f"家中没有人{self.member_clause(rest)}"
            case syntax.Name(text=text):
                return f"没有“{text}”的情形"
            case syntax.Call(name="享受", arguments=(syntax.Text(value=code),)):
                return f"没有享受{self.programme(code)}"
            case syntax.Call(name="符合", arguments=(syntax.Text(value=code),)):
                return f"不符合{self.programme(code)}的条件"
        return f"不属于（{self.say(node.operand)}）"

    def joined(self, node: syntax.Infix) -> str:
        if node.sign in ("and", "or"):
            word = "，并且" if node.sign == "and" else "，或者"
            return word.join(self.clause(part, node.sign) for part in (node.left, node.right))
        if node.sign in _COMPARED:
            return self.compared(node)
        if node.sign in _ARITHMETIC:
            return _ARITHMETIC[node.sign].join(
                [self.operand(node.left, node.sign), self.operand(node.right, node.sign, right=True)]
            )
        raise _Unsaid

    def clause(self, node: syntax.Node, outer: str) -> str:
        told = self.say(node)
        return (
            f"（{told}）"
            if isinstance(node, syntax.Infix) and node.sign in ("and", "or") and node.sign != outer
            else told
        )

    def compared(self, node: syntax.Infix) -> str:
        left, right = self.say(node.left), self.say(node.right)
        word = _COMPARED[node.sign]
        if isinstance(node.right, syntax.Number) and node.right.value == 0:
            zero = {"==": f"{left}为零", "!=": f"{left}不为零", ">": f"{left}大于零", "<=": f"{left}不大于零"}
            return zero.get(node.sign, f"{left}{word}零")
        if _is_day(node.left) or _is_day(node.right):
            word = {"<": "早于", "<=": "不晚于", ">": "晚于", ">=": "不早于"}.get(node.sign, word)
        if isinstance(node.left, syntax.Name) and node.left.text == "年龄" and node.sign in (">=", "<"):
            return f"年满 {right}" if node.sign == ">=" else f"未满 {right}"
        if isinstance(node.right, syntax.Number):
            return f"{left}{word} {right}"
        return f"{left}{word}{right}"

    def operand(self, node: syntax.Node, outer: str, *, right: bool = False) -> str:
        told = self.say(node)
        inner = _POWER.get(node.sign, 9) if isinstance(node, syntax.Infix) else 9
        loose = inner < _POWER[outer] or (right and inner == _POWER[outer] and outer in "-/")
        return f"（{told}）" if loose or (isinstance(node, syntax.Infix) and node.sign not in _ARITHMETIC) else told

    def within(self, node: syntax.Within) -> str:
        items = "、".join(self.say(item) for item in node.items)
        return f"{self.say(node.operand)}{'不是' if node.negated else '是'}{items}{'' if len(node.items) == 1 else '之一' if not node.negated else '中的任何一种'}"

    def called(self, node: syntax.Call) -> str:
        known = FUNCTIONS.get(node.name, "")
        match node.arguments:
            case (syntax.Name(text=over), *rest) if over == MEMBERS:
                return self.over_members(known, rest)
            case (syntax.Text(value=code),) if known in ("held", "fits"):
                return f"正在享受{self.programme(code)}" if known == "held" else f"符合{self.programme(code)}的条件"
        told = [self.say(argument) for argument in node.arguments]
        if known == "if" and len(told) == 3:
            return f"（{told[0]}的，按{told[1]}；否则按 {told[2]}）"
        if known in ("min", "max") and len(told) == 2:
            return self.extreme(known, node.arguments, told)
        if known in _ROUNDED and len(told) == 2:
            return f"（{told[0]}，{_ROUNDED[known]}到 {told[1]}）"
        if known in ("years", "months") and len(told) == 2:
            return f"从{told[0]}到{told[1]}的满{'年' if known == 'years' else '月'}数"
        if known in _PER and len(told) == 1:
            return (
                f"{_PER[known]}的{told[0]}"
                if isinstance(node.arguments[0], syntax.Name)
                else f"（{told[0]}）折合{_PER[known]}"
            )
        if not known and len(told) == 1:
            return f"按{told[0]}对应的{node.name}"
        raise _Unsaid

    def extreme(self, known: str, arguments: tuple[syntax.Node, ...], told: list[str]) -> str:
        zeros = [isinstance(each, syntax.Number) and each.value == 0 for each in arguments]
        if known == "max" and any(zeros):
            return f"（{told[1 - zeros.index(True)]}，不足零的按零计）"
        least, most = ("早", "晚") if any(map(_is_day, arguments)) else ("小", "大")
        return f"（{told[0]} 与 {told[1]} 中较{least if known == 'min' else most}的）"

    def over_members(self, known: str, rest: list[syntax.Node]) -> str:
        if known == "any":
            return f"家中有人{self.member_clause(rest)}"
        if known == "all":
            return f"家中每个人都{self.member_clause(rest)}"
        if known == "count":
            return f"{self.who(rest)}人数" if rest else "成员人数"
        if known in ("sum", "max", "min") and rest:
            of = self.say(rest[0])
            who = self.who(rest[1:]) if rest[1:] else "各成员"
            return {"sum": f"{who}（{of}）之和", "max": f"{who}中最大的{of}", "min": f"{who}中最小的{of}"}[known]
        raise _Unsaid

    def member_clause(self, rest: list[syntax.Node]) -> str:
        if len(rest) != 1:
            raise _Unsaid
        told = self.say(rest[0])
        return f"符合“{told}”" if isinstance(rest[0], syntax.Infix) and rest[0].sign in ("and", "or") else told

    def who(self, rest: list[syntax.Node]) -> str:
        if len(rest) != 1:
            raise _Unsaid
        return f"符合“{self.say(rest[0])}”的成员"

    def programme(self, code: str) -> str:
        return self.programmes.get(code, code)


def _is_day(node: syntax.Node) -> bool:
    """Names of days end in 日 or 日期: what is before another is 早于, not 低于."""
    return isinstance(node, syntax.Day) or (isinstance(node, syntax.Name) and node.text.endswith(("日", "日期")))
