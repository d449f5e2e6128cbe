"""Merge what a place sends again: what is new comes in, what changed is revised, what clashes waits (REG-03, REG-04, REG-05).

in    Arrow tables of households, members and cards with the columns that are known; null is "not stated", `added` is JSON of the county's own facts by code
out   rows of the registry and work items, all in one transaction; for every row of input what became of it

    households   household_no, head_id, head_name, division; address, phone; any of HOUSEHOLD_FACTS; added
    members      household (row of households, or null), name, id_number (18, good); any of PERSON_FACTS; added
    cards        household (row, or null), holder_id, account, account_name, use ("household", "person"), bank_office_id

A household is found by its number, or by its head's identity number; a person by the identity number. Facts hold from
`valid_from` on; what was known before stays, closed (bitemporal, as registry.bitemporal does it for one owner).

Always true when `merge_population` returns:

- A null changes nothing. The same tables again change nothing.
- Nobody moves to another household, no head is replaced, no account is replaced: those wait as work items.
- `rehearse` says what would happen, by doing it and undoing it.
- The number of statements does not depend on the number of rows.

Steps: stage; households and people found, each with a state; add what is new; where somebody out of sight already has a
number, undo, mark those rows and begin again; revise; cards; work items. Law: 皖政办〔2008〕23号 附件2 第24、30、31条.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from django.db import transaction

from huimin.database.bulk import run
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.registry.commands.merging import cards as carding
from huimin.registry.commands.merging import households as housing
from huimin.registry.commands.merging import people as peopling
from huimin.registry.commands.merging.keeping import keep
from huimin.registry.commands.merging.verdicts import Verdict

Progress = Callable[[str, int, int], None]
_PASSES_MAX = 4
_STEPS = 7
_JOINED_BY_HASH_ROWS = 5_000


class ChangedMeanwhile(Refusal):
    """Somebody else changed the same household or person at the same moment."""


for _name in ("household_facts_one_a_day", "person_facts_one_a_day", "person_in_one_household"):
    refused_by_constraint(_name, ChangedMeanwhile, "有人同时改动了同一户或同一个人", "没有改动任何数据，请再试一次")


@dataclass(frozen=True)
class MergeReport:
    """What became of each row of each table; rows without a verdict are as they were registered."""

    households: dict[int, Verdict]
    members: dict[int, Verdict]
    cards: dict[int, Verdict]
    work_items: int = 0


@command(Post.COUNTY_OFFICER, Post.CLERK)
def merge_population(
    *,
    by: Actor,
    on: date,
    prefix: str,
    households: pa.Table,
    members: pa.Table,
    cards: pa.Table,
    valid_from: date,
    evidence: str,
    create_households: bool,
    heads_required: bool,
    rehearse: bool = False,
    settle: Callable[[MergeReport], None] = lambda report: None,
    progress: Progress = lambda step, done, total: None,
) -> MergeReport:
    """Merge; `prefix` is the place everything must lie in. `settle` runs last in the transaction, after
    the last `progress`: raising undoes it all.

    With `create_households` households that are not known come in, with `heads_required` only those whose head does.
    """
    assert prefix.startswith(by.prefix), "the place of a merge lies in the actor's"
    common = {"prefix": prefix, "since": valid_from, "evidence": evidence[:120], "by": by.appointment, "on": on}
    progress("整理", 0, _STEPS)
    if households.num_rows + members.num_rows + cards.num_rows > _JOINED_BY_HASH_ROWS:
        run("SET LOCAL enable_nestloop = off")  # sets are joined by hash, whatever the tables' statistics say
    housing.stage(households)
    peopling.stage(members)
    carding.stage(cards)
    report = _without_hidden_clashes(common, create_households, heads_required, progress)
    progress("登记卡", 5, _STEPS)
    carding.decide(common)
    carding.add(common)
    progress("登记待核实", 6, _STEPS)
    verdicts = MergeReport(*report, carding.verdicts())
    items = keep(households, members, cards, verdicts.members, verdicts.households, verdicts.cards)
    verdicts = MergeReport(verdicts.households, verdicts.members, verdicts.cards, items)
    if rehearse:
        transaction.set_rollback(True)
    else:
        settle(verdicts)
    return verdicts


def _without_hidden_clashes(
    common: dict[str, Any], create: bool, heads_required: bool, progress: Progress
) -> tuple[dict[int, Verdict], dict[int, Verdict]]:
    """Add and revise, leaving out rows whose number somebody has whom the actor cannot see."""
    hidden_households: set[int] = set()
    hidden_members: set[int] = set()
    for _ in range(_PASSES_MAX):
        with transaction.atomic():
            progress("比对户", 1, _STEPS)
            housing.decide(common, create, sorted(hidden_households))
            progress("比对人", 2, _STEPS)
            peopling.decide(common, heads_required, sorted(hidden_members))
            progress("登记新增", 3, _STEPS)
            housing.add(common)
            clash_households, clash_members = housing.not_added(), peopling.add(common)
            if not clash_households and not clash_members:
                progress("登记变更", 4, _STEPS)
                housing.revise(common)
                peopling.revise(common)
                return housing.verdicts(), peopling.verdicts()
            transaction.set_rollback(True)
        hidden_households |= clash_households
        hidden_members |= clash_members
    raise ChangedMeanwhile("别处同时在登记同样的户或人", remedy="没有改动任何数据，请再试一次")
