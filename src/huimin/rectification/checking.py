"""The county's checks on the spot: a draw anybody can redo, every relative besides, and what was found there (CASE-10, CASE-08, REG-10).

in    the list of who holds; a public event that comes later, its number typed by two people; the county's own signed visit
out   Picks, drawn; CountyChecks, signed; an item that does not agree goes back to the township

The rule is that of samples.seeding, over the items' numbers: at least the campaign's percent of the whole list, the smallest
SHA-256 keys under a seed of list digest, event, day and number; declared and registered relatives without exception (必查),
who do not count. Always true: the list is frozen before the number can be known; who found or reviewed an item does not check
it; a check rests on a visit of its own. What a township may not see of the kinship file stands at the county (Pick).
日政办发〔2018〕95号 四(一), 四(三), 五(二).
"""

from datetime import date

from huimin.database.bulk import fetch_one, run
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.declaring import reads_file
from huimin.kinship.queries import RELATED_HOUSEHOLDS
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, SamePerson, command, refused_by_constraint, require_programme
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rectification.finding import NotVisited, add_act, locked_item, reopen
from huimin.rectification.models import Campaign, CheckDraw, CountyCheck, Item, ItemAct, Pick
from huimin.rectification.planning import locked_campaign
from huimin.samples.seeding import EVENTS, quota_of, read_outcome, seed_of
from huimin.visits.queries import signed_of

CHECKERS = (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER)
DRAWERS = (*CHECKERS, Post.SUPERVISOR)

refused_by_constraint("rectification_check_once", AlreadyDone, "这一户这一轮已经抽查过", "请刷新后查看")
refused_by_constraint("rectification_checked_by_another", SamePerson, "登记、复核过的人不能抽查", "请由另一人抽查")


class NotYet(Refusal):
    """The public number has not come, or the township has not finished."""


_LIST = """
INSERT INTO rectification_pick (campaign_id, item_id, division, number, must, key, picked)
SELECT i.campaign_id, i.id, %(county)s, i.number, 'kin' = ANY (i.risks) OR k.household_id IS NOT NULL, '', false
FROM rectification_item i
LEFT JOIN (SELECT DISTINCT household_id FROM ({related}) r) k ON k.household_id = i.household_id
WHERE i.campaign_id = %(campaign)s AND i.origin = 'held'
ON CONFLICT (item_id) DO NOTHING
"""
_NOBODY = "SELECT NULL::bigint AS household_id WHERE false"
LIST_DIGEST = """
SELECT count(*)::int, count(*) FILTER (WHERE must)::int, encode(sha256(convert_to(coalesce(string_agg(
       number || CASE WHEN must THEN E'\\t必查' ELSE '' END || E'\\n', '' ORDER BY number), ''), 'UTF8')), 'hex')
FROM rectification_pick WHERE campaign_id = %s
"""
"""Size, 必查, and the digest of samples.seeding.list_text over the list."""


@command(*CHECKERS)
def freeze_draw(*, by: Actor, on: date, campaign_id: int, event: str, event_on: date) -> CheckDraw:
    """Freeze the list and name the public event whose number will draw from it; it comes on a later day."""
    campaign = locked_campaign(by, campaign_id, Campaign.State.OPEN)
    _require_programmes(by, campaign)
    if event not in EVENTS:
        raise BadInput("没有选公开号码", where="公开号码", remedy="请从列表选择")
    if event_on <= on or event_on.isoweekday() not in EVENTS[event].weekdays:
        raise BadInput(f"{event_on} 不成立", where="开奖日", why=EVENTS[event].days, remedy="请写今天以后的开奖日")
    if CheckDraw.objects.filter(campaign=campaign).exists():
        raise AlreadyDone("抽查名单已经冻结", remedy="请刷新后查看")
    related = RELATED_HOUSEHOLDS if reads_file(by) else _NOBODY
    run(_LIST.format(related=related), {"campaign": campaign.pk, "county": campaign.county, "on": on})
    size, must, told = fetch_one(LIST_DIGEST, [campaign.pk])
    if not size:
        raise BadInput("没有在保对象可抽", where="名单", remedy="请核对名单")
    content = {"campaign": campaign.pk, "list": told, "event": event, "event_on": event_on, "percent": campaign.percent}
    signature = sign(
        by=by,
        on=on,
        act="冻结抽查名单",
        subject=campaign.subject,
        content_digest=digest(content),
        division=campaign.division,
    )
    return CheckDraw.objects.create(
        campaign=campaign, division=campaign.division, size=size, must=must, quota=quota_of(size, must, campaign.percent),
        digest=told, event=event, event_on=event_on, frozen_by=by.appointment, frozen_on=on, signature=signature,
    )  # fmt: skip


def _require_programmes(by: Actor, campaign: Campaign) -> None:
    if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
        for code in campaign.programmes:
            require_programme(by, code)


_DRAW = """
UPDATE rectification_pick p SET key = k.key, picked = p.must OR k.place <= %(quota)s
FROM (SELECT id, key, row_number() OVER (PARTITION BY must ORDER BY key COLLATE "C", number) AS place
      FROM (SELECT id, must, number, encode(sha256(convert_to(%(seed)s || ':' || number, 'UTF8')), 'hex') AS key
            FROM rectification_pick WHERE campaign_id = %(campaign)s) keyed) k
WHERE k.id = p.id
"""


@command(*DRAWERS)
def type_number(*, by: Actor, on: date, campaign_id: int, number: str) -> CheckDraw:
    """The number as it was published: the first person's waits for a second, whose must be the same; then it is drawn."""
    campaign = locked_campaign(by, campaign_id, Campaign.State.OPEN)
    _require_programmes(by, campaign)
    draw = CheckDraw.objects.select_for_update().filter(campaign=campaign).first()
    if draw is None or draw.state == CheckDraw.State.DRAWN:
        raise AlreadyDone("已经抽签" if draw else "还没有冻结抽查名单", remedy="请刷新后查看")
    if on < draw.event_on:
        raise NotYet(f"{draw.event_on} 才开奖", remedy="请在开奖以后录入")
    told = read_outcome(draw.event, number)
    if not draw.first_number:
        draw.first_number, draw.first_by, draw.first_account = told, by.appointment, by.account
        draw.save(update_fields=["first_number", "first_by", "first_account"])
        return draw
    if draw.first_account == by.account:
        raise SamePerson("录入第一遍的人不能录第二遍", why="两人各录一遍", remedy="请由另一人录入")
    if draw.first_number != told:
        raise BadInput(
            "两次录入的号码不一样", where="公开号码", remedy="请对照公布的结果核对；第一遍录错的请联系第一遍的人重录"
        )
    seed = seed_of(draw.digest, draw.event, draw.event_on, told)
    run(_DRAW, {"seed": seed, "quota": draw.quota, "campaign": campaign.pk})
    draw.number, draw.seed, draw.state = told, seed, CheckDraw.State.DRAWN
    draw.drawn_by, draw.drawn_account, draw.drawn_on = by.appointment, by.account, on
    draw.save(update_fields=["number", "seed", "state", "drawn_by", "drawn_account", "drawn_on"])
    return draw


@command(*DRAWERS)
def retype_number(*, by: Actor, on: date, campaign_id: int, number: str) -> CheckDraw:
    """Who typed first typed wrong: he types again before a second person did."""
    campaign = locked_campaign(by, campaign_id, Campaign.State.OPEN)
    draw = CheckDraw.objects.select_for_update().filter(campaign=campaign, state=CheckDraw.State.FROZEN).first()
    if draw is None or draw.first_account != by.account:
        raise AlreadyDone("不是您录的第一遍，或已经抽签", remedy="请刷新后查看")
    draw.first_number = read_outcome(draw.event, number)
    draw.save(update_fields=["first_number"])
    return draw


@command(*CHECKERS)
def record_check(*, by: Actor, on: date, item_id: int, agreed: bool, words: str) -> CountyCheck:
    """What the county found on the spot of a drawn item whose result was reviewed. What does not agree goes back."""
    item = locked_item(by, item_id)
    _require_programmes(by, item.campaign)
    require_not_related(by, on, [item.household_id])
    pick = Pick.objects.select_for_update().filter(item=item, picked=True).first()
    if pick is None:
        raise BadInput("这一户没有抽中", where="抽查", remedy="请从抽查名单进入")
    if item.state != Item.State.REVIEWED:
        raise NotYet("乡镇还没有复核这一户的结果", remedy="请在复核以后抽查")
    if by.account in (item.found_account, item.reviewed_account):
        raise SamePerson("登记、复核过的人不能抽查", remedy="请由另一人抽查")
    if len(words.strip()) < 4:
        raise BadInput("没有写抽查情况", where="抽查情况", remedy="请写明看到什么，与乡镇的结果是否一致")
    visit = next(iter(signed_of(item.check_subject, item.round)), None)
    if visit is None:
        raise NotVisited("还没有县级入户抽查的签字记录", why="抽查须实地入户", remedy="请先登记入户、双方签字")
    content = {
        "item": item.number,
        "round": item.round,
        "agreed": agreed,
        "words": words.strip(),
        "visit": visit.digest,
    }
    signature = sign(
        by=by, on=on, act="县级入户抽查", subject=item.subject, content_digest=digest(content), division=pick.division
    )
    made = CountyCheck.objects.create(
        pick=pick, division=pick.division, round=item.round, agreed=agreed, words=words.strip()[:500], visit=visit,
        checked_by=by.appointment, account=by.account, checked_on=on, signature=signature,
    )  # fmt: skip
    if agreed:
        add_act(by, on, item, ItemAct.Act.CHECKED, "与乡镇结果一致", signature.pk)
    else:
        reopen(by, on, item, f"县级抽查不一致：{words.strip()}", ItemAct.Act.CHECKED)
    return made
