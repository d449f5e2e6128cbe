"""Who answers for what, at the desk: the list, by person, gaps, one letter with its paper (ORG-03)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, list_beneath, names_of
from huimin.fieldwork import letters as room
from huimin.fieldwork.letters import Holder, LetterFilter
from huimin.fieldwork.models import Assignment
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.letters import letter_pdf
from huimin.registry.commands.attachments import ENDINGS, SIZE_MAX
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.field_forms import End, NewLetter, Signed
from huimin.workbench.guard import page
from huimin.workbench.listing import Options, chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.points import household_of
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.surveys import _file as file_answer

LEVELS, KINDS = Assignment.Level.choices, Assignment.Kind.choices
_NAMES_MAX = 2000


def _nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [("letters", "责任清单"), ("letter-people", "按责任人"), ("letter-gaps", "没有责任人的地方")]
    return [(label, reverse(route), route == here) for route, label in pages]


def _wanted(request: Any) -> tuple[LetterFilter, list[Filter]]:
    place = chosen_place(request)
    level, kind = one_of(request.GET, "level", dict(LEVELS)), one_of(request.GET, "kind", dict(KINDS))
    standing = one_of(request.GET, "standing", dict(room.STANDINGS), "live")
    name = request.GET.get("name", "").strip()[:40]
    filters = [
        Filter("standing", "状态", room.STANDINGS, standing), Filter("level", "级别", LEVELS, level),
        Filter("kind", "种类", KINDS, kind), Filter("place", "地方", place.options, place.code),
    ]  # fmt: skip
    return LetterFilter(place.prefix, request.business_date, level, kind, name, standing), filters


@require_safe
@page(guard.FIELD_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Place by place, who answers; with a name, that person's own list."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        wanted, filters = _wanted(request)
        found = None if whole else room.page_letters(wanted, request.GET.get("at", ""))
        rows = list(room.iterate_letters(wanted)) if found is None else found.rows
        names = names_of(set(list({row.division for row in rows})[:_NAMES_MAX]), on)
        return Listing(
            f"{wanted.name}的责任清单" if wanted.name else "责任清单",
            "县级干部包乡镇，乡镇干部包村，村干部包组、户，一级对一级负责。", "letters",
            [Head("负责的地方"), Head("级别", paper=16), Head("种类", paper=24), Head("责任人", paper=26), Head("职务和单位", paper=46),
             Head("开始", "date", 24), Head("终止", "date", 24), Head("签订", paper=24)],
            [_letter(row, names, on) for row in rows], "没有这样的责任。", nav=_nav("letters"), page=found, filters=filters,
            across=True, seats=["填表人", "负责人"], acts=[("指派责任人", reverse("letter-new"))] if may(by, room.assign) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _letter(row: Assignment, names: dict[str, str], on: Any) -> list[Any]:
    where = row.household.household_no if row.household else names.get(row.division, row.division)
    signed = Cell(row.signed_on.isoformat(), tone="done") if row.signed_on else Cell("未签", tone="soon")
    if row.kind == Assignment.Kind.CARE and row.signed_on is None:
        signed = Cell("不需要", tone="plain")
    place = Cell(where, reverse("letter", args=[row.pk]))
    return [
        place, row.get_level_display(), row.get_kind_display(), row.holder_name, f"{row.holder_office}{row.holder_title}",
        row.valid_from, row.last_day, signed,
    ]  # fmt: skip


@require_safe
@page(guard.FIELD_READERS, reads=False)
def people(request: Any) -> HttpResponse:
    """How much each person answers for; a name leads to his own list."""

    def build(whole: bool) -> Listing:
        wanted, filters = _wanted(request)
        rows = room.count_by_person(wanted, 5000 if whole else 500)
        return Listing(
            "按责任人", "每个人负责几个乡镇、几个村、几个组、几户。", "letters",
            [Head("责任人", paper=28), Head("职务和单位"), *(Head(label, "count", 18) for _, label in LEVELS), Head("合计", "count", 18)],
            [[Cell(row["holder_name"], f"{reverse('letters')}?name={row['holder_name']}"),
              f"{row['holder_office']}{row['holder_title']}", *(row[level] for level, _ in LEVELS), row["all"]] for row in rows],
            "还没有指派责任人。", nav=_nav("letter-people"), filters=filters, seats=["填表人", "负责人"],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.FIELD_READERS, reads=False)
def gaps(request: Any) -> HttpResponse:
    """Townships and villages nobody answers for today."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        of = [level for level in (Level.TOWNSHIP, Level.VILLAGE) if level > by.level]
        found = [(level, row) for level in of for row in room.list_gaps(by, level, on, place.prefix)]
        parents = names_of({str(row.parent) for _, row in found}, on)
        return Listing(
            "没有责任人的地方", "今天没有人负责的乡镇和村。", "letters", [Head("地方"), Head("级别", paper=20), Head("上级", paper=50)],
            [[Cell(row.name, f"{reverse('letter-new')}?division={row.code}" if may(by, room.assign) else ""), level.label,
              parents.get(str(row.parent), "")] for level, row in found],
            "每个乡镇、每个村都有人负责。", nav=_nav("letter-gaps"), filters=[Filter("place", "地方", place.options, place.code)],
            figures=[(f"{level.label}级", f"{sum(each == level for each, _ in found):,}", "") for level in of],
        )  # fmt: skip

    return answer_listing(request, build)


def _places(by: Actor, on: Any) -> Options:
    """What `by` may assign: the places of the next level; for the county also villages stay with the township."""
    following = {Level.COUNTY: Level.TOWNSHIP, Level.TOWNSHIP: Level.VILLAGE, Level.VILLAGE: Level.GROUP}.get(by.level)
    return [(each.code, each.name) for each in list_beneath(by.division, by.level, following, on)] if following else []


@require_http_methods(["GET", "POST"])
@page(frozenset(room.assign.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        places = _places(by, on)
        asked = request.GET.get("division", "")
        if asked.startswith(by.prefix) and asked not in dict(places):
            places = [*places, *names_of({asked}, on).items()]
    initial = {"division": asked, "valid_from": on.isoformat(), "kind": "care", "duties": room.DUTIES}
    form = NewLetter(request.POST or None, places=places, initial=initial)

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        home = household_of(by, told.pop("household_no"))
        holder = Holder(told.pop("name"), told.pop("title"), told.pop("office"))
        made = room.assign(by=by, on=on, holder=holder, household=home, **told)
        return Outcome("已指派", reverse("letter", args=[made.pk]), "打印责任书，签字后上传扫描件。")

    context = {"section": "letters", "title": "指派责任人", "button": "指派", "back": reverse("letters")}
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.FIELD_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One letter: print, file the signed paper, end it."""
    by, on = request.actor, request.business_date
    row, trail = _get(by, number, on)
    ending = request.POST.get("act") == "end"
    signed = Signed(request.POST if request.method == "POST" and not ending else None)
    ended = End(request.POST if ending else None)

    def act() -> Outcome:
        where = reverse("letter", args=[number])
        if ending:
            room.end_assignment(by=by, on=on, assignment=number, **ended.cleaned_data)
            return Outcome("已终止", where, "请指派新的责任人。")
        sent = request.FILES.get("file")
        if sent is None or sent.size > SIZE_MAX:
            raise BadInput("没有选文件，或文件超过 10 MB", where="文件", remedy="请选择 JPG、PNG 或 PDF")
        told = signed.cleaned_data | {"content": sent.read()}
        room.file_signed_letter(by=by, on=on, assignment=number, **told)
        return Outcome("已登记签字的责任书", where, "文件加密保存，每次查看都留痕。")

    context = {
        "section": "letters", "row": row, "trail": trail, "signed": signed, "ended": ended, "nav": _nav("letters"),
        "may_change": room.may_change(by, row) and row.ended_on is None, "may_read": may(by, room.read_letter),
    }  # fmt: skip
    return answer_form(request, ended if ending else signed, act, "workbench/letter.html", context)


def _get(by: Actor, number: int, on: Any) -> tuple[Assignment, list[str]]:
    with reading(by):
        row = Assignment.objects.select_related("household").filter(pk=number).first()
        if row is None:
            raise Http404
        return row, chain_names(row.division, on)


@require_safe
@page(guard.FIELD_READERS, reads=False)
def paper(request: Any, number: int) -> HttpResponse:
    """The letter to sign."""
    by, on = request.actor, request.business_date
    row, trail = _get(by, number, on)
    return pdf_answer(letter_pdf(row, "".join(trail[2:]), by=by, on=on), f"{row.get_kind_display()}{row.pk}")


@never_cache
@require_safe
@page(frozenset(room.read_letter.posts), reads=False)  # type: ignore[attr-defined]
def scan(request: Any, number: int) -> HttpResponse:
    """The signed paper; the look is recorded."""
    _get(request.actor, number, request.business_date)
    row, content = room.read_letter(by=request.actor, on=request.business_date, assignment=number)
    return file_answer(content, row.scan_type, f"责任书{row.pk}{ENDINGS[row.scan_type]}")
