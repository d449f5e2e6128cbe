"""特困: what a person cannot do alone, the grade that follows, and who cares for him (DET-04; 民发〔2021〕43号).

in    six things seen by two people; an agreement with an institution (集中供养) or a carer at home (分散供养)
out   a graded assessment, which the registry learns as the fact 自理能力失能项数; an agreement on an entitlement

Always true: the grade follows from the number of things lost (none: 全自理; up to three: 半护理; four and more: 全护理); two
different people assessed, and nobody enters it for his own relative (REG-10); an agreement stands on an entitlement to 特困 in force, one at a time for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.casework.models import CareAgreement, CareAssessment, Entitlement
from huimin.casework.queries import live_on
from huimin.database.bulk import fetch_one
from huimin.database.context import scope_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.registry.commands import record_person_facts
from huimin.registry.commands.facts import locked_person
from huimin.registry.queries import find_household_of

ITEMS = {
    "eating": "自主吃饭", "dressing": "自主穿衣", "bed": "自主上下床", "toilet": "自主如厕", "walking": "室内自主行走",
    "bathing": "自主洗澡",
}  # fmt: skip
PROGRAMME = "tekun"
SHARE_GOAL_PERCENT = 55
"""伊民规〔2022〕2号: of those who cannot care for themselves, the share in centralised support."""

refused_by_constraint("care_agreement_once", AlreadyDone, "这个人已有一份照料协议", "请刷新后查看")


class NotInTekun(Refusal):
    """An agreement stands on an entitlement."""


@command(Post.CLERK)
def assess_care(
    *, by: Actor, on: date, person: int, lost: Sequence[str], assessors: Sequence[str], assessed_on: date
) -> CareAssessment:
    """Which of the six things the person cannot do; the grade follows, and the registry knows the number from that day."""
    found = locked_person(by, person)
    names = [name.strip()[:40] for name in assessors if name.strip()]
    if len(names) != 2 or names[0] == names[1]:
        raise BadInput("评估须由两人进行", where="评估人", remedy="请写两名评估人")
    if not set(lost) <= set(ITEMS):
        raise BadInput("没有这一评估项目", where="不能自主完成的项目", remedy="请从六项中选择")
    if assessed_on > on:
        raise BadInput(f"{assessed_on} 还没有到", where="评估日期", remedy="请核对评估日期")
    _require_not_related(by, on, found.pk)
    items = [item for item in ITEMS if item in lost]
    evidence = f"自理能力评估 {assessed_on}（{'、'.join(names)}）"
    known = {"self_care_losses": len(items)}
    record_person_facts(by=by, on=on, person=person, facts=known, since=assessed_on, evidence=evidence)
    return CareAssessment.objects.create(
        division=found.division, person=found, lost=items, losses=len(items), grade=grade_of(len(items)),
        assessors=names, assessed_on=assessed_on, recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip


def _require_not_related(by: Actor, on: date, person: int) -> None:
    home = find_household_of(person, on)
    require_not_related(by, on, [home.pk] if home else [])


def grade_of(losses: int) -> CareAssessment.Grade:
    """民发〔2021〕43号: none, up to three, four and more of the six."""
    if losses == 0:
        return CareAssessment.Grade.FULL
    return CareAssessment.Grade.HALF if losses <= 3 else CareAssessment.Grade.NONE


@command(Post.CLERK)
def sign_care_agreement(*, by: Actor, on: date, person: int, mode: str, carer: str, signed_on: date) -> CareAgreement:
    """How the person is supported from now on; an earlier agreement ends with the new one."""
    found = locked_person(by, person)
    if mode not in CareAgreement.Mode.values or not carer.strip():
        raise BadInput("没有写明供养方式或照料人", where="供养方式", remedy="请选择供养方式，写明供养机构或照料人")
    if signed_on > on:
        raise BadInput(f"{signed_on} 还没有到", where="签订日期", remedy="请核对签订日期")
    _require_not_related(by, on, found.pk)
    held = Entitlement.objects.filter(live_on(on), programme=PROGRAMME, person=found).order_by("-id").first()
    if held is None:
        raise NotInTekun("这个人没有特困供养待遇", remedy="请先办理特困认定，批准生效后再签协议")
    CareAgreement.objects.filter(person=found, ended_on=None).update(ended_on=signed_on)
    return CareAgreement.objects.create(
        division=found.division, person=found, entitlement=held, mode=mode, carer=carer.strip()[:80],
        signed_on=signed_on, recorded_by=by.appointment,
    )  # fmt: skip


@dataclass(frozen=True)
class CareShare:
    """Of the people in 特困 of a place: how many are assessed as 全护理, how many of them in centralised support."""

    people: int
    assessed: int
    dependent: int
    central: int
    agreed: int

    @property
    def percent(self) -> int | None:
        return self.central * 100 // self.dependent if self.dependent else None


_SHARE = """
SELECT count(*)::int, count(a.grade)::int, count(*) FILTER (WHERE a.grade = 'none')::int,
       count(*) FILTER (WHERE a.grade = 'none' AND g.mode = 'central')::int, count(g.mode)::int
FROM casework_entitlement e
LEFT JOIN LATERAL (SELECT grade FROM casework_careassessment a WHERE a.person_id = e.person_id ORDER BY a.id DESC LIMIT 1)
          a ON true
LEFT JOIN casework_careagreement g ON g.person_id = e.person_id AND g.ended_on IS NULL
WHERE e.programme = %(programme)s AND e.division >= %(low)s AND e.division < %(high)s
  AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
"""


def care_share(prefix: str, on: date) -> CareShare:
    """Inside `reading(by)`."""
    low, high = scope_of(prefix)
    return CareShare(*fetch_one(_SHARE, {"programme": PROGRAMME, "low": low, "high": high, "on": on}))


def list_assessments(person: int, rows_max: int = 20) -> list[CareAssessment]:
    return list(CareAssessment.objects.filter(person=person).order_by("-id")[:rows_max])


def list_agreements(person: int, rows_max: int = 20) -> list[CareAgreement]:
    return list(CareAgreement.objects.filter(person=person).order_by("-id")[:rows_max])
