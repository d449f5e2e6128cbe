"""What the top bar offers to a post: only pages that exist and that the post may open."""

from dataclasses import dataclass

from django.urls import reverse

from huimin.organisation.posts import Post
from huimin.workbench import guard


@dataclass(frozen=True)
class Entry:
    """A page of the menu; `section` is what its pages name themselves to be marked as current."""

    section: str
    label: str
    route: str
    posts: frozenset[str]

    @property
    def url(self) -> str:
        return reverse(self.route)


ENTRIES = (
    Entry("desk", "工作台", "desk", guard.EVERYBODY),
    Entry("households", "家庭", "households", guard.STAFF),
    Entry("changes", "变更", "changes", guard.CHANGE_READERS),
    Entry("work-items", "待核实", "work-items", guard.CHECKERS),
    Entry("proposals", "甄别", "proposals", guard.STAFF),
    Entry("simulations", "测算", "simulations", guard.SIMULATORS),
    Entry("coverage", "覆盖", "coverage", guard.COVERAGE_READERS - guard.SIMULATORS),
    Entry("reliefs", "急难救助", "reliefs", guard.RELIEF_READERS),
    Entry("petty-funds", "备用金", "petty-funds", guard.FUND_READERS - guard.RELIEF_READERS),
    Entry("notices", "公示", "notices", guard.STAFF),
    Entry("rosters", "清册", "rosters", guard.PAYERS),
    Entry("batches", "发放", "batches", guard.BATCH_READERS),
    Entry("policies", "政策", "policies", guard.POLICY_READERS),
    Entry("accounts", "账号", "accounts", guard.ADMINISTRATORS),
    Entry("ledger", "账务", "ledger", guard.BOOKKEEPERS),
)


def entries_for(post: Post) -> list[Entry]:
    return [entry for entry in ENTRIES if post in entry.posts]
