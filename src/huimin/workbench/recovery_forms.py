"""Forms about dues and recoveries (PAY-06, DET-06)."""

from typing import Any

from django import forms

from huimin.workbench.book_forms import yuan_field
from huimin.workbench.forms import DayField, DeskForm, text


def choice(label: str, choices: list[tuple[str, str]], asked: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[("", "请选择"), *choices], error_messages={"required": asked, "invalid_choice": asked}
    )


class BackForm(DeskForm):
    """The paper that says from when."""

    basis = text(
        "依据", "请写明规定从哪天起执行的文件名和文号", hint="文件名和文号", max_length=200, autocomplete="off"
    )


class FindForm(DeskForm):
    programme = choice("补贴项目", [], "请选择补贴项目")

    def __init__(self, *args: Any, names: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["programme"].choices = [("", "请选择"), *sorted(names.items())]  # type: ignore[attr-defined]


class DecideForm(DeskForm):
    outcome = choice("审定结果", [("agree", "同意追缴"), ("refuse", "不追缴")], "请选择审定结果")
    reason = text("审定意见", "请写明查实的情况", rows=3, max_length=300)
    instalment = yuan_field("每期最多抵扣", required=False, hint="元；不填就按县里规定的比例")


class ManyForm(DeskForm):
    """The same word on all that were ticked."""

    outcome = choice("审定结果", [("agree", "同意追缴"), ("refuse", "不追缴")], "请选择审定结果")
    reason = text("审定意见", "请写明查实的情况", rows=3, max_length=300)


class TellForm(DeskForm):
    told_on = DayField(
        label="送达日期", widget=forms.TextInput({"autocomplete": "off"}), error_messages={"required": "请填写送达日期"}
    )
    how = text("怎样送达", "请填写怎样送达", hint="如：当面送达，本人签收", max_length=100, autocomplete="off")


class ReceiptForm(DeskForm):
    amount = yuan_field("交款金额")
    paid_on = DayField(
        label="交款日期", widget=forms.TextInput({"autocomplete": "off"}), error_messages={"required": "请填写交款日期"}
    )
    serial = text("银行流水号", "请按银行回单填写", max_length=40, autocomplete="off")


class WriteOffForm(DeskForm):
    amount = yuan_field("核销金额")
    reason = text("理由", "请写明为什么追不回来", rows=3, max_length=300)
    document = text("批准文件", "请填写批准核销的文件名和文号", hint="文件名和文号", max_length=80, autocomplete="off")


class SettleForm(DeskForm):
    """The second person's word."""

    outcome = choice("复核结果", [("agree", "通过"), ("refuse", "不通过")], "请选择复核结果")
    refusal = text("不通过的原因", "", rows=2, max_length=200)


class ShareForm(DeskForm):
    share = forms.IntegerField(
        label="每次最多抵扣当次应发的百分之几", widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text="1 至 50，其余留给这一户生活",
        error_messages={"required": "请填写百分之几", "invalid": "请填整数，如 20"},
    )  # fmt: skip
    basis = text("依据", "请写明县里文件的名称和文号", hint="文件名和文号", max_length=120, autocomplete="off")


class RebookForm(DeskForm):
    came_back_on = DayField(
        label="钱退回专户的日期",
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "请按银行回单填写日期"},
    )
    basis = text(
        "依据", "请写银行回单或对账单的编号", hint="银行回单或对账单的编号", max_length=200, autocomplete="off"
    )
