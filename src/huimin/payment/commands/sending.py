"""Files for banks: written once from what was stored, into a folder or onto the list of what is to be sent (PAY-04).

in    released batches and checks of accounts
out   a folder: the file and its signature, whole or not at all. SFTP: a row that waits for the job `bank-send`

Every file is numbered for its bank and kept in the ledger of files with its digest; writing again writes the same bytes.
A file on its way to an SFTP server never lies on our disk between tries: it is made again from stored rows.
"""

import hashlib
import io
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from huimin.database.bulk import fetch_one
from huimin.jobs.commands import enqueue
from huimin.jobs.models import Job
from huimin.kernel.bankfile import Written
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.payment.commands.states import WrongState
from huimin.payment.exchange.composing import batch_name, check_name, write_batch, write_check
from huimin.payment.exchange.signatures import ENDING, signature_of
from huimin.payment.models import BankSetting, Batch, ExchangeFile, NameCheck

SEND, FETCH = "bank-send", "bank-fetch"
State = ExchangeFile.State
Direction = ExchangeFile.Direction
Maker = Callable[[BinaryIO], Written]


class FileChanged(Refusal):
    """The file, made again, is not what was written."""


@command(Post.FINANCE_RELEASER)
def write_batch_files(*, by: Actor, on: date, folder: Path) -> list[Path]:
    """Write the file of every released batch and check of the place; the paths of those that went into a folder.

    What goes over SFTP is put on the list and a job is asked for. Who comes second waits, and finds it done.
    """
    written = []
    batches = Batch.objects.select_for_update(of=("self",)).select_related(*_BATCH)
    for batch in batches.filter(state=Batch.State.RELEASED).order_by("pk"):
        path, sha256 = _write(on, folder, batch.setting, batch, None)
        Batch.objects.filter(pk=batch.pk, state=Batch.State.RELEASED).update(
            state=Batch.State.WRITTEN, file_sha256=sha256, written_at=timezone.now()
        )
        written.append(path)
    checks = NameCheck.objects.select_for_update(of=("self",)).select_related("setting", "bank_office")
    for check in checks.filter(state=NameCheck.State.PREPARED).order_by("pk"):
        path, sha256 = _write(on, folder, check.setting, None, check)
        NameCheck.objects.filter(pk=check.pk, state=NameCheck.State.PREPARED).update(
            state=NameCheck.State.WRITTEN, file_sha256=sha256, written_at=timezone.now()
        )
        written.append(path)
    if ExchangeFile.objects.filter(direction=Direction.OUT, state=State.WAITING).exists():
        enqueue(by=by, on=on, kind=SEND, division=by.division, arguments={})
    return [path for path in written if path is not None]


_BATCH = ("payer", "roster", "setting", "bank_office")


@command(Post.FINANCE_RELEASER)
def request_sending(*, by: Actor, on: date) -> Job:
    """Ask for what waits or failed to be sent now."""
    failed = ExchangeFile.objects.filter(direction=Direction.OUT, state__in=[State.WAITING, State.FAILED])
    if not failed.exists():
        raise WrongState("没有要送的文件", remedy="请先写出银行文件")
    failed.update(state=State.WAITING)
    return enqueue(by=by, on=on, kind=SEND, division=by.division, arguments={})


@command(Post.FINANCE_OFFICER)
def request_fetching(*, by: Actor, on: date) -> Job:
    """Ask for the banks' answers to be fetched and taken, each whole or not at all."""
    return enqueue(by=by, on=on, kind=FETCH, division=by.division, arguments={})


def _write(
    on: date, folder: Path, setting: BankSetting | None, batch: Batch | None, check: NameCheck | None
) -> tuple[Path | None, str]:
    name, make = maker(batch, check)
    office = batch.bank_office_id if batch else check.bank_office_id if check else 0
    sftp = setting is not None and setting.route == BankSetting.Route.SFTP
    path = None if sftp else folder / (setting.folder_out if setting else "") / name
    if path is None:
        sha256, size = _measured(make)
    else:
        sha256, size = put_file(path, make, lambda told: _put_signature(on, setting, path, told))
    _list_file(on, office, setting, name, sha256, size, batch, check, State.WAITING if sftp else State.SENT)
    return path, sha256


def maker(batch: Batch | None, check: NameCheck | None) -> tuple[str, Maker]:
    """The file's name, and what writes it into a stream."""
    if batch is not None:
        return batch_name(batch), lambda sink: write_batch(batch, sink)
    assert check is not None
    return check_name(check), lambda sink: write_check(check, sink)


class _Nowhere(io.RawIOBase):
    """Counts what is written to it."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        length = len(data)  # type: ignore[arg-type]
        self.size += length
        return length


def _measured(make: Maker) -> tuple[str, int]:
    nowhere = _Nowhere()
    return make(nowhere).sha256, nowhere.size  # type: ignore[arg-type]


def put_file(path: Path, make: Maker, before: Callable[[str], None]) -> tuple[str, int]:
    """Through a temporary name, so that the bank never reads half a file; what belongs beside it (`before`) comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        sha256 = make(file).sha256
        size = file.tell()
        file.flush()
        os.fsync(file.fileno())
    before(sha256)
    part.replace(path)
    return sha256, size


def _put_signature(on: date, setting: BankSetting | None, path: Path, sha256: str) -> None:
    if setting is None or setting.suite == BankSetting.Suite.NONE:
        return
    made = signature_of(setting.bank_office_id, setting.suite, on, path.name, sha256)
    part = path.with_name(path.name + ENDING + ".part")
    part.write_bytes(made)
    part.replace(path.with_name(path.name + ENDING))


def _list_file(
    on: date, office: int, setting: BankSetting | None, name: str, sha256: str, size: int, batch: Batch | None,
    check: NameCheck | None, state: str,
) -> None:  # fmt: skip
    """The ledger of files; the same file again is the same row."""
    if ExchangeFile.objects.filter(bank_office=office, direction=Direction.OUT, file_name=name).exists():
        return
    owner = batch or check
    assert owner is not None
    ExchangeFile.objects.create(
        division=owner.division, bank_office_id=office, setting=setting, direction=Direction.OUT,
        number=next_number(office, Direction.OUT), file_name=name, sha256=sha256, size_bytes=size, batch=batch,
        name_check=check, state=state, created_on=on, tries=0 if state == State.WAITING else 1,
        moved_at=None if state == State.WAITING else timezone.now(),
    )  # fmt: skip


def next_number(office: int | None, direction: str) -> int:
    """Files of a bank and direction are numbered without gaps; one transaction at a time."""
    fetch_one("SELECT pg_advisory_xact_lock(hashtextextended('bank exchange ' || %s, 0))::text", [office or 0])
    [number] = fetch_one(
        "SELECT coalesce(max(number), 0) + 1 FROM payment_exchangefile WHERE bank_office_id IS NOT DISTINCT FROM %s"
        " AND direction = %s",
        [office, direction],
    )
    return int(number)


def batch_file(batch: Batch) -> tuple[str, bytes]:
    """File name and bytes of a released batch, as the bank gets them."""
    if batch.state in (Batch.State.PREPARED, Batch.State.CANCELLED):
        raise WrongState("批次尚未放行，没有文件", remedy="请先由复核人放行")
    name, make = maker(batch, None)
    sink = io.BytesIO()
    make(sink)
    return name, sink.getvalue()


def require_same(file: ExchangeFile, sha256: str) -> None:
    """What is sent is what was written, or nothing is."""
    if sha256 != file.sha256:
        raise FileChanged(
            f"{file.file_name} 与写出时不一样", why="清册、账户或格式说明被改动", remedy="请停止办理并报告监督员核查"
        )


def digest_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
