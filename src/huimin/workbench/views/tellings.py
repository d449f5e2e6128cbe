"""文书: letters of decisions, written, printed and delivered; certificates issued, replaced, taken back (CASE-11, CASE-05)."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.calendars.queries import calendar_of
from huimin.divisions.queries import chain_names, names_of
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.posts import Post
from huimin.payment.papers.certificates import certificates_pdf, gather_certificates
from huimin.payment.papers.notifying import gather_letters, letters_pdf
from huimin.policy.queries import programme_names
from huimin.printing.commands import LETTER_READERS
from huimin.registry.commands.attachments import ENDINGS, open_scan
from huimin.telling import certificates as cards
from huimin.telling import letters as room
from huimin.telling import queries
from huimin.telling.certificates import STANDINGS, CertificateFilter
from huimin.telling.letters import REFUSAL_DAYS, Delivery, LetterFilter
from huimin.telling.models import Certificate, Letter
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.notice_forms import CertificateReason, Deliver, DeliverOne
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.surveys import _file as file_answer

READERS = guard.STAFF
PRINTERS = frozenset(gather_letters.posts)  # type: ignore[attr-defined]
CARD_PRINTERS = frozenset(gather_certificates.posts)  # type: ignore[attr-defined]
LATE = [("late", "只看超期的")]
_TONES = {"owed": "soon", "issued": "soon", "delivered": "done", "valid": "done", "lost": "plain", "withdrawn": "plain"}


def nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [("told-letters", "告知书"), ("certificates", "救助证")]
    return [(label, reverse(route), route == here) for route, label in pages]


def _wanted(request: Any, whole: bool) -> tuple[LetterFilter, Any]:
    by, on, place = request.actor, request.business_date, chosen_place(request)
    state = one_of(request.GET, "state", Letter.State.values, "" if whole else _first_state(by))
    kind, late = one_of(request.GET, "kind", Letter.Kind.values), one_of(request.GET, "late", dict(LATE))
    return LetterFilter(place.prefix, on, state, kind, bool(late), programmes_seen(by)), place


def _first_state(by: Actor) -> str:
    """What waits for this post: to be written, else to be brought."""
    return Letter.State.OWED if may(by, room.write_letters) and room.owed_to(by).exists() else Letter.State.ISSUED


@require_http_methods(["GET", "POST"])
@page(READERS, reads=False)
def letters(request: Any) -> HttpResponse:
    """Letters by what waits; ticked ones are written or delivered."""
    by, on = request.actor, request.business_date
    form = Deliver(
        request.POST if request.POST.get("act") == "deliver" else None,
        initial={"delivered_on": on.isoformat(), "how": "signed"},
    )
    if request.method == "POST" and (request.POST.get("act") != "deliver" or form.is_valid()):
        return once(request, lambda: _act(request, form))
    return answer_listing(
        request, lambda whole: _letters(request, whole), "workbench/told_letters.html", form=form,
        may_write=may(by, room.write_letters), may_deliver=may(by, room.deliver_letters), may_print=by.post in PRINTERS,
        may_run=by.post in LETTER_READERS,
    )  # fmt: skip


def _act(request: Any, form: Deliver) -> Outcome:
    by, on, act = request.actor, request.business_date, request.POST.get("act", "")
    ids, where = ids_of(request.POST, 200), request.get_full_path().split("&done=")[0].split("?done=")[0]
    if act == "all":
        room.request_letters(by=by, on=on)
        return Outcome("已开始制作", reverse("told-letters-job"), "可以离开，制作在后台继续。")
    if act == "write":
        made = room.write_letters(by=by, on=on, letter_ids=ids)
        return Outcome(f"已制作 {made} 份", f"{reverse('told-letters')}?state=issued", "打印后送达，送达后登记。")
    told = {name: form.cleaned_data[name] for name in ("how", "delivered_on", "receiver", "note")}
    made = room.deliver_letters(by=by, on=on, letter_ids=ids, delivery=Delivery(**told))
    return Outcome(f"已登记送达 {made} 份", where)


def _letters(request: Any, whole: bool) -> Listing:
    by, on = request.actor, request.business_date
    wanted, place = _wanted(request, whole)
    found = queries.page_letters(wanted, "" if whole else request.GET.get("at", ""), 1000 if whole else 50)
    names, programmes, calendar = (
        names_of({row.division for row in found}, on),
        programme_names(),
        calendar_of(by.division),
    )
    counts = queries.count_letters(place.prefix)
    made = Listing(
        "告知书", "批准、不予批准、增减、停发，都书面告知本户：为什么、依据什么、不服怎么办。不予批准的三个工作日内送到，减发、停发的在生效前送到。",
        "tellings",
        [Head("文号"), Head("种类", paper=34), Head("项目", paper=44), Head("户编码", paper=38), Head("村（组）", paper=26),
         Head("决定", "date", 22), Head("送达期限", "date", 22), Head("状态", paper=30)],
        [_letter(row, names, programmes, calendar, on) for row in found], "没有这样的告知书。作出决定后，要告知的会列在这里。",
        nav=nav("told-letters"), page=found, across=True,
        filters=[Filter("state", "状态", Letter.State.choices, wanted.state), Filter("kind", "种类", Letter.Kind.choices, wanted.kind),
                 Filter("late", "期限", LATE, "late" if wanted.late else ""), Filter("place", "地方", place.options, place.code)],
        figures=[(label, f"{counts.get(state, 0):,}", "") for state, label in Letter.State.choices],
    )  # fmt: skip
    writes, brings = may(by, room.write_letters), may(by, room.deliver_letters)
    ticked = [
        row.pk
        if (row.state == "owed" and writes and row.office == by.office) or (row.state == "issued" and brings)
        else 0
        for row in found
    ]
    made.more |= {
        "picks": list(zip(ticked, made.shown(), strict=True)), "owed": room.owed_to(by).count() if writes else 0,
        "state": wanted.state,
        "query": urlencode({"state": wanted.state or "issued", "kind": wanted.kind, "place": place.code}),
    }  # fmt: skip
    return made


def _letter(row: Letter, names: dict[str, str], programmes: dict[str, str], calendar: Any, on: Any) -> list[Any]:
    due = row.due_on or row.due(calendar, REFUSAL_DAYS)
    late = row.state != Letter.State.DELIVERED and due is not None and due < on
    state = (
        Cell("超期", tone="late", sub=row.get_state_display())
        if late
        else Cell(row.get_state_display(), tone=_TONES[row.state])
    )
    if row.delivered_on:
        state = state._replace(sub=f"{row.delivered_on} {row.get_delivered_how_display()}")
    return [
        Cell(row.number or "（待制作）", reverse("told-letter", args=[row.pk]), row.name), row.get_kind_display(),
        programmes.get(row.programme, row.programme), row.household.household_no, names.get(row.division, row.division),
        row.decided_on, due, state,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(READERS)
def letter(request: Any, number: int) -> HttpResponse:
    """One letter: what it is about, its paper, how it was delivered."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Letter.objects.select_related("household", "decision").get(pk=number)
        require_seen(by, row.programme)
        due = row.due_on or row.due(calendar_of(by.division), REFUSAL_DAYS)
        context = {
            "section": "tellings", "row": row, "due": due, "trail": chain_names(row.division, on), "names": programme_names(),
            "nav": nav("told-letters"), "may_write": may(by, room.write_letters) and row.state == "owed" and row.office == by.office,
            "may_deliver": may(by, room.deliver_letters) and row.state == "issued", "may_print": by.post in PRINTERS,
        }  # fmt: skip
    writes = request.POST.get("act") == "write"
    form = DeliverOne(
        request.POST if request.method == "POST" and not writes else None, request.FILES or None,
        initial={"delivered_on": on.isoformat(), "how": "signed"},
    )  # fmt: skip

    def act() -> Outcome:
        where = reverse("told-letter", args=[number])
        if writes:
            room.write_letters(by=by, on=on, letter_ids=[number])
            return Outcome("已制作告知书", where, "打印后送达，送达后登记。")
        told = dict(form.cleaned_data)
        file = told.pop("file")
        room.deliver_letters(
            by=by, on=on, letter_ids=[number], delivery=Delivery(**told, scan=file.read() if file else None)
        )
        return Outcome("已登记送达", where)

    if request.method == "POST" and writes:
        return once(request, act)
    return answer_form(request, form, act, "workbench/told_letter.html", context)


@require_safe
@page(PRINTERS, reads=False)
def papers(request: Any) -> HttpResponse:
    """The letters of the list on paper, village by village."""
    with reading(request.actor):
        wanted, _ = _wanted(request, True)
    made = letters_pdf(by=request.actor, on=request.business_date, wanted=wanted, mark=printed_by(request, "送达"))
    return pdf_answer(made, "告知书")


@require_safe
@page(PRINTERS, reads=False)
def paper(request: Any, number: int) -> HttpResponse:
    made = letters_pdf(by=request.actor, on=request.business_date, ids=[number], mark=printed_by(request, "送达"))
    return pdf_answer(made, f"告知书{number}")


@require_safe
@page(PRINTERS, reads=False)
def receipt(request: Any, number: int) -> HttpResponse:
    """The signed receipt of a letter."""
    with reading(request.actor):
        row = Letter.objects.get(pk=number)
    return file_answer(open_scan(row.scan_sha256), row.scan_type, f"送达回证{row.pk}{ENDINGS[row.scan_type]}")


@require_safe
@page(frozenset(room.request_letters.posts))  # type: ignore[attr-defined]
def job(request: Any) -> HttpResponse:
    """How far the writing of all letters is. `?part=1` is its bar alone."""
    found = Job.objects.filter(kind=room.KIND, division=request.actor.division).order_by("-id").first()
    context = {
        "section": "tellings", "job": found, "working": anybody_works() or bool(found and found.state == "running"),
        "now": timezone.now(), "nav": nav("told-letters"),
    }  # fmt: skip
    if request.GET.get("part") and found:
        return render(request, "workbench/part/job_progress.html", context)
    return render(request, "workbench/told_job.html", context)


# Certificates.


@require_http_methods(["GET", "POST"])
@page(READERS, reads=False)
def certificates(request: Any) -> HttpResponse:
    """The register of certificates; issued for all who hold and have none, taken back when ticked."""
    by = request.actor
    form = CertificateReason(request.POST if request.POST.get("act") == "withdraw" else None)
    if request.method == "POST" and (request.POST.get("act") != "withdraw" or form.is_valid()):
        return once(request, lambda: _card_act(request, form))
    return answer_listing(
        request, lambda whole: _cards(request, whole), "workbench/certificates.html", form=form,
        may_issue=may(by, cards.issue_certificates), may_withdraw=may(by, cards.withdraw_certificates),
        may_print=by.post in CARD_PRINTERS,
    )  # fmt: skip


def _card_act(request: Any, form: CertificateReason) -> Outcome:
    by, on = request.actor, request.business_date
    if request.POST.get("act") == "issue":
        made = cards.issue_certificates(by=by, on=on)
        return Outcome(f"已发证 {made:,} 本", reverse("certificates"), "勾选后打印。" if made else "在享的都已有证。")
    ids = ids_of(request.POST, 200)
    made = cards.withdraw_certificates(by=by, on=on, certificate_ids=ids, reason=form.cleaned_data["reason"])
    return Outcome(f"已登记收回 {made} 本", f"{reverse('certificates')}?standing=ended")


def _cards(request: Any, whole: bool) -> Listing:
    by, on, place = request.actor, request.business_date, chosen_place(request)
    names = seen_of(by, programme_names())
    standing = one_of(request.GET, "standing", STANDINGS, "" if whole else "valid")
    programme = one_of(request.GET, "programme", names)
    wanted = CertificateFilter(place.prefix, on, standing, programme, programmes_seen(by))
    found = cards.page_certificates(wanted, "" if whole else request.GET.get("at", ""), 1000 if whole else 50)
    places = names_of({row.division for row in found}, on)
    made = Listing(
        "救助证", "批准后发给，证号全县不重；丢了挂失补发，待遇停止后收回。", "tellings",
        [Head("证号"), Head("持证人", paper=26), Head("项目", paper=46), Head("人口", "count", 14), Head("村（组）", paper=28),
         Head("起始", "date", 22), Head("发证", "date", 22), Head("状态", paper=30)],
        [_card(row, names, places) for row in found], "没有这样的证件。",
        nav=nav("certificates"), page=found, across=True,
        filters=[Filter("standing", "状态", list(STANDINGS.items()), standing), Filter("programme", "项目", list(names.items()), programme),
                 Filter("place", "地方", place.options, place.code)],
    )  # fmt: skip
    ticks = may(by, cards.withdraw_certificates) or by.post in CARD_PRINTERS
    made.more |= {
        "picks": list(zip([row.pk if ticks and row.state == "valid" else 0 for row in found], made.shown(), strict=True)),
        "ended": standing == "ended",
        "to_issue": cards.count_to_issue(by.prefix, on, issued_by(by)) if may(by, cards.issue_certificates) else 0,
    }  # fmt: skip
    return made


def issued_by(by: Actor) -> tuple[str, ...]:
    """The programmes of which `by` issues certificates."""
    allowed = rule_of(by.division).programmes
    return tuple(code for code in allowed if by.post != Post.DEPARTMENT_OFFICER or code in by.programmes)


def _card(row: Certificate, names: dict[str, str], places: dict[str, str]) -> list[Any]:
    sub = f"{row.ended_on} {row.reason}" if row.ended_on else f"打印 {row.prints} 次" if row.prints else "没有打印过"
    return [
        Cell(row.number, reverse("certificate", args=[row.pk])), row.holder, names.get(row.programme, row.programme), row.people,
        places.get(row.division, row.division), row.valid_from, row.issued_on,
        Cell(row.get_state_display(), tone=_TONES[row.state], sub=sub),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(READERS)
def certificate(request: Any, number: int) -> HttpResponse:
    """One certificate; lost, it is replaced."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Certificate.objects.select_related("household", "replaces").get(pk=number)
        require_seen(by, row.programme)
        context = {
            "section": "tellings", "row": row, "trail": chain_names(row.division, on), "names": programme_names(),
            "nav": nav("certificates"), "after": Certificate.objects.filter(replaces=row).first(),
            "may_replace": may(by, cards.replace_lost) and row.state == "valid", "may_print": by.post in CARD_PRINTERS,
        }  # fmt: skip
    form = CertificateReason(request.POST or None)

    def act() -> Outcome:
        made = cards.replace_lost(by=by, on=on, certificate_id=number, reason=form.cleaned_data["reason"])
        return Outcome("已挂失，补发了新证", reverse("certificate", args=[made.pk]), "打印新证交给持证人。")

    return answer_form(request, form, act, "workbench/certificate.html", context)


@require_http_methods(["POST"])
@page(CARD_PRINTERS)
def certificate_papers(request: Any) -> HttpResponse:
    """The ticked ones on paper; each printing is counted."""
    ids = ids_of(request.POST, 1000)
    made = certificates_pdf(by=request.actor, on=request.business_date, ids=ids, mark=printed_by(request, "发证"))
    return pdf_answer(made, "救助证")
