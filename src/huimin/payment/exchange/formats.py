"""Which descriptions there are, and which setting of a bank's office is in force on a day (PAY-04)."""

from datetime import date

from django.conf import settings

from huimin.kernel.bankfile import Format, read_formats
from huimin.kernel.errors import BadInput
from huimin.payment.exchange_models import BankSetting

DEFAULT = "rural-bank-batch"
"""What an office without a setting speaks: lines in a folder, unsigned."""


def formats() -> dict[str, Format]:
    return read_formats(settings.BANK_FORMATS_FOLDER)


def get_format(key: str) -> Format:
    """BadInput when the description was taken away."""
    found = formats()
    if key not in found:
        raise BadInput(f"没有“{key}”这种银行文件格式", where="银行设置", remedy=f"可用的有：{'、'.join(sorted(found))}")
    return found[key]


def setting_of(bank_office: int, on: date) -> BankSetting | None:
    """The approved setting in force on that day; None when there is none."""
    approved = BankSetting.objects.filter(bank_office=bank_office, state=BankSetting.State.APPROVED, valid_from__lte=on)
    return approved.order_by("-valid_from").first()


def format_of(setting: BankSetting | None) -> Format:
    return get_format(setting.format if setting else DEFAULT)


def signs(setting: BankSetting | None) -> bool:
    return setting is not None and setting.suite != BankSetting.Suite.NONE
