"""The paid quarter's month compared, household by household: approvals, finance's lists, the bank's detail (VER-04).

Each township's clerk compares and says of each kind of difference what was found; its head signs; the departments sign over
all townships. Finance's signature is left for whoever looks at the demonstration. Repeating the step adds nothing.
"""

from datetime import date

from huimin.comparison.commands import (
    compare_month,
    explain_differences,
    sign_comparison,
    sign_county,
)
from huimin.comparison.models import Comparison, ComparisonDifference, CountySigning
from huimin.comparison.queries import content_of
from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.kernel.periods import add_months
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post

Kind = ComparisonDifference.Kind
MONTH: date = add_months(dates.QUARTER.until, -1)
WORDS = {
    Kind.MISSING: "没有可用账户，已通知本人办卡，办好后编入补充清册",
    Kind.WITHHELD: "缓发原因属实，待遇由部门重新审定",
    Kind.RETURNED: "银行退回，账户正在更正，更正后重发",
    Kind.FLIGHT: "银行处理中，已向银行查询",
    Kind.BANK: "银行明细与我方不符，已发函银行核对，列入待处理",
}


def match(county: County) -> Figures:
    """Compared, explained, signed by the townships and the departments."""
    business_day(dates.BOOKED)
    on = dates.BOOKED
    for township in townships():
        clerk, head = actor(Post.CLERK, township), actor(Post.TOWNSHIP_HEAD, township)
        if not _anybody_entitled(township):
            continue
        made = compare_month(by=clerk, on=on, division=township, month=MONTH)
        if made.state == Comparison.State.SIGNED:
            continue
        with reading(clerk):
            kinds = sorted(set(made.differences.filter(explanation="").values_list("kind", flat=True)))
        for kind in kinds:
            words = WORDS.get(Kind(kind), "已逐笔核对，情况属实，下月办理更正")
            explain_differences(by=clerk, on=on, comparison_id=made.pk, kind=kind, explanation=words)
        sign_comparison(by=head, on=on, comparison_id=made.pk)
    _sign_above(on)
    with reading(county_officer()):
        compared, beneficiaries, differences = fetch_one(
            "SELECT count(*)::int, coalesce(sum(beneficiaries), 0)::int, coalesce(sum(differences_count), 0)::int"
            " FROM comparison_comparison WHERE state = 'signed'"
        )
    return {"compared": compared, "beneficiaries": beneficiaries, "unlike": differences}


def _anybody_entitled(township: str) -> bool:
    """A very small county may have townships nobody is paid in."""
    with reading(county_officer()):
        [found] = fetch_one(
            "SELECT EXISTS (SELECT FROM casework_entitlement WHERE division >= %s AND division < %s)",
            [township[:9], township[:9] + "~"],
        )
    return bool(found)


def _sign_above(on: date) -> None:
    for office in sorted(set(DEPARTMENTS.values())):
        by = actor(Post.DEPARTMENT_APPROVER, office)
        with reading(by):
            signed = CountySigning.objects.filter(office=by.office, month=MONTH, digest=content_of(by.prefix, MONTH))
            done, paid_with = signed.exists(), _programmes()
        if not done and paid_with & set(by.programmes):
            sign_county(by=by, on=on, month=MONTH, note="已核对各乡镇说明，退汇按期重发")


def _programmes() -> set[str]:
    return {code for row in Comparison.objects.filter(month=MONTH, state="signed") for code in row.spans}
