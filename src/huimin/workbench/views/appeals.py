"""Appeals at the desk: registered, accepted or not, ruled, corrected, told; the county's terms (issue 5 point 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.appeals import filing, queries, ruling
from huimin.appeals.models import Appeal, AppealRule
from huimin.appeals.queries import LATE, LIVE, TO_CORRECT, AppealFilter
from huimin.appeals.rules import list_terms, propose_terms, settle_terms
from huimin.appeals.terms import terms_of
from huimin.cases.models import FAR, Case
from huimin.casework.models import Decision
from huimin.divisions.queries import chain_names, names_of
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.appeals import reply_pdf
from huimin.policy.queries import programme_names
from huimin.workbench import appeal_forms as forms
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen
from huimin.workbench.recheck_forms import Verdict
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form

STATES = [
    (LIVE, "办理中"),
    (LATE, "超期"),
    (TO_CORRECT, "成立待纠正"),
    *Appeal.State.choices[:2],
    *Appeal.State.choices[5:],
]
TONES = {
    "filed": "soon",
    "accepted": "soon",
    "upheld": "late",
    "partly": "late",
    "corrected": "done",
    "dismissed": "done",
}
RULES_READERS = guard.RECHECK_READERS | frozenset(settle_terms.posts)  # type: ignore[attr-defined]


def nav(here: str) -> list[tuple[str, str, bool]]:
    return [
        (label, reverse(route), route == here) for route, label in (("appeals", "申诉"), ("appeal-rules", "县里的规定"))
    ]


@require_safe
@page(guard.RECHECK_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Appeals: what is live by its last day, else the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        state = one_of(request.GET, "state", dict(STATES), LIVE)
        kind = one_of(request.GET, "kind", Appeal.Kind.values)
        wanted = AppealFilter(place.prefix, on, kind, state, programmes_seen(by))
        found = None if whole else queries.page_appeals(wanted, request.GET.get("at", ""))
        rows = list(queries.iterate_appeals(wanted)) if found is None else found.rows
        names = names_of({row.division for row in rows}, on) if len(rows) <= 2000 else {}
        return Listing(
            "申诉和行政复议", "对批准的金额、不予批准、减发、停发不服的。办理期间原决定照常执行，除非决定停止执行；成立的另作决定纠正。", "appeals",
            [Head("编号", paper=26), Head("户编码", paper=34), Head("村（组）", paper=26), Head("不服什么"), Head("提出", "date", 20), Head("办理期限", "date", 20),
             Head("状态", paper=26)],
            [_row(row, names, on) for row in rows], "没有这样的申诉。从家庭页面的“决定”里点“提出申诉”。", nav=nav("appeals"), page=found,
            seats=["填表人", "负责人", "日期"], across=True,
            filters=[Filter("state", "状态", STATES, state), Filter("kind", "种类", Appeal.Kind.choices, kind),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _row(row: Appeal, names: dict[str, str], on: Any) -> list[Any]:
    late = row.overdue(on)
    state = Cell(
        row.get_state_display(), tone="late" if late else TONES.get(row.state, "plain"), sub="已超期" if late else ""
    )
    return [
        Cell(row.number, reverse("appeal", args=[row.pk]), sub=row.get_kind_display()), row.household.household_no,
        names.get(row.division, row.division), row.against, row.filed_on, row.due_on if row.due_on < FAR else None, state,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(filing.file_appeal.posts))  # type: ignore[attr-defined]
def new(request: Any, what: str, number: int) -> HttpResponse:
    """An appeal against a decision, or against an application that was not accepted."""
    by, on = request.actor, request.business_date
    with reading(by):
        against = _against(what, number)
        require_seen(by, against.programme)
        review, own = (terms_of(kind, by.division, on) for kind in ("review", "internal"))
    form = forms.File(request.POST or None)

    def run() -> Outcome:
        told = dict(form.cleaned_data)
        kind = told.pop("kind")
        subject = {"decision": number} if what == "decision" else {"case_id": number}
        made = filing.file_appeal(by=by, on=on, kind=kind, told=filing.Told(**told), **subject)  # type: ignore[arg-type]
        then = "已过期限，受理的人看是否有正当理由。" if made.late else "由没有参与原决定的人受理。"
        return Outcome("已登记", reverse("appeal", args=[made.pk]), then)

    own_words = f"{own.file_days} 天内（{own.basis}）" if own.file_days else own.basis
    context = {
        "section": "appeals", "title": "登记申诉", "button": "登记", "back": reverse("household", args=[against.household]),
        "lead": f"对 {against.words}。行政复议：知道决定起 {review.file_days} 日内（{review.basis}）；申诉：{own_words}。过了期限也照样登记。",
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


def _against(what: str, number: int) -> filing.Against:
    try:
        if what == "decision":
            return filing.against_decision(Decision.objects.select_related("proposal").get(pk=number))
        return filing.against_case(Case.objects.get(pk=number))
    except (Decision.DoesNotExist, Case.DoesNotExist):
        raise Http404 from None


@dataclass(frozen=True)
class Act:
    """What can be done with an appeal."""

    key: str
    title: str
    button: str
    command: Callable[..., Any]
    states: tuple[str, ...]
    form: Callable[[Any, Appeal], Form | None]
    run: Callable[[dict[str, Any], dict[str, Any]], Any]
    done: str
    then: str = ""
    lead: str = ""
    warning: bool = False
    fits: Callable[[Appeal], bool] = lambda row: True

    def offered(self, by: Actor, row: Appeal) -> bool:
        return row.state in self.states and may(by, self.command) and self.fits(row)


def _reason(data: Any, row: Appeal) -> Form:
    return forms.Reason(data)


def _nothing(data: Any, row: Appeal) -> None:
    return None


def _corrections(data: Any, row: Appeal) -> Form:
    cases, decisions = ruling.corrections_of(row)
    names = programme_names()
    options = [
        (f"case:{each.pk}", f"{each.asked_on} 申请 {each.number}（{each.get_state_display()}）") for each in cases
    ]
    options += [
        (f"decision:{each.pk}", f"{each.decided_on} {names.get(each.programme, '')}{each.get_outcome_display()}")
        for each in decisions
    ]
    return forms.Correct(data, options=options)


def _correct(common: dict[str, Any], told: dict[str, Any]) -> Any:
    what, _, number = told["by_what"].partition(":")
    return ruling.correct_appeal(**common, **{"case_id" if what == "case" else "decision": int(number)})


ACTS = {
    act.key: act
    for act in (
        Act(
            "accept", "受理这件申诉", "受理", filing.accept_appeal, ("filed",), lambda data, row: forms.Accept(data),
            lambda common, told: filing.accept_appeal(**common, **told), "已受理", "", "作原决定的人、办过其中步骤的人不能受理。",
        ),
        Act(
            "refuse", "不予受理？", "不予受理", filing.refuse_appeal, ("filed",), _reason,
            lambda common, told: filing.refuse_appeal(**common, **told), "已不予受理", "告知申诉人理由，和还可以到哪里提出。", "", True,
        ),
        Act(
            "rule", "作出答复", "签名，作出答复", ruling.rule_appeal, ("accepted",), lambda data, row: forms.Ruling(data),
            lambda common, told: ruling.rule_appeal(**common, **told), "已作出答复", "打印答复书送交申诉人；成立的另作决定纠正。",
            "行政复议的，照复议机关的决定书登记。原决定不改，成立的另作决定。",
        ),
        Act(
            "extend", "延长办理期限", "延长", filing.extend_appeal, ("accepted",), _reason,
            lambda common, told: filing.extend_appeal(**common, **told), "已延长", "", "只能延长一次。", False,
            lambda row: row.extended_on is None and row.due_on < FAR,
        ),
        Act(
            "suspend", "停止执行原决定？", "登记停止执行", filing.suspend_decision, ("accepted",), _reason,
            lambda common, told: filing.suspend_decision(**common, **told), "已登记停止执行", "由主管部门按停止执行办理发放。", "写明谁决定的、为什么。", True,
            lambda row: row.suspended_on is None,
        ),
        Act(
            "withdraw", "申诉人撤回？", "撤回", filing.withdraw_appeal, ("filed", "accepted"), _reason,
            lambda common, told: filing.withdraw_appeal(**common, **told), "已撤回", "", "", True,
        ),
        Act(
            "reopen", "重新认定这一户？", "重新认定", ruling.reopen_decision, ("upheld", "partly"), _nothing,
            lambda common, told: ruling.reopen_decision(**common), "已重新认定", "有变化的已提出建议，由主管部门审批；登记有误的先办理变更。",
            "按现有登记和政策重新认定，应增减的提出建议。",
        ),
        Act(
            "correct", "用哪个决定纠正", "登记纠正", ruling.correct_appeal, ("upheld", "partly"), _corrections, _correct, "已登记纠正", "",
            "选这一户在答复以后的新申请或新决定。没有可选的，先重新认定、审批，或重新申请。", False, lambda row: any(ruling.corrections_of(row)),
        ),
        Act(
            "told", "已把答复书送交申诉人？", "登记已送达", ruling.tell_ruling, ("upheld", "partly", "dismissed", "corrected", "refused"), _nothing,
            lambda common, told: ruling.tell_ruling(**common), "已登记送达", "", "", False, lambda row: row.told_result_on is None,
        ),
    )
}  # fmt: skip


def _get(number: int, by: Actor) -> Appeal:
    try:
        row = queries.get_appeal(number)
    except Appeal.DoesNotExist:
        raise Http404 from None
    require_seen(by, row.programme)
    return row


@require_safe
@page(guard.RECHECK_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One appeal: against what, in time or not, by when, what was ruled, what corrects it."""
    by, on = request.actor, request.business_date
    row = _get(number, by)
    context = {
        "section": "appeals", "row": row, "trail": chain_names(row.division, on), "names": programme_names(), "nav": nav(""),
        "offered": [act for act in ACTS.values() if act.offered(by, row)], "late": row.overdue(on),
        "has_term": row.file_by < FAR, "has_due": row.due_on < FAR, "terms": terms_of(row.kind, row.division, on),
        "replied": row.ruled_on is not None or row.state == Appeal.State.REFUSED, "open_ruling": row.state in ("upheld", "partly"),
        "others": [each for each in queries.list_appeals_of(row.household_id) if each.pk != row.pk],
    }  # fmt: skip
    return render(request, "workbench/appeal.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.RECHECK_READERS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on an appeal, done once."""
    if key not in ACTS:
        raise Http404
    chosen, by, on = ACTS[key], request.actor, request.business_date
    with reading(by):
        row = _get(number, by)
        form: Any = chosen.form(request.POST or None, row)
        trail = chain_names(row.division, on)
    if key == "accept" and row.kind != Appeal.Kind.REVIEW:
        del form.fields["organ"]
    if key == "accept" and not row.late:
        del form.fields["late_reason"]
    if key == "rule" and row.kind != Appeal.Kind.REVIEW:
        del form.fields["document"]
    if form is not None and not form.fields:
        form = None

    def run() -> Outcome:
        chosen.run({"by": by, "on": on, "appeal": number}, form.cleaned_data if form else {})
        return Outcome(chosen.done, reverse("appeal", args=[number]), chosen.then)

    context = {
        "section": "appeals", "title": chosen.title, "lead": f"{row.against}。{chosen.lead}", "button": chosen.button,
        "warning": chosen.warning, "back": reverse("appeal", args=[number]), "trail": trail,
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


@require_safe
@page(guard.RECHECK_READERS, reads=False)
def paper(request: Any, number: int) -> HttpResponse:
    """The reply on paper (申诉答复书)."""
    with reading(request.actor):
        _get(number, request.actor)
    address = request.build_absolute_uri(reverse("appeal", args=[number]))
    content = reply_pdf(by=request.actor, on=request.business_date, appeal=number, address=address)
    return pdf_answer(content, f"申诉答复书 {number}")


@require_safe
@page(RULES_READERS, reads=False)
def rules(request: Any) -> HttpResponse:
    """Terms of the law and of the county."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        law = terms_of("review", by.division, on)
        rows: list[list[Any]] = [
            ["行政复议", law.file_days, law.answer_days, law.extended_days, law.basis, None, "在用"]
        ]
        for row in list_terms(by.division):
            state = Cell(
                row.get_state_display(),
                tone={"proposed": "soon", "confirmed": "done"}.get(row.state, "late"),
                sub=row.refusal,
            )
            if row.state == AppealRule.State.PROPOSED and may(by, settle_terms):
                state = Cell("待复核，去复核", reverse("appeal-rule-settle", args=[row.pk]))
            rows.append(["申诉", row.file_days, row.answer_days, row.extended_days, row.basis, row.proposed_on, state])
        return Listing(
            "申诉期限的规定", "行政复议的期限是法定的；向本县部门申诉的期限由县里规定，没有规定的不设期限。", "appeals",
            [Head("种类"), Head("提出期限（天）", "count", 24), Head("办理期限（天）", "count", 24), Head("可延长（天）", "count", 24), Head("依据", paper=50),
             Head("提出", "date", 22), Head("状态", paper=26)],
            rows, "还没有规定。", nav=nav("appeal-rules"), seats=["填表人", "负责人", "日期"], across=True,
            acts=[("提出申诉期限", reverse("appeal-rule"))] if may(by, propose_terms) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_terms.posts))  # type: ignore[attr-defined]
def rule(request: Any) -> HttpResponse:
    form = forms.Terms(request.POST or None)

    def run() -> Outcome:
        propose_terms(by=request.actor, on=request.business_date, **form.cleaned_data)
        return Outcome("已提出", reverse("appeal-rules"), "由另一人复核后执行。")

    context = {"section": "appeals", "title": "提出申诉期限", "button": "提出", "back": reverse("appeal-rules")}
    return answer_form(request, form, run, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(settle_terms.posts))  # type: ignore[attr-defined]
def rule_settle(request: Any, number: int) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        row = AppealRule.objects.filter(pk=number).first()
    if row is None:
        raise Http404
    form = Verdict(request.POST or None)

    def run() -> Outcome:
        told = form.cleaned_data
        settle_terms(by=by, on=on, number=number, agreed=told["outcome"] == "yes", refusal=told["refusal"])
        return Outcome("已复核", reverse("appeal-rules"))

    lead = f"{row.file_days} 天内提出，{row.answer_days} 天内答复，可延长 {row.extended_days} 天。依据：{row.basis}。"
    context = {
        "section": "appeals",
        "title": "复核申诉期限",
        "lead": lead,
        "button": "提交",
        "back": reverse("appeal-rules"),
    }
    return answer_form(request, form, run, "workbench/field_form.html", context)
