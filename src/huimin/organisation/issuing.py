"""Who may issue an account for whom: 皖政办〔2008〕23号 附件2 第11、12、23条 (SEC-01).

A province's or city's leading office issues accounts to the departments of its own level only. A county's issues them to
its departments, its townships and their villages, and its agent banks. Nobody else issues any.
"""

from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, require_place
from huimin.organisation.models import Office
from huimin.organisation.posts import POSTS_OF, Post


class MayNotIssue(Refusal):
    """This level or office may not issue accounts for that office."""


class PostNotAtOffice(Refusal):
    """This kind of office has no such post."""


def require_may_issue(by: Actor, office: Office) -> None:
    """`by` (an administrator) may issue accounts and appointments for `office`; MayNotIssue or NotYourPlace otherwise."""
    require_place(by, office.division)
    if by.level is Level.COUNTY or (by.level in (Level.PROVINCE, Level.CITY) and office.division == by.division):
        return
    if by.level in (Level.PROVINCE, Level.CITY):
        remedy, why = f"请由{office.name}所在县的惠民办办理", "省、市只为同级主管部门分配用户"
    else:
        remedy, why = "请由县惠民办办理", "只有省、市、县惠民办可以分配用户"
    raise MayNotIssue(f"不能为{office.name}分配用户", why=why, remedy=remedy)


def require_post_at(office: Office, post: Post) -> None:
    if post not in POSTS_OF[office.kind]:
        has = "、".join(Post(each).label for each in POSTS_OF[office.kind])
        raise PostNotAtOffice(f"{office.name}没有{post.label}这一岗位", remedy=f"该机构的岗位有：{has}")
