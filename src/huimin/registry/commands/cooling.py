"""The county's cooling time, and accounts whose time has come (REG-07).

in    the county office's number of days, agreed to by another person; approved corrections whose day is reached
out   a rule; old cards 已更换 and new cards 正常, set-wise

Always true: an approved correction is used on `effective_on`, neither before nor by hand; a later rule does not shorten
it; until then payment goes to the old card, and nowhere when that is lost. What cannot come into use (the household has
another card meanwhile) stays 待启用. Without a rule there is no cooling time.
"""

from datetime import date

from huimin.database.bulk import fetch, run, temporary
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.card_queries import last_rule, waiting_rule
from huimin.registry.models import RECORDED, Card, CardCorrection, CardRule
from huimin.registry.snapshots import NotRegistered

DAYS_MAX = 90


def cooling_days(division: str) -> int:
    """Days of the county of `division`."""
    rule = last_rule(division)
    return rule.cooling_days if rule else 0


refused_by_constraint("cooling_needs_two_people", SamePerson, "提出的人不能审核", "请由领导小组审批人审核")
refused_by_constraint("cooling_open_once", AlreadyDone, "已有待审核的冷静期", "请等它审核后再提")


@command(Post.COUNTY_OFFICER)
def propose_cooling_time(*, by: Actor, on: date, days: int, basis: str) -> CardRule:
    """Propose that an approved change of account is used after `days` days, 0 to 90; another person decides.

    What is in force, or waits already, is answered with itself.
    """
    if not 0 <= days <= DAYS_MAX:
        raise BadInput(f"{days} 天不在 0 至 {DAYS_MAX} 天之内", where="天数", remedy="请填写 0 至 90 的整数")
    if not basis.strip():
        raise BadInput("没有依据", where="依据", remedy="请写明文件或会议的名称和日期")
    for found in (waiting_rule(by.division), last_rule(by.division)):
        if found is not None and (found.cooling_days, found.basis) == (days, basis.strip()[:120]):
            return found
    return CardRule.objects.create(
        division=by.division, cooling_days=days, basis=basis.strip()[:120], set_by=by.appointment, set_on=on
    )


@command(Post.LEADING_APPROVER)
def settle_cooling_time(*, by: Actor, on: date, rule: int, agreed: bool, refusal: str = "") -> CardRule:
    """The proposed time counts from now on, or does not for a reason; who proposed does not decide."""
    found = CardRule.objects.select_for_update().filter(pk=rule).first()
    if found is None:
        raise NotRegistered("没有这份冷静期的提议", remedy="请刷新后查看")
    require_place(by, found.division)
    if found.state != CardRule.State.PROPOSED:
        raise AlreadyDone(f"这份提议{found.get_state_display()}", remedy="请刷新后查看")
    require_another(by, found.set_by, "提出冷静期")
    if not agreed and not refusal.strip():
        raise BadInput("没有不同意的原因", where="原因", remedy="请写明原因")
    content = {"days": found.cooling_days, "basis": found.basis, "agreed": agreed}
    sign(
        by=by,
        on=on,
        act="审核账户更正冷静期",
        subject=f"card_rule:{found.pk}",
        content_digest=digest(content),
        division=found.division,
    )
    found.state = CardRule.State.APPROVED if agreed else CardRule.State.REFUSED
    found.refusal = "" if agreed else refusal.strip()[:200]
    found.decided_by, found.decided_on = by.appointment, on
    found.save(update_fields=["state", "refusal", "decided_by", "decided_on"])
    return found


@command(Post.REVIEWER, Post.COUNTY_OFFICER)
def stop_card_correction(*, by: Actor, on: date, correction: int, refusal: str) -> CardCorrection:
    """Stop an approved correction before its account is used: somebody objected in time."""
    found = (
        CardCorrection.objects.select_for_update(of=("self",)).filter(pk=correction).select_related("new_card").first()
    )
    if found is None:
        raise NotRegistered("没有这份账户更正", why="不存在，或不在您的辖区内", remedy="请从列表中重新选择")
    require_place(by, found.division)
    if found.new_card is None or found.new_card.state != Card.State.PENDING:
        raise AlreadyDone(f"这份更正已是“{found.get_state_display()}”，不在冷静期内", remedy="请刷新后查看")
    if not refusal.strip():
        raise BadInput("没有停止原因", where="停止原因", remedy="请写明为何停止启用新账户")
    card = found.new_card
    card.state, card.valid_to, card.recorded_from = Card.State.CLOSED, max(on, card.valid_from), RECORDED
    card.save(update_fields=["state", "valid_to", "recorded_from"])
    found.state, found.refusal = CardCorrection.State.REFUSED, refusal.strip()[:200]
    found.save(update_fields=["state", "refusal"])
    return found


@command(Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.COUNTY_OFFICER)
def put_accounts_in_force(*, by: Actor, on: date) -> int:
    """Every account of the place whose cooling time is over is in use; how many. Payment does it by itself."""
    return put_due_in_force(by, on)


# One of several that would take the same household's, or person's, place comes first.
_DUE = """
SELECT DISTINCT ON (n.use, CASE WHEN n.use = 'household' THEN n.household_id ELSE n.holder_id END)
       n.id AS new_id, o.id AS old_id
FROM registry_cardcorrection k
JOIN registry_card n ON n.id = k.new_card_id AND n.state = 'pending' AND n.recorded_to IS NULL
LEFT JOIN registry_card o ON o.id = k.old_card_id AND o.recorded_to IS NULL AND o.state IN ('active', 'lost', 'frozen')
WHERE k.state = 'approved' AND k.effective_on <= %(on)s AND k.division >= %(low)s AND k.division < %(high)s
  AND NOT EXISTS (SELECT 1 FROM registry_card x WHERE x.recorded_to IS NULL AND x.state = 'active' AND x.use = n.use
        AND x.id IS DISTINCT FROM o.id
        AND CASE WHEN n.use = 'household' THEN x.household_id = n.household_id ELSE x.holder_id = n.holder_id END)
ORDER BY n.use, CASE WHEN n.use = 'household' THEN n.household_id ELSE n.holder_id END, k.id
"""
COPIED = ", ".join(field.column for field in Card._meta.fields if field.attname not in ("id", "recorded_to"))


def put_due_in_force(by: Actor, on: date) -> int:
    """The step of `put_accounts_in_force`, for whoever pays; the number of accounts that came into use."""
    run("DROP TABLE IF EXISTS pg_temp.due_cards")
    temporary("due_cards", _DUE, {"on": on, "low": by.prefix, "high": by.prefix + "~"})
    if not fetch("SELECT 1 FROM due_cards LIMIT 1"):
        return 0
    run(
        f"INSERT INTO registry_card ({COPIED}, recorded_to) SELECT {COPIED}, now() FROM registry_card"  # noqa: S608
        " WHERE id IN (SELECT unnest(ARRAY[new_id, old_id]) FROM due_cards)"
    )
    run(
        "UPDATE registry_card c SET state = 'replaced', valid_to = greatest(%(on)s, c.valid_from),"
        " recorded_from = transaction_timestamp() FROM due_cards d WHERE c.id = d.old_id",
        {"on": on},
    )
    return run(
        "UPDATE registry_card c SET state = 'active', recorded_from = transaction_timestamp()"
        " FROM due_cards d WHERE c.id = d.new_id"
    )
