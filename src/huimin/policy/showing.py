"""A policy as people read it: one programme at a place on a day, for the list, the page and the hand-outs (POL-01, POL-05).

in    the book and the texts in use, a place's chain, a day, who does what there
out   `Policy`: what, for whom, how much, where to apply, what is missing; its history as differences

Everything shown comes from the policy texts and the offices registered at the place; nothing is invented. What a text
does not say is said to be missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from huimin.kernel.places import Level, chain
from huimin.policy.differing import Difference, differences, plain_words
from huimin.policy.phase_out_fields import phase_out_fields
from huimin.policy.words import in_words, names_in
from huimin.policy.written import Row, Standard, State, Written
from huimin.rules import Book

LEVELS = (Level.NATION, Level.PROVINCE, Level.CITY, Level.COUNTY)
LEVEL_TITLES = ("国家", "省级", "市级", "县级")
_PAYEES = {"户主卡": "打入户主的惠民一卡通", "本人卡": "打入本人的惠民一卡通"}


@dataclass(frozen=True)
class Condition:
    """One condition in words, with its law, its paper, and the place that wrote it."""

    key: str
    text: str
    words: str
    expression: str
    citation: str
    paper: str
    place: str


@dataclass(frozen=True)
class Example:
    """A worked case as people read it: whose, on which day, what came out."""

    name: str
    on: str
    facts: str
    result: str


def _example(case: Mapping[str, Any]) -> Example:
    household = case.get("户")
    told = [f"{key} {plain_words(value)}" for key, value in household.items()] if isinstance(household, dict) else []
    members = case.get("成员")
    for member in members if isinstance(members, list) else ():
        if isinstance(member, dict):
            told.append(
                "，".join(
                    str(value) if key == "与户主关系" else f"{key} {plain_words(value)}"
                    for key, value in member.items()
                )
            )
    held = case.get("享受")
    told += [f"已享受 {plain_words(held)}"] if held else []
    results = case.get("结果")
    results = results if isinstance(results, list) else [results]
    return Example(
        str(case.get("编号", "")), str(case.get("日期", "")), "；".join(told), "；".join(map(_result_words, results))
    )


def _result_words(result: Any) -> str:
    if not isinstance(result, dict):
        return str(result)
    said = {"是": "符合", "否": "不符合", "未知": "缺事实，不能判断"}.get(str(result.get("符合")), "")
    amount = str(result.get("金额", ""))
    told = [said] if said else []
    told += [f"{amount} 元"] if amount and said == "符合" else []
    missing = result.get("缺少")
    told += [f"缺 {'、'.join(map(str, missing))}"] if isinstance(missing, list) else []
    return "，".join(told)


@dataclass(frozen=True)
class PhaseOut:
    """渐退: conditions that begin it (keys and texts), how long (as written, with what a parameter is worth now), shares."""

    triggers: Mapping[str, str]
    months: str
    worth: str
    shares: tuple[tuple[str, str], ...]
    premise: str
    basis: str

    @property
    def sentence(self) -> str:
        whom = "、".join(f"“{text}”" for text in self.triggers.values())
        months = f"{self.months}（现为 {self.worth}）" if self.worth else f" {self.months}"
        shares = "，".join(f"{_months_words(months)} {share}" for months, share in self.shares)
        return f"正在享受的，只因{whom}不再符合、别的条件都符合的，按原来的金额再发{months}：{shares}"

    @property
    def is_none_now(self) -> bool:
        """It is provided for and lasts no month at present."""
        return (self.worth or self.months).split()[:1] == ["0"]


def _months_words(months: str) -> str:
    return f"第 {months.removesuffix('起')} 个月" + ("起" if months.endswith("起") else "")


@dataclass(frozen=True)
class Step:
    """A day of the programme's history: what changed on it at this place."""

    on: date
    changes: tuple[Difference, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A programme at a place on a day. `status`: in_force, waiting, ahead, over; `missing`: parameters nobody has set."""

    code: str
    state: State
    status: str
    missing: tuple[str, ...]
    version: str
    places: Mapping[str, str]
    offices: tuple[str, ...]
    programmes: Mapping[str, str]

    def field(self, name: str) -> str:
        return self.state.fields.get(name, "")

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def status_words(self) -> str:
        if self.status == "waiting":
            return f"未生效：缺{'、'.join(self.missing)}"
        if self.status == "ahead":
            return f"{self.state.on} 起施行"
        return "施行中" if self.status == "in_force" else f"已停止，施行到 {self.state.on}"

    @property
    def department(self) -> str:
        """The department, and its office here when one is registered."""
        return "、".join(self.offices) or f"{self.field('主管部门')}部门"

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple(
            Condition(
                key, row.plain.get("说明", key), in_words(row.plain.get("算式", ""), self.programmes),
                row.plain.get("算式", ""), row.plain.get("依据", ""), row.plain.get("材料", ""), self._place(row),
            )
            for key, row in self.state.conditions.items()
        )  # fmt: skip

    @property
    def exclusions(self) -> tuple[tuple[str, str, str], ...]:
        """(programme, what it means, law) for what cannot be drawn together with this."""
        return tuple(
            (self.programmes.get(code, code), row.plain.get("说明", ""), row.plain.get("依据", ""))
            for code, row in self.state.exclusions.items()
        )

    @property
    def values(self) -> tuple[tuple[str, str, str, str], ...]:
        """(name, in words, as written, law) of every named value."""
        return tuple(
            (
                name,
                in_words(row.plain.get("算式", ""), self.programmes),
                row.plain.get("算式", ""),
                row.plain.get("依据", ""),
            )
            for name, row in self.state.values.items()
        )

    @property
    def whom(self) -> str:
        """For whom, in one sentence."""
        told = self.field("面向对象")
        return told or "；".join(each.text for each in self.conditions) + "。"

    @property
    def amount_words(self) -> str:
        return in_words(str(self.state.amount.get("算式", "")), self.programmes)

    @property
    def amount_limits(self) -> tuple[tuple[str, str], ...]:
        """What else the amount obeys: cap, floor, rounding, part periods."""
        amount = self.state.amount
        told = [(key, in_words(str(amount[key]), self.programmes)) for key in ("封顶", "保底") if amount.get(key)]
        return (*told, *((key, str(amount[key])) for key in ("取整", "合计", "不足期") if amount.get(key)))

    @property
    def phase_out(self) -> PhaseOut | None:
        """How a grant ends month by month; None when it ends at once."""
        plain = self.state.others.get("渐退")
        if not isinstance(plain, dict) or "作废" in plain:
            return None
        given = phase_out_fields(plain)
        texts = {key: row.plain.get("说明", key) for key, row in self.state.conditions.items()}
        worth = self.state.value_of(given["months"])
        steps = [line.partition(" ") for line in given["steps"].splitlines()]
        return PhaseOut(
            {key: texts.get(key, key) for key in given["triggers"].split()}, given["months"], worth.words if worth else "",
            tuple((months, share) for months, _, share in steps), in_words(given["premise"], self.programmes),
            given["citation"],
        )  # fmt: skip

    @property
    def amount_expression(self) -> str:
        return str(self.state.amount.get("算式", ""))

    @property
    def amount_basis(self) -> str:
        return str(self.state.amount.get("依据", ""))

    @property
    def period_words(self) -> str:
        """`每月：`, before the formula."""
        period = self.field("期间")
        return "一次性：" if period == "一次" else f"每{period}："

    @property
    def papers(self) -> tuple[str, ...]:
        """Every paper asked for, once."""
        return tuple(dict.fromkeys(each.paper for each in self.conditions if each.paper))

    @property
    def paid_by(self) -> tuple[str, ...]:
        """Parameters the amount names, the published 补贴标准; when it names none, those of the values it names, and so on.

        The other parameters are limits of conditions and deductions.
        """
        amount = self.state.amount
        words = names_in(" ".join(str(amount.get(key, "")) for key in ("算式", "封顶", "保底")))
        seen: set[str] = set()
        while words - seen and not words & self.state.parameters.keys():
            seen |= words
            rows = [self.state.values[word] for word in words if word in self.state.values]
            words = names_in(" ".join(str(row.plain.get("算式", "")) for row in rows))
        return tuple(name for name in self.state.parameters if name in words)

    def standards(self, *, paid: bool) -> tuple[tuple[str, str, tuple[Standard, ...]], ...]:
        """(name, unit, values by place) of what the amount rests on, or of the limits."""
        names = set(self.paid_by)
        return tuple(
            (name, str(declared.get("单位", "")), self.state.standards.get(name, ()))
            for name, declared in self.state.parameters.items()
            if (name in names) is paid
        )

    def standard_at(self, level: int) -> str:
        """The cell 补贴标准 of a level of the published list: the values standing at that place."""
        places = chain_places(self.places)
        if level >= len(places):
            return ""
        told = [
            f"{name} {each.words}{'（示例假设）' if each.assumption else ''}"
            for name, _, values in self.standards(paid=True)
            for each in values
            if each.place == places[level]
        ]
        return "；".join(told)

    @property
    def standards_by_level(self) -> tuple[str, ...]:
        """The four cells of 补贴标准."""
        return tuple(self.standard_at(level) for level in range(len(LEVELS)))

    @property
    def paid_standards(self) -> tuple[tuple[str, str, tuple[Standard, ...]], ...]:
        return self.standards(paid=True)

    @property
    def field_basis(self) -> str:
        return self.field("依据")

    @property
    def field_whom(self) -> str:
        return self.field("面向对象")

    @property
    def unit(self) -> str:
        return self.field("对象")

    @property
    def payout(self) -> str:
        return self.field("发放")

    @property
    def when(self) -> str:
        return self.field("发放时间")

    @property
    def short(self) -> str:
        return self.field("简称")

    @property
    def cases(self) -> tuple["Example", ...]:
        """Worked cases of the texts in force, the nearest place's first."""
        return tuple(_example(case) for case in self.state.cases)

    @property
    def payout_words(self) -> str:
        return f"{self.field('发放')}发放，{_PAYEES.get(self.field('收款'), self.field('收款'))}"

    @property
    def how_to_apply(self) -> str:
        papers = f"；需要的材料：{'、'.join(self.papers)}" if self.papers else ""
        return self.field("申领流程") or f"向村（居）委会或乡镇提出{papers}"

    @property
    def ask(self) -> str:
        return self.field("咨询方式") or (
            f"向{'、'.join(self.offices)}咨询" if self.offices else "向乡镇为民服务中心咨询"
        )

    @property
    def remarks(self) -> str:
        told = [f"四字简称：{self.field('简称')}", f"到{self.field('对象')}"]
        told += [f"不与{name}同时享受" for name, _, _ in self.exclusions]
        if self.status != "in_force":
            told.append(self.status_words)
        return "；".join(told)

    def _place(self, row: Row) -> str:
        return self.places.get(row.place, row.place)


def chain_places(places: Mapping[str, str]) -> tuple[str, ...]:
    """Codes of a chain by its names (nation first), as far down as the county."""
    return tuple(places)[: len(LEVELS)]


Waiting = dict[date, Mapping[str, tuple[str, ...]]]
"""By day: programmes that wait, and for which parameters; asked of the book once a day."""


@dataclass(frozen=True)
class Shelf:
    """Where and when policies are read: the book, the texts, the chain with names, and offices by programme."""

    book: Book
    written: Written
    places: Mapping[str, str]
    on: date
    offices: Mapping[str, tuple[str, ...]]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.places)

    @property
    def names(self) -> dict[str, str]:
        """Programme code → name, wherever it is written."""
        return {file.code: str(file.plain["名称"]) for file in self.written.files if file.plain.get("名称")}

    def policies(self) -> list[Policy]:
        """Every programme written for this place, in the order of the published list."""
        waiting: Waiting = {}
        names = self.names
        found = [self._policy(code, waiting, names) for code in self.written.codes]
        return sorted((each for each in found if each is not None), key=_order)

    def find(self, code: str) -> Policy | None:
        return self._policy(code, {}, self.names)

    def _policy(self, code: str, waiting: Waiting, names: Mapping[str, str]) -> Policy | None:
        state, status = self._state(code)
        if state is None:
            return None
        day = self.on if status == "in_force" else state.on
        if day not in waiting:
            waiting[day] = self.book.waiting(self.codes, day)
        missing = waiting[day].get(code, ()) if status in ("in_force", "ahead") else ()
        return Policy(
            code, state, "waiting" if missing else status, missing,
            self.version(code) if status == "in_force" and not missing else "",
            self.places, self.offices.get(code, ()), names,
        )  # fmt: skip

    def version(self, code: str) -> str:
        return next((each.version for each in self.book.programmes_in_force(self.codes, self.on, only=code)), "")

    def _state(self, code: str) -> tuple[State | None, str]:
        """As it stands today; else as it will begin, or as it last stood."""
        if (today := self.written.state(code, self.codes, self.on)) is not None:
            return today, "in_force"
        layers = [file for file in self.written.files if file.code == code and file.division in self.places]
        ahead = sorted(file.since for file in layers if file.since > self.on)
        if ahead:
            return self.written.state(code, self.codes, ahead[0]), "ahead"
        over = sorted(file.until for file in layers if file.until is not None and file.until < self.on)
        return (self.written.state(code, self.codes, over[-1]), "over") if over else (None, "")

    def history(self, code: str) -> list[Step]:
        """Every day on which the programme changed (or will change) here, newest first, in words."""
        names = self.names
        steps = []
        for day in self.written.days(code, self.codes):
            was = self.written.state(code, self.codes, day - timedelta(days=1)) if day > date.min else None
            now = self.written.state(code, self.codes, day)
            changes = differences(was, now, names, self.places)
            if changes:
                steps.append(Step(day, tuple(changes), self._paths(code, day)))
        return steps[::-1]

    def _paths(self, code: str, day: date) -> tuple[str, ...]:
        """The texts of these places in which something of the programme begins on that day."""
        begun = [file for file in self.written.files if file.code == code and file.since == day]
        found = [file.path for file in begun if file.division in self.places]
        found += [each.path for each in self.written.standards_of(code, self.codes) if each.since == day]
        return tuple(dict.fromkeys(found))


def _order(policy: Policy) -> tuple[bool, int, str]:
    """In force and waiting first, by the number in the published list."""
    number = policy.field("序号")
    return policy.status in ("ahead", "over"), int(number) if number.isdigit() else 999, policy.code


def list_offices_of(offices: Iterable[tuple[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """Programme → names of the offices responsible, from (name, programmes) of offices."""
    found: dict[str, tuple[str, ...]] = {}
    for name, programmes in offices:
        for code in programmes:
            found[code] = (*found.get(code, ()), name)
    return found


def county_chain(division: str) -> tuple[str, ...]:
    """The chain down to the county (policies are drafted and published there), or to the place itself if higher."""
    return chain(division)[: len(LEVELS)]
