"""Fields as our pages show them: GOV.UK classes, Chinese messages that say what to do, spaces forgiven.

Checked on submit only; what was typed stays. The same words stand at the field and in the summary above.
"""

from typing import Any

from django import forms

from huimin.organisation.posts import Post
from huimin.workbench.listing import day_of

_CLASSES = {
    forms.Textarea: "govuk-textarea",
    forms.Select: "govuk-select",
    forms.TextInput: "govuk-input",
    forms.PasswordInput: "govuk-input",
    forms.NumberInput: "govuk-input",
    forms.DateInput: "govuk-input",
    forms.FileInput: "govuk-file-upload",
}


def asked(label: str) -> str:
    """What a list or radio buttons say when nothing is chosen; a label may itself begin with 选择 or be a verb."""
    return f"请选择：{label}"


class DeskForm(forms.Form):
    """A form of the desk; every field needs `error_messages["required"]` that tells what to fill in."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            classes = [name for kind, name in _CLASSES.items() if type(field.widget) is kind]
            if classes:
                field.widget.attrs["class"] = " ".join(filter(None, [*classes, field.widget.attrs.get("class")]))
            if field.required and "required" not in (field.error_messages or {}):
                raise AssertionError(f"{type(self).__name__}: a required field says what to fill in")

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id of the field, message) for the summary on top."""
        found = [
            (self[name].auto_id, str(error))
            for name, errors in self.errors.items()
            if name != "__all__"
            for error in errors
        ]
        first = self[next(iter(self.fields))].auto_id
        return [(first, str(error)) for error in self.non_field_errors()] + found


def text(
    label: str, required: str, *, hint: str = "", rows: int = 0, max_length: int = 500, **attrs: Any
) -> forms.CharField:
    """A line, or with `rows` a block, of text; `required` is what the error says when it is empty ("" for optional)."""
    widget = forms.Textarea({"rows": rows, **attrs}) if rows else forms.TextInput(attrs)
    return forms.CharField(
        label=label,
        help_text=hint,
        required=bool(required),
        max_length=max_length,
        widget=widget,
        error_messages={
            "required": required or "请填写",
            "max_length": f"{label}最多 {max_length} 个字，请改短",
            "null_characters_not_allowed": f"{label}里有看不见的字符，请重新输入",
        },
    )


class SignIn(DeskForm):
    username = text(
        "用户名", "请填写用户名", max_length=40, autocomplete="username", autocapitalize="none", spellcheck="false"
    )
    password = forms.CharField(
        label="口令",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": "请填写口令", "max_length": "口令过长，请重新输入"},
    )


class NewPassword(DeskForm):
    current = forms.CharField(
        label="现口令",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": "请填写现口令", "max_length": "口令过长，请重新输入"},
    )
    new = forms.CharField(
        label="新口令",
        strip=False,
        max_length=200,
        help_text="10 位以上，不要全是数字，不要用姓名或常见口令",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "请填写新口令", "max_length": "口令最多 200 位，请改短"},
    )
    again = forms.CharField(
        label="再输一次新口令",
        strip=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "请再输一次新口令", "max_length": "口令最多 200 位，请改短"},
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("new") and again != self.cleaned_data["new"]:
            raise forms.ValidationError("两次输入的新口令不一样，请重新输入")
        return again


class Decision(DeskForm):
    """A refusal needs its reason; a confirmation may carry a remark."""

    reason = text("理由", "", rows=3, max_length=300)

    def __init__(self, *args: Any, grant: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if grant:
            self.fields["reason"].label = "备注（可不填）"
        else:
            self.fields["reason"].help_text = "会写进告知书和每一户的经过，请写明不符合哪一条"
        self.grant = grant

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"].strip()
        if not self.grant and not reason:
            raise forms.ValidationError("请填写不予确认的理由")
        return reason


class Adjustment(DeskForm):
    """An increase, decrease or stop decided one by one; a refusal needs its reason."""

    outcome = forms.ChoiceField(
        label="决定",
        choices=[("grant", "同意调整"), ("refuse", "不予调整")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是不予调整", "invalid_choice": "请选择同意还是不予调整"},
    )
    reason = text("理由", "", hint="减发、停发的会写进通知书；不予调整的须写明理由", rows=3, max_length=300)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("outcome") == "refuse" and len(data.get("reason", "").strip()) < 4:
            self.add_error("reason", "请填写不予调整的理由，至少四个字")
        return data


class Answer(DeskForm):
    """A file the bank answered with; its name tells what it answers, so it must not be renamed."""

    MAX_BYTES = 64 * 1024 * 1024

    file = forms.FileField(
        label="银行给的文件",
        error_messages={
            "required": "请选择银行给的文件",
            "empty": "文件是空的，请重新向银行取件",
            "invalid": "请选择银行给的文件",
        },
    )

    def __init__(self, *args: Any, starts: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.starts = starts
        self.fields["file"].help_text = f"{' 或 '.join(starts)} 开头的文本文件，不要改名，不要用 Excel 另存"

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if not file.name.startswith(self.starts):
            raise forms.ValidationError(
                f"文件名不是 {' 或 '.join(self.starts)} 开头，请核对后再选；代发回盘在“银行批次 › 收回盘文件”里收"
            )
        if file.size > self.MAX_BYTES:
            raise forms.ValidationError("文件超过 64 MB，请核对后再选")
        return file


class DayField(forms.CharField):
    """A date as people type it; a date out."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        if (day := day_of(str(text))) is None:
            raise forms.ValidationError(f"请按 2021-07-01 的样子填写{self.label}")
        return day


class Screening(DeskForm):
    determination_date = DayField(
        label="认定日期",
        help_text="按这一天的登记和政策判断每一户，如 2021-07-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写认定日期"},
    )
    place = forms.ChoiceField(
        label="地方", error_messages={"required": "请选择地方", "invalid_choice": "请从列表选择辖区内的地方"}
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = places


class Purpose(DeskForm):
    purpose = text(
        "为什么要看", "请写明为什么要看", hint="如：核对银行退回的账号。会和您的岗位、时间一起记下来", max_length=80
    )


class ExportPurpose(DeskForm):
    purpose = text(
        "用于什么",
        "请写明用于什么",
        hint="如：入户核查、上报县惠民办。会写在文件里，并和您的岗位、时间一起记下来",
        max_length=80,
    )

    def clean_purpose(self) -> str:
        said = " ".join(str(self.cleaned_data["purpose"]).split())
        if len(said) < 2:
            raise forms.ValidationError("请用至少两个字写明用于什么")
        return said


class CardAccount(DeskForm):
    """Another account for a card; spaces and full-width digits are forgiven."""

    account = text(
        "新账号",
        "请填写新账号",
        hint="10 至 30 位数字，可以带空格",
        max_length=60,
        inputmode="numeric",
        autocomplete="off",
    )
    account_name = text(
        "户名", "请填写户名", hint="须与持卡人姓名一致，补贴只发到本人账户", max_length=60, autocomplete="off"
    )
    reason = text("更正原因", "请填写更正原因", hint="如：原卡已销户，银行退回", max_length=200)

    def clean_account(self) -> str:
        digits = str.maketrans("０１２３４５６７８９", "0123456789", "-－ 　")
        account: str = self.cleaned_data["account"].translate(digits)
        if not (account.isascii() and account.isdigit() and 10 <= len(account) <= 30):
            raise forms.ValidationError("新账号应为 10 至 30 位数字，请对照银行卡核对")
        return account


class CardState(DeskForm):
    state = forms.ChoiceField(
        label="卡的状态",
        choices=[("active", "正常（找到了）"), ("lost", "挂失"), ("closed", "已销户")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择卡的状态", "invalid_choice": "请选择卡的状态"},
    )
    evidence = text("依据", "请填写依据", hint="如：银行销户回单、挂失登记号", max_length=120)


class Verdict(DeskForm):
    """Approve or refuse; a refusal says why."""

    outcome = forms.ChoiceField(
        label="审核意见",
        choices=[("approve", "同意更正"), ("refuse", "不予更正")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择同意还是不予更正", "invalid_choice": "请选择同意还是不予更正"},
    )
    refusal = text("不予更正的原因", "", hint="选“不予更正”时填写", max_length=200)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("outcome") == "refuse" and not data.get("refusal", "").strip():
            self.add_error("refusal", "请填写不予更正的原因")
        return data


class Settlement(DeskForm):
    settlement = text("处理结果", "请填写核实情况和处理结果", rows=3, max_length=200)


def _choice(label: str, required: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, coerce=int, error_messages={"required": required, "invalid_choice": required}
    )


class Networks(DeskForm):
    networks = text(
        "允许的网络地址",
        "请登记至少一个网段",
        hint="一行一个，如 10.34.15.0/24；单台机器写 10.34.15.8/32。只能从这些地址登录",
        rows=3,
        max_length=1000,
    )

    def clean_networks(self) -> list[str]:
        return str(self.cleaned_data["networks"]).split()


class NewAppointment(DeskForm):
    """An office and a post; which offices there are depends on who asks."""

    office = _choice("机构", "请选择机构")
    post = forms.ChoiceField(
        label="岗位",
        choices=[("", "请选择"), *((value, label) for value, label in Post.choices)],
        error_messages={"required": "请选择岗位", "invalid_choice": "请选择岗位"},
    )

    def __init__(self, *args: Any, offices: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].choices = [("", "请选择"), *offices]


class NewAccount(NewAppointment, Networks):
    """Who gets an account, in which post, from which addresses (S0 A2 art 12, 39)."""

    full_name = text("姓名", "请填写姓名", max_length=40, autocomplete="off")
    username = text(
        "用户名",
        "请填写用户名",
        hint="小写字母开头，3 至 40 位字母、数字或短横，如 meishan-clerk",
        max_length=40,
        autocomplete="off",
        autocapitalize="none",
        spellcheck="false",
    )
    field_order = ("full_name", "username", "office", "post", "networks")
