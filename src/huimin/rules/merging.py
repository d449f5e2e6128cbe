"""Layers of one programme, farthest place first, merged and checked into a Structure.

in    layers in force at one place on one day
out   a Structure, or PolicyFaults with everything wrong in it

Fields of a nearer place replace those of a farther one; values and conditions by 名称 and 编号, in the place of what they
replace, new ones at the end; 作废: 是 takes one out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from huimin.kernel.facts import Fact
from huimin.rules.amounts import Amount
from huimin.rules.checking import Checker
from huimin.rules.exclusions import Other, exclusion_condition
from huimin.rules.faults import AlreadyTold, Fault, FaultFound, PolicyFaults, Source, nearest
from huimin.rules.layers import PROGRAMME_FIELDS, Declared, Layer, Written
from huimin.rules.programme import Condition, NamedValue, PhaseOut, Structure
from huimin.rules.typed import AGGREGATES, FLAG, Level, Op, Sort, Type, Typed, all_nodes
from huimin.rules.units import PLAIN, Unit, unit_of_words
from huimin.rules.vocabulary import DEPARTURES, Definition, Vocabulary, refuse_taken_name

CONDITIONS_MAX = FACTS_MAX = 63  # bits of a mask; the 64th means "nobody" in masks of facts
_AMOUNT_UNITS: dict[str, Unit] = {
    "once": unit_of_words(["元"])[0],
    "month": unit_of_words(["元", "月"])[0],
    "quarter": unit_of_words(["元", "季"])[0],
    "half_year": unit_of_words(["元", "半年"])[0],
    "year": unit_of_words(["元", "年"])[0],
}
_MONTHS = (None, PLAIN, unit_of_words(["月"])[0])
FIXED = ("名称", "对象", "期间")


def merged_structure(layers: Sequence[Layer], facts: tuple[Fact, ...], others: Mapping[str, Other]) -> Structure:
    """`others`: all programmes of the book by code. Raises PolicyFaults."""
    merger = _Merger(layers, facts, others)
    structure = merger.structure()
    if merger.faults or structure is None:
        raise PolicyFaults(merger.faults)
    return structure


@dataclass
class _Merger:
    layers: Sequence[Layer]
    facts: tuple[Fact, ...]
    others: Mapping[str, Other]
    faults: list[Fault] = field(default_factory=list)

    def structure(self) -> Structure | None:
        fields = self._fields()
        amount = next((layer.amount for layer in reversed(self.layers) if layer.amount), None)
        if amount is None:
            self._add(self.layers[0].at, "项目没有写“金额”", "请写 金额: 及其 算式、取整、依据")
        if self.faults or amount is None:
            return None
        declared = self._declared()
        values = self._merged([layer.values for layer in self.layers], "数值")
        conditions = self._merged([layer.conditions for layer in self.layers], "条件")
        self._exclude(conditions, fields["对象"])
        return self._checked(fields, declared, values, conditions, amount)

    def _declared(self) -> dict[str, Declared]:
        """By name; a nearer place that declares one again keeps the limits set above it."""
        found: dict[str, Declared] = {}
        for item in (item for layer in self.layers for item in layer.declared):
            above = found.get(item.name, item)
            found[item.name] = replace(item, floor=item.floor or above.floor, ceiling=item.ceiling or above.ceiling)
        for item in found.values():
            for limit in (item.floor, item.ceiling):
                other = found.get(limit.text.strip()) if limit else None
                if limit and other is None:
                    self._add(limit, f"没有“{limit.text.strip()}”这个参数", nearest(limit.text.strip(), found))
                elif limit and other and (other.type != item.type or item.key or other.key):
                    self._add(limit, f"“{item.name}”与“{other.name}”不同类，不能比较", "单位要相同，且都不是表")
        return found

    def _add(self, source: Source, what: str, remedy: str = "") -> None:
        self.faults.append(FaultFound(source, 0, what, remedy).fault)

    def _gather(self, found: FaultFound) -> None:
        self.faults.append(found.fault)

    def _fields(self) -> dict[str, str]:
        base = self.layers[0]
        fields = dict(base.fields)
        for key in PROGRAMME_FIELDS:
            if key not in fields:
                self._add(
                    base.at,
                    f"项目“{base.programme}”缺少“{key}”",
                    f"请补上 {key}: …；改动项目的文件要有上级的项目文件在先",
                )
        for layer in self.layers[1:]:
            for key in FIXED:
                if layer.fields.get(key, fields.get(key)) != fields.get(key):
                    self._add(layer.at, f"下级不能改动项目的“{key}”", "请删去这一项；另立项目请用新的编码")
            fields |= layer.fields
        return fields

    def _merged(self, lists: Sequence[Sequence[Written]], kind: str) -> dict[str, Written]:
        merged: dict[str, Written] = {}
        for items in lists:
            seen: set[str] = set()
            for item in items:
                if item.key in seen:
                    self._add(item.at or item.expression, f"{kind}“{item.key}”写了两次", "请改名或删去一处")
                seen.add(item.key)
                if item.drop and merged.pop(item.key, None) is None:
                    self._add(item.expression, f"没有{kind}“{item.key}”可作废", "请核对上级文件里的写法")
                if not item.drop:
                    merged[item.key] = item
        return merged

    def _exclude(self, conditions: dict[str, Written], unit: str) -> None:
        """Exclusions become conditions at the end, `not-` and the other's code."""
        exclusions = self._merged([layer.exclusions for layer in self.layers], "排除")
        for code, written in exclusions.items():
            try:
                condition = exclusion_condition(written, self.layers[0].programme, unit, self.others)
            except FaultFound as found:
                self._gather(found)
                continue
            if condition.key in conditions:
                self._add(written.expression, f"条件“{condition.key}”与排除项目“{code}”重名", "请给条件换一个编号")
            conditions[condition.key] = condition

    def _checked(
        self,
        fields: dict[str, str],
        declared: dict[str, Declared],
        values: dict[str, Written],
        conditions: dict[str, Written],
        amount: Amount,
    ) -> Structure | None:
        checker = self._checker(declared, values)
        person = fields["对象"] == "person"
        trees = {key: self._tree(checker, item.expression, person, Sort.FLAG) for key, item in conditions.items()}
        amount_tree = self._amount(checker, amount, fields)
        phase_out = self._phase_out(checker, conditions, person)
        named = {name: self._named(checker, name) for name in values}
        self._counts(conditions)
        if self.faults:
            return None
        checked_values = {name: tree for name, tree in named.items() if tree is not None}
        roots = [tree for tree in (*trees.values(), amount_tree) if tree is not None]
        roots += phase_out.trees if phase_out else []
        assert amount_tree is not None
        asked = asked_programmes(roots, checked_values)
        held = asked[Op.HELD] | ({self.layers[0].programme} if phase_out else set())
        structure = Structure(
            code=self.layers[0].programme,
            fields=fields,
            valid_from=max(layer.valid_from for layer in self.layers),
            valid_to=min((la.valid_to for la in self.layers if la.valid_to), default=None),
            declared=declared,
            values=_with_trees(values, checked_values),
            conditions=_conditions(conditions, trees),
            amount=amount_tree,
            amount_expression=amount.expression.text,
            amount_citation=amount.citation,
            rounding=amount.mode,
            rounding_step=amount.step,
            part_period=amount.part_period,
            phase_out=phase_out,
            nonzero_parameters=frozenset(checker.nonzero_parameters),
            table_floors=checker.table_floors,
            facts_needed=needed_facts(roots, checked_values, self.facts),
            others={code: self.others[code].unit for code in held | asked[Op.FITS]},
            fits=frozenset(asked[Op.FITS]),
            elsewhere=looked_up_elsewhere(roots, checked_values),
            plain=[[layer.division, str(layer.valid_from), layer.plain] for layer in self.layers],
        )
        return self._within_limits(structure)

    def _checker(self, declared: dict[str, Declared], values: dict[str, Written]) -> Checker:
        vocabulary = Vocabulary({fact.name: fact for fact in self.facts})
        names = [(name, item.at) for name, item in declared.items()]
        names += [(name, item.at or item.expression) for name, item in values.items()]
        for name, at in names:
            try:
                refuse_taken_name(name, at, vocabulary)
            except FaultFound as found:
                self._gather(found)
        for name in declared.keys() & values.keys():
            self._add(values[name].at or values[name].expression, f"“{name}”既是参数又是数值", "请给其中一个换名称")
        vocabulary.programmes = {code: other.unit for code, other in self.others.items()}
        vocabulary.own = self.layers[0].programme
        vocabulary.parameters = {name: item.type for name, item in declared.items() if item.key is None}
        vocabulary.tables = {name: (item.key, item.type) for name, item in declared.items() if item.key is not None}
        vocabulary.values = {key: Definition(key, item.expression, item.citation) for key, item in values.items()}
        return Checker(vocabulary, self._gather)

    def _tree(self, checker: Checker, source: Source, person: bool, sort: Sort) -> Typed | None:
        try:
            tree = checker.expression(source, members=person)
            if tree.type.sort is not sort:
                wanted = "条件，要能回答是或否" if sort is Sort.FLAG else "数"
                raise FaultFound(source, tree.start, f"这里应当是{wanted}，写的是{tree.type}", "请检查算式")
        except FaultFound as found:
            self._gather(found)
        except AlreadyTold:
            pass
        else:
            return tree
        return None

    def _named(self, checker: Checker, name: str) -> Typed | None:
        try:
            return checker.value(name)
        except AlreadyTold:
            return None

    def _amount(self, checker: Checker, amount: Amount, fields: dict[str, str]) -> Typed | None:
        """算式, then 保底, then 封顶, as one tree in the unit the period asks for."""
        person, unit = fields["对象"] == "person", _AMOUNT_UNITS[fields["期间"]]
        tree = self._tree(checker, amount.expression, person or amount.each, Sort.NUMBER)
        if tree is not None:
            tree = self._summed(self._in_unit(tree, amount.expression, unit), amount, person)
        for bound, op in ((amount.floor, Op.MAX), (amount.cap, Op.MIN)):
            limit = self._tree(checker, bound, person, Sort.NUMBER) if bound else None
            if bound and limit and tree:
                limit = self._in_unit(limit, bound, unit)
                ragged, level = tree.ragged or limit.ragged, max(tree.level, limit.level)
                tree = Typed(op, tree.type, level, (tree, limit), ragged=ragged)
        return tree

    def _in_unit(self, tree: Typed, source: Source, wanted: Unit) -> Typed:
        """The tree in the unit of the amount; a bare 0 takes it."""
        if tree.op is Op.CONST and tree.payload == 0 and tree.type.unit is None:
            return replace(tree, type=Type(Sort.NUMBER, wanted))
        if tree.type.unit != wanted:
            what = f"金额的单位是 {tree.type.unit or '纯数'}，按期间应当是 {wanted}"
            remedy = "请检查算式，或用 按月() 按季() 按半年() 按年() 换算"
            self.faults.append(FaultFound(source, tree.start, what, remedy).fault)
        return tree

    def _summed(self, tree: Typed, amount: Amount, person: bool) -> Typed:
        """合计: 每人取整后相加."""
        if not amount.each:
            return tree
        if person or tree.level is not Level.MEMBER:
            what = "合计只用于按户的项目" if person else "算式说的是整户，没有每人的数可以相加"
            self._add(amount.expression, what, "请删去“合计”这一项，或在算式里写每个成员的数")
            return tree
        rounder = {"四舍五入": Op.ROUND, "进一": Op.CEIL, "舍去": Op.FLOOR}[amount.mode]
        each = Typed(rounder, tree.type, Level.MEMBER, (tree,), payload=amount.step)
        everybody = Typed(Op.CONST, FLAG, Level.CONST, payload=True)
        return Typed(Op.SUM, tree.type, Level.HOUSEHOLD, (everybody, each))

    def _phase_out(self, checker: Checker, conditions: dict[str, Written], person: bool) -> PhaseOut | None:
        written = next((layer.phase_out for layer in reversed(self.layers) if layer.phase_out), None)
        if written is None or written.drop or written.months is None:
            return None
        for trigger in written.triggers:
            if trigger.text.strip() not in conditions:
                near = nearest(trigger.text.strip(), conditions) or f"可写的有：{'、'.join(conditions)}"
                self._add(trigger, f"没有编号为“{trigger.text.strip()}”的条件", near)
        premise = self._tree(checker, written.premise, person, Sort.FLAG) if written.premise else None
        months = self._tree(checker, written.months, person, Sort.NUMBER)
        shares = [self._share(checker, source) for _, source in written.steps]
        if months is not None and months.type.unit not in _MONTHS:
            self._add(written.months, f"月数写的是{months.type}", "请写月数，例如 6 个月")
        if months is None or None in shares:
            return None
        steps = tuple((first, share) for (first, _), share in zip(written.steps, shares, strict=True) if share)
        triggers = frozenset(trigger.text.strip() for trigger in written.triggers)
        return PhaseOut(triggers, premise, months, steps, written.citation)

    def _share(self, checker: Checker, source: Source) -> Typed | None:
        share = self._tree(checker, source, False, Sort.NUMBER)
        if share is not None and (share.level is not Level.CONST or share.type.unit not in (None, PLAIN)):
            self._add(source, "渐退的比例要写一个百分数，或一个纯数的参数", "例如 80%")
            return None
        return share

    def _counts(self, conditions: dict[str, Written]) -> None:
        if not conditions:
            self._add(self.layers[0].at, "项目没有条件", "请至少写一个条件")
        if len(conditions) > CONDITIONS_MAX:
            self._add(self.layers[0].at, f"条件有 {len(conditions)} 个，超过 {CONDITIONS_MAX} 个", "请合并条件")

    def _within_limits(self, structure: Structure) -> Structure | None:
        if len(structure.facts_needed) > FACTS_MAX:
            self._add(self.layers[0].at, f"用到的事实超过 {FACTS_MAX} 项", "请拆成几个项目")
            return None
        return structure


def _with_trees(written: dict[str, Written], trees: dict[str, Typed]) -> tuple[NamedValue, ...]:
    return tuple(
        NamedValue(name, tree, written[name].expression.text, written[name].citation) for name, tree in trees.items()
    )


def _conditions(written: dict[str, Written], trees: Mapping[str, Typed | None]) -> tuple[Condition, ...]:
    return tuple(
        Condition(key, item.text, item.citation, item.paper, tree, item.expression.text)
        for key, item in written.items()
        if (tree := trees[key]) is not None
    )


def needed_facts(roots: Iterable[Typed], values: dict[str, Typed], facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Every fact the trees rest on, through named values and derived words."""
    codes: set[str] = set()
    for node in all_nodes(roots, values):
        if node.op is Op.FACT:
            codes.add(str(node.payload))
        if node.op is Op.ELSEWHERE:
            codes.add(cast(tuple[str, str], node.payload)[0])
        if node.op is Op.AGE:
            codes.add("birth_date")
        if node.op in AGGREGATES or node.op in (Op.HEADS, Op.PRESENT):
            codes |= DEPARTURES
    return tuple(fact for fact in facts if fact.code in codes)


def looked_up_elsewhere(roots: Iterable[Typed], values: dict[str, Typed]) -> frozenset[str]:
    """Parameters looked up at another place than the household's own."""
    found = [node.payload for node in all_nodes(roots, values) if node.op is Op.ELSEWHERE]
    return frozenset(cast(tuple[str, str], payload)[1] for payload in found)


def asked_programmes(roots: Iterable[Typed], values: dict[str, Typed]) -> dict[Op, set[str]]:
    """Codes asked about with 享受 and with 符合."""
    asked: dict[Op, set[str]] = {Op.HELD: set(), Op.FITS: set()}
    for node in all_nodes(roots, values):
        if node.op in asked:
            asked[node.op].add(str(node.payload))
    return asked
