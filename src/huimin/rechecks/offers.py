"""Work that was offered and refused: recorded by one, judged by another; the third unjustified in a row asks for a cut (CASE-09).

in    an offer: to whom, which job, by whom, why it fits; accepted, or refused with his reason
out   JobOffers; with the third refusal in a row that was judged unjustified, a proposed WorkCut

    accepted ───────────────── the count begins anew
    refused, justified ─────── the count begins anew (the offer did not fit, or there was good reason)
    refused, not justified ─── one, two, three: proposed

Always true: only somebody able to work who has none, of a household that draws 低保, is counted; who judges did not record; a
refusal counts for one cut at most; nothing is cut here (`cuts`). 国务院令第649号 第45条; 民发〔2021〕57号 第34条.
"""

from datetime import date

from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rechecks.models import JobOffer, WorkCut
from huimin.rechecks.rules import DIBAO
from huimin.registry.models import Household, Membership, Person, PersonFacts
from huimin.registry.queries import holding

RECORDERS = (Post.INFORMATION_OFFICER, Post.CLERK)
IN_A_ROW = 3
"""Refusals without good reason, one after the other (57号 第34条)."""
Answer = JobOffer.Answer

refused_by_constraint("job_offer_once", AlreadyDone, "这一天的这份工作已经登记过", "请刷新后查看")
refused_by_constraint("work_cut_one_at_a_time", AlreadyDone, "这个人已有在办或执行中的减发", "请从减发记录查看")


class NotCounted(Refusal):
    """The law on refusals does not reach this person."""


@command(*RECORDERS)
def record_offer(
    *, by: Actor, on: date, person: int, job: str, offered_by: str, offered_on: date, fits: str, answer: str,
    answered_on: date, evidence: str, words: str = "",
) -> JobOffer:  # fmt: skip
    """An offer and what he said to it. The same again is the same."""
    found, home = _subject(by, person, offered_on)
    require_not_related(by, on, [home.pk])
    if answer not in Answer.values:
        raise BadInput("没有选接受还是拒绝", where="答复", remedy="请选择")
    if not offered_on <= answered_on <= on:
        raise BadInput("日期不成立", where="答复日期", why="介绍在前，答复在后，都不晚于今天", remedy="请核对日期")
    _require_texts(job, offered_by, fits, evidence)
    if answer == Answer.REFUSED and len(words.strip()) < 2:
        raise BadInput("没有写本人的理由", where="本人的理由", remedy="请照本人的原话写，没有说的写“未说明”")
    same = JobOffer.objects.filter(person=found, offered_on=offered_on, job=job.strip()[:120]).first()
    if same and (same.answer, same.words) == (answer, words.strip()[:300]):
        return same
    return JobOffer.objects.create(
        person=found, household=home, division=home.division, offered_on=offered_on, job=job.strip()[:120],
        offered_by=offered_by.strip()[:80], fits=fits.strip()[:200], answer=answer, answered_on=answered_on,
        words=words.strip()[:300], evidence=evidence.strip()[:120], recorded_by=by.appointment, account=by.account,
        recorded_on=on,
    )  # fmt: skip


def _subject(by: Actor, person: int, day: date) -> tuple[Person, Household]:
    """A living member of a household that draws 低保, able to work and without work on the day, as registered."""
    found = Person.objects.select_for_update().filter(pk=person, closed_on=None).first()
    member = Membership.objects.filter(holding(day), person=person).select_related("household").first()
    if found is None or member is None:
        raise BadInput("没有这个人", where="对象", why="不在册，或不在您的辖区内", remedy="请从家庭页面进入")
    require_place(by, member.household.division)
    if not Entitlement.objects.filter(live_on(day), household=member.household_id, programme__in=DIBAO).exists():
        raise NotCounted(f"{day} 这一户没有享受低保", why="拒绝就业的规定只管低保家庭的成员", remedy="请核对日期")
    known = PersonFacts.objects.filter(holding(day), person=person).first()
    if known is None or known.labour not in ("有", "部分"):
        raise NotCounted("登记的不是有劳动能力", why="只对有就业能力的成员介绍", remedy="登记有误的先办理变更")
    if known.employed is not False:
        raise NotCounted("登记的不是未就业", why="只对没有就业的成员介绍", remedy="登记有误的先办理变更")
    return found, member.household


def _require_texts(job: str, offered_by: str, fits: str, evidence: str) -> None:
    for words, where, remedy in (
        (job, "工作", "请写明单位和岗位"), (offered_by, "介绍单位", "请写明是人社部门或哪个单位介绍的"),
        (fits, "为什么合适", "请写明与他的健康、劳动能力怎样相适应"), (evidence, "依据", "请写明推荐信、登记表等依据"),
    ):  # fmt: skip
        if len(words.strip()) < 2:
            raise BadInput("没有写", where=where, remedy=remedy)


@command(Post.REVIEWER)
def judge_refusal(*, by: Actor, on: date, offer: int, justified: bool, judgement: str) -> JobOffer:
    """Another person judges the reason, in the order of the offers; the third without good reason proposes a cut."""
    row = JobOffer.objects.select_for_update(of=("self",)).select_related("household").filter(pk=offer).first()
    if row is None:
        raise BadInput("没有这次介绍", where="编号", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, row.division)
    if row.answer != Answer.REFUSED or row.justified is not None:
        raise AlreadyDone("这次介绍不用评判，或已经评判", remedy="请刷新后查看")
    require_another(by, row.recorded_by, "登记介绍")
    require_not_related(by, on, [row.household_id])
    earlier = JobOffer.objects.filter(person=row.person_id, answer=Answer.REFUSED, justified=None)
    if earlier.filter(offered_on__lt=row.offered_on).exists():
        raise BadInput("前面还有一次拒绝没有评判", where="次序", remedy="请按介绍的先后评判")
    if len(judgement.strip()) < 4:
        raise BadInput("没有写评判的理由", where="理由", remedy="请写明核实了什么，为什么正当或不正当")
    content = {"offer": row.pk, "words": row.words, "justified": justified, "judgement": judgement.strip()}
    row.signature = sign(
        by=by, on=on, act="评判拒绝就业", subject=f"job_offer:{row.pk}", content_digest=digest(content), division=row.division
    )  # fmt: skip
    row.justified, row.judgement, row.judged_by, row.judged_on = justified, judgement.strip()[:300], by.appointment, on
    row.save(update_fields=["signature", "justified", "judgement", "judged_by", "judged_on"])
    counted = in_a_row(row.person_id)
    if len(counted) >= IN_A_ROW:
        _propose_cut(by, on, row, counted)
    return row


def in_a_row(person: int) -> list[JobOffer]:
    """The latest refusals without good reason, one after the other, that no cut was made of; oldest first."""
    found: list[JobOffer] = []
    for row in JobOffer.objects.filter(person=person).order_by("-offered_on", "-id")[:50]:
        if row.answer == Answer.REFUSED and row.justified is None:
            continue  # not judged yet: it neither counts nor breaks the row
        if row.answer == Answer.ACCEPTED or row.justified or row.cut_id is not None:
            break
        found.insert(0, row)
    return found


def _propose_cut(by: Actor, on: date, row: JobOffer, counted: list[JobOffer]) -> None:
    """One head's part of what the household draws now."""
    held = Entitlement.objects.filter(live_on(on), household=row.household_id, programme__in=DIBAO, person=None)
    entitlement = held.order_by("-valid_from").first()
    if entitlement is None:
        return  # it draws nothing any more: there is nothing to cut
    share = entitlement.amount_fen // max(entitlement.people, 1)
    made = WorkCut.objects.create(
        household_id=row.household_id, person_id=row.person_id, division=row.division, programme=entitlement.programme,
        share_fen=max(share, 1), proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip
    JobOffer.objects.filter(pk__in=[each.pk for each in counted]).update(cut=made)
