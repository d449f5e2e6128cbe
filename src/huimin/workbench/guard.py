"""Who may open a page: every view says so with one of three marks, and one without a mark opens for nobody (SEC-02).

    @open_page                 before anybody signed in: the sign-in page
    @signed_in_page            signed in, before an appointment or a new password was chosen
    @page(posts)               one of these posts acting; a GET runs inside `reading(actor)`

`huimin.workbench.middleware.Desk` enforces the marks; a test walks all routes and finds none without.
A POST runs outside a transaction: the command it calls opens its own, and so does a read before it. It runs once for
the page it was sent from (`acts`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.workbench.acts import answered_once

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Guard:
    """Whom a view is for; no posts with `signed_in` means everybody who has an account."""

    signed_in: bool
    posts: frozenset[str] = frozenset()


def open_page(view: View) -> View:
    view.guard = Guard(signed_in=False)  # type: ignore[attr-defined]
    return view


def signed_in_page(view: View) -> View:
    view.guard = Guard(signed_in=True)  # type: ignore[attr-defined]
    return view


def page(posts: frozenset[str], *, reads: bool = True) -> Callable[[View], View]:
    """A page of `posts`; the view finds who acts in `request.actor`. `reads` False: it opens its own transactions."""
    assert posts, "a page of nobody"

    def wrap(view: View) -> View:
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if reads and request.method in ("GET", "HEAD"):
                with reading(request.actor):  # type: ignore[attr-defined]
                    return view(request, *args, **kwargs)
            if request.method == "POST":
                return answered_once(request, lambda: view(request, *args, **kwargs))
            return view(request, *args, **kwargs)

        run.guard = Guard(signed_in=True, posts=frozenset(posts))  # type: ignore[attr-defined]
        return run

    return wrap


EVERYBODY = frozenset(Post.values)
STAFF = EVERYBODY - {Post.BANK_OPERATOR, Post.ADMINISTRATOR, Post.LEADING_APPROVER}
"""Posts that see households: neither the bank, nor who issues accounts, nor who only approves policies (SEC-02, SEC-03)."""
POLICY_READERS = STAFF | {Post.LEADING_APPROVER}
"""Posts that read policies and what is being drafted (POL-01)."""
DRAFTERS = frozenset({Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER})
"""Who drafts a new version of a policy (POL-02)."""
OWN_FACT_ACTORS = DRAFTERS | {Post.LEADING_APPROVER}
"""Who proposes a fact the county wants to ask, and who decides it (REG-01)."""
DRAFT_READERS = DRAFTERS | {
    Post.DEPARTMENT_APPROVER,
    Post.FINANCE_OFFICER,
    Post.LEADING_APPROVER,
    Post.SUPERVISOR,
}
"""Who records a step of its way, or watches it (POL-03)."""
PAYERS = STAFF - {Post.INFORMATION_OFFICER}
"""Posts that follow rosters."""
BATCH_READERS = PAYERS | {Post.BANK_OPERATOR}
BANK_READERS = frozenset(
    {Post.SETTLEMENT, Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.ACCOUNTANT, Post.SUPERVISOR}
)
"""Posts that agree how banks are spoken to, send and fetch, go by it, or watch (PAY-04, PAY-05)."""
SUPERVISORS = frozenset({Post.SUPERVISOR})
"""Who sees what others looked at and took out (SEC-05)."""
ADMINISTRATORS = frozenset({Post.ADMINISTRATOR})
"""Who issues accounts, and does no business."""
CHECKERS = frozenset({Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER, Post.SUPERVISOR})
"""Posts that settle or watch what imports and checks left open."""
SETTLERS = frozenset({Post.SETTLEMENT, Post.FINANCE_OFFICER})
"""Posts on whose desk payment exceptions lie."""
BOOKKEEPERS = frozenset(
    {
        Post.SETTLEMENT,
        Post.TOWNSHIP_HEAD,
        Post.FINANCE_OFFICER,
        Post.FINANCE_RELEASER,
        Post.ACCOUNTANT,
        Post.COUNTY_OFFICER,
        Post.SUPERVISOR,
    }
)
SIMULATORS = frozenset(
    {Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.FINANCE_OFFICER, Post.SUPERVISOR}
)
"""Posts that work on policies or watch them, and may try out a draft (POL-04)."""
COVERAGE_READERS = SIMULATORS | {Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD}
"""Posts that see whom policies reach and miss, and those that visit them (POL-06)."""
CHANGE_READERS = frozenset(
    {
        Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR,
    }
)  # fmt: skip
"""Posts that report, enter and confirm changes of households, or watch them (REG-05)."""
RELIEF_READERS = frozenset({Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR})
"""Posts that help in emergencies and care for people in 特困, or watch it (DET-04, DET-05)."""
FUND_READERS = RELIEF_READERS | {Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.ACCOUNTANT}
"""Posts that keep the petty funds, hand out of them, or watch (DET-05)."""
DECLARERS = EVERYBODY - {Post.BANK_OPERATOR, Post.ADMINISTRATOR}
"""Posts that declare their near relatives (REG-10)."""
KINSHIP_READERS = frozenset({Post.COUNTY_OFFICER, Post.SUPERVISOR, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER})
"""Posts that read the kinship file, of departments only civil affairs (kinship.declaring.require_file)."""
CAPACITY_READERS = STAFF
"""Posts that are trained, train, or watch; a desk's figures are no secret among them (ORG-07, ORG-08)."""
FIELD_READERS = CHANGE_READERS
"""Posts that survey, record, answer and are answered for in the villages, or watch it (REG-06, ORG-03, ORG-04)."""
RECTIFIERS = CHANGE_READERS | {Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER}
"""Posts that carry a rectification campaign out, or watch it (CASE-10)."""
RECTIFICATION_FILE = frozenset(
    {Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER, Post.SUPERVISOR}
)
"""Posts that read the county's checks, cases that name people of the offices, and reports (CASE-10, SEC-04)."""
WATCHERS = CHANGE_READERS - {Post.SUPERVISOR}
"""Posts that follow low-income people: warnings tell of illness and disability (REG-09, SEC-04)."""
ARCHIVE_READERS = STAFF
"""Posts that keep files, ask for papers, or watch (REG-08)."""
DUPLICATE_READERS = frozenset(
    {Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER, Post.DEPARTMENT_APPROVER, Post.SUPERVISOR}
)
"""Posts that judge whether two records are one person, propose and confirm merges, or watch (REG-04)."""
SAMPLE_COUNTY = frozenset(
    {
        Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.FINANCE_OFFICER, Post.SUPERVISOR, Post.COUNTY_OFFICER,
    }
)  # fmt: skip
"""Posts that freeze lists, draw, check and watch (CASE-08)."""
SAMPLE_READERS = SAMPLE_COUNTY | {Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD}
"""With those whose decisions are checked: a draw is public (CASE-08)."""
INQUIRY_READERS = frozenset({Post.INFORMATION_OFFICER, Post.CLERK})
"""Posts that answer what a village is asked about them."""
MEETING_READERS = CHANGE_READERS
"""Posts that call, hold, watch or follow community reviews; what came of a case every reader of the case sees (CASE-03)."""
RECHECK_READERS = frozenset(
    {
        Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER,
        Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER, Post.SUPERVISOR,
    }
)  # fmt: skip
"""Posts that re-check who draws, judge refusals of work, hear appeals, or watch (CASE-09); departments their own programmes."""
