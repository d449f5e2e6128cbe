"""Forms of training and of the assistance desks (ORG-07, ORG-08)."""

from typing import Any

from django import forms

from huimin.workbench.forms import DayField, DeskForm, text
from huimin.workbench.relief_forms import YuanField


def whole(label: str, low: int, high: int, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, help_text=hint, widget=forms.NumberInput({"inputmode": "numeric"}),
        error_messages={
            "required": f"请填写{label}", "invalid": f"{label}请填整数", "min_value": f"{label}不能小于 {low}",
            "max_value": f"{label}不能大于 {high}",
        },
    )  # fmt: skip


def day(label: str, hint: str = "如 2021-07-01") -> DayField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return DayField(label=label, help_text=hint, widget=widget, error_messages={"required": f"请填写{label}"})


class Plan(DeskForm):
    title = text("培训名称", "请填写培训名称", max_length=60)
    programmes = forms.MultipleChoiceField(
        label="讲哪些补贴项目", widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请选择培训讲的补贴项目", "invalid_choice": "请从列表选择补贴项目"},
    )  # fmt: skip
    taught_for = day("按哪一天的政策讲", "讲将要施行的新政策，写施行的日期")
    held_on = day("举办日期")
    location = text("地点", "请填写地点", max_length=60)
    hours = forms.DecimalField(
        label="学时（小时）", min_value=0, max_value=112, decimal_places=1, help_text="如 4 或 1.5",
        widget=forms.TextInput({"inputmode": "decimal"}),
        error_messages={
            "required": "请填写学时", "invalid": "学时请填数字，如 1.5", "min_value": "学时要大于零", "max_value": "学时最多 112 小时",
            "max_decimal_places": "学时最多一位小数", "max_digits": "学时最多 112 小时", "max_whole_digits": "学时最多 112 小时",
        },
    )  # fmt: skip
    trainer = text("授课人", "请填写授课人", max_length=60)

    def __init__(self, *args: Any, programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programmes"].choices = programmes


class Material(DeskForm):
    title = text("材料名称", "请填写材料名称", hint="如：新办法讲稿", max_length=80)


class Cancel(DeskForm):
    reason = text("取消的原因", "请填写取消的原因", max_length=200)


class CapacityRule(DeskForm):
    training_days = whole("培训期限（天）", 1, 365, "新政策施行、新任职起，多少天内受训")
    staff_min = whole("编制内人员最少（人）", 1, 100, "原则上不少于 2 人（伊民规〔2022〕2号）")
    cost_permille = whole("工作经费最高（‰）", 1, 1000, "占当年筹集资金的千分比，20 即 2 %")
    basis = text("依据", "请填写依据", hint="文件或会议的名称和日期", max_length=120)


class Staffing(DeskForm):
    year = whole("年度", 2008, 2100)
    posts = whole("核定编制（个）", 0, 500)
    on_establishment = whole("编制内在岗（人）", 0, 500)
    others = whole("编制外在岗（人）", 0, 500, "公益岗、购买服务等")
    cost = YuanField(
        label="工作经费", help_text="当年用于惠民、救助工作的经费，元",
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": "请填写工作经费"},
    )  # fmt: skip
    raised = YuanField(
        label="当年筹集资金", help_text="当年筹集的惠民、救助资金，元",
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": "请填写当年筹集资金"},
    )  # fmt: skip
    note = text("说明", "", max_length=200)


class StaffingVerdict(DeskForm):
    outcome = forms.ChoiceField(
        label="核对意见", choices=[("agree", "数字属实"), ("return", "退回更正")], widget=forms.RadioSelect,
        error_messages={"required": "请选择核对意见", "invalid_choice": "请选择核对意见"},
    )  # fmt: skip
    refusal = text("退回的原因", "", hint="选“退回更正”时填写", max_length=200)
