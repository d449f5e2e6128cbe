"""Changes of divisions as an administrator's commands: rename, merge, new groups (ORG-01).

What is changed is the national list, and only within the administrator's own place. Registry rows of a merged division
move by a command of the registry; frozen rows keep the code they were made under.
"""

from datetime import date

from huimin.divisions import changes
from huimin.divisions.models import Division
from huimin.organisation.acting import Actor, command, require_place
from huimin.organisation.posts import Post


@command(Post.ADMINISTRATOR)
def rename_division(*, by: Actor, on: date, code: str, name: str) -> Division:
    """The division has `name` from `on`; naming it as it is already called changes nothing."""
    require_place(by, code)
    return changes.rename(code, name, on)


@command(Post.ADMINISTRATOR)
def merge_division(*, by: Actor, on: date, code: str, into: str) -> Division:
    """`code` ends on `on`; `into`, of the same level, is its successor. Returns the division that ended."""
    require_place(by, code)
    require_place(by, into)
    return changes.merge(code, into, on)
