"""What a screening proposes: the list, one with its grounds, and the decision on one or a filtered many (DET-01)."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.adjusting import adjust_proposals, may_adjust
from huimin.casework.commands import DECIDABLE, apart, decide_proposals
from huimin.casework.queries import find_decision_of
from huimin.casework.screening import granted_of
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.money import yuan
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level
from huimin.kinship.queries import list_left_out
from huimin.organisation.acting import Actor, AlreadyDone, may, reading
from huimin.payment.explaining import dues_behind
from huimin.policy.models import Programme
from huimin.policy.queries import programme_names
from huimin.registry.models import Person
from huimin.registry.snapshots import NotRegistered
from huimin.screening.commands import request_screening
from huimin.screening.explaining import explain_household
from huimin.screening.models import Proposal
from huimin.screening.queries import (
    ProposalFilter,
    ProposalTotal,
    find_latest_run,
    get_proposal,
    iterate_proposals,
    page_proposals,
    total_proposals,
)
from huimin.screening.reasons import in_words
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.explaining import Reason, told
from huimin.workbench.forms import Adjustment, Decision
from huimin.workbench.guard import page
from huimin.workbench.listing import Chosen, chosen_place, ids_of, kept, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.spreadsheet import Column, export

FILTERS = ("programme", "kind", "state", "place")
PERIODS = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次"}


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    """Open proposals of one's place, by village; ticked ones or all of them can be decided by who may."""
    names = seen_of(request.actor, programme_names())
    wanted, place = _wanted(request, names)
    if request.GET.get("export") == "xlsx":
        return _export(request, wanted, names)
    page_of = page_proposals(wanted, request.GET.get("at", ""))
    totals = total_proposals(wanted)
    named = _people(list(page_of))
    context = {
        "section": "proposals",
        "page": page_of,
        "places": names_of(
            {row.division for row in page_of} | {row.division[:12] for row in page_of}, request.business_date
        ),
        "programmes": names,
        "place": place,
        "wanted": wanted,
        "kinds": Proposal.Kind.choices,
        "states": Proposal.State.choices,
        "totals": totals,
        "count": sum(total.count for total in totals),
        "amount_fen": sum(total.amount_fen for total in totals),
        "to_decide": sum(total.count for total in totals if total.kind in DECIDABLE),
        "to_decide_fen": sum(total.amount_fen for total in totals if total.kind in DECIDABLE),
        "may_decide": may_decide(request.actor, wanted.programme) and wanted.state == "open",
        "may_screen": may_screen(request.actor),
        "run": find_latest_run(),
        "changes": {row.pk: in_words(row.reasons[:1], named, request.actor) for row in page_of},
        "anything": bool(page_of.rows) or ProposalFilter(prefix=request.actor.prefix, state="").rows().exists(),
        "query": kept(request.GET, *FILTERS),
    }
    return render(request, "workbench/proposals.html", context)


def may_decide(by: Actor, programme: str = "") -> bool:
    return may(by, decide_proposals) and (not programme or programme in by.programmes)


def may_screen(by: Actor) -> bool:
    return may(by, request_screening)


def _wanted(request: Any, names: dict[str, str], source: QueryDict | None = None) -> tuple[ProposalFilter, Chosen]:
    """The filter of the address; a department sees its own programmes."""
    source = request.GET if source is None else source
    place = chosen_place(request, source)
    # A county's list is of one programme unless all are asked for: the order by village then follows the index.
    first = next(iter(names), "") if request.actor.level <= Level.COUNTY and "id" not in source else ""
    programme = one_of(source, "programme", names, first)
    wanted = ProposalFilter(
        prefix=place.prefix,
        programme=programme,
        kind=one_of(source, "kind", Proposal.Kind.values),
        state=one_of(source, "state", Proposal.State.values, Proposal.State.OPEN),
        programmes=programmes_seen(request.actor),
    )
    return wanted, place


def _export(request: Any, wanted: ProposalFilter, names: dict[str, str]) -> HttpResponse:
    columns = (
        Column("户编码", width=22), Column("村（组）", width=18), Column("补贴项目", width=26), Column("对象", width=12),
        Column("建议", width=12), Column("原金额（元）", "fen"), Column("建议金额（元）", "fen"), Column("状态", width=10),
        Column("不符合的条件", width=24), Column("缺少的信息", width=24), Column("变了什么", width=48),
    )  # fmt: skip
    villages: dict[str, str] = {}

    def rows() -> Any:
        for each in iterate_proposals(wanted):
            if each.division not in villages:
                villages.update(names_of({each.division}, request.business_date) or {each.division: each.division})
            yield (
                each.household.household_no, villages[each.division], names.get(each.programme, each.programme),
                each.person.name if each.person else "全户", each.get_kind_display(), each.previous_fen, each.amount_fen,
                each.get_state_display(), "、".join(each.failed), "、".join(each.missing),
                "；".join(in_words(each.reasons, _people([each]) if each.reasons else {}, request.actor)),
            )  # fmt: skip

    return export(request, f"甄别建议 {request.business_date}", columns, rows())


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One proposal: what it would change, on which grounds, and what was decided."""
    proposal = get_proposal(number)
    require_seen(request.actor, proposal.programme)
    on = proposal.run.determination_date
    reasons = [each for each in _explained(request.actor, proposal, on) if each.programme == proposal.programme]
    if proposal.person_id:
        reasons = [each for each in reasons if each.person == proposal.person_id]
    context = {
        "section": "proposals",
        "proposal": proposal,
        "programme": Programme.objects.get(code=proposal.programme),
        "trail": chain_names(proposal.division, request.business_date),
        "reasons": reasons,
        "changes": in_words(proposal.reasons, _people([proposal]), request.actor),
        "dues": dues_behind(proposal=proposal.pk) if request.actor.post in guard.PAYERS else [],
        "ends_on": _phase_out_end(proposal, request.business_date),
        "decision": find_decision_of(proposal.pk),
        "period": PERIODS,
        "may_decide": may_decide(request.actor, proposal.programme)
        and proposal.state == Proposal.State.OPEN
        and proposal.kind in DECIDABLE,
        "may_adjust": may_adjust(request.actor, proposal, request.business_date),
    }
    context["may_decide"] = context["may_decide"] and not context["may_adjust"]
    return render(request, "workbench/proposal.html", context)


def _explained(by: Actor, proposal: Proposal, on: date) -> list[Reason]:
    """Why, by today's registry; nothing for a household that is registered no more."""
    held = granted_of(proposal.household_id, on)
    try:
        return told(explain_household(by=by, household_id=proposal.household_id, on=on, granted=held), by)
    except NotRegistered:
        return []


def _people(proposals: list[Proposal]) -> dict[int, str]:
    """Names of the persons that reasons speak of."""
    ids = {reason["person"] for each in proposals for reason in each.reasons if reason["person"]}
    return dict(Person.objects.filter(pk__in=ids).values_list("pk", "name"))


def _phase_out_end(proposal: Proposal, on: date) -> date | None:
    """The first month without it, were it confirmed today."""
    if proposal.phase_out_months is None:
        return None
    return add_months(proposal.phase_out_since or add_months(month_start(on), 1), proposal.phase_out_months)


@require_http_methods(["GET", "POST"])
@page(frozenset(adjust_proposals.posts))  # type: ignore[attr-defined]
def adjust(request: Any, number: int) -> HttpResponse:
    """One increase, decrease or stop, where the place's own process says who decides (伊春: the township)."""
    by, on = request.actor, request.business_date
    with reading(by):
        proposal = get_proposal(number)
        require_seen(by, proposal.programme)
        name = Programme.objects.get(code=proposal.programme).name
        trail = chain_names(proposal.division, on)
    form = Adjustment(request.POST or None)

    def act() -> Outcome:
        grant = form.cleaned_data["outcome"] == "grant"
        adjust_proposals(
            by=by,
            on=on,
            programme=proposal.programme,
            proposal_ids=[number],
            grant=grant,
            reason=form.cleaned_data["reason"],
        )
        then = f"自 {_effective_from(request)} 起生效。" if grant else "理由已记入这一户的经过。"
        return Outcome("已决定" if grant else "已决定不予调整", reverse("proposal", args=[number]), then)

    if request.method == "POST" and form.is_valid():
        return once(request, act)
    lead = f"{proposal.household.household_no} {name}：{proposal.get_kind_display()}，¥{yuan(proposal.previous_fen)} → ¥{yuan(proposal.amount_fen)}。从下月起执行。"
    context = {
        "section": "proposals", "title": "按程序调整", "lead": lead, "form": form, "button": "签名，决定", "trail": trail,
        "back": reverse("proposal", args=[number]),
    }  # fmt: skip
    return render(request, "workbench/field_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(frozenset(decide_proposals.posts))  # type: ignore[attr-defined]
def decide(request: Any) -> HttpResponse:
    """Check what is about to be decided, its number and sum; then decide it once."""
    source = request.POST if request.method == "POST" else request.GET
    with reading(request.actor):
        names = seen_of(request.actor, programme_names())
        wanted, place = _to_decide(request, source, names)
        totals = [each for each in total_proposals(wanted) if wanted.ids or each.kind in DECIDABLE]
        whole = total_proposals(replace(wanted, apart=())) if wanted.apart else totals
    grant = source.get("outcome") != "refuse"
    form = Decision(request.POST or None, grant=grant)
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _decide(request, wanted, place.code, totals, grant, form.cleaned_data["reason"]))
    context = {
        "section": "proposals",
        "form": form,
        "grant": grant,
        "wanted": wanted,
        "programme": names[wanted.programme],
        "totals": totals,
        "count": sum(total.count for total in totals),
        "elsewhere": sum(each.count for each in whole if wanted.ids or each.kind in DECIDABLE)
        - sum(each.count for each in totals),
        "amount_fen": sum(total.amount_fen for total in totals),
        "effective_from": _effective_from(request),
        "place": place,
        "seen": _seen(totals),
        "back": reverse("proposals") + "?" + kept(source, "programme", "kind", "place"),
    }
    return render(request, "workbench/decide.html", context, status=422 if form.errors else 200)


def _to_decide(request: Any, source: QueryDict, names: dict[str, str]) -> tuple[ProposalFilter, Chosen]:
    """The same set on the page and at the act: named proposals, or all that fit the filters; of one programme."""
    wanted, place = _wanted(request, names, source)
    ids = tuple(ids_of(source, 1000))
    wanted = replace(wanted, state=Proposal.State.OPEN, ids=ids or None, apart=() if ids else apart())
    fitting = {each.programme for each in total_proposals(wanted)}
    if not fitting:
        raise AlreadyDone(
            "没有可以办理的建议",
            why="可能已有人办理、正在立案办理，或筛查已更新",
            remedy="请返回列表刷新后再选",
        )
    if len(fitting) > 1:
        raise Refusal("一次只能办一个补贴项目", why="所选的建议属于几个项目", remedy="请先按补贴项目筛选，再选要办的")
    return replace(wanted, programme=fitting.pop()), place


def _seen(totals: list[ProposalTotal]) -> str:
    """What the page showed: if it differs at the moment of the act, nothing is decided."""
    return f"{sum(each.count for each in totals)}-{sum(each.amount_fen for each in totals)}"


def _effective_from(request: Any) -> date:
    """民发〔2021〕57号 第21条: the month after the decision."""
    return add_months(month_start(request.business_date), 1)


def _decide(
    request: Any, wanted: ProposalFilter, place: str, totals: list[ProposalTotal], grant: bool, reason: str
) -> Outcome:
    if request.POST.get("seen") != _seen(totals):
        raise AlreadyDone(
            "名单刚刚有变化，没有办理", why="有人办理了其中一些，或筛查已更新", remedy="请返回列表重新核对"
        )
    by = request.actor
    count = decide_proposals(
        by=request.actor, on=request.business_date, programme=wanted.programme,
        division=place or request.actor.division, grant=grant,
        proposal_ids=list(wanted.ids) if wanted.ids else None,
        kinds=None if wanted.ids else [wanted.kind] if wanted.kind else list(DECIDABLE), reason=reason,
    )  # fmt: skip
    with reading(by):
        left = list_left_out(by.request)
    fen = sum(each.amount_fen for each in totals)
    if left:
        return Outcome(
            f"{'已确认' if grant else '不予确认'} {count:,} 件，回避 {len(left):,} 户没有办理", _list_of(request),
            "您近亲属所在的户请转交另一位审批人：", tuple(left),
        )  # fmt: skip
    where = _list_of(request)
    then = f"自 {_effective_from(request)} 起生效。" if grant else "理由已记入每一户的经过。"
    return Outcome(f"{'已确认' if grant else '不予确认'} {count:,} 件，合计 ¥{yuan(fen)}", where, then)


def _list_of(request: Any) -> str:
    return reverse("proposals") + "?" + kept(request.POST, "programme", "kind", "place")
