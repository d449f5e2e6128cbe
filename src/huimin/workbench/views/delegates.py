"""Who speaks and watches for villages, at the desk: lists, their check, phones, the county's rule about votes (CASE-03, SUP-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.database.personal import PHONE, plain
from huimin.divisions.queries import chain_names, find_division, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_phone
from huimin.kernel.places import Level
from huimin.meetings import delegates, queries, rules
from huimin.meetings.models import Checked, Representative, Supervisor
from huimin.organisation.acting import Actor, may, reading
from huimin.workbench import meeting_forms as forms
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import Purpose
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened
from huimin.workbench.views.meetings import READERS, answer, nav

STANDINGS = [("short", "不齐的"), ("waiting", "待核对的")]
PAST = [("no", "在任和待核对的"), ("yes", "已卸任、不予认可的")]
TONES = {Checked.PROPOSED: "soon", Checked.CONFIRMED: "done", Checked.REFUSED: "late"}


@require_safe
@page(READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Every village: its statutory number, who is on the list, who watches, what waits to be checked."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place, standing = chosen_place(request), one_of(request.GET, "standing", dict(STANDINGS))
        every = queries.list_villages(place.prefix, on)
        fits = {"short": lambda row: row.short, "waiting": lambda row: row.waiting}.get(standing, lambda row: True)
        rows, note = shortened([row for row in every if fits(row)], whole)
        names = names_of({row.village for row in rows[:2000]}, on)
        return Listing(
            "居民代表和义务监督员", "每个村（社区）的法定代表数、代表名单、义务监督员；名单由乡镇核对后才算数。", "meetings",
            [Head("村"), Head("法定代表数", "count", 24), Head("代表", "count", 20), Head("义务监督员", "count", 24), Head("待核对", "count", 20),
             Head("情况", paper=40)],
            [[Cell(names.get(row.village, row.village), reverse("meeting-list", args=[row.village])), row.number, row.representatives,
              row.supervisors, row.waiting, _standing(row)] for row in rows],
            "没有符合条件的村。", note, nav=nav("meeting-lists"), seats=["填表人", "负责人"],
            filters=[Filter("standing", "情况", STANDINGS, standing), Filter("place", "地方", place.options, place.code)],
            figures=[("村", f"{len(every):,}", ""), ("名单齐全", f"{sum(not row.short for row in every):,}", ""),
                     ("待核对", f"{sum(row.waiting > 0 for row in every):,}", "")],
        )  # fmt: skip

    return answer_listing(request, build)


def _standing(row: queries.VillageList) -> Cell:
    if row.number is None:
        return Cell("没有法定代表数", tone="late")
    if row.representatives < row.number:
        return Cell(f"缺代表 {row.number - row.representatives} 人", tone="soon")
    return Cell("没有义务监督员", tone="late") if not row.supervisors else Cell("齐全", tone="done")


def _village(by: Actor, village: str, on: Any) -> str:
    """Its name; 404 for what is no village of one's place."""
    found = find_division(village, on) if village.startswith(by.prefix) and len(village) == Level.VILLAGE else None
    if found is None or found.level != Level.VILLAGE:
        raise Http404
    return str(found.name)


@require_safe
@page(READERS, reads=False)
def village(request: Any, village: str) -> HttpResponse:
    """One village's list: representatives, then supervisors; those who are over on demand."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        name = _village(by, village, on)
        past = one_of(request.GET, "past", dict(PAST), "no")
        wanted = [each for each in (False, True) if past in ("", "yes" if each else "no")]
        people = [row for each in wanted for row in queries.list_representatives(village, on, past=each)]
        watching = [row for each in wanted for row in queries.list_supervisors(village, on, past=each)]
        numbers = queries.list_numbers(village)
        waiting = sum(row.state == Checked.PROPOSED for row in [*people, *numbers])
        return Listing(
            f"{name}居民代表和义务监督员", "推选结果由村里登记，乡镇核对后才算数。", "meetings",
            [Head("姓名", paper=26), Head("名单", paper=24), Head("组别、身份"), Head("任期", paper=46), Head("电话", paper=28), Head("状态", paper=30),
             Head("办理", paper=-1)],
            [*(_person(by, row, on, whole) for row in people), *(_person(by, row, on, whole) for row in watching)],
            "还没有登记。先填法定代表数，再登记推选出的代表；义务监督员由乡镇聘请。", nav=nav("meeting-lists"), across=True,
            filters=[Filter("past", "范围", PAST, past)], seats=["村委会", "乡镇核对人"],
            acts=_acts(by, village, waiting),
            more={"numbers": numbers, "trail": chain_names(village, on), "waiting": waiting, "now": queries.statutory(village, on),
                  "tones": TONES},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/meeting_list.html")


def _acts(by: Actor, village: str, waiting: int) -> list[tuple[str, str]]:
    offered = [
        ("核对名单", "check", delegates.check_list, waiting > 0), ("登记代表", "representative", delegates.enter_representative, True),
        ("填法定代表数", "number", delegates.enter_number, True), ("聘请义务监督员", "supervisor", delegates.appoint_supervisor, True),
    ]  # fmt: skip
    return [
        (label, reverse("meeting-list-act", args=[village, key]))
        for label, key, command, there in offered
        if there and may(by, command)
    ]


def _person(by: Actor, row: Representative | Supervisor, on: Any, whole: bool) -> list[Any]:
    who = "representative" if isinstance(row, Representative) else "supervisor"
    end = delegates.end_representative if who == "representative" else delegates.end_supervisor
    last = f"至 {row.valid_to}（不含）" if row.valid_to else "起"
    phone: Any = ""
    if row.phone_enc is not None:
        masked = mask_phone(plain(row.phone_enc, PHONE))
        phone = Cell(masked, reverse("meeting-phone", args=[who, row.pk]) if may(by, delegates.read_phone) else "")
    ended = row.ended_on is not None or (row.valid_to is not None and row.valid_to <= on)
    may_end = not ended and may(by, end) and (who == "supervisor" or row.state != Checked.REFUSED)  # type: ignore[union-attr]
    act = Cell("登记卸任", reverse("meeting-person-end", args=[who, row.pk])) if may_end else ""
    return [
        Cell(row.name, sub="已登记所在户" if row.person_id else ""), "居民代表" if isinstance(row, Representative) else "义务监督员",
        row.group_name if isinstance(row, Representative) else row.get_kind_display(), f"{row.valid_from} {last}", phone, _state(row, ended), act,
    ]  # fmt: skip


def _state(row: Representative | Supervisor, ended: bool) -> Cell:
    if isinstance(row, Representative) and (row.state != Checked.CONFIRMED or not ended):
        return Cell(row.get_state_display(), tone=TONES[Checked(row.state)], sub=row.refusal)
    return Cell("已卸任", tone="plain", sub=row.end_reason) if ended else Cell("在聘", tone="done")


_ACTS: dict[str, tuple[str, str, Any, Any, str]] = {
    "number": ("填法定代表数", "提交核对", delegates.enter_number, forms.Number, "由乡镇另一人核对后算数；新的从那一天起代替原来的。"),
    "representative": ("登记居民代表", "登记", delegates.enter_representative, forms.NewRepresentative, "照推选结果登记，由乡镇另一人核对。"),
    "supervisor": ("聘请义务监督员", "聘请", delegates.appoint_supervisor, forms.NewSupervisor, "老干部、老党员、人大代表、政协委员、先进群众。"),
    "check": ("核对名单", "确认核对意见", delegates.check_list, forms.CheckList, "待核对的法定代表数和代表一并核对；自己登记的由另一人核对。"),
}  # fmt: skip
KEEPERS = (
    frozenset(delegates.enter_number.posts)
    | frozenset(delegates.check_list.posts)
    | frozenset(delegates.appoint_supervisor.posts)  # type: ignore[attr-defined]
)


@require_http_methods(["GET", "POST"])
@page(KEEPERS)
def act(request: Any, village: str, key: str) -> HttpResponse:
    """One entry on a village's list, or the check of what waits."""
    if key not in _ACTS:
        raise Http404
    by, on = request.actor, request.business_date
    title, button, command, kind, lead = _ACTS[key]
    with reading(by):
        name, trail = _village(by, village, on), chain_names(village, on)
        waiting = _waiting(village, on) if key == "check" else []
    form = kind(request.POST or None, initial={"valid_from": on.isoformat()})

    def run() -> Outcome:
        told = dict(form.cleaned_data)
        if key == "check":
            told["agreed"] = told.pop("outcome") == "agree"
        command(by=by, on=on, village=village, **told)
        then = {"number": "接着登记推选出的代表。", "representative": "登记完后由乡镇核对。"}.get(key, "")
        return Outcome(f"{name}：已{button.removeprefix('确认')}", reverse("meeting-list", args=[village]), then)

    context = {
        "section": "meetings", "title": title, "lead": lead, "button": button, "trail": trail, "back": reverse("meeting-list", args=[village]),
        "waiting": waiting,
    }  # fmt: skip
    return answer(request, form, run, "workbench/meeting_list_act.html", context)


def _waiting(village: str, on: Any) -> list[str]:
    """What is checked, in words."""
    numbers = [row for row in queries.list_numbers(village) if row.state == Checked.PROPOSED]
    people = [row for row in queries.list_representatives(village, on) if row.state == Checked.PROPOSED]
    told = [f"法定代表数 {row.number} 人，{row.valid_from} 起，{row.basis}" for row in numbers]
    return [*told, *(f"代表 {row.name}（{row.group_name}），{row.valid_from} 起" for row in people)]


@require_http_methods(["GET", "POST"])
@page(KEEPERS)
def end(request: Any, who: str, number: int) -> HttpResponse:
    """He leaves the list, with the day and the reason."""
    by, on = request.actor, request.business_date
    row = _row(by, who, number)
    with reading(by):
        trail = chain_names(row.division, on)
    form = forms.End(request.POST or None, initial={"last_day": on.isoformat()})

    def run() -> Outcome:
        if who == "representative":
            delegates.end_representative(by=by, on=on, representative=number, **form.cleaned_data)
        else:
            delegates.end_supervisor(by=by, on=on, supervisor=number, **form.cleaned_data)
        return Outcome(f"已登记{row.name}卸任", reverse("meeting-list", args=[row.division]))

    context = {
        "section": "meetings", "title": f"{row.name}卸任", "lead": "从最后一天的次日起不再是代表（监督员）；原来参加过的会议不变。",
        "button": "登记卸任", "trail": trail, "back": reverse("meeting-list", args=[row.division]), "warning": True,
    }  # fmt: skip
    return answer(request, form, run, "workbench/field_form.html", context)


def _row(by: Actor, who: str, number: int) -> Any:
    model = {"representative": Representative, "supervisor": Supervisor}.get(who)
    with reading(by):
        row = model.objects.filter(pk=number).first() if model else None
    if row is None:
        raise Http404
    return row


@never_cache
@require_http_methods(["GET", "POST"])
@page(frozenset(delegates.read_phone.posts))  # type: ignore[attr-defined]
def phone(request: Any, who: str, number: int) -> HttpResponse:
    """The phone, once, for a purpose that is recorded."""
    by, on = request.actor, request.business_date
    row, form, value = _row(by, who, number), Purpose(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            value = delegates.read_phone(by=by, on=on, who=who, row=number, purpose=form.cleaned_data["purpose"])
        except BadInput as wrong:
            form.add_error("purpose", str(wrong))
    context = {
        "section": "meetings", "form": form, "what": f"{row.name}的电话", "value": value,
        "back": reverse("meeting-list", args=[row.division]),
    }  # fmt: skip
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(READERS)
def rule(request: Any) -> HttpResponse:
    """How many votes carry and who watches the count; the county sets it, everybody concerned reads it."""
    by, on = request.actor, request.business_date
    with reading(by):
        majority, overseer, basis = rules.rule_at(by.division)
    form = forms.Rule(request.POST or None, initial={"majority": majority, "overseer": overseer})

    def run() -> Outcome:
        rules.set_meeting_rule(by=by, on=on, **form.cleaned_data)
        return Outcome("已保存", reverse("meeting-rule"), "从下一次登记签到的会议起按新规定。")

    context = {
        "section": "meetings", "nav": nav("meeting-rule"), "may_set": may(by, rules.set_meeting_rule), "basis": basis,
        "majority": dict(forms.Majority.choices)[majority], "overseer": dict(forms.Overseer.choices)[overseer],
    }  # fmt: skip
    return answer(request, form, run, "workbench/meeting_rule.html", context)
