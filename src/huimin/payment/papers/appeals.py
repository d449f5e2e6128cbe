"""申诉答复书: what was appealed, what was found, the result with its reasons, where to go from here (CASE-11, issue 5 point 8).

in    an appeal that was ruled on or not accepted; the address its code leads to
out   PDF/A-2b; who took it is remembered

Law: 国务院令第649号 第65条; 行政复议法. Set with the template of the papers of a case.
"""

from datetime import date
from typing import Any

from huimin.appeals.models import Appeal
from huimin.appeals.queries import get_appeal
from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, reading, record_event
from huimin.organisation.models import Appointment
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.models import Programme

RESULTS = {"upheld": "成立", "partly": "部分成立", "dismissed": "不成立", "corrected": "成立", "refused": "不予受理"}


class NotRuled(Refusal):
    """There is nothing to reply yet."""


def reply_pdf(*, by: Actor, on: date, appeal: int, address: str) -> bytes:
    """NotRuled before there is a result; NoFonts."""
    with reading(by):
        content = reply_of(by, on, get_appeal(appeal))
        record_event(by, Event.Kind.EXPORTED, f"appeal:{appeal}", {"paper": "reply"})
    return typeset("case", {**content, "code": square_code(address), "address": address}, on=on)


def reply_of(by: Actor, on: date, row: Appeal) -> dict[str, Any]:
    """What the paper says, for whoever sets it; inside `reading(by)`."""
    if row.state not in RESULTS:
        raise NotRuled("这件申诉还没有答复", why=row.get_state_display(), remedy="请作出答复后再打印")
    name = Programme.objects.filter(code=row.programme).values_list("name", flat=True).first() or row.programme
    reasons = row.ruling or row.reason
    parts = [
        ["申诉的决定", [wrappable(row.against)]], ["申诉人的理由和要求", [wrappable(row.text)]],
        ["核实情况和依据", [wrappable(line) for line in reasons.splitlines() if line.strip()]],
    ]  # fmt: skip
    if row.document:
        parts.append(["复议决定", [wrappable(f"{row.organ} {row.document}")]])
    if row.new_decision is not None and row.new_decision.effective_from:
        parts.append(
            [
                "怎样纠正",
                [
                    f"已于{day_in_words(row.new_decision.decided_on)}另作决定，自{day_in_words(row.new_decision.effective_from)}起执行"
                ],
            ]
        )
    elif row.new_case is not None:
        parts.append(
            ["怎样纠正", [f"已于{day_in_words(row.new_case.asked_on)}重新受理您的申请，编号 {row.new_case.number}"]]
        )
    return {
        "title": "申诉答复书", "issuer": by.office_name, "number": row.number, "programme": name, "name": wrappable(row.appellant),
        "household": row.household.household_no, "place": "".join(chain_names(row.division, on)[2:]),
        "channel": row.get_kind_display(), "asked": day_in_words(row.filed_on), "proxy": "", "date": day_in_words(on),
        "process": row.get_kind_display(), "responsible": _holder(row.ruled_by or row.accepted_by or row.registered_by),
        "opening": f"您于{day_in_words(row.filed_on)}提出的{row.get_kind_display()}，经办理，结果为：{RESULTS[row.state]}。",
        "parts": parts, "rights": _rights(row),
    }  # fmt: skip


def _rights(row: Appeal) -> str:
    if row.kind == Appeal.Kind.REVIEW:
        return "对复议决定不服的，可以在收到决定书后依法向人民法院提起行政诉讼。"
    return "对原决定不服的，还可以自知道决定之日起六十日内依法申请行政复议，或者依法提起行政诉讼。情况有变化的，可以随时重新申请。"


def _holder(appointment: int) -> str:
    row = Appointment.objects.select_related("account", "office").filter(pk=appointment).first()
    return f"{row.office.name} {row.account.full_name}" if row else ""
