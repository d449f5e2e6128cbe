"""What the township finds of each item, and another person's review of it (CASE-10, SEC-02, REG-10).

in    items with their signed visits; a result with its grounds and evidence
out   found, then reviewed items, each with an act that is signed; returned ones open again in their next round

Always true (here in words, in migration 0002 for whoever writes): a result rests on a signed visit of that item in its
round (日政办发〔2018〕95号 四(三): 100 %), only a death on its paper alone; what carries a mark of risk is judged one by one
with its evidence; who found does not review; nobody judges a relative's household: one is refused, of many it is left out
and written down. Many are judged in one statement each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.database.bulk import fetch, fetch_one, run, temporary
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import Recused, leave_out_related, require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rectification.marking import stem_of, words_of
from huimin.rectification.models import Campaign, Item, ItemAct
from huimin.rectification.publishing import take_down
from huimin.registry.commands.facts import locked_household
from huimin.registry.models import Membership
from huimin.visits.queries import signed_of

FINDERS = (Post.CLERK,)
REVIEWERS = (Post.REVIEWER, Post.TOWNSHIP_HEAD)
AT_ONCE_MAX = 500
Result, State, Origin, Act = Item.Result, Item.State, Item.Origin, ItemAct.Act

for _name, _kind, _what, _remedy in (
    ("rectification_item_once", AlreadyDone, "这一户已在整治名单上", "请从名单进入"),
    ("rectification_reviewed_by_another", SamePerson, "登记结果的人不能复核", "请由另一人复核"),
    ("rectification_item_final", AlreadyDone, "专项整治已经结束，不能再改", "请刷新后查看"),
    ("rectification_item_follows", AlreadyDone, "这一户已不在这一步", "请刷新后查看"),
):
    refused_by_constraint(_name, _kind, _what, _remedy)


class NotVisited(Refusal):
    """There is no signed visit of this item in its round."""


class NeedsEvidence(Refusal):
    """A result that has to be shown by something."""


@dataclass(frozen=True)
class Finding:
    """What was found: the new amount for an increase or decrease, why, and what shows it."""

    result: str
    grounds: str
    evidence: str = ""
    to_fen: int | None = None


@command(*FINDERS)
def add_item(
    *, by: Actor, on: date, campaign_id: int, household: int, programme: str, note: str, person: int | None = None
) -> Item:
    """A household found on the spot that may have been missed (逐户排查), with what was found."""
    campaign = _campaign_here(by, campaign_id)
    home = locked_household(by, household)
    require_not_related(by, on, [home.pk])
    if programme not in campaign.programmes:
        raise BadInput("这次整治不含这个项目", where="项目", remedy="请从列表选择")
    if len(note.strip()) < 4:
        raise BadInput("没有写怎么发现的", where="情况", remedy="请写明谁在什么时候发现了什么困难")
    members = Membership.objects.filter(household=home, person=person, recorded_to=None, valid_to=None)
    if person is not None and not members.exists():
        raise BadInput("这个人不在这一户", where="本人", remedy="请从这一户的成员中选择")
    serial = Item.objects.filter(campaign=campaign, origin=Origin.TOLD).count() + 1
    return Item.objects.create(
        campaign=campaign, number=f"{stem_of(campaign)}3{serial:07d}", division=home.division, household=home, person_id=person,
        programme=programme, origin=Origin.TOLD, note=note.strip()[:300], amount_fen=0, people=members.count() if person else 0,
    )  # fmt: skip


def _campaign_here(by: Actor, campaign_id: int) -> Campaign:
    """The open campaign, for who works beneath its place; locked so that numbers are given one after another."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise BadInput("没有这次专项整治", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    if campaign.state != Campaign.State.OPEN:
        raise AlreadyDone(f"这次专项整治{campaign.get_state_display()}", remedy="请刷新后查看")
    fetch_one("SELECT pg_advisory_xact_lock(hashtextextended('rectification', %s))", [campaign.pk])
    return campaign


def locked_item(by: Actor, item_id: int) -> Item:
    """The item for the rest of the transaction, of an open campaign."""
    item = Item.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=item_id).first()
    if item is None:
        raise BadInput("没有这一户", where="编号", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, item.division)
    if item.campaign.state != Campaign.State.OPEN:
        raise AlreadyDone(f"这次专项整治{item.campaign.get_state_display()}", remedy="请刷新后查看")
    return item


@command(*FINDERS)
def record_result(*, by: Actor, on: date, item_id: int, finding: Finding) -> Item:
    """One item's result. What was found before in the round is replaced as long as nobody reviewed it."""
    item = locked_item(by, item_id)
    if item.state == State.REVIEWED:
        raise AlreadyDone("这一户的结果已经复核", why="要改的由复核人退回", remedy="请刷新后查看")
    require_not_related(by, on, [item.household_id])
    told = _checked(item, finding)
    visit = next(iter(signed_of(item.subject, item.round)), None)
    if visit is None and told.result != Result.DEAD:
        raise NotVisited(
            "这一户还没有签字的入户核查", why="入户核查率 100%", remedy="请两人以上入户，双方签字后再登记结果"
        )
    if same(item, told, visit.pk if visit else None):
        return item
    item.result, item.grounds, item.evidence, item.to_fen = told.result, told.grounds, told.evidence, told.to_fen
    item.visit_id, item.state = visit.pk if visit else None, State.FOUND
    item.found_by, item.found_account, item.found_on = by.appointment, by.account, on
    item.finding = sign(
        by=by,
        on=on,
        act="登记核查结果",
        subject=item.subject,
        content_digest=digest(content_of(item)),
        division=item.division,
    )
    item.save(
        update_fields=[
            "result", "grounds", "evidence", "to_fen", "visit", "state", "found_by", "found_account", "found_on", "finding",
        ]
    )  # fmt: skip
    add_act(by, on, item, Act.FOUND, item.grounds, item.finding_id)
    return item


def same(item: Item, told: Finding, visit: int | None) -> bool:
    """Whether this was recorded before, word for word."""
    before = (item.state, item.result, item.grounds, item.evidence, item.to_fen, item.visit_id)
    return before == (State.FOUND, told.result, told.grounds, told.evidence, told.to_fen, visit)


def _checked(item: Item, finding: Finding) -> Finding:
    """The result fits the item, its amount moves the right way, its grounds and evidence are there."""
    fits = HELD_RESULTS if item.origin == Origin.HELD else MISSED_RESULTS
    if finding.result not in fits:
        raise BadInput("这一户不能是这个结果", where="结果", why=item.get_origin_display(), remedy="请从列表选择")
    grounds, evidence, moves = finding.grounds.strip(), finding.evidence.strip(), finding.result in MOVED
    if len(grounds) < 4:
        raise BadInput("没有写理由", where="理由", remedy="请写明核查到什么、为什么是这个结果")
    if (item.risks or finding.result != Result.KEEP) and len(evidence) < 4:
        why = f"有疑点：{'、'.join(words_of(item.risks))}" if item.risks else f"结果是{Result(finding.result).label}"
        raise NeedsEvidence("没有写凭什么认定", why=why, remedy="请写明核对报告、证明、单据等的名称和编号")
    to_fen = finding.to_fen if moves else None
    right = {
        Result.INCREASE: to_fen is not None and to_fen > item.amount_fen,
        Result.DECREASE: to_fen is not None and 0 < to_fen < item.amount_fen,
    }.get(Result(finding.result), True)
    if not right:
        raise BadInput(
            "调整后的金额不成立",
            where="调整后金额",
            why=f"现在 {item.amount_fen / 100:.2f} 元",
            remedy="增发须多于、减发须少于现在的金额",
        )
    return Finding(finding.result, grounds[:500], evidence[:200], to_fen)


MOVED = (Result.INCREASE, Result.DECREASE)
HELD_RESULTS = (Result.KEEP, Result.INCREASE, Result.DECREASE, Result.LEAVE, Result.DEAD, Result.OTHER)
MISSED_RESULTS = (Result.ENTER, Result.DECLINED, Result.DEAD, Result.OTHER)


def content_of(item: Item) -> dict[str, Any]:
    """What the signatures of an item stand for."""
    return {
        "item": item.number, "round": item.round, "result": item.result, "to": item.to_fen, "grounds": item.grounds,
        "evidence": item.evidence, "visit": item.visit.digest if item.visit_id and item.visit else "",
    }  # fmt: skip


def add_act(by: Actor, on: date, item: Item, act: str, words: str, signature: int | None) -> None:
    ItemAct.objects.create(
        item=item, division=item.division, round=item.round, act=act, result=item.result, words=words[:500],
        appointment=by.appointment, account=by.account, actor=by.title[:160], acted_on=on, signature_id=signature,
    )  # fmt: skip


# Many at a stroke: those that are ticked on a list.

_CHOSEN = """
SELECT i.id, i.number, i.household_id, i.round, i.result, i.division, i.grounds, i.evidence, i.to_fen, i.found_account,
       i.risk_count, i.origin, v.id AS visit_id, v.digest AS visit_digest
FROM rectification_item i JOIN rectification_campaign c ON c.id = i.campaign_id AND c.state = 'open'
LEFT JOIN LATERAL (
    SELECT v.id, v.digest FROM visits_visit v
    WHERE v.subject = 'rectification:' || i.campaign_id || ':' || i.id AND v.round = i.round AND v.state = 'signed'
    ORDER BY v.visited_on DESC, v.id DESC LIMIT 1) v ON true
WHERE i.id = ANY (%(ids)s) AND i.state = %(state)s AND i.division >= %(low)s AND i.division < %(high)s
FOR UPDATE OF i
"""
_DIGEST = """
SELECT count(*)::int, encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', number, round, {result}, to_fen, {grounds},
       evidence, visit_digest), E'\\n' ORDER BY number), ''), 'UTF8')), 'hex') FROM chosen
"""
_ACT = """
INSERT INTO rectification_itemact (item_id, division, round, act, result, words, appointment, account, actor, acted_on,
    signature_id)
SELECT id, division, round, %(act)s, {result}, %(words)s, %(by)s, %(account)s, %(actor)s, %(on)s, %(signature)s FROM chosen
"""


def _choose(by: Actor, on: date, ids: Sequence[int], state: str, act: str) -> int:
    """The ticked items as temporary table `chosen`, without those of relatives; AlreadyDone when one is not there any more."""
    wanted = sorted(set(ids))
    if not 0 < len(wanted) <= AT_ONCE_MAX:
        raise BadInput(f"没有选，或超过 {AT_ONCE_MAX} 户", where="名单", remedy="请勾选要办的户")
    asked = {"ids": wanted, "state": state, "low": by.prefix, "high": by.prefix + "~"}
    temporary("chosen", _CHOSEN, asked)
    [count] = fetch_one("SELECT count(*)::int FROM chosen")
    if count != len(wanted):
        raise AlreadyDone("所选的有的已不在这一步", why="可能已有人办理", remedy="请刷新名单后再选")
    if len(wanted) == 1:
        require_not_related(by, on, fetch_one("SELECT array_agg(household_id) FROM chosen")[0])
    elif leave_out_related(by, on, "chosen", act=act, subject="rectification"):
        [count] = fetch_one("SELECT count(*)::int FROM chosen")
    if not count:
        raise Recused("所选的都是您近亲属所在的户", why="近亲属回避", remedy="请转交另一位同岗位人员办理")
    return int(count)


@command(*FINDERS)
def record_kept(*, by: Actor, on: date, items: Sequence[int], grounds: str) -> int:
    """Of these, all held, visited and without a mark: they qualify and keep what they have. How many."""
    if len(grounds.strip()) < 4:
        raise BadInput("没有写理由", where="理由", remedy="请写明核查到什么")
    count = _choose(by, on, items, State.OPEN, "登记核查结果")
    for what, remedy, where in (
        ("有的户还没有签字的入户核查", "请先入户、双方签字", "visit_id IS NULL"),
        ("有的户有疑点，须逐户写理由和凭据", "请去掉有疑点的户，逐户登记", "risk_count > 0"),
        ("有的户不是在保对象", "漏保的逐户登记", "origin <> 'held'"),
    ):
        found = fetch(f"SELECT number FROM chosen WHERE {where} ORDER BY number LIMIT 5")  # noqa: S608
        if found:
            raise NotVisited(what, why="、".join(number for (number,) in found), remedy=remedy)
    told = {"grounds": grounds.strip()[:500]}
    _, content = fetch_one(_DIGEST.format(result="'keep'", grounds="%(grounds)s::text"), told)
    signature = sign(by=by, on=on, act="登记核查结果", subject="rectification:many", content_digest=content)
    values = {
        "by": by.appointment, "account": by.account, "on": on, "signature": signature.pk, "act": Act.FOUND,
        "actor": by.title[:160], "words": told["grounds"], **told,
    }  # fmt: skip
    run(
        "UPDATE rectification_item i SET state = 'found', result = 'keep', grounds = %(grounds)s, evidence = '', to_fen = NULL,"
        " visit_id = c.visit_id, found_by = %(by)s, found_account = %(account)s, found_on = %(on)s, finding_id = %(signature)s"
        " FROM chosen c WHERE c.id = i.id",
        values,
    )
    run(_ACT.format(result="'keep'"), values)
    return count


@command(*REVIEWERS)
def review_results(*, by: Actor, on: date, items: Sequence[int]) -> int:
    """Another person agrees with these results, after reading them; how many."""
    count = _choose(by, on, items, State.FOUND, "复核整治结果")
    own = fetch("SELECT number FROM chosen WHERE found_account = %s ORDER BY number LIMIT 5", [by.account])
    if own:
        raise SamePerson("登记结果的人不能复核", why="、".join(number for (number,) in own), remedy="请由另一人复核")
    _, content = fetch_one(_DIGEST.format(result="result", grounds="grounds"))
    signature = sign(by=by, on=on, act="复核整治结果", subject="rectification:many", content_digest=content)
    values = {
        "by": by.appointment, "account": by.account, "on": on, "signature": signature.pk, "act": Act.REVIEWED,
        "actor": by.title[:160], "words": "",
    }  # fmt: skip
    run(
        "UPDATE rectification_item i SET state = 'reviewed', reviewed_by = %(by)s, reviewed_account = %(account)s,"
        " reviewed_on = %(on)s, review_id = %(signature)s FROM chosen c WHERE c.id = i.id",
        values,
    )
    run(_ACT.format(result="result"), values)
    return count


@command(*REVIEWERS)
def return_result(*, by: Actor, on: date, item_id: int, reason: str) -> Item:
    """It has to be looked at again, for a reason: the next round begins, with a visit of its own."""
    item = locked_item(by, item_id)
    if item.state == State.OPEN:
        raise AlreadyDone("这一户还没有结果", remedy="请刷新后查看")
    require_not_related(by, on, [item.household_id])
    if len(reason.strip()) < 4:
        raise BadInput("没有写退回的理由", where="理由", remedy="请写明哪里没有查清")
    reopen(by, on, item, reason.strip(), Act.RETURNED)
    return item


def reopen(by: Actor, on: date, item: Item, reason: str, act: str) -> None:
    """Back to open, next round, with the act that says why; inside a command that holds the item."""
    content = {"item": item.number, "round": item.round, "act": act, "reason": reason}
    signature = sign(
        by=by, on=on, act="退回重新核查", subject=item.subject, content_digest=digest(content), division=item.division
    )
    add_act(by, on, item, act, reason, signature.pk)
    take_down(by, on, item)
    item.state, item.round = State.OPEN, item.round + 1
    item.result, item.grounds, item.evidence, item.to_fen, item.visit_id = "", "", "", None, None
    item.found_by = item.found_account = item.found_on = item.finding_id = None
    item.reviewed_by = item.reviewed_account = item.reviewed_on = item.review_id = None
    item.save(
        update_fields=[
            "state", "round", "result", "grounds", "evidence", "to_fen", "visit", "found_by", "found_account", "found_on",
            "finding", "reviewed_by", "reviewed_account", "reviewed_on", "review",
        ]
    )  # fmt: skip
