"""The auditor's path: from a roster line back to the law, and on to the card and the vouchers (LED-01, LED-03, DET-07).

in    a roster line; or a due
out   everything one amount rests on and what became of it: dues → entitlement → decision → proposal or case and version;
      notice, signatures, application and allotment; instruction, the bank's answers; vouchers. Bounded; some twenty queries

Inside `reading(by)`. What another room shows on a page of its own is named here by its row only.
"""

from dataclasses import dataclass, field

from huimin.audit.models import Signature
from huimin.casework.models import Decision, Entitlement
from huimin.funds.models import FundingApplication
from huimin.ledger.models import Voucher
from huimin.ledger.queries import vouchers_of
from huimin.notices.models import Notice, NoticeRow
from huimin.payment.booked import vouchers_of_batches
from huimin.payment.models import (
    Batch,
    Due,
    Instruction,
    LineDue,
    PaymentException,
    ResultFile,
    Roster,
    RosterLine,
)

ROWS_MAX = 100


@dataclass(frozen=True)
class Sent:
    """One time the bank was told to pay the line, with its answers and what was posted."""

    instruction: Instruction
    batch: Batch
    results: list[ResultFile]
    signatures: list[Signature]
    vouchers: list[Voucher]


@dataclass(frozen=True)
class Trace:
    """One roster line with everything before and behind it."""

    line: RosterLine
    roster: Roster
    entitlement: Entitlement
    decision: Decision
    dues: list[Due]
    notice: Notice | None
    signatures: list[Signature]
    application: FundingApplication | None
    funding: list[Voucher]
    sent: list[Sent]
    exceptions: list[PaymentException]
    replaced_by: RosterLine | None
    others: list[RosterLine] = field(default_factory=list)

    @property
    def vouchers(self) -> list[Voucher]:
        """All of them, in the order they were posted, each once."""
        every = {each.pk: each for each in [*self.funding, *(v for sent in self.sent for v in sent.vouchers)]}
        return [every[number] for number in sorted(every)]


def trace_line(line_id: int) -> Trace:
    """RosterLine.DoesNotExist when it is not there or not in the actor's place."""
    # The county's screening and signature are not joined: a township does not see them, and would not find its own line.
    line = RosterLine.objects.select_related(
        "roster__application__allotment", "roster__origin__application__allotment", "household", "person", "payee", "card",
        "replaces", "entitlement__decision__proposal",
    ).get(pk=line_id)  # fmt: skip
    roster, origin = line.roster, line.roster.origin or line.roster
    application = roster.application or origin.application
    notice = (
        NoticeRow.objects.select_related("notice")
        .filter(subject_line=line.noticed_id or line.pk, notice__subject=f"roster:{origin.pk}")
        .order_by("-id")
        .first()
    )
    return Trace(
        line=line, roster=roster, entitlement=line.entitlement, decision=line.entitlement.decision, dues=_dues(line),
        notice=notice.notice if notice else None,
        signatures=list(Signature.objects.filter(subject__in=[f"roster:{origin.pk}", f"roster:{roster.pk}"]).order_by("id")[:50]),
        application=application, funding=vouchers_of([f"application:{application.pk}"]) if application else [],
        sent=_sent(line),
        exceptions=list(PaymentException.objects.filter(line=line).order_by("id")[:ROWS_MAX]),
        replaced_by=RosterLine.objects.select_related("roster").filter(replaces=line).first(),
    )  # fmt: skip


def _dues(line: RosterLine) -> list[Due]:
    rows = LineDue.objects.filter(line=line).select_related("due").order_by("due__period_from", "due_id")
    return [each.due for each in rows[:ROWS_MAX]]


def _sent(line: RosterLine) -> list[Sent]:
    instructions = list(Instruction.objects.select_related("batch").filter(line=line).order_by("id")[:ROWS_MAX])
    batches = [each.batch for each in instructions]
    posted = vouchers_of_batches([each.batch_no for each in batches])
    results = list(ResultFile.objects.filter(batch__in=batches).order_by("id")[:ROWS_MAX])
    signed = list(
        Signature.objects.filter(subject__in=[f"batch:{each.pk}" for each in batches]).order_by("id")[:ROWS_MAX]
    )
    return [
        Sent(
            each, each.batch, [r for r in results if r.batch_id == each.batch_id],
            [s for s in signed if s.subject == f"batch:{each.batch_id}"], posted.get(each.batch.batch_no, []),
        )
        for each in instructions
    ]  # fmt: skip


def lines_of_due(due_id: int) -> list[int]:
    """The roster lines a due stood on, the newest first."""
    return list(LineDue.objects.filter(due=due_id).order_by("-id").values_list("line", flat=True)[:ROWS_MAX])


def rosters_of_application(number: int) -> list[Roster]:
    """The rosters of the period and township an application is of, each with its live application, by programme; two queries.

    Roster.DoesNotExist when it is not there, was withdrawn, or lies elsewhere.
    """
    asked = Roster.objects.filter(kind=Roster.Kind.BASE, application__isnull=False, application__withdrawn_on=None)
    one = asked.get(application=number)  # a reissue draws on the application of what it replaces
    rows = asked.filter(
        division=one.division, period_from=one.period_from, period_until=one.period_until,
    )  # fmt: skip
    return list(rows.select_related("application__allotment").order_by("programme", "number")[:ROWS_MAX])
