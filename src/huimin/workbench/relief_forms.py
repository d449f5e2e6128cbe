"""Forms of emergency relief, petty funds and care (DET-04, DET-05)."""

from typing import Any

from django import forms

from huimin.casework.care import ITEMS
from huimin.casework.models import CareAgreement, Relief
from huimin.kernel.errors import BadInput
from huimin.kernel.money import parse_yuan
from huimin.workbench.change_forms import IdentityField
from huimin.workbench.forms import DayField, DeskForm, asked, text


class YuanField(forms.CharField):
    """An amount as people type it, in 元; 分 out."""

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        try:
            return parse_yuan(typed.replace(",", "").replace("，", ""), where=str(self.label)) if typed else None
        except BadInput as wrong:
            raise forms.ValidationError(f"{self.label}请按 1200 或 1200.50 的样子填写") from wrong


def _yuan(label: str, hint: str = "") -> YuanField:
    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    return YuanField(
        label=label, help_text=hint or "元，如 1200.50", widget=widget, error_messages={"required": f"请填写{label}"}
    )


def _day(label: str) -> DayField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return DayField(
        label=label, help_text="如 2021-07-01", widget=widget, error_messages={"required": f"请填写{label}"}
    )


def _radio(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    wanted = asked(label)
    return forms.ChoiceField(
        label=label, choices=choices, widget=forms.RadioSelect,
        error_messages={"required": wanted, "invalid_choice": wanted},
    )  # fmt: skip


class RecordRelief(DeskForm):
    person = forms.TypedChoiceField(
        label="救助谁", coerce=int, required=False, empty_value=None,
        error_messages={"invalid_choice": "请从这一户的成员中选择"},
    )  # fmt: skip
    cause = _radio("急难情形", Relief.Cause.choices)
    happened_on = _day("发生日期")
    story = text(
        "经过和困难",
        "请填写经过和困难",
        hint="写清发生了什么、眼下缺什么；不要写证件号码和电话",
        rows=4,
        max_length=500,
    )
    amount = _yuan("救助金额")

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", "全户"), *people]


class RecordGuest(DeskForm):
    """Somebody who lives elsewhere and is in need here."""

    guest = text("姓名", "请填写姓名", hint="说不出姓名的，写明特征", max_length=60, autocomplete="off")
    id_number = IdentityField("证件号码", required=False, hint="没有证件的先不填，查清后由户籍地补")
    home = forms.ChoiceField(
        label="户籍地", required=False, help_text="选中的乡镇会看到这件救助并认领；不清楚的先不选",
        error_messages={"invalid_choice": "请从列表选择户籍地"},
    )  # fmt: skip
    cause = _radio("急难情形", Relief.Cause.choices)
    happened_on = _day("发生日期")
    story = text(
        "经过和困难",
        "请填写经过和困难",
        hint="写清发生了什么、眼下缺什么；不要写证件号码和电话",
        rows=4,
        max_length=500,
    )
    amount = _yuan("救助金额")

    def __init__(self, *args: Any, homes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["home"].choices = [("", "不清楚，或不在名单内"), *homes]  # type: ignore[attr-defined]


class TieGuest(DeskForm):
    """Which household of here it was."""

    household_no = text("户编码", "请填写户编码", hint="从家庭页面抄户编码", max_length=24, autocomplete="off")
    name = text("成员姓名", "请填写成员姓名", hint="被救助的是这一户的谁", max_length=60, autocomplete="off")


class Meeting(DeskForm):
    held_on = _day("会议日期")
    attendants = text("参加人", "请填写三名以上参加人", hint="一行一个姓名和职务", rows=5, max_length=1000)
    in_favour = forms.IntegerField(
        label="赞成人数", min_value=0, max_value=100, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={
            "required": "请填写赞成人数", "invalid": "赞成人数请填数字", "min_value": "赞成人数不能小于零",
            "max_value": "赞成人数最多 100",
        },
    )  # fmt: skip
    minutes = text("会议记录", "请填写会议记录", rows=5, max_length=1000)


class Papers(DeskForm):
    papers = text("补齐的材料", "请填写补齐的材料", hint="如：火灾证明、身份证复印件、领款签字", rows=3, max_length=500)


class ReliefRefusal(DeskForm):
    refusal = text("不予救助的理由", "请填写不予救助的理由", rows=3, max_length=300)


class FundTerms(DeskForm):
    division = forms.ChoiceField(
        label="乡镇", error_messages={"required": "请选择乡镇", "invalid_choice": "请从列表选择乡镇"}
    )
    limit = _yuan("单笔限额", "一件急难救助由乡镇直接审批的最高金额，元")
    basis = text("依据", "请填写文件依据", hint="县里规定限额的文件名和文号", max_length=120)

    def __init__(self, *args: Any, townships: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = townships


class Topup(DeskForm):
    amount = _yuan("拨入金额")
    note = text("凭证", "请填写拨款凭证", hint="拨款凭证号", max_length=120)


class Assessment(DeskForm):
    lost = forms.MultipleChoiceField(
        label="不能自主完成的", choices=list(ITEMS.items()), required=False, widget=forms.CheckboxSelectMultiple,
        help_text="六项都能完成的不勾", error_messages={"invalid_choice": "请从六项中选择"},
    )  # fmt: skip
    assessors = text("评估人", "请填写两名评估人", hint="一行一个，两名", rows=2, max_length=100)
    assessed_on = _day("评估日期")


class Agreement(DeskForm):
    mode = _radio("供养方式", CareAgreement.Mode.choices)
    carer = text("供养机构或照料人", "请填写供养机构或照料人", max_length=80)
    signed_on = _day("签订日期")
