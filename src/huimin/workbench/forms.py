"""Fields as our pages show them: GOV.UK classes, Chinese messages that say what to do, spaces forgiven.

Checked on submit only; what was typed stays. The same words stand at the field and in the summary above.
"""

from typing import Any

from django import forms

_CLASSES = {
    forms.Textarea: "govuk-textarea",
    forms.Select: "govuk-select",
    forms.TextInput: "govuk-input",
    forms.PasswordInput: "govuk-input",
    forms.NumberInput: "govuk-input",
    forms.DateInput: "govuk-input",
    forms.FileInput: "govuk-file-upload",
}


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
        found = [(self[name].auto_id, str(error)) for name, errors in self.errors.items() if name != "__all__" for error in errors]
        first = self[next(iter(self.fields))].auto_id
        return [(first, str(error)) for error in self.non_field_errors()] + found


def text(label: str, required: str, *, hint: str = "", rows: int = 0, max_length: int = 500, **attrs: Any) -> forms.CharField:
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
    username = text("用户名", "请填写用户名", max_length=40, autocomplete="username", autocapitalize="none", spellcheck="false")
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
