"""Home visits at the desk: who is to be visited, the form, one visit with its papers, signatures and doubts (CASE-02, VER-02)."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases.models import Case
from huimin.cases.queries import get_case, page_cases
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.payment.papers.visits import visit_form_pdf, visit_pdf
from huimin.policy.queries import programme_names
from huimin.registry.models import Household
from huimin.registry.queries import HouseholdState, get_household
from huimin.registry.showing import NEED_HEALTH
from huimin.visits import queries, recording
from huimin.visits.doubts import facts_here
from huimin.visits.findings import TOPICS, read
from huimin.visits.models import Visit, VisitPaper
from huimin.visits.queries import VisitFilter
from huimin.visits.sending import send_visit
from huimin.visits.wanted import Wanted, due_cases, list_wanted, wanted_of
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.doubts import effects_of_changes, row_of
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.visit_forms import (
    DESK_BLOCKS,
    NewVisit,
    Paper,
    Sign,
    Void,
    content_of,
    file_of,
    papers_of,
    people_choices,
)
from huimin.workbench.visit_side import nav

VISITORS = frozenset(recording.VISITORS)
DUES = [("late", "已超期"), ("today", "今天到期"), ("week", "本周到期")]
STATES = [("recorded", "待签字"), ("signed", "已签字"), ("nobody", "家中无人"), ("void", "已作废")]
OTHERS_MAX, PEOPLE_MAX, RATE_DAYS = 200, 60, 365
State = Visit.State


@require_safe
@page(VISITORS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Households to visit, by the day of their step; of other purposes after those of applications."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, due = chosen_place(request), one_of(request.GET, "due", dict(DUES))
        wanted = due_cases(place.prefix, on, programmes=programmes_seen(by), due=due)
        found = page_cases(wanted, request.GET.get("at", ""), size=1000 if whole else 50)
        rows = [wanted_of(case) for case in found]
        if not request.GET.get("at") and not due:
            rows += [each for each in list_wanted(by, on, place.prefix, OTHERS_MAX) if each.purpose != "application"]
        return Listing(
            "待入户调查", "每户二人以上入户，入户率 100%，双方当场签字。", "visits",
            [Head("到期", "date", 24), Head("户编码", paper=36), Head("户主", paper=22), Head("村（组）", paper=34), Head("事由"),
             Head("情况", paper=40), Head("办理", paper=-1)],
            _due_rows(rows, on), "没有等着入户的。受理了新的申请、到了复核期的，会列在这里。", nav=nav("visits"), page=found,
            filters=[Filter("due", "期限", DUES, due), Filter("place", "地方", place.options, place.code)],
            acts=[("在手机上登记", reverse("visit-phone"))],
        )  # fmt: skip

    return answer_listing(request, build)


def _due_rows(rows: Sequence[Wanted], on: date) -> list[list[Any]]:
    standing = queries.standings([(row.subject, row.round) for row in rows])
    heads, names = queries.heads_of({row.household for row in rows}), names_of({row.division for row in rows}, on)
    programmes = programme_names()
    return [
        [
            _due(row.due_on, on), Cell(row.household_no, reverse("household", args=[row.household])), heads.get(row.household, ""),
            names.get(row.division, row.division), Cell(_matter_words(row, programmes), _matter_url(row)),
            Cell(standing[row.subject].words, _latest(standing[row.subject]), tone=standing[row.subject].tone),
            _next(row, standing[row.subject]),
        ]
        for row in rows
    ]  # fmt: skip


def _due(day: date | None, on: date) -> Cell:
    if day is None:
        return Cell(None, sub="没有规定")
    return Cell(day, sub=f"超期 {(on - day).days} 天" if day < on else "", tone="late" if day < on else "")


def _latest(told: queries.Standing) -> str:
    return reverse("visit", args=[told.latest]) if told.latest else ""


def _next(row: Wanted, told: queries.Standing) -> Cell:
    """What to do: go there, settle what is doubtful, or take the step."""
    if not told.signed:
        return Cell("登记入户调查", _new_url(row))
    if told.doubts:
        return Cell("核实疑点", reverse("doubts"))
    return Cell("办下一步", _matter_url(row)) if row.case else Cell("已入户")


def _matter_words(row: Wanted, names: dict[str, str]) -> str:
    programme = names.get(row.programme, row.programme)
    return f"{programme}申请" if row.purpose == "application" else f"{programme}{Visit.Purpose(row.purpose).label}"


def _matter_url(row: Wanted) -> str:
    return reverse("case", args=[row.case]) if row.case else ""


def _new_url(row: Wanted) -> str:
    return new_url(row.household, row.purpose, row.subject, row.round, row.case)


def new_url(household: int, purpose: str, subject: str, round: int = 1, case: int | None = None) -> str:
    """Where a visit for a matter is written down; other rooms link here."""
    more = f"&case={case}" if case else f"&round={round}"
    return f"{reverse('visit-new', args=[household])}?purpose={purpose}&subject={subject}{more}"


@require_safe
@page(VISITORS, reads=False)
def done(request: Any) -> HttpResponse:
    """Visits that were made, the latest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(STATES))
        purpose = one_of(request.GET, "purpose", Visit.Purpose.values)
        wanted = VisitFilter(place.prefix, purpose, state, programmes_seen(by))
        found = None if whole else queries.page_visits(wanted, request.GET.get("at", ""))
        rows = queries.list_visits(wanted) if found is None else found.rows
        names = names_of({row.division for row in rows}, on)
        return Listing(
            "入户调查记录", "去了哪一户、谁去的、见到谁、签了没有。", "visits",
            [Head("调查日期", "date", 26), Head("户编码", paper=36), Head("村（组）", paper=36), Head("事由", paper=24), Head("调查人"),
             Head("状态", paper=26)],
            [_done_row(row, names) for row in rows], "没有这样的记录。", nav=nav("visits-done"), page=found,
            filters=[Filter("state", "状态", STATES, state), Filter("purpose", "事由", Visit.Purpose.choices, purpose),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _done_row(row: Visit, names: dict[str, str]) -> list[Any]:
    went = "、".join(each.name for each in row.investigators.all())
    return [
        Cell(row.visited_on, reverse("visit", args=[row.pk])), row.household.household_no, names.get(row.division, row.division),
        row.get_purpose_display(), went, _state(row),
    ]  # fmt: skip


def _state(row: Visit) -> Cell:
    if row.met == Visit.Met.NOBODY and row.state != State.VOID:
        return Cell("家中无人", tone="plain")
    return Cell(
        row.get_state_display(), tone={State.SIGNED: "done", State.RECORDED: "soon"}.get(State(row.state), "plain")
    )


@require_safe
@page(VISITORS, reads=False)
def rates(request: Any) -> HttpResponse:
    """Of the applications of a year that must be visited, how many were, by township or village (100 % is the rule)."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        digits = int(Level.TOWNSHIP if len(place.prefix) < int(Level.TOWNSHIP) else Level.VILLAGE)
        rows = queries.list_rates(place.prefix, digits, date.fromordinal(on.toordinal() - RATE_DAYS), on)
        names = names_of({row.division for row in rows}, on)
        return Listing(
            "入户率", "近一年受理、须入户调查的申请中，已入户并双方签字的；规定是 100%。", "visits",
            [Head("地方"), Head("应入户", "count", 26), Head("已入户", "count", 26), Head("超期未入户", "count", 28), Head("入户率", paper=26)],
            [[Cell(names.get(row.division, row.division), f"{reverse('visits')}?place={row.division}"), row.due, row.done,
              Cell(row.late, tone="late" if row.late else ""), row.percent] for row in rows],
            "近一年没有须入户调查的申请。", nav=nav("visit-rates"),
            filters=[Filter("place", "地方", place.options, place.code)], seats=["填表人", "负责人"],
        )  # fmt: skip

    return answer_listing(request, build)


# One visit written down.


@dataclass(frozen=True)
class Matter:
    """What a visit, letter or entrusted visit is for, as the address names it."""

    state: HouseholdState
    purpose: str
    subject: str
    round: int
    case: Case | None
    label: str

    @property
    def told(self) -> dict[str, Any]:
        """As commands of the room take it."""
        return {
            "household": self.state.household.pk, "purpose": self.purpose, "subject": self.subject,
            "case_id": self.case.pk if self.case else None,
        }  # fmt: skip


def matter_of(request: Any, household: int) -> Matter:
    """Inside `reading`; 404 for an address that names no matter."""
    by, on = request.actor, request.business_date
    numbers = {name: _number(request.GET.get(name, "")) for name in ("case", "round")}
    case = get_case(numbers["case"]) if numbers["case"] else None
    if case:
        require_seen(by, case.programme)
    purpose = request.GET.get("purpose", "application" if case else "")
    subject = request.GET.get("subject", "") or (case.subject if case else "")
    if purpose not in Visit.Purpose.values or not subject:
        raise Http404
    state = get_household(household, by, on)
    name = programme_names().get(case.programme, case.programme) if case else ""
    label = f"{name}{Visit.Purpose(purpose).label}"
    return Matter(state, purpose, subject[:80], case.round if case else numbers["round"] or 1, case, label)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def people_for(by: Actor, division: str, on: date, without: Collection[str] = ()) -> list[Appointment]:
    """Who may be ticked as an investigator: those of the village and township, for the county its own as well."""
    rows: QuerySet[Appointment] = recording.candidates(division, on).exclude(post__in=without)
    rows = rows.filter(office__level__gte=Level.TOWNSHIP) if by.level >= Level.TOWNSHIP else rows
    return list(rows.select_related("account", "office").order_by("-office__level", "pk")[:PEOPLE_MAX])


def judges_of(matter: Matter) -> Collection[str]:
    """Posts that judge what an application's visit finds."""
    return recording.judges_of(matter.case) if matter.case and matter.purpose == "application" else ()


@require_http_methods(["GET", "POST"])
@page(VISITORS)
def new(request: Any, household: int) -> HttpResponse:
    """The form: who went, whom they met, what they found; papers and signatures when they are there."""
    by, on = request.actor, request.business_date
    with reading(by):
        matter = matter_of(request, household)
        division = matter.state.household.division
        people, trail = people_for(by, division, on, judges_of(matter)), chain_names(division, on)
        facts = list(facts_here(household).values())
    first = {"visited_on": on.isoformat(), "investigators": [str(by.appointment)], "client_id": uuid.uuid4()}
    form = NewVisit(
        request.POST or None,
        state=matter.state,
        facts=facts,
        people=people_choices(people),
        initial=first,
        blocks=DESK_BLOCKS,
    )

    def act() -> Outcome:
        told = form.told() | matter.told | {"round": matter.round}
        made = send_visit(
            by=by, on=on, told=told, papers=papers_of(request), refused=form.cleaned_data["refused"],
            witness=form.cleaned_data["witness"],
        )  # fmt: skip
        with reading(by):
            return Outcome(_done_words(made), reverse("visit", args=[made.pk]), _then(made))

    context = {
        "section": "visits",
        "matter": matter,
        "state": matter.state,
        "trail": trail,
        "address": request.get_full_path(),
    }
    return answer_form(request, form, act, "workbench/visit_new.html", context)


def _done_words(made: Visit) -> str:
    if made.met == Visit.Met.NOBODY:
        return "已登记：家中无人"
    return "已登记入户调查，双方已签字" if made.state == State.SIGNED else "已登记入户调查"


def _then(made: Visit) -> str:
    if made.met == Visit.Met.NOBODY:
        return "请改日再去；住在外地的发委托调查函。"
    if made.state != State.SIGNED:
        return "接着上传签字的调查表，由调查人签字后才算数。"
    return "有疑点的请向申请人核实。" if made.doubts.exists() else "可以接着办这一步。"


@require_safe
@page(VISITORS)
def detail(request: Any, number: int) -> HttpResponse:
    """One visit: what was found, who signed, papers, doubts and what became of them."""
    by, on = request.actor, request.business_date
    visit = queries.get_visit(number)
    if visit.case:
        require_seen(by, visit.case.programme)
    found = read(visit.payload_enc)
    topics = [(label, found.topics.get(code, "")) for code, label in TOPICS.items() if found.topics.get(code)]
    if by.post not in NEED_HEALTH:
        topics = [(label, "" if label == TOPICS["health"] else text) for label, text in topics]
    doubts = queries.list_doubts_of(visit=visit.pk)
    context = {
        "section": "visits", "nav": nav("visits-done"), "visit": visit, "found": found, "topics": topics, "doubts": [row_of(by, each) for each in doubts],
        "went": list(visit.investigators.order_by("id")), "trail": chain_names(visit.division, on),
        "papers": list(visit.papers.select_related("attachment").order_by("id")), "acts": offered(by, visit),
        "recorder": _holder(visit.recorded_by), "voider": _holder(visit.voided_by),
        "changes": effects_of_changes({row.change_id: row.change for row in doubts if row.change_id}.values()),
    }  # fmt: skip
    return render(request, "workbench/visit.html", context)


def _holder(appointment: int | None) -> Appointment | None:
    rows = Appointment.objects.select_related("account", "office")
    return rows.filter(pk=appointment).first() if appointment else None


# Acts on a visit.

ACTS = {
    "paper": ("上传照片或签字的调查表", "上传", "加密保存，每次查看都留痕。签字之后不能再加。"),
    "sign": ("双方签字", "签字", "签名落在调查内容、照片和疑点的摘要上，之后不能改。"),
    "void": ("作废这次调查？", "作废", "原来的记录保留，注明作废；疑点一起作废。"),
}


def offered(by: Actor, visit: Visit) -> list[tuple[str, str, bool]]:
    """(key, button, warning) of what this person may do with it."""
    went = visit.investigators.filter(account=by.account).exists()
    keys = ["paper"] if visit.state == State.RECORDED else []
    keys += ["sign"] if visit.state == State.RECORDED and went and visit.met != Visit.Met.NOBODY else []
    keys += ["void"] if visit.state != State.VOID and (went or visit.recorded_by == by.appointment) else []
    return [(key, ACTS[key][1], key == "void") for key in keys]


@require_http_methods(["GET", "POST"])
@page(VISITORS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on a visit: checked on its page, done once."""
    by, on = request.actor, request.business_date
    if key not in ACTS:
        raise Http404
    with reading(by):
        visit = queries.get_visit(number)
        if visit.case:
            require_seen(by, visit.case.programme)
        trail = chain_names(visit.division, on)
    form = {"paper": Paper, "sign": Sign, "void": Void}[key](request.POST or None)

    def run() -> Outcome:
        told, sent = form.cleaned_data, file_of(request)
        if key == "void":
            recording.void_visit(by=by, on=on, visit_id=number, reason=told["reason"])
            return Outcome("已作废", reverse("visit", args=[number]), "请重新入户，另行登记。")
        if key == "paper" and sent is None:
            raise BadInput("没有选文件", where="文件", remedy="请选择 JPG、PNG 或 PDF")
        if sent is not None:
            kind, title = told.get("kind", VisitPaper.Kind.FORM), told.get("title", "")
            content = content_of(sent)
            recording.add_paper(
                by=by, on=on, visit_id=number, kind=kind, content=content, file_name=sent.name, title=title
            )
        if key == "sign":
            recording.sign_visit(by=by, on=on, visit_id=number, refused=told["refused"], witness=told["witness"])
            return Outcome("双方已签字", reverse("visit", args=[number]), "这次调查从现在起算数。")
        return Outcome("已上传", reverse("visit", args=[number]))

    title, button, effect = ACTS[key]
    context = {
        "section": "visits", "title": title, "button": button, "effect": effect, "warning": key == "void", "trail": trail,
        "file": {"paper": "文件", "sign": "签字的调查表（已上传的不用再传）"}.get(key, ""), "back": reverse("visit", args=[number]),
        "lead": f"{visit.household.household_no}，{visit.visited_on} {visit.get_purpose_display()}",
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/visit_act.html", context)


@require_safe
@page(VISITORS, reads=False)
def pdf(request: Any, number: int) -> HttpResponse:
    """The filled form, to be signed by both sides or to be filed."""
    address = request.build_absolute_uri(reverse("visit", args=[number]))
    mark = printed_by(request, "入户调查")
    content = visit_pdf(by=request.actor, on=request.business_date, visit_id=number, address=address, mark=mark)
    return pdf_answer(content, f"入户调查表{number}")


@require_safe
@page(VISITORS, reads=False)
def blank(request: Any, household: int) -> HttpResponse:
    """The empty form of a household, to take along."""
    by, on = request.actor, request.business_date
    with reading(by):
        matter = matter_of(request, household)
    address = request.build_absolute_uri(reverse("household", args=[household]))
    content = visit_form_pdf(
        by=by, on=on, household=household, label=matter.label, address=address, mark=printed_by(request, "入户调查")
    )
    return pdf_answer(content, f"入户调查表{matter.state.household.household_no}")


def may_visit(by: Actor, household: Household) -> bool:
    return may(by, recording.record_visit) and household.division.startswith(by.prefix)
