"""Forms of spot checks: freezing a list, the public number, results, agencies, orders (CASE-08)."""

from typing import Any

from django import forms

from huimin.kernel.errors import BadInput
from huimin.kernel.money import parse_yuan
from huimin.samples.models import Check
from huimin.samples.seeding import EVENTS
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as words

EVENT_CHOICES = [(code, f"{event.label}（{event.days}）") for code, event in EVENTS.items()]


def whole(label: str, hint: str, least: int, most: int) -> forms.IntegerField:
    say = f"{label}请填 {least} 到 {most} 的整数"
    errors = {"required": say, "invalid": say, "min_value": say, "max_value": say}
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label, help_text=hint, min_value=least, max_value=most, widget=widget, error_messages=errors
    )


class Freeze(DeskForm):
    """Which list, and which public number of a later day it will be drawn by."""

    what = pick("抽哪一批", [])
    event = radio("用哪种公开号码", EVENT_CHOICES)
    event_on = day("号码日期", "今天以后、14 天以内，那一天要有号码；名单冻结时谁也不知道号码")

    def __init__(self, *args: Any, lists: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = [("", "请选择"), *lists]  # type: ignore[attr-defined]


class Number(DeskForm):
    number = words("公布的号码", "请照公布的填写号码", max_length=60, autocomplete="off")

    def __init__(self, *args: Any, event: str, first: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        told = EVENTS[event]
        self.fields["number"].label = f"{told.label}号码"
        self.fields["number"].help_text = f"如 {told.example}"
        if first:
            self.fields["where"] = words(
                "在哪里看到的",
                "请写在哪里看到的",
                hint="如：中国福彩网 第 2021077 期",
                max_length=120,
                autocomplete="off",
            )
            self.fields["where"].widget.attrs["class"] = "govuk-input"


class Skip(DeskForm):
    reason = words(
        "为什么没有号码", "请写为什么没有号码", hint="如：春节休市、当日停售；会印在抽签表上", max_length=200
    )
    event = radio("改用哪种公开号码", EVENT_CHOICES)
    event_on = day("号码日期", "今天以后、14 天以内")


class Result(DeskForm):
    """What a check found; ways as the law allows for this list, visits that were signed for this case."""

    way = radio("怎么检查的", [])
    visit = forms.TypedChoiceField(
        label="入户记录", coerce=int, required=False, empty_value=None, help_text="入户检查的选已签字的入户记录",
        error_messages={"invalid_choice": "请从列表选择入户记录"},
    )  # fmt: skip
    checked_on = day("检查日期", "机构核查、查阅材料的填；入户的以记录为准", required=False)
    checkers = words("检查人", "", hint="机构核查、查阅材料的填：姓名、单位", max_length=120, autocomplete="off")
    paper = words("材料", "", hint="机构核查的填报告编号；查阅材料的填看了哪些", max_length=200, autocomplete="off")
    result = radio("结果", Check.Result.choices)
    found = words(
        "发现的问题", "", hint="有出入、不属实的写明与申报、登记有什么不同；不要写证件号码", rows=4, max_length=500
    )

    def __init__(self, *args: Any, ways: list[tuple[str, str]], visits: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["way"].choices = ways  # type: ignore[attr-defined]
        self.fields["visit"].choices = [("", "没有"), *visits]  # type: ignore[attr-defined]
        if not {"agency", "papers"} & {key for key, _ in ways}:
            for name in ("checked_on", "checkers", "paper"):
                del self.fields[name]


class Entrust(DeskForm):
    agency = pick("委托给", [])
    due_on = day("完成期限", "合同有效期以内")

    def __init__(self, *args: Any, agencies: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].choices = [("", "请选择"), *agencies]  # type: ignore[attr-defined]


class NewAgency(DeskForm):
    name = words("机构名称", "请填写机构名称", max_length=80, autocomplete="off")
    contract_no = words("合同编号", "请填写合同编号", max_length=60, autocomplete="off")
    valid_from = day("合同开始")
    valid_to = day("合同到期")
    scope = words("委托范围", "请填写委托范围", hint="如：低保、特困审批前的入户核查", max_length=200)
    fee = words("每件费用（元）", "请填写每件费用", hint="如 120 或 120.50", max_length=12, inputmode="decimal")
    quality = words("质量条款", "请填写质量条款", hint="如：复查发现漏查、错查的，这一件不付费", rows=3, max_length=300)

    def clean_fee(self) -> int:
        try:
            return parse_yuan(self.cleaned_data["fee"], where="每件费用")
        except BadInput as wrong:
            raise forms.ValidationError(str(wrong)) from wrong


class EndAgency(DeskForm):
    reason = words("终止的理由", "请写明理由", rows=3, max_length=200)


class Rate(DeskForm):
    programme = forms.ChoiceField(label="项目", error_messages={"invalid_choice": "请从列表选择项目"}, required=False)
    percent = whole("抽查比例", "百分之几；不会低于流程规定的比例", 1, 100)
    basis = words("依据", "请填写依据", hint="文件名称和文号", max_length=120)

    def __init__(self, *args: Any, programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = programmes  # type: ignore[attr-defined]


class NewOrder(DeskForm):
    what = words("整改要求", "请写明问题和要求", rows=4, max_length=500)
    due_on = day("整改期限")


class AnswerOrder(DeskForm):
    answer = words("整改情况", "请写明查了什么、改了什么", rows=5, max_length=500)


class SettleOrder(DeskForm):
    accepted = radio("整改到位吗", [("yes", "到位，销号"), ("no", "没有到位，继续整改")])
    note = words("说明", "", hint="没有到位的写明还差什么", rows=3, max_length=300)
    due_on = day("新的期限", "没有到位时填", required=False)
