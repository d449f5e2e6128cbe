"""Forms of the register of cards: files of issued cards, hand-over, authorities, cooling time (REG-07)."""

from typing import Any

from django import forms

from huimin.registry.models import CardAuthority
from huimin.workbench.forms import DayField, DeskForm, text


def _day(label: str, hint: str = "如 2021-07-01") -> DayField:
    return DayField(
        label=label,
        help_text=hint,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": f"请填写{label}"},
    )


class IssueFile(DeskForm):
    file = forms.FileField(
        label="银行发卡文件",
        help_text="表头要有：证件号码、姓名、账号；“用途”写户或人，可不写。.xlsx 或 .csv，最多 50,000 行",
        widget=forms.FileInput({"accept": ".xlsx,.csv,.txt"}),
        error_messages={"required": "请选择文件", "empty": "文件是空的，请核对后再选", "invalid": "请选择文件"},
    )


class HandOver(DeskForm):
    receiver_number = text(
        "领取人证件号码", "", hint="本人领取不填；监护人、代领人领取须有在案的授权", max_length=30, autocomplete="off"
    )
    signature = text("签名", "请写明签收单编号和签名", hint="如：签收单 7 号，本人签字（或按手印）", max_length=120)
    handed_on = _day("领取日期")


class Authority(DeskForm):
    """A signed paper as it lies on the table."""

    beneficiary = forms.ChoiceField(
        label="为谁代领", error_messages={"required": "请选择为谁代领", "invalid_choice": "请选择这一户的成员"}
    )
    kind = forms.ChoiceField(
        label="身份",
        choices=CardAuthority.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择身份", "invalid_choice": "请选择身份"},
    )
    agent_number = text(
        "代领人证件号码", "请填写代领人证件号码", hint="本乡镇的成年人，名下有在用的账户", max_length=30,
        autocomplete="off",
    )  # fmt: skip
    paper_no = text("授权书编号", "请填写授权书编号", max_length=60)
    note = text("说明", "请填写说明", hint="为何代领，谁签的字，原件存在哪里", max_length=200)
    since = _day("开始日期")
    until = _day("截止日期", "最后一天，过了这天不再有效，须重新签署")

    def __init__(self, *args: Any, members: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["beneficiary"].choices = members


class Reason(DeskForm):
    refusal = text("原因", "请填写原因", rows=2, max_length=200)


class AuthorityVerdict(DeskForm):
    outcome = forms.ChoiceField(
        label="审核意见",
        choices=[("approve", "同意备案"), ("refuse", "不予备案")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择审核意见", "invalid_choice": "请选择审核意见"},
    )
    refusal = text("不予备案的原因", "", hint="选“不予备案”时填写", max_length=200)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("outcome") == "refuse" and not data.get("refusal", "").strip():
            self.add_error("refusal", f"请填写{self.fields['refusal'].label}")
        return data


class CoolingVerdict(AuthorityVerdict):
    """The same of a proposed cooling time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [("approve", "同意"), ("refuse", "不同意")]
        self.fields["refusal"].label, self.fields["refusal"].help_text = "不同意的原因", "选“不同意”时填写"


class CoolingTime(DeskForm):
    days = forms.IntegerField(
        label="冷静期（天）",
        min_value=0,
        max_value=90,
        help_text="0 至 90；0 为审核后当天启用。只对以后审核的更正起作用",
        widget=forms.NumberInput({"inputmode": "numeric"}),
        error_messages={
            "required": "请填写天数", "invalid": "请填写整数", "min_value": "不能少于 0 天", "max_value": "不能超过 90 天",
        },
    )  # fmt: skip
    basis = text("依据", "请填写依据", hint="文件或会议的名称和日期", max_length=120)
