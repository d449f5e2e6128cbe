"""The survey form: filled in, checked as one types, kept as a draft, submitted, printed; and scans (REG-01, REG-02, SEC-04)."""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huimin.casework import changes as room
from huimin.casework.changes import Told
from huimin.divisions.queries import chain_names, list_villages, names_of
from huimin.fieldwork.campaigns import record_forms, submit_form, submit_new
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import Fact
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.surveys import gather_survey, survey_pdf
from huimin.policy.queries import added_facts
from huimin.registry.commands.attachments import ENDINGS, SIZE_MAX, attach_scan, read_scan
from huimin.registry.commands.surveys import find_survey_draft, register_household, save_survey_draft
from huimin.registry.models import Attachment, ReportedChange
from huimin.registry.queries import HouseholdState, get_household
from huimin.workbench.acts import Outcome, once
from huimin.workbench.change_forms import ChangeForm
from huimin.workbench.exporting import printed_by
from huimin.workbench.forms import DeskForm, Purpose, text
from huimin.workbench.guard import page
from huimin.workbench.listing import Options, place_options
from huimin.workbench.survey import Survey, fact_rows, is_empty
from huimin.workbench.views.changes import TELLERS, outcome_of, shown

FORM = "基本信息表"
ENTERERS = frozenset(register_household.posts)  # type: ignore[attr-defined]
PRINTERS = frozenset(gather_survey.posts)  # type: ignore[attr-defined]


class Basis(DeskForm):
    """Since when it holds, and what it rests on."""

    effective_on = ChangeForm.base_fields["effective_on"]
    evidence = ChangeForm.base_fields["evidence"]


@dataclass(frozen=True)
class Problems:
    """Faults of the whole page for its summary."""

    problems: list[tuple[str, str]]

    @property
    def errors(self) -> bool:
        return bool(self.problems)


@dataclass
class Sheet:
    """One form on its way: the household (None: a new one), what the county added, what was typed."""

    request: Any
    state: HouseholdState | None
    added: tuple[Fact, ...]
    typed: dict[str, str] | None
    saved_at: Any = None
    places: Options = ()  # type: ignore[assignment]

    @property
    def key(self) -> int | None:
        return self.state.household.pk if self.state else None

    @property
    def more(self) -> int:
        """How many blocks for people to add: as many as there were, or as asked for."""
        asked = ((self.typed or {}).get("new", ""), self.request.GET.get("new", ""))
        return max(int(each) if each.isascii() and each.isdigit() and len(each) < 3 else 0 for each in asked)

    def survey(self, checked: bool) -> Survey:
        on = self.request.business_date
        made = Survey(self.state, self.added, self.typed, on, self.more)
        if not checked:
            for cell in made.faults:
                cell.error = ""
        return made


def _sheet(request: Any, household: int | None) -> Sheet:
    """Inside no transaction: opens its own."""
    by, on = request.actor, request.business_date
    with reading(by):
        added = room.added_here(household) if household else added_facts(by.division)
        state = get_household(household, by, on, added=added) if household else None
        if request.method == "POST":
            typed = {
                name: value
                for name, value in request.POST.items()
                if name not in ("csrfmiddlewaretoken", "token", "stage")
            }
            return Sheet(request, state, added, typed, places=_places(by, on))
        values, saved_at = find_survey_draft(by, household) or (None, None)
        return Sheet(request, state, added, values, saved_at, _places(by, on))


def _places(by: Actor, on: Any) -> Options:
    """Villages a new household may be in."""
    if by.level == Level.TOWNSHIP:
        return place_options(by, on, None)
    if by.level < Level.TOWNSHIP:
        return [(each.code, each.name) for code, _ in place_options(by, on, None) for each in list_villages(code, on)]
    return [(by.division, names_of({by.division}, on).get(by.division, by.division))]


@never_cache
@require_http_methods(["GET", "POST"])
@page(TELLERS)
def survey(request: Any, household: int) -> HttpResponse:
    """The form of a known household; what it changes goes the way of every change."""
    return _survey(request, _sheet(request, household))


@never_cache
@require_http_methods(["GET", "POST"])
@page(ENTERERS)
def new(request: Any) -> HttpResponse:
    """The form of a household that was never registered."""
    return _survey(request, _sheet(request, None))


def _survey(request: Any, sheet: Sheet) -> HttpResponse:
    stage = request.POST.get("stage", "")
    judged = request.method == "POST" and stage in ("check", "do")
    made = sheet.survey(judged)
    basis = Basis(
        sheet.typed
        if judged
        else {"effective_on": request.business_date.isoformat(), "evidence": FORM, **(sheet.typed or {})}
    )
    problems = _problems(sheet, made, basis) if judged else []
    if judged and not problems:
        try:
            return _go_on(request, sheet, made, basis, stage)
        except Refusal as refusal:
            problems = [(made.household.cells[0].auto_id, str(refusal))]
    context = _context(request, sheet, made, basis) | {"form": Problems(problems)}
    return render(request, "workbench/survey.html", context, status=422 if problems else 200)


def _context(request: Any, sheet: Sheet, made: Survey, basis: Basis) -> dict[str, Any]:
    on = request.business_date
    with reading(request.actor):
        trail = chain_names(sheet.state.household.division, on) if sheet.state else None
    address = reverse("survey", args=[sheet.key]) if sheet.key else reverse("survey-new")
    return {
        "section": "changes", "survey": made, "state": sheet.state, "basis": basis, "places": sheet.places,
        "division": (sheet.typed or {}).get("division", ""), "saved_at": sheet.saved_at, "address": address,
        **_draft_key(request.actor), "more": len(made.newcomers) + 1, "new_count": len(made.newcomers), "with_gaps": bool((sheet.typed or {}).get("gaps")),
    } | ({"trail": trail} if trail else {})  # fmt: skip


def _draft_key(by: Actor) -> dict[str, str]:
    """What a draft is sealed with that the browser keeps through a lost connection, and under whose name it lies there.

    The person's own, the same after signing in again; it stands in his pages only, which are not cached.
    """
    made = salted_hmac("huimin.survey.draft", str(by.account), algorithm="sha256").digest()
    whose = salted_hmac("huimin.survey.draft.whose", str(by.account)).hexdigest()[:12]
    return {"draft_key": base64.b64encode(made).decode(), "draft_for": whose}


def _problems(sheet: Sheet, made: Survey, basis: Basis) -> list[tuple[str, str]]:
    found = made.problems
    if not basis.is_valid():
        found = basis.problems + found
    typed = sheet.typed or {}
    if sheet.state is None:
        if typed.get("division") not in dict(sheet.places):
            found.append(("id_division", "请选择新户所在的村"))
        if not made.household.typed("address").strip():
            made.household.cell("address").error = "请填写家庭地址"
            found.append((made.household.cell("address").auto_id, "请填写家庭地址"))
    if not found and made.missing_count and not typed.get("gaps"):
        names = "；".join(f"{who}：{'、'.join(gaps[:6])}{'等' if len(gaps) > 6 else ''}" for who, gaps in made.missing)
        found.append(
            ("id_gaps", f"还有 {made.missing_count} 项没有填（{names}）。请补齐，或勾选“确实问不到，先登记已有的”")
        )
    return found


def _go_on(request: Any, sheet: Sheet, made: Survey, basis: Basis, stage: str) -> HttpResponse:
    """Shown with what it does, then told; the draft is gone with it."""
    by, on = request.actor, request.business_date
    data = basis.cleaned_data
    if sheet.state is None:
        if stage == "do":
            return once(request, lambda: _registered(by, on, sheet, made, data))
        context: dict[str, Any] = {"depends": "", "effects": [], "others": 0, "is_new": True}
    else:
        if stage == "do" and is_empty(made.payload()):
            return once(request, lambda: _same(by, on, sheet, data))
        told = Told(ReportedChange.Kind.FACTS, sheet.key or 0, data["effective_on"], data["evidence"], made.payload())
        if stage == "do":
            return once(request, lambda: _submitted(by, on, sheet, told))
        with reading(by):
            context = shown(by, on, told)
    names = {each.person.pk: each.person.name for each in sheet.state.members} if sheet.state else {}
    hidden = [(name, value) for name, value in (sheet.typed or {}).items() if value]
    context |= {
        "section": "changes", "state": sheet.state, "told": data, "hidden": hidden,
        "facts": fact_rows(made.payload(), sheet.added, names, by), "kind": {"label": FORM},
        "is_same": sheet.state is not None and is_empty(made.payload()),
    }  # fmt: skip
    if trail := _context(request, sheet, made, basis).get("trail"):
        context["trail"] = trail
    return render(request, "workbench/change_check.html", context)


def _submitted(by: Actor, on: Any, sheet: Sheet, told: Told) -> Outcome:
    outcome = outcome_of(by, submit_form(by=by, on=on, told=told))
    save_survey_draft(by=by, on=on, household=sheet.key, values={})
    return outcome


def _same(by: Actor, on: Any, sheet: Sheet, data: dict[str, Any]) -> Outcome:
    """The form says what the registry says: nothing changes, and the household was surveyed (REG-06)."""
    home = sheet.key or 0
    record_forms(
        by=by, on=on, households=[home], surveyed_on=on, surveyors=by.name, evidence=data["evidence"],
    )  # fmt: skip
    save_survey_draft(by=by, on=on, household=home, values={})
    return Outcome("已登记调查：与登记一致", reverse("household", args=[home]), "没有要改的。")


def _registered(by: Actor, on: Any, sheet: Sheet, made: Survey, data: dict[str, Any]) -> Outcome:
    row = submit_new(
        by=by, on=on, division=(sheet.typed or {})["division"], since=data["effective_on"], evidence=data["evidence"],
        payload=made.payload(), added=sheet.added,
    )  # fmt: skip
    save_survey_draft(by=by, on=on, household=None, values={})
    return Outcome(
        f"已登记新户 {row.household_no}", reverse("household", args=[row.pk]), "打印基本信息表，签字后上传扫描件。"
    )


@require_POST
@page(TELLERS)
def check(request: Any, household: int | None = None) -> HttpResponse:
    """As one types: faults at their fields, what is missing by name. Nothing is stored."""
    made = _sheet(request, household).survey(checked=True)
    return render(request, "workbench/part/survey_check.html", {"survey": made})


@never_cache
@require_POST
@page(TELLERS)
def draft(request: Any, household: int | None = None) -> HttpResponse:
    """Keep what was typed; 204."""
    sheet = _sheet(request, household)
    save_survey_draft(by=request.actor, on=request.business_date, household=household, values=sheet.typed or {})
    return HttpResponse(status=204)


@require_safe
@page(PRINTERS, reads=False)
def pdf(request: Any, household: int) -> HttpResponse:
    """The form in three copies, with code and lines to sign."""
    by, on = request.actor, request.business_date
    with reading(by):
        added = room.added_here(household)
    address = request.build_absolute_uri(reverse("household", args=[household]))
    content = survey_pdf(
        by=by, on=on, household=household, address=address, added=added, mark=printed_by(request, "入户调查")
    )
    return _file(content, "application/pdf", f"{FORM}{household}.pdf")


class Scan(DeskForm):
    title = text("材料名称", "请填写材料名称", hint="如：基本信息表签字页、残疾人证", max_length=80, autocomplete="off")


@require_http_methods(["GET", "POST"])
@page(TELLERS)
def attach(request: Any, household: int) -> HttpResponse:
    """Scans of a household's papers: the list, and one more."""
    by, on = request.actor, request.business_date
    with reading(by):
        state = get_household(household, by, on)
        rows = list(Attachment.objects.filter(household=household).order_by("-id"))
        trail = chain_names(state.household.division, on)
    form = Scan(request.POST or None)
    sent = request.FILES.get("file")
    if request.method == "POST" and form.is_valid():
        try:
            return once(request, lambda: _attached(by, on, household, form, sent))
        except BadInput as wrong:
            form.add_error("title", str(wrong))
    context = {
        "section": "households",
        "state": state,
        "rows": rows,
        "trail": trail,
        "form": form,
        "may_add": may(by, attach_scan),
    }
    return render(request, "workbench/attachments.html", context, status=422 if form.errors else 200)


def _attached(by: Actor, on: Any, household: int, form: Scan, sent: Any) -> Outcome:
    if sent is None or sent.size > SIZE_MAX:
        raise BadInput("没有选文件，或文件超过 10 MB", where="文件", remedy="请选择 JPG、PNG 或 PDF")
    title = form.cleaned_data["title"]
    attach_scan(by=by, on=on, household=household, title=title, file_name=sent.name, content=sent.read())
    return Outcome(f"已上传“{title}”", reverse("attachments", args=[household]), "文件加密保存，每次查看都留痕。")


@never_cache
@require_http_methods(["GET", "POST"])
@page(frozenset(read_scan.posts))  # type: ignore[attr-defined]
def attachment(request: Any, number: int) -> HttpResponse:
    """One scan: the purpose first, then the file; the look is recorded. Never repeated from a kept outcome."""
    form = Purpose(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row, content = read_scan(
            by=request.actor, on=request.business_date, attachment=number, purpose=form.cleaned_data["purpose"]
        )
        return _file(content, row.media_type, f"附件{row.pk}{ENDINGS[row.media_type]}")
    with reading(request.actor):
        row = Attachment.objects.get(pk=number)
    context = {
        "section": "households", "form": form, "what": row.title, "value": "", "back": reverse("household", args=[row.household_id]),
    }  # fmt: skip
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response
