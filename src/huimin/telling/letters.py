"""告知书: every refusal, reduction and stop is told in writing, and so is what somebody asked for (CASE-05, CASE-11).

    decision ──owed (trigger)──► written: numbered, content sealed ──► delivered: signed for, left, mailed

in    decisions, each with its letter from the same transaction on; who received it, on which day
out   numbered letters of the office that decided; for a case, the day its applicant was told

Always true: a decision has one letter at most; its number is one of its office's book, without gaps; its content is what held
when it was decided and never changes (digest, triggers); written once, delivered once, not before it was written; a letter of
a case that was delivered is the applicant being told (cases.answering). Due: a refusal within three working days, a reduction or
stop before it takes effect. Law: 民发〔2021〕57号 第21、32条; 伊民规〔2022〕2号 二(一)5; 国务院令第649号 第13条.

Many are written by a job, PIECE at a time, each piece in a transaction of its own: killed and taken up again, it goes on with
what is still owed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from huimin.calendars.queries import calendar_of
from huimin.cases.models import Case
from huimin.casework.models import Decision
from huimin.database.bulk import copy_rows, run
from huimin.database.context import scope_of
from huimin.database.personal import PAYLOAD, sealed
from huimin.jobs.commands import enqueue
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.digests import canonical, digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, AlreadyDone, command, reading, refused_by_constraint
from huimin.organisation.models import Office
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.registry.commands.attachments import keep_scan
from huimin.telling.grounds import contents_of
from huimin.telling.models import Letter
from huimin.telling.numbers import take_numbers

WRITERS = (
    Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER,
)  # fmt: skip
BRINGERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.DEPARTMENT_OFFICER)
KIND = "letters"
PIECE = 100
AT_ONCE_MAX = 50
DELIVERED_MAX = 200
REFUSAL_DAYS = 3
"""Working days; every process we know says three (不予批准告知)."""
How, State = Letter.How, Letter.State

refused_by_constraint("letter_final", AlreadyDone, "告知书已经制作或送达", "请刷新后查看")


class NotYourLetter(Refusal):
    """Another office decided it and writes its letter."""


def owed_to(by: Actor) -> QuerySet[Letter]:
    """Letters the office of `by` has to write, the earliest decision first."""
    return Letter.objects.filter(state=State.OWED, office=by.office).order_by("decided_on", "id")


@command(*WRITERS)
def write_letters(*, by: Actor, on: date, letter_ids: Collection[int]) -> int:
    """Number and write these letters of one's own office; how many were written now (0 when they all were before)."""
    ids = sorted(set(letter_ids))
    if not 0 < len(ids) <= AT_ONCE_MAX:
        raise BadInput(
            "没有勾选，或一次太多", where="告知书", remedy=f"请勾选 1 至 {AT_ONCE_MAX} 份；全部制作的用“全部制作”"
        )
    found = list(Letter.objects.filter(pk__in=ids).values_list("pk", "office"))
    if len(found) != len(ids):
        raise BadInput("有的告知书不存在，或不在您的辖区内", where="告知书", remedy="请刷新列表后再选")
    if any(office != by.office for _, office in found):
        raise NotYourLetter("由作出决定的机构制作告知书", why="文号和落款是作出决定的机构", remedy="请由该机构办理")
    return _write(by, on, ids)


@command(*WRITERS)
def request_letters(*, by: Actor, on: date) -> Job:
    """All letters the office of `by` owes, as a job; the one under way when it was asked before."""
    if not owed_to(by).exists():
        raise BadInput("没有待制作的告知书", where="告知书", remedy="有新的决定后再制作")
    return enqueue(by=by, on=on, kind=KIND, division=by.division, arguments={"office": by.office})


def _work(by: Actor, job: Job, report: Report) -> str:
    """Piece by piece, each in a transaction of its own."""
    with reading(by):
        total = owed_to(by).count()
    done = 0
    while True:
        with reading(by):
            require_held(job)
            ids = list(owed_to(by).values_list("pk", flat=True)[:PIECE])
            written = _write(by, job.business_date, ids) if ids else 0
        done += written
        report("制作告知书", done, max(total, done))
        if not written:
            return f"制作 {done:,} 份"


def _ended(job: Job) -> None:
    """What was written stays; the rest is owed as before."""


handles(KIND, "制作告知书", _work, _ended)

_COLUMNS = [
    ("id", "bigint"), ("serial", "integer"), ("number", "text"), ("name", "text"), ("due_on", "date"), ("payload_enc", "bytea"),
    ("payload_hash", "bytea"), ("digest", "text"),
]  # fmt: skip
_STORE = """
UPDATE telling_letter l SET state = 'issued', year = %(year)s, serial = w.serial, number = w.number, name = w.name,
       issued_on = %(on)s, issued_by = %(by)s, due_on = w.due_on, payload_enc = w.payload_enc, payload_hash = w.payload_hash,
       digest = w.digest
FROM letters_written w WHERE l.id = w.id AND l.state = 'owed'
"""


def _write(by: Actor, on: date, ids: Sequence[int]) -> int:
    """Contents as they were when it was decided, numbers in the order of the list; those written meanwhile are left alone."""
    waiting = Letter.objects.select_for_update().filter(pk__in=ids, state=State.OWED).order_by("decided_on", "id")
    letters = list(waiting)
    if not letters:
        return 0
    decisions = Decision.objects.select_related("proposal__run", "signature").in_bulk(
        [row.decision_id for row in letters]
    )
    programmes = {law.code: law for law in Programme.objects.filter(code__in={row.programme for row in letters})}
    told, calendar = contents_of(by, letters, decisions, programmes), calendar_of(by.division)
    first = take_numbers(by.division, f"letter:{by.office}", on.year, len(letters))
    office = Office.objects.get(pk=by.office)
    rows = []
    for serial, letter in enumerate(letters, first):
        number = f"{office.name}〔{on.year}〕{serial} 号"
        content = told[letter.pk] | {"number": number, "office": office.name}
        enc, hashed = sealed(canonical(content).decode(), PAYLOAD)
        due = letter.due(calendar, REFUSAL_DAYS)
        rows.append((letter.pk, serial, number, content["name"], due, enc, hashed, digest(content)))
    copy_rows("letters_written", _COLUMNS, rows)
    return run(_STORE, {"year": on.year, "on": on, "by": by.appointment})


@dataclass(frozen=True)
class Delivery:
    """How letters came to whom: `receiver` who took it (for many, empty: each addressee), `note` what else must be said."""

    how: str
    delivered_on: date
    receiver: str = ""
    note: str = ""
    scan: bytes | None = None


@command(*BRINGERS)
def deliver_letters(*, by: Actor, on: date, letter_ids: Collection[int], delivery: Delivery) -> int:
    """Register that letters were delivered; how many now. A case whose letter came is told.

    The same delivery again changes nothing; a delivered letter is not delivered otherwise.
    """
    ids = sorted(set(letter_ids))
    if not 0 < len(ids) <= DELIVERED_MAX:
        raise BadInput("没有勾选，或一次太多", where="告知书", remedy=f"请勾选 1 至 {DELIVERED_MAX} 份")
    letters = list(Letter.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    if len(letters) != len(ids):
        raise BadInput("有的告知书不存在，或不在您的辖区内", where="告知书", remedy="请刷新列表后再选")
    told = _told(delivery, letters, on)
    waiting = [row for row in letters if row.state == State.ISSUED]
    if any(row.state == State.OWED for row in letters):
        raise BadInput("有的告知书还没有制作", where="告知书", remedy="请先由作出决定的机构制作、打印")
    if not waiting:
        return 0
    scan = keep_scan(delivery.scan) if delivery.scan else ("", "")
    for row in waiting:
        row.state, row.delivered_on, row.delivered_how = State.DELIVERED, told.delivered_on, told.how
        row.receiver, row.note, row.delivered_by = told.receiver or row.name, told.note, by.appointment
        row.scan_sha256, row.scan_type = scan
    Letter.objects.bulk_update(
        waiting,
        ["state", "delivered_on", "delivered_how", "receiver", "note", "delivered_by", "scan_sha256", "scan_type"],
    )
    _tell_cases([row.decision_id for row in waiting], told.delivered_on)
    return len(waiting)


def _told(delivery: Delivery, letters: list[Letter], on: date) -> Delivery:
    if delivery.how not in How.values:
        raise BadInput("没有选怎么送达的", where="送达方式", remedy="请从列表选择")
    latest = max((row.issued_on for row in letters if row.issued_on), default=on)
    if not latest <= delivery.delivered_on <= on:
        raise BadInput(
            f"送达日期 {delivery.delivered_on} 不成立",
            where="送达日期",
            why=f"应在 {latest} 制作之后、今天之前",
            remedy="请核对日期",
        )
    receiver, note = delivery.receiver.strip()[:40], delivery.note.strip()[:200]
    if delivery.how == How.FAMILY and (len(letters) > 1 or len(receiver) < 2):
        raise BadInput("家属签收要写是谁签收的", where="签收人", remedy="请逐份登记，写签收的同住成年家属姓名")
    if delivery.how in (How.LEFT, How.NOBODY, How.MAILED) and len(note) < 4:
        needs = {How.LEFT: "见证人和经过", How.NOBODY: "为什么无人可送、怎样公开说明", How.MAILED: "邮寄单号"}[
            How(delivery.how)
        ]
        raise BadInput(f"没有写{needs}", where="说明", remedy=f"请写明{needs}")
    return Delivery(delivery.how, delivery.delivered_on, receiver, note)


def _tell_cases(decisions: list[int], on: date) -> None:
    """A delivered letter of a case tells its applicant."""
    numbers = Decision.objects.filter(pk__in=decisions, case_number__isnull=False).values("case_number")
    Case.objects.filter(pk__in=numbers, household__isnull=False, answered_on=None).update(answered_on=on)


@dataclass(frozen=True)
class LetterFilter:
    """Which letters: beneath `prefix`, of a state and kind; `late` those past their day; `programmes` limits (None: all);
    `issued` those made in a period."""

    prefix: str
    on: date
    state: str = ""
    kind: str = ""
    late: bool = False
    programmes: tuple[str, ...] | None = None
    office: int | None = None
    issued: Period | None = None

    def rows(self) -> QuerySet[Letter]:
        low, high = scope_of(self.prefix)
        rows = Letter.objects.filter(division__gte=low, division__lt=high)
        rows = rows.filter(state=self.state) if self.state else rows
        rows = rows.filter(kind=self.kind) if self.kind else rows
        rows = rows.filter(programme__in=self.programmes) if self.programmes is not None else rows
        rows = rows.filter(office=self.office) if self.office is not None else rows
        if self.issued is not None:
            rows = rows.filter(issued_on__gte=self.issued.start, issued_on__lt=self.issued.until)
        return rows.filter(due_on__lt=self.on).exclude(state=State.DELIVERED) if self.late else rows
