"""The acts a case's page offers and what each asks for; who may is settled here as the page shows it, by the command when done.

One table: an act has a title, a button, a form of its own (or none), and runs one command of room cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.forms import Form

from huimin.cases import answering, asking, escalating, taking
from huimin.cases.kinds import waits_for
from huimin.cases.models import Case, CasePaper
from huimin.organisation.acting import Actor, may
from huimin.processes.language import Step
from huimin.processes.queries import way_of
from huimin.workbench import case_forms as forms

State = Case.State


@dataclass(frozen=True)
class Seen:
    """A case as its page has it: where it stands and who looks."""

    by: Actor
    on: date
    case: Case
    step: Step | None

    @property
    def acting(self) -> bool:
        """Whether the step it stands at is this post's."""
        under_way = self.case.state in (State.OPEN, State.GRANTED)
        return bool(self.step) and under_way and self.step.may(self.by.post, self.by.level)  # type: ignore[union-attr]

    @property
    def asked(self) -> bool:
        return self.case.state in (State.ASKED, State.PAPERS)

    def demands(self, kind: str) -> list[Any]:
        return [each for each in self.step.demands if each.kind == kind] if self.step else []


@dataclass(frozen=True)
class Act:
    """`effect` stands above the button; `warning` colours it."""

    key: str
    title: str
    button: str
    fits: Callable[[Seen], bool]
    form: Callable[[Seen, Any], Form | None]
    run: Callable[[Seen, dict[str, Any]], Any]
    done: str
    effect: str = ""
    warning: bool = False


def seen(by: Actor, on: date, case: Case) -> Seen:
    return Seen(by, on, case, way_of(case.process).step(case.step) if case.step else None)


def offered(told: Seen) -> list[Act]:
    return [act for act in ACTS.values() if act.fits(told)]


def _reason(told: Seen, data: Any) -> Form:
    return forms.Reason(data)


def _nothing(told: Seen, data: Any) -> None:
    return None


def _take(outcome: str) -> Callable[[Seen, dict[str, Any]], Any]:
    def run(told: Seen, data: dict[str, Any]) -> Any:
        return taking.take_step(
            by=told.by, on=told.on, case_id=told.case.pk, step=told.case.step, outcome=outcome,
            reason=data.get("reason", ""), to=data.get("to", ""),
        )  # fmt: skip

    return run


def _ways(told: Seen) -> list[tuple[str, str]]:
    way = way_of(told.case.process)
    keys = dict.fromkeys([*(told.step.returns if told.step else ()), *([told.step.objection] if told.step else [])])
    return [(key, way.step(key).name) for key in keys if key]


def _supply_form(told: Seen, data: Any) -> Form:
    lacking = CasePaper.objects.filter(case=told.case).exclude(state=CasePaper.State.PRESENT).order_by("id")
    return forms.Supply(data, papers=[row.name for row in lacking], signed=told.case.declared_on is not None)


def _supply(told: Seen, data: dict[str, Any]) -> Any:
    return asking.supply_papers(
        by=told.by, on=told.on, case_id=told.case.pk, present=data["papers"], declared_on=data.get("declared_on")
    )


def _owes(told: Seen) -> bool:
    later = CasePaper.objects.filter(case=told.case, state=CasePaper.State.LATER).exists()
    return may(told.by, asking.supply_papers) and (told.asked or later)


def _report(told: Seen, data: dict[str, Any]) -> Any:
    wanted = _unwritten(told)
    return taking.write_report(by=told.by, on=told.on, case_id=told.case.pk, name=wanted[0], text=data["text"])


def _unwritten(told: Seen) -> list[str]:
    case = told.case
    there = set(
        case.reports.filter(step=case.step, round=case.round, countersigned=False).values_list("name", flat=True)
    )
    return [each.name for each in told.demands("报告") if each.name not in there]


def _report_form(told: Seen, data: Any) -> Form:
    form = forms.Report(data)
    wanted = _unwritten(told)
    form.fields["text"].label = wanted[0] if wanted else "内容"
    return form


def _unsigned(told: Seen) -> bool:
    wanted = waits_for(told.step, told.by) if told.step else None
    case = told.case
    there = case.reports.filter(step=case.step, round=case.round, countersigned=True, name=str(wanted))
    return wanted is not None and case.state == State.OPEN and not there.exists()


def _countersign(told: Seen, data: dict[str, Any]) -> Any:
    agreed = data["agreed"] == "yes"
    return taking.countersign(by=told.by, on=told.on, case_id=told.case.pk, agreed=agreed, text=data["text"])


def _unpublished(told: Seen) -> bool:
    from huimin.notices.models import Notice

    rows = Notice.objects.filter(subject=told.case.notice_subject()).exclude(state=Notice.State.WITHDRAWN)
    return told.acting and bool(told.demands("公示")) and not rows.exists()


def _hand_form(told: Seen, data: Any) -> Form:
    takers = [
        (str(row.pk), f"{row.account.full_name}（{row}）") for row in answering.candidates(told.case, told.on)[:50]
    ]
    return forms.HandOver(data, takers=takers)


def _hand(told: Seen, data: dict[str, Any]) -> Any:
    return answering.hand_over(
        by=told.by, on=told.on, case_id=told.case.pk, to=int(data["to"]), reason=data["reason"],
        stand_in=data["kind"] == "stand_in",
    )  # fmt: skip


def _may_hand(told: Seen) -> bool:
    mine = told.by.post == "township_head" or told.case.responsible == told.by.appointment
    return bool(told.case.step) and may(told.by, answering.hand_over) and mine


def _desk(told: Seen) -> bool:
    return may(told.by, asking.decline_case)


ACTS = {
    act.key: act
    for act in (
        Act("supply", "登记补来的材料", "登记材料", _owes, _supply_form, _supply, "已登记材料", "材料齐了、声明已签字即受理，期限从受理起算。"),
        Act(
            "report", "写报告并签名", "签名", lambda told: told.acting and bool(_unwritten(told)), _report_form, _report, "已签名",
            "签名落在全文摘要上，之后不能改。",
        ),
        Act(
            "publish", "公示这件事？", "张贴公示", _unpublished, _nothing,
            lambda told, data: taking.publish_case(by=told.by, on=told.on, case_id=told.case.pk), "已公示",
            "只公示隐去中间的姓名、人数和金额；公示期满、异议都已答复后才能往下办。",
        ),
        Act("countersign", "会签", "签署意见", _unsigned, lambda told, data: forms.Countersign(data), _countersign, "已签署会签意见"),
        Act(
            "pass", "办完这一步？", "办完，转下一步", lambda told: told.acting, _nothing, _take("passed"), "已办完这一步",
            "签名落在这一步所凭的材料、公示、报告的摘要上。",
        ),
        Act(
            "return", "退回", "退回", lambda told: told.acting and bool(_ways(told)),
            lambda told, data: forms.Return(data, ways=_ways(told)), _take("returned"), "已退回",
            "退回之后的步骤须重新办理，原来的记录保留。", True,
        ),
        Act(
            "refuse", "不予批准？", "不予批准", lambda told: told.acting and bool(told.step and told.step.refuses), _reason,
            _take("refused"), "已决定不予批准", "理由须书面告知申请人。", True,
        ),
        Act(
            "extend", "延长期限", "延长", lambda told: told.acting and not told.case.extended and _extends(told), _reason,
            _take("extended"), "已延长期限", "一件事只能延长一次。",
        ),
        Act(
            "decline", "不予受理？", "不予受理", lambda told: told.asked and _desk(told), lambda told, data: forms.Decline(data),
            lambda told, data: asking.decline_case(by=told.by, on=told.on, case_id=told.case.pk, **data), "已不予受理",
            "打印不予受理告知书交给申请人，写明该到哪里办。", True,
        ),
        Act(
            "withdraw", "申请人撤回？", "撤回申请", lambda told: told.case.state in (State.ASKED, State.PAPERS, State.OPEN) and _desk(told),
            _reason, lambda told, data: asking.withdraw_case(by=told.by, on=told.on, case_id=told.case.pk, **data), "已撤回",
            "以后可以重新申请。", True,
        ),
        Act(
            "answer", "答复督办", "答复", lambda told: bool(escalating.answerable(told.by, told.case.pk)),
            lambda told, data: forms.AnswerOverdue(data),
            lambda told, data: escalating.answer_overdue(by=told.by, on=told.on, case_id=told.case.pk, **data), "已答复督办",
            "答复报给督办的上一级，只能答复一次；到新的期限还没办完，直接报县惠民办。",
        ),
        Act("hand", "移交或指定替办", "移交、替办", _may_hand, _hand_form, _hand, "已登记移交", "首问负责：承办人全程负责，非特殊情况中途不得转交。"),
        Act(
            "told", "已告知申请人结果？", "登记告知",
            lambda told: told.case.state == State.GRANTED and told.case.answered_on is None and _desk(told), _nothing,
            lambda told, data: answering.tell_result(by=told.by, on=told.on, case_id=told.case.pk), "已登记告知",
        ),
    )
}  # fmt: skip


def _extends(told: Seen) -> bool:
    return bool(told.step and told.step.extended) or bool(way_of(told.case.process).extended)
