"""Forms of the books: reviews, corrections, vouchers by hand, scans, closes, proofs (LED-01, LED-02, LED-03)."""

from collections.abc import Callable
from typing import Any

from django import forms

from huimin.kernel.errors import BadInput
from huimin.kernel.money import parse_yuan
from huimin.ledger.chart import EVENTS
from huimin.ledger.correcting import Kind, between_programmes
from huimin.workbench.forms import DeskForm, asked, text
from huimin.workbench.relief_forms import YuanField

LINES_SHOWN = 6


def yuan_field(label: str, *, required: bool = True, hint: str = "元，如 1200.50") -> YuanField:
    widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    return YuanField(
        label=label, help_text=hint, required=required, widget=widget,
        error_messages={"required": f"请填写{label}"},
    )  # fmt: skip


def _select(label: str, choices: list[tuple[str, str]], *, required: bool = True) -> forms.ChoiceField:
    wanted = asked(label)
    return forms.ChoiceField(
        label=label, choices=[("", "请选择"), *choices], required=required,
        error_messages={"required": wanted, "invalid_choice": wanted},
    )  # fmt: skip


class ReviewNote(DeskForm):
    note = text("审核意见", "请写明看了什么", hint="如：与银行回单、批次核对一致", max_length=200, autocomplete="off")


class Refusal(DeskForm):
    refusal = text("不予记账的原因", "请填写不予记账的原因", max_length=200, autocomplete="off")


class VoucherScanForm(DeskForm):
    title = text("单据名称", "请填写单据名称", hint="如：银行回单、批准文件", max_length=80, autocomplete="off")
    sheets = forms.IntegerField(
        label="张数", min_value=1, max_value=500, initial=1,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写张数", "invalid": "张数请填整数", "min_value": "张数至少 1 张", "max_value": "张数最多 500 张"},
    )  # fmt: skip


class Correction(DeskForm):
    """Take a voucher back; with at least one amount, the right lines in its place."""

    reason = text(
        "更正原因", "请填写更正原因", hint="如：银行回单金额为 1,200.00 元，记成了 1,000.00 元", rows=2, max_length=200
    )

    def __init__(self, *args: Any, event: str, programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.event = event
        pairs = [(f"{d.code}/{c.code}", f"借 {d.code} {d.name}　贷 {c.code} {c.name}") for d, c in EVENTS[event].pairs]
        for number in range(1, LINES_SHOWN + 1):
            self.fields[f"pair{number}"] = _select(f"第 {number} 条：借贷科目", pairs, required=False)
            self.fields[f"programme{number}"] = _select(
                f"第 {number} 条：补贴项目", sorted(programmes.items()), required=False
            )
            self.fields[f"fen{number}"] = yuan_field(
                f"第 {number} 条：金额", required=False, hint="元；不填就没有这一条"
            )
            self.fields[f"reference{number}"] = text(f"第 {number} 条：依据编号", "", max_length=40, autocomplete="off")
        for field in self.fields.values():
            if type(field.widget) is forms.Select:
                field.widget.attrs["class"] = "govuk-select"
            elif type(field.widget) is forms.TextInput:
                field.widget.attrs["class"] = "govuk-input"

    @property
    def rows(self) -> list[list[Any]]:
        """The bound fields of each line, for a table."""
        names = ("pair", "programme", "fen", "reference")
        return [[self[f"{name}{number}"] for name in names] for number in range(1, LINES_SHOWN + 1)]

    def lines(self) -> list[tuple[str, str, int, str, str]]:
        data, found = self.cleaned_data, []
        for number in range(1, LINES_SHOWN + 1):
            pair, fen = data.get(f"pair{number}"), data.get(f"fen{number}")
            if not pair and fen is None:
                continue
            if not pair or not fen:
                raise BadInput("这一条没有填全", where=f"第 {number} 条", remedy="请选借贷科目，填写金额")
            debit, _, credit = pair.partition("/")
            found.append(
                (debit, credit, fen, data.get(f"programme{number}") or "", data.get(f"reference{number}") or "")
            )
        return found


class _ByHand(DeskForm):
    """What every voucher by hand says. Each kind has a `summary` and `lines` of its own."""

    summary: Callable[[dict[str, Any]], str]
    lines: Callable[[dict[str, Any]], list[tuple[str, str, int, str, str]]]

    division = _select("哪套账", [])
    amount = yuan_field("金额")
    reason = text("原因", "请填写原因", rows=2, max_length=200)

    def __init__(self, *args: Any, books: list[tuple[str, str]], programmes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].choices = [("", "请选择"), *books] if len(books) != 1 else books
        for name in ("programme", "out_of", "into"):
            if name in self.fields:
                self.fields[name].choices = [("", "请选择"), *sorted(programmes.items())]

    def proposal(self) -> dict[str, Any]:
        """What `propose_manual` is told, besides who and when."""
        data = self.cleaned_data
        told = {"division": data["division"], "reason": data["reason"], "authority": data.get("authority", "")}
        return told | {"summary": self.summary(data), "lines": self.lines(data)}


class Reclassify(_ByHand):
    account = _select(
        "调整哪个科目", [("3001", "拨入专款（本年）"), ("3101", "专款结余（往年）"), ("5001", "专款支出")]
    )
    out_of = _select("从哪个项目调出", [])
    into = _select("调入哪个项目", [])
    authority = text("依据文号", "", hint="批准调整的文件，没有可不填", max_length=120, autocomplete="off")
    field_order = ("division", "account", "out_of", "into", "amount", "reason", "authority")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("out_of") and data.get("out_of") == data.get("into"):
            self.add_error("into", "调入的项目要和调出的不同")
        return data

    def summary(self, data: dict[str, Any]) -> str:
        names = dict(self.fields["out_of"].choices)
        return f"{names[data['out_of']]}调整到{names[data['into']]}"[:160]

    def lines(self, data: dict[str, Any]) -> list[tuple[str, str, int, str, str]]:
        return between_programmes(data["account"], data["out_of"], data["into"], data["amount"])


class WriteOff(_ByHand):
    programme = _select("补贴项目", [])
    authority = text("批准文号", "请填写批准文号", hint="同意核销的文件", max_length=120, autocomplete="off")
    field_order = ("division", "programme", "amount", "authority", "reason")

    def summary(self, data: dict[str, Any]) -> str:
        return f"核销应收追回款（{data['authority']}）"[:160]

    def lines(self, data: dict[str, Any]) -> list[tuple[str, str, int, str, str]]:
        return [("5003", "1021", data["amount"], data["programme"], "")]


class Interest(_ByHand):
    authority = text("结息单号", "请填写结息单号", hint="银行结息单上的编号和日期", max_length=120, autocomplete="off")
    field_order = ("division", "amount", "authority", "reason")

    def summary(self, data: dict[str, Any]) -> str:
        return f"专户利息（{data['authority']}）"[:160]

    def lines(self, data: dict[str, Any]) -> list[tuple[str, str, int, str, str]]:
        return [("1002", "2001", data["amount"], "", "")]


class Opening(_ByHand):
    account = _select("哪个科目的余额", [("1002", "专户存款"), ("1003", "在途发放"), ("1021", "应收追回款")])
    programme = _select("补贴项目", [])
    authority = text("移交清单", "", hint="旧账移交清单的编号，没有可不填", max_length=120, autocomplete="off")
    field_order = ("division", "account", "programme", "amount", "authority", "reason")

    def summary(self, data: dict[str, Any]) -> str:
        return f"期初余额：{dict(self.fields['account'].choices)[data['account']]}"

    def lines(self, data: dict[str, Any]) -> list[tuple[str, str, int, str, str]]:
        return [(data["account"], "3101", data["amount"], data["programme"], "")]


BY_HAND: dict[str, type[_ByHand]] = {
    Kind.RECLASSIFIED: Reclassify, Kind.WRITTEN_OFF: WriteOff, Kind.INTEREST: Interest, Kind.OPENING: Opening,
}  # fmt: skip


class ProofNote(DeskForm):
    note = text("处理意见", "", hint="有差异时写明原因和怎样处理；没有差异可不填", rows=3, max_length=300)


def typed_yuan(typed: str, where: str) -> int:
    """An amount of a table of inputs; BadInput names the place."""
    return parse_yuan(typed.replace(",", "").replace("，", "").strip(), where=where)
