"""What telling asks of a desk: notices to photograph and take down, objectors to tell, cases to send back, long-term lists to renew, letters
to write and bring, certificates (CASE-05 to CASE-07, CASE-11).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk; each post sees only what its own next step is
"""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse

from huimin.cases import queries as cases
from huimin.kernel.places import Level
from huimin.notices import queries as notices
from huimin.notices.objections import tell_objector
from huimin.notices.posting import add_photo
from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.telling import certificates as cards
from huimin.telling import letters as room
from huimin.telling import publicity, queries
from huimin.telling.models import Letter
from huimin.workbench.todo_rows import Asking, Todo
from huimin.workbench.views.publicity import kept_standings
from huimin.workbench.views.tellings import issued_by


def boards(asking: Asking) -> Iterator[Todo]:
    """Papers on one's own board: without a photo, or to come down."""
    by = asking.by
    if not may(by, add_photo) or by.post == Post.DEPARTMENT_OFFICER:
        return
    hanging = notices.count_hanging([by.division])
    if hanging.unphotographed:
        where = f"{reverse('notice-sheets')}?{urlencode({'standing': 'bare', 'place': by.division})}"
        yield Todo("上传公示照片", "张公示没有张贴照片", by.office_name, hanging.unphotographed, None, None, where)
    if hanging.overdue_down:
        where = f"{reverse('notice-sheets')}?{urlencode({'standing': 'over', 'place': by.division})}"
        yield Todo("撤下公示", "张公示已经结束", by.office_name, hanging.overdue_down, None, asking.on, where)


def objectors(asking: Asking) -> Iterator[Todo]:
    """Answered, and who left a name is not told; upheld, and the case is not sent back."""
    by = asking.by
    if may(by, tell_objector) and (found := notices.count_untold(by.prefix)):
        where = f"{reverse('objections')}?standing=to_tell"
        yield Todo("告知反映人", "件异议已答复", by.office_name, found, None, asking.on, where)
    for case in cases.list_upheld(by):
        place = asking.places({case.division}).get(case.division, case.division)
        note = f"{asking.name(case.programme)}，公示异议成立"
        yield Todo("退回重新办理", note, place, 1, None, asking.on, reverse("case", args=[case.pk]))


def lists(asking: Asking) -> Iterator[Todo]:
    """Fixed boards to renew: the village its own, the township and the county those that are late beneath them."""
    by, on = asking.by, asking.on
    if by.post in (Post.INFORMATION_OFFICER, Post.CLERK):
        due = [row for row in kept_standings(by, by.prefix, on) if row.due_on]
        if due:
            earliest = min(row.due_on for row in due if row.due_on)
            where = reverse("publicity-village", args=[int(due[0].village)]) if len(due) == 1 else reverse("publicity")
            yield Todo("更换长期公示", "个村的名单有变化", by.office_name, len(due), None, earliest, where)
    elif (
        by.post in (Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
        and by.post in publicity.READERS
        and by.level <= Level.TOWNSHIP
    ):
        late = [row for row in kept_standings(by, by.prefix, on) if row.overdue(on)]
        if late:
            earliest = min(row.due_on for row in late if row.due_on)
            yield Todo(
                "督促更换长期公示", "个村超期没有换", by.office_name, len(late), None, earliest, reverse("publicity")
            )


def letters(asking: Asking) -> Iterator[Todo]:
    """To write for the office that decided, to bring for the township and the village; by kind, refusals by their three days."""
    by = asking.by
    labels = dict(Letter.Kind.choices)
    if may(by, room.write_letters):
        for row in queries.list_owed(by):
            where = f"{reverse('told-letters')}?{urlencode({'state': 'owed', 'kind': row.kind})}"
            yield Todo(f"制作{labels[row.kind]}", "份", by.office_name, row.count, None, row.due_on, where)
    if may(by, room.deliver_letters) and by.post != Post.DEPARTMENT_OFFICER:
        for row in queries.list_undelivered(by.prefix):
            where = f"{reverse('told-letters')}?{urlencode({'state': 'issued', 'kind': row.kind})}"
            yield Todo(f"送达{labels[row.kind]}", "份，送达后登记", by.office_name, row.count, None, row.due_on, where)


def certificates(asking: Asking) -> Iterator[Todo]:
    """The township gives and takes them."""
    by, on = asking.by, asking.on
    if by.post != Post.CLERK:
        return
    if found := cards.count_to_issue(by.prefix, on, issued_by(by)):
        yield Todo("发救助证", "户（人）在享，还没有证", by.office_name, found, None, None, reverse("certificates"))
    if found := cards.count_to_withdraw(by.prefix, on):
        where = f"{reverse('certificates')}?standing=ended"
        yield Todo("收回救助证", "本，待遇已经停止", by.office_name, found, None, None, where)


FINDERS = (boards, objectors, lists, letters, certificates)
