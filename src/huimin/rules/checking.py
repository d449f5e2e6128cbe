"""Types and units, before any household is looked at.

in    trees, a Vocabulary
out   typed trees with every name resolved; the parameters that must not be zero; or one fault per expression

Always true of a typed tree: the engine and the reference can evaluate it for every household without meeting a wrong
type, an unlike unit, an unknown name, a cycle of names, or a division by an unguarded zero.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from huimin.kernel.facts import Fact
from huimin.kernel.facts import Kind as FactKind
from huimin.rules import guards, syntax
from huimin.rules.calls import CallChecks
from huimin.rules.faults import AlreadyTold, FaultFound, Source, nearest
from huimin.rules.guards import Guards
from huimin.rules.typed import DATE, DEPTH_MAX, EPOCH_ORDINAL, FLAG, Level, Op, Sort, Type, Typed, depth_of
from huimin.rules.units import PLAIN, Unit, divide, multiply
from huimin.rules.vocabulary import DERIVED, MEMBERS, Definition, Vocabulary, fact_level, fact_type

_COMPARE = {"<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE, "==": Op.EQ, "!=": Op.NE}


@dataclass
class Checker:
    """Checks the expressions of one programme; named values are checked once, when first met.

    `gather` receives the fault of a named value that another expression rests on.
    """

    vocabulary: Vocabulary
    gather: Callable[[FaultFound], None]
    values: dict[str, Typed | None] = field(default_factory=dict)
    nonzero_parameters: set[str] = field(default_factory=set)
    table_floors: dict[str, Fraction | None] = field(default_factory=dict)
    level: int = 0
    open_names: list[str] = field(default_factory=list)

    def expression(self, source: Source, *, members: bool) -> Typed:
        """One condition or amount. `members`: may it speak of one person? Raises FaultFound or AlreadyTold."""
        before = self.level
        try:
            return Expression(self, source, members).check(syntax.parse(source), guards.NONE)
        finally:
            self.level = before

    def value(self, name: str) -> Typed:
        """The checked tree of a named value; its fault goes to `gather` the first time, AlreadyTold afterwards."""
        if name not in self.values:
            self.values[name] = self._check_value(self.vocabulary.values[name])
        found = self.values[name]
        if found is None:
            raise AlreadyTold
        return found

    def _check_value(self, definition: Definition) -> Typed | None:
        self.open_names.append(definition.name)
        try:
            return self.expression(definition.source, members=True)
        except FaultFound as found:
            self.gather(found)
        except AlreadyTold:
            pass
        finally:
            self.open_names.pop()
        return None


@dataclass
class Expression(CallChecks):
    """The checking of one expression. `members`: a member's facts may be named here."""

    checker: Checker
    source: Source
    members: bool

    def check(self, node: syntax.Node, known: Guards) -> Typed:
        self.checker.level += 1
        if self.checker.level > DEPTH_MAX:
            raise self.too_deep(node)
        typed = self._dispatch(node, known)
        self.checker.level -= 1
        depth = 1 + max((depth_of(arg) for arg in typed.args), default=typed.depth)
        if depth > DEPTH_MAX:
            raise self.too_deep(node)
        return replace(typed, start=node.start, end=node.end, depth=depth)

    def too_deep(self, node: syntax.Node) -> FaultFound:
        what = f"连同引用的数值，算式连写或套了超过 {DEPTH_MAX} 层"
        return self.fault(node, what, "请拆成几个并列的数值，或改用 min、max、sum、in 并写")

    def _dispatch(self, node: syntax.Node, known: Guards) -> Typed:
        match node:
            case syntax.Number():
                return Typed(Op.CONST, Type(Sort.NUMBER, node.unit), Level.CONST, payload=node.value)
            case syntax.Day():
                days = node.value.toordinal() - EPOCH_ORDINAL
                return Typed(Op.CONST, DATE, Level.CONST, payload=days)
            case syntax.Text():
                return Typed(Op.CONST, Type(Sort.CHOICE, None, (node.value,)), Level.CONST, payload=0)
            case syntax.Name():
                return self.name(node)
            case syntax.Prefix():
                return self.prefix(node, known)
            case syntax.Within():
                return self.within(node, known)
            case syntax.Call():
                return self.call(node, known)
            case syntax.Infix():
                return self.infix(node, known)
        raise AssertionError(node)

    def fault(self, node: syntax.Node, what: str, remedy: str = "") -> FaultFound:
        return FaultFound(self.source, node.start, what, remedy)

    def about_members(self) -> "Expression":
        """The same text, where each member's facts may be named."""
        return replace(self, members=True)

    # -- names

    def name(self, node: syntax.Name) -> Typed:
        vocabulary = self.checker.vocabulary
        if node.text in vocabulary.values:
            return self.value_name(node)
        if node.text in vocabulary.parameters:
            return Typed(Op.PARAM, vocabulary.parameters[node.text], Level.CONST, payload=node.text)
        if node.text in vocabulary.tables:
            raise self.fault(node, f"“{node.text}”是表，要写明按什么查", f"例如 {node.text}(年龄)")
        if node.text in DERIVED:
            op, kind, level = DERIVED[node.text]
            return self.of_level(node, Typed(op, kind, level), node.text)
        if node.text in vocabulary.facts:
            return self.fact_name(node)
        if node.text == MEMBERS:
            raise self.fault(
                node, "“成员”只能写在 count、sum、any、all、max、min 的开头", "例如 count(成员, 年龄 >= 70)"
            )
        near = nearest(node.text, vocabulary.words(members=self.members))
        raise self.fault(node, f"不认识的名称“{node.text}”", near or "请用事实目录、参数或数值里已有的名称")

    def fact_name(self, node: syntax.Name) -> Typed:
        fact = self.checker.vocabulary.facts[node.text]
        kind = fact_type(fact)
        if fact.kind is FactKind.PLACE:
            raise self.fault(
                node, f"“{node.text}”是区划，不能参加计算", f"可以按它查参数：所在地({node.text}, 某个参数)"
            )
        if kind is None:
            raise self.fault(node, f"“{node.text}”是文字，不能参加计算", "请改用选项、是否、数或日期类的事实")
        if fact.code in ("death_date", "moved_out_date"):
            raise self.fault(node, f"“{node.text}”不直接用于算式", "请用“在户”，它表示认定日期在世且未迁出")
        return self.of_level(node, Typed(Op.FACT, kind, fact_level(fact), payload=fact.code), node.text)

    def value_name(self, node: syntax.Name) -> Typed:
        path = self.checker.open_names
        if node.text in path:
            loop = " → ".join([*path[path.index(node.text) :], node.text])
            raise self.fault(node, f"名称互相引用成了圈：{loop}", "请让其中一个不再引用另一个")
        definition = self.checker.value(node.text)
        found = Typed(Op.VALUE, definition.type, definition.level, payload=node.text, ragged=definition.ragged)
        found = replace(found, depth=definition.depth)
        return self.of_level(node, found, node.text)

    def of_level(self, node: syntax.Node, typed: Typed, word: str) -> Typed:
        if typed.level is Level.MEMBER and not self.members:
            what = f"“{word}”是成员的事实，这里说的是整户"
            sum_of = "" if typed.type.sort is Sort.FLAG else f" 或 sum(成员, {word})"
            raise self.fault(node, what, f"请写明是哪些成员，例如 any(成员, …{word}…){sum_of}")
        return typed

    def programmes(self) -> Mapping[str, str]:
        return self.checker.vocabulary.programmes

    def tables(self) -> Mapping[str, tuple[Type, Type]]:
        return self.checker.vocabulary.tables

    def table_floor(self, name: str, floor: Fraction | None) -> None:
        """The lowest number a table is asked about; None when that is not evident."""
        floors = self.checker.table_floors
        before = floors.get(name, floor)
        floors[name] = None if before is None or floor is None else min(before, floor)

    def is_word(self, name: str) -> bool:
        return name in self.checker.vocabulary.words(members=True)

    def place_fact(self, name: str) -> Fact | None:
        """The fact of this name, if it is a place."""
        fact = self.checker.vocabulary.facts.get(name)
        return fact if fact and fact.kind is FactKind.PLACE else None

    def scalar_parameter(self, name: str) -> Type | None:
        return self.checker.vocabulary.parameters.get(name)

    def own_code(self) -> str:
        return self.checker.vocabulary.own

    # -- signs

    def prefix(self, node: syntax.Prefix, known: Guards) -> Typed:
        operand = self.check(node.operand, known)
        if node.sign == "not":
            self.want(node.operand, operand, Sort.FLAG)
            return Typed(Op.NOT, FLAG, operand.level, (operand,))
        self.want(node.operand, operand, Sort.NUMBER)
        return Typed(Op.NEG, operand.type, operand.level, (operand,), ragged=operand.ragged)

    def want(self, node: syntax.Node, typed: Typed, sort: Sort) -> None:
        if typed.type.sort is not sort:
            raise self.fault(node, f"这里应当是{_WANTED[sort]}，写的是{typed.type}", _HINTS[sort])

    def infix(self, node: syntax.Infix, known: Guards) -> Typed:
        if node.sign in ("and", "or"):
            return self.logic(node, known)
        if node.sign in _COMPARE:
            return self.comparison(node, known)
        left, right = self.check(node.left, known), self.check(node.right, known)
        if Sort.DATE in (left.type.sort, right.type.sort):
            return self.date_sum(node, left, right)
        self.want(node.left, left, Sort.NUMBER)
        self.want(node.right, right, Sort.NUMBER)
        level, ragged = max(left.level, right.level), left.ragged or right.ragged
        if node.sign in "+-":
            left, right = self.same_unit(node, left, right)
            op = Op.ADD if node.sign == "+" else Op.SUB
            return Typed(op, left.type, level, (left, right), ragged=ragged)
        if node.sign == "/":
            return self.division(node, left, right, known)
        return Typed(Op.MUL, self.scaled(node, left, right, multiply), level, (left, right), ragged=ragged)

    def logic(self, node: syntax.Infix, known: Guards) -> Typed:
        left = self.check(node.left, known)
        self.want(node.left, left, Sort.FLAG)
        learnt = guards.when_true(left) if node.sign == "and" else guards.when_false(left)
        right = self.check(node.right, known | learnt)
        self.want(node.right, right, Sort.FLAG)
        op = Op.AND if node.sign == "and" else Op.OR
        return Typed(op, FLAG, max(left.level, right.level), (left, right))

    def division(self, node: syntax.Infix, left: Typed, right: Typed, known: Guards) -> Typed:
        if not guards.is_nonzero(right, known, self.checker.nonzero_parameters):
            divisor = self.source.text[node.right.start : node.right.end]
            whole = _balanced(self.source.text, node.start, node.end)
            raise self.fault(node.right, f"除数“{divisor}”可能为零", f"请先判断，例如 if({divisor} > 0, {whole}, 0)")
        ragged = left.ragged or right.ragged or right.level > Level.CONST
        kind = self.scaled(node, left, right, divide)
        return Typed(Op.DIV, kind, max(left.level, right.level), (left, right), ragged=ragged)

    def scaled(self, node: syntax.Infix, left: Typed, right: Typed, combine: Callable[[Unit, Unit], Unit]) -> Type:
        if left.type.unit is None and right.type.unit is None:
            return Type(Sort.NUMBER)
        unit = combine(left.type.unit or PLAIN, right.type.unit or PLAIN)
        if unit.mixes_periods:
            message = f"{left.type} 与 {right.type} 的期间不同，不能直接{'乘' if node.sign == '*' else '除'}"
            raise FaultFound(
                self.source, node.sign_at, message, "请先用 按月()、按季()、按半年() 或 按年() 换成同一期间"
            )
        return Type(Sort.NUMBER, unit)

    def comparison(self, node: syntax.Infix, known: Guards) -> Typed:
        left, right = self.comparable(node, known)
        if left.type.sort in (Sort.FLAG, Sort.CHOICE) and node.sign not in ("==", "!="):
            raise self.fault(node.left, f"{left.type} 没有大小之分", "请用 = 、!= 或 in")
        return Typed(_COMPARE[node.sign], FLAG, max(left.level, right.level), (left, right))

    def comparable(self, node: syntax.Infix, known: Guards) -> tuple[Typed, Typed]:
        if isinstance(node.right, syntax.Text):
            left = self.check(node.left, known)
            return left, self.choice(node.right, left)
        if isinstance(node.left, syntax.Text):
            right = self.check(node.right, known)
            return self.choice(node.left, right), right
        return self.alike(node, self.check(node.left, known), self.check(node.right, known))

    def alike(self, node: syntax.Infix, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        if left.type.sort is Sort.NUMBER and right.type.sort is Sort.NUMBER:
            return self.same_unit(node, left, right)
        if left.type != right.type:
            remedy = _HINTS[Sort.DATE] if Sort.DATE in (left.type.sort, right.type.sort) else "请比较同类的内容"
            raise FaultFound(self.source, node.sign_at, f"{left.type} 不能与 {right.type} 比较", remedy)
        return left, right

    def same_unit(self, node: syntax.Infix, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        try:
            unit = self.common_unit([left, right])
        except ValueError as unlike:
            verb = {"+": "相加", "-": "相减"}.get(node.sign, "比较")
            what = f"{left.type} 与 {right.type} 单位不同，不能{verb}"
            raise FaultFound(self.source, node.sign_at, what, str(unlike)) from None
        return _in_unit(left, unit), _in_unit(right, unit)

    def common_unit(self, parts: list[Typed]) -> Unit | None:
        """The unit all parts agree on; ValueError says in Chinese how to mend it."""
        units = {part.type.unit for part in parts if part.type.unit is not None and not _is_zero(part)}
        if len(units) > 1:
            raise ValueError(_unit_hint(*sorted(units, key=str)[:2]))
        if not units:
            return None
        unit = units.pop()
        if not unit.fits_bare and any(part.type.unit is None and not _is_zero(part) for part in parts):
            raise ValueError(f"请给数写上单位，例如 100 {unit}")
        return unit

    # -- choices

    def within(self, node: syntax.Within, known: Guards) -> Typed:
        operand = self.check(node.operand, known)
        constants = tuple(self.within_item(item, operand) for item in node.items)
        found = Typed(Op.IN, FLAG, operand.level, (operand,), payload=constants, start=node.start, end=node.end)
        return Typed(Op.NOT, FLAG, operand.level, (found,)) if node.negated else found

    def within_item(self, item: syntax.Node, operand: Typed) -> Fraction:
        """The constant an item stands for; choices and dates as their whole numbers."""
        if isinstance(item, syntax.Text):
            payload = self.choice(item, operand).payload
            assert isinstance(payload, int)
            return Fraction(payload)
        typed = self.check(item, guards.NONE)
        if typed.op is not Op.CONST or typed.type.sort is not operand.type.sort or typed.type.sort is Sort.FLAG:
            raise self.fault(
                item, f"in 后面的选项须是写明的{operand.type}", '例如 残疾等级 in (1, 2)、与户主关系 in ("子", "女")'
            )
        if typed.type.sort is Sort.NUMBER:
            try:
                self.common_unit([operand, typed])
            except ValueError as unlike:
                raise self.fault(item, f"{operand.type} 与 {typed.type} 单位不同", str(unlike)) from None
        assert isinstance(typed.payload, Fraction | int)
        return Fraction(typed.payload)

    def choice(self, node: syntax.Text, other: Typed) -> Typed:
        if other.type.sort is not Sort.CHOICE:
            raise self.fault(node, f"文字“{node.value}”不能与{other.type}比较", "文字只能与选项类的事实比较")
        choices = other.type.choices
        if node.value not in choices:
            near = nearest(node.value, choices) or f"可选的是：{'、'.join(choices)}"
            raise self.fault(node, f"没有“{node.value}”这个选项", near)
        kind = other.type
        return Typed(Op.CONST, kind, Level.CONST, payload=choices.index(node.value), start=node.start, end=node.end)


_WANTED = {Sort.FLAG: "条件（是或否）", Sort.NUMBER: "数", Sort.DATE: "日期", Sort.CHOICE: "选项"}
_HINTS = {
    Sort.FLAG: "条件要能回答是或否，例如 年龄 >= 70",
    Sort.NUMBER: "请改成数，或用 count、sum、if 算出数来",
    Sort.DATE: "日期写成 2026-06-30",
    Sort.CHOICE: '选项写成带引号的文字，例如 "农业"',
}


def _is_zero(typed: Typed) -> bool:
    return typed.op is Op.CONST and typed.payload == 0 and typed.type.unit is None


def _in_unit(typed: Typed, unit: Unit | None) -> Typed:
    return replace(typed, type=Type(Sort.NUMBER, unit))


def _unit_hint(left: Unit, right: Unit) -> str:
    period, other = left.flow_period(), right.flow_period()
    if period and other and period != other and left.with_period(other) == right:
        return f"请用 按{other}() 或 按{period}() 换成同一期间"
    return "请检查是否写错名称，或先乘、除以换算的数值"


def _balanced(text: str, start: int, end: int) -> str:
    """A stretch of an expression with the brackets that open before it: a tree begins within its own."""
    while start and _closings(text[start:end]) > 0:
        start -= 1
    return text[start:end].strip()


def _closings(text: str) -> int:
    """How many brackets close that were not opened."""
    return sum(text.count(sign) for sign in ")）") - sum(text.count(sign) for sign in "(（")
