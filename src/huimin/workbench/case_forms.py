"""Forms of applications and of the steps of a case (CASE-01, CASE-04, SVC-01)."""

from typing import Any

from django import forms

from huimin.cases.models import Case
from huimin.workbench.forms import DayField, DeskForm, text

CHANNELS = [(key, label) for key, label in Case.Channel.choices if key not in ("list", "proposal")]


def _day(label: str, hint: str) -> DayField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return DayField(label=label, help_text=hint, required=False, widget=widget)


def _papers(label: str, hint: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, help_text=hint, required=False, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "请按清单勾选"},
    )  # fmt: skip


class Apply(DeskForm):
    """An application: how it came, what was brought, whether the declaration is signed."""

    channel = forms.ChoiceField(
        label="怎么来的", choices=CHANNELS, widget=forms.RadioSelect,
        error_messages={"required": "请选择怎么来的", "invalid_choice": "请选择怎么来的"},
    )  # fmt: skip
    story = text(
        "情况和困难", "", hint="申请人自己的话；主动发现的写明谁、什么时候、发现了什么", rows=3, max_length=500
    )
    proxy = text("代办人", "", hint="他人代办时填：姓名、与申请人关系", max_length=80)
    proxy_paper = text("委托书", "", hint="他人代办时填：委托书日期和编号", max_length=120)
    papers = _papers("带来的材料", "没有勾选的会写进一次性告知书")
    declared_on = _day("声明和授权签字日期", "申请人在申报声明和核对授权上签字的日期，没有签先不填")
    person = forms.TypedChoiceField(
        label="谁的申请",
        coerce=int,
        required=False,
        empty_value=None,
        error_messages={"invalid_choice": "请从成员中选择"},
    )

    def __init__(self, *args: Any, papers: tuple[str, ...], people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["papers"].choices = [(each, each) for each in papers]  # type: ignore[attr-defined]
        if people:
            self.fields["person"].choices = [("", "请选择"), *people]  # type: ignore[attr-defined]
        else:
            del self.fields["person"]


class Supply(DeskForm):
    papers = _papers("补来的材料", "")
    declared_on = _day("声明和授权签字日期", "已签过的不填")

    def __init__(self, *args: Any, papers: list[str], signed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["papers"].choices = [(each, each) for each in papers]  # type: ignore[attr-defined]
        if signed:
            del self.fields["declared_on"]


class Reason(DeskForm):
    reason = text("理由", "请写明理由", hint="会写进这件事的经过；不予批准的会写进告知书", rows=3, max_length=300)


class Return(Reason):
    to = forms.ChoiceField(
        label="退回到",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择退回到哪一步", "invalid_choice": "请从列表选择"},
    )

    def __init__(self, *args: Any, ways: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = ways  # type: ignore[attr-defined]


class Decline(Reason):
    where_to = text("该到哪里办", "请写明该到哪里办", hint="如：户籍地乡镇政府、县医保局", max_length=200)


class Report(DeskForm):
    text = text("内容", "请写明查了什么、结论是什么", hint="不要写证件号码和电话", rows=8, max_length=2000)


class Countersign(DeskForm):
    agreed = forms.ChoiceField(
        label="意见", choices=[("yes", "同意"), ("no", "不同意")], widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是不同意", "invalid_choice": "请选择同意还是不同意"},
    )  # fmt: skip
    text = text("说明", "", hint="不同意的写明理由", rows=3, max_length=500)


class HandOver(DeskForm):
    to = forms.ChoiceField(
        label="交给谁", error_messages={"required": "请选择交给谁", "invalid_choice": "请从列表选择"}
    )
    kind = forms.ChoiceField(
        label="怎么交", choices=[("handed", "移交：今后由他承办"), ("stand_in", "AB 岗替办：承办人不变")], widget=forms.RadioSelect,
        error_messages={"required": "请选择怎么交", "invalid_choice": "请选择怎么交"},
    )  # fmt: skip
    reason = text("理由", "请写明理由", hint="非特殊情况中途不得转交", rows=2, max_length=300)

    def __init__(self, *args: Any, takers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = takers  # type: ignore[attr-defined]


class NewList(DeskForm):
    programme = forms.ChoiceField(
        label="项目", error_messages={"required": "请选择项目", "invalid_choice": "请从列表选择项目"}
    )
    division = forms.ChoiceField(
        label="村", error_messages={"required": "请选择村", "invalid_choice": "请从列表选择村"}
    )

    def __init__(
        self, *args: Any, programmes: list[tuple[str, str]], places: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = programmes  # type: ignore[attr-defined]
        self.fields["division"].choices = places  # type: ignore[attr-defined]


class AnswerOverdue(DeskForm):
    """Why it is late, and by which day it will be done (CASE-05)."""

    reason = text(
        "超期的原因", "请写明为什么没有按期办", hint="会报给督办的上一级，写进这件事的经过", rows=3, max_length=300
    )
    promised_on = DayField(
        label="新的期限", help_text="哪天前办完，如 2021-07-20；过了这一天还没办完会直接报县",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写哪天前办完"},
    )  # fmt: skip


class TimeRule(DeskForm):
    """After how many working days overdue the county is told (CASE-05)."""

    county_days = forms.IntegerField(
        label="超期几个工作日报县", min_value=1, max_value=60, widget=forms.NumberInput,
        error_messages={
            "required": "请填写工作日天数", "invalid": "请填写整数，如 5", "min_value": "请填写 1 至 60", "max_value": "请填写 1 至 60",
        },
    )  # fmt: skip
    basis = text("依据", "请填写文件名和文号", hint="如：县民政局关于督办的通知（民发〔2021〕3 号）", max_length=120)
