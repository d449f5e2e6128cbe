"""Imports (导入): send a file, say what its columns are, see what it would do, confirm, take the faulty rows back (REG-03).

One address an import, whose page shows what comes next; everything works without a script, by reloading.
"""

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.importing import store
from huimin.importing.commands import (
    choose_columns,
    confirm_import,
    is_abandoned,
    request_check,
    send_file,
    withdraw_import,
)
from huimin.importing.kinds import KINDS
from huimin.importing.models import Import
from huimin.importing.queries import find_same_file, get_import, list_imports
from huimin.importing.returning import take_faults
from huimin.importing.terms import terms_of
from huimin.importing.working import carry_out, check
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import reading
from huimin.organisation.models import Appointment
from huimin.workbench.acts import Outcome, once
from huimin.workbench.exporting import ask_purpose, taken
from huimin.workbench.forms import DayField, DeskForm, forms, text
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of, place_options
from huimin.workbench.spreadsheet import TYPE

WAITED_BYTES_MAX = 400_000
"""A file up to this size is checked while one waits (some seconds); a larger one by a job."""
FAULTS_SHOWN = 100
LOADERS = frozenset(send_file.posts)  # type: ignore[attr-defined]
_COUNTS = (("new", "新增"), ("changed", "变更"), ("same", "与登记相同"), ("conflict", "待核实"), ("wrong", "有误"))
State = Import.State


class SendFile(DeskForm):
    """Which file, for which place, since when."""

    file = forms.FileField(
        label="表格文件",
        help_text="Excel 或 WPS 的 .xlsx、旧的 .xls，或 .csv；100 MB 以内（.xls 60 MB）。怎么填都行：有标题、合并格、小计、几张表都可以",
        widget=forms.FileInput({"accept": ".xlsx,.csv,.txt,.xlsm,.xls"}),
        error_messages={"required": "请选择表格文件", "empty": "文件是空的，请核对后再选", "invalid": "请选择表格文件"},
    )
    place = forms.ChoiceField(
        label="导入到哪里", error_messages={"required": "请选择地方", "invalid_choice": "请选择您辖区内的地方"}
    )
    kind = forms.ChoiceField(
        label="是什么表",
        required=False,
        choices=[("", "自动识别"), *((kind.code, kind.label) for kind in KINDS.values())],
        error_messages={"invalid_choice": "请选择表的种类"},
    )
    valid_from = DayField(
        label="从哪一天起是这样",
        help_text="变化从这一天起算，以前的情况保留，如 2021-07-01",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "请填写日期"},
    )
    evidence = text("依据（可不填）", "", hint="如：2021 年基本信息普查", max_length=120)

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = places


@require_http_methods(["GET", "POST"])
@page(LOADERS)
def listing(request: Any) -> HttpResponse:
    """The form for another file, and what was imported when by whom."""
    with reading(request.actor):
        state = one_of(request.GET, "state", State.values)
        page_of = list_imports(request.actor.prefix, state=state, place=request.GET.get("at", ""))
        places = names_of({row.division for row in page_of}, request.business_date)
        options = place_options(request.actor, request.business_date, None)
        people = _people({row.uploaded_by for row in page_of})
    form = SendFile(
        *((request.POST, request.FILES) if request.method == "POST" else ()), initial={"valid_from": request.business_date},
        places=[(request.actor.division, "全辖区"), *options],
    )  # fmt: skip
    if getattr(request, "too_large", False):
        form.errors.clear()  # the fields behind the file did not arrive with it
        form.data = form.initial | request.POST.dict()
        form.add_error("file", "文件超过 100 MB，没有接收。请按乡镇或村拆成几个文件")
    elif request.method == "POST" and form.is_valid():
        try:
            return once(request, lambda: _send(request, form.cleaned_data))
        except BadInput as wrong:
            form.add_error("file", str(wrong))
    context = {
        "section": "imports", "form": form, "page": page_of, "places": places, "people": people, "state": state,
        "states": State.choices, "kinds": {kind.code: kind.label for kind in KINDS.values()},
    }  # fmt: skip
    return render(request, "workbench/imports.html", context, status=422 if form.errors else 200)


def _people(appointments: set[int]) -> dict[int, str]:
    found = Appointment.objects.filter(pk__in=appointments).select_related("account")
    return {each.pk: each.account.full_name for each in found}


def _send(request: Any, data: dict[str, Any]) -> Outcome:
    file = data["file"]
    row = send_file(
        by=request.actor, on=request.business_date, place=data["place"], name=file.name, content=file.read(),
        kind=data["kind"], valid_from=data["valid_from"], evidence=data["evidence"],
    )  # fmt: skip
    _check(request, row)
    return Outcome(f"已收到 {row.file_name}", reverse("import", args=[row.pk]), "还没有导入，请先核对下面的结果。")


def _check(request: Any, row: Import) -> None:
    """Now, or by a job; a file that cannot be read says so on its page."""
    background = row.file_bytes > WAITED_BYTES_MAX
    request_check(by=request.actor, on=request.business_date, number=row.pk, background=background)
    if not background:
        try:
            check(request.actor, row.pk)
        except Refusal:
            return  # the import keeps the words; its page shows them


@require_safe
@page(LOADERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One import as it stands; `?part=1` gives the progress alone, which the page asks for again while it works."""
    row = get_import(number)
    job = Job.objects.filter(pk=row.job_id).first() if row.job_id else None
    context: dict[str, Any] = {"section": "imports", "row": row, "job": job}
    if job is not None and row.busy:
        left = job.seconds_left(timezone.now()) if job.total > 1 else None
        context |= {"working": anybody_works() or job.state == Job.State.RUNNING, "left": left}
    context["abandoned"] = is_abandoned(row)
    if request.GET.get("part"):
        return render(request, "workbench/part/import_progress.html", context)
    terms = terms_of(row.division)
    faults, left_out = store.faults_of(number) if row.counts else ([], [])
    context |= {
        "kind": KINDS[row.kind].label if row.kind else "", "counts": [(key, label, row.counts.get(key, 0)) for key, label in _COUNTS],
        "faults": faults[:FAULTS_SHOWN], "faults_count": len(faults), "left_out": left_out[:FAULTS_SHOWN],
        "left_out_count": len(left_out), "may_take": bool(faults) and store.has_file(number), "same_file": find_same_file(row),
        "columns": [(label, terms.label(target)) for label, target in row.mapping.items()],
        "places": names_of({row.division}, request.business_date),
        "people": _people({row.uploaded_by, row.finished_by or row.uploaded_by}),
    }  # fmt: skip
    return render(request, "workbench/import.html", context)


@require_http_methods(["GET", "POST"])
@page(LOADERS)
def columns(request: Any, number: int) -> HttpResponse:
    """What kind the tables are and what each column means; checked anew when sent."""
    with reading(request.actor):
        row = get_import(number)
        terms = terms_of(row.division)
    asked = request.POST if request.method == "POST" else request.GET
    kind = one_of(asked, "kind", KINDS, row.kind)
    targets = terms.kind(kind).targets if kind else ()
    problem = ""
    if request.method == "POST":
        mapping = {label: request.POST.get(f"column{at}", "") for at, label in enumerate(row.heads)}
        try:
            return once(request, lambda: _choose(request, row, kind, mapping))
        except BadInput as wrong:
            problem, row.mapping = str(wrong), mapping
    context = {
        "section": "imports", "row": row, "kind": kind, "kinds": list(KINDS.values()), "problem": problem,
        "columns": [(at, label, row.mapping.get(label, "")) for at, label in enumerate(row.heads)],
        "targets": [(target, terms.label(target)) for target in targets],
    }  # fmt: skip
    return render(request, "workbench/import_columns.html", context, status=422 if problem else 200)


def _choose(request: Any, row: Import, kind: str, mapping: dict[str, str]) -> Outcome:
    chosen = choose_columns(
        by=request.actor, on=request.business_date, number=row.pk, kind=kind, mapping=mapping,
        skip_hidden="skip_hidden" in request.POST,
    )  # fmt: skip
    _check(request, chosen)
    return Outcome("已按选定的列重新核对", reverse("import", args=[row.pk]), "还没有导入。")


@require_http_methods(["GET", "POST"])
@page(LOADERS)
def confirm(request: Any, number: int) -> HttpResponse:
    """Ask first, then carry it out: everything, or only the right rows."""
    with reading(request.actor):
        row = get_import(number)
        places = names_of({row.division}, request.business_date)
    if row.state != State.READY and request.method == "GET":
        return redirect("import", number)
    only_right = bool(row.counts.get("wrong"))
    if request.method == "POST":
        return once(request, lambda: _carry_out(request, row, only_right))
    context = {
        "section": "imports", "row": row, "places": places, "only_right": only_right, "kind": KINDS[row.kind].label,
        "taken": row.counts.get("new", 0) + row.counts.get("changed", 0), "counts": row.counts,
    }  # fmt: skip
    return render(request, "workbench/import_confirm.html", context)


def _carry_out(request: Any, row: Import, only_right: bool) -> Outcome:
    background = row.file_bytes > WAITED_BYTES_MAX
    confirm_import(
        by=request.actor, on=request.business_date, number=row.pk, only_right=only_right, background=background
    )
    where = reverse("import", args=[row.pk])
    if background:
        return Outcome("已开始导入", where, "可以离开这一页，导入在后台继续。")
    done = carry_out(request.actor, row.pk, request.business_date)
    counts = done.counts
    then = f"{counts['conflict']:,} 行待核实，已列入“待核实”。" if counts.get("conflict") else ""
    return Outcome(f"已导入：新增 {counts['new']:,} 行，变更 {counts['changed']:,} 行", where, then)


@require_http_methods(["GET", "POST"])
@page(LOADERS)
def withdraw(request: Any, number: int) -> HttpResponse:
    """Ask first, then give the import up."""
    with reading(request.actor):
        row = get_import(number)
    if request.method == "POST":

        def act() -> Outcome:
            withdraw_import(by=request.actor, on=request.business_date, number=number)
            return Outcome(f"已放弃导入 {row.file_name}", reverse("imports"), "没有改动任何数据，上传的文件已删除。")

        return once(request, act)
    return render(request, "workbench/import_withdraw.html", {"section": "imports", "row": row})


@require_safe
@page(LOADERS, reads=False)
def faults(request: Any, number: int) -> HttpResponse:
    """The faulty rows as a workbook with plain values; that it was taken is recorded."""
    mark = taken(request)
    if mark is None:
        return ask_purpose(request, "有问题的行")
    name, content = take_faults(
        by=request.actor, on=request.business_date, number=number, purpose=mark.purpose, mark=mark.line
    )
    response = HttpResponse(content, content_type=TYPE)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
