"""The book of policies: all layers of all programmes, merged and checked for a place and a date.

in    a folder of YAML files, or their texts; then a chain of places and a date
out   `Book`; from it the `Programme`s in force, bound to their parameters

Always true:

- A book that was read holds no fault: every layer merges, every expression is checked, at every place and date it names.
- The nearest place's words win, the newest in force at that place; so do its parameters' values.
- A programme's version names its code, the date it is in force since and a digest of everything it was merged from:
  every layer, every parameter value with its source. The same version gives the same results (DET-07).
- A parameter without a value for a place and date is an error there, never zero. A programme that lacks one where no
  county has set any is not in force there but waiting, and says for which.
"""

import hashlib
import json
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache, cached_property
from typing import cast

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Fact
from huimin.kernel.places import chain
from huimin.rules.county_facts import LocalFact, visible
from huimin.rules.elsewhere import Elsewhere
from huimin.rules.exclusions import Other
from huimin.rules.faults import FaultFound, PolicyFaults, Source, nearest
from huimin.rules.layers import Case, Declared, Layer, ParameterEntry, read_rows
from huimin.rules.merging import merged_structure
from huimin.rules.programme import ParameterValue, Programme, Structure
from huimin.rules.tiers import Tiers
from huimin.rules.values import Bound, parse_table, parse_value
from huimin.rules.yaml_text import Entry

_ANNOUNCED_YEARLY = ("year", "once")
Override = str | int | Fraction | Entry


@dataclass
class Book:
    """All policies that were read. Use `read_book`; a Book holds no faults."""

    facts: tuple[Fact, ...]
    layers: tuple[Layer, ...]
    parameters: tuple[ParameterEntry, ...]
    local_facts: tuple[LocalFact, ...] = ()
    _structures: dict[tuple[int, ...], Structure] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all programmes, at any place and date."""
        return tuple(sorted({layer.programme for layer in self.layers}))

    @cached_property
    def others(self) -> dict[str, Other]:
        """Every programme as others may speak of it; its unit cannot differ from place to place."""
        heads = [layer.fields for layer in self.layers]
        return {
            layer.programme: Other(fields.get("名称", layer.programme), fields["对象"])
            for layer, fields in reversed([*zip(self.layers, heads, strict=True)])
            if "对象" in fields
        }

    @property
    def cases(self) -> tuple[tuple[str, Case], ...]:
        """Every worked case with its programme's code."""
        return tuple((layer.programme, case) for layer in self.layers for case in layer.cases)

    def facts_at(self, chain: Sequence[str]) -> tuple[Fact, ...]:
        """The dictionary, and what the last place of `chain` and those above it have added."""
        return self.facts + visible(self.local_facts, chain)

    def programmes_in_force(
        self,
        chain: tuple[str, ...],
        on: date,
        overrides: Mapping[str, Override] | None = None,
        *,
        only: str | None = None,
    ) -> tuple[Programme, ...]:
        """The programmes in force at the last place of `chain` on that day, by code.

        `overrides`: parameter values for this call, text (`700 元/月`) or a number in the declared unit, or a table as
        written in a file. `only` limits to
        one code. Without `only`, programmes that wait for a value (`waiting`) are left out. Raises BadInput when a
        parameter of the one asked for has no value there, or an override fits no parameter.
        """
        structures = [s for code in self.codes if only in (None, code) for s in self._in_force(code, chain, on)]
        given = dict(overrides or {})
        self._refuse_unknown_overrides(given, structures)
        if only is None:
            structures = [s for s in structures if not self._waits(s, chain, on, given)]
        return tuple(self._bound(structure, chain, on, given) for structure in structures)

    def waiting(self, chain: tuple[str, ...], on: date) -> dict[str, tuple[str, ...]]:
        """Programmes written for this place and day that are not in force, and the parameters nobody has set there."""
        return {
            code: self._unset(structure, chain, on, {})
            for code in self.codes
            for structure in self._in_force(code, chain, on)
            if self._waits(structure, chain, on, {})
        }

    def waits(self, code: str, chain: tuple[str, ...], on: date) -> bool:
        """Whether this one programme is written for the place and day and not in force for want of a value."""
        return any(self._waits(structure, chain, on, {}) for structure in self._in_force(code, chain, on))

    def _waits(self, structure: Structure, chain: Sequence[str], on: date, given: Mapping[str, Override]) -> bool:
        """Whether it is not in force here for want of values.

        What is announced year by year waits again when the year is over. A monthly grant that had all its values here
        and lost one does not wait: it would stop for everybody in silence, so the gap is refused when it is bound.
        """
        unset = self._unset(structure, chain, on, given)
        if not unset or structure.fields["期间"] in _ANNOUNCED_YEARLY:
            return bool(unset)
        ended = {
            entry.name
            for entry in self.parameters
            if entry.programme == structure.code and entry.division in chain and entry.valid_from <= on
        }
        return not ended.issuperset(unset)

    def _unset(
        self, structure: Structure, chain: Sequence[str], on: date, given: Mapping[str, Override]
    ) -> tuple[str, ...]:
        return tuple(
            name
            for name in structure.declared
            if name not in given and self._entry_in_force(structure.code, name, chain, on) is None
        )

    def _in_force(self, code: str, chain: Sequence[str], on: date) -> list[Structure]:
        layers = self._nearest_layers(code, chain, on)
        return [self._structure(layers)] if layers else []

    def _nearest_layers(self, code: str, chain: Sequence[str], on: date) -> list[Layer]:
        """One layer per place, farthest place first: the newest in force there."""
        found = []
        for division in chain:
            here = [la for la in self.layers if la.programme == code and la.division == division and la.in_force(on)]
            found += [max(here, key=lambda layer: layer.valid_from)] if here else []
        return found

    def _structure(self, layers: list[Layer]) -> Structure:
        key = tuple(id(layer) for layer in layers)
        if key not in self._structures:
            facts = self.facts_at(chain(layers[-1].division))
            self._structures[key] = merged_structure(layers, facts, self.others)
        return self._structures[key]

    def _refuse_unknown_overrides(self, given: Mapping[str, Override], structures: Iterable[Structure]) -> None:
        known = {name for structure in structures for name in structure.declared}
        for name in given:
            if name not in known:
                near = nearest(name, known) or f"可用的参数有：{'、'.join(sorted(known)) or '无'}"
                raise BadInput(f"没有“{name}”这个参数", where=f"参数 {name}", remedy=near)

    def _bound(self, structure: Structure, chain: Sequence[str], on: date, given: Mapping[str, Override]) -> Programme:
        values = {}
        for name, declared in structure.declared.items():
            if name in given:
                values[name] = _overridden(declared, given[name], chain[-1], on)
            else:
                values[name] = self._value_in_force(structure, declared, chain, on)
            if name in structure.nonzero_parameters and has_zero(values[name].value):
                raise BadInput(f"参数“{name}”为零，而算式用它作除数", where=name, remedy="请写大于零的数值")
        for declared, what, remedy in beyond_limits(structure, values):
            line, column = declared.at.place(0)
            raise BadInput(what, where=f"{declared.at.file} 第 {line} 行第 {column} 列", remedy=remedy)
        return self._programme(structure, values, chain, on, given)

    def _programme(
        self,
        structure: Structure,
        values: Mapping[str, ParameterValue],
        chain: Sequence[str],
        on: date,
        given: Mapping[str, Override],
    ) -> Programme:
        asked, facts = self._asked(structure, chain, on), self.facts_at(chain)
        needed = {fact.code for each in (structure, *asked.values()) for fact in each.facts_needed}
        since = max([structure.valid_from, *(v.valid_from for v in values.values() if not v.overridden)])
        plain = [structure.plain, [values[name].plain for name in sorted(values)]]
        elsewhere = {name: self._elsewhere(structure, name, on, values[name]) for name in sorted(structure.elsewhere)}
        plain += [[name, found.plain] for name, found in elsewhere.items()]
        plain += [[code, self._plain(asked[code], chain, on, given)] for code in sorted(asked)]

        @cache
        def companion(code: str) -> Programme | None:
            other = asked.get(code)
            waits = other is None or self._waits(other, chain, on, given)
            return None if waits or other is None else self._bound(other, chain, on, given)

        return Programme(
            structure,
            f"{structure.code}@{since}#{_digest(plain)}",
            values,
            tuple(fact for fact in facts if fact.code in needed),
            facts,
            elsewhere,
            companion,
        )

    def _elsewhere(self, structure: Structure, name: str, on: date, own: ParameterValue) -> Elsewhere:
        """The parameter's values at every place that has one, the newest in force."""
        if own.overridden:
            return Elsewhere((), (), everywhere=cast(Fraction, own.value))
        places = sorted(
            {p.division for p in self.parameters if (p.programme, p.name) == (structure.code, name)}, key=int
        )
        entries = {place: self._entry_in_force(structure.code, name, [place], on) for place in places}
        found = [(int(p), read_value(e, structure.declared[name])) for p, e in entries.items() if e]
        return Elsewhere(tuple(place for place, _ in found), tuple(cast(Fraction, value) for _, value in found))

    def _asked(self, structure: Structure, chain: Sequence[str], on: date) -> dict[str, Structure]:
        """Every programme in force whose outcome this one rests on (符合), directly or through another."""
        found: dict[str, Structure] = {}
        pending = sorted(structure.fits)
        while pending:
            code = pending.pop()
            if code not in found and code != structure.code:
                for other in self._in_force(code, chain, on):
                    found[code] = other
                    pending += sorted(other.fits)
        return found

    def _plain(self, structure: Structure, chain: Sequence[str], on: date, given: Mapping[str, Override]) -> object:
        """What an outcome of this programme rests on, for the digest of one that asks about it."""
        entries = {name: self._entry_in_force(structure.code, name, chain, on) for name in structure.declared}
        values = [[name, _plain_given(given[name])] for name in sorted(entries) if name in given]
        values += [entry.plain for name, entry in sorted(entries.items()) if entry and name not in given]
        return [structure.plain, values]

    def _value_in_force(
        self, structure: Structure, declared: Declared, chain: Sequence[str], on: date
    ) -> ParameterValue:
        entry = self._entry_in_force(structure.code, declared.name, chain, on)
        if entry is None:
            line, column = declared.at.place(0)
            raise BadInput(
                f"项目 {structure.code} 的参数“{declared.name}”在 {chain[-1]}、{on} 没有数值",
                where=f"{declared.at.file} 第 {line} 行第 {column} 列",
                remedy=f"请在当地的参数文件里写明数值（单位 {declared.unit}）、起始日期和来源，或用 --set {declared.name}=数值 试算，或只看别的项目",
            )
        value = read_value(entry, declared)
        return ParameterValue(
            declared.name, value, declared.unit, entry.source, entry.division, entry.valid_from, entry.assumption
        )

    def _entry_in_force(self, code: str, name: str, chain: Sequence[str], on: date) -> ParameterEntry | None:
        """Nearest place first, then the newest there."""
        for division in reversed(chain):
            here = [
                p
                for p in self.parameters
                if (p.programme, p.name, p.division) == (code, name, division)
                and p.valid_from <= on
                and (p.valid_to is None or on <= p.valid_to)
            ]
            if here:
                return max(here, key=lambda entry: entry.valid_from)
        return None


def _overridden(declared: Declared, given: Override, place: str, on: date) -> ParameterValue:
    try:
        value = _given_value(declared, given)
    except FaultFound as found:
        raise PolicyFaults([found.fault]) from None
    return ParameterValue(declared.name, value, declared.unit, "--set", place, on, False, overridden=True)


def _given_value(declared: Declared, given: Override) -> Bound:
    """Raises FaultFound."""
    if isinstance(given, Entry) != (declared.key is not None):
        what = f"参数“{declared.name}”{'是' if declared.key else '不是'}表"
        remedy = "表写成 {档: [{满: 80 岁, 数值: 50 元/月}], 其余: 0 元/月}，一个数写成 700 元/月"
        raise FaultFound(given.at if isinstance(given, Entry) else Source.plain("", "参数"), 0, what, remedy)
    if isinstance(given, Entry):
        assert declared.key is not None
        rows = read_rows(given, given.mapping("参数", ("档", "其余")))
        return parse_table(rows, declared.key, declared.type, declared.unit)
    if isinstance(given, str):
        source = Source.plain(given, f"参数 {declared.name}")
        return parse_value(source, declared.type, declared.unit, unit_needed=False)
    return given if isinstance(given, bool) else Fraction(given)


def read_value(entry: ParameterEntry, declared: Declared) -> Bound:
    """Raises FaultFound."""
    if declared.key is None and entry.rows is None:
        return parse_value(entry.text, declared.type, declared.unit, unit_needed=True)
    if entry.rows is None:
        raise FaultFound(entry.text, 0, f"参数“{entry.name}”是表，这里写的是一个数", "请写 档: 和 其余:")
    if declared.key is None:
        remedy = "请写 数值，或在项目文件的参数里写明 按: 岁（或一列选项）"
        raise FaultFound(entry.at, 0, f"参数“{entry.name}”不是表", remedy)
    return parse_table(entry.rows, declared.key, declared.type, declared.unit)


def has_zero(value: Bound) -> bool:
    return value.has_zero if isinstance(value, Tiers) else value == 0


def beyond_limits(structure: Structure, values: Mapping[str, ParameterValue]) -> Iterator[tuple[Declared, str, str]]:
    """Values below their 不低于 or above their 不高于, with what to say; what is only tried may lie anywhere."""
    for declared in structure.declared.values():
        own = values.get(declared.name)
        for word, limit, wrong in (("低于", declared.floor, operator.lt), ("高于", declared.ceiling, operator.gt)):
            other = values.get(limit.text.strip()) if limit else None
            if own and other and not own.overridden and wrong(cast(Fraction, own.value), cast(Fraction, other.value)):
                what = f"参数“{own.name}”是 {_written(own)}，{word}“{other.name}”的 {_written(other)}"
                yield declared, what, f"请改正数值（{own.division} 自 {own.valid_from}，来源 {own.source}）"


def _written(value: ParameterValue) -> str:
    return f"{float(cast(Fraction, value.value)):.10g} {value.unit}"


def _plain_given(given: Override) -> object:
    return given.plain if isinstance(given, Entry) else str(given)


def _digest(plain: object) -> str:
    """Twelve hexadecimal digits over everything a programme was merged from."""
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]
