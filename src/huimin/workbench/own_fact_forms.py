"""Forms of the facts a county adds (REG-01)."""

from typing import Any

from django import forms

from huimin.kernel.facts import Kind
from huimin.policy.own_facts import UNITS, Wanted
from huimin.workbench.forms import DeskForm, text

_ENTITIES = [("户", "一户一个（如茶园亩数）"), ("人", "一人一个（如职业技能证书）")]
_YES_NO = [("no", "不是"), ("yes", "是，按个人信息遮盖（健康、残疾等）")]
_UNITS = [(unit, unit) for units in UNITS.values() for unit in units]
FIELDS = {"名称": "name", "单位": "unit", "选项": "choices", "材料": "paper", "理由": "reason"}
"""Where on the form stands what a refusal speaks of."""


class Propose(DeskForm):
    """What to ask, of whom, in what unit, and why."""

    name = text(
        "名称", "请填写名称", hint="调查表、导入表头、列表和政策里都用这个名称，如 茶园亩数；定了不能改", max_length=30,
        autocomplete="off",
    )  # fmt: skip
    entity = forms.ChoiceField(
        label="问谁", choices=_ENTITIES, widget=forms.RadioSelect,
        error_messages={"required": "请选择一户一个还是一人一个", "invalid_choice": "请选择一户一个还是一人一个"},
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="类型", choices=[("", "请选择"), *((kind.value, kind.value) for kind in Kind)], widget=forms.Select,
        help_text="金额、面积、整数可以参加计算；文字只登记，不参加计算",
        error_messages={"required": "请选择类型", "invalid_choice": "请选择列出的类型"},
    )  # fmt: skip
    unit = forms.ChoiceField(
        label="单位", choices=[("", "没有单位，或按类型默认"), *_UNITS], widget=forms.Select, required=False,
        help_text="金额：元、元/月、元/年；面积：亩、平方米；整数：人、头、次等；其余类型不选",
        error_messages={"invalid_choice": "请选择列出的单位"},
    )  # fmt: skip
    choices = text("选项", "", hint="类型是“选项”的填写，一行一个", rows=4, max_length=2000)
    paper = text("证明材料", "", hint="缺这一项时告诉申请人要带什么，如 茶园登记表", max_length=80, autocomplete="off")
    sensitive = forms.ChoiceField(
        label="是不是敏感信息", choices=_YES_NO, widget=forms.RadioSelect,
        error_messages={"required": "请选择是不是敏感信息", "invalid_choice": "请选择是不是敏感信息"},
    )  # fmt: skip
    reason = text("为什么要问", "请写明为什么要问", hint="哪个项目要用；不用的不问", rows=3, max_length=300)

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if told.get("kind") == Kind.CHOICE.value and not told.get("choices", "").strip():
            self.add_error("choices", "请写出选项，一行一个")
        return told

    def wanted(self) -> Wanted:
        told: dict[str, Any] = self.cleaned_data
        lines = tuple(line.strip() for line in told["choices"].splitlines() if line.strip())
        return Wanted(
            told["name"], told["entity"], told["kind"], told["unit"], lines, told["paper"], told["sensitive"] == "yes"
        )


class Decide(DeskForm):
    outcome = forms.ChoiceField(
        label="审批意见", choices=[("agreed", "同意，从今天起登记这一项"), ("refused", "不同意")], widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是不同意", "invalid_choice": "请选择同意还是不同意"},
    )  # fmt: skip
    answer = text("说明", "", hint="不同意的，写明原因", rows=3, max_length=300)
