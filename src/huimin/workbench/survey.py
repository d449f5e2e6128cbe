"""The survey form (基本信息表): every fact of a household and its members on one page, as typed text and as values (REG-01).

in    the household as it stands (or none, for a new one), the facts the county added, what was typed
out   cells to show, faults at their cells, what is missing by name, and the payload of a change of facts

A cell is named `h.CODE` for the household, `pID.CODE` for a member, `nNUMBER.CODE` for somebody new. An empty cell of a
known household is a fact nobody asked: it changes nothing when it was empty before, and makes the fact unknown when it was
not. Faults stop; hints (what is unlikely, but happens) do not. Amounts are typed in 元, areas in 亩, as a spreadsheet has them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS, HOUSEHOLD_FACTS, PERSON_FACTS, RELATIONS, Entity, Fact, Kind
from huimin.kernel.identity import normalise_identity, parse_identity
from huimin.kernel.masking import mask_identity
from huimin.kernel.money import parse_yuan, yuan_plain
from huimin.kernel.names import unfit_in
from huimin.organisation.acting import Actor
from huimin.registry.added import of_entity, require_fits
from huimin.registry.models import ELSEWHERE
from huimin.registry.queries import HEAD, HouseholdState, Member
from huimin.registry.showing import show
from huimin.workbench.listing import day_of

Options = list[tuple[str, str]]
NEW_MAX = 20
SYSTEMS = ("death_date", "moved_out_date")
"""Facts that come from a change of their own, never from a form."""
_YES, _NO = "是", "否"
_NEW = re.compile(r"n(\d{1,2})\.")
_ABROAD = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")
_WITHIN = {
    "disability_grade": (0, 4), "self_care_losses": (0, 6), "veteran_grade": (0, 10), "clergy_years": (0, 90),
    "vehicles": (0, 99), "houses": (0, 99), "large_machines": (0, 99), "breeding_sows": (0, 30_000), "businesses": (0, 99),
}  # fmt: skip


@dataclass
class Cell:
    """One field: its name in the form, what was typed or is known, and what is wrong with it."""

    name: str
    label: str
    text: str
    options: Options = field(default_factory=list)
    hint: str = ""
    error: str = ""
    fact: Fact | None = None
    known: Any = None

    @property
    def auto_id(self) -> str:
        return "id_" + self.name.replace(".", "_")

    @property
    def numeric(self) -> bool:
        return self.fact is not None and self.fact.kind in (Kind.INT, Kind.MONEY, Kind.AREA, Kind.DATE)


@dataclass
class Part:
    """The household, a member, or somebody new."""

    key: str
    title: str
    cells: list[Cell]
    member: Member | None = None

    def cell(self, code: str) -> Cell:
        return next(cell for cell in self.cells if cell.name == f"{self.key}.{code}")

    def typed(self, code: str) -> str:
        return next((cell.text for cell in self.cells if cell.name == f"{self.key}.{code}"), "")

    @property
    def missing(self) -> list[str]:
        return [cell.label for cell in self.cells if cell.fact is not None and not cell.text.strip()]


class Survey:
    """A form over a household (`state` None: a new one) and what was typed into it (None: nothing yet)."""

    def __init__(
        self,
        state: HouseholdState | None,
        added: Sequence[Fact],
        typed: Mapping[str, str] | None,
        on: date,
        new: int = 0,
    ) -> None:
        self.state, self.added, self.typed, self.on = state, added, typed, on
        self.values: dict[str, Any] = {}
        self.hints: list[tuple[str, str]] = []
        self.household = self._household()
        self.members = [self._member(each) for each in state.members] if state else []
        self.newcomers = [self._newcomer(number) for number in self._numbers(new)]
        if typed is not None:
            self._read()
            self._compare()

    @property
    def parts(self) -> list[Part]:
        return [self.household, *self.members, *self.newcomers]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id, words) of every fault, for the summary on top."""
        return [
            (cell.auto_id, f"{part.title}：{cell.error}") for part in self.parts for cell in part.cells if cell.error
        ]

    @property
    def faults(self) -> list[Cell]:
        return [cell for part in self.parts for cell in part.cells if cell.error]

    @property
    def missing(self) -> list[tuple[str, list[str]]]:
        """(whose, names) of what was not asked."""
        return [(part.title, part.missing) for part in self.parts if part.missing]

    @property
    def missing_count(self) -> int:
        return sum(len(names) for _, names in self.missing)

    # -- cells

    def _text(self, name: str, known: str) -> str:
        return known if self.typed is None else str(self.typed.get(name, ""))

    def _household(self) -> Part:
        shown = {each.fact.code: each.value for each in self.state.facts} if self.state else {}
        facts = (*HOUSEHOLD_FACTS, *of_entity(self.added, Entity.HOUSEHOLD))
        address, phone = (self.state.address, self.state.phone) if self.state else ("", "")
        contact = [
            Cell(
                "h.address",
                "家庭地址",
                self._text("h.address", ""),
                hint=f"现登记 {address}，不改不填" if address else "",
            ),
            Cell("h.phone", "联系电话", self._text("h.phone", ""), hint=f"现登记 {phone}，不改不填" if phone else ""),
        ]
        return Part("h", "户", contact + [self._cell("h", fact, shown.get(fact.code)) for fact in facts])

    def _member(self, member: Member) -> Part:
        key = f"p{member.person.pk}"
        known = {each.fact.code: each.value for each in member.facts}
        cells = [self._cell(key, fact, known.get(fact.code)) for fact in self._person_facts()]
        return Part(key, member.person.name, cells, member)

    def _person_facts(self) -> list[Fact]:
        return [
            fact
            for fact in (*PERSON_FACTS, *of_entity(self.added, Entity.PERSON))
            if fact.code not in (*ELSEWHERE, *SYSTEMS)
        ]

    def _numbers(self, new: int) -> list[int]:
        """Blocks of people to add: those typed into, and as many empty ones as were asked for."""
        used = {int(found[1]) for name, text in (self.typed or {}).items() if text and (found := _NEW.match(name))}
        wanted = range(min(max(new, 1 if self.state is None else 0, len(used)), NEW_MAX))
        return sorted({number for number in used if number < NEW_MAX} | set(wanted))

    def _newcomer(self, number: int) -> Part:
        key = f"n{number}"
        relations: Options = [
            ("", "请选择"),
            *((each, each) for each in RELATIONS if self.state is None or each != HEAD),
        ]
        own = [
            Cell(f"{key}.name", "姓名", self._text(f"{key}.name", "")),
            Cell(
                f"{key}.id_number",
                "证件号码",
                self._text(f"{key}.id_number", ""),
                hint="18 位，性别和出生日期由号码得出",
            ),
            Cell(f"{key}.relation", "与户主关系", self._text(f"{key}.relation", ""), relations),
        ]
        return Part(key, f"新成员 {number + 1}", own + [self._cell(key, fact, None) for fact in self._person_facts()])

    def _cell(self, key: str, fact: Fact, known: Any) -> Cell:
        options: Options = []
        if fact.kind is Kind.FLAG:
            options = [("", "未采集"), (_YES, _YES), (_NO, _NO)]
        elif fact.kind is Kind.CHOICE:
            options = [("", "未采集"), *((each, each) for each in fact.choices)]
        unit = f"{fact.unit}{'/' + fact.per if fact.per else ''}"
        hint = {Kind.DATE: "如 2021-07-01", Kind.PLACE: "12 位区划代码"}.get(fact.kind, unit)
        name = f"{key}.{fact.code}"
        return Cell(name, fact.name, self._text(name, as_typed(fact, known)), options, hint, fact=fact, known=known)

    # -- reading

    def _read(self) -> None:
        for part in self.parts:
            idle = part.key.startswith("n") and not any(cell.text.strip() for cell in part.cells)
            for cell in part.cells:
                if not idle:
                    self._read_cell(cell)
            if part.key.startswith("n") and not idle:
                self._read_newcomer(part)

    def _read_cell(self, cell: Cell) -> None:
        if cell.fact is None:
            return
        try:
            self.values[cell.name] = read_value(cell.text, cell.fact)
        except BadInput as wrong:
            cell.error = _said(wrong)

    def _read_newcomer(self, part: Part) -> None:
        for code, words in (("name", "请填写姓名"), ("id_number", "请填写证件号码"), ("relation", "请选择与户主关系")):
            if not part.typed(code).strip():
                part.cell(code).error = words
        name = part.cell("name")
        if found := unfit_in("".join(name.text.split())):
            name.error = "，".join(found)
        number = part.cell("id_number")
        if number.text.strip():
            try:
                identity = parse_identity(number.text, today=self.on)
                number.hint = f"{identity.sex}，{identity.birth_date} 生，{_age(identity.birth_date, self.on)} 岁"
            except BadInput as wrong:
                number.error = _said(wrong)

    # -- what does not fit together

    def _compare(self) -> None:
        self._compare_areas()
        for part in (*self.members, *self.newcomers):
            self._compare_person(part)
        self._compare_relations()

    def _value(self, part: Part, code: str) -> Any:
        return self.values.get(f"{part.key}.{code}")

    def _fault(self, part: Part, code: str, words: str) -> None:
        cell = part.cell(code)
        cell.error = cell.error or words

    def _compare_areas(self) -> None:
        sown = self._value(self.household, "sown_land_mu")
        for code in ("rice_mu", "wheat_mu", "corn_mu", "soy_mu"):
            area = self._value(self.household, code)
            if sown is not None and area is not None and area > sown:
                label = self.household.cell(code).label
                self._fault(self.household, code, f"{label}大于实际种植亩数，请核对两项")
        if self._value(self.household, "vehicles") == 0 and (self._value(self.household, "vehicle_value") or 0) > 0:
            self._fault(self.household, "vehicle_value", "没有机动车却有价值，请核对机动车数")

    def _compare_person(self, part: Part) -> None:
        v: Callable[[str], Any] = lambda code: self._value(part, code)  # noqa: E731
        if v("disability_kind") == "无" and (v("disability_grade") or 0) > 0:
            self._fault(part, "disability_grade", "残疾类别是“无”却有等级，请核对残疾人证")
        if v("disability_kind") not in (None, "无") and v("disability_grade") == 0:
            self._fault(part, "disability_grade", "有残疾类别却没有等级，请对照残疾人证填写 1 至 4 级")
        if v("pension_kind") == "无" and (v("pension_month") or 0) > 0:
            self._fault(part, "pension_month", "养老金类别是“无”却有金额，请核对领取记录")
        if v("employed") is False and (v("wage_month") or 0) > 0:
            self._fault(part, "wage_month", "没有就业却有工资，请核对就业一项")
        if None not in (v("hospital_cost"), v("hospital_reimbursed")) and v("hospital_reimbursed") > v("hospital_cost"):
            self._fault(part, "hospital_reimbursed", "报销大于医疗费用，请对照结算单")
        age = self._age(part)
        if age is not None and age < 6 and v("schooling") not in (None, "否", "学前"):
            self.hints.append((part.cell("schooling").auto_id, f"{part.title} {age} 岁在校{v('schooling')}，请核对"))
        if age is not None and age < 16 and v("marital") not in (None, "未婚"):
            self._fault(part, "marital", f"{age} 岁登记为{v('marital')}，请核对证件号码和婚姻状况")

    def _age(self, part: Part) -> int | None:
        if part.member is not None:
            return _age(part.member.person.birth_date, self.on)
        cell = part.cell("id_number")
        if cell.error or not cell.text.strip():
            return None
        return _age(parse_identity(cell.text, today=self.on).birth_date, self.on)

    def _compare_relations(self) -> None:
        relations = [(part, part.member.relation if part.member else part.typed("relation")) for part in self.parts[1:]]
        heads = [part for part, relation in relations if relation == HEAD]
        if self.state is None and len(heads) != 1 and self.newcomers:
            self._fault(heads[1] if heads else self.newcomers[0], "relation", "一户要有且只有一名户主")
        spouses = [part for part, relation in relations if relation == "配偶"]
        if len(spouses) > 1 and spouses[-1].member is None:
            self._fault(spouses[-1], "relation", "已有一名配偶，请核对与户主关系")
        head_age = self._age(heads[0]) if heads else None
        for part, relation in relations:
            age = self._age(part)
            if relation in ("子", "女") and head_age is not None and age is not None and age >= head_age:
                self.hints.append(
                    (part.cells[0].auto_id, f"{part.title}是户主的{relation}，年龄却不小于户主，请核对关系")
                )

    # -- out

    def payload(self) -> dict[str, Any]:
        """What changes: facts that differ from what is known, and people who are new; dates as ISO text."""
        found: dict[str, Any] = {"household": self._changed(self.household), "people": {}, "new": []}
        for code in ("address", "phone"):
            if text := self.household.typed(code).strip():
                found[code] = text
        for part in self.members:
            if facts := self._changed(part):
                found["people"][part.key[1:]] = facts
        for part in self.newcomers:
            if part.typed("name").strip():
                found["new"].append(
                    {
                        "name": part.typed("name").strip(),
                        "id_number": normalise_identity(part.typed("id_number")),
                        "relation": part.typed("relation"),
                        "facts": self._changed(part),
                    }
                )
        return found

    def _changed(self, part: Part) -> dict[str, Any]:
        cells = [cell for cell in part.cells if cell.fact is not None and cell.name in self.values]
        return {
            cell.fact.code: _plain(self.values[cell.name])
            for cell in cells
            if cell.fact is not None and _plain(self.values[cell.name]) != _plain(cell.known)
        }


def is_empty(payload: Mapping[str, Any]) -> bool:
    return not any(payload.get(name) for name in ("household", "people", "new", "address", "phone"))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _said(wrong: BadInput) -> str:
    return "，".join(part for part in (wrong.what, wrong.why, wrong.remedy) if part)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def as_typed(fact: Fact, value: Any) -> str:
    """A stored value as the form's text."""
    if value is None:
        return ""
    if fact.kind is Kind.FLAG:
        return _YES if value else _NO
    if fact.kind in (Kind.MONEY, Kind.AREA):
        return yuan_plain(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def read_value(text: str, fact: Fact) -> Any:
    """The value in the system's form, None for an empty text; BadInput says what would be right."""
    text = text.strip().translate(_ABROAD)
    if not text:
        return None
    value: Any = text
    if fact.kind is Kind.FLAG:
        value = {_YES: True, _NO: False}.get(text, text)
    elif fact.kind in (Kind.MONEY, Kind.AREA):
        try:
            value = parse_yuan(text.replace(",", ""), where=fact.name)
        except BadInput:
            raise BadInput(f"{fact.name}请填数字，最多两位小数", where=fact.name) from None
        if value < 0:
            raise BadInput(f"{fact.name}不能小于零", where=fact.name)
    elif fact.kind is Kind.INT:
        value = _whole(text, fact)
    elif fact.kind is Kind.DATE and (value := day_of(text)) is None:
        raise BadInput(f"{fact.name}请按 2021-07-01 的样子填写", where=fact.name)
    require_fits(value, fact)
    return value


def _whole(text: str, fact: Fact) -> int:
    low, high = _WITHIN.get(fact.code, (0, 32_767))
    if not (text.isascii() and text.isdigit() and len(text) < 7) or not low <= int(text) <= high:
        raise BadInput(f"{fact.name}请填 {low} 至 {high} 的整数", where=fact.name)
    return int(text)


def fact_rows(
    payload: Mapping[str, Any], added: Sequence[Fact], names: Mapping[int, str], by: Actor
) -> list[tuple[str, str, str]]:
    """(whose, which fact, value) of a change of facts, for the eyes of `by`; personal values masked."""
    facts = {fact.code: fact for fact in (*FACTS, *added)}
    rows = list(_shown("", payload.get("household") or {}, facts, by))
    people = payload.get("people")
    for number, told in (people if isinstance(people, Mapping) else {}).items():
        rows += _shown(names.get(int(number), ""), told, facts, by)
    for each in payload.get("new") or []:
        rows.append((each["name"], "新成员", f"{each['relation']}，证件号码 {mask_identity(each['id_number'])}"))
        rows += _shown(each["name"], each.get("facts") or {}, facts, by)
    return rows


def _shown(who: str, told: Mapping[str, Any], facts: Mapping[str, Fact], by: Actor) -> Iterable[tuple[str, str, str]]:
    return [(who, facts[code].name, show(facts[code], value, by).text) for code, value in told.items() if code in facts]
