"""One case of a meeting: what is read aloud, its result, and the township's inquiry (CASE-03)."""

from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.divisions.queries import chain_names
from huimin.meetings import convening, following, judging, queries, rules
from huimin.meetings.models import Inquiry, Item, Meeting, Overseer, Participant
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.meetings import facts_of, says_of
from huimin.policy.queries import programme_names
from huimin.workbench import meeting_forms as forms
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.views.meetings import READERS, answer, nav

State = Item.State


@require_http_methods(["GET", "POST"])
@page(READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """What is read aloud and what came of it; while the meeting is open, the form of its result."""
    by, on = request.actor, request.business_date
    with reading(by):
        item = _get(number)
        people = [each for each in queries.list_participants(item.meeting) if each.present]
        near = judging.near_by_registry(item.meeting, item.case.household_id or 0)
        context = _context(by, on, item, people, near)
    if not context["may_judge"]:
        if request.method == "POST":
            raise Http404
        return render(request, "workbench/meeting_item.html", context)
    of = {role: [(str(p.pk), f"{p.name}（{p.title}）") for p in people if p.role == role] for role in Participant.Role}
    representatives = [each for each in of[Participant.Role.REPRESENTATIVE] if int(each[0]) not in near]
    watching = of[Participant.Role.SUPERVISOR] if item.meeting.overseer == Overseer.SUPERVISOR else representatives
    form = forms.Judge(
        request.POST or None, representatives=representatives, watching=watching,
        there=[(p.pk, f"{p.name}（{p.title}）") for p in people if p.pk not in near],
    )  # fmt: skip

    def act() -> Outcome:
        done = judging.record_result(by=by, on=on, item=number, result=_result(form.cleaned_data))
        then = "与认定不一致，定稿后转乡镇核查。" if done.contested else "接着登记下一件，都登记完后签名定稿。"
        return Outcome(f"已登记：{done.get_outcome_display()}", reverse("meeting", args=[done.meeting_id]), then)

    return answer(request, form, act, "workbench/meeting_item.html", context)


def _get(number: int) -> Item:
    item = queries.find_item(number)
    if item is None:
        raise Http404
    return item


def _context(by: Actor, on: Any, item: Item, people: list[Participant], near: dict[int, str]) -> dict[str, Any]:
    voters = sum(p.role == Participant.Role.REPRESENTATIVE and p.pk not in near for p in people)
    meeting = item.meeting
    waits = item.state == State.WAITING
    return {
        "section": "meetings", "nav": nav("meetings"), "item": item, "meeting": meeting, "trail": chain_names(meeting.division, on),
        "names": programme_names(), "facts": facts_of(item), "says": says_of(item), "voters": voters,
        "carries": rules.carries(voters, meeting.majority) if voters and meeting.majority else None,
        "near": [(p, near[p.pk]) for p in people if p.pk in near],
        "recusals": list(item.recusals.filter(withdrawn=False).select_related("participant").order_by("id")),
        "counters": _counters(item), "inquiry": getattr(item, "inquiry", None),
        "may_judge": waits and meeting.state == Meeting.State.HELD and may(by, judging.record_result),
        "may_take_back": item.state in (State.JUDGED, State.PUT_OFF) and meeting.state == Meeting.State.HELD and may(by, judging.take_back),
        "may_word": waits and meeting.state == Meeting.State.PLANNED and may(by, convening.word_hardship),
        "may_inquire": item.state == State.JUDGED and meeting.state == Meeting.State.RECORDED and may(by, following.inquire)
        and not hasattr(item, "inquiry") and (item.case.step, item.case.round) == (item.step, item.round),
        "inquiry_due": following.inquiry_due_on(item) if item.contested and item.judged_on else None,
    }  # fmt: skip


def _counters(item: Item) -> list[tuple[str, str]]:
    names = (
        dict(Participant.objects.filter(meeting=item.meeting).values_list("id", "name")) if item.scrutineer_id else {}
    )
    four = (item.scrutineer_id, item.caller_id, item.counter_id, item.overseer_id)
    return [(title, names.get(row, "")) for title, row in zip(rules.COUNTERS, four, strict=True) if row]


def _result(told: dict[str, Any]) -> judging.Result:
    votes = None
    if told["how"] == Item.How.VOTE:
        votes = judging.Votes(
            told["ballots"], told["in_favour"], told["against"], told["abstained"],
            *(int(told[name]) for name in forms.COUNTER_FIELDS),
        )  # fmt: skip
    return judging.Result(told["how"], told["words"], told["outcome"], told["reasons"], votes, told["near"])


ACTS = {
    "hardship": ("写宣读的困难情况", "保存", "{name}，会上宣读用。"),
    "put-off": ("留待下次评议", "留待下次", "{name}这次没有评议，写明原因。"),
    "take-back": ("改正登记的结果？", "撤下，重新登记", "{name}：{result}。会议记录签名定稿前可以改正，改正前后都留痕。"),
    "inquiry": ("核查评议结果", "签名", "{name}：{result}，按登记和政策{says}。签名后不能改。"),
}  # fmt: skip
"""key → title, button, what stands above the form"""


@require_http_methods(["GET", "POST"])
@page(frozenset(convening.word_hardship.posts) | frozenset(following.inquire.posts))  # type: ignore[attr-defined]
def act(request: Any, number: int, key: str) -> HttpResponse:
    """Words for the reading, putting off, taking a result back, or the township's inquiry."""
    if key not in ACTS:
        raise Http404
    by, on = request.actor, request.business_date
    with reading(by):
        item = _get(number)
        trail = chain_names(item.division, on)
    title, button, lead = ACTS[key]
    form = _form(key, item, request.POST or None)
    told = {
        "name": item.told["name"],
        "says": says_of(item),
        "result": item.get_outcome_display() or item.get_state_display(),
    }
    context = {
        "section": "meetings", "title": title, "lead": lead.format(**told), "button": button, "trail": trail,
        "back": reverse("meeting-item", args=[number]),
    }  # fmt: skip
    done = partial(_carry_out, by, on, key, item)
    return answer(request, form, lambda: done(form.cleaned_data if form else {}), "workbench/field_form.html", context)


def _form(key: str, item: Item, data: Any) -> DeskForm | None:
    if key == "take-back":
        return None
    if key == "hardship":
        return forms.Hardship(data, initial={"text": item.hardship})
    if key == "put-off":
        return forms.Reason(data)
    form = forms.Inquire(data)
    if not item.contested:
        again = Inquiry.Conclusion.AGAIN
        form.fields["conclusion"].choices = [(again.value, again.label)]  # type: ignore[attr-defined]
    return form


def _carry_out(by: Actor, on: Any, key: str, item: Item, told: dict[str, Any]) -> Outcome:
    where = reverse("meeting-item", args=[item.pk])
    if key == "hardship":
        convening.word_hardship(by=by, on=on, item=item.pk, text=told["text"])
        return Outcome("已保存", where, "宣读表打印过的请重新打印。")
    if key == "put-off":
        judging.put_off_item(by=by, on=on, item=item.pk, reason=told["reason"])
        return Outcome("已登记留待下次", reverse("meeting", args=[item.meeting_id]))
    if key == "take-back":
        judging.take_back(by=by, on=on, item=item.pk)
        return Outcome("已撤下", where, "请重新登记评议结果。")
    made = following.inquire(by=by, on=on, item=item.pk, conclusion=told["conclusion"], text=told["text"])
    stands = made.conclusion == Inquiry.Conclusion.STANDS
    then = "这件事可以往下办，报告随评议结果一起归入凭据。" if stands else "请更正登记，再列入下一次评议会。"
    return Outcome("已写核查报告", where, then)
