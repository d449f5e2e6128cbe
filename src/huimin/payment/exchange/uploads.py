"""A file of a bank that somebody uploads: taken, and listed among the files of banks whatever came of it (PAY-05, SEC-05).

in    a file under the name its bank gave it, perhaps its signature; a receipt of a transfer order
out   what `take_result` or `take_transfer_answer` returns, or its refusal; in both cases an entry: who, which file, its digest,
      what came of it

Always true: a refusal undoes everything the file did and is listed by a transaction of its own afterwards; the same file
with the same end, uploaded again by the same person that day, is the same entry, counted. Who was not allowed to take files at all has
not sent one.
"""

import hashlib
from datetime import date
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from huimin.funds.commands import take_transfer_answer
from huimin.funds.models import FundingApplication, SpecialAccount
from huimin.kernel.bankfile import sized
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, NotYourPost, reading
from huimin.payment.commands.results import Taken, take_result
from huimin.payment.commands.sending import next_number
from huimin.payment.exchange.incoming import meant, transfer_of
from huimin.payment.models import ExchangeFile

State, Direction = ExchangeFile.State, ExchangeFile.Direction
_BLOCK = 1 << 20


def take_upload(*, by: Actor, on: date, source: BinaryIO, file_name: str, signature: bytes | None) -> Taken:
    """`take_result` of an uploaded file; its refusal is listed before it goes on."""
    sha256, size = _measured(source)
    try:
        taken = take_result(by=by, on=on, data=source, file_name=file_name, signature=signature)
    except NotYourPost:
        raise
    except Refusal as refusal:
        _list(by, on, file_name, sha256, size, State.REFUSED, str(refusal))
        raise
    _list(by, on, file_name, sha256, size, State.TAKEN, "")
    return taken


def take_transfer_upload(*, by: Actor, on: date, path: Path) -> FundingApplication:
    """`take_transfer_answer` of an uploaded receipt, listed like other answers; one number has one content (FUND-03)."""
    with path.open("rb") as source:
        sha256, size = _measured(source)
    try:
        known = _known(by, path.name, sha256)
        application = take_transfer_answer(by=by, on=on, path=path)
    except NotYourPost:
        raise
    except Refusal as refusal:
        _list(by, on, path.name, sha256, size, State.REFUSED, str(refusal))
        raise
    _list(by, on, path.name, sha256, size, State.TAKEN, "")
    application.taken_before |= known
    return application


def _known(by: Actor, file_name: str, sha256: str) -> bool:
    """Whether this receipt was taken before; BadInput when another was under its name."""
    with reading(by):
        taken = ExchangeFile.objects.filter(direction=Direction.IN, state=State.TAKEN, file_name=file_name[:120])
        first = taken.order_by("id").first()
    if first is not None and first.sha256 != sha256:
        raise BadInput(
            f"这一号回执 {first.created_on} 已经收过", where=file_name, why="内容与先收的不同",
            remedy="整份不收，请银行换回盘序号重报",
        )  # fmt: skip
    return first is not None


def list_too_large(*, by: Actor, on: date, file_name: str, most: int) -> BadInput:
    """An upload that was not stored to its end: listed without a digest, which nobody knows; the refusal to show."""
    refusal = BadInput(
        f"文件超过 {sized(most)}，没有收", where=file_name, remedy="请放到取件目录，用“取银行回盘”收，或请银行分批"
    )
    _list(by, on, file_name, "", 0, State.REFUSED, str(refusal))
    return refusal


def _measured(source: BinaryIO) -> tuple[str, int]:
    whole, size = hashlib.sha256(), 0
    source.seek(0)
    while block := source.read(_BLOCK):
        whole.update(block)
        size += len(block)
    source.seek(0)
    return whole.hexdigest(), size


def _list(by: Actor, on: date, file_name: str, sha256: str, size: int, state: State, why: str) -> None:
    same = {
        "uploaded_by": by.appointment, "file_name": file_name[:120], "sha256": sha256, "state": state,
        "last_error": why[:300], "created_on": on,
    }  # fmt: skip
    with reading(by):
        batch, check = meant(file_name)
        owner = batch or check or _payer(file_name)
        office = owner.bank_office_id if owner else None
        number = next_number(office, Direction.IN)  # one at a time from here on, so that two at once are one entry
        entry = ExchangeFile.objects.filter(**same).first() or ExchangeFile(
            **same, division=by.division, bank_office_id=office, direction=Direction.IN, number=number, size_bytes=size,
            batch=batch, name_check=check,
        )  # fmt: skip
        entry.tries += 1
        entry.moved_at = timezone.now()
        entry.save(update_fields=["tries", "moved_at"] if entry.pk else None)


def _payer(file_name: str) -> SpecialAccount | None:
    """The account a transfer order drew on, by the name of its receipt."""
    number = transfer_of(file_name)
    found = FundingApplication.objects.filter(transfer_no=number).select_related("payer").first() if number else None
    return found.payer if found else None
