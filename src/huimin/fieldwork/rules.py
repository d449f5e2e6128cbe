"""What a county sets for its field work, each number with the paper it rests on; nothing is in force that nobody set.

The one exception is how far back changes are looked at for signals: without a rule, a year. Law: S0 附件1 第19条 (按季、及时)
and S3 二(三)6 (快速预警) name duties, not numbers.
"""

from datetime import date

from huimin.fieldwork.models import FieldRule
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post

Code = FieldRule.Code
LOOKBACK_DAYS = 365
_BOUNDS = {
    Code.ANSWER_DAYS: (1, 365), Code.URGENT_DAYS: (1, 90), Code.REPORT_DAYS: (0, 60), Code.VISIT_DAYS: (1, 180),
    Code.LOOKBACK_DAYS: (30, 1100), Code.MEDICAL_FEN: (1, 100_000_000), Code.INCOME_PERCENT: (1, 100),
}  # fmt: skip


@command(Post.COUNTY_OFFICER)
def set_field_rule(*, by: Actor, on: date, code: str, value: int, basis: str) -> FieldRule:
    """The county's number from now on (days; 分 for medical_fen; percent), with its source. The same again adds nothing."""
    if code not in Code.values:
        raise BadInput("没有这一项设置", where="设置", remedy="请从列表选择")
    low, high = _BOUNDS[Code(code)]
    if not low <= value <= high:
        shown = (low // 100, high // 100) if code == Code.MEDICAL_FEN else (low, high)
        raise BadInput("数值超出范围", where=Code(code).label, remedy=f"请填写 {shown[0]} 至 {shown[1]}")
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明文件名和文号")
    last = _newest(by.division).get(code)
    if last and (last.value, last.basis) == (value, basis.strip()[:120]):
        return last
    return FieldRule.objects.create(
        division=by.division, code=code, value=value, basis=basis.strip()[:120], set_by=by.appointment, set_on=on
    )


def field_rules(division: str) -> dict[str, FieldRule]:
    """The rules in force at a place, by code; inside `reading(by)`."""
    return _newest(scope_prefix(division, Level.COUNTY).ljust(12, "0"))


def rule_of(division: str, code: str) -> int | None:
    """One number; None where the county set none."""
    row = field_rules(division).get(code)
    return row.value if row else None


def _newest(county: str) -> dict[str, FieldRule]:
    rows = FieldRule.objects.filter(division=county).order_by("code", "-id").distinct("code")
    return {row.code: row for row in rows}
