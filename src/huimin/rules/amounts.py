"""How much, as written: 金额 with its caps and rounding, 渐退 with its steps.

in    entries of a policy file
out   `Amount`, `PhasingWritten`: sources to be checked by `merging`

Order, as the file's reader expects it: 算式 (每人取整后相加, where 合计 says so), then 保底, then 封顶, then 取整.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from huimin.rules.faults import FaultFound, Source
from huimin.rules.fields import field_of, is_yes
from huimin.rules.yaml_text import Entry

ROUNDINGS = ("四舍五入", "进一", "舍去")
ROUNDING_STEPS = {"分": Fraction(1, 100), "角": Fraction(1, 10), "元": Fraction(1)}
PART_PERIODS = {"按月": "by_month", "按日": "by_day", "整期": "whole", "次月起": "next_month"}
EACH_ROUNDED = "每人取整后相加"
STEPS_MAX, MONTHS_MAX = 24, 240


@dataclass(frozen=True)
class Amount:
    """`mode` and `step` round; `each`: a member's formula, rounded for each member and then summed."""

    expression: Source
    citation: str
    mode: str
    step: Fraction
    cap: Source | None = None
    floor: Source | None = None
    each: bool = False
    part_period: str = ""

    @property
    def sources(self) -> list[Source]:
        return [source for source in (self.expression, self.cap, self.floor) if source]


@dataclass(frozen=True)
class PhasingWritten:
    """渐退 as written. `steps`: from which month on, which share. `drop`: a nearer place takes it out."""

    at: Source
    triggers: tuple[Source, ...] = ()
    premise: Source | None = None
    months: Source | None = None
    steps: tuple[tuple[int, Source], ...] = ()
    citation: str = ""
    drop: bool = False

    @property
    def sources(self) -> list[Source]:
        return [source for source in (self.premise, self.months, *(share for _, share in self.steps)) if source]


def read_amount(entry: Entry) -> Amount:
    fields = entry.mapping("金额", ("算式", "封顶", "保底", "取整", "合计", "不足期", "依据", "说明"))
    mode, step = _rounding(field_of(entry, fields, "取整").words("取整"))
    each = fields["合计"].words("合计") if "合计" in fields else None
    if each and each.text.strip() != EACH_ROUNDED:
        raise FaultFound(each, 0, f"合计没有“{each.text.strip()}”", f"可写 {EACH_ROUNDED}；先合计后取整的不写这一项")
    part = fields["不足期"].words("不足期") if "不足期" in fields else None
    if part and part.text.strip() not in PART_PERIODS:
        raise FaultFound(part, 0, f"不足期没有“{part.text.strip()}”", f"可写的有：{'、'.join(PART_PERIODS)}")
    return Amount(
        field_of(entry, fields, "算式").words("算式"),
        field_of(entry, fields, "依据").words("依据").text.strip(),
        mode,
        step,
        fields["封顶"].words("封顶") if "封顶" in fields else None,
        fields["保底"].words("保底") if "保底" in fields else None,
        each is not None,
        PART_PERIODS[part.text.strip()] if part else "",
    )


def _rounding(rounding: Source) -> tuple[str, Fraction]:
    mode, separator, step = rounding.text.strip().partition("到")
    if not separator or mode not in ROUNDINGS or step not in ROUNDING_STEPS:
        remedy = f"写成 {'、'.join(ROUNDINGS)} 之一，加“到”，加 分、角 或 元，例如 四舍五入到分"
        raise FaultFound(rounding, 0, f"不认识的取整办法“{rounding.text}”", remedy)
    return mode, ROUNDING_STEPS[step]


def read_phase_out(entry: Entry) -> PhasingWritten:
    fields = entry.mapping("渐退", ("触发", "前提", "月数", "比例", "依据", "说明", "作废"))
    if "作废" in fields and is_yes(fields["作废"]):
        return PhasingWritten(entry.at, drop=True)
    triggers = field_of(entry, fields, "触发").sequence("触发")
    if not triggers:
        raise FaultFound(fields["触发"].at, 0, "渐退没有写触发的条件", "写条件编号，例如 触发: [income]")
    return PhasingWritten(
        entry.at,
        tuple(item.words("触发") for item in triggers),
        fields["前提"].words("前提") if "前提" in fields else None,
        field_of(entry, fields, "月数").words("月数"),
        _steps(field_of(entry, fields, "比例")),
        field_of(entry, fields, "依据").words("依据").text.strip(),
    )


def _steps(entry: Entry) -> tuple[tuple[int, Source], ...]:
    """One step after another without a gap, from the first month on; the last one lasts as long as 月数 says."""
    items = entry.sequence("比例")
    if not 0 < len(items) <= STEPS_MAX:
        raise FaultFound(entry.at, 0, f"比例有 {len(items)} 档", f"请写 1 到 {STEPS_MAX} 档")
    steps, following = [], 1
    for item in items:
        fields = item.mapping("比例", ("月", "数值"))
        written = field_of(item, fields, "月").words("月")
        first, last = _months(written)
        if first != following:
            raise FaultFound(
                written, 0, f"“{written.text.strip()}”没有从第 {following} 个月起", "各档要从第 1 个月起依次相接"
            )
        steps.append((first, field_of(item, fields, "数值").words("数值")))
        following = last + 1
    return tuple(steps)


def _months(written: Source) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,3})\s*(?:[-—–~～至到]+\s*(\d{1,3})|起)?", written.text.strip())
    if not found:
        raise FaultFound(written, 0, f"“{written.text.strip()}”不是月份", "写成 1-2、3-6 或 7起")
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    if not 1 <= first <= last <= MONTHS_MAX:
        raise FaultFound(written, 0, f"“{written.text.strip()}”的月份不对", f"从 1 到 {MONTHS_MAX}，前小后大")
    return first, last
