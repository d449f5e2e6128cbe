"""How far a campaign is: counts by place and phase, what is left, what of its results was carried out (CASE-10).

in    a campaign, a place, the business date; inside `reading(by)` or a command
out   `Count`s by township or village; words for what is left; the standing of single items

Counts are one statement over the items of the place, joined by hash to visits and entitlements, however many there are. A
result is *carried out* when the entitlements from the first of the next month on say so (a decision of today takes effect
then): it is never ticked off by hand. Picks and checks stand at the county and are zero to whoever may not see them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.database.bulk import fetch, fetch_one
from huimin.database.context import scope_of
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level
from huimin.rectification.marking import RISKS
from huimin.rectification.models import Campaign, CheckDraw, Item, Phase

RESULTS = tuple(Item.Result.values)
# What is held from the first of the next month on, and how a reviewed result stands against it.
JOINED = """
LEFT JOIN (
    SELECT e.household_id, coalesce(e.person_id, 0) AS person, e.programme, max(e.amount_fen) AS fen, max(e.id) AS id
    FROM casework_entitlement e WHERE e.programme = ANY (%(programmes)s) AND e.valid_from <= %(horizon)s
      AND (e.valid_to IS NULL OR e.valid_to > %(horizon)s) AND e.division >= %(low)s AND e.division < %(high)s
      AND e.household_id IN (
        SELECT m.household_id FROM rectification_item m WHERE m.campaign_id = %(campaign)s AND m.state = 'reviewed'
        AND m.result IN ('leave', 'dead', 'increase', 'decrease', 'enter')) GROUP BY 1, 2, 3
) n ON n.household_id = i.household_id AND n.person = coalesce(i.person_id, 0) AND n.programme = i.programme
LEFT JOIN (
    SELECT DISTINCT v.subject, v.round FROM visits_visit v WHERE v.purpose = 'rectification' AND v.state = 'signed'
      AND v.division >= %(low)s AND v.division < %(high)s
) v ON v.subject = 'rectification:' || i.campaign_id || ':' || i.id AND v.round = i.round
LEFT JOIN (
    SELECT r.subject_line, max(t.starts_on) AS starts_on FROM notices_notice t JOIN notices_noticerow r ON r.notice_id = t.id
    WHERE t.subject >= 'rectification:' || %(campaign)s || ':' AND t.subject < 'rectification:' || %(campaign)s || ';'
      AND t.state = 'ended' AND t.division >= %(low)s AND t.division < %(high)s GROUP BY 1
) u ON u.subject_line = i.id AND u.starts_on >= i.reviewed_on
LEFT JOIN (SELECT id, item_id, must FROM rectification_pick WHERE campaign_id = %(campaign)s AND picked) p ON p.item_id = i.id
LEFT JOIN rectification_countycheck c ON c.pick_id = p.id AND c.round = i.round AND c.agreed
CROSS JOIN LATERAL (SELECT CASE
    WHEN i.state <> 'reviewed' OR i.result IN ('keep', 'other', 'declined') THEN ''
    WHEN i.origin <> 'held' AND i.result = 'dead' THEN ''
    WHEN i.result = 'leave' AND n.id IS NULL OR i.result = 'dead' AND n.id IS DISTINCT FROM i.entitlement_id
      OR i.result = 'increase' AND n.fen > i.amount_fen OR i.result = 'enter' AND n.id IS NOT NULL
      OR i.result = 'decrease' AND (n.id IS NULL OR n.fen < i.amount_fen) THEN 'done' ELSE 'waiting' END) AS x(carried)
WHERE i.campaign_id = %(campaign)s AND i.division >= %(low)s AND i.division < %(high)s
  AND (%(programme)s = '' OR i.programme = %(programme)s)
"""
_SHOWN = "i.state = 'reviewed' AND i.result IN ('keep', 'increase', 'decrease', 'enter')"
SUMS: dict[str, str] = {
    "all": "count(*)", "held": "count(*) FILTER (WHERE i.origin = 'held')",
    "held_people": "coalesce(sum(i.people) FILTER (WHERE i.origin = 'held'), 0)",
    "held_fen": "coalesce(sum(i.amount_fen) FILTER (WHERE i.origin = 'held'), 0)",
    "missed": "count(*) FILTER (WHERE i.origin <> 'held')", "marked": "count(*) FILTER (WHERE i.risk_count > 0)",
    "visited": "count(*) FILTER (WHERE v.subject IS NOT NULL OR i.visit_id IS NOT NULL)",
    "found": "count(*) FILTER (WHERE i.state <> 'open')", "reviewed": "count(*) FILTER (WHERE i.state = 'reviewed')",
    "to_show": f"count(*) FILTER (WHERE {_SHOWN})", "shown": f"count(*) FILTER (WHERE {_SHOWN} AND u.subject_line IS NOT NULL)",
    "must": "count(*) FILTER (WHERE p.must)", "picked": "count(p.id)", "checked": "count(c.id)",
    "waiting": "count(*) FILTER (WHERE x.carried = 'waiting')", "carried": "count(*) FILTER (WHERE x.carried = 'done')",
}  # fmt: skip
_OF_RESULT = {
    "count": "count(*) FILTER (WHERE {when})", "people": "coalesce(sum(i.people) FILTER (WHERE {when}), 0)",
    "fen": "coalesce(sum(abs(coalesce(i.to_fen - i.amount_fen, i.amount_fen))) FILTER (WHERE {when}), 0)",
}  # fmt: skip
for _result in RESULTS:
    for _what, _sql in _OF_RESULT.items():
        SUMS[f"{_result}_{_what}"] = _sql.format(when=f"i.state = 'reviewed' AND i.result = '{_result}'")
for _code in RISKS:
    SUMS[f"risk_{_code}"] = f"count(*) FILTER (WHERE '{_code}' = ANY (i.risks))"
    SUMS[f"stopped_{_code}"] = (
        f"count(*) FILTER (WHERE '{_code}' = ANY (i.risks) AND i.state = 'reviewed' AND i.result IN ('leave', 'dead', 'decrease'))"
    )
PROGRESS = (
    "all", "marked", "visited", "found", "reviewed", "leave_count", "enter_count", "to_show", "shown", "picked", "checked",
    "waiting", "carried",
)  # fmt: skip
"""What the progress of places is made of; the summary table asks for all sums."""


def _counts(names: Sequence[str]) -> str:
    summed = ", ".join(f"({SUMS[name]})::bigint" for name in names)
    return f"SELECT left(i.division, %(digits)s), {summed} FROM rectification_item i {JOINED} GROUP BY 1 ORDER BY 1"  # noqa: S608


@dataclass(frozen=True)
class Count:
    """One place's sums by name (`SUMS`); `late` when the second phase is over."""

    division: str
    sums: dict[str, int]
    late: bool = False

    def __getitem__(self, name: str) -> int:
        return self.sums[name]

    @property
    def left(self) -> int:
        return self.sums["all"] - self.sums["reviewed"]

    @property
    def overdue(self) -> int:
        return self.left if self.late else 0

    @property
    def percent(self) -> int:
        return self.sums["reviewed"] * 100 // self.sums["all"] if self.sums["all"] else 100


def asked_of(campaign: Campaign, prefix: str, on: date, programme: str = "") -> dict[str, Any]:
    low, high = scope_of(prefix)
    return {
        "campaign": campaign.pk, "low": low, "high": high, "programmes": campaign.programmes, "programme": programme,
        "horizon": add_months(month_start(on), 1),
    }  # fmt: skip


def count_by_place(
    campaign: Campaign, prefix: str, level: Level, on: date, programme: str = "", names: Sequence[str] = tuple(SUMS)
) -> list[Count]:
    """By township or village beneath `prefix`, by code, the sums of these names; one statement."""
    late = (campaign.closed_on or on) > Phase.objects.get(campaign=campaign, number=Phase.Number.CARRY_OUT).ends_on
    asked = asked_of(campaign, prefix, on, programme) | {"digits": int(level)}
    return [
        Count(str(code).ljust(12, "0"), dict(zip(names, counts, strict=True)), late)
        for code, *counts in fetch(_counts(names), asked)
    ]


def total_of(rows: Sequence[Count], names: Sequence[str] = tuple(SUMS)) -> Count:
    """The places added up."""
    return Count("", {name: sum(row[name] for row in rows) for name in names}, any(row.late for row in rows))


_LEFT = """
SELECT count(*) FILTER (WHERE state = 'open')::int, count(*) FILTER (WHERE state = 'found')::int
FROM rectification_item WHERE campaign_id = %(campaign)s AND division >= %(low)s AND division < %(high)s AND state <> 'reviewed'
"""


def count_left(campaign: Campaign, prefix: str) -> tuple[int, int]:
    """Items to be found, and to be reviewed, beneath a place; over the index of those that are left."""
    low, high = scope_of(prefix)
    found, reviewed = fetch_one(_LEFT, {"campaign": campaign.pk, "low": low, "high": high})
    return found, reviewed


_UNCHECKED = """
SELECT count(*) FILTER (WHERE i.state = 'reviewed')::int, count(*)::int
FROM rectification_pick p JOIN rectification_item i ON i.id = p.item_id
WHERE p.campaign_id = %s AND p.picked AND NOT EXISTS (
    SELECT 1 FROM rectification_countycheck c WHERE c.pick_id = p.id AND c.round = i.round AND c.agreed)
"""


def count_unchecked(campaign: Campaign) -> tuple[int, int]:
    """Drawn items without a check that agrees: ready to be checked, and all."""
    ready, every = fetch_one(_UNCHECKED, [campaign.pk])
    return ready, every


_UNSHOWN = f"SELECT count(*)::int FROM rectification_item i {JOINED} AND {_SHOWN} AND u.subject_line IS NULL"  # noqa: S608


def count_unshown(campaign: Campaign, on: date) -> int:
    """Who goes on and was not before the village for its days since the review."""
    [count] = fetch_one(_UNSHOWN, asked_of(campaign, campaign.prefix, on))
    return int(count)


def unfinished_of(campaign: Campaign, on: date) -> list[str]:
    """In words what stands against closing; as seen at the county."""
    found, reviewed = count_left(campaign, campaign.prefix)
    draw = CheckDraw.objects.filter(campaign=campaign).first()
    left = [f"{found:,} 户还没有核查结果"] if found else []
    left += [f"{reviewed:,} 户的结果还没有复核"] if reviewed else []
    unshown = count_unshown(campaign, on)
    left += [f"{unshown:,} 户保留、新纳入的还没有在村里公示期满"] if unshown else []
    if draw is None or draw.state != CheckDraw.State.DRAWN:
        return [*left, "县级抽查还没有抽签"]
    _, unchecked = count_unchecked(campaign)
    return [*left, *([f"抽中的还有 {unchecked:,} 户没有抽查一致"] if unchecked else [])]


@dataclass(frozen=True)
class PhaseLine:
    """One phase as the page shows it: its days, how it stands, what is to be done in it and how far that is."""

    phase: Phase
    standing: str
    due: str
    done: int
    whole: int

    @property
    def late(self) -> bool:
        return self.standing == "over" and self.done < self.whole


def phase_lines(campaign: Campaign, total: Count, sent: tuple[int, int], on: date) -> list[PhaseLine]:
    """The four phases with what counts for each; `sent` are reports sent and due so far."""
    opened = campaign.state != Campaign.State.PLANNED
    counts = {
        Phase.Number.MOBILISE: ("方案、领导小组、冻结名单", int(opened), 1),
        Phase.Number.CARRY_OUT: ("入户核查并经复核", total["reviewed"], total["all"]),
        Phase.Number.INSPECT: ("县级抽查与乡镇结果一致", total["checked"], total["picked"]),
        Phase.Number.CONCLUDE: ("结果执行，按期报送", total["carried"] + sent[0], total["carried"] + total["waiting"] + sent[1]),
    }  # fmt: skip
    rows = Phase.objects.filter(campaign=campaign).order_by("number")
    return [PhaseLine(row, row.standing(campaign.closed_on or on), *counts[Phase.Number(row.number)]) for row in rows]
