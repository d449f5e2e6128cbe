"""The whole book looked at: every programme at every place and date where something changes.

in    a Book as read
out   every fault that shows only when files stand beside each other
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.rules.book import Book, beyond_limits, has_zero, read_value
from huimin.rules.county_facts import taken_names
from huimin.rules.faults import Fault, FaultFound, PolicyFaults, Source, nearest
from huimin.rules.layers import Declared, Layer, ParameterEntry
from huimin.rules.merging import FACTS_MAX
from huimin.rules.programme import Structure, find_circle
from huimin.rules.tiers import Tiers, require_cover


class BookCheck:
    """Looks at the whole book: every programme at every place and date where something changes."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.found: list[Fault] = []
        self.asked_from_afar: dict[str, Declared] = {}

    def faults(self) -> list[Fault]:
        self._twice_written()
        self.found += taken_names(self.book.local_facts, self.book.facts)
        self._circles()
        for code in sorted({*self.book.codes, *(entry.programme for entry in self.book.parameters)}):
            if code in self.book.codes:
                self._programme(code)
            else:
                self._orphans(code)
        return self.found

    def _add(self, source: Source, what: str, remedy: str = "") -> None:
        self.found.append(FaultFound(source, 0, what, remedy).fault)

    def _twice_written(self) -> None:
        """Two versions of one thing that begin on one day, or whose written terms overlap."""
        versions: dict[tuple[str, ...], list[Layer | ParameterEntry]] = {}
        for layer in self.book.layers:
            versions.setdefault((layer.programme, layer.division), []).append(layer)
        for entry in self.book.parameters:
            versions.setdefault((entry.programme, entry.name, entry.division), []).append(entry)
        for key, same in versions.items():
            for version in same:
                if version.valid_to and version.valid_to < version.valid_from:
                    self._add(version.at, f"止日 {version.valid_to} 早于起日 {version.valid_from}", "请改正“自”或“至”")
            ordered = sorted(same, key=lambda version: version.valid_from)
            for earlier, later in pairwise(ordered):
                self._overlap("、".join(key), earlier, later)

    def _overlap(self, name: str, earlier: "Layer | ParameterEntry", later: "Layer | ParameterEntry") -> None:
        if earlier.valid_from == later.valid_from:
            self._add(later.at, f"同一地方同一日期写了两次：{name}、{later.valid_from}", "请删去一处或改日期")
        elif earlier.valid_to and earlier.valid_to >= later.valid_from and not later.replaces:
            line, _ = earlier.at.place(0)
            what = f"两个版本的施行期重叠：{name} 自 {later.valid_from} 起的，与 {earlier.at.file} 第 {line} 行至 {earlier.valid_to} 止的"
            day = later.valid_from - timedelta(days=1)
            self._add(later.at, what, f"请把前一个的“至”改成 {day} 或更早，或改后一个的“自”")

    def _circles(self) -> None:
        """Programmes that rest on each other's outcome (符合), at any place on any day."""
        layers = self.book.layers
        days = sorted({layer.valid_from for layer in layers})
        told: set[frozenset[str]] = set()
        for place in sorted({layer.division for layer in layers}):
            for day in days if self._may_circle() else []:
                circle = self._circle_at(chain(place), day)
                if circle and frozenset(circle) not in told:
                    told.add(frozenset(circle))
                    at = next(layer.at for layer in layers if layer.programme == circle[0])
                    what = f"项目互相以对方是否符合为条件，成了圈：{' → '.join(circle)}（{place}，{day}）"
                    self._add(at, what, "请让其中一个只看 享受(编码)，或只由一方写“排除”")

    def _may_circle(self) -> bool:
        """By the words alone, whatever is in force where: most books need no closer look."""
        asks: dict[str, set[str]] = {}
        for layer in self.book.layers:
            asks.setdefault(layer.programme, set()).update(layer.asks)
        return bool(find_circle(asks))

    def _circle_at(self, places: Sequence[str], day: date) -> list[str]:
        asks: dict[str, frozenset[str]] = {}
        for code in self.book.codes:
            try:
                structures = self.book._in_force(code, places, day)
            except PolicyFaults:
                continue  # told where the programme itself is checked
            for structure in structures:
                asks[code] = structure.fits
        return find_circle(asks)

    def _orphans(self, code: str) -> None:
        for entry in self.book.parameters:
            if entry.programme == code:
                self._add(entry.at, f"没有“{code}”这个项目", nearest(code, self.book.codes))

    def _programme(self, code: str) -> None:
        layers = [layer for layer in self.book.layers if layer.programme == code]
        entries = [entry for entry in self.book.parameters if entry.programme == code]
        days = sorted({*(la.valid_from for la in layers), *(entry.valid_from for entry in entries)})
        places = sorted({*(la.division for la in layers), *(entry.division for entry in entries)})
        self.asked_from_afar = self._asked_from_afar(code, places, days)
        for place in places:
            for day in days:
                self._version(code, place, day, entries)

    def _asked_from_afar(self, code: str, places: Sequence[str], days: Sequence[date]) -> dict[str, Declared]:
        """What one place looks up at others (就业地): values may stand anywhere, also where nobody declares them."""
        found: dict[str, Declared] = {}
        for place in places:
            for day in days:
                try:
                    structures = self.book._in_force(code, chain(place), day)
                except PolicyFaults:
                    continue  # told where this place is checked
                found |= {name: structure.declared[name] for structure in structures for name in structure.elsewhere}
        return found

    def _version(self, code: str, place: str, day: date, entries: list[ParameterEntry]) -> None:
        places = chain(place)
        try:
            structures = self.book._in_force(code, places, day)
        except PolicyFaults as found:
            self.found += found.faults
            return
        for structure in structures:
            self._facts_with_others(structure, places, day)
            self._limits(structure, places, day)
            self._values(structure, places, day, entries)

    def _values(self, structure: Structure, places: Sequence[str], day: date, entries: list[ParameterEntry]) -> None:
        """Known names, right units; and complete from the day on which the county has begun to give values.

        What the nation, a province or a city gives alone does not begin: there the programme waits for the county.
        """
        for entry in entries:
            begun_and_not_ended = entry.valid_from <= day and (entry.valid_to is None or day <= entry.valid_to)
            if entry.division in places and begun_and_not_ended:
                self._one_value(structure, entry)
        begun: dict[str, date] = {}
        for entry in entries:
            begins = not entry.division.endswith("0" * 8) and entry.name not in structure.elsewhere
            if entry.division in places and begins:
                begun[entry.name] = min(entry.valid_from, begun.get(entry.name, entry.valid_from))
        for name, declared in structure.declared.items():
            missing = self.book._entry_in_force(structure.code, name, places, day) is None
            if missing and begun and day >= max(begun.values()):
                self._add(declared.at, f"参数“{name}”在 {places[-1]} 自 {day} 起没有数值", "请在当地的参数文件里补上")

    def _limits(self, structure: Structure, places: Sequence[str], day: date) -> None:
        """No value below its 不低于 or above its 不高于, at any place on any day on which both are set."""
        names = {name for name, each in structure.declared.items() if each.floor or each.ceiling}
        if not names:
            return
        values = {}
        for name, declared in structure.declared.items():
            try:
                values[name] = self.book._value_in_force(structure, declared, places, day)
            except (BadInput, FaultFound):
                continue  # missing or faulty: told elsewhere
        for declared, what, remedy in beyond_limits(structure, values):
            entry = self.book._entry_in_force(structure.code, declared.name, places, day)
            self._add(entry.at if entry else declared.at, what, remedy)

    def _facts_with_others(self, structure: Structure, places: Sequence[str], day: date) -> None:
        try:
            asked = self.book._asked(structure, places, day)
        except PolicyFaults:
            return  # told where the other programme is checked
        needed = {fact.code for each in (structure, *asked.values()) for fact in each.facts_needed}
        if len(needed) > FACTS_MAX:
            at = next(layer.at for layer in self.book.layers if layer.programme == structure.code)
            self._add(at, f"连同符合(…)的项目，用到的事实超过 {FACTS_MAX} 项", "请改用 享受(编码)")

    def _one_value(self, structure: Structure, entry: ParameterEntry) -> None:
        declared = structure.declared.get(entry.name) or self.asked_from_afar.get(entry.name)
        if declared is None:
            self._add(
                entry.at, f"项目 {structure.code} 没有“{entry.name}”这个参数", nearest(entry.name, structure.declared)
            )
            return
        try:
            value = read_value(entry, declared)
            if entry.rows and declared.key and isinstance(value, Tiers):
                require_cover(entry.rows, value, declared.key, structure.table_floors.get(entry.name))
        except FaultFound as found:
            self.found.append(found.fault)
            return
        if entry.name in structure.nonzero_parameters and has_zero(value):
            self._add(entry.text, f"参数“{entry.name}”为零，而算式用它作除数", "请写大于零的数值")
