"""The check of a roster before it leaves the township: what looks wrong is listed, explained or held back (PAY-01, PAY-06).

    find_doubts        part of compile_roster, and of check_roster when facts have moved on
    explain_findings   the clerk says why the line is right; the reviewer who posts the roster reads it
    hold_findings      the clerk holds the line back, for every open doubt about it; what it owes stays owed
    release_hold       another person resolves doubts one by one; where none is left that holds it, the next roster of the period
                       takes the line up (补充清册)

Nothing is posted while a doubt is open. A line that pays for a time after the death of its person, or of the last of its household, can only be held
back; in a household that lives on a death is looked into. How unlike the last period an amount must be to be asked about is our own expectation; no text sets it. All doubts of a roster are found by
three statements, whatever its length. Law: 皖政办〔2008〕23号 附件4 第17–19条, 第28条 (对象、金额准确).
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from huimin.database.bulk import fetch_one, run, temporary
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import chain
from huimin.organisation.acting import (
    Actor,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.payment.commands.states import get_roster
from huimin.payment.commands.withholding import free_of_held
from huimin.payment.counting import COUNTS, sums_of_roster
from huimin.payment.models import Roster, RosterFinding
from huimin.policy.queries import adopted_book

UNLIKE_PERCENT = 20
"""How far a line may be from the usual change of its roster against the last period before somebody must look."""
HELD = "核对后缓发"
State, Kind = RosterFinding.State, RosterFinding.Kind

refused_by_constraint("hold_released_by_another", SamePerson, "缓发的人不能自己解除", "请由另一位工作人员解除")


class DoubtsOpen(Refusal):
    """The roster has findings nobody has answered."""


class NotExplainable(Refusal):
    """A line that pays the dead is held back; no reason makes it right."""


class NothingToRelease(Refusal):
    """None of the findings named is held."""


# The lines still on the roster, with the first and last day their dues are for; also where the card went out of sight.
_SPANS = """
SELECT l.id, l.division, l.household_id, l.person_id, l.payee_id, l.authority_id, l.amount_fen, e.valid_from,
       c.account_hash, min(d.period_from) AS since, max(d.period_from) AS last, max(d.period_until) AS until
  FROM payment_rosterline l
  JOIN payment_linedue x ON x.line_id = l.id AND x.live
  JOIN payment_due d ON d.id = x.due_id
  JOIN casework_entitlement e ON e.id = l.entitlement_id
  LEFT JOIN registry_card c ON c.id = l.card_id
 WHERE l.roster_id = %(roster)s AND l.state = 'listed'
 GROUP BY l.id, e.valid_from, c.account_hash
"""

# Members who left a household, or died, since it was granted; people of lines of their own who died.
_GONE = """
SELECT s.id, s.person_id, m.valid_to, p.closed_on, p.name, s.last, s.person_id IS NULL AND NOT EXISTS (
       SELECT 1 FROM registry_membership o WHERE o.household_id = s.household_id AND o.recorded_to IS NULL
          AND o.valid_from <= %(on)s AND (o.valid_to IS NULL OR o.valid_to > %(on)s)) AS nobody_left
  FROM roster_spans s
  JOIN registry_membership m ON m.household_id = s.household_id AND m.recorded_to IS NULL AND m.valid_to <= %(on)s
       AND CASE WHEN s.person_id IS NULL THEN m.valid_to > s.valid_from ELSE m.person_id = s.person_id END
  JOIN registry_person p ON p.id = m.person_id
 WHERE p.merged_into_id IS NULL AND (s.person_id IS NULL OR p.closed_on IS NULL) AND NOT EXISTS (
       SELECT 1 FROM registry_membership n WHERE n.household_id = m.household_id AND n.person_id = m.person_id
          AND n.recorded_to IS NULL AND n.valid_from >= m.valid_to AND (n.valid_to IS NULL OR n.valid_to > %(on)s))
UNION ALL
SELECT s.id, s.person_id, p.closed_on, p.closed_on, p.name, s.last, false
  FROM roster_spans s JOIN registry_person p ON p.id = s.person_id
 WHERE p.closed_on IS NOT NULL AND p.merged_into_id IS NULL
"""

# One row a line and kind; what a place does not see of a household that moved is a move, too.
_FOUND = f"""
WITH before AS (
    SELECT s.id, l.amount_fen AS was, s.amount_fen::numeric / l.amount_fen AS ratio
      FROM roster_spans s
      JOIN payment_rosterline l ON l.roster_id = ANY(%(last)s) AND l.household_id = s.household_id
           AND l.person_id IS NOT DISTINCT FROM s.person_id AND l.{COUNTS}),
usual AS MATERIALIZED (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio)::numeric AS ratio FROM before),
others AS (
    SELECT s.id, s.since, s.until, o.roster_id, o.line_no
      FROM roster_spans s JOIN payment_rosterline o ON o.person_id = s.person_id
     WHERE o.programme = %(programme)s AND o.household_id <> s.household_id AND o.{COUNTS}
    UNION ALL
    SELECT s.id, s.since, s.until, o.roster_id, o.line_no
      FROM roster_spans s
      JOIN payment_rosterline o ON o.payee_id = s.payee_id AND o.person_id IS NOT DISTINCT FROM s.person_id
           AND o.authority_id IS NOT DISTINCT FROM s.authority_id
     WHERE s.person_id IS NULL AND s.authority_id IS NULL
       AND o.programme = %(programme)s AND o.household_id <> s.household_id AND o.{COUNTS})
SELECT g.id, CASE WHEN bool_or(g.person_id IS NOT NULL AND g.closed_on < g.last) OR bool_and(g.nobody_left AND g.closed_on < g.last)
            AND NOT EXISTS (SELECT 1 FROM roster_gone o WHERE o.id = g.id AND o.closed_on IS NULL) THEN 'dead' ELSE 'died' END AS kind,
       CASE WHEN bool_or(g.person_id IS NOT NULL) THEN '本人死亡：' WHEN bool_or(g.nobody_left) THEN '户已无人：' ELSE '' END
       || string_agg(g.name || ' 于 ' || g.closed_on || ' 死亡', '；' ORDER BY g.closed_on) AS detail
  FROM roster_gone g WHERE g.closed_on IS NOT NULL GROUP BY g.id
UNION ALL
SELECT id, 'left', string_agg(name || ' 于 ' || valid_to || ' 离开本户', '；' ORDER BY valid_to)
  FROM roster_gone WHERE closed_on IS NULL GROUP BY id
UNION ALL
SELECT s.id, 'moved', CASE WHEN h.closed_on IS NULL THEN '户已迁出本乡镇' ELSE '户已于 ' || h.closed_on || ' 注销' END
  FROM roster_spans s LEFT JOIN registry_household h ON h.id = s.household_id
 WHERE h.id IS NULL OR h.closed_on IS NOT NULL OR left(h.division, 9) <> left(s.division, 9)
UNION ALL
SELECT s.id, 'twice', '另在 ' || r.period_from || ' 至 ' || r.period_until - 1 || ' 的清册第 ' || min(s.line_no) || ' 行'
  FROM others s
  JOIN payment_roster r ON r.id = s.roster_id AND r.state <> 'withdrawn' AND r.kind = 'base'
       AND r.period_from < s.until AND r.period_until > s.since
 GROUP BY s.id, r.period_from, r.period_until
UNION ALL
SELECT s.id, 'excluded', '同时享受 ' || string_agg(DISTINCT g.name, '、')
  FROM roster_spans s
  JOIN casework_entitlement o ON o.household_id = s.household_id AND o.programme = ANY(%(excluded)s)
       AND o.valid_from < s.until AND (o.valid_to IS NULL OR o.valid_to > greatest(s.since, o.valid_from))
       AND (s.person_id IS NULL OR o.person_id IS NULL OR o.person_id = s.person_id)
  JOIN policy_programme g ON g.code = o.programme
 GROUP BY s.id
UNION ALL
SELECT s.id, 'account', '与 ' || shared.households - 1 || ' 户同一账户'
  FROM roster_spans s
  JOIN (SELECT account_hash, count(DISTINCT household_id) AS households FROM roster_spans GROUP BY account_hash
        HAVING count(DISTINCT household_id) > 1) shared USING (account_hash)
UNION ALL
SELECT b.id, 'unlike', '上期 ' || to_char(b.was / 100.0, 'FM999999990.00') || ' 元，本期 '
       || to_char(b.was * b.ratio / 100.0, 'FM999999990.00') || ' 元'
  FROM before b, usual u
 WHERE abs(b.ratio / u.ratio - 1) * 100 > %(percent)s
"""  # noqa: S608

_ADD = f"""
INSERT INTO payment_rosterfinding (division, roster_id, line_id, kind, detail, amount_fen, found_on, state, answer,
    release_reason)
SELECT s.division, %(roster)s, s.id, f.kind, left(string_agg(f.detail, '；'), 200), s.amount_fen, %(on)s, 'open', '', ''
  FROM ({_FOUND}) f JOIN roster_spans s ON s.id = f.id
 GROUP BY s.id, s.division, s.amount_fen, f.kind
ON CONFLICT DO NOTHING
"""  # noqa: S608

# The rosters of the last period of the same length: what a line of this one is compared with.
_LAST = """
SELECT coalesce(array_agg(r.id), '{}') FROM payment_roster r
WHERE r.division = %(division)s AND r.programme = %(programme)s AND r.kind = 'base' AND r.state <> 'withdrawn'
  AND r.period_until <= %(start)s AND r.period_until - r.period_from BETWEEN %(days)s - 3 AND %(days)s + 3
  AND r.period_until = (SELECT max(o.period_until) FROM payment_roster o
                         WHERE o.division = r.division AND o.programme = r.programme AND o.kind = 'base'
                           AND o.state <> 'withdrawn' AND o.period_until <= %(start)s)
"""

# What is left of the indicators of the place and those above it, and what other rosters already ask of it.
_LEFT = """
SELECT coalesce(sum(a.amount_fen), 0)::bigint,
       coalesce(sum(a.amount_fen - a.reserved_fen - a.spent_fen - a.issued_fen - a.carried_fen - a.cut_fen), 0)::bigint
  FROM funds_allotment a WHERE a.division = ANY(%(chain)s) AND a.programme = %(programme)s AND a.state = 'in_force'
   AND (a.year = %(year)s OR a.kind = 'carried' AND a.year > %(year)s AND a.year <= %(now)s)
"""


def find_doubts(roster: Roster, on: date) -> int:
    """Add what looks wrong with the lines still on the roster; how many doubts are new. Inside a command."""
    period = {"start": roster.period_from, "days": (roster.period_until - roster.period_from).days}
    where = {"division": roster.division, "programme": roster.programme}
    [last] = fetch_one(_LAST, where | period)
    told = where | {"roster": roster.pk, "on": on, "last": last, "percent": UNLIKE_PERCENT}
    temporary(
        "roster_spans", _SPANS, told
    )  # with statistics: a plan for the one row an empty table promises takes minutes
    temporary("roster_gone", _GONE, told)
    added = run(_ADD, told | {"excluded": _excluded(roster)})
    return added + _over(roster, on)


def _excluded(roster: Roster) -> list[str]:
    """The programmes the law of this one does not go together with, as in force on the last day of the period."""
    book, places, found = adopted_book(), chain(roster.division), set()
    for law in book.programmes_in_force(places, roster.period_from):
        if law.code == roster.programme:
            found = {each.id.removeprefix("not-") for each in law.structure.conditions if each.id.startswith("not-")}
    return sorted(found)


def _over(roster: Roster, on: date) -> int:
    """A doubt about the whole roster where indicators are registered and hold less than it."""
    where = {
        "chain": list(chain(roster.division)),
        "programme": roster.programme,
        "year": roster.period_from.year,
        "now": on.year,
    }
    received, left = fetch_one(_LEFT, where)
    asked = sums_of_roster(roster.pk).amount_fen
    if not received or left >= asked:
        return 0
    detail = f"指标还剩 {left / 100:,.2f} 元"
    _, made = RosterFinding.objects.get_or_create(
        roster=roster, line=None, kind=Kind.OVER,
        defaults={"division": roster.division, "detail": detail, "amount_fen": asked, "found_on": on},
    )  # fmt: skip
    return int(made)


@command(Post.CLERK, Post.REVIEWER)
def check_roster(*, by: Actor, on: date, roster_id: int) -> int:
    """Look again at a roster that is not posted yet: facts may have moved on; how many doubts wait for an answer."""
    roster = get_roster(roster_id, Roster.State.COMPILED)
    find_doubts(roster, on)
    return roster.findings.filter(state=State.OPEN).count()


def require_answered(roster: Roster, on: date) -> None:
    """No doubt of the roster is open, and looking again finds none; DoubtsOpen. Inside a command."""
    fresh = find_doubts(roster, on)
    waiting = roster.findings.filter(state=State.OPEN).count()
    if waiting:
        raise DoubtsOpen(
            f"清册有 {waiting} 件核对事项没有处理",
            why="编制后情况有变化，又查出新的事项" if fresh else "每件都要说明理由，或把这一行缓发",
            remedy="请由编制的统计员在清册的核对事项里处理" + ("，先点“重新核对”" if fresh else ""),
        )


@command(Post.CLERK)
def explain_findings(*, by: Actor, on: date, roster_id: int, finding_ids: Sequence[int], reason: str) -> int:
    """Say why lines are right although they look wrong; how many were answered. Answered ones stay as they are."""
    roster = _mine(by, roster_id)
    reason = _reason(reason)
    found = roster.findings.filter(pk__in=finding_ids, state=State.OPEN)
    if found.filter(kind__in=RosterFinding.HARD).exists():
        raise NotExplainable(
            "发到死亡以后月份的不能用说明放行", why="死亡次月起没有待遇", remedy="请缓发，并先办理待遇停止"
        )
    return found.update(state=State.EXPLAINED, answer=reason, answered_by=by.appointment, answered_on=on)


_HOLD_LINES = """
UPDATE payment_rosterline l SET state = 'withheld', withheld_reason = %(why)s
 WHERE l.roster_id = %(roster)s AND l.state = 'listed'
   AND l.id IN (SELECT f.line_id FROM payment_rosterfinding f WHERE f.roster_id = %(roster)s AND f.state = 'held')
"""
_FREE_DUES = """
UPDATE payment_linedue x SET live = false FROM payment_rosterfinding f
 WHERE f.roster_id = %(roster)s AND f.state = 'held' AND x.line_id = f.line_id AND x.live
"""


@command(Post.CLERK)
def hold_findings(*, by: Actor, on: date, roster_id: int, finding_ids: Sequence[int], reason: str) -> int:
    """Hold the lines of these findings back, for every open doubt about them; how many lines. Their dues stay owed.

    What was explained before stays explained: it holds nothing.
    """
    roster = _mine(by, roster_id)
    reason = _reason(reason)
    lines = list(
        roster.findings.filter(pk__in=finding_ids, state=State.OPEN, line__isnull=False).values_list("line", flat=True)
    )
    waiting = roster.findings.filter(line__in=lines, state=State.OPEN)
    waiting.update(state=State.HELD, answer=reason, answered_by=by.appointment, answered_on=on)
    held = run(_HOLD_LINES, {"roster": roster.pk, "why": f"{HELD}：{reason}"[:200]})
    run(_FREE_DUES, {"roster": roster.pk})
    free_of_held(roster)
    if not roster.lines.filter(state="listed").exists():
        raise Refusal("清册各行都缓发了，没有可发的", why="一份清册至少要发一行", remedy="请撤回这份清册")
    return held


class Released(NamedTuple):
    """Doubts that were resolved; lines the next roster takes up; lines another doubt still holds."""

    findings: int
    lines: int
    still_held: int


@command(Post.REVIEWER)
def release_hold(*, by: Actor, on: date, finding_ids: Sequence[int], reason: str) -> Released:
    """Resolve these doubts, and no other: a line is free for the next roster of its period (补充清册) when nothing holds it any more.

    Never by who held it. NothingToRelease where none of them is held.
    """
    reason = _reason(reason)
    found = RosterFinding.objects.select_for_update(of=("self",)).filter(pk__in=finding_ids, state=State.HELD)
    held = list(found.exclude(roster__state="withdrawn").select_related("roster").order_by("id"))
    if not held:
        raise NothingToRelease("没有可以解除的缓发", why="已经解除，或清册已撤回", remedy="请刷新后查看")
    for programme in {each.roster.programme for each in held}:
        require_programme(by, programme)
    for holder in {each.answered_by for each in held}:
        require_another(by, holder, "缓发")
    lines = {each.line_id for each in held}
    RosterFinding.objects.filter(pk__in=[each.pk for each in held]).update(
        state=State.RELEASED, release_reason=reason, released_by=by.appointment, released_on=on
    )
    still = RosterFinding.objects.filter(line__in=lines, state=State.HELD).values("line").distinct().count()
    return Released(len(held), len(lines) - still, still)


def _mine(by: Actor, roster_id: int) -> Roster:
    roster = get_roster(roster_id, Roster.State.COMPILED)
    require_programme(by, roster.programme)
    return roster


def _reason(text: str) -> str:
    text = " ".join(text.split())
    if not 4 <= len(text) <= 120:
        raise BadInput(
            "理由要写清楚", where="理由", why=f"写了 {len(text)} 个字，须 4 至 120 个字", remedy="请写明核对的情况"
        )
    return text
