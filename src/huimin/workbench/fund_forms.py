"""Forms of money from above: indicators by document, what is issued, cut, carried (FUND-01)."""

from collections.abc import Callable
from typing import Any

from django import forms

from huimin.funds.models import Allotment, MoneyMove, Route
from huimin.workbench.book_forms import _select as select
from huimin.workbench.book_forms import yuan_field
from huimin.workbench.forms import DayField, DeskForm, text
from huimin.workbench.relief_forms import YuanField

KINDS = [(str(kind), kind.label) for kind in Allotment.Kind]
ISSUED_KINDS = [pair for pair in KINDS if pair[0] != Allotment.Kind.CARRIED]


def _amount(label: str) -> YuanField:
    field = yuan_field(label)
    field.validators.append(_above_zero(label))
    return field


def _above_zero(label: str) -> Callable[[int], None]:
    def check(amount_fen: int) -> None:
        if amount_fen <= 0:
            raise forms.ValidationError(f"{label}要大于零")

    return check


def _document() -> forms.CharField:
    return text("文号", "请填写文号", hint="照文件填写，如 皖财社〔2026〕15号", max_length=80, autocomplete="off")


class NewIndicator(DeskForm):
    """A document of an upper level, or of the place's own budget."""

    division = select("哪一级的指标", [])
    programme = select("补贴项目", [])
    year = forms.IntegerField(
        label="年度", min_value=2000, max_value=2100, widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写年度", "invalid": "年度写成 2026", "min_value": "年度写成 2026", "max_value": "年度写成 2026"},
    )  # fmt: skip
    document_no = _document()
    issuer = select("哪一级下达", [(str(issuer.value), issuer.label) for issuer in Allotment.Issuer])
    kind = select("性质", KINDS)
    amount = _amount("金额")

    def __init__(self, *args: Any, places: list[tuple[str, str]], programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = places
        self.fields["programme"].choices = [("", "请选择"), *sorted(programmes.items())]

    def told(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"issuer": int(data["issuer"]), "amount_fen": data.pop("amount")}


class IssueOnward(DeskForm):
    target = select("下达到", [])
    document_no = _document()
    kind = select("性质", ISSUED_KINDS)
    amount = _amount("金额")
    reason = text("备注", "", max_length=200, autocomplete="off")

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [("", "请选择"), *places]

    def told(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"amount_fen": data.pop("amount")}


class CutIndicator(DeskForm):
    document_no = _document()
    amount = _amount("调减金额")
    reason = text("原因", "请填写原因", rows=2, max_length=200)

    def told(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"amount_fen": data.pop("amount")}


def _day(label: str, required: str) -> DayField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return DayField(
        label=label, help_text="如 2026-03-01", widget=widget, required=bool(required),
        error_messages={"required": required or f"请填写{label}"},
    )  # fmt: skip


class NewRoute(DeskForm):
    division = select("哪里", [])
    programme = forms.ChoiceField(label="补贴项目", required=False, error_messages={"invalid_choice": "请从列表中选"})
    route = forms.ChoiceField(
        label="支付方式", choices=Route.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择支付方式", "invalid_choice": "请选择支付方式"},
    )  # fmt: skip
    document_no = _document()
    valid_from = _day("从哪一天起", "请填写从哪一天起")

    def __init__(self, *args: Any, places: list[tuple[str, str]], programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = places
        self.fields["programme"].choices = [("", "全部项目"), *sorted(programmes.items())]


MONEY_KINDS = [(kind.value, kind.label) for kind in (MoneyMove.Kind.IN, MoneyMove.Kind.UP, MoneyMove.Kind.INTEREST)]


class NewMoney(DeskForm):
    kind = forms.ChoiceField(
        label="办什么", choices=MONEY_KINDS, widget=forms.RadioSelect,
        error_messages={"required": "请选择办什么", "invalid_choice": "请选择办什么"},
    )  # fmt: skip
    division = select("哪个专户", [])
    programme = forms.ChoiceField(
        label="补贴项目",
        required=False,
        help_text="利息不分项目，不选",
        error_messages={"invalid_choice": "请从列表中选"},
    )
    amount = _amount("金额")
    document_no = text("凭据编号", "请填写凭据编号", hint="缴款书或拨款文件的编号", max_length=80, autocomplete="off")
    reason = text("原因", "请填写原因", rows=2, max_length=200)

    def __init__(self, *args: Any, places: list[tuple[str, str]], programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = [("", "请选择"), *places]
        self.fields["programme"].choices = [("", "不分项目"), *sorted(programmes.items())]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        interest, programme = data.get("kind") == MoneyMove.Kind.INTEREST, data.get("programme")
        if interest and programme:
            self.add_error("programme", "利息不分项目，请选“不分项目”")
        elif "kind" in data and not interest and programme == "":
            self.add_error("programme", "请选择：补贴项目")
        if 0 < len(" ".join(data.get("reason", "").split())) < 2:
            self.add_error("reason", "原因太短，至少两个字")
        return data

    def told(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        return data | {"amount_fen": data.pop("amount")}


class GiveBack(DeskForm):
    document_no = text("缴款书编号", "请填写缴款书编号", max_length=80, autocomplete="off")
    reason = text(
        "为什么不再发放",
        "请填写为什么不再发放",
        hint="如：对象死亡，户内已无其他人；已迁出本县",
        rows=2,
        max_length=200,
    )


class ConfirmMoney(DeskForm):
    receipt_no = text("银行回单号", "", hint="照银行回单填写", max_length=60, autocomplete="off")
    booked_on = _day("入账日期", "")
    refusal = text("退回的原因", "", hint="退回时填写", max_length=200, autocomplete="off")


class RefuseMany(DeskForm):
    refusal = text("退回的原因", "", hint="退回时填写", max_length=200, autocomplete="off")
