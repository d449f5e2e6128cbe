"""Courses and who attended them (ORG-07).

in    what is taught, where, by whom; afterwards each officer's result
out   rows of Course with the policy versions it was about, of Attendance and CourseMaterial

Always true: a course is about programme versions that are, or will be, in force on the day it teaches for; results come
after it was held; an officer has one result of a course; a cancelled course trained nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from huimin.capacity.models import Attendance, CapacityRule, Course, CourseMaterial, CourseTopic
from huimin.capacity.versions import Version, versions_at
from huimin.database.bulk import run
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.registry.commands.attachments import keep_scan
from huimin.registry.snapshots import NotRegistered

TRAINERS = (Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER, Post.CLERK, Post.TOWNSHIP_HEAD)
TRAINED = (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.INFORMATION_OFFICER)
"""Township cadres and village information officers."""
MINUTES_MAX = 14 * 8 * 60
MATERIALS_MAX = 20

refused_by_constraint("course_once", AlreadyDone, "同一天已登记过同名的培训", "请在培训列表中查看")
refused_by_constraint("course_material_once", AlreadyDone, "这份材料已经上传过", "不必再传")


@command(Post.COUNTY_OFFICER)
def set_capacity_rule(
    *, by: Actor, on: date, training_days: int, staff_min: int, cost_permille: int, basis: str
) -> CapacityRule:
    """What the county asks of its townships from now on, by which document."""
    if not 1 <= training_days <= 365 or not 1 <= staff_min <= 100 or not 1 <= cost_permille <= 1000:
        raise BadInput(
            "天数、人数或比例不对",
            where="规定",
            remedy="培训期限 1 至 365 天，编内人员 1 至 100 人，比例 0.1 % 至 100 %",
        )
    if len(basis.strip()) < 2:
        raise BadInput("没有写依据", where="依据", remedy="请写文件或会议的名称和日期")
    return CapacityRule.objects.create(
        division=by.division, training_days=training_days, staff_min=staff_min, cost_permille=cost_permille,
        basis=basis.strip()[:120], set_by=by.appointment, set_on=on,
    )  # fmt: skip


@command(*TRAINERS)
def plan_course(
    *, by: Actor, on: date, title: str, held_on: date, location: str, minutes: int, trainer: str,
    programmes: Sequence[str], taught_for: date,
) -> Course:  # fmt: skip
    """A course on `programmes` in the versions in force on `taught_for`: today's, or ones that are about to begin."""
    told = {"培训名称": title, "地点": location, "授课人": trainer}
    for where, words in told.items():
        if not 2 <= len(words.strip()) <= 60:
            raise BadInput(f"没有写明{where}", where=where, remedy="请用 2 至 60 个字写明")
    if not 0 < minutes <= MINUTES_MAX:
        raise BadInput("学时不对", where="学时", remedy="请写大于零的学时")
    course = Course.objects.create(
        division=by.division, title=title.strip(), held_on=held_on, location=location.strip(), minutes=minutes,
        trainer=trainer.strip(), organiser=by.title[:160], planned_by=by.appointment, planned_on=on,
    )  # fmt: skip
    CourseTopic.objects.bulk_create(
        CourseTopic(division=course.division, course=course, programme=version.programme, version_from=version.since)
        for version in _versions(by, programmes, taught_for)
    )
    return course


def _versions(by: Actor, programmes: Sequence[str], taught_for: date) -> list[Version]:
    if not programmes:
        raise BadInput("没有选政策", where="政策", remedy="请选择培训讲的补贴项目")
    found = versions_at(by.division, taught_for)
    for code in programmes:
        if code not in found:
            raise BadInput(f"{code} 在 {taught_for} 没有施行", where="政策", remedy="请核对项目和按哪天的政策讲")
        if by.post == Post.DEPARTMENT_OFFICER:
            require_programme(by, code, found[code].name)
    return [found[code] for code in sorted(set(programmes))]


@command(*TRAINERS)
def add_material(*, by: Actor, on: date, course: int, title: str, content: bytes) -> CourseMaterial:
    """A hand-out (PDF, JPG, PNG) kept with the course."""
    found = _course(by, course)
    if not 2 <= len(title.strip()) <= 80:
        raise BadInput("没有写明是什么材料", where="材料名称", remedy="如：新办法讲稿")
    if found.materials.count() >= MATERIALS_MAX:
        raise BadInput(f"材料超过 {MATERIALS_MAX} 份", where="文件", remedy="请合并后再上传")
    sha256, media_type = keep_scan(content)
    return CourseMaterial.objects.create(
        division=found.division, course=found, title=title.strip(), media_type=media_type, size_bytes=len(content),
        sha256=sha256, added_by=by.appointment, added_on=on,
    )  # fmt: skip


_RECORD = """
INSERT INTO capacity_attendance (division, course_id, appointment, account, result, recorded_by, recorded_on)
SELECT DISTINCT ON (a.account_id) a.division, %(course)s, a.id, a.account_id, t.result, %(by)s, %(on)s::date
FROM unnest(%(appointments)s::bigint[], %(results)s::text[]) AS t(appointment, result)
JOIN organisation_appointment a ON a.id = t.appointment
WHERE a.division >= %(low)s AND a.division < %(low)s || '~' AND a.post = ANY (%(posts)s)
ORDER BY a.account_id, a.id
ON CONFLICT (account, course_id) DO UPDATE SET result = EXCLUDED.result, recorded_by = EXCLUDED.recorded_by,
    recorded_on = EXCLUDED.recorded_on WHERE capacity_attendance.result <> EXCLUDED.result
"""


@command(*TRAINERS)
def record_attendance(*, by: Actor, on: date, course: int, results: Mapping[int, str]) -> int:
    """Results by appointment, for a course that was held; one already written is corrected. How many rows changed."""
    found = _course(by, course)
    if found.held_on > on:
        raise BadInput(f"培训在 {found.held_on} 举办", where="结果", remedy="请在举办之后登记")
    if not results or not set(results.values()) <= set(Attendance.Result.values):
        raise BadInput("没有登记结果", where="结果", remedy="请为参加的人选择合格、不合格或缺席")
    low = found.division[: by.level] if found.division == by.division else found.division[: Level.TOWNSHIP]
    changed = run(
        _RECORD,
        {
            "course": found.pk, "by": by.appointment, "on": on, "appointments": list(results), "low": low,
            "results": list(results.values()), "posts": list(TRAINED),
        },
    )  # fmt: skip
    if found.state != Course.State.HELD:
        found.state = Course.State.HELD
        found.save(update_fields=["state"])
    return changed


@command(*TRAINERS)
def cancel_course(*, by: Actor, on: date, course: int, reason: str) -> Course:
    """It will not be held, or was not; why."""
    found = _course(by, course)
    if found.state == Course.State.HELD:
        raise AlreadyDone("这次培训已经举办", remedy="不能取消")
    if len(reason.strip()) < 2:
        raise BadInput("没有写原因", where="原因", remedy="请写明为什么取消")
    found.state, found.reason = Course.State.CANCELLED, reason.strip()[:200]
    found.save(update_fields=["state", "reason"])
    return found


def _course(by: Actor, course: int) -> Course:
    found = Course.objects.select_for_update().filter(pk=course, division__startswith=by.prefix).first()
    if found is None:
        if above := Course.objects.filter(pk=course).first():
            require_place(by, above.division)
        raise NotRegistered("没有这次培训", why="不存在，或不在您的辖区内", remedy="请从培训列表进入")
    if found.state == Course.State.CANCELLED:
        raise AlreadyDone("这次培训已取消", why=found.reason, remedy="请另行安排")
    return found
