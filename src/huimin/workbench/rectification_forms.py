"""Forms of the rectification campaign: the plan, results, reviews, checks, cases, reports (CASE-10)."""

from datetime import date
from typing import Any

from django import forms

from huimin.kernel.errors import BadInput
from huimin.kernel.money import parse_yuan
from huimin.rectification.models import GroupMember, Item, Phase, TypicalCase
from huimin.rectification.planning import PERCENT_MIN, Member, Plan
from huimin.samples.seeding import EVENTS
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as words

ROLES = {label: value for value, label in GroupMember.Role.choices}
MEMBERS_MAX = 40


def number(label: str, low: int, high: int, hint: str = "") -> forms.IntegerField:
    asked = f"请填写 {low} 至 {high}"
    return forms.IntegerField(
        label=label, help_text=hint, min_value=low, max_value=high, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={"required": asked, "invalid": asked, "min_value": asked, "max_value": asked},
    )  # fmt: skip


class YuanField(forms.CharField):
    """An amount in 元 as people type it; 分 out, None when empty."""

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value).strip()
        if not typed:
            return None
        try:
            return parse_yuan(typed, where=self.label or "金额")
        except BadInput as wrong:
            raise forms.ValidationError(f"{wrong.what}，请按 350.00 的样子填写") from wrong


def yuan(label: str, hint: str) -> YuanField:
    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "class": "govuk-input--width-10"})
    return YuanField(label=label, help_text=hint, required=False, max_length=30, widget=widget)


class PlanForm(DeskForm):
    """The plan; phases as pairs of days, the leading group one a line."""

    title = words("名称", "请填写名称", hint="如：2021 年农村低保政策执行专项整治", max_length=80)
    document_no = words("文号", "请填写文号", hint="方案印发的文号", max_length=60)
    basis = words("依据", "请填写依据", hint="上级方案的名称和文号", max_length=200)
    aim = words("工作目标", "", rows=3, max_length=500)
    division = forms.ChoiceField(
        label="范围", error_messages={"required": "请选择范围", "invalid_choice": "请从列表选择"}
    )
    programmes = forms.MultipleChoiceField(
        label="整治的项目", widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请选择项目", "invalid_choice": "请从列表选择项目"},
    )  # fmt: skip
    phase1_from, phase1_to = day("动员部署开始"), day("动员部署结束")
    phase2_from, phase2_to = day("组织实施开始", "入户核查、复核"), day("组织实施结束")
    phase3_from, phase3_to = day("检查督导开始", "县级抽查"), day("检查督导结束")
    phase4_from, phase4_to = day("总结收尾开始"), day("总结收尾结束")
    percent = number("县级入户抽查比例（%）", PERCENT_MIN, 100, f"不低于 {PERCENT_MIN}%")
    report_day = number("典型案例每月报送日", 1, 28, "几日以前报，如 25")
    interim_on = day("阶段总结报送日", "没有要求的不填", required=False)
    summary_on = day("总结和汇总表报送日")
    sent_to = words("报送单位", "请填写报送单位", hint="如：市民政局，抄送市财政局", max_length=80)
    group = words(
        "领导小组",
        "请填写领导小组",
        hint=f"一行一人：{'、'.join(ROLES)} + 姓名 + 单位，如“组长 张三 县人民政府”",
        rows=5,
        max_length=2000,
    )

    def __init__(
        self, *args: Any, places: list[tuple[str, str]], programmes: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = places  # type: ignore[attr-defined]
        self.fields["programmes"].choices = programmes  # type: ignore[attr-defined]

    def clean_group(self) -> list[Member]:
        lines = [line.split() for line in str(self.cleaned_data["group"]).splitlines() if line.strip()]
        if len(lines) > MEMBERS_MAX:
            raise forms.ValidationError(f"领导小组最多 {MEMBERS_MAX} 人")
        for line in lines:
            if len(line) < 3 or line[0] not in ROLES:
                raise forms.ValidationError(f"“{' '.join(line)[:30]}”没有写全，请写成“组长 张三 县人民政府”")
        return [Member(ROLES[line[0]], line[1], "".join(line[2:])) for line in lines]

    def plan(self) -> Plan:
        """What was asked for, for the command."""
        told = self.cleaned_data
        phases = [(told[f"phase{n}_from"], told[f"phase{n}_to"]) for n in range(1, 5)]
        same = (
            "title",
            "document_no",
            "basis",
            "aim",
            "programmes",
            "percent",
            "report_day",
            "interim_on",
            "summary_on",
            "sent_to",
            "group",
        )
        return Plan(phases=phases, **{name: told[name] for name in same})


def example_phases(on: date) -> dict[str, str]:
    """The rhythm of the model document, this year or the next: 15 days, a month and a half, a month, a month."""
    year = on.year if on < date(on.year, 6, 15) else on.year + 1
    days = ((6, 1), (6, 15)), ((6, 16), (7, 31)), ((8, 1), (8, 31)), ((9, 1), (9, 30))
    found = {}
    for n, (start, end) in enumerate(days, 1):
        found[f"phase{n}_from"], found[f"phase{n}_to"] = date(year, *start).isoformat(), date(year, *end).isoformat()
    return found | {"interim_on": date(year, 7, 31).isoformat(), "summary_on": date(year, 9, 20).isoformat()}


class Postpone(DeskForm):
    number = pick("哪个阶段", [(str(phase.value), phase.label) for phase in Phase.Number])
    ends_on = day("新的截止日")
    reason = words("原因", "请填写原因", hint="为什么延，谁批准的", rows=2, max_length=200)


class Close(DeskForm):
    summary = words("总结", "请填写总结", hint="成效、存在的问题、下一步措施", rows=8, max_length=2000)


class FreezeDraw(DeskForm):
    event = radio("用哪个公开号码抽签", [(code, f"{each.label}（{each.days}）") for code, each in EVENTS.items()])
    event_on = day("哪天的", "今天以后的一天；名单先冻结，号码后产生")


class TypeNumber(DeskForm):
    number = words("公布的号码", "请填写公布的号码", hint="照公布的写，两人各录一遍", max_length=60, autocomplete="off")


class Result(DeskForm):
    """What the visit showed of one item."""

    result = radio("核查结果", Item.Result.choices)
    to_fen = yuan("调整后每期金额（元）", "增发、减发的填；执行时以系统按政策重算的为准")
    grounds = words("理由", "请填写理由", hint="核查到什么，为什么是这个结果", rows=4, max_length=500)
    evidence = words("凭据", "", hint="核对报告、证明、单据的名称和编号；有疑点或不是保留的必须写", max_length=200)

    def __init__(self, *args: Any, results: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["result"].choices = results  # type: ignore[attr-defined]
        if not {"increase", "decrease"} & {value for value, _ in results}:
            del self.fields["to_fen"]


class Kept(DeskForm):
    grounds = words("勾选的户：理由", "请填写理由", hint="如：入户核实，收入和人口没有变化", max_length=500)


class Return(DeskForm):
    reason = words("退回的理由", "请填写退回的理由", hint="哪里没有查清；重查要重新入户", rows=3, max_length=300)


class AddItem(DeskForm):
    """A household found going from door to door."""

    household_no = words("户编码", "请填写户编码", hint="家庭页面上的户编码", max_length=24, autocomplete="off")
    programme = pick("项目", [])
    note = words("怎么发现的", "请填写怎么发现的", hint="谁、什么时候、发现了什么困难", rows=3, max_length=300)

    def __init__(self, *args: Any, programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = programmes  # type: ignore[attr-defined]


class Check(DeskForm):
    agreed = radio("与乡镇的结果", [("yes", "一致"), ("no", "不一致，退回重查")])
    words = words("抽查情况", "请填写抽查情况", hint="看到什么、问了谁", rows=4, max_length=500)


class Case(DeskForm):
    """A case that was dealt with."""

    kind = pick("问题类型", TypicalCase.Kind.choices)
    place = pick("发生在哪里", [])
    found_on = day("发现日期")
    source = words("线索来源", "请填写线索来源", hint="如：群众举报、入户核查、数据核对", max_length=80)
    involved = words("涉及人员", "请填写涉及人员", hint="经办人员、村干部的姓名", max_length=60, autocomplete="off")
    position = words("单位和职务", "请填写单位和职务", max_length=80)
    facts = words("案情", "请填写案情", hint="什么时候、怎么做的、后果；不要写证件号码和电话", rows=5, max_length=1000)
    amount_fen = yuan("涉及金额（元）", "没有的不填")
    item = words("涉及的户", "", hint="名单上的编号，没有的不填", max_length=20, autocomplete="off")

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [("", "请选择"), *places]  # type: ignore[attr-defined]


class Handle(DeskForm):
    handling = words("处理情况", "请填写处理情况", hint="对人、对事、对钱各怎么处理", rows=4, max_length=500)
    exposed_on = day("通报曝光日期", "没有通报的不填", required=False)


class HandOver(DeskForm):
    handed_to = words("移交给", "请填写移交给谁", hint="如：县纪委监委", max_length=80)
    handed_no = words("线索编号", "", hint="没有的不填", max_length=60)
    handed_on = day("移交日期")


class Submit(DeskForm):
    text = words(
        "总结", "请填写总结", hint="成效、存在的问题、下一步措施；汇总表由系统按今天的数据附上", rows=8, max_length=2000
    )


class Receipt(DeskForm):
    receiver = words("签收单位", "请填写签收单位", max_length=80)
    received_on = day("签收日期")
    received_no = words("签收编号", "", hint="没有的不填", max_length=60)
