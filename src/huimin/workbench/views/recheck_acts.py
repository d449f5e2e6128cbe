"""One re-check with everything it rests on, its acts, and the county's numbers (CASE-09)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.audit.models import Signature
from huimin.casework.changes import enter_change, list_changes_of, report_change
from huimin.casework.queries import list_entitlements_of
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.rechecks import queries
from huimin.rechecks.beginning import cancel_recheck, record_means
from huimin.rechecks.concluding import conclude_rechecks, confirm_rechecks, findings_of, return_recheck
from huimin.rechecks.due import often, why
from huimin.rechecks.models import Recheck, RecheckRule
from huimin.rechecks.rules import list_rules, propose_rule, settings_of, settle_rule
from huimin.screening.models import Proposal
from huimin.visits.queries import list_visits_of
from huimin.visits.recording import record_visit
from huimin.workbench import guard, recheck_forms
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import programmes_seen
from huimin.workbench.registers import Cell, Head, Listing, answer_listing
from huimin.workbench.views.rechecks import nav
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.visits import new_url


@dataclass(frozen=True)
class Act:
    """What can be done with a re-check: when, with which form, by which command."""

    key: str
    title: str
    button: str
    command: Callable[..., Any]
    states: tuple[str, ...]
    form: Callable[[Any], Form | None]
    run: Callable[[Actor, Any, Recheck, dict[str, Any]], Any]
    done: str
    then: str
    lead: str = ""
    warning: bool = False

    def offered(self, by: Actor, row: Recheck) -> bool:
        return row.state in self.states and may(by, self.command)


ACTS = {
    act.key: act
    for act in (
        Act(
            "means", "登记核查", "登记核查", record_means, ("open",), lambda data: recheck_forms.Means(data),
            lambda by, on, row, told: record_means(by=by, on=on, recheck=row.pk, **told), "已登记核查", "",
            "申报、比对、邻里、信函在这里登记；入户调查填入户调查表，双方签字后自动算作核查。",
        ),
        Act(
            "conclude", "作复核结论", "作结论", conclude_rechecks, ("open",), lambda data: recheck_forms.Conclusion(data),
            lambda by, on, row, told: conclude_rechecks(by=by, on=on, words={row.pk: told["words"]}), "已作结论",
            "由审核员或乡镇负责人确认。", "系统按现有登记和政策重新认定这一户，结果就是复核的结果；有变化的先办理变更再作结论。",
        ),
        Act(
            "confirm", "确认这件复核？", "确认", confirm_rechecks, ("concluded",), lambda data: None,
            lambda by, on, row, told: confirm_rechecks(by=by, on=on, rechecks=[row.pk]), "已确认复核",
            "有增减的，由主管部门审批建议，从决定的次月起执行。", "签名落在核查、结论和认定结果的摘要上，之后不能改。",
        ),
        Act(
            "return", "退回重新核查", "退回", return_recheck, ("concluded",), lambda data: recheck_forms.Reason(data),
            lambda by, on, row, told: return_recheck(by=by, on=on, recheck=row.pk, **told), "已退回", "前一轮的核查保留，不再算数。", "", True,
        ),
        Act(
            "cancel", "取消这件复核？", "取消复核", cancel_recheck, ("open", "concluded"), lambda data: recheck_forms.Reason(data),
            lambda by, on, row, told: cancel_recheck(by=by, on=on, recheck=row.pk, **told), "已取消", "到期日照旧，仍在该复核的名单里。", "", True,
        ),
    )
}  # fmt: skip


def _get(number: int, by: Actor) -> Recheck:
    """Http404 when it is not there, or of other departments' programmes."""
    try:
        row = queries.get_recheck(number)
    except Recheck.DoesNotExist:
        raise Http404 from None
    seen = programmes_seen(by)
    if seen is not None and not set(row.programmes) & set(seen):
        raise Http404
    return row


@require_safe
@page(guard.RECHECK_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """Why it is due, what was looked into, what the determination says, who signed, what is next."""
    by, on = request.actor, request.business_date
    row = _get(number, by)
    names = programme_names()
    proposals = {
        each.pk: each for each in Proposal.objects.filter(pk__in=[finding["proposal"] for finding in row.findings])
    }
    kinds = dict(Proposal.Kind.choices)
    findings = [
        {**each, "label": kinds[each["kind"]], "state": proposals.get(each["proposal"])} for each in row.findings
    ]
    now = [{**each, "label": kinds[each["kind"]]} for each in findings_of(row)] if row.state == "open" else []
    changes = [each for each in list_changes_of(row.household_id) if each.reported_on or each.entered_on]
    context = {
        "section": "rechecks", "row": row, "trail": chain_names(row.division, on), "names": names, "nav": nav(""),
        "means": queries.list_means(number), "visits": list_visits_of(row.subject), "findings": findings, "now": now,
        "changes": [each for each in changes if (each.entered_on or each.reported_on) >= row.begun_on],
        "head": queries.heads_of({row.household_id}, on).get(row.household_id, "没有户主"), "often": often(row.months),
        "why": why(row.grounds), "late": row.state in ("open", "concluded") and row.due_on < on,
        "offered": [act for act in ACTS.values() if act.offered(by, row)],
        "visit_url": new_url(row.household_id, "recheck", row.subject, row.round) if row.state == "open" and may(by, record_visit) else "",
        "may_change": row.state == "open" and (may(by, enter_change) or may(by, report_change)),
        "held": [each for each in list_entitlements_of(row.household_id) if each.valid_to is None or each.valid_to > on],
        "signatures": list(Signature.objects.filter(subject=row.subject).order_by("-id")[:20]),
    }  # fmt: skip
    return render(request, "workbench/recheck.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.RECHECK_READERS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act, checked on its page, done once."""
    if key not in ACTS:
        raise Http404
    chosen = ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        row = _get(number, by)
        head = queries.heads_of({row.household_id}, on).get(row.household_id, "没有户主")
        trail = chain_names(row.division, on)
    form: Any = chosen.form(request.POST or None)
    if key == "means" and request.method != "POST":
        form.initial = {"done_on": on.isoformat(), "people": by.name}

    def run() -> Outcome:
        chosen.run(by, on, row, form.cleaned_data if form else {})
        return Outcome(chosen.done, reverse("recheck", args=[number]), chosen.then)

    context = {
        "section": "rechecks", "title": chosen.title, "lead": " ".join(filter(None, [f"{row.household.household_no} {head} 一家。", chosen.lead])),
        "button": chosen.button, "back": reverse("recheck", args=[number]), "warning": chosen.warning, "trail": trail,
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


# -- what the county sets


def _codes() -> dict[str, str]:
    return dict(RecheckRule.Code.choices)


@require_safe
@page(guard.RECHECK_READERS, reads=False)
def rules(request: Any) -> HttpResponse:
    """What holds here with its basis, and every number ever proposed."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        names, settings = programme_names(), settings_of(by.division, on)
        rows: list[list[Any]] = [
            [
                f"{names.get(code, code)}：{often(each.stable)}，收入不固定等{often(each.unstable)}",
                "在用",
                each.basis,
                None,
                "",
            ]
            for code, each in settings.frequencies.items()
            if code in names
        ]
        rows += [
            [_codes()[code], str(settings.numbers[code]), settings.basis[code], None, ""] for code in settings.numbers
        ]
        rows += [_rule(each, by, names) for each in list_rules(by.division)]
        return Listing(
            "复核的规定", "法规定的先列；县里另有规定的，提出后由另一人复核，从复核之日起执行。", "rechecks",
            [Head("规定"), Head("数值", paper=26), Head("依据", paper=50), Head("提出", "date", 24), Head("状态", paper=30)],
            rows, "还没有规定。", nav=nav("recheck-rules"), seats=["填表人", "负责人", "日期"],
            acts=[("提出一条规定", reverse("recheck-rule"))] if may(by, propose_rule) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _rule(row: RecheckRule, by: Actor, names: dict[str, str]) -> list[Any]:
    what = row.get_code_display() + (f"（{names.get(row.programme, row.programme)}）" if row.programme else "")
    state = Cell(
        row.get_state_display(), tone={"proposed": "soon", "confirmed": "done"}.get(row.state, "late"), sub=row.refusal
    )
    if row.state == "proposed" and may(by, settle_rule):
        state = Cell("待复核，去复核", reverse("recheck-rule-settle", args=[row.pk]))
    return [what, str(row.value), row.basis, row.proposed_on, state]


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_rule.posts))  # type: ignore[attr-defined]
def rule(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        names = programme_names()
    mine = programmes_seen(by)
    options = [(code, name) for code, name in names.items() if mine is None or code in mine]
    form = recheck_forms.Rule(request.POST or None, programmes=options)

    def run() -> Outcome:
        told = form.cleaned_data
        if told["value"] is None:
            raise BadInput("没有填数值", where="数值", remedy="请填写整数")
        propose_rule(by=by, on=on, **told)
        return Outcome("已提出", reverse("recheck-rules"), "由另一人复核后执行。")

    context = {
        "section": "rechecks", "title": "提出一条复核的规定", "button": "提出", "back": reverse("recheck-rules"),
        "lead": "法有规定的以法为准，这里填县里文件规定的数。算不算的填 1（算）或 0（不算）。",
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(settle_rule.posts))  # type: ignore[attr-defined]
def rule_settle(request: Any, number: int) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        row = RecheckRule.objects.filter(pk=number).first()
        if row is None:
            raise Http404
        names = programme_names()
    form = recheck_forms.Verdict(request.POST or None)

    def run() -> Outcome:
        told = form.cleaned_data
        settle_rule(by=by, on=on, number=number, agreed=told["outcome"] == "yes", refusal=told["refusal"])
        return Outcome("已复核", reverse("recheck-rules"))

    what = row.get_code_display() + (f"（{names.get(row.programme, row.programme)}）" if row.programme else "")
    context = {
        "section": "rechecks", "title": "复核一条规定", "lead": f"{what}：{row.value}。依据：{row.basis}。{row.proposed_on} 提出。",
        "button": "提交", "back": reverse("recheck-rules"),
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)
