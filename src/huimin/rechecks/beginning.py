"""A re-check begins, is looked into by the means the law names, or is called off (CASE-09, REG-10).

in    households that draw; what was asked, compared, heard, answered by letter, and on which day
out   rows of Recheck with why and by when they were due; their RecheckMeans

Always true (here in words, in migration 0002 for whoever writes): one re-check of a household at a time; nobody begins or
looks into one of a relative's household (of many those are left out and written down); means lie between its beginning and
the day they are recorded; a home visit is written down in room `visits` under this re-check and counts once both sides
signed. Beginning many is one statement. 伊民规〔2022〕2号 二(二)2; 民发〔2021〕57号 第31条.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch_one, run, temporary
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import Recused, leave_out_related, require_not_related
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.rechecks.due import DUE, values_of
from huimin.rechecks.models import Recheck, RecheckMeans
from huimin.rechecks.rules import settings_of

BEGINNERS = (Post.CLERK, Post.COUNTY_OFFICER)
LOOKERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.DEPARTMENT_OFFICER)
BEGUN_MAX = 500
Kind, State = RecheckMeans.Kind, Recheck.State

for _name, _what, _remedy in (
    ("recheck_one_at_a_time", "这一户正在复核", "请从在办的复核里继续办理"),
    ("recheck_means_once", "这一天的这种核查已经登记过", "请刷新后查看"),
    ("recheck_moves_on", "这件复核已不在这一步", "请刷新后查看"),
    ("recheck_means_of_its_round", "这件复核已不在复核中", "请刷新后查看"),
):
    refused_by_constraint(_name, AlreadyDone, _what, _remedy)


class NothingToRecheck(Refusal):
    """The household draws nothing that is re-checked."""


_CHOSEN = f"""{DUE}
SELECT id AS household_id, division, months, grounds, programmes, due_on FROM due WHERE live IS NULL
"""  # noqa: S608
_BEGIN = """
INSERT INTO rechecks_recheck (household_id, division, round, months, grounds, programmes, due_on, begun_by, begun_on, state,
    outcome, words, digest, reason)
SELECT household_id, division, 1, months, grounds, programmes, due_on, %(by)s, %(on)s, 'open', '', '', '', ''
FROM recheck_chosen ORDER BY division, household_id
"""


@dataclass(frozen=True)
class Begun:
    """How many re-checks began; how many of the named were left out: under way already or drawing nothing; relatives'."""

    begun: int
    idle: int
    related: int


@command(*BEGINNERS)
def begin_rechecks(*, by: Actor, on: date, households: Sequence[int]) -> Begun:
    """Begin with the named households, whether they are due or not; a second time begins nothing."""
    ids = sorted(set(households))
    if not 0 < len(ids) <= BEGUN_MAX:
        raise BadInput(f"选了 {len(ids)} 户", where="户", remedy=f"请一次选 1 至 {BEGUN_MAX} 户")
    settings = settings_of(by.division, on)
    run("DROP TABLE IF EXISTS pg_temp.recheck_chosen")
    temporary("recheck_chosen", _CHOSEN, values_of(by.prefix, on, settings, ids))
    found = int(fetch_one("SELECT count(*)::int FROM recheck_chosen")[0])
    related = leave_out_related(by, on, "recheck_chosen", act="开始复核", subject="rechecks") if found else 0
    if not found:
        raise NothingToRecheck(
            "所选的户不用开始复核", why="正在复核，或没有在享受须复核的待遇", remedy="请刷新名单后再选"
        )
    if related == found:
        raise Recused("所选的都是您近亲属所在的户", why="近亲属回避", remedy="请转交另一位经办人办理")
    begun = run(_BEGIN, {"by": by.appointment, "on": on})
    return Begun(begun, len(ids) - found, related)


@command(*LOOKERS)
def record_means(
    *, by: Actor, on: date, recheck: int, kind: str, done_on: date, people: str, words: str
) -> RecheckMeans:  # fmt: skip
    """One of the means, but for the home visit (room visits): who did it on which day, and what was found."""
    row = locked(by, recheck)
    require_not_related(by, on, [row.household_id])
    return keep_means(by, on, row, kind, done_on, people, words)


def keep_means(
    by: Actor, on: date, row: Recheck, kind: str, done_on: date, people: str, words: str
) -> RecheckMeans:  # fmt: skip
    """The step of `record_means`; the same again is the same."""
    if row.state != State.OPEN:
        raise AlreadyDone(f"这件复核{row.get_state_display()}", remedy="请刷新后查看")
    if kind not in Kind.values or kind == Kind.VISITED:
        raise BadInput("没有选怎样核查", where="方式", remedy="请从列表选择；入户调查请填入户调查表")
    if not row.begun_on <= done_on <= on:
        raise BadInput(
            f"核查日期 {done_on} 不成立", where="日期", why=f"复核从 {row.begun_on} 开始", remedy="请核对日期"
        )
    if len(people.strip()) < 2:
        raise BadInput("没有写谁核查的", where="核查人", remedy="请写核查人姓名")
    if len(words.strip()) < 4:
        raise BadInput("没有写查到什么", where="情况", remedy="请写明问了谁、查了什么、结果怎样")
    same = RecheckMeans.objects.filter(recheck=row, round=row.round, kind=kind, done_on=done_on).first()
    if same and (same.words, same.people) == (words.strip()[:500], people.strip()[:80]):
        return same
    return RecheckMeans.objects.create(
        recheck=row, household_id=row.household_id, division=row.division, round=row.round, kind=kind, done_on=done_on,
        people=people.strip()[:80], words=words.strip()[:500], recorded_by=by.appointment, account=by.account,
        recorded_on=on,
    )  # fmt: skip


@command(Post.CLERK, Post.REVIEWER)
def cancel_recheck(*, by: Actor, on: date, recheck: int, reason: str) -> Recheck:
    """It is called off: the household draws nothing any more, or it was begun by mistake. It is due as before."""
    row = locked(by, recheck)
    if row.state not in (State.OPEN, State.CONCLUDED):
        raise AlreadyDone(f"这件复核{row.get_state_display()}", remedy="请刷新后查看")
    require_not_related(by, on, [row.household_id])
    if len(reason.strip()) < 4:
        raise BadInput("没有写取消的原因", where="原因", remedy="请写明原因，至少四个字")
    row.state, row.reason = State.CANCELLED, reason.strip()[:200]
    row.save(update_fields=["state", "reason"])
    return row


def locked(by: Actor, recheck: int) -> Recheck:
    """The re-check for the rest of the transaction."""
    row = Recheck.objects.select_for_update().filter(pk=recheck).first()
    if row is None:
        raise BadInput("没有这件复核", where="编号", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, row.division)
    return row
