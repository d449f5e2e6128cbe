"""The checking of functions, aggregates over 成员 and sums of dates: the second half of `checking.Expression`.

Aggregates look at the living, resident members of the household. Inside one, a member's fact is that member's; also in
a policy about persons, where outside an aggregate it is the fact of the person in question.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from huimin.kernel.facts import Fact
from huimin.rules import guards, syntax
from huimin.rules.faults import FaultFound, Source, nearest
from huimin.rules.guards import Guards
from huimin.rules.typed import DATE, FLAG, Level, Op, Sort, Type, Typed
from huimin.rules.units import MONTHS_IN, PERIODS, Unit, base_unit
from huimin.rules.vocabulary import FUNCTION_EXAMPLES, FUNCTIONS, MEMBERS, PERSON_COUNT, WORKPLACE, fact_level

_AGGREGATE = {"count": Op.COUNT, "any": Op.ANY, "all": Op.ALL, "sum": Op.SUM, "max": Op.MAX_OF, "min": Op.MIN_OF}
_ROUNDING = {"round": Op.ROUND, "floor": Op.FLOOR, "ceil": Op.CEIL}


class CallChecks(ABC):
    """The half of `checking.Expression` that knows functions; the other half gives it these."""

    source: Source

    @abstractmethod
    def check(self, node: syntax.Node, known: Guards) -> Typed: ...

    @abstractmethod
    def want(self, node: syntax.Node, typed: Typed, sort: Sort) -> None: ...

    @abstractmethod
    def fault(self, node: syntax.Node, what: str, remedy: str = "") -> FaultFound: ...

    @abstractmethod
    def common_unit(self, parts: list[Typed]) -> Unit | None: ...

    @abstractmethod
    def programmes(self) -> Mapping[str, str]: ...

    @abstractmethod
    def tables(self) -> Mapping[str, tuple[Type, Type]]: ...

    @abstractmethod
    def table_floor(self, name: str, floor: Fraction | None) -> None: ...

    @abstractmethod
    def is_word(self, name: str) -> bool: ...

    @abstractmethod
    def place_fact(self, name: str) -> Fact | None: ...

    @abstractmethod
    def scalar_parameter(self, name: str) -> Type | None: ...

    @abstractmethod
    def own_code(self) -> str: ...

    @abstractmethod
    def of_level(self, node: syntax.Node, typed: Typed, word: str) -> Typed: ...

    @abstractmethod
    def about_members(self) -> "CallChecks": ...

    def call(self, node: syntax.Call, known: Guards) -> Typed:
        if node.name in self.tables():
            return self.looked_up(node, known)
        name = FUNCTIONS.get(node.name)
        if name is None and self.is_word(node.name):
            raise self.fault(node, f"“{node.name}”不是函数，也不是表", "不用写括号；要分档的参数请写明 按: 和 档:")
        if name is None:
            near = nearest(node.name, [*FUNCTIONS, *self.tables()]) or f"可用的有 {'、'.join(sorted(set(FUNCTIONS)))}"
            raise self.fault(node, f"没有“{node.name}”这个函数", near)
        first = node.arguments[0] if node.arguments else None
        over_members = isinstance(first, syntax.Name) and first.text == MEMBERS
        if over_members and name in _AGGREGATE:
            return self.aggregate(node, name)
        if name in ("held", "fits"):
            return self.other_programme(node, name)
        if name in ("place", "work"):
            return self.elsewhere(node, name)
        if name == "if":
            return self.choice_between(node, known)
        if name in _ROUNDING:
            return self.rounding(node, name, known)
        arguments = [self.check(argument, known) for argument in node.arguments]
        if name in ("min", "max"):
            return self.extreme(node, name, arguments)
        if name in ("years", "months"):
            return self.elapsed(node, name, arguments)
        if name in PERIODS:
            return self.converted(node, name, arguments)
        raise self.wrong_arguments(node, name)

    def looked_up(self, node: syntax.Call, known: Guards) -> Typed:
        """高龄津贴标准(年龄): the table's value for this key."""
        key, value = self.tables()[node.name]
        if len(node.arguments) != 1:
            raise self.fault(node, f"“{node.name}”是表，括号里写一项", f"应写成 {node.name}({_key_example(key)})")
        asked = self.check(node.arguments[0], known)
        self.want(node.arguments[0], asked, key.sort)
        if key.sort is Sort.CHOICE:
            asked = self.recoded(node.arguments[0], asked, key)
        else:
            self.require_unit(node, asked, key)
            self.table_floor(node.name, guards.lower_bound(asked))
        return Typed(Op.TABLE, value, asked.level, (asked,), payload=node.name)

    def require_unit(self, node: syntax.Call, asked: Typed, key: Type) -> None:
        assert key.unit is not None
        if asked.type.unit != key.unit and not (asked.type.unit is None and key.unit.fits_bare):
            what = f"“{node.name}”按 {key.unit} 分档，这里写的是{asked.type}"
            raise self.fault(node.arguments[0], what, f"应写成 {node.name}({_key_example(key)})")

    def recoded(self, node: syntax.Node, asked: Typed, wanted: Type) -> Typed:
        """The same choices by their position in `wanted`."""
        strange = [choice for choice in asked.type.choices if choice not in wanted.choices]
        if strange:
            known = "、".join(wanted.choices)
            raise self.fault(
                node, f"“{'、'.join(strange)}”不在可选的 {known} 之中", nearest(strange[0], wanted.choices)
            )
        return moved_choices(asked, wanted)

    def elsewhere(self, node: syntax.Call, name: str) -> Typed:
        """所在地(务工地区划, 最低工资标准): the parameter as it stands at that place; unknown where nobody has set it."""
        names = [argument.text if isinstance(argument, syntax.Name) else "" for argument in node.arguments]
        names = [WORKPLACE, *names] if name == "work" else names
        if len(names) != 2:
            raise self.wrong_arguments(node, name)
        fact, kind = self.place_fact(names[0]), self.scalar_parameter(names[1])
        if fact is None:
            at = node if name == "work" else node.arguments[0]
            raise self.fault(at, f"没有“{names[0]}”这项区划事实", "请先在事实里登记，类型写 区划")
        if kind is None or kind.sort is not Sort.NUMBER:
            raise self.fault(node.arguments[-1], "这里应当是一个数的参数的名称", f"应写成 {FUNCTION_EXAMPLES[name]}")
        found = Typed(Op.ELSEWHERE, kind, fact_level(fact), payload=(fact.code, names[1]))
        return self.of_level(node, found, self.source.text[node.start : node.end])

    def other_programme(self, node: syntax.Call, name: str) -> Typed:
        """享受(X): held today; 符合(X): found eligible by this very determination. Of whom X is about, household or person."""
        (code,) = node.arguments
        assert isinstance(code, syntax.Text)
        units = self.programmes()
        if code.value not in units:
            near = nearest(code.value, units) or self.fault_remedy(name)
            raise self.fault(code, f"没有编码为“{code.value}”的项目", near)
        if name == "fits" and code.value == self.own_code():
            raise self.fault(node, "项目不能以自己是否符合为条件", "已在享受本项目的，写 享受(编码)")
        op = Op.HELD if name == "held" else Op.FITS
        level = Level.MEMBER if units[code.value] == "person" else Level.HOUSEHOLD
        return self.of_level(node, Typed(op, FLAG, level, payload=code.value), f"{node.name}({code.value})")

    def fault_remedy(self, name: str) -> str:
        return f"应写成 {FUNCTION_EXAMPLES[name]}"

    def wrong_arguments(self, node: syntax.Call, name: str) -> FaultFound:
        return self.fault(node, f"“{node.name}”括号里的内容不对", f"应写成 {FUNCTION_EXAMPLES[name]}")

    def aggregate(self, node: syntax.Call, name: str) -> Typed:
        """count any all: 成员, condition; sum max min: 成员, value, condition. The condition may be left out but in any, all."""
        rest = node.arguments[1:]
        with_value = name in ("sum", "max", "min")
        if not int(name != "count") <= len(rest) <= 1 + with_value:
            raise self.wrong_arguments(node, name)
        inner = self.about_members()
        condition = inner.member_condition(rest[with_value:])
        if not with_value:
            kind = Type(Sort.NUMBER, PERSON_COUNT) if name == "count" else FLAG
            return Typed(_AGGREGATE[name], kind, Level.HOUSEHOLD, (condition,))
        value = inner.check(rest[0], guards.when_true(condition))
        self.want_whole_value(rest[0], value, name)
        return Typed(_AGGREGATE[name], value.type, Level.HOUSEHOLD, (condition, value))

    def member_condition(self, nodes: tuple[syntax.Node, ...]) -> Typed:
        if not nodes:
            return Typed(Op.CONST, FLAG, Level.CONST, payload=True)
        condition = self.check(nodes[0], guards.NONE)
        self.want(nodes[0], condition, Sort.FLAG)
        return condition

    def want_whole_value(self, node: syntax.Node, value: Typed, name: str) -> None:
        if name == "sum" or value.type.sort is not Sort.DATE:
            self.want(node, value, Sort.NUMBER)
        if value.ragged:
            # Fractions with a different denominator for every member have no common scale to add in.
            what = "每个成员各除各的结果不能直接汇总"
            raise self.fault(node, what, f"请先取整，例如 {name}(成员, round(…, 1 分))，或先汇总再相除")

    def choice_between(self, node: syntax.Call, known: Guards) -> Typed:
        if len(node.arguments) != 3:
            raise self.wrong_arguments(node, "if")
        condition = self.check(node.arguments[0], known)
        self.want(node.arguments[0], condition, Sort.FLAG)
        yes = self.check(node.arguments[1], known | guards.when_true(condition))
        no = self.check(node.arguments[2], known | guards.when_false(condition))
        yes, no = self.agreeing(node, [yes, no])
        level = max(condition.level, yes.level, no.level)
        return Typed(Op.IF, yes.type, level, (condition, yes, no), ragged=yes.ragged or no.ragged)

    def agreeing(self, node: syntax.Call, parts: list[Typed]) -> list[Typed]:
        """All parts of one type, numbers in one unit, choices in one list."""
        if all(part.type.sort is Sort.NUMBER for part in parts):
            try:
                kind = Type(Sort.NUMBER, self.common_unit(parts))
            except ValueError as unlike:
                units = "、".join(str(part.type) for part in parts)
                raise self.fault(node, f"“{node.name}”里的数单位不同：{units}", str(unlike)) from None
            return [replace(part, type=kind) for part in parts]
        if all(part.type.sort is Sort.CHOICE for part in parts):
            choices = Type(
                Sort.CHOICE, None, tuple(dict.fromkeys(word for part in parts for word in part.type.choices))
            )
            return [moved_choices(part, choices) for part in parts]
        if len({part.type for part in parts}) > 1:
            kinds = "、".join(str(part.type) for part in parts)
            raise self.fault(node, f"“{node.name}”里的内容不同类：{kinds}", "请写同类的内容")
        return parts

    def extreme(self, node: syntax.Call, name: str, arguments: list[Typed]) -> Typed:
        if len(arguments) < 2:
            raise self.wrong_arguments(node, name)
        if arguments[0].type.sort not in (Sort.NUMBER, Sort.DATE):
            raise self.fault(node.arguments[0], f"{arguments[0].type} 没有大小之分", "这里只能写数或日期")
        arguments = self.agreeing(node, arguments)
        op = Op.MIN if name == "min" else Op.MAX
        ragged = any(argument.ragged for argument in arguments)
        level = max(argument.level for argument in arguments)
        return Typed(op, arguments[0].type, level, tuple(arguments), ragged=ragged)

    def rounding(self, node: syntax.Call, name: str, known: Guards) -> Typed:
        if not 1 <= len(node.arguments) <= 2:
            raise self.wrong_arguments(node, name)
        value = self.check(node.arguments[0], known)
        self.want(node.arguments[0], value, Sort.NUMBER)
        step = self.rounding_step(node, value) if len(node.arguments) == 2 else Fraction(1)
        return Typed(_ROUNDING[name], value.type, value.level, (value,), payload=step)

    def rounding_step(self, node: syntax.Call, value: Typed) -> Fraction:
        step = self.check(node.arguments[1], guards.NONE)
        fits = step.type.unit == value.type.unit or (step.type.unit is None and value.type.unit is not None)
        if step.op is not Op.CONST or not isinstance(step.payload, Fraction) or step.payload <= 0 or not fits:
            remedy = f"请写大于零、单位为 {value.type.unit or '纯数'} 的数，例如 round(数值, 1 元/月)"
            raise self.fault(node.arguments[1], "取整到多少须写明一个数，单位与数值相同", remedy)
        return step.payload

    def elapsed(self, node: syntax.Call, name: str, arguments: list[Typed]) -> Typed:
        if len(arguments) != 2:
            raise self.wrong_arguments(node, name)
        for argument, typed in zip(node.arguments, arguments, strict=True):
            self.want(argument, typed, Sort.DATE)
        op, word = (Op.YEARS, "年") if name == "years" else (Op.MONTHS, "月")
        level = max(argument.level for argument in arguments)
        return Typed(op, Type(Sort.NUMBER, base_unit(word)[0]), level, tuple(arguments))

    def converted(self, node: syntax.Call, period: str, arguments: list[Typed]) -> Typed:
        """按月(x): the same flow per month, or the same length of time in months."""
        if len(arguments) != 1:
            raise self.wrong_arguments(node, period)
        value = arguments[0]
        self.want(node.arguments[0], value, Sort.NUMBER)
        unit = value.type.unit
        old = unit.flow_period() if unit else None
        if unit is None or old is None or abs(unit.power(old)) != 1:
            raise self.fault(node.arguments[0], f"{value.type} 不是按期间计的数", f"应写成 {FUNCTION_EXAMPLES[period]}")
        ratio = (MONTHS_IN[old] / MONTHS_IN[period]) ** unit.power(old)
        factor = Typed(Op.CONST, Type(Sort.NUMBER, Unit()), Level.CONST, payload=ratio)
        kind = Type(Sort.NUMBER, unit.with_period(period))
        return Typed(Op.MUL, kind, value.level, (value, factor), ragged=value.ragged)

    def date_sum(self, node: syntax.Infix, left: Typed, right: Typed) -> Typed:
        level = max(left.level, right.level)
        if node.sign == "-" and left.type == DATE and right.type == DATE:
            return Typed(Op.DAYS, Type(Sort.NUMBER, base_unit("天")[0]), level, (left, right))
        moved, length = (right, left) if right.type == DATE and node.sign == "+" else (left, right)
        period = length.type.unit.flow_period() if length.type.unit else None
        if moved.type != DATE or node.sign not in "+-" or length.type.unit not in _LENGTHS:
            message = f"{left.type} 与 {right.type} 不能这样算"
            raise FaultFound(self.source, node.sign_at, message, "日期可以加减 20 年、6 个月、7 天，或日期减日期")
        if node.sign == "-":
            length = Typed(Op.NEG, length.type, length.level, (length,), ragged=length.ragged)
        if period is None:
            return Typed(Op.LATER_DAYS, DATE, level, (moved, length))
        factor = Typed(Op.CONST, Type(Sort.NUMBER, Unit()), Level.CONST, payload=MONTHS_IN[period])
        months = Typed(Op.MUL, length.type, length.level, (length, factor), ragged=length.ragged)
        return Typed(Op.LATER_MONTHS, DATE, level, (moved, months))


def moved_choices(typed: Typed, wanted: Type) -> Typed:
    """`typed` with each choice at its position in `wanted`, which has them all."""
    if typed.type == wanted:
        return typed
    moves = tuple(wanted.choices.index(choice) for choice in typed.type.choices)
    if typed.op is Op.CONST:
        assert isinstance(typed.payload, int)
        return replace(typed, type=wanted, payload=moves[typed.payload])
    return Typed(Op.RECODE, wanted, typed.level, (typed,), payload=moves)


def _key_example(key: Type) -> str:
    return {"岁": "年龄", "人": "人口"}.get(str(key.unit), "…") if key.sort is Sort.NUMBER else "某个选项"


_LENGTHS = {base_unit(word)[0] for word in ("年", "半年", "季", "月", "天")}
