"""Community review at the desk: meetings, what waits for one, calling it, holding it, its minutes and papers (CASE-03)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.meetings import convening, following, holding, judging, queries, rules
from huimin.meetings.models import Item, Meeting, Participant
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.meetings import MEETING_PAPERS, meeting_pdf
from huimin.policy.queries import programme_names
from huimin.registry.commands.attachments import ENDINGS
from huimin.workbench import guard
from huimin.workbench import meeting_forms as forms
from huimin.workbench.acts import Outcome, once
from huimin.workbench.exporting import printed_by
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer, shortened

State = Meeting.State
STATES = list(State.choices)
TONES = {"planned": "soon", "held": "soon", "recorded": "done", "void": "late", "cancelled": "plain"}
READERS = guard.MEETING_READERS


def nav(here: str) -> list[tuple[str, str, bool]]:
    pages = (
        ("meetings", "评议会"), ("meetings-waiting", "等评议的"), ("meeting-lists", "代表和监督员"), ("meeting-rule", "县里的规定"),
    )  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


def answer(
    request: Any, form: DeskForm | None, act: Callable[[], Outcome], template: str, context: dict[str, Any]
) -> HttpResponse:
    """The page with its form; what the command refuses for what was typed stands above the form, with all that was typed."""
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return once(request, act)
        except (BadInput, *HERE) as refused:
            if form is None:
                raise
            form.add_error(None, str(refused))
    status = 422 if form is not None and form.errors else 200
    return render(request, template, {**context, "form": form}, status=status)


HERE: tuple[type[Refusal], ...] = (
    convening.NobodyToJudge, holding.MeetingVoid, holding.MeetingValid, judging.TooManyBallots, judging.CountsDiffer,
    judging.ResultDiffers, judging.ReasonsFirst, judging.NotYetJudged, following.NothingToInquire,
)  # fmt: skip
"""Refusals that tell what to type otherwise; the others are pages of their own."""


@require_safe
@page(READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Meetings, the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(STATES))
        wanted = queries.MeetingFilter(place.prefix, state)
        found = None if whole else queries.page_meetings(wanted, request.GET.get("at", ""))
        rows = list(queries.iterate_meetings(wanted)) if found is None else found.rows
        names = names_of(set(list({row.division for row in rows})[:2000]), on)
        acts = [("召集评议会", reverse("meetings-waiting"))] if may(by, convening.convene) else []
        return Listing(
            "民主评议会", "村里组织，义务监督员和乡镇干部到会；到会代表不足法定代表数三分之二的，会议不成立。", "meetings",
            [Head("会议", paper=30), Head("村"), Head("开会", paper=28), Head("议题", "count", 14), Head("已评议", "count", 16),
             Head("不一致", "count", 16), Head("到会", paper=20), Head("状态", paper=40)],
            [_row(row, names) for row in rows], "没有这样的会议。有事等评议时，从“等评议的”召集。", nav=nav("meetings"), page=found,
            filters=[Filter("state", "状态", STATES, state), Filter("place", "地方", place.options, place.code)], acts=acts,
            seats=["填表人", "负责人"], across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _row(row: Any, names: dict[str, str]) -> list[Any]:
    came = f"{row.present} / {row.statutory}" if row.present is not None else ""
    return [
        Cell(row.number, reverse("meeting", args=[row.pk])), names.get(row.division, row.division),
        Cell(row.meets_on.isoformat(), sub=row.meets_at), row.cases, row.judged, row.contested, came,
        Cell(row.get_state_display(), tone=TONES[row.state], sub=row.reason),
    ]  # fmt: skip


@require_safe
@page(READERS, reads=False)
def waiting(request: Any) -> HttpResponse:
    """Villages with cases that wait for a meeting."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        every = queries.count_waiting_by_village(place.prefix)
        rows, note = shortened(every, whole)
        names = names_of({row.village for row in rows}, on)
        mine = may(by, convening.convene)
        return Listing(
            "等评议的", "申请走到民主评议这一步、还没有评议结果的，按村。", "meetings",
            [Head("村"), Head("等评议", "count", 20), Head("最早", "date", 26), Head("等了", paper=20), Head("已定的会", paper=40)],
            [[Cell(names.get(row.village, row.village), reverse("meeting-convene", args=[row.village]) if mine else ""), row.count,
              row.since, f"{(on - row.since).days} 天", row.meets_on.isoformat() if row.meets_on else "没有"] for row in rows],
            "没有等评议的。申请办到民主评议这一步时，会列在这里。", note, nav=nav("meetings-waiting"),
            filters=[Filter("place", "地方", place.options, place.code)],
            figures=[("等评议的村", f"{len(every):,}", ""), ("等评议的事", f"{sum(row.count for row in every):,}", "")],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(convening.convene.posts))  # type: ignore[attr-defined]
def convene(request: Any, village: str) -> HttpResponse:
    """Choose the cases of a village, the day and the place."""
    by, on = request.actor, request.business_date
    if not village.startswith(by.prefix) or len(village) != Level.VILLAGE:
        raise Http404
    with reading(by):
        choices = _waiting_cases(village)
        trail, lists = chain_names(village, on), queries.list_villages(village, on)
    form = forms.Convene(
        request.POST or None, cases=choices, initial={"cases": [value for value, _ in choices[: convening.CASES_MAX]]}
    )

    def act() -> Outcome:
        made = convening.convene(by=by, on=on, village=village, **form.cleaned_data)
        return Outcome(
            "已召集评议会", reverse("meeting", args=[made.pk]), "打印通知送到每位代表，打印宣读表和签到表备用。"
        )

    context = {
        "section": "meetings", "nav": nav("meetings-waiting"), "trail": trail, "village": village, "list": lists[0] if lists else None,
        "any": bool(choices),
    }  # fmt: skip
    return answer(request, form, act, "workbench/meeting_convene.html", context)


def _waiting_cases(village: str) -> list[tuple[str, str]]:
    """What may come on an agenda, as boxes to tick: who, which programme, since when; inside `reading`."""
    cases, names = queries.list_waiting(village), programme_names()
    heads = queries.heads_of(cases)
    return [
        (
            str(case.pk),
            f"{case.person.name if case.person else heads.get(case.household_id or 0, case.number)}　"
            f"{names.get(case.programme, case.programme)}　{case.number}（{case.step_since} 起等）",
        )
        for case in cases
    ]


@require_safe
@page(READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One meeting: what is on the agenda, who came, what each case came to, what can be done."""
    by, on = request.actor, request.business_date
    row = _get(number)
    people, items = queries.list_participants(row), queries.list_items(row)
    number_now = row.statutory if row.statutory is not None else queries.statutory(row.division, row.meets_on)
    context = {
        "section": "meetings", "nav": nav("meetings"), "row": row, "trail": chain_names(row.division, on), "people": people,
        "items": items, "names": programme_names(), "tone": TONES[row.state], "statutory": number_now,
        "needed": rules.quorum(number_now) if number_now else None, "came": _came(people) if row.present is not None else [],
        "invited": sum(each.role == Participant.Role.REPRESENTATIVE for each in people),
        "uninvited": queries.count_uninvited(row) if row.state == State.PLANNED else 0,
        "acts": [act for act in ACTS.values() if (act.fits(by, row) and act.key != "minutes") or _may_close(by, row, items, act)],
        "may_hold": row.state == State.PLANNED and may(by, holding.hold_meeting) and on >= row.meets_on,
        "may_judge": row.state == State.HELD and may(by, judging.record_result),
        "papers": _papers(row), "scans": list(row.scans.order_by("id")),
        "corrections": list(row.corrections.select_related("signature").order_by("id")),
        "may_read": may(by, following.read_meeting_scan),
    }  # fmt: skip
    return render(request, "workbench/meeting.html", context)


def _get(number: int) -> Meeting:
    row = queries.find_meeting(number)
    if row is None:
        raise Http404
    return row


def _came(people: list[Participant]) -> list[tuple[str, list[Participant], list[Participant]]]:
    """Role, who was there, who was not."""
    of = {role: [each for each in people if each.role == role] for role in Participant.Role}
    return [
        (role.label, [p for p in rows if p.present], [p for p in rows if not p.present]) for role, rows in of.items()
    ]


def _papers(row: Meeting) -> list[tuple[str, str]]:
    there = {
        State.PLANNED: ("invitations", "reading", "sign-in"), State.HELD: ("reading", "sign-in"),
        State.RECORDED: ("minutes", "reading"), State.VOID: ("minutes",),
    }.get(State(row.state), ())  # fmt: skip
    return [(key, MEETING_PAPERS[key]) for key in there]


@require_http_methods(["GET", "POST"])
@page(frozenset(holding.hold_meeting.posts))  # type: ignore[attr-defined]
def hold(request: Any, number: int) -> HttpResponse:
    """Who came, ticked from the register; held, or void."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = _get(number)
        if row.state != State.PLANNED:
            return redirect("meeting", number)
        listed = list(holding.on_the_list(row).order_by("role", "title", "id"))
        officers = list(holding.cadres_of(row.division, row.meets_on))
        needed, trail = queries.statutory(row.division, row.meets_on), chain_names(row.division, on)
    form = forms.Came(
        request.POST or None, listed=[(str(each.pk), f"{each.name}（{each.title}）") for each in listed],
        cadres=[(str(each.pk), f"{each.account.full_name}（{each.get_post_display()}）") for each in officers],
    )  # fmt: skip

    def act() -> Outcome:
        told = form.cleaned_data
        came = holding.Came(told["listed"], told["cadres"], told["others"].splitlines())
        where = reverse("meeting", args=[number])
        if request.POST.get("outcome") == "void":
            holding.void_meeting(by=by, on=on, meeting=number, came=came, words=told["words"])
            return Outcome("已登记会议不成立", where, "议题都留待下次，请另行召集。")
        made = holding.hold_meeting(by=by, on=on, meeting=number, came=came)
        return Outcome(f"已登记签到：到会代表 {made.present} 人，会议有效", where, "接着逐件登记评议结果。")

    context = {
        "section": "meetings", "nav": nav("meetings"), "row": row, "trail": trail, "statutory": needed,
        "needed": rules.quorum(needed) if needed else None, "early": on < row.meets_on,
    }  # fmt: skip
    return answer(request, form, act, "workbench/meeting_hold.html", context)


@dataclass(frozen=True)
class Act:
    """Something done with a whole meeting: its form, whether the page offers it, what it says."""

    key: str
    link: str
    title: str
    button: str
    command: Callable[..., Any]
    states: tuple[str, ...]
    form: type[DeskForm] | None
    done: str
    lead: str = ""
    warning: bool = False

    def fits(self, by: Actor, row: Meeting) -> bool:
        return row.state in self.states and may(by, self.command)


ACTS = {
    act.key: act
    for act in (
        Act("minutes", "签名定稿", "签名定稿", "签名定稿", judging.record_minutes, (State.HELD,), forms.Minutes, "会议记录已定稿",
            "签名落在到会的人、宣读的内容、每一件的意见和票数上；定稿后不能再改。"),
        Act("add", "增加议题", "增加议题", "增加", convening.add_cases, (State.PLANNED,), None, "已增加议题",
            "这个村又有等评议的，会前都可以加进来；加了请重新打印宣读表。"),
        Act("refresh", "更新名单和宣读表", "更新名单和宣读内容？", "更新", convening.refresh_sheet, (State.PLANNED,), None, "已按今天的登记更新",
            "应到名单补上新核对的代表和监督员，宣读表按今天的登记和政策重新计算；更新后请重新打印。"),
        Act("scan", "上传扫描件", "上传签字的材料", "上传", following.file_scan, (State.HELD, State.RECORDED, State.VOID), forms.Scan, "已上传",
            "文件加密保存，每次查看都留痕。"),
        Act("correct", "写更正说明", "写更正说明", "签名", following.correct_minutes, (State.RECORDED,), forms.Correction, "已写更正说明",
            "会议记录不改，更正说明附在后面一起打印。"),
        Act("cancel", "取消会议", "取消这次会议？", "取消会议", convening.cancel_meeting, (State.PLANNED,), forms.Reason, "已取消",
            "没有开的会议才取消；开了而人数不够的，登记为会议不成立。", True),
    )
}  # fmt: skip


def _may_close(by: Actor, row: Meeting, items: list[Item], act: Act) -> bool:
    return act.key == "minutes" and act.fits(by, row) and all(item.state != Item.State.WAITING for item in items)


@require_http_methods(["GET", "POST"])
@page(frozenset(convening.convene.posts) | frozenset(following.correct_minutes.posts))  # type: ignore[attr-defined]
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on a meeting: checked on its page, done once."""
    if key not in ACTS:
        raise Http404
    chosen, by, on = ACTS[key], request.actor, request.business_date
    with reading(by):
        row = _get(number)
        trail = chain_names(row.division, on)
        waiting = _waiting_cases(row.division) if key == "add" else []
    if key == "add":
        form: Any = forms.AddCases(request.POST or None, cases=waiting)
    else:
        form = chosen.form(request.POST or None, request.FILES or None) if chosen.form else None

    def run() -> Outcome:
        told = dict(form.cleaned_data) if form else {}
        if "file" in told:
            told["content"] = told.pop("file").read()
        chosen.command(by=by, on=on, meeting=number, **told)
        return Outcome(chosen.done, reverse("meeting", args=[number]))

    context = {
        "section": "meetings", "title": chosen.title, "lead": chosen.lead, "button": chosen.button, "trail": trail,
        "warning": chosen.warning, "back": reverse("meeting", args=[number]),
    }  # fmt: skip
    return answer(request, form, run, "workbench/meeting_act.html", context)


@require_safe
@page(READERS, reads=False)
def paper(request: Any, number: int, kind: str) -> HttpResponse:
    """Invitations, sign-in sheet, what is read aloud, or the minutes."""
    if kind not in MEETING_PAPERS:
        raise Http404
    address = request.build_absolute_uri(reverse("meeting", args=[number]))
    content = meeting_pdf(
        by=request.actor, on=request.business_date, meeting=number, kind=kind, address=address,
        mark=printed_by(request, MEETING_PAPERS[kind]),
    )  # fmt: skip
    return pdf_answer(content, f"{MEETING_PAPERS[kind]}{number}")


@never_cache
@require_safe
@page(frozenset(following.read_meeting_scan.posts), reads=False)  # type: ignore[attr-defined]
def scan(request: Any, number: int) -> HttpResponse:
    """A signed sheet; the look is recorded."""
    row, content = following.read_meeting_scan(by=request.actor, on=request.business_date, scan=number)
    response = HttpResponse(content, content_type=row.media_type)
    response["Content-Disposition"] = f'attachment; filename="meeting-{row.pk}{ENDINGS[row.media_type]}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
