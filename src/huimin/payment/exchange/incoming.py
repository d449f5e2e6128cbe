"""A file that came from a bank, whichever format it is in: found by its name, opened, its signature required (PAY-05).

in    a file's name and bytes (or a stream), perhaps the office it was fetched from
out   `Came`: what kind of file it is, its number, and the opened file whose rows come piece by piece

The format is that of the batch or check the name tells, so that a file is read the way the other one was written; a
statement is read by the one format that has them.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from huimin.kernel.bankfile import FileKind, Format, Incoming, open_file, other_encoding
from huimin.kernel.errors import BadInput
from huimin.payment.exchange.formats import formats, signs
from huimin.payment.exchange.iso_answers import open_camt053, open_pain002
from huimin.payment.exchange.signatures import BadSignature, require_signature
from huimin.payment.models import BankSetting, Batch, NameCheck


class TooEarly(BadInput):
    """What the bank tells is dated after today: it is looked at again when the day has come."""


class Elsewhere(BadInput):
    """A file of a bank that is taken on another page."""


TRANSFERS = ("transfer_answer", "transfer_refusal")
TAKEN = ("payment_answer", "payment_refusal", "check_answer", "check_refusal", "statement")


@dataclass(frozen=True)
class Named:
    """What a file's name says it is."""

    form: Format
    kind: FileKind
    number: str


def named(file_name: str, *kinds: str) -> Named:
    """The format and kind whose names look like this; BadInput when none does."""
    for form in formats().values():
        if (kind := form.kind_of(file_name, *(kinds or TAKEN))) is not None:
            matched = kind.name_pattern.fullmatch(file_name)
            assert isinstance(matched, re.Match)
            return Named(form, kind, matched["number"])
    if not kinds and transfer_of(file_name):
        raise Elsewhere("这是划款单的回执", where=file_name[:120], remedy="请到“拨款申请 › 收拨款回执”里收")
    raise BadInput("文件名不是银行回盘", where=file_name[:120], remedy="请用银行给出的原文件名")


def transfer_of(file_name: str) -> str:
    """The number of the transfer order whose receipt has such a name; "" where it is none."""
    try:
        return named(file_name, *TRANSFERS).number
    except BadInput:
        return ""


def meant(file_name: str) -> tuple[Batch | None, NameCheck | None]:
    """The batch or check a file's name tells, where it is one of ours."""
    try:
        told = named(file_name)
    except BadInput:
        return None, None
    if told.kind.key.startswith("check"):
        return None, NameCheck.objects.filter(check_no=told.number).first()
    return Batch.objects.filter(batch_no=told.number).first(), None


def opened(told: Named, source: BinaryIO, file_name: str) -> Any:
    """The file with its frame checked, by its layout."""
    if told.form.layout != "iso20022":
        return open_file(told.form, told.kind.key, source, file_name)
    if told.kind.key == "statement":
        return open_camt053(told.form, told.kind, source, file_name)
    return open_pain002(told.form, told.kind, source, file_name)


def require_signed(setting: BankSetting | None, on: date, file_name: str, came: Any, signature: bytes | None) -> str:
    """The key that signed, "" where the setting wants no signature. BadSignature, which tells when the encoding is another."""
    if setting is None or not signs(setting):
        return ""
    try:
        return require_signature(setting.bank_office_id, setting.suite, on, file_name, came.sha256, signature)
    except BadSignature as wrong:
        if not signature or not isinstance(came, Incoming) or not (other := other_encoding(came.form, came.source)):
            raise
        why = f"文件是 {other} 编码，约定的是 {came.form.encoding.upper()}，内容已不是银行签名的那一份"
        raise BadSignature(wrong.what, where=wrong.where, why=why, remedy="请用银行给的原文件，不要打开另存") from wrong


def require_past(day: date | None, on: date, what: str, where: str) -> None:
    """Nothing is booked that has not happened yet: it could not be booked back before that day. TooEarly."""
    if day is not None and day > on:
        raise TooEarly(
            f"{what} {day} 在今天 {on} 以后", where=where, why="还没到的日子不能先记账",
            remedy="整份不收；请核对系统的业务日期，到了那天再收，不对的请银行更正后重发",
        )  # fmt: skip
