"""The worked cases beside each policy, run as tests (POL-02).

in    a Book
out   one CaseResult per case: passed, or what was expected and what came out, and where the case stands

A case names a date, sometimes a place and parameters of its own; facts it does not write are those of 案例底数, and 不详
makes one unknown. What is held (享受) and what other programme is fitted (符合) is given, never worked out. A case that cannot be run is a failed case, never a skipped one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from huimin.kernel.errors import Refusal
from huimin.kernel.facts import Entity, Fact, Kind
from huimin.kernel.places import chain
from huimin.rules.book import Book, Override
from huimin.rules.explain import explain
from huimin.rules.faults import FaultFound
from huimin.rules.fields import day_of
from huimin.rules.held_input import FITS, HELD_FIELDS, HOLDS
from huimin.rules.layers import Case
from huimin.rules.values import YES
from huimin.rules.yaml_text import Entry

_ELIGIBLE = {"是": True, "否": False, "未知": None}
CASES_MIN = 3
"""What a programme says is understood the same by three households at least, or it is not understood."""
_RESULT_FIELDS = ("符合", "金额", "不符合", "缺少", "渐退")


@dataclass(frozen=True)
class CaseResult:
    """`fault` is empty when the case passed. `superseded`: what a case does not meet any more, because on its day a later
    text of its place (替代) has taken the place of the one it was written for; that is no fault."""

    programme: str
    case: str
    where: str
    fault: str = ""
    superseded: str = ""

    @property
    def passed(self) -> bool:
        return not self.fault


def few_cases(book: Book) -> dict[str, int]:
    """Programmes with fewer than `CASES_MIN` cases in all their layers together, and how many they have."""
    counts = dict.fromkeys(book.codes, 0)
    for layer in book.layers:
        counts[layer.programme] += len(layer.cases)
    return {code: count for code, count in counts.items() if count < CASES_MIN}


def few_cases_words(book: Book) -> list[str]:
    """The same as sentences, each with the place of the programme's first layer."""
    first = {layer.programme: layer.at for layer in reversed(book.layers)}
    spots = {code: first[code].place(0) for code in few_cases(book)}
    return [
        f"{first[code].file} 第 {spots[code][0]} 行第 {spots[code][1]} 列：项目 {code} 有 {count} 个案例，至少要写三个"
        for code, count in few_cases(book).items()
    ]


def run_cases(book: Book) -> tuple[CaseResult, ...]:
    """Every case of the book, in the order of the files."""
    return tuple(_run(book, code, case) for code, case in book.cases)


def _run(book: Book, code: str, case: Case) -> CaseResult:
    line, column = case.at.place(0)
    where = f"{case.at.file} 第 {line} 行第 {column} 列"
    try:
        fault = _difference(book, code, case)
    except FaultFound as found:
        fault = str(found.fault)
    except Refusal as refusal:
        fault = str(refusal)
    if fault and _replaced(book, code, case):
        return CaseResult(code, case.id, where, superseded=fault)
    return CaseResult(code, case.id, where, fault)


def _replaced(book: Book, code: str, case: Case) -> bool:
    """Whether another text holds at the case's place on its day than the one that brought the case."""
    if "日期" not in case.fields:
        return False
    try:
        on = day_of(case.fields["日期"])
    except FaultFound:
        return False
    layers = [each for each in book.layers if each.programme == code and each.division == case.division]
    own = next((each for each in layers if any(case is its for its in each.cases)), None)
    return own is not None and any(each.replaces and own.valid_from < each.valid_from <= on for each in layers)


def _difference(book: Book, code: str, case: Case) -> str:
    on = day_of(_entry(case, "日期"))
    programmes = book.programmes_in_force(chain(case.division), on, _overrides(case), only=code)
    if not programmes:
        return f"项目 {code} 在 {case.division}、{on} 不在有效期内"
    household, members = case_facts(case, programmes[0].facts)
    told = explain(programmes[0], household, members, on)
    results = told["results"]
    assert isinstance(results, list)
    expected = _expected(case, programmes[0].unit == "person")
    if len(expected) != len(results):
        return f"写了 {len(expected)} 个结果，应当有 {len(results)} 个"
    differences = [_compared(entry, result) for entry, result in zip(expected, results, strict=True)]
    return "；".join(difference for difference in differences if difference)


def _entry(case: Case, key: str) -> Entry:
    if key not in case.fields:
        raise FaultFound(case.at, 0, f"案例缺少“{key}”", f"请补上 {key}: …")
    return case.fields[key]


def _overrides(case: Case) -> dict[str, Override]:
    if "参数" not in case.fields:
        return {}
    given = case.fields["参数"].mapping("参数", ())
    return {name: entry if entry.fields else entry.words(name).text for name, entry in given.items()}


def case_facts(case: Case, facts: tuple[Fact, ...]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """The household and members a case describes, as `explain` takes them."""
    shared = case.shared.mapping("案例底数", ("户", "成员")) if case.shared else {}
    household_base = _values(shared.get("户"), facts, Entity.HOUSEHOLD)
    member_base = _values(shared.get("成员"), facts, Entity.PERSON)
    household = household_base | _values(case.fields.get("户"), facts, Entity.HOUSEHOLD)
    members = case.fields["成员"].sequence("成员") if "成员" in case.fields else ()
    for key in (HOLDS, FITS):
        if key in case.fields:
            household[key] = _programmes(key, case.fields[key])
    household.setdefault(FITS, [])
    return household, [member_base | _values(member, facts, Entity.PERSON) for member in members]


def _programmes(key: str, entry: Entry) -> list[object]:
    """Codes of programmes, or for 享受 fields that say how much and since when."""
    if entry.items is None:
        return [] if entry.text and not entry.text.text.strip() else [entry.words(key).text.strip()]
    return [_programme(key, item) for item in entry.items]


def _programme(key: str, item: Entry) -> object:
    if item.fields is None or key == FITS:
        return item.words(key).text.strip()
    fields = {name: each.words(name).text.strip() for name, each in item.mapping(key, HELD_FIELDS).items()}
    return {name: Decimal(word) if name == "金额" and _number(word) else word for name, word in fields.items()}


def _number(word: str) -> bool:
    return word.replace(".", "", 1).isascii() and word.replace(".", "", 1).isdigit()


def _values(entry: Entry | None, facts: tuple[Fact, ...], entity: Entity) -> dict[str, object]:
    if entry is None or (entry.text is not None and not entry.text.text.strip()):
        return {}
    names = {fact.name: fact for fact in facts if fact.entity is entity}
    found = entry.mapping(entity.value, (*names, HOLDS, FITS))
    return {
        name: _programmes(name, value) if name in (HOLDS, FITS) else _typed(names[name], value)
        for name, value in found.items()
    }


def _typed(fact: Fact, entry: Entry) -> object:
    """The written word as the type `explain` takes for this fact; what does not fit is left for it to refuse."""
    word = entry.words(fact.name).text.strip()
    if word == "不详":
        return None
    if fact.kind is Kind.FLAG:
        return word in YES if word in _ELIGIBLE else word
    if fact.kind in (Kind.DATE, Kind.CHOICE, Kind.PLACE):
        return word
    try:
        return Decimal(word)
    except InvalidOperation:
        return word


def _expected(case: Case, by_person: bool) -> list[Entry]:
    entry = _entry(case, "结果")
    return list(entry.sequence("结果")) if by_person else [entry]


def _compared(entry: Entry, result: Mapping[str, object]) -> str:
    fields = entry.mapping("结果", _RESULT_FIELDS)
    found = _found(result)
    if "符合" not in fields:
        return "结果没有写“符合”"
    faults = []
    for key, written in fields.items():
        wanted = _wanted(key, written)
        if wanted != found[key]:
            lacking = f"（缺少：{found['缺少']}）" if key == "符合" and found[key] == "未知" else ""
            faults.append(f"{key}应为 {wanted}，算得 {found[key]}{lacking}")
    return "，".join(faults)


def _wanted(key: str, entry: Entry) -> str:
    if key in ("不符合", "缺少"):
        return "、".join(sorted(item.words(key).text.strip() for item in entry.sequence(key)))
    word = entry.words(key).text.strip()
    return f"{Decimal(word):.2f}" if key == "金额" and word.replace(".", "").isdigit() else word


def _found(result: Mapping[str, object]) -> dict[str, str]:
    conditions, missing, fen = result["conditions"], result["missing"], result["amount_fen"]
    assert isinstance(conditions, list)
    assert isinstance(missing, list)
    assert isinstance(fen, int)
    eligible = next(word for word, value in _ELIGIBLE.items() if value is result["eligible"])
    return {
        "符合": eligible,
        "金额": f"{fen // 100}.{fen % 100:02d}",
        "不符合": "、".join(sorted(condition["id"] for condition in conditions if condition["met"] is False)),
        "缺少": "、".join(sorted(missing)),
        "渐退": "是" if result["phase_out"] else "否",
    }
