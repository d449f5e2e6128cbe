"""What makes a meeting valid and how a vote is read: arithmetic, and what the county ruled (CASE-03).

in    numbers of a meeting or a vote; the county's document
out   what lacks in words, how many ballots carry; rows of MeetingRule

Law: two thirds of the statutory number, a volunteer supervisor and a township cadre (皖政办〔2008〕23号 附件3 第22、23条).
The annex does not say how many votes carry: unless the county rules otherwise it is more than half of those present, as
村民委员会组织法 第26条 has it for meetings of representatives, and who must not vote on a case does not count as present
for it. 评议监督员 is a volunteer supervisor, so that who watches the count has no vote in it; the county may rule that he
is one of the representatives, as 第24条 can also be read.
"""

from collections.abc import Iterable
from datetime import date

from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.meetings.models import Majority, MeetingRule, Overseer
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post

BASIS = "村民委员会组织法第26条：到会人员的过半数同意"
COUNTERS = ("监票人", "唱票人", "计票人", "评议监督员")


def quorum(statutory: int) -> int:
    """The fewest representatives who make a meeting valid: two thirds, rounded up."""
    return -(-statutory * 2 // 3)


def carries(voters: int, majority: str) -> int:
    """How many votes in favour carry, of so many who have a vote."""
    return voters // 2 + 1 if majority == Majority.HALF else quorum(voters)


def lacks(statutory: int, present: int, supervisors: int, cadres: int) -> list[str]:
    """Why the meeting is void; nothing when it is valid."""
    found = []
    if present < quorum(statutory):
        found.append(f"到会居民代表 {present} 人，不足法定代表数 {statutory} 人的三分之二（{quorum(statutory)} 人）")
    if not supervisors:
        found.append("没有义务监督员到会")
    if not cadres:
        found.append("没有乡镇干部到会指导、监督")
    return found


@command(Post.COUNTY_OFFICER)
def set_meeting_rule(*, by: Actor, on: date, majority: str, overseer: str, basis: str) -> MeetingRule:
    """What counts from the next meeting on, by which document; the same again is the same rule."""
    if majority not in Majority.values or overseer not in Overseer.values:
        raise BadInput("没有选规定", where="规定", remedy="请选择多少票通过、评议监督员从哪里选")
    if len(basis.strip()) < 2:
        raise BadInput("没有写依据", where="依据", remedy="请写文件或会议的名称和日期")
    now = find_rule(by.division)
    told = (majority, overseer, basis.strip()[:120])
    if now and now.division == by.division and (now.majority, now.overseer, now.basis) == told:
        return now
    return MeetingRule.objects.create(
        division=by.division, majority=majority, overseer=overseer, basis=told[2], set_by=by.appointment, set_on=on
    )


def find_rule(division: str) -> MeetingRule | None:
    """The newest row of the nearest place."""
    rows = {row.division: row for row in MeetingRule.objects.filter(division__in=chain(division)).order_by("id")}
    return next((rows[code] for code in reversed(chain(division)) if code in rows), None)


def rule_at(division: str) -> tuple[str, str, str]:
    """(majority, overseer, basis) that count at a place."""
    row = find_rule(division)
    return (row.majority, row.overseer, row.basis) if row else (Majority.HALF, Overseer.SUPERVISOR, BASIS)


def doubled(names: Iterable[str]) -> str:
    """The first that stands twice; "" for none."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
