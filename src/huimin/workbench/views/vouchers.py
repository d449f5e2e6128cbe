"""One voucher with its papers, its way back to the business, review, correction, scans, the printed form (LED-01, LED-02)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan
from huimin.ledger import queries
from huimin.ledger.attaching import attach_voucher_scan, read_voucher_scan
from huimin.ledger.correcting import State, propose_correction
from huimin.ledger.models import ManualVoucher, Voucher, VoucherScan
from huimin.ledger.reviewing import review_month, review_voucher, unreviewed, verdicts
from huimin.ledger.sources import Paper, papers_of
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.payment.papers.vouchers import PRINTED_MAX, gather_vouchers, papers_count, sums_of, vouchers_pdf
from huimin.policy.queries import programme_names
from huimin.registry.commands.attachments import SIZE_MAX
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.book_forms import Correction, ReviewNote, VoucherScanForm
from huimin.workbench.book_side import chosen_book, month_of, month_options
from huimin.workbench.exporting import printed_by
from huimin.workbench.forms import Purpose
from huimin.workbench.guard import page
from huimin.workbench.registers import pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form

_NOT_REVERSED = (Voucher.Event.REVERSAL, Voucher.Event.CARRIED_OVER)
LEFT_SHOWN = 200


def _voucher(number: int) -> Voucher:
    try:
        return queries.get_voucher(number)
    except Voucher.DoesNotExist:
        raise Http404 from None


@require_safe
@page(guard.BOOKKEEPERS)
def voucher(request: Any, number: int) -> HttpResponse:
    """One voucher: what it moves, on what it rests, who prepared and reviewed it, what corrected it."""
    found, by = _voucher(number), request.actor
    review = getattr(found, "review", None)
    papers = papers_of([found]).get(found.pk, [])
    scans = list(found.scans.order_by("id"))
    people = names_of_appointments({found.posted_by, review.reviewed_by if review else 0})
    waiting = ManualVoucher.objects.filter(original=found).exclude(state=State.REFUSED).first()
    context = {
        "section": "days", "voucher": found, "review": review, "papers": [(each, _address(each, by)) for each in papers],
        "scans": scans, "papers_count": papers_count(papers, scans), "trail": chain_names(found.division, request.business_date),
        "sums": sums_of([found])[found.pk], "page": queries.voucher_lines(number, place=request.GET.get("at", "")),
        "programmes": programme_names(), "maker": people.get(found.posted_by, ""),
        "reviewer": people.get(review.reviewed_by, "") if review else "", "red": getattr(found, "reversed_by", None),
        "correction": waiting, "may_review": review is None and may(by, review_voucher),
        "may_correct": waiting is None and found.event not in _NOT_REVERSED and may(by, propose_correction),
        "may_attach": may(by, attach_voucher_scan), "may_look": may(by, read_voucher_scan),
    }  # fmt: skip
    return render(request, "workbench/voucher.html", context)


def _address(paper: Paper, by: Actor) -> str:
    """The page of a business document, where `by` may open it."""
    if not paper.route:
        return ""
    return reverse(paper.route, args=[paper.key] if paper.key != "" else [])


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def paper(request: Any, number: int) -> HttpResponse:
    """记账凭证 of one voucher."""
    with reading(request.actor):
        found = _voucher(number)
        content = gather_vouchers(request.actor, request.business_date, [found])
    return _printed(request, content, f"{found.title}记账凭证")


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def month_paper(request: Any) -> HttpResponse:
    """All vouchers of a place's month in the order of their numbers, to bind."""
    with reading(request.actor):
        place = chosen_book(request)
        month = month_of(request.GET, "month", request.business_date, request.business_date.replace(day=1))
        found = list(queries.iterate_vouchers(queries.VoucherFilter(place.prefix, month=month), PRINTED_MAX + 1))
        content = gather_vouchers(request.actor, request.business_date, found)
    return _printed(request, content, f"{month.year}年{month.month}月记账凭证")


def _printed(request: Any, content: dict[str, Any], name: str) -> HttpResponse:
    return pdf_answer(vouchers_pdf(content, on=request.business_date, mark=printed_by(request, name)), name)


@require_http_methods(["GET", "POST"])
@page(frozenset(review_month.posts))  # type: ignore[attr-defined]
def reviews(request: Any) -> HttpResponse:
    """Vouchers of a month that wait for review: those that agree at one stroke, the others one by one."""
    by, on = request.actor, request.business_date
    source = request.POST if request.method == "POST" else request.GET
    with reading(by):
        place = chosen_book(request, source)
        month = month_of(source, "month", on, on.replace(day=1))
    if request.method == "POST":
        return once(request, lambda: _reviewed(request, place.prefix, month))
    waiting = unreviewed(place.prefix, month)
    told = verdicts(by, waiting)
    agreed, left = [v for v in waiting if not told[v.pk]], [(v, told[v.pk]) for v in waiting if told[v.pk]]
    elsewhere = sum(count for each, count, _ in queries.count_unreviewed(place.prefix) if each != month)
    context = {
        "section": "voucher-reviews", "place": place, "month": f"{month:%Y-%m}", "month_words": f"{month.year}年{month.month}月",
        "months": month_options(on), "agreed": len(agreed), "agreed_fen": sum(each.amount_fen for each in agreed),
        "left": left[:LEFT_SHOWN], "left_count": len(left), "elsewhere": elsewhere,
        "places": names_of({each.division for each, _ in left[:LEFT_SHOWN]}, on),
    }  # fmt: skip
    return render(request, "workbench/voucher_reviews.html", context)


def _reviewed(request: Any, prefix: str, month: Any) -> Outcome:
    done = review_month(by=request.actor, on=request.business_date, prefix=prefix, month=month)
    lines = tuple(f"{each.title}（{each.summary}）：{why}" for each, why in done.left[:20])
    then = "其余的请逐张审核：" if done.left else "这个月的凭证都审核了，月末可以结账。"
    where = f"{reverse('voucher-reviews')}?month={month:%Y-%m}"
    return Outcome(f"已审核 {done.count:,} 张", where, then, lines)


@require_http_methods(["GET", "POST"])
@page(frozenset(review_voucher.posts))  # type: ignore[attr-defined]
def review(request: Any, number: int) -> HttpResponse:
    """Review one voucher by itself; its business and what differs stand above the form."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = _voucher(number)
        trail = chain_names(found.division, on)
        told = verdicts(by, [found])[found.pk]
    form = ReviewNote(request.POST or None)

    def act() -> Outcome:
        review_voucher(by=by, on=on, voucher_id=number, note=form.cleaned_data["note"])
        return Outcome(f"{found.title}已审核", reverse("voucher", args=[number]))

    context = {
        "section": "voucher-reviews", "title": f"审核{found.title}", "trail": trail, "button": "审核通过",
        "lead": f"{found.occurred_on}，{found.summary}，¥{yuan(found.amount_fen)}。{told or '与业务单据一致'}。",
        "back": reverse("voucher", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_correction.posts))  # type: ignore[attr-defined]
def correct(request: Any, number: int) -> HttpResponse:
    """Propose to take a voucher back in red, and the right lines in its place."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = _voucher(number)
        trail, programmes = chain_names(found.division, on), programme_names()
        lines = queries.voucher_lines(number, size=20).rows
    if found.event in _NOT_REVERSED:
        raise Http404
    form = Correction(request.POST or None, event=found.event, programmes=programmes)

    def act() -> Outcome:
        made = propose_correction(
            by=by, on=on, voucher_id=number, reason=form.cleaned_data["reason"], lines=form.lines()
        )
        return Outcome("已提出", reverse("manual-voucher", args=[made.pk]), "由另一人审定后记账；审定以前账不变。")

    context = {
        "section": "manual-vouchers", "voucher": found, "trail": trail, "lines": lines, "programmes": programmes,
        "back": reverse("voucher", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/voucher_correct.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(attach_voucher_scan.posts))  # type: ignore[attr-defined]
def attach(request: Any, number: int) -> HttpResponse:
    """Keep a scanned paper with the voucher."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = _voucher(number)
        trail = chain_names(found.division, on)
    form, sent = VoucherScanForm(request.POST or None), request.FILES.get("file")

    def act() -> Outcome:
        if sent is None or sent.size > SIZE_MAX:
            raise BadInput("没有选文件，或文件超过 10 MB", where="文件", remedy="请选择 JPG、PNG 或 PDF")
        attach_voucher_scan(
            by=by, on=on, voucher_id=number, file_name=sent.name, content=sent.read(), **form.cleaned_data
        )
        return Outcome("已加附件", reverse("voucher", args=[number]), "文件加密保存，每次查看都留痕。")

    context = {
        "section": "days", "voucher": found, "trail": trail, "back": reverse("voucher", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/voucher_attach.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@page(frozenset(read_voucher_scan.posts))  # type: ignore[attr-defined]
def scan(request: Any, number: int) -> HttpResponse:
    """One scan: the purpose first, then the file; the look is recorded."""
    form = Purpose(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name, media_type, content = read_voucher_scan(
            by=request.actor, on=request.business_date, scan_id=number, purpose=form.cleaned_data["purpose"]
        )
        response = HttpResponse(content, content_type=media_type)
        response["Content-Disposition"] = f'attachment; filename="{number}{name[name.rfind(".") :]}"'
        response["X-Content-Type-Options"] = "nosniff"
        return response
    with reading(request.actor):
        row = VoucherScan.objects.filter(pk=number).first()
        if row is None:
            raise Http404
    context = {
        "section": "days", "form": form, "what": row.title, "value": "", "back": reverse("voucher", args=[row.voucher_id]),
    }  # fmt: skip
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)
