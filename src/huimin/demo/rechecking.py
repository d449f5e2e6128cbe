"""Living with a grant in the demonstration: re-checks, a refusal of work, an appeal, so that their pages have rows (CASE-09).

in    a decided county; the day on which the re-checks are made
out   re-checks of the three townships with most beneficiaries: one's confirmed, one's concluded, one's under way; an offer of work
      that was refused, an appeal under way

Through the rooms' commands; repeating it adds nothing. Nothing is decided anew, so that no figure of the quarter changes.
"""

from datetime import date

from huimin.appeals.filing import Told, accept_appeal, file_appeal
from huimin.appeals.models import Appeal
from huimin.casework.models import Decision, Entitlement
from huimin.casework.queries import live_on
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.quarter import Figures
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.beginning import begin_rechecks, record_means
from huimin.rechecks.concluding import conclude_rechecks, confirm_rechecks
from huimin.rechecks.models import JobOffer, Recheck
from huimin.rechecks.offers import record_offer
from huimin.registry.models import PersonFacts

PROGRAMME = "dibao-rural"
BEGUN_MAX = 6


def recheck(on: date) -> Figures:
    """Some re-checks on their way, an offer that was refused, an appeal that waits."""
    with reading(county_officer()):
        held = Entitlement.objects.filter(live_on(on), programme=PROGRAMME, household__closed_on=None, person=None)
        towns: dict[str, list[int]] = {}
        for household, division in held.order_by("id").values_list("household_id", "division"):
            towns.setdefault(division[:9] + "000", []).append(household)
    largest = sorted(towns, key=lambda code: (-len(towns[code]), code))
    for town, until in zip(largest, ("confirmed", "concluded", "open"), strict=False):
        _round(town, towns[town][:BEGUN_MAX], on, until)
    next((town for town in largest if _offer(town, towns[town], on)), None)
    for town in largest[:1]:
        _appeal(town, towns[town][0], on)
    with reading(county_officer()):
        return {
            "rechecks": Recheck.objects.count(), "offers": JobOffer.objects.count(), "appeals": Appeal.objects.count(),
        }  # fmt: skip


def _round(town: str, households: list[int], on: date, until: str) -> None:
    """A township's re-checks, looked into, and taken as far as `until`."""
    clerk, reviewer = actor(Post.CLERK, town), actor(Post.REVIEWER, town)
    with reading(clerk):
        done = Recheck.objects.exists()
    if done:
        return
    begin_rechecks(by=clerk, on=on, households=households)
    with reading(clerk):
        rows = list(Recheck.objects.order_by("id"))
    for row in rows:
        record_means(
            by=clerk,
            on=on,
            recheck=row.pk,
            kind="compared",
            done_on=on,
            people="信息核对员（演示）",
            words="社保、车辆、不动产比对，没有新增",
        )
    if until == "open":
        return
    concluded = conclude_rechecks(by=clerk, on=on, words={row.pk: "核查与登记一致，没有变化（演示）" for row in rows})
    same = [row.pk for row in concluded if row.outcome == Recheck.Outcome.SAME]
    if until == "confirmed" and same:
        confirm_rechecks(by=reviewer, on=on, rechecks=same)


def _offer(town: str, households: list[int], on: date) -> bool:
    """Somebody able to work and without it was offered some, and did not take it; it waits to be judged. False: nobody is."""
    clerk = actor(Post.CLERK, town)
    with reading(clerk):
        known = PersonFacts.objects.filter(
            recorded_to=None, valid_to=None, labour="有", employed=False, person__closed_on=None,
            person__memberships__household__in=households, person__memberships__valid_to=None, person__memberships__recorded_to=None,
        )  # fmt: skip
        offered = JobOffer.objects.exists()
        person = None if offered else known.order_by("id").values_list("person_id", flat=True).first()
    if person is not None:
        record_offer(
            by=clerk, on=on, person=person, job="景区保洁员（演示）", offered_by="县就业服务中心（演示）", offered_on=on, fits="身体健康可以胜任",
            answer="refused", answered_on=on, words="离家远，不想去", evidence="推荐信（演示）",
        )  # fmt: skip
    return offered or person is not None


def _appeal(town: str, household: int, on: date) -> None:
    """One household says its amount is too small; civil affairs' officer, who did not decide it, took it up."""
    clerk = actor(Post.CLERK, town)
    with reading(clerk):
        done = Appeal.objects.exists()
        decision = (
            Decision.objects.filter(household=household, programme=PROGRAMME, decided_on__lte=on).order_by("id").first()
        )
    if done or decision is None:
        return
    told = Told("户主（演示）", "户主本人", on, "今年茶叶减收，核算的经营收入比实际高，要求重新核算")
    made = file_appeal(by=clerk, on=on, kind=Appeal.Kind.INTERNAL, told=told, decision=decision.pk)
    accept_appeal(by=actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS), on=on, appeal=made.pk)
