"""A draft checked as it is typed: faults at their field, worked cases run again, and the same households before and after.

in    the texts in use, a draft's text, its programme, place and date
out   `Checked`: faults with field, place and remedy; cases; differences in words

The whole book is read with the draft in it, so a name another programme rests on counts too. Pure: no database, no
clock. Two rules are the draft's own, beyond the language: it is about its programme, place and date only, and nothing
in it reaches back before that date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from huimin.kernel.errors import Refusal
from huimin.policy.differing import Difference, differences
from huimin.policy.drafting import Sheet, field_at, ground_of, sheet_of
from huimin.policy.written import File, Written, read_file, read_texts
from huimin.rules import Book, Fault, PolicyFaults, Programme, explain, read_book_texts, run_cases
from huimin.rules.cases import case_facts
from huimin.rules.faults import FaultFound
from huimin.rules.layers import Case

BYTES_MAX = 200_000


@dataclass(frozen=True)
class Problem:
    """One thing to mend: the form's field ("" for none), where in the text, what was found, what would be right."""

    field: str
    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return "。".join(part.rstrip("。") for part in (self.what, self.remedy) if part) + "。"


UNCHANGED = Problem("", "", "和现行的没有不同", "请改动标准、条件、算法或说明；不改就撤回草稿")
"""Not told as a fault to somebody who has just begun."""


@dataclass(frozen=True)
class Rerun:
    """A worked case run again: passed or not, and what its household gets today and under the draft.

    `superseded`: a case of an older text, of a day on which the draft will hold; that its result changes is no fault.
    """

    name: str
    passed: bool
    fault: str
    superseded: bool
    was: str
    now: str

    @property
    def changed(self) -> bool:
        return self.was != self.now


@dataclass(frozen=True)
class Checked:
    problems: tuple[Problem, ...] = ()
    cases: tuple[Rerun, ...] = ()
    changes: tuple[Difference, ...] = ()

    @property
    def unchanged(self) -> bool:
        return UNCHANGED in self.problems

    @property
    def told(self) -> tuple[Problem, ...]:
        """What a page tells while one drafts."""
        return tuple(each for each in self.problems if each != UNCHANGED)

    @property
    def problems_at(self) -> dict[str, list[Problem]]:
        """By field."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            found.setdefault(problem.field, []).append(problem)
        return found


@dataclass(frozen=True)
class Draft:
    """What is checked. `texts` are those in use by path, without the draft; `today` the business date."""

    texts: tuple[tuple[str, str], ...]
    path: str
    text: str
    code: str
    places: tuple[tuple[str, str], ...]
    effective_on: date
    today: date
    names: tuple[tuple[str, str], ...]

    @property
    def chain(self) -> tuple[str, ...]:
        """Codes of the places, nation first."""
        return tuple(code for code, _ in self.places)


@lru_cache(maxsize=32)
def check(draft: Draft) -> Checked:
    """Everything said about a draft; never raises for what the draft says.

    Kept for the same words: what was checked while typing is not checked again to be saved, shown and submitted.
    """
    if len(draft.text.encode()) > BYTES_MAX:
        return Checked((Problem("", "", f"草稿超过 {BYTES_MAX // 1000} KB", "请删去不用的案例"),))
    written = read_texts(dict(draft.texts))
    ground = ground_of(written, draft.code, draft.chain, draft.effective_on - timedelta(days=1))
    try:
        sheet = sheet_of(draft.text, ground, draft.path)
        file = read_file(draft.path, draft.text)
    except (FaultFound, PolicyFaults) as found:
        faults = [found.fault] if isinstance(found, FaultFound) else list(found.faults)
        return Checked(tuple(Problem("", _where(fault), fault.what, fault.remedy) for fault in faults))
    problems = [*_own_rules(draft, file), *_no_reach_back(draft, file)]
    book = _read(draft, sheet, problems)
    changes = _changes(draft, written, file) if file and not problems else ()
    if not changes and not problems:
        problems.append(UNCHANGED)
    cases = _cases(draft, book) if book else ()
    problems += [
        Problem("cases", "", f"案例“{each.name}”不符：{each.fault}", "请改正算式，或按新版的结果改正案例")
        for each in cases
        if not each.passed and not each.superseded
    ]
    problems += _own_case(file, changes)
    return Checked(tuple(problems), cases, changes)


def _own_case(file: File | None, changes: Sequence[Difference]) -> list[Problem]:
    """Who changes how something is computed shows by an example of his own what he means (POL-02)."""
    computed = any(each.kind in ("condition", "value", "amount") for each in changes)
    if computed and file is not None and not file.plain.get("案例"):
        return [Problem("cases", "", "改了条件或算法，还没有案例", "请照格式写至少一个按新版认定的案例")]
    return []


def _where(fault: Fault) -> str:
    return f"第 {fault.line} 行第 {fault.column} 列"


def _own_rules(draft: Draft, file: File | None) -> list[Problem]:
    found = []
    if file is None or file.code != draft.code:
        found.append(Problem("", "", "草稿的“项目”不能改", f"请写 项目: {draft.code}"))
    elif file.division != draft.chain[-1]:
        found.append(Problem("", "", "草稿的“区划”不能改", f"请写 区划: {draft.chain[-1]}"))
    elif file.since != draft.effective_on:
        found.append(Problem("effective_on", "", "草稿的“自”和施行日期不一致", f"请写 自: {draft.effective_on}"))
    if draft.effective_on <= draft.today:
        found.append(
            Problem("effective_on", "", f"施行日期 {draft.effective_on} 不在今后", "新版只能从以后的日子施行，不追溯")
        )
    return found


def _no_reach_back(draft: Draft, file: File | None) -> list[Problem]:
    """Values of an earlier date, or of another programme, would change what is in force."""
    found = []
    items = file.plain.get("参数", ()) if file else ()
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict) or not ({"数值", "档"} & item.keys()):
            continue
        name = str(item.get("名称", ""))
        if str(item.get("项目", draft.code)) != draft.code:
            found.append(Problem("", "", f"参数“{name}”是别的项目的", "一份草稿只改一个项目"))
        elif str(item.get("自", "")) < draft.effective_on.isoformat():
            found.append(
                Problem("", "", f"参数“{name}”的“自”早于施行日期", f"请写 自: {draft.effective_on} 或以后的日期")
            )
    return found


def _read(draft: Draft, sheet: Sheet, problems: list[Problem]) -> Book | None:
    """The book with the draft in it; its faults go to `problems`."""
    try:
        return read_book_texts({**dict(draft.texts), draft.path: draft.text})
    except PolicyFaults as found:
        for fault in found.faults:
            mine = fault.file == draft.path
            at = field_at(draft.text, draft.path, fault.line, fault.column, sheet) if mine else ""
            problems.append(Problem(at, _where(fault) if mine else fault.where, fault.what, fault.remedy))
        return None


def _changes(draft: Draft, written: Written, file: File) -> tuple[Difference, ...]:
    was = written.state(draft.code, draft.chain, draft.effective_on - timedelta(days=1))
    now = Written((*written.files, file)).state(draft.code, draft.chain, draft.effective_on)
    return tuple(differences(was, now, dict(draft.names), dict(draft.places)))


# -- worked cases


def _cases(draft: Draft, book: Book) -> tuple[Rerun, ...]:
    """Every worked case of the programme that concerns this place, the draft's own first."""
    here = set(draft.chain)
    kept = tuple(
        layer if layer.programme == draft.code and layer.division in here else replace(layer, cases=())
        for layer in book.layers
    )
    results = run_cases(replace(book, layers=kept, _structures={}))
    cases = [(layer, case) for layer in kept for case in layer.cases]
    days = (draft.effective_on - timedelta(days=1), draft.effective_on)
    laws = [(_law(draft, book, day), day) for day in days]
    found = []
    for (layer, case), result in zip(cases, results, strict=True):
        own = layer.at.file == draft.path
        superseded = not own and _day_of(case) >= draft.effective_on.isoformat()
        was, now = (_outcome(law, case, day) for law, day in laws)
        found.append((not own, Rerun(result.case, result.passed, result.fault, superseded, was, now)))
    return tuple(rerun for _, rerun in sorted(found, key=lambda each: each[0]))


def _law(draft: Draft, book: Book, on: date) -> Programme | None:
    """The programme at this place on a day, with this place's own values; None when it is not in force there."""
    try:
        return next(iter(book.programmes_in_force(draft.chain, on, only=draft.code)), None)
    except Refusal:
        return None


def _day_of(case: Case) -> str:
    entry = case.fields.get("日期")
    return entry.text.text.strip() if entry is not None and entry.text is not None else ""


def _outcome(law: Programme | None, case: Case, on: date) -> str:
    """What the case's household gets; said, not raised, when the case cannot be computed on that day."""
    if law is None:
        return "不施行"
    try:
        household, members = case_facts(case, law.facts)
        results = explain(law, household, members, on)["results"]
    except (Refusal, FaultFound):
        return "不能计算"
    assert isinstance(results, list)
    return "、".join(_result_words(result) for result in results) or "不符合"


def _result_words(result: Mapping[str, object]) -> str:
    fen = result["amount_fen"]
    assert isinstance(fen, int)
    if result["eligible"] is None:
        return "缺事实"
    return f"{fen // 100}.{fen % 100:02d} 元" if result["eligible"] else "不符合"
