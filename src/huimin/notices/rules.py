"""What a county sets for its notices: hotline, what is published long-term, by when, whether a photo is demanded (CASE-06, CASE-07).

in    the county's choice, with the paper it rests on
out   `Rule`, the county's or what holds where it set nothing

Where nothing was set: 低保 and 特困 are published long-term (伊民规〔2022〕2号 二(二)1), changes hang by the 10th (the day by which
二(三)5 wants the month's money paid), there is no hotline, which the sheet says, and no photo is demanded: no law asks for
one, and 国办函〔2026〕12号 forbids to make photos a measure of work. A missing photo is told, and blocks only where a county wants it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level, scope_prefix
from huimin.notices.models import NoticeRule
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.policy.models import Programme

LONG_TERM = ("dibao-rural", "dibao-urban", "dibao-single", "tekun")
DUE_DAY = 10
_HOTLINE = re.compile(r"[0-9][0-9 \-－—、,，转()（）]{2,58}")


@dataclass(frozen=True)
class Rule:
    """`since` None: nobody set anything."""

    programmes: tuple[str, ...] = LONG_TERM
    hotline: str = ""
    due_day: int = DUE_DAY
    photo_needed: bool = False
    basis: str = ""
    since: date | None = None


@command(Post.COUNTY_OFFICER)
def set_notice_rule(
    *, by: Actor, on: date, programmes: Collection[str], hotline: str, due_day: int, photo_needed: bool, basis: str
) -> NoticeRule:
    """What holds for the county's notices from now on. The same again adds nothing."""
    hotline, basis = hotline.strip(), basis.strip()[:120]
    chosen = sorted(set(programmes))
    known = set(Programme.objects.filter(code__in=chosen).values_list("code", flat=True))
    if unknown := [code for code in chosen if code not in known]:
        raise BadInput(f"没有“{unknown[0]}”这个项目", where="长期公示的项目", remedy="请从列表选择")
    if hotline and not _HOTLINE.fullmatch(hotline):
        raise BadInput(
            "监督电话没有写对", where="监督电话", remedy="如：0564-2345678、12345；没有的留空，公示上会写明没有公布"
        )
    if not 1 <= due_day <= 28:
        raise BadInput("张贴期限超出范围", where="张贴期限", remedy="请填写 1 至 28，是当月的第几天")
    if len(basis) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明文件名和文号")
    last = NoticeRule.objects.filter(division=by.division).order_by("-id").first()
    told = (chosen, hotline, due_day, photo_needed, basis)
    if last and (last.programmes, last.hotline, last.due_day, last.photo_needed, last.basis) == told:
        return last
    return NoticeRule.objects.create(
        division=by.division, programmes=chosen, hotline=hotline, due_day=due_day, photo_needed=photo_needed, basis=basis,
        set_by=by.appointment, set_on=on,
    )  # fmt: skip


def rule_of(division: str) -> Rule:
    """What holds at a place; inside `reading(by)`. One query."""
    county = scope_prefix(division, Level.COUNTY).ljust(12, "0")
    row = NoticeRule.objects.filter(division=county).order_by("-id").first()
    if row is None:
        return Rule()
    return Rule(tuple(row.programmes), row.hotline, row.due_day, row.photo_needed, row.basis, row.set_on)
