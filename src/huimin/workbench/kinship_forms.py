"""Forms of the kinship file: a declaration of several relatives, what the county settles (REG-10)."""

from typing import Any

from django import forms

from huimin.kinship.declaring import Kin
from huimin.kinship.models import Relative
from huimin.workbench.forms import DeskForm, text

ROWS = 5
"""Relatives on one form; more go into a second one."""
_PARTS = ("relation", "name", "id_number", "benefit", "as_text")


class Declare(DeskForm):
    """Rows of relatives, or none; an empty row is no relative."""

    none = forms.BooleanField(label="没有须申报的近亲属享受或申请补贴", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(1, ROWS + 1):
            for part, each in _row().items():
                self.fields[f"{part}_{row}"] = each
                css = {"relation": "govuk-select", "as_text": "box"}.get(part, "govuk-input")
                each.widget.attrs["class"] = css

    def lines(self) -> list[list[Any]]:
        """The fields of each row, for the page."""
        return [[self[f"{part}_{row}"] for part in _PARTS] for row in range(1, ROWS + 1)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for row in range(1, ROWS + 1):
            told = [data.get(f"{part}_{row}") for part in _PARTS[:4]]
            for part, value in zip(_PARTS, told, strict=False):
                if any(told) and not value and f"{part}_{row}" not in self.errors:
                    self.add_error(f"{part}_{row}", f"第 {row} 位：请填写{self.fields[f'{part}_{row}'].label}")
        return data

    def relatives(self) -> list[Kin]:
        data = self.cleaned_data
        rows = [[data[f"{part}_{row}"] for part in _PARTS] for row in range(1, ROWS + 1)]
        return [Kin(*row) for row in rows if any(row[:4])]


def _row() -> dict[str, forms.Field]:
    return {
        "relation": forms.ChoiceField(
            label="关系", required=False, choices=[("", "请选择"), *Relative.Relation.choices],
            error_messages={"invalid_choice": "请从列表选择关系"},
        ),
        "name": text("姓名", "", max_length=60, autocomplete="off"),
        "id_number": text("证件号码", "", max_length=30, autocomplete="off"),
        "benefit": text("享受或申请的补贴", "", max_length=80, autocomplete="off"),
        "as_text": forms.BooleanField(label="按文字备案", required=False),
    }  # fmt: skip


class Settle(DeskForm):
    act = forms.ChoiceField(
        label="怎样处理",
        choices=[("settle", "经核对，不是本县登记的人"), ("end", "终止备案：关系不再存续，或不再享受补贴")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择怎样处理", "invalid_choice": "请选择怎样处理"},
    )
    told = text("核对结果或原因", "请写明核对结果或原因", rows=3, max_length=200)


class Rule(DeskForm):
    within_days = forms.IntegerField(
        label="申报期限（天）", min_value=1, max_value=365, widget=forms.NumberInput({"inputmode": "numeric"}),
        help_text="每年 1 月 1 日（新任职的从任职日）起多少天内申报",
        error_messages={
            "required": "请填写天数", "invalid": "请填写整数", "min_value": "不能少于 1 天", "max_value": "不能超过 365 天",
        },
    )  # fmt: skip
    basis = text("依据", "请填写依据", hint="文件或会议的名称和日期", max_length=120)
