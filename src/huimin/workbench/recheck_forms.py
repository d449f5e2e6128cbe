"""Forms of re-checks, refusals of work, and the county's numbers for them (CASE-09)."""

from typing import Any

from django import forms

from huimin.rechecks.models import JobOffer, RecheckMeans, RecheckRule
from huimin.workbench.field_forms import day, pick, radio
from huimin.workbench.forms import DeskForm
from huimin.workbench.forms import text as line

MEANS = [(key, label) for key, label in RecheckMeans.Kind.choices if key != "visited"]


def number(label: str, required: str, hint: str = "", low: int = 0, high: int = 365) -> forms.IntegerField:
    """A whole number as people type it."""
    wrong = f"{label}请填 {low} 至 {high} 的整数"
    return forms.IntegerField(
        label=label, help_text=hint, min_value=low, max_value=high, widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": required, "invalid": wrong, "min_value": wrong, "max_value": wrong},
    )  # fmt: skip


class Means(DeskForm):
    kind = radio("核查方式", MEANS)
    done_on = day("核查日期")
    people = line("谁核查的", "请填写核查人", hint="两人以上的都写", max_length=80, autocomplete="off")
    words = line(
        "查到什么", "请写明查到什么", hint="问了谁、查了什么、结果怎样；不要写证件号码和电话", rows=5, max_length=500
    )


class Conclusion(DeskForm):
    words = line(
        "核查结论",
        "请写核查结论",
        hint="增发、减发、停发由系统按登记和政策重新认定，这里写核查的结论和理由",
        rows=4,
        max_length=1000,
    )


class Reason(DeskForm):
    reason = line("理由", "请写明理由", rows=3, max_length=200)


class RoundRow(DeskForm):
    """One household of a round; all empty: not filled in."""

    kind = forms.ChoiceField(
        label="方式",
        choices=[("", "没有去"), *MEANS],
        required=False,
        error_messages={"invalid_choice": "请从列表选择"},
    )
    done_on = day("日期", "", required=False)
    people = line("谁核查的", "", max_length=80, autocomplete="off")
    words = line("查到什么", "", max_length=500)
    conclusion = line("结论", "", hint="写了就作结论", max_length=1000)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("kind"):
            for name, asked in (("done_on", "请填写日期"), ("people", "请填写核查人"), ("words", "请写明查到什么")):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, asked)
        return data

    @property
    def filled(self) -> bool:
        return bool(self.cleaned_data.get("kind") or self.cleaned_data.get("conclusion", "").strip())


class Rule(DeskForm):
    code = pick("哪一项", RecheckRule.Code.choices)
    programme = forms.ChoiceField(label="项目", required=False, error_messages={"invalid_choice": "请从列表选择"})
    value = number("数值", "请填写数值", low=0, high=180)
    basis = line("依据", "请填写依据", hint="文件名和文号", max_length=120, autocomplete="off")

    def __init__(self, *args: Any, programmes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = [("", "全部须复核的项目"), *programmes]  # type: ignore[attr-defined]
        self.fields["programme"].help_text = "只有“几个月核查一次”可以分项目"


class Verdict(DeskForm):
    outcome = radio("意见", [("yes", "同意，从今天起执行"), ("no", "不同意")])
    refusal = line("不同意的原因", "", hint="选“不同意”时填写", max_length=200)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("outcome") == "no" and not data.get("refusal", "").strip():
            self.add_error("refusal", "请填写不同意的原因")
        return data


class Offer(DeskForm):
    person = forms.TypedChoiceField(
        label="介绍给谁", coerce=int, widget=forms.RadioSelect,
        error_messages={"required": "请选择介绍给谁", "invalid_choice": "请从成员中选择"},
    )  # fmt: skip
    job = line("单位和岗位", "请填写单位和岗位", max_length=120, autocomplete="off")
    offered_by = line("谁介绍的", "请填写谁介绍的", hint="人社部门或就业服务机构", max_length=80, autocomplete="off")
    offered_on = day("介绍日期")
    fits = line("为什么合适", "请写明为什么合适", hint="与他的健康、劳动能力怎样相适应", rows=2, max_length=200)
    answer = radio("他的答复", JobOffer.Answer.choices)
    answered_on = day("答复日期")
    words = line("他的理由", "", hint="拒绝的照原话写，没有说的写“未说明”", rows=3, max_length=300)
    evidence = line("依据", "请填写依据", hint="推荐信、登记表的编号", max_length=120, autocomplete="off")

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("answer") == "refused" and not data.get("words", "").strip():
            self.add_error("words", "请照他的原话写，没有说的写“未说明”")
        return data


class Judgement(DeskForm):
    justified = radio("有没有正当理由", [("no", "没有正当理由"), ("yes", "有正当理由，或工作不合适")])
    judgement = line("为什么", "请写明核实了什么", rows=4, max_length=300)


class Objection(DeskForm):
    objection = line("他的申辩", "请照他的话写", rows=4, max_length=500)


class ObjectionAnswer(DeskForm):
    upheld = radio("申辩成立吗", [("yes", "成立，不予减发"), ("no", "不成立")])
    answer = line("核实经过和答复", "请写明核实了什么", rows=4, max_length=500)


class Cut(Reason):
    percent = number("减发百分之几", "请填写减发百分之几", "本人份额的百分之几，100 为停发本人份额", 1, 100)
    field_order = ("percent", "reason")
