"""Agreements, complaints, the method, and what a bank did in a year, measured and signed by two (PAY-09)."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.agentbanks import queries
from huimin.agentbanks.commands import (
    AgreementsOverlap,
    NoMethod,
    NothingMeasured,
    YearNotOver,
    answer_complaint,
    assess_bank,
    end_agreement,
    propose_agreement,
    propose_method,
    record_complaint,
    settle_agreement,
    settle_assessment,
    settle_method,
)
from huimin.agentbanks.figures import Figures, figures_of
from huimin.agentbanks.models import Agreement, Assessment, Method
from huimin.agentbanks.scoring import grade_of, points_of
from huimin.database.bulk import fetch_one
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Batch, Instruction
from tests.workbench.people import client_of

County = Callable[[str], str]
AFTER = date(2022, 1, 10)
METHOD = {
    "valid_from": date(2021, 1, 1), "timely_points": 40, "success_points": 30, "error_points": 15, "complaint_points": 15,
    "error_cost": 5, "complaint_cost": 4, "good_from": 90, "pass_from": 60, "basis": "金财〔2021〕12号（测试）",
}  # fmt: skip


def finance() -> object:
    return actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)


def test_PAY_09_a_year_is_measured_from_batches_and_signed_by_another(county: County) -> None:
    """Agreement, complaint, method, assessment: each proposed once, refused where it must be, and shown on its pages."""
    county("closed")
    by, office = finance(), county_officer()
    with reading(office):
        [(bank, name), *_] = queries.list_banks()
        batches = list(Batch.objects.filter(bank_office=bank, state="answered"))
        lines = Instruction.objects.filter(batch__in=batches)
        paid = lines.filter(state="paid").count()
        assert batches and name in queries.without_agreement(office.division, AFTER)
    _agreements(bank)
    _complaint(bank)
    assess = {"by": by, "on": AFTER, "bank_office": bank, "year": 2021, "words": "履约正常，个别批次回盘迟"}
    with pytest.raises(NoMethod):
        assess_bank(**assess)
    with pytest.raises(BadInput, match="100"):
        propose_method(by=by, on=AFTER, **METHOD | {"timely_points": 50})
    method = propose_method(by=by, on=AFTER, **METHOD)
    with pytest.raises(AlreadyDone):
        propose_method(by=by, on=AFTER, **METHOD)
    with pytest.raises(NotYourPost):
        settle_method(by=by, on=AFTER, number=method.pk, agreed=True)
    settle_method(by=office, on=AFTER, number=method.pk, agreed=True)
    with pytest.raises(YearNotOver):
        assess_bank(**assess | {"on": date(2021, 12, 31)})
    with pytest.raises(NothingMeasured):
        assess_bank(**assess | {"year": 2022, "on": date(2023, 1, 2)})
    made = assess_bank(**assess)
    figures = Figures(**made.figures)
    assert (figures.batches, figures.paid) == (len(batches), paid)
    assert figures.due == figures.on_time + figures.late == len(batches) and figures.upheld == 1
    assert made.points["complaints"] == 1100 and made.total == sum(made.points.values())
    with pytest.raises(AlreadyDone):
        assess_bank(**assess)
    with pytest.raises(BadInput):
        settle_assessment(by=office, on=AFTER, number=made.pk, agreed=False)
    done = settle_assessment(by=office, on=AFTER, number=made.pk, agreed=True)
    assert done.state == "agreed" and done.signature.content_digest == done.digest
    with pytest.raises(IntegrityError), reading(by):
        Assessment.objects.filter(pk=made.pk).update(settled_by=made.proposed_by)
    _pages(made)


def _agreements(bank: int) -> None:
    by, office = finance(), county_officer()
    told = {
        "by": by, "on": AFTER, "bank_office": bank, "number": "代发-2021-01", "selection": "tender", "signed_on": date(2020, 12, 20),
        "valid_from": date(2021, 1, 1), "valid_to": date(2023, 12, 31), "credit_days": 5, "services": "办卡激活、资金支付、补贴通知",
    }  # fmt: skip
    with pytest.raises(NotYourPost):
        propose_agreement(**told | {"by": office})
    with pytest.raises(BadInput):
        propose_agreement(**told | {"valid_to": date(2020, 12, 31)})
    first = propose_agreement(**told)
    with pytest.raises(AlreadyDone):
        propose_agreement(**told)
    settle_agreement(by=office, on=AFTER, number=first.pk, agreed=True)
    second = propose_agreement(
        **told | {"number": "代发-2022-01", "valid_from": date(2023, 6, 1), "valid_to": date(2025, 5, 31)}
    )
    with pytest.raises(AgreementsOverlap):
        settle_agreement(by=office, on=AFTER, number=second.pk, agreed=True)
    end = {"by": by, "on": AFTER, "number": first.pk, "last_day": date(2023, 5, 31), "reason": "重新招标"}
    assert end_agreement(**end).pk == end_agreement(**end).pk
    assert settle_agreement(by=office, on=AFTER, number=second.pk, agreed=True).state == "agreed"
    with reading(office):
        assert Agreement.objects.get(pk=first.pk).valid_to == date(2023, 6, 1)
        assert Agreement.objects.get(pk=first.pk).bank_office.name not in queries.without_agreement(
            office.division, AFTER
        )


def _complaint(bank: int) -> None:
    clerk = actor(Post.CLERK, townships()[0])
    told = {
        "by": clerk,
        "on": AFTER,
        "bank_office": bank,
        "kind": "cut",
        "happened_on": date(2021, 10, 1),
        "words": "取款时被扣了开卡费",
    }
    made = record_complaint(**told)
    with pytest.raises(AlreadyDone):
        record_complaint(**told)
    with pytest.raises(BadInput):
        record_complaint(**told | {"happened_on": date(2022, 3, 1)})
    answer = {"on": AFTER, "number": made.pk, "upheld": True, "answer": "已退还，网点已通报"}
    with pytest.raises(NotYourPost):
        answer_complaint(by=clerk, **answer)
    assert answer_complaint(by=finance(), **answer).state == "upheld"
    with pytest.raises(AlreadyDone):
        answer_complaint(by=finance(), **answer)


def _pages(made: Assessment) -> None:
    client = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    assert "没有符合这些条件的投诉" in client.get("/agent-banks/complaints/?state=open").content.decode()
    wrong = client.post("/agent-banks/new/", {"number": "1"}).content.decode()
    assert "请选择：选择方式" in wrong and "请选择选择方式" not in wrong
    for path in (
        "",
        "complaints/",
        "methods/",
        "assessments/",
        "new/",
        "complaints/",
        "methods/new/",
        "assessments/new/",
    ):
        assert client.get(f"/agent-banks/{path}").status_code == 200, path
    page = client.get(f"/agent-banks/assessments/{made.pk}/").content.decode()
    assert "及时入账" in page and f"{made.total / 100:.2f}" in page
    assert client.get(f"/agent-banks/assessments/{made.pk}/?print=pdf").content[:4] == b"%PDF"
    assert client.get("/agent-banks/complaints/?export=xlsx").status_code in (200, 302)


COUNT = st.integers(0, 10**6)


@settings(deadline=None)  # a busy machine is no fault
@given(
    on_time=COUNT,
    late=COUNT,
    overdue=COUNT,
    paid=COUNT,
    returned=COUNT,
    errors=st.integers(0, 50),
    upheld=st.integers(0, 50),
)
def test_PAY_09_points_are_whole_within_their_measure_and_fall_with_every_fault(
    on_time: int, late: int, overdue: int, paid: int, returned: int, errors: int, upheld: int
) -> None:
    method = Method(**METHOD)
    figures = Figures(
        on_time + late + overdue,
        on_time,
        late,
        overdue,
        0,
        paid + returned,
        paid,
        returned,
        0,
        0,
        errors,
        upheld,
        upheld,
    )
    points = points_of(method, figures)
    most = {"timely": 4000, "success": 3000, "errors": 1500, "complaints": 1500}
    assert all(0 <= points[key] <= most[key] for key in most) and sum(most.values()) == 10000
    assert (points["timely"] == 4000) == (late + overdue == 0) and (points["success"] == 3000) == (returned == 0)
    worse = Figures(**figures.told() | {"errors": errors + 1, "upheld": upheld + 1})
    assert sum(points_of(method, worse).values()) <= sum(points.values())
    assert grade_of(method, 9000) == "good" and grade_of(method, 8999) == "pass" and grade_of(method, 5999) == "fail"


def test_PAY_09_an_overdue_batch_counts_against_the_bank(county: County) -> None:
    """Four queries; a batch without an answer counts once its day has passed."""
    county("released")
    office = county_officer()
    with reading(office):
        bank, due = fetch_one(
            "SELECT bank_office_id, max(answer_due_on) FROM payment_batch GROUP BY 1 ORDER BY 1 LIMIT 1"
        )
        before, after = figures_of(bank, 2021, due), figures_of(bank, 2021, date.fromordinal(due.toordinal() + 1))
    assert before.overdue == 0 < after.overdue == after.batches and after.open == after.lines and after.worst_days > 0
