"""The acts of an import: send a file, say what its columns are, confirm, give up (REG-03).

    uploaded ──► checking ──► mapping ──► checking ──► ready ──► running ──► finished
                     └──────► failed ◄───────────────────────────┘            and withdrawn, from any open state

Always true: a file is in one state at a time; it is carried out at most once; what was confirmed is what was previewed,
because both read the same stored bytes with the same mapping. Posts: the clerk, and the county's office.
"""

import hashlib
from datetime import date
from pathlib import PurePath
from typing import Any

from django.utils import timezone

from huimin.database.bulk import run
from huimin.divisions.queries import get_division
from huimin.importing import store
from huimin.importing.kinds import KINDS, Kind
from huimin.importing.models import Import, RememberedHead
from huimin.importing.terms import terms_of
from huimin.jobs.commands import ACTIVE, enqueue
from huimin.jobs.models import Job
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post

KIND_CHECK, KIND_RUN = "import_check", "import"
State = Import.State


class NotReady(Refusal):
    """The import is not in the state this act needs."""


@command(Post.CLERK, Post.COUNTY_OFFICER)
def send_file(
    *,
    by: Actor,
    on: date,
    place: str,
    name: str,
    content: bytes,
    kind: str = "",
    valid_from: date | None = None,
    evidence: str = "",
    skip_hidden: bool = False,
) -> Import:
    """Keep a file that is to be imported for `place` (county, township or village). Checks nothing of its content."""
    require_place(by, place)
    if get_division(place, on).level < Level.COUNTY:
        raise BadInput("导入到县、乡镇或村", where="地方", remedy="请选择县、乡镇或村")
    if kind and kind not in KINDS:
        raise BadInput(f"没有“{kind}”这种表", where="种类", remedy="可选：" + "、".join(KINDS))
    since = valid_from or on
    if since > on:
        raise BadInput(f"{since} 还没有到", where="起算日期", remedy="请填写情况从哪一天起是这样")
    shown = PurePath(name.replace("\\", "/")).name[:120]
    row = Import.objects.create(
        division=place, kind=kind, file_name=shown, file_sha256=hashlib.sha256(content).hexdigest(), file_bytes=len(content),
        valid_from=since, evidence=(evidence.strip() or f"导入 {shown}")[:120], office_id=by.office, skip_hidden=skip_hidden,
        uploaded_by=by.appointment, uploaded_on=on,
    )  # fmt: skip
    store.keep_file(row.pk, content)
    return row


@command(Post.CLERK, Post.COUNTY_OFFICER)
def choose_columns(
    *, by: Actor, on: date, number: int, kind: str, mapping: dict[str, str], skip_hidden: bool = False
) -> Import:
    """Say what kind the tables are and what each column means ("" for not imported); checked anew afterwards."""
    row = _locked(by, number)
    if not row.open:
        raise NotReady(f"这次导入{row.get_state_display()}，不能再改", remedy="请刷新后查看")
    if kind not in KINDS:
        raise BadInput("没有选择表的种类", where="种类", remedy="请选择户、人、卡或资源")
    _require_clear(terms_of(row.division).kind(kind), mapping)
    row.kind, row.mapping, row.skip_hidden, row.state = kind, mapping, skip_hidden, State.UPLOADED
    row.save(update_fields=["kind", "mapping", "skip_hidden", "state"])
    return row


def _require_clear(kind: Kind, mapping: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for label, target in mapping.items():
        if target and target not in kind.targets:
            raise BadInput(f"“{label}”不能对应到这一项", where="列", remedy="请重新选择")
        if target and target in seen:
            raise BadInput(f"“{seen[target]}”和“{label}”对应到同一项", where="列", remedy="请只选一列，其余选“不导入”")
        seen[target] = label


@command(Post.CLERK, Post.COUNTY_OFFICER)
def request_check(*, by: Actor, on: date, number: int, background: bool) -> Import:
    """The file is about to be checked; by a job when `background`."""
    row = _locked(by, number)
    if row.state == State.CHECKING and row.job_id and Job.objects.get(pk=row.job_id).active:
        return row
    if not row.open and row.state != State.CHECKING:
        raise NotReady(f"这次导入{row.get_state_display()}", remedy="请刷新后查看")
    row.state, row.failure = State.CHECKING, ""
    row.job_id = _job(by, on, KIND_CHECK, row) if background else None
    row.save(update_fields=["state", "failure", "job_id"])
    return row


@command(Post.CLERK, Post.COUNTY_OFFICER)
def keep_check(
    *,
    by: Actor,
    on: date,
    number: int,
    kind: str,
    heads: list[str],
    mapping: dict[str, str],
    counts: dict[str, int],
    missing: list[str],
) -> Import:
    """What the check found: ready to be confirmed, or the columns must be chosen first."""
    row = _locked(by, number)
    if row.state != State.CHECKING:
        raise NotReady(f"这次导入{row.get_state_display()}", remedy="请刷新后查看")
    row.kind, row.heads, row.mapping, row.counts = kind, heads, mapping, counts
    row.state = State.MAPPING if missing else State.READY
    row.failure = ("还缺：" + "；".join(missing))[:500] if missing else ""
    row.save(update_fields=["kind", "heads", "mapping", "counts", "state", "failure"])
    return row


@command(Post.CLERK, Post.COUNTY_OFFICER)
def confirm_import(*, by: Actor, on: date, number: int, only_right: bool, background: bool) -> Import:
    """Carry it out: everything, or with `only_right` the right rows now. The same confirmation twice is one."""
    row = _locked(by, number)
    if row.state in (State.RUNNING, State.FINISHED):
        return row
    if row.state != State.READY:
        raise NotReady(f"这次导入{row.get_state_display()}", why="确认之前须先核对", remedy="请刷新后查看")
    if row.counts.get("wrong") and not only_right:
        raise NotReady(
            f"有 {row.counts['wrong']:,} 行有误",
            why="全部导入须没有一行有误",
            remedy="请改正后重新上传，或只导入没有问题的行",
        )
    row.state, row.only_right, row.finished_on, row.finished_by = State.RUNNING, only_right, on, by.appointment
    row.job_id = _job(by, on, KIND_RUN, row) if background else None
    row.save(update_fields=["state", "only_right", "finished_on", "finished_by", "job_id"])
    return row


@command(Post.CLERK, Post.COUNTY_OFFICER)
def fail_import(*, by: Actor, on: date, number: int, failure: str) -> None:
    """It could not be read or carried out; nothing was changed."""
    row = _locked(by, number)
    if row.state in (State.CHECKING, State.RUNNING):
        row.state, row.failure = State.FAILED, failure[:500]
        row.save(update_fields=["state", "failure"])


@command(Post.CLERK, Post.COUNTY_OFFICER)
def withdraw_import(*, by: Actor, on: date, number: int) -> Import:
    """Give the import up; its file is forgotten. Given up twice is once."""
    row = _locked(by, number)
    if row.state == State.WITHDRAWN:
        return row
    if not row.open and not is_abandoned(row):
        raise AlreadyDone(f"这次导入{row.get_state_display()}", remedy="请刷新后查看")
    row.state, row.finished_by, row.finished_on, row.finished_at = State.WITHDRAWN, by.appointment, on, timezone.now()
    row.save(update_fields=["state", "finished_by", "finished_on", "finished_at"])
    store.forget_file(number)
    return row


def is_abandoned(row: Import) -> bool:
    """Whether nobody works at it although it is said to be under way: a process ended in the midst of it."""
    return row.busy and not Job.objects.filter(pk=row.job_id or 0, state__in=ACTIVE).exists()


def require_running(by: Actor, number: int) -> Import:
    """Inside the transaction that stores: the import, locked, is still to be carried out."""
    row = _locked(by, number)
    if row.state != State.RUNNING:
        raise NotReady(f"这次导入{row.get_state_display()}", remedy="请刷新后查看")
    return row


def finish(by: Actor, row: Import, on: date, counts: dict[str, int]) -> None:
    """A step of the transaction that merged: the import is done, its heads are remembered."""
    row.state, row.counts, row.failure = State.FINISHED, counts, ""
    row.finished_by, row.finished_on, row.finished_at = by.appointment, on, timezone.now()
    row.save(update_fields=["state", "counts", "failure", "finished_by", "finished_on", "finished_at"])
    remember_heads(by, row.kind, row.mapping)


def remember_heads(by: Actor, kind: str, mapping: dict[str, str]) -> None:
    """What this office's heads mean, for the next file."""
    for label, target in mapping.items():
        run(
            "INSERT INTO importing_rememberedhead (division, office_id, kind, head, target) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (office_id, kind, head) DO UPDATE SET target = excluded.target"
            " WHERE importing_rememberedhead.target <> excluded.target",
            [by.division, by.office, kind, label[:120], target],
        )


def remembered_heads(office: int) -> dict[tuple[str, str], str]:
    """(kind, label) → target of an office; inside `reading(by)`."""
    rows = RememberedHead.objects.filter(office_id=office).values_list("kind", "head", "target")
    return {(kind, head): target for kind, head, target in rows[:5000]}


def _job(by: Actor, on: date, kind: str, row: Import) -> int:
    arguments: dict[str, Any] = {"import": row.pk}
    return int(enqueue(by=by, on=on, kind=kind, division=row.division, arguments=arguments).pk)


def _locked(by: Actor, number: int) -> Import:
    row = Import.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise NotReady("没有这次导入", why="不存在，或不在您的辖区内", remedy="请从导入记录中重新选择")
    require_place(by, row.division)
    return row
