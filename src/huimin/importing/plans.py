"""What a file is taken for: its kind, its tables, the meaning of each column (REG-03).

in    the sheets of a file; what was chosen by hand, what this office's heads meant before
out   a `Plan`: complete, or with what is missing in words

Order of belief for a head: chosen now, remembered of this office, the fact dictionary and its synonyms. Only sheets that
are shown and have a table of the kind take part; the others are named with the reason.
"""

from dataclasses import dataclass, field
from typing import Any

from huimin.importing.kinds import KINDS, Kind, recognise_kind
from huimin.importing.layout import Laid, lay_out
from huimin.importing.reading import Sheet
from huimin.importing.terms import Terms


@dataclass
class Plan:
    """`heads` are the labels of all tables in order; `mapping` gives each its target, "" for not imported."""

    kind: str
    terms: Terms = field(default_factory=Terms)
    laid: list[Laid] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    mapping: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return bool(self.kind and self.laid and not self.missing)

    def left_out(self) -> list[dict[str, Any]]:
        """Rows and sheets that are not imported, as data."""
        rows = [
            {"sheet": each.sheet, "row": each.row, "why": each.why, "text": each.text}
            for laid in self.laid
            for each in laid.left_out
        ]
        return [{"sheet": name, "row": 0, "why": why, "text": ""} for name, why in self.passed_over] + rows[:2000]


def make_plan(
    sheets: list[Sheet],
    *,
    kind: str = "",
    chosen: dict[str, str] | None = None,
    remembered: dict[tuple[str, str], str],
    terms: Terms | None = None,
) -> Plan:
    """`chosen` is label → target as decided by hand; `remembered` is (kind, label) → target of this office."""
    terms = terms or Terms()
    known = frozenset(label for _, label in remembered) | frozenset(chosen or {}) | terms.heads
    tables: list[Laid] = []
    passed_over: list[tuple[str, str]] = []
    for sheet in sheets:
        if sheet.hidden:
            passed_over.append((sheet.name, "隐藏的表，不导入"))
            continue
        laid = lay_out(sheet, known) if sheet.columns else None
        if laid is None or not laid.rows:
            passed_over.append((sheet.name, "没有数据行" if laid or not sheet.rows else "认不出表头"))
        else:
            tables.append(laid)
    kind = kind or _kind_of(tables, terms, remembered)
    plan = Plan(kind, terms, passed_over=passed_over)
    if not kind:
        plan.heads = list(dict.fromkeys(label for laid in tables for label in laid.labels if label))
        plan.mapping = {label: terms.recognise(label) or "" for label in plan.heads}
        plan.laid = tables
        plan.missing = ["这张表是户、人、卡还是资源"] if tables else ["有表头的表"]
        return plan
    _map(plan, tables, chosen or {}, remembered)
    return plan


def _kind_of(tables: list[Laid], terms: Terms, remembered: dict[tuple[str, str], str]) -> str:
    """The kind most rows are of; a table of members outweighs sheets that only sum it up."""
    weights: dict[str, int] = {}
    for laid in tables:
        found = {code for label in laid.labels if (code := terms.recognise(label))}
        code = recognise_kind(found, {fact.code: fact for fact in terms.added}) or _kind_before(laid, terms, remembered)
        if code:
            weights[code] = weights.get(code, 0) + laid.rows
    return max(weights, key=lambda code: weights[code], default="")


def _kind_before(laid: Laid, terms: Terms, remembered: dict[tuple[str, str], str]) -> str:
    """The kind this office took a table of these heads for, where what it said of them then is enough; "" for none."""
    told = {code: [remembered.get((code, label[:120]), "") for label in laid.labels if label] for code in KINDS}
    enough = [code for code, targets in told.items() if any(targets) and not terms.kind(code).missing(set(targets))]
    return max(enough, key=lambda code: sum(map(bool, told[code])), default="")


def _map(plan: Plan, tables: list[Laid], chosen: dict[str, str], remembered: dict[tuple[str, str], str]) -> None:
    """Tables that have what the kind needs take part; where none has, all do, and say what is missing."""
    kind = plan.terms.kind(plan.kind)
    mapped: list[tuple[Laid, dict[str, str], list[str]]] = []
    for laid in tables:
        mapping = {label: _meaning(label, plan, chosen, remembered) for label in laid.labels if label}
        targets = {kind.target(code) for code in mapping.values() if code} - {""}
        mapped.append((laid, mapping, kind.missing(targets)))
    some = any(not lacks for _, _, lacks in mapped)
    for laid, mapping, lacks in mapped:
        if lacks and some:
            plan.passed_over.append((laid.sheet, f"没有{'、'.join(lacks)}一列"))
            continue
        plan.laid.append(laid)
        plan.heads += [label for label in mapping if label not in plan.heads]
        plan.mapping |= _once(mapping, kind)
        plan.missing += [each for each in lacks if each not in plan.missing]


def _meaning(label: str, plan: Plan, chosen: dict[str, str], remembered: dict[tuple[str, str], str]) -> str:
    if label in chosen:
        return chosen[label]
    return remembered.get((plan.kind, label[:120]), plan.terms.recognise(label) or "")


def _once(mapping: dict[str, str], kind: Kind) -> dict[str, str]:
    """Two columns for one target: the first counts, the other is not imported unless somebody says so."""
    taken: set[str] = set()
    clean: dict[str, str] = {}
    for label, code in mapping.items():
        target = kind.target(code)
        clean[label] = target if target and target not in taken else ""
        taken.add(target)
    return clean
