"""The form of a draft: a programme's standards as they are, to be written over; place, day, and files of new text."""

from collections.abc import Sequence
from typing import Any

from django import forms

from huimin.policy.models import PolicyDraft
from huimin.rules import ParameterValue
from huimin.screening.simulation.drafts import EVERY, TEXT_BYTES_MAX, Draft, text_path
from huimin.workbench.forms import DayField, DeskForm, text
from huimin.workbench.listing import Options
from huimin.workbench.studies import plain_value, written

FILE = "file"
PURE = "纯数"


class CoverageDay(DeskForm):
    """As of which day who draws what is looked at."""

    determination_date = DayField(
        label="按哪一天",
        help_text="这一天生效的政策和次月享受的补贴，如 2021-07-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写日期"},
    )


class Drafting(DeskForm):
    """`standards` are those in force; `unset` the names of standards nobody has set, of a programme that waits for them.

    A field whose value was not changed changes nothing. Field names are `standard-0` …, in the order of the policy.
    With `stored`, the draft is a version that is being drafted in the policy room, as it stands there.
    """

    determination_date = DayField(
        label="生效日期",
        help_text="如 2021-07-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写生效日期"},
    )
    place = forms.ChoiceField(
        label="地方",
        required=False,
        help_text="全辖区，或一个乡镇",
        error_messages={"invalid_choice": "请从列表选择地方，只能选本辖区"},
    )
    together = forms.BooleanField(
        label="别的项目里同名的标准一起改", required=False, widget=forms.CheckboxInput({"class": "box"})
    )
    anew = forms.BooleanField(
        label="重新读取登记（较慢）；不选则用最近一次筛查的快照",
        required=False,
        widget=forms.CheckboxInput({"class": "box"}),
    )
    file = forms.FileField(
        label="政策文件（可不选）",
        required=False,
        help_text="改条件、算式时用：一份 YAML 文件，顶替同一项目、同一地方、同一日期的那一份",
        error_messages={"empty": "文件是空的，请核对后再选"},
    )
    title = text("名称（可不填）", "", hint="便于以后查找", max_length=120)

    def __init__(
        self,
        *args: Any,
        standards: Sequence[ParameterValue],
        unset: Sequence[str],
        places: Options,
        stored: PolicyDraft | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stored = stored
        self.standards: list[ParameterValue | str] = [*standards, *unset]
        self.fields["place"].choices = [("", "全辖区"), *places]
        for number, each in enumerate(self.standards):
            self.fields[f"standard-{number}"] = _standard(each)
        for name in list(self.fields):
            if name.startswith("standard-"):
                self.fields[name].widget.attrs["class"] = "govuk-input govuk-input--width-10"

    @property
    def standard_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("standard-")]

    @property
    def field_ids(self) -> dict[str, str]:
        """Name of a standard → its field."""
        return {_name(each): f"standard-{number}" for number, each in enumerate(self.standards)}

    @property
    def file_name(self) -> str:
        """As its author calls it; the draft's own where there is no file."""
        return getattr(self.files.get(FILE), "name", "") or "草案"

    def clean_file(self) -> str:
        file = self.cleaned_data[FILE]
        if not file:
            return ""
        if file.size > TEXT_BYTES_MAX:
            raise forms.ValidationError("文件超过 1 MB，请拆成几个文件")
        try:
            read: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError("文件不是 UTF-8 编码，请另存为 UTF-8 后再选") from None
        return read

    def draft(self, code: str, texts: dict[str, str]) -> Draft:
        """What was written: only what differs from what is in force."""
        if self.stored is not None:
            return Draft({}, {self.stored.path: self.stored.text})
        settings = {}
        for number, each in enumerate(self.standards):
            value = self.cleaned_data[f"standard-{number}"].strip()
            if value and (isinstance(each, str) or value != plain_value(each)):
                settings[_name(each)] = value
        everywhere = {EVERY: settings} if self.cleaned_data["together"] else {}
        new = self.cleaned_data[FILE]
        name = getattr(self.files.get(FILE), "name", "")
        return Draft({code: settings, **everywhere}, {text_path(name, new, texts): new} if new else {})


def _name(standard: ParameterValue | str) -> str:
    return standard if isinstance(standard, str) else standard.name


def _standard(standard: ParameterValue | str) -> forms.CharField:
    if isinstance(standard, str):
        return text(standard, "", hint="还没有定，写上数值和单位", max_length=40, autocomplete="off")
    since = f"现行 {written(standard)}，自 {standard.valid_from}"
    unit = "" if standard.unit in ("", PURE) else f"（{standard.unit}）"
    field = text(f"{standard.name}{unit}", "", hint=since, max_length=40)
    field.initial = plain_value(standard)
    field.widget.attrs["autocomplete"] = "off"
    return field
