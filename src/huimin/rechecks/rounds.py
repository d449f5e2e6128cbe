"""Back from a round through a village: what was found in each household, entered together (CASE-09).

in    for each re-check one of the means with its words, and, where it is done, the conclusion
out   means of each, conclusions of those that have one; all or none

Always true: as in `beginning` and `concluding`: each re-check rests on evidence of its own, never on another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.rechecks.beginning import keep_means, locked
from huimin.rechecks.concluding import CONCLUDED_MAX, conclude_rechecks


@dataclass(frozen=True)
class Entry:
    """One household of the round; an empty `conclusion` leaves the re-check open, an empty `kind` adds no means."""

    recheck: int
    kind: str
    done_on: date
    people: str
    words: str
    conclusion: str = ""


@command(Post.CLERK)
def record_round(*, by: Actor, on: date, entries: Sequence[Entry]) -> tuple[int, int]:
    """How many means were recorded and how many re-checks concluded. The refusal names the household it is about."""
    if not 0 < len(entries) <= CONCLUDED_MAX:
        raise BadInput("没有填一户", where="走访登记", remedy=f"请填 1 至 {CONCLUDED_MAX} 户")
    recorded = 0
    for entry in sorted(entries, key=lambda each: each.recheck):
        if not entry.kind:
            continue
        row = locked(by, entry.recheck)
        require_not_related(by, on, [row.household_id])
        try:
            keep_means(by, on, row, entry.kind, entry.done_on, entry.people, entry.words)
        except BadInput as wrong:
            raise BadInput(
                wrong.what, where=f"{row.household.household_no} {wrong.where}", why=wrong.why, remedy=wrong.remedy
            ) from wrong
        recorded += 1
    done = {each.recheck: each.conclusion for each in entries if each.conclusion.strip()}
    if done:
        conclude_rechecks(by=by, on=on, words=done)
    return recorded, len(done)
