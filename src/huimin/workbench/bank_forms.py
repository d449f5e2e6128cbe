"""Forms for banks: the file a bank answered with, how it is spoken to, what came of an exception (PAY-04, PAY-05)."""

from typing import Any

from django import forms

from huimin.kernel.errors import BadInput
from huimin.payment.exchange.incoming import Elsewhere, named
from huimin.payment.exchange.signatures import BYTES_MAX
from huimin.payment.models import BankSetting
from huimin.workbench.forms import DayField, DeskForm, text


class BankAnswer(DeskForm):
    """A file of a bank under the name it gave it, and the signature that came with it."""

    file = forms.FileField(
        label="银行给的文件",
        help_text="代发回盘、整批拒收、户名核验回盘或对账单，不要改名，不要用 Excel 另存",
        error_messages={
            "required": "请选择银行给的文件", "empty": "文件是空的，请重新向银行取件", "invalid": "请选择银行给的文件",
        },
    )  # fmt: skip
    signature = forms.FileField(
        label="签名文件",
        help_text="约定了签名的银行，选同名、以 .sig 结尾的文件",
        required=False,
        error_messages={"empty": "签名文件是空的，请重新向银行取件", "invalid": "请选择 .sig 文件"},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            named(file.name)
        except Elsewhere as wrong:
            raise forms.ValidationError(f"{wrong.what}，{wrong.remedy}") from None
        except BadInput:
            raise forms.ValidationError("文件名不是约定的样式，请用银行给出的原文件名") from None
        return file

    def clean_signature(self) -> Any:
        file = self.cleaned_data.get("signature")
        if file and file.size > BYTES_MAX:
            raise forms.ValidationError("这不是签名文件，请选 .sig 结尾的小文件")
        return file


class SettingForm(DeskForm):
    """How an office of a bank is spoken to from a day on."""

    bank_office = forms.TypedChoiceField(
        label="银行机构", coerce=int, error_messages={"required": "请选择银行机构", "invalid_choice": "请选择银行机构"}
    )
    valid_from = DayField(
        label="从哪一天起", help_text="如 2026-03-01；已经编制的批次不变", widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "请填写从哪一天起"},
    )  # fmt: skip
    format = forms.ChoiceField(
        label="文件格式", error_messages={"required": "请选择格式", "invalid_choice": "请选择格式"}
    )
    suite = forms.ChoiceField(
        label="签名", choices=BankSetting.Suite.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择签不签名", "invalid_choice": "请选择签不签名"},
    )  # fmt: skip
    name_check = forms.ChoiceField(
        label="新的、变更过的账户先核验户名", choices=[("yes", "要求：核验相符才发"), ("no", "不要求")],
        widget=forms.RadioSelect, error_messages={"required": "请选择要不要先核验", "invalid_choice": "请选择要不要先核验"},
    )  # fmt: skip
    route = forms.ChoiceField(
        label="怎么送", choices=BankSetting.Route.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择怎么送", "invalid_choice": "请选择怎么送"},
    )  # fmt: skip
    folder_out = text("送件目录", "", hint="可不填；字母、数字、短横", max_length=80, autocomplete="off")
    folder_in = text("取件目录", "", hint="可不填", max_length=80, autocomplete="off")
    host = text("服务器", "", hint="SFTP 才填：主机名或 IP", max_length=80, autocomplete="off")
    port = forms.IntegerField(
        label="端口", required=False, min_value=1, max_value=65535, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={"invalid": "端口写成 22", "min_value": "端口在 1 到 65535 之间", "max_value": "端口在 1 到 65535 之间"},
    )  # fmt: skip
    username = text("用户名", "", hint="SFTP 才填", max_length=40, autocomplete="off")
    host_key = text("服务器公钥", "", hint="SFTP 才填：银行给的一行，如 ssh-ed25519 AAAA…", rows=3, max_length=800)
    basis = text("依据", "请填写依据", hint="代发协议或接口约定的名称、日期", max_length=120)

    def __init__(
        self, *args: Any, offices: list[tuple[int, str]], formats: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank_office"].choices = [("", "请选择"), *offices]
        self.fields["format"].choices = [("", "请选择"), *formats]


class Refusal(DeskForm):
    refusal = text("退回的原因", "", hint="退回时填写", max_length=200)


class Resolution(DeskForm):
    resolution = text(
        "处理结果",
        "请写明银行怎么答复、怎么办的",
        hint="如：银行已更正，重报文件收到；或银行书面说明并冲回",
        rows=3,
        max_length=200,
    )
