"""Duplicates at the desk: the list of pairs, a search, two records side by side, questions to villages (REG-04)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.duplicates import queries
from huimin.duplicates.commands import UNJUDGED, answer_inquiry, ask_village, dismiss_pair
from huimin.duplicates.comparing import Side, fields_of, side_of
from huimin.duplicates.merging import preview, propose_merge
from huimin.duplicates.models import Inquiry, Pair
from huimin.duplicates.scoring import in_words
from huimin.duplicates.searching import KIND, request_search
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works, find_latest, get_job
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.registry.models import WorkItem
from huimin.registry.queries import count_work_items
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.duplicate_forms import Answer, Dismissal, MergeForm, Question, leaving_of
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing

STATES = [(queries.WAITING, "待判断和核查中"), *Pair.State.choices]
SCORES = [("80", "80 分以上"), ("90", "90 分以上")]
FIRST, SECOND = "first", "second"
_HEADS = (
    Head("相似", "count", 14), Head("一份", paper=40), Head("另一份", paper=40), Head("相似之处"), Head("地方", paper=34),
    Head("类别", paper=26), Head("状态", paper=22),
)  # fmt: skip


@require_safe
@page(guard.DUPLICATE_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Pairs of one's place, the most alike first."""
    by: Actor = request.actor

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        state = one_of(request.GET, "state", dict(STATES), queries.WAITING)
        kind = one_of(request.GET, "kind", Pair.Kind.values)
        score = one_of(request.GET, "score", dict(SCORES))
        wanted = queries.PairFilter(place.prefix, state, kind, int(score or 0))
        size = queries.ROWS_MAX if whole else 50
        page_of = queries.list_pairs(wanted, "" if whole else request.GET.get("at", ""), size)
        names = names_of({row.division for row in page_of}, request.business_date)
        job = find_latest(KIND)
        return Listing(
            "查重", _lead(by, job), "duplicates", _HEADS, [_row(row, names) for row in page_of],
            "没有符合这些条件的。" if job else "还没有查重过。县惠民办查重后，相似的档案会列在这里。",
            filters=[
                Filter("state", "状态", STATES, state), Filter("kind", "类别", Pair.Kind.choices, kind),
                Filter("score", "相似程度", SCORES, score), Filter("place", "地方", place.options, place.code),
            ],
            figures=_figures(by), acts=_acts(by), page=page_of, across=True, nav=nav_of(by, "duplicates"),
            more={"items": _items(by)},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/duplicates.html")


def _lead(by: Actor, job: Job | None) -> str:
    last = f"上次查重 {job.business_date}：{job.outcome or job.get_state_display()}。" if job else ""
    return f"可能是同一个人的两份档案。{last}系统只列出，由人判断。"


def _row(row: Pair, names: dict[str, str]) -> list[Any]:
    words = in_words(row.reasons, row.first.name, row.second.name)
    return [
        Cell(row.score, reverse("duplicate", args=[row.pk])),
        *(Cell(each.name, sub=f"{each.sex} {each.birth_date}") for each in (row.first, row.second)),
        words, names.get(row.division, row.division), row.get_kind_display(),
        Cell(row.get_state_display(), tone=_TONES.get(row.state, "plain"), sub=row.judgement),
    ]  # fmt: skip


_TONES = {"open": "soon", "asked": "soon", "merged": "done"}


def _figures(by: Actor) -> list[tuple[str, str, str]]:
    counted = queries.count_pairs(by.prefix)
    return [(label, f"{counted.get(state, 0):,}", "") for state, label in Pair.State.choices if state != "lapsed"]


def _acts(by: Actor) -> list[tuple[str, str]]:
    return [("查重", reverse("duplicate-search"))] if may(by, request_search) else []


def nav_of(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = [("duplicates", "相似的档案", guard.DUPLICATE_READERS), ("merges", "并档和拆分", guard.DUPLICATE_READERS)]
    return [(label, reverse(route), route == here) for route, label, posts in pages if by.post in posts]


def _items(by: Actor) -> list[tuple[str, int, str]]:
    """What imports met and could not take in: it waits as work items."""
    counted = count_work_items(by.prefix) if by.post in guard.CHECKERS else {}
    kinds = (WorkItem.Kind.SAME_PERSON, WorkItem.Kind.SHARED_CARD)
    return [(kind.label, counted[kind], f"{reverse('work-items')}?kind={kind}") for kind in kinds if counted.get(kind)]


@require_http_methods(["GET", "POST"])
@page(frozenset(request_search.posts))  # type: ignore[attr-defined]
def search(request: Any) -> HttpResponse:
    """Ask for a search of the county; the one under way, or the last one. `?part=1` is its bar alone."""
    by, on = request.actor, request.business_date
    if request.method == "POST":
        return once(request, lambda: _asked(by, on))
    job = find_latest(KIND)
    context = {
        "section": "duplicates", "job": job, "working": anybody_works() or bool(job and job.state == "running"),
        "now": timezone.now(),
    }  # fmt: skip
    if request.GET.get("part") and job:
        return render(request, "workbench/part/job_progress.html", context | {"job": get_job(job.pk)})
    return render(request, "workbench/duplicate_search.html", context)


def _asked(by: Actor, on: Any) -> Outcome:
    request_search(by=by, on=on)
    return Outcome("已开始查重", reverse("duplicate-search"), "可以离开这一页，查重在后台继续。")


@require_http_methods(["GET", "POST"])
@page(guard.DUPLICATE_READERS)
def pair(request: Any, number: int) -> HttpResponse:
    """Two records side by side; not one person, ask the villages, or propose to merge (`?stay=second` keeps the other)."""
    by, on = request.actor, request.business_date
    stay = one_of(request.POST if request.method == "POST" else request.GET, "stay", (FIRST, SECOND), FIRST) or FIRST
    with reading(by):
        row = queries.get_pair(number)
        left, right = side_of(row.first, on), side_of(row.second, on)
        if stay == SECOND:
            left, right = right, left
        context = _pair_context(by, on, row, left, right) | {"stay": stay}
    act = request.POST.get("act", "")
    forms = {
        "dismiss": Dismissal(request.POST if act == "dismiss" else None),
        "ask": Question(request.POST if act == "ask" else None),
    }
    sent = request.POST if act in ("check", "edit", "propose") else None
    merge = MergeForm(sent, fields_told=context["fields"], leaving=context["leaving"])
    context |= {"dismissal": forms["dismiss"], "asking": forms["ask"], "merging": merge, "form": forms.get(act, merge)}
    if request.method == "POST" and context["may_judge"]:
        done = _judged(request, row, act, forms, merge, context)
        if done is not None:
            return done
    wrong = any(each.errors for each in (*forms.values(), merge))
    return render(request, "workbench/duplicate.html", context, status=422 if wrong and act != "edit" else 200)


def _pair_context(by: Actor, on: Any, row: Pair, left: Side, right: Side) -> dict[str, Any]:
    merge = row.merges.order_by("-id").first()
    return {
        "section": "duplicates", "row": row, "left": left, "right": right,
        "words": in_words(row.reasons, row.first.name, row.second.name), "fields": fields_of(by, left, right),
        "leaving": leaving_of(left, right),
        "trail": chain_names(row.division, on), "inquiries": queries.list_inquiries_of(row.pk), "merge": merge,
        "places": names_of({left.person.division, right.person.division}, on), "programmes": programme_names(),
        "may_judge": may(by, dismiss_pair) and row.state in UNJUDGED and (merge is None or merge.state != "proposed"),
    }  # fmt: skip


def _judged(
    request: Any, row: Pair, act: str, forms: dict[str, Any], merge: MergeForm, context: dict[str, Any]
) -> HttpResponse | None:
    """The answer to a form sent; None shows the page again with what is wrong."""
    by, on = request.actor, request.business_date
    where = reverse("duplicate", args=[row.pk])
    form = forms.get(act, merge)
    if act == "edit" or not form.is_valid():
        return None
    try:
        if act == "dismiss":
            return once(request, lambda: _dismissed(by, on, row, form.cleaned_data["judgement"]))
        if act == "ask":
            return once(request, lambda: _sent(by, on, row, form.cleaned_data["question"], where))
        if act in ("check", "propose"):
            return _merged(request, row, merge, context, act)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
    return None


def _dismissed(by: Actor, on: Any, row: Pair, judgement: str) -> Outcome:
    dismiss_pair(by=by, on=on, pair=row.pk, judgement=judgement)
    return Outcome("已记为不是同一人", reverse("duplicates"), "以后查重不再列出这一对。")


def _sent(by: Actor, on: Any, row: Pair, question: str, where: str) -> Outcome:
    asked = ask_village(by=by, on=on, pair=row.pk, question=question)
    return Outcome(f"已请 {len(asked)} 处核查", where, "村信息员答复后，在这一页看结果再判断。")


def _merged(request: Any, row: Pair, form: MergeForm, context: dict[str, Any], act: str) -> HttpResponse:
    by, on = request.actor, request.business_date
    wish = form.wish(context["left"].person.pk, context["right"].person.pk)
    if act == "propose":
        return once(request, lambda: _proposed(by, on, row, wish))
    with reading(by):
        told = preview(by, on, wish)
    kept = [(name, value) for name, value in request.POST.items() if name.startswith(("choice-", "head-"))]
    kept += [("reason", form.cleaned_data["reason"]), ("stay", context["stay"])]
    return render(
        request, "workbench/duplicate_check.html", context | {"told": told, "hidden": kept, "effects": told.effects}
    )


def _proposed(by: Actor, on: Any, row: Pair, wish: Any) -> Outcome:
    made = propose_merge(by=by, on=on, wish=wish, pair=row.pk)
    return Outcome("已提出并档，待确认", reverse("merge", args=[made.pk]), "由另一人确认后生效；此前什么都没有改动。")


@require_safe
@page(guard.INQUIRY_READERS, reads=False)
def inquiries(request: Any) -> HttpResponse:
    """What villages were asked; a village's officer sees his own."""

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        waiting = one_of(request.GET, "state", ("waiting", "all"), "waiting") != "all"
        size = queries.ROWS_MAX if whole else 50
        page_of = queries.list_inquiries(place.prefix, waiting=waiting, place=request.GET.get("at", ""), size=size)
        names = names_of({row.division for row in page_of}, request.business_date)
        return Listing(
            "村里核查", "请村信息员入户看证件：同一个人，还是两个人。", "inquiries",
            [Head("姓名", paper=26), Head("村", paper=34), Head("要核查的事"), Head("请查日期", "date", 24),
             Head("结果", paper=26), Head("核查情况")],
            [_inquiry(row, names) for row in page_of], "没有待核查的。", page=page_of,
            filters=[Filter("state", "状态", [("waiting", "待核查"), ("all", "全部")], "waiting" if waiting else "all"),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _inquiry(row: Inquiry, names: dict[str, str]) -> list[Any]:
    return [
        Cell(row.person.name, reverse("inquiry", args=[row.pk])), names.get(row.division, row.division), row.question,
        row.asked_on, Cell(row.get_answer_display() or "待核查", tone="done" if row.answer else "soon"), row.note,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.INQUIRY_READERS)
def inquiry(request: Any, number: int) -> HttpResponse:
    """One question and its answer."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Inquiry.objects.select_related("person").get(pk=number)
        context = {
            "section": "inquiries", "row": row, "side": side_of(row.person, on), "trail": chain_names(row.division, on),
        }  # fmt: skip
    form = Answer(request.POST or None)
    if request.method == "POST" and row.answer:
        return redirect("inquiry", number)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            answer_inquiry(by=by, on=on, inquiry=number, **form.cleaned_data)
            return Outcome("已答复", reverse("inquiries"), "由乡镇（县）据此判断。")

        return once(request, act)
    return render(request, "workbench/inquiry.html", context | {"form": form}, status=422 if form.errors else 200)
