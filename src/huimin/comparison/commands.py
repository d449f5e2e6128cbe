"""Compare a month, say why the three differ, and sign it from level to level (VER-04).

    compare_month        the township's clerk; the same facts again are the same comparison, others a new one that keeps the words of
                         differences that are still the same
    explain_differences  the clerk, or township finance: one by one, or all of a kind and village that nobody has explained
    sign_comparison      the head of the township, over figures and explanations
    sign_county          the department of a programme, then finance, over every township of the county
    send_back            the county gives one back with the reason; the clerk makes it anew

What a township signed stays as it was: new facts make another comparison beside it. Law: 伊民规〔2022〕2号 二(四)2.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from huimin.comparison.differences import add_differences, find_differences
from huimin.comparison.models import Comparison, ComparisonDifference, CountySigning
from huimin.comparison.queries import (
    county_content,
    departments_of,
    due_townships,
    in_use_of_county,
    signed_content,
)
from huimin.comparison.sides import find_sides
from huimin.comparison.spans import spans_of
from huimin.database.bulk import fetch, fetch_one, run
from huimin.database.context import scope_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level, scope_prefix
from huimin.kinship.recusal import require_not_related
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

State = Comparison.State
IDS_MAX = 1000

refused_by_constraint("comparison_in_use_once", AlreadyDone, "这个月刚才已经核对", "请刷新后查看")
refused_by_constraint("comparison_number_once", AlreadyDone, "这个月刚才已经核对", "请刷新后查看")
refused_by_constraint("comparison_signed_by_another", SamePerson, "核对的人不能签字", "请由乡镇负责人签字")
refused_by_constraint("comparison_county_once", AlreadyDone, "这些核对已由本部门签字", "请刷新后查看")


class NothingToCompare(Refusal):
    """Nobody is paid with the month."""


class NotBegun(Refusal):
    """The month lies ahead."""


class NoComparison(Refusal):
    """The comparison is not there, or not at this step."""


class NotExplained(Refusal):
    """A difference has no explanation."""


class TownshipsOpen(Refusal):
    """A township has not compared or not signed."""


class DepartmentsOpen(Refusal):
    """A department has not signed what finance is to sign."""


refused_by_constraint("comparison_explained", NotExplained, "还有差异没有说明", "请逐笔说明后再签字")
refused_by_constraint("comparison_frozen", NoComparison, "签过字的核对不能再改", "情况有变化的，请重新核对")
refused_by_constraint("comparison_townships_first", TownshipsOpen, "还有乡镇没有签字", "请乡镇签字后再签")
refused_by_constraint("comparison_department_first", DepartmentsOpen, "主管部门还没有签字", "请主管部门先签")

_SUMS = """
SELECT count(*)::int, count(DISTINCT household_id)::int, count(*) FILTER (WHERE approved_fen > 0)::int,
       coalesce(sum(approved_fen), 0)::bigint, count(*) FILTER (WHERE listed_fen > 0)::int, coalesce(sum(listed_fen), 0)::bigint,
       count(*) FILTER (WHERE paid_fen > 0)::int, coalesce(sum(paid_fen), 0)::bigint,
       encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', programme, household_id, person, approved_fen, listed_fen,
           waiting_fen, withheld_fen, paid_fen), ';' ORDER BY programme, household_id, person), ''), 'UTF8')), 'hex')
FROM compared
"""
_DIFFERING = """
SELECT coalesce(sum(many), 0)::int, coalesce(jsonb_object_agg(kind, many), '{}')::text,
       encode(sha256(convert_to(coalesce(string_agg(told, ';' ORDER BY kind), ''), 'UTF8')), 'hex')
FROM (SELECT kind, count(*)::int AS many, string_agg(concat_ws('|', kind, programme, household_id, person_id, exception_id, line_id,
             approved_fen, listed_fen, paid_fen, holder, detail), ';' ORDER BY programme, household_id, person_id, exception_id) AS told
      FROM differing GROUP BY kind) d
"""


@command(Post.CLERK)
def compare_month(*, by: Actor, on: date, division: str, month: date) -> Comparison:
    """Hold the three against each other for a township and month (its first day); a handful of statements.

    The same facts give the comparison that stands, signed or not. NothingToCompare where nobody is paid with the month.
    """
    require_place(by, division)
    if month.day != 1 or scope_prefix(division, Level.TOWNSHIP).ljust(12, "0") != division[:12]:
        raise BadInput("按乡镇、按月核对", where="月份", remedy="请从列表选月份")
    if month > on:
        raise NotBegun(f"{month:%Y年%m月}还没有开始", why=f"今天是 {on}", remedy="请选已经开始的月份")
    low, high = scope_of(scope_prefix(division, Level.TOWNSHIP))
    spans = spans_of(by, low, high, month)
    find_sides(low, high, month, on, spans)
    find_differences(low, high, month)
    sums = _sums()
    if not sums["beneficiaries"] and not sums["differences_count"]:
        raise NothingToCompare(
            f"{month:%Y年%m月}没有要核对的", why="没有项目在这个月发放，银行也没有对不上的明细", remedy="请核对月份"
        )
    paid_with = {code for (code,) in fetch("SELECT DISTINCT programme FROM compared")}
    sums["spans"] = {span.programme: f"{span.since:%Y-%m}" for span in spans if span.programme in paid_with}
    return _kept(by, on, division, month, sums)


def _sums() -> dict[str, Any]:
    *figures, sides = fetch_one(_SUMS)
    count, kinds, differing = fetch_one(_DIFFERING)
    names = (
        "beneficiaries", "households", "approved_count", "approved_fen", "listed_count", "listed_fen", "paid_count", "paid_fen",
    )  # fmt: skip
    return dict(zip(names, figures, strict=True)) | {
        "kinds": json.loads(kinds), "differences_count": count, "digest": digest([sides, differing, count]),
    }  # fmt: skip


def _kept(by: Actor, on: date, division: str, month: date, sums: dict[str, Any]) -> Comparison:
    """The comparison in use when it says the same; a new one in its place otherwise."""
    mine = Comparison.objects.filter(division=division, month=month)
    standing = mine.filter(state__in=Comparison.IN_USE).select_for_update(of=("self",)).first()
    if standing is not None and standing.digest == sums["digest"]:
        return standing
    last = mine.order_by("-number").first()
    if standing is not None:
        mine.filter(pk=standing.pk).update(state=State.REPLACED)
    made = Comparison.objects.create(
        division=division,
        month=month,
        number=last.number + 1 if last else 1,
        made_by=by.appointment,
        made_on=on,
        **sums,
    )
    add_differences(made.pk, last.pk if last else 0)
    return made


def _get(comparison_id: int, state: str) -> Comparison:
    found = Comparison.objects.select_for_update(of=("self",)).filter(pk=comparison_id).first()
    if found is None:
        raise NoComparison("没有这份核对，或它不在您的辖区内", remedy="请从列表进入")
    if found.state != state:
        raise NoComparison(f"这份核对现在是“{found.get_state_display()}”，不能办这一步", remedy="请刷新后查看")
    return found


@command(Post.CLERK, Post.SETTLEMENT)
def explain_differences(
    *,
    by: Actor,
    on: date,
    comparison_id: int,
    explanation: str,
    ids: Sequence[int] = (),
    kind: str = "",
    village: str = "",
) -> int:
    """Say why they differ: the differences named, or with `kind` all of that kind (and village) without words. How many.

    Words may be changed until the head signs. Recused where a relative lives in one of the households.
    """
    words = " ".join(explanation.split())
    if not 4 <= len(words) <= 200:
        raise BadInput(
            "说明要写 4 至 200 个字", where="说明", why=f"写了 {len(words)} 个字", remedy="请写清原因和怎样处理"
        )
    if len(ids) > IDS_MAX or bool(ids) == bool(kind):
        raise BadInput(f"一次说明勾选的 1 至 {IDS_MAX} 笔，或者一类的全部", where="差异", remedy="请返回列表选择")
    comparison = _get(comparison_id, State.MADE)
    require_place(by, comparison.division)
    rows = ComparisonDifference.objects.filter(comparison=comparison)
    if ids:
        rows = rows.filter(pk__in=list(ids))
    else:
        rows = rows.filter(kind=kind, explanation="")
        rows = rows.filter(division__startswith=village) if village else rows
    require_not_related(by, on, rows.exclude(household=None).values_list("household_id", flat=True).distinct())
    done = rows.update(explanation=words, explained_by=by.appointment, explained_on=on)
    if not done:
        raise NoComparison("没有选中要说明的差异", why="可能已有人说明", remedy="请返回列表查看")
    return done


@command(Post.TOWNSHIP_HEAD)
def sign_comparison(*, by: Actor, on: date, comparison_id: int) -> Comparison:
    """The head signs figures and explanations; NotExplained while a difference has no words."""
    comparison = _get(comparison_id, State.MADE)
    require_place(by, comparison.division)
    require_another(by, comparison.made_by, "核对")
    if left := comparison.differences.filter(explanation="").count():
        raise NotExplained(f"还有 {left:,} 笔差异没有说明", remedy="请统计员逐笔说明后再签字")
    comparison.signature = sign(
        by=by, on=on, act="签字三方逐笔核对", subject=f"comparison:{comparison.pk}",
        content_digest=signed_content(comparison), division=comparison.division,
    )  # fmt: skip
    comparison.state, comparison.signed_by, comparison.signed_on = State.SIGNED, by.appointment, on
    comparison.save(update_fields=["state", "signed_by", "signed_on", "signature"])
    return comparison


@command(Post.DEPARTMENT_APPROVER, Post.FINANCE_RELEASER)
def send_back(*, by: Actor, on: date, comparison_id: int, reason: str) -> Comparison:
    """Give a signed comparison back to the township; it stays to be read, and another is made in its place."""
    words = " ".join(reason.split())
    if not 4 <= len(words) <= 200:
        raise BadInput("退回的原因要写 4 至 200 个字", where="原因", remedy="请写清要补充什么")
    comparison = _get(comparison_id, State.SIGNED)
    require_place(by, comparison.division)
    Comparison.objects.filter(pk=comparison.pk).update(
        state=State.RETURNED, returned_by=by.appointment, returned_on=on, return_reason=words
    )
    comparison.refresh_from_db()
    return comparison


@command(Post.DEPARTMENT_APPROVER, Post.FINANCE_RELEASER)
def sign_county(*, by: Actor, on: date, month: date, note: str = "") -> CountySigning:
    """Sign what every township of the county signed for a month; departments first, finance last.

    TownshipsOpen while one has not; DepartmentsOpen for finance while a department of a compared programme has not. The same
    content again is AlreadyDone; another is another signature.
    """
    note = " ".join(note.split())
    if len(note) > 300:
        raise BadInput("意见不超过 300 个字", where="意见", why=f"写了 {len(note)} 个字", remedy="请缩短")
    prefix = scope_prefix(by.division, Level.COUNTY)
    county = prefix.ljust(12, "0")
    require_place(by, county)
    run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"comparison:{county}:{month}"])
    rows = in_use_of_county(prefix, month)
    _require_townships(on, prefix, month, rows)
    content = digest(county_content(rows))
    seat = CountySigning.Seat.FINANCE if by.post == Post.FINANCE_RELEASER else CountySigning.Seat.DEPARTMENT
    programmes = sorted({code for row in rows for code in row.spans})
    if seat == CountySigning.Seat.DEPARTMENT:
        programmes = [code for code in programmes if code in by.programmes]
        if not programmes:
            raise NothingToCompare(f"{month:%Y年%m月}没有本部门的项目", remedy="请由主管部门签字")
    else:
        _require_departments(county, month, content, programmes)
    signature = sign(
        by=by,
        on=on,
        act="签字全县三方逐笔核对",
        subject=f"comparison:{county}:{month:%Y-%m}",
        content_digest=content,
        division=county,
    )
    return CountySigning.objects.create(
        division=county, month=month, seat=seat, office_id=by.office, programmes=programmes, townships=len(rows),
        approved_fen=sum(row.approved_fen for row in rows), listed_fen=sum(row.listed_fen for row in rows),
        paid_fen=sum(row.paid_fen for row in rows), differences_count=sum(row.differences_count for row in rows),
        note=note, digest=content, signed_by=by.appointment, signed_on=on, signature=signature,
    )  # fmt: skip


def _require_townships(on: date, prefix: str, month: date, rows: list[Comparison]) -> None:
    there = {row.division for row in rows}
    missing = sorted(due_townships(prefix, [month], on).get(month, set()) - there)
    unsigned = [row for row in rows if row.state != State.SIGNED]
    if not rows and not missing:
        raise NothingToCompare(f"{month:%Y年%m月}没有要核对的乡镇", remedy="请核对月份")
    if missing or unsigned:
        raise TownshipsOpen(
            f"还有 {len(missing)} 个乡镇没有核对，{len(unsigned)} 个没有签字",
            why="县里在全部乡镇签字以后签",
            remedy="请在核对列表里查看是哪些乡镇",
        )


def _require_departments(county: str, month: date, content: str, programmes: list[str]) -> None:
    signed = CountySigning.objects.filter(
        division=county, month=month, digest=content, seat=CountySigning.Seat.DEPARTMENT
    )
    done = {code for row in signed for code in row.programmes}
    if waiting := sorted(departments_of([code for code in programmes if code not in done])):
        raise DepartmentsOpen("主管部门还没有签字", why=f"还没签的：{'、'.join(waiting)}", remedy="请主管部门先签")
