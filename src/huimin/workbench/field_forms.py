"""Forms of field work: surveys, monitoring points, letters, warnings, the county's numbers (REG-06, REG-09, ORG-03, ORG-04)."""

from typing import Any

from django import forms

from huimin.fieldwork.letters import DUTIES
from huimin.fieldwork.models import Assignment, Campaign, FieldRule, PointNote, Signal
from huimin.kernel.errors import BadInput
from huimin.kernel.money import parse_yuan
from huimin.workbench.forms import DayField, DeskForm, asked
from huimin.workbench.forms import text as words


def day(label: str, hint: str = "如 2021-07-01", *, required: bool = True) -> DayField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return DayField(
        label=label, help_text=hint, required=required, widget=widget, error_messages={"required": f"请填写{label}"}
    )


def radio(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    wanted = asked(label)
    errors = {"required": wanted, "invalid_choice": wanted}
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, error_messages=errors)


def pick(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    wanted = asked(label)
    errors = {"required": wanted, "invalid_choice": wanted}
    return forms.ChoiceField(label=label, choices=[("", "请选择"), *choices], error_messages=errors)


class OpenCampaign(DeskForm):
    year = forms.IntegerField(
        label="年度", min_value=2000, max_value=2100, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={
            "required": "请填写年度", "invalid": "年度请填四位数字", "min_value": "年度请填四位数字", "max_value": "年度请填四位数字",
        },
    )  # fmt: skip
    whom = radio("普查范围", Campaign.Whom.choices)
    starts_on = day("开始日期", "这一天以后的基本信息表算入这次普查")
    deadline = day("完成期限", "过了这一天还没有调查的算逾期")


class CloseCampaign(DeskForm):
    summary = words(
        "总结", "请填写总结", hint="组织情况、没有调查的户和原因、下一步", rows=6, max_length=1000
    )  # fmt: skip


class Forms(DeskForm):
    """Forms taken of the ticked households."""

    surveyed_on = day("调查日期", "表上的日期")
    surveyors = words("入户的人", "请填写入户的人", max_length=80, autocomplete="off")
    evidence = words("依据", "请填写依据", hint="基本信息表存放处或编号", max_length=120, autocomplete="off")


class NewNote(DeskForm):
    kind = pick("类别", PointNote.Kind.choices)
    text = words("情况", "请填写情况", hint="什么事、现在怎样；不要写证件号码和电话", rows=4, max_length=500)
    happened_on = day("发生日期")
    household_no = words("户编码", "", hint="只涉及某一户时填写；全村的事不填", max_length=24, autocomplete="off")
    evidence = words("依据", "", hint="如：照片存村委会、卫生院诊断", max_length=120, autocomplete="off")
    asks = radio("需要上级解决吗", [("no", "不需要，只是记录"), ("yes", "需要乡镇或以上答复")])
    urgent = radio("紧急吗", [("no", "不紧急"), ("yes", "紧急")])


class Reason(DeskForm):
    reason = words("原因", "请填写原因", hint="已做的工作和需要上级解决的事项", rows=4, max_length=500)


class Answer(DeskForm):
    answer = words("答复", "请填写答复", hint="记录的人会看到；不要写证件号码和电话", rows=4, max_length=500)


class Report(DeskForm):
    text = words("本季情况", "", hint="可不填：本季的主要情况和建议", rows=4, max_length=1000)


class NewLetter(DeskForm):
    kind = radio("种类", Assignment.Kind.choices)
    division = forms.ChoiceField(
        label="负责的地方", required=False, error_messages={"invalid_choice": "请从列表选择辖区内的地方"}
    )
    household_no = words("户编码", "", hint="包户时填写，地方留空", max_length=24, autocomplete="off")
    name = words("责任人", "请填写责任人", max_length=40, autocomplete="off")
    title = words("职务", "请填写职务", max_length=40, autocomplete="off")
    office = words("单位", "请填写单位", max_length=80, autocomplete="off")
    duties = words("责任内容", "请填写责任内容", rows=3, max_length=500)
    letter_no = words("文号", "", max_length=60, autocomplete="off")
    valid_from = day("开始日期")
    last_day = day("终止日期", "可不填：没有定期限", required=False)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"duties": DUTIES})
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = [("", "（包户）"), *places]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(data.get("division")) == bool(data.get("household_no")):
            self.add_error("division", "请选择一个地方，或者填写户编码")
        return data


class Signed(DeskForm):
    signed_on = day("签订日期")


class End(DeskForm):
    last_day = day("最后一天")
    reason = words("终止原因", "请填写终止原因", hint="如：工作调动", max_length=200)


class Assign(DeskForm):
    due_on = day("走访期限", "可不填：按县里设的天数", required=False)


class NewVisit(DeskForm):
    visited_on = day("走访日期")
    visitors = words("走访人", "请填写走访人", hint="一行一个姓名", rows=2, max_length=200)
    result = words("结果", "请填写走访结果", hint="生活情况和需要的帮助；不要写证件号码", rows=4, max_length=500)
    next_on = day("下次走访", "可不填：不再走访", required=False)


class Close(DeskForm):
    reason = radio("办结原因", Signal.Reason.choices)
    programme = forms.ChoiceField(label="帮扶的项目", required=False, error_messages={"invalid_choice": "请从列表选择"})
    note = words("说明", "", rows=2, max_length=300)

    def __init__(self, *args: Any, programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = [("", "（没有）"), *programmes.items()]


class Number(DeskForm):
    """One number the county sets, with its source."""

    code = pick("设置", FieldRule.Code.choices)
    value = words("数值", "请填写数值", hint="天数、百分数填整数；金额填元", max_length=12, inputmode="decimal")
    basis = words("依据", "请填写文件依据", hint="文件名和文号", max_length=120)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        typed = str(data.get("value") or "").replace(",", "").replace("，", "").strip()
        if not typed:
            return data
        try:
            fen = parse_yuan(typed, where="数值")
        except BadInput:
            self.add_error("value", "数值请填数字")
            return data
        if data.get("code") != FieldRule.Code.MEDICAL_FEN and fen % 100:
            self.add_error("value", "天数和百分数请填整数")
        data["number"] = fen if data.get("code") == FieldRule.Code.MEDICAL_FEN else fen // 100
        return data
