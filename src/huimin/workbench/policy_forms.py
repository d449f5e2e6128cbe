"""Forms of the policy pages: beginning a draft, its fields, and recording a step of its way (POL-02, POL-03).

in    a POST of the drafting page, whose rows are numbered (`p-0-value`, `c-2-expression`, `v-1-name`)
out   a `Sheet` of the policy room; and back, with what is wrong at each field
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django import forms

from huimin.policy.checking import Checked, Problem
from huimin.policy.drafting import (
    AMOUNT_FIELDS,
    CONDITION_FIELDS,
    EXCLUSION_FIELDS,
    ROWS_MAX,
    TEXT_FIELDS,
    VALUE_FIELDS,
    ItemRow,
    Sheet,
    ValueRow,
)
from huimin.policy.phase_out_fields import PHASE_OUT_FIELDS
from huimin.rules.layers import WORDS
from huimin.workbench.forms import DayField, DeskForm, text
from huimin.workbench.listing import day_of

_FIELD_MAX = 4000
_EACH = ("", "每人取整后相加")
_PART_PERIODS = ("", "按月", "按日", "整期", "次月起")
_SCOPES = ("", "本人", "任一成员", "全体成员")


class OpenDraft(DeskForm):
    """When the new version takes effect, and why there is one."""

    effective_on = DayField(
        label="施行日期",
        help_text="新版从哪一天起施行，须在今天以后，如 2022-01-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写施行日期"},
    )
    reason = text(
        "为什么改", "请写明为什么改", hint="如：上级公布了新标准、物价上涨；会写进新旧对照", rows=3, max_length=300
    )


class RecordStep(DeskForm):
    """How a step was held: the same five lines on every kind, and what came of it."""

    held_on = DayField(
        label="举行日期",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写举行日期"},
    )
    place = text("地点", "请填写地点", max_length=80, autocomplete="off")
    attendants = text("参加人", "请填写参加人", hint="单位、人数和主要人员；不写证件号码和电话", rows=3, max_length=500)
    opinion = text("意见", "请填写意见", hint="主要意见和采纳情况；退回的，写明要改哪里", rows=4, max_length=1000)
    paper_no = text("文号", "请填写文号", hint="会议纪要、听证报告或批复的文号", max_length=60, autocomplete="off")
    outcome = forms.ChoiceField(
        label="结论",
        choices=[("agreed", "同意，转下一步"), ("refused", "退回起草")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是退回", "invalid_choice": "请选择同意还是退回"},
    )


class WithdrawDraft(DeskForm):
    reason = text("撤回的理由", "请写明为什么撤回", rows=3, max_length=300)


@dataclass(frozen=True)
class Field:
    """One field of the drafting page: its name, words, value, and what is wrong with it."""

    name: str
    label: str
    value: str
    problems: tuple[Problem, ...] = ()
    rows: int = 0
    code: bool = False
    hint: str = ""
    choices: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"id_{self.name}"


@dataclass(frozen=True)
class Group:
    """The fields of one row: a parameter, a condition, a named value."""

    mark: str
    row: Any
    fields: tuple[Field, ...]

    @property
    def open(self) -> bool:
        """Shown unfolded: something is wrong in it, or it is new."""
        return any(field.problems for field in self.fields)


class DraftForm:
    """The drafting page over a Sheet; `problems` and `errors` as the summary on top reads them."""

    def __init__(self, sheet: Sheet, reason: str, checked: Checked) -> None:
        self.sheet, self.reason = sheet, reason
        self.at = checked.problems_at
        self.checked = checked

    @property
    def errors(self) -> bool:
        return bool(self.checked.told)

    @property
    def problems(self) -> list[tuple[str, str]]:
        return [
            (f"id_{each.field}" if each.field else "check", f"{each.where} {each}".strip())
            for each in self.checked.told
        ]

    @property
    def names(self) -> dict[str, str]:
        """What each field is called where it is told about elsewhere on the page."""
        found = {field.name: field.label for field in self.head}
        found |= {field.name: f"{each.row.name}的{field.label}" for each in self.standards for field in each.fields}
        found |= {field.name: field.label for field in self.identity}
        found |= {field.name: f"渐退的{field.label}" for field in self.phase_out} | {"ph-triggers": "渐退的触发条件"}
        for word, groups in (("条件", self.conditions), ("算法", self.values), ("互斥", self.exclusions)):
            for each in groups:
                title = (each.row.fields.get("text") if word != "算法" else "") or each.row.key
                found |= {field.name: f"{word}“{title}”的{field.label}" for field in each.fields}
        return found | {field.name: f"金额的{field.label}" for field in self.amount} | {"cases": "案例"}

    def _field(self, name: str, label: str, value: str, **more: Any) -> Field:
        return Field(name, label, value, tuple(self.at.get(name, ())), **more)

    @property
    def head(self) -> list[Field]:
        return [
            self._field("effective_on", "施行日期", self.sheet.effective_on, hint="须在今天以后，如 2022-01-01"),
            self._field(
                "until", "施行到", self.sheet.texts.get("until", ""), hint="一直施行的不填；原来写明止日的照旧"
            ),
            self._field("reason", "为什么改", self.reason, rows=2),
            self._field(
                "basis", "本县的依据", self.sheet.texts.get("basis", ""), hint="本县文件的名称和文号；不填则随上级"
            ),
            self._field(
                "note",
                "说明",
                self.sheet.texts.get("note", ""),
                rows=2,
                hint="写给后来人的话；没有写入算式的在这里说明",
            ),
        ]

    @property
    def identity(self) -> list[Field]:
        """名称, 简称, 期间, 发放, 收款; of these only what this place may write."""
        said = {
            "name": ("名称", "", ()),
            "abbreviation": ("简称", "存折摘要，四个字", ()),
            "period": ("期间", "金额按什么算", tuple(WORDS["期间"])),
            "payout": ("发放", "多久发一回", tuple(WORDS["发放"])),
            "payee": ("收款", "打到谁的卡上", tuple(WORDS["收款"])),
        }
        given = self.sheet.head
        return [
            self._field(f"head-{name}", label, given[name], hint=hint, choices=choices)
            for name, (label, hint, choices) in said.items()
            if name in given
        ]

    @property
    def exclusions(self) -> list[Group]:
        return [
            Group(f"x-{number}", row, (
                self._field(f"x-{number}-text", "说明", row.fields.get("text", "")),
                self._field(f"x-{number}-scope", "范围", row.fields.get("scope", ""), choices=_SCOPES,
                            hint="那个项目按人的才选；不选时，按户的项目是任一成员，按人的是本人"),
                self._field(f"x-{number}-citation", "依据", row.fields.get("citation", "")),
            ))
            for number, row in enumerate([*self.sheet.exclusions, ItemRow("", {}, new=True)])
        ]  # fmt: skip

    @property
    def phase_out(self) -> list[Field]:
        given = self.sheet.phase_out
        return [
            self._field(
                "ph-premise",
                "前提",
                given.get("premise", ""),
                rows=2,
                code=True,
                hint="如 家庭人均月收入 < 低保标准 * 150%；没有前提就空着",
            ),
            self._field("ph-months", "月数", given.get("months", ""), code=True, hint="如 6 个月，或一个参数的名称"),
            self._field(
                "ph-steps",
                "比例",
                given.get("steps", ""),
                rows=3,
                hint="一行一档，从第 1 个月起，如 1-2 100%；最后一行可写 3起 80%",
            ),
            self._field("ph-citation", "依据", given.get("citation", "")),
        ]

    @property
    def triggers(self) -> list[tuple[str, str, bool]]:
        """(condition's key, its words, whether it begins a phasing out)."""
        chosen = self.sheet.phase_out.get("triggers", "").split()
        kept = [row for row in self.sheet.conditions if not row.drop]
        return [(row.key, row.fields.get("text") or row.key, row.key in chosen) for row in kept]

    @property
    def standards(self) -> list[Group]:
        return [
            Group(f"p-{number}", row, (
                self._field(f"p-{number}-value", "新的数值", row.value, rows=3 if row.banded else 0,
                            hint=_band_hint(row) if row.banded else ""),
                self._field(f"p-{number}-source", "来源", row.source),
            ))
            for number, row in enumerate(self.sheet.standards)
        ]  # fmt: skip

    @property
    def conditions(self) -> list[Group]:
        return [
            Group(f"c-{number}", row, (
                self._field(f"c-{number}-text", "说明", row.fields.get("text", "")),
                self._field(f"c-{number}-expression", "算式", row.fields.get("expression", ""), rows=2, code=True),
                self._field(f"c-{number}-citation", "依据", row.fields.get("citation", "")),
                self._field(f"c-{number}-paper", "证明材料", row.fields.get("paper", "")),
            ))
            for number, row in enumerate([*self.sheet.conditions, ItemRow("", {}, new=True)])
        ]  # fmt: skip

    @property
    def values(self) -> list[Group]:
        return [
            Group(f"v-{number}", row, (
                self._field(f"v-{number}-expression", "算式", row.fields.get("expression", ""), rows=2, code=True),
                self._field(f"v-{number}-citation", "依据", row.fields.get("citation", "")),
                self._field(f"v-{number}-text", "说明", row.fields.get("text", "")),
            ))
            for number, row in enumerate([*self.sheet.values, ItemRow("", {}, new=True)])
        ]  # fmt: skip

    @property
    def amount(self) -> list[Field]:
        amount = self.sheet.amount
        return [
            self._field("amount-expression", "算式", amount.get("expression", ""), rows=2, code=True),
            self._field("amount-cap", "封顶", amount.get("cap", ""), code=True, hint="不超过多少，可不填"),
            self._field("amount-floor", "保底", amount.get("floor", ""), code=True, hint="不少于多少，可不填"),
            self._field("amount-rounding", "取整", amount.get("rounding", ""), hint="如 四舍五入到分、进一到元"),
            self._field(
                "amount-each",
                "合计",
                amount.get("each", ""),
                choices=_EACH,
                hint="按户的项目，算式写每个成员的数时用；不选就是先合计、后取整",
            ),
            self._field(
                "amount-part_period",
                "不足期",
                amount.get("part_period", ""),
                choices=_PART_PERIODS,
                hint="一期中间开始或停止的怎么算",
            ),
            self._field("amount-citation", "依据", amount.get("citation", "")),
        ]

    @property
    def cases(self) -> Field:
        return self._field("cases", "案例", self.sheet.cases, rows=12, code=True)


def at_fields(checked: Checked, sheet: Sheet) -> Checked:
    """For a reader of the form: the field's own words instead of a line and column of a text he does not see."""
    names = DraftForm(sheet, "", Checked()).names
    problems = (_sourced(each) for each in checked.problems)
    return replace(
        checked,
        problems=tuple(
            replace(each, where=names.get(each.field, each.where) if each.where else "") for each in problems
        ),
    )


def _sourced(problem: Problem) -> Problem:
    """A value without its source is told where the source is to be written."""
    if problem.what != "这里缺少“来源”":
        return problem
    field = problem.field.replace("-value", "-source")
    return replace(problem, field=field, what="没有写来源", remedy="请写公布这个数的文件名称和文号")


def _band_hint(row: ValueRow) -> str:
    now = f"现行：{row.now.words}。" if row.now else ""
    return f"{now}一行一档，如 满 80 岁 50 元/月；最后一行可写 其余 0 元/月；不改就空着"


def sheet_from(data: Mapping[str, str], before: Sheet) -> Sheet:
    """The sheet as filled in; which rows there are comes from the stored draft, with at most one new of each kind."""

    def read(name: str) -> str:
        return data.get(name, "").replace("\r\n", "\n").replace("\0", "")[:_FIELD_MAX]

    day = day_of(read("effective_on"))
    return Sheet(
        effective_on=day.isoformat() if day else read("effective_on").strip(),
        texts={name: read(name) for name in TEXT_FIELDS},
        standards=[
            ValueRow(row.name, row.unit, row.now, read(f"p-{n}-value"), read(f"p-{n}-source"), row.banded)
            for n, row in enumerate(before.standards)
        ],
        head={name: read(f"head-{name}") if f"head-{name}" in data else was for name, was in before.head.items()},
        exclusions=_exclusions(data, before, read),
        phase_out=_phase_out(data, before, read),
        conditions=_rows(data, "c", before.conditions, CONDITION_FIELDS, read),
        values=_rows(data, "v", before.values, VALUE_FIELDS, read),
        amount={
            name: read(f"amount-{name}") if f"amount-{name}" in data else before.amount.get(name, "")
            for name in AMOUNT_FIELDS
        },
        cases=data.get("cases", "").replace("\r\n", "\n").replace("\0", "")[:100_000],
    )


def _exclusions(data: Mapping[str, str], before: Sheet, read: Any) -> list[ItemRow]:
    rows = _rows(data, "x", before.exclusions, EXCLUSION_FIELDS, read)
    was = {row.key: row for row in before.exclusions}
    sent = {row.key for n, row in enumerate(before.exclusions) if f"x-{n}-text" in data}
    return [was[row.key] if row.key in was and row.key not in sent else row for row in rows]


def _phase_out(data: Mapping[str, str], before: Sheet, read: Any) -> dict[str, str]:
    if "ph-months" not in data:
        return before.phase_out
    keys = [row.key for row in before.conditions if f"ph-trigger-{row.key}" in data]
    return {name: read(f"ph-{name}") for name in PHASE_OUT_FIELDS} | {"triggers": " ".join(keys)}


def _rows(
    data: Mapping[str, str], mark: str, before: list[ItemRow], names: Mapping[str, str], read: Any
) -> list[ItemRow]:
    rows = [
        ItemRow(
            row.key,
            {name: read(f"{mark}-{n}-{name}") for name in names},
            f"{mark}-{n}-drop" in data,
            row.place,
            row.new,
        )
        for n, row in enumerate(before)
    ]
    n = len(before)
    fields = {name: read(f"{mark}-{n}-{name}") for name in names}
    if n < ROWS_MAX and (any(value.strip() for value in fields.values()) or read(f"{mark}-{n}-key").strip()):
        rows.append(ItemRow(_new_key(read(f"{mark}-{n}-key").strip(), mark, before), fields, new=True))
    return rows


def _new_key(typed: str, mark: str, rows: list[ItemRow]) -> str:
    """A condition needs no name from its author; a named value has the one he typed, or one that tells it is missing."""
    if typed:
        return typed[:40]
    if mark == "v":
        return "新的数值"
    if mark == "x":
        return "没有选项目"
    taken = {row.key for row in rows}
    return next(f"local-{number}" for number in range(1, ROWS_MAX + 2) if f"local-{number}" not in taken)
