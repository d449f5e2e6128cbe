"""The two jobs that speak to banks: send what waits, fetch and take what lies there; a state for every file (PAY-04, PAY-05).

in    the ledger of files (ExchangeFile), the settings in force
out   files 待送 → 已送 → 已确认, or 失败 with the last error and the number of tries; answers 已收 or 拒收 with the reason

Always true: each file is its own transaction, so that a killed job leaves it as it was or done; a file sent twice is the
same file; an answer is taken whole or not at all, and one that was refused is looked at again only when it, or its
signature, has changed, or while its day has not come. Work over the network happens outside of transactions. What fails for one file or bank does not
stop the others; the sentence a job ends with counts both.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.utils import timezone

from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import Cancelled, TakenOver
from huimin.kernel.bankfile import too_big
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, reading
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind
from huimin.payment.commands.results import take_result
from huimin.payment.commands.sending import FETCH, SEND, maker, next_number, require_same
from huimin.payment.exchange.formats import format_of, setting_of
from huimin.payment.exchange.incoming import TooEarly, meant, named
from huimin.payment.exchange.routes import (
    ACK,
    ACK_BYTES_MAX,
    FolderRoute,
    Lying,
    Route,
    answers_of,
    read_ack,
)
from huimin.payment.exchange.signatures import ENDING, signature_of
from huimin.payment.models import BankSetting, ExchangeFile

if TYPE_CHECKING:
    from huimin.payment.exchange.sftp import SftpRoute

State, Direction = ExchangeFile.State, ExchangeFile.Direction
_SPOOLED = 8 * 1024 * 1024
_ROUNDS_MAX = 1000
_LOOKED_AT = ["state", "seen", "size_bytes", "last_error", "tries", "moved_at"]


def inbox_of(setting: BankSetting | None) -> Path:
    """Where a bank without a server puts its answers; HUIMIN_INBOX names another place than the instance's home."""
    home = os.environ.get("HUIMIN_INBOX") or Path(settings.HOME) / "bank" / "inbox"
    return Path(home) / (setting.folder_in if setting else "")


@contextmanager
def spool() -> Iterator[BinaryIO]:
    """A file of ours without a name, gone when it is closed; small ones never touch the disk."""
    folder = Path(settings.HOME) / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.SpooledTemporaryFile(_SPOOLED, dir=folder) as file:
        yield file  # type: ignore[misc]


def send(by: Actor, job: Job, report: Report) -> str:
    """Every waiting file to its bank, until none waits; one sentence with how many."""
    from huimin.payment.exchange.sftp import connected

    sent, failed = 0, 0
    while waiting := _waiting(by):
        for setting, numbers in waiting.items():
            with reading(by):
                how = BankSetting.objects.get(pk=setting)
            try:
                with connected(how, job.business_date) as route:
                    for number in numbers:
                        done = _send_one(by, job.business_date, route, number, report)
                        sent, failed = sent + done, failed + (not done)
            except (Cancelled, TakenOver):
                raise
            except Refusal as refusal:
                failed += _fail_all(by, setting, str(refusal))
    return f"送出 {sent} 个文件" + (f"，{failed} 个没有送成，已记下原因" if failed else "")


def _waiting(by: Actor) -> dict[int, list[int]]:
    """Waiting files by the setting they go by, in the order of their numbers."""
    found: dict[int, list[int]] = {}
    with reading(by):
        rows = ExchangeFile.objects.filter(direction=Direction.OUT, state=State.WAITING).order_by(
            "bank_office", "number"
        )
        for number, setting in rows.values_list("pk", "setting_id"):
            found.setdefault(setting, []).append(number)
    return found


_OWNERS = (
    "setting", "batch__payer", "batch__roster", "batch__setting", "batch__bank_office", "name_check__setting",
    "name_check__bank_office",
)  # fmt: skip


def _send_one(by: Actor, on: date, route: "SftpRoute", number: int, report: Report) -> bool:
    """One file: made again, compared with what was written, signed, sent; whether it arrived."""
    moved = 0

    def tell(done: int) -> None:
        nonlocal moved
        moved = done
        report(f"送 {file.file_name}"[:40], done, file.size_bytes)

    try:
        with spool() as made:
            with reading(by):
                file = ExchangeFile.objects.select_related(*_OWNERS).get(pk=number)
                require_same(file, maker(file.batch, file.name_check)[1](made).sha256)
            made.seek(0)
            if (setting := file.setting) is not None and setting.suite != BankSetting.Suite.NONE:
                signature = signature_of(file.bank_office_id, setting.suite, on, file.file_name, file.sha256)
                route.put_small(file.file_name + ENDING, signature)
            route.put(file.file_name, made, file.size_bytes, tell)
    except (Cancelled, TakenOver):
        raise
    except Refusal as refusal:
        _mark(by, number, state=State.FAILED, last_error=str(refusal)[:300], done_bytes=moved)
        return False
    _mark(by, number, state=State.SENT, moved_at=timezone.now(), done_bytes=moved, last_error="")
    return True


def _mark(by: Actor, number: int, **columns: object) -> None:
    with reading(by):
        file = ExchangeFile.objects.select_for_update().get(pk=number)
        if file.state == State.CONFIRMED:
            return
        file.tries += 1
        for name, value in columns.items():
            setattr(file, name, value)
        file.save(update_fields=["tries", *columns])


def _fail_all(by: Actor, setting: int, why: str) -> int:
    """The bank could not be reached: every file that waits for it says so."""
    numbers = _waiting(by).get(setting, [])
    for number in numbers:
        _mark(by, number, state=State.FAILED, last_error=why[:300])
    return len(numbers)


def fetch(by: Actor, job: Job, report: Report) -> str:
    """Everything that lies at the banks for us, taken or refused; one sentence with how many."""
    taken = refused = 0
    troubles = []
    for office, name, setting in _banks(by, job.business_date):
        try:
            with _route(setting, job.business_date) as route:
                _confirm(by, office, route)
                for lying, signature in answers_of(route):
                    report("取回盘", taken + refused, taken + refused + 1)
                    outcome = _take_one(by, job.business_date, office, setting, route, lying, signature())
                    taken, refused = taken + (outcome is True), refused + (outcome is False)
        except (Cancelled, TakenOver):
            raise
        except Refusal as refusal:
            troubles.append(f"{name}，{refusal}")
    told = f"收 {taken} 个文件" + (f"，拒收 {refused} 个，已记下原因" if refused else "")
    return told + (f"；{len(troubles)} 家银行没有连上：{troubles[0]}" if troubles else "")


def _banks(by: Actor, on: date) -> list[tuple[int, str, BankSetting | None]]:
    """Offices of banks here, with their names and how they are spoken to."""
    with reading(by):
        offices = Office.objects.filter(kind=OfficeKind.BANK, division__startswith=by.prefix).order_by("pk")
        return [(office.pk, office.name, setting_of(office.pk, on)) for office in offices]


@contextmanager
def _route(setting: BankSetting | None, on: date) -> Iterator[Route]:
    from huimin.payment.exchange.sftp import connected

    if setting is not None and setting.route == BankSetting.Route.SFTP:
        with connected(setting, on) as route:
            yield route
    else:
        yield FolderRoute(inbox_of(setting))


def _confirm(by: Actor, office: int, route: Route) -> None:
    """Acknowledgements of what was sent: the bank names the digest it received."""
    with reading(by):
        sent = list(
            ExchangeFile.objects.filter(bank_office=office, direction=Direction.OUT, state=State.SENT)[:_ROUNDS_MAX]
        )
    for file in sent:
        try:
            told = read_ack(route.get_small(file.file_name + ACK, ACK_BYTES_MAX), file.file_name)
        except BadInput as wrong:
            _note(by, file.pk, last_error=str(wrong)[:300])
            continue
        if told == file.sha256:
            _note(by, file.pk, state=State.CONFIRMED, confirmed_at=timezone.now(), last_error="")
        elif told is not None:
            _note(by, file.pk, state=State.FAILED, last_error="银行收到的内容与送出的不同，请与银行核对后重送")


def _note(by: Actor, number: int, **columns: object) -> None:
    with reading(by):
        ExchangeFile.objects.filter(pk=number).exclude(state=State.CONFIRMED).update(**columns)


def _take_one(
    by: Actor, on: date, office: int, setting: BankSetting | None, route: Route, lying: Lying, signature: bytes | None
) -> bool | None:
    """True when it was taken, False when refused, None when it was seen before."""
    seen = f"{lying.seen}:{hashlib.sha256(signature or b'').hexdigest()[:16]}"
    with reading(by):
        known = ExchangeFile.objects.filter(
            bank_office=office, direction=Direction.IN, file_name=lying.name[:120], uploaded_by=None
        ).first()
        if known is not None and known.seen == seen:
            return None
        limit = format_of(setting).bytes_max
    try:
        named(lying.name)
        if lying.size > limit:
            raise too_big(limit, lying.name)
        with spool() as came:
            route.get(lying, came, lambda done: None)
            came.seek(0)
            take_result(by=by, on=on, data=came, file_name=lying.name, signature=signature, bank_office=office)
    except Refusal as refusal:
        again = isinstance(refusal, TooEarly)
        _list(by, on, office, setting, lying, "" if again else seen, State.REFUSED, str(refusal))
        return False
    _list(by, on, office, setting, lying, seen, State.TAKEN, "")
    return True


def _list(
    by: Actor, on: date, office: int, setting: BankSetting | None, lying: Lying, seen: str, state: str, why: str
) -> None:  # fmt: skip
    """The ledger of what came: once a name, with how often it was looked at and why it was refused last."""
    with reading(by):
        found = ExchangeFile.objects.select_for_update().filter(
            bank_office=office, direction=Direction.IN, file_name=lying.name[:120], uploaded_by=None
        ).first()  # fmt: skip
        if found is None:
            batch, check = (owner if owner and owner.bank_office_id == office else None for owner in meant(lying.name))
            found = ExchangeFile(
                division=by.division, bank_office_id=office, setting=setting, direction=Direction.IN, batch=batch, name_check=check,
                number=next_number(office, Direction.IN), file_name=lying.name[:120], created_on=on, state=state,
            )  # fmt: skip
        found.state, found.seen, found.size_bytes, found.last_error = state, seen, lying.size, why[:300]
        found.tries += 1
        found.moved_at = timezone.now()
        found.save(update_fields=_LOOKED_AT if found.pk else None)


def _ended(job: Job) -> None:
    """A job that ends without success leaves every file as it is."""


def register() -> None:
    """Make the kinds known to the queue; when the room is loaded."""
    handles(SEND, "送银行文件", send, _ended)
    handles(FETCH, "取银行回盘", fetch, _ended)
