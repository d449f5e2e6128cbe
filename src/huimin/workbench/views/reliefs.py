"""Emergency relief: cases of the township, one with its steps, and the petty fund's book (DET-05)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework import relief as room
from huimin.casework.models import PettyFund, Relief
from huimin.database.personal import ID_NUMBER, plain
from huimin.divisions.queries import chain_names, list_beneath, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_identity
from huimin.kernel.money import yuan
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.registry.models import Household, Membership, Person
from huimin.registry.queries import get_household
from huimin.workbench import guard, relief_forms
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of

STATES = [
    *Relief.State.choices, (room.OWING, "待补材料"), (room.OVERDUE, "材料超期"), (room.ABROAD, "本地居民在外地"),
]  # fmt: skip


@require_safe
@page(guard.RELIEF_READERS)
def listing(request: Any) -> HttpResponse:
    place = chosen_place(request)
    state = one_of(request.GET, "state", dict(STATES))
    page_of = room.page_reliefs(place.prefix, state, request.business_date, request.GET.get("at", ""))
    context = {
        "section": "reliefs",
        "page": page_of,
        "place": place,
        "state": state,
        "states": STATES,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "overdue": {row.pk for row in page_of if row.overdue(request.business_date)},
        "may_guest": may(request.actor, room.record_guest),
    }
    return render(request, "workbench/reliefs.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.record_guest.posts))  # type: ignore[attr-defined]
def guest(request: Any) -> HttpResponse:
    """An emergency here of somebody who lives elsewhere (CASE-01)."""
    by, on = request.actor, request.business_date
    with reading(by):
        fund = PettyFund.objects.filter(division=by.division).first()
        limit = room.limit_of(fund, on) if fund else None
        homes = _homes(by, on)
    form = relief_forms.RecordGuest(request.POST or None, homes=homes)

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        made = room.record_guest(by=by, on=on, amount_fen=told.pop("amount"), **told)
        then = "超过单笔限额，先登记集体研究的会议。" if made.collective else "已转乡镇负责人审批。"
        return Outcome(f"已登记急难救助 ¥{yuan(made.amount_fen)}", reverse("relief", args=[made.pk]), then)

    context = {"section": "reliefs", "fund": fund, "limit": limit}
    return _answer(request, form, act, "workbench/relief_guest.html", context)


def _homes(by: Actor, on: Any) -> list[tuple[str, str]]:
    """The other townships of the county."""
    county = by.division[:6].ljust(12, "0")
    beneath = list_beneath(county, Level.COUNTY, Level.TOWNSHIP, on)
    return [(each.code, each.name) for each in beneath if not each.code.startswith(by.prefix)]


@require_http_methods(["GET", "POST"])
@page(frozenset(room.tie_guest.posts))  # type: ignore[attr-defined]
def tie(request: Any, number: int) -> HttpResponse:
    """At home: whose household it was; where the number is registered here, the form is filled in."""
    by, on = request.actor, request.business_date
    with reading(by):
        relief = Relief.objects.get(pk=number)
        known = Person.objects.filter(id_number_hash=relief.id_number_hash, closed_on=None).first()
        household = household_of(known.pk, on) if known else None
        names = names_of({relief.division}, on)
    initial = {"household_no": household.household_no, "name": known.name} if household and known else {}
    form = relief_forms.TieGuest(request.POST or None, initial=initial)

    def act() -> Outcome:
        told = form.cleaned_data
        with reading(by):
            member = find_member(told["household_no"], told["name"], on)
        if member is None:
            raise BadInput("没有找到这一户的这个成员", where="户编码", remedy="请核对户编码和姓名")
        room.tie_guest(by=by, on=on, relief_id=number, household=member[0], person=member[1])
        return Outcome("已认领", reverse("relief", args=[number]), "需要长期救助的，从家庭页面为他申请。")

    context = {"section": "reliefs", "relief": relief, "names": names, "known": known}
    return _answer(request, form, act, "workbench/relief_tie.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.record_relief.posts))  # type: ignore[attr-defined]
def record(request: Any, household: int) -> HttpResponse:
    """What happened to a household, and what help it needs now."""
    by: Actor = request.actor
    with reading(by):
        state = get_household(household, by, request.business_date)
        trail = chain_names(state.household.division, request.business_date)
        fund = PettyFund.objects.filter(division=by.division).first()
        limit = room.limit_of(fund, request.business_date) if fund else None
    people = [(each.person.pk, each.person.name) for each in state.members]
    form = relief_forms.RecordRelief(request.POST or None, people=people)

    def act() -> Outcome:
        told = form.cleaned_data
        made = room.record_relief(
            by=by, on=request.business_date, household=household, person=told["person"], cause=told["cause"],
            story=told["story"], happened_on=told["happened_on"], amount_fen=told["amount"],
        )  # fmt: skip
        then = "超过单笔限额，先登记集体研究的会议。" if made.collective else "已转乡镇负责人审批。"
        return Outcome(f"已登记急难救助 ¥{yuan(made.amount_fen)}", reverse("relief", args=[made.pk]), then)

    context = {"section": "reliefs", "state": state, "trail": trail, "fund": fund, "limit": limit}
    return _answer(request, form, act, "workbench/relief_record.html", context)


@require_safe
@page(guard.RELIEF_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One case: what happened, who decided, what is still to come."""
    by: Actor = request.actor
    relief = Relief.objects.select_related("household", "person", "signature").get(pk=number)
    here = relief.division.startswith(by.prefix)
    context = {
        "section": "reliefs",
        "relief": relief,
        "meeting": room.ReliefMeeting.objects.filter(relief=relief).first(),
        "trail": chain_names(relief.division, request.business_date),
        "overdue": relief.overdue(request.business_date),
        "steps": [step for step in STEPS.values() if here and may(by, step.act) and step.fits(relief)],
        "home": names_of({relief.home}, request.business_date).get(relief.home, "") if relief.home else "",
        "identity": mask_identity(plain(relief.id_number_enc, ID_NUMBER)) if relief.id_number_enc else "",
        "may_tie": relief.home.startswith(by.prefix) and not relief.household_id and may(by, room.tie_guest),
    }
    return render(request, "workbench/relief.html", context)


@dataclass(frozen=True)
class Step:
    """A step of a case as its page offers it."""

    key: str
    title: str
    button: str
    act: Callable[..., Any]
    form: type[DeskForm]
    fits: Callable[[Relief], bool]
    arguments: Callable[[dict[str, Any]], dict[str, Any]]
    done: str
    warning: bool = False


class Nothing(DeskForm):
    """An act that asks for nothing more."""


def _waits(relief: Relief) -> bool:
    return relief.state == Relief.State.RECORDED


def _met(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "attendants": told["attendants"].splitlines()}


STEPS = {
    step.key: step
    for step in (
        Step(
            "meeting", "登记集体研究（一事一议）", "登记会议", room.record_meeting, relief_forms.Meeting,
            lambda relief: _waits(relief) and relief.collective and not hasattr(relief, "meeting"), _met, "已登记会议",
        ),
        Step(
            "approve", "批准并从备用金支付？", "批准并支付", room.approve_relief, Nothing, _waits, dict,
            "已批准，备用金已支付",
        ),
        Step(
            "refuse", "不予救助？", "不予救助", room.refuse_relief, relief_forms.ReliefRefusal, _waits, dict, "已决定不予救助",
            warning=True,
        ),
        Step(
            "papers", "补齐材料", "登记材料", room.file_papers, relief_forms.Papers,
            lambda relief: relief.state == Relief.State.PAID and relief.papers_on is None, dict, "材料已补齐",
        ),
    )
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.RELIEF_READERS)
def step(request: Any, number: int, key: str) -> HttpResponse:
    """One step of a case; the command decides whether it may be done."""
    if key not in STEPS:
        raise Http404
    chosen = STEPS[key]
    with reading(request.actor):
        relief = Relief.objects.select_related("household", "person").get(pk=number)
        trail = chain_names(relief.division, request.business_date)
        fund = PettyFund.objects.filter(division=relief.division[:9].ljust(12, "0")).first()
    form = chosen.form(request.POST or None) if chosen.form.base_fields else None

    def act() -> Outcome:
        told = chosen.arguments(form.cleaned_data if form else {})
        chosen.act(by=request.actor, on=request.business_date, relief_id=number, **told)
        return Outcome(chosen.done, reverse("relief", args=[number]))

    context = {"section": "reliefs", "relief": relief, "trail": trail, "step": chosen, "fund": fund}
    return _answer(request, form, act, "workbench/relief_step.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.FUND_READERS)
def funds(request: Any) -> HttpResponse:
    """The petty funds of one's place; finance sets one up."""
    by: Actor = request.actor
    with reading(by):
        found = room.list_funds(by.prefix)
        townships = (
            list_beneath(by.division, by.level, Level.TOWNSHIP, request.business_date)
            if by.level <= Level.COUNTY
            else []
        )
        names = names_of({fund.division for fund in found}, request.business_date)
        sums = {fund.pk: room.booked_sum(fund.pk) for fund in found}
    form = relief_forms.FundTerms(request.POST or None, townships=[(each.code, each.name) for each in townships])

    def act() -> Outcome:
        told = form.cleaned_data
        made = room.set_up_fund(
            by=by, on=request.business_date, division=told["division"], limit_fen=told["limit"], basis=told["basis"]
        )
        return Outcome("已设立备用金", reverse("petty-fund", args=[made.pk]), "登记拨入的资金，由另一人复核后入账。")

    context = {
        "section": "petty-funds", "funds": found, "names": names, "sums": sums, "may_set_up": may(by, room.set_up_fund),
    }  # fmt: skip
    return _answer(request, form, act, "workbench/petty_funds.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.FUND_READERS)
def fund(request: Any, number: int) -> HttpResponse:
    """One fund's book: what was given, what was handed out, entry by entry; finance enters money given."""
    by: Actor = request.actor
    with reading(by):
        found = PettyFund.objects.get(pk=number)
        entries = room.list_entries(number)
        names = names_of({found.division}, request.business_date)
    form = relief_forms.Topup(request.POST or None)

    def act() -> Outcome:
        told = form.cleaned_data
        entry = room.propose_topup(
            by=by, on=request.business_date, division=found.division, amount_fen=told["amount"], note=told["note"]
        )
        where = reverse("petty-fund", args=[number])
        return Outcome(f"已登记拨入 ¥{yuan(entry.amount_fen)}", where, "由另一人复核后入账。")

    context = {
        "section": "petty-funds", "fund": found, "entries": entries, "names": names,
        "may_give": may(by, room.propose_topup), "may_confirm": may(by, room.confirm_topup),
    }  # fmt: skip
    return _answer(request, form, act, "workbench/petty_fund.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.confirm_topup.posts))  # type: ignore[attr-defined]
def confirm(request: Any, number: int) -> HttpResponse:
    """Check one entry of money given; then it is in the fund, or was wrong."""
    with reading(request.actor):
        entry = room.PettyEntry.objects.select_related("fund").get(pk=number)
        names = names_of({entry.division}, request.business_date)

    def act() -> Outcome:
        agreed = request.POST.get("outcome") != "refuse"
        room.confirm_topup(by=request.actor, on=request.business_date, entry_id=number, agreed=agreed)
        where = reverse("petty-fund", args=[entry.fund_id])
        return Outcome("已入账" if agreed else "已退回，没有入账", where)

    context = {"section": "petty-funds", "entry": entry, "names": names}
    return _answer(request, None, act, "workbench/petty_confirm.html", context)


def _answer(
    request: Any, form: DeskForm | None, act: Callable[[], Outcome], template: str, context: dict[str, Any]
) -> HttpResponse:
    """The page with its form; on a good POST the act once, and what the command calls wrong beside the field it names."""
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return once(request, act)
        except BadInput as wrong:
            if form is None:
                raise
            form.add_error(_named(form, wrong.where), str(wrong))
    status = 422 if form is not None and form.errors else 200
    return render(request, template, {**context, "form": form}, status=status)


def _named(form: DeskForm, where: str) -> str | None:
    """The field a command speaks of, by its label; None (the summary alone) for what stands on no field of the page."""
    labels = {name: str(field.label) for name, field in form.fields.items()}
    exact = [name for name, label in labels.items() if label == where]
    return next(iter(exact or [name for name, label in labels.items() if where in label]), None)


def find_member(household_no: str, name: str, on: date) -> tuple[int, int] | None:
    """(household, person) of a member by the household's number and his name; None when it is not one of here."""
    rows = _living(on).filter(household__household_no=household_no.strip(), person__name=name.strip())
    return next(iter(rows.values_list("household_id", "person_id")[:1]), None)


def household_of(person: int, on: date) -> Household | None:
    row = _living(on).filter(person=person).select_related("household").first()
    return row.household if row else None


def _living(on: date) -> "QuerySet[Membership]":
    rows = Membership.objects.filter(recorded_to=None, valid_from__lte=on)
    return rows.filter(Q(valid_to=None) | Q(valid_to__gt=on)).order_by("id")


def may_record(by: Actor, household: Household) -> bool:
    return may(by, room.record_relief) and household.division.startswith(by.prefix)
