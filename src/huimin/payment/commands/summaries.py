"""Summary rosters (汇总清册): every programme of a household on one line (PAY-01).

    compile_summary    township finance (财务结算员), from every roster of the period that the head has signed
    sign_summary       the head of the township, over the digest

A roster signed later makes a new summary, which replaces the one before; the lines of both stay. Held and struck lines are
not on it: it is what will be paid, by a roster or by the reissue of what came back. One statement for all lines. Law: 皖政办〔2008〕23号 附件4 第18–19条.
"""

from datetime import date

from huimin.database.bulk import fetch_one, run
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, AlreadyDone, command, require_another, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.roster_digest import require_unchanged
from huimin.payment.counting import REACHES
from huimin.payment.models import Roster, SummaryRoster
from huimin.payment.queries import STEPS

State = SummaryRoster.State
TAKEN = STEPS[STEPS.index(Roster.State.SIGNED) :]
"""States of rosters a summary takes up: signed by the head, or further."""


class NothingToSum(Refusal):
    """No roster of the period is signed."""


class NoSummary(Refusal):
    """The summary is not there, not at this step, or no longer what it was."""


_LINES = f"""
INSERT INTO payment_summaryline (summary_id, line_no, division, household_id, name, amounts, amount_fen)
WITH sums AS MATERIALIZED (
    SELECT household_id, programme, sum(amount_fen)::bigint AS fen, min(group_code) AS place,
           min(name) FILTER (WHERE person_id IS NULL) AS head, min(name) AS somebody
      FROM payment_rosterline WHERE roster_id = ANY(%(rosters)s) AND {REACHES}
     GROUP BY household_id, programme),
homes AS MATERIALIZED (
    SELECT household_id, min(place) AS place, min(head) AS head, min(somebody) AS somebody, sum(fen)::bigint AS fen,
           jsonb_object_agg(programme, fen) AS fens
      FROM sums GROUP BY household_id)
SELECT %(summary)s, row_number() OVER (ORDER BY s.place, h.household_no)::int, s.place, s.household_id,
       coalesce(s.head, w.name, s.somebody),
       ARRAY(SELECT coalesce((s.fens ->> p.code)::bigint, 0)
               FROM unnest(%(programmes)s::text[]) WITH ORDINALITY AS p(code, at) ORDER BY p.at), s.fen
  FROM homes s
  JOIN registry_household h ON h.id = s.household_id
  LEFT JOIN registry_membership m ON m.household_id = s.household_id AND m.relation = '户主'
       AND m.recorded_to IS NULL AND m.valid_from <= %(on)s AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
  LEFT JOIN registry_person w ON w.id = m.person_id
"""  # noqa: S608

_SUMS = f"""
SELECT count(DISTINCT household_id)::int, coalesce(sum(amount_fen), 0)::bigint
  FROM payment_rosterline WHERE roster_id = ANY(%(rosters)s) AND {REACHES}
"""  # noqa: S608

# Over what the rosters' own digests cover, and what of them is left to pay.
_DIGEST = f"""
SELECT encode(sha256(convert_to(string_agg(concat_ws('|', r.id, r.digest, p.lines, p.amount_fen), ';' ORDER BY r.id), 'UTF8')), 'hex')
  FROM payment_roster r
  CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(l.amount_fen), 0) AS amount_fen FROM payment_rosterline l
                       WHERE l.roster_id = r.id AND l.{REACHES}) p
 WHERE r.id = ANY(%(rosters)s)
"""  # noqa: S608


@command(Post.SETTLEMENT)
def compile_summary(*, by: Actor, on: date, division: str, period: Period) -> SummaryRoster:
    """The summary of a township and period over every signed roster; the same rosters again are the same summary.

    NothingToSum where none is signed; RosterChanged where one is not what was signed. Rosters of a longer period that ends in this
    one are taken up too.
    """
    require_place(by, division)
    found = list(
        Roster.objects.select_for_update()
        .filter(division=division, kind=Roster.Kind.BASE, state__in=TAKEN, period_until__lte=period.until)
        .filter(period_until__gt=period.start)
        .order_by("programme", "id")
    )
    if not found:
        raise NothingToSum(
            f"{period}还没有签批的单项清册", why="汇总清册由签批后的单项清册汇总", remedy="请先签批单项清册"
        )
    rosters = sorted(each.pk for each in found)
    where = {"rosters": rosters}
    [digest] = fetch_one(_DIGEST, where)
    mine = SummaryRoster.objects.filter(division=division, period_from=period.start, period_until=period.until)
    standing = mine.exclude(state=State.REPLACED).select_for_update().first()
    if standing is not None and (standing.rosters, standing.digest) == (rosters, digest):
        return standing
    for roster in found:
        require_unchanged(roster)
    households, amount_fen = fetch_one(_SUMS, where)
    if not households:
        raise NothingToSum("签批的清册没有可发的行", remedy="请查看清册里缓发的行")
    if standing is not None:
        mine.filter(pk=standing.pk).update(state=State.REPLACED)
    programmes = sorted({each.programme for each in found})
    made = SummaryRoster.objects.create(
        division=division, period_from=period.start, period_until=period.until, number=mine.count() + 1,
        rosters=rosters, programmes=programmes, households=households, amount_fen=amount_fen, digest=digest,
        compiled_by=by.appointment, compiled_on=on,
    )  # fmt: skip
    run(_LINES, where | {"summary": made.pk, "programmes": programmes, "on": on})
    return made


@command(Post.TOWNSHIP_HEAD)
def sign_summary(*, by: Actor, on: date, summary_id: int) -> SummaryRoster:
    """The head signs what township finance compiled; NoSummary where rosters have moved on since."""
    summary = SummaryRoster.objects.select_for_update().filter(pk=summary_id).first()
    if summary is None or summary.state == State.REPLACED:
        raise NoSummary("没有这份汇总清册", why="已被新的替换，或不在您的辖区内", remedy="请从列表进入")
    if summary.state == State.SIGNED:
        raise AlreadyDone("这份汇总清册已经签字", remedy="请刷新后查看")
    require_another(by, summary.compiled_by, "编制汇总清册")
    if fetch_one(_DIGEST, {"rosters": summary.rosters}) != (summary.digest,):
        raise NoSummary("单项清册在汇总以后有变化", why="有的行缓发、退回或重发", remedy="请财务结算员重新汇总")
    summary.signature = sign(
        by=by, on=on, act="签字汇总清册", subject=f"summary:{summary.pk}", content_digest=summary.digest, division=summary.division,
    )  # fmt: skip
    summary.state, summary.signed_by, summary.signed_on = State.SIGNED, by.appointment, on
    summary.save(update_fields=["state", "signed_by", "signed_on", "signature"])
    return summary
