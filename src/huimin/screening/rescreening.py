"""Some households determined anew at once, because a change of theirs was just registered (DET-06, REG-05).

in    households that a command has changed, in its transaction; what is granted to them (casework passes it in)
out   a finished Run that names them (`only`), and its proposals; None where no policy is in force

The steps are a screening's, over a snapshot of these households alone, so that the run can be repeated and proven like
any other. Open proposals of theirs that are not determined any more are superseded; those of everybody else are not
touched. What changed since an amount was determined is found in the registry as it was known then, not in the county's
snapshot, which may be a gigabyte. A screening of the whole place that was under way meanwhile leaves these households
alone (screening.commands).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import pyarrow as pa

from huimin.kernel.facts import Fact
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.models import Household, Membership
from huimin.registry.queries import holding
from huimin.registry.snapshots import columns_of
from huimin.screening.commands import finish_run, place_prefix, snapshot_folder
from huimin.screening.determining import Determination
from huimin.screening.models import Proposal, Run
from huimin.screening.reasons import Comparison, Earlier
from huimin.screening.snapshots import GRANTED, Snapshot, save
from huimin.screening.storing import store

Granted = Callable[[int, date], pa.Table]


@dataclass(frozen=True)
class Recalled:
    """What was known of some households, as a past snapshot would hold it: snapshots.Stored without a file."""

    snapshot: Snapshot

    def read(self, facts: Collection[str] | None = None) -> Snapshot:
        return self.snapshot


def has_open_proposals(households: Sequence[int]) -> bool:
    return Proposal.objects.filter(household__in=households, state=Proposal.State.OPEN).exists()


def rescreen(by: Actor, on: date, households: Sequence[int], granted: Granted) -> list[Run]:
    """A run for each place the households are in (closed ones too: what they hold ends); inside the change's command."""
    places: dict[str, list[int]] = {}
    for number, division in Household.objects.filter(pk__in=households).values_list("pk", "division"):
        places.setdefault(division, []).append(number)
    runs = [_rescreened(by, on, division, sorted(ids), granted) for division, ids in sorted(places.items())]
    return [run for run in runs if run is not None]


def _rescreened(by: Actor, on: date, division: str, ids: list[int], granted: Granted) -> Run | None:
    programmes = adopted_book().programmes_in_force(chain(division), on)
    if not programmes:
        return None
    row = Run.objects.create(
        division=division, determination_date=on, only=ids, started_by=by.appointment, started_on=on
    )
    row.refresh_from_db(fields=["known_at"])
    added = added_facts(division)
    held = pa.concat_tables([GRANTED.empty_table(), *(granted(each, on) for each in ids)])
    snapshot = Snapshot(*columns_of(ids, on, None, added), held)
    row.snapshot_sha256 = save(snapshot, snapshot_folder())
    row.snapshot_file = f"{row.snapshot_sha256}.bin"
    determination = Determination(snapshot, on, programmes, place=place_prefix(row))
    determination.explainer = Comparison(snapshot, determination.table, on, _earlier(snapshot, added))
    stored = store(row.pk, determination.place, (table for _, table in determination.proposals()), ids)
    return finish_run(row, snapshot, {law.code: law.version for law in programmes}, stored)


def _earlier(snapshot: Snapshot, added: Sequence[Fact]) -> Callable[[int], Earlier | None]:
    """What a run rested on, of these households and those their people lived in then."""

    @lru_cache(maxsize=8)
    def find(number: int) -> Earlier | None:
        run = Run.objects.filter(pk=number).first()
        if run is None:
            return None
        day, known_at = run.determination_date, run.known_at
        people = snapshot.person_ids.tolist()
        homes = Membership.objects.filter(holding(day, known_at), person__in=people).values_list("household", flat=True)
        ids = sorted({*snapshot.granted["household"].to_pylist(), *snapshot.household_ids.tolist(), *homes})
        facts = Snapshot(*columns_of(ids, day, known_at, added), GRANTED.empty_table())
        laws = adopted_book(known_at).programmes_in_force(chain(run.division), day)
        return Earlier(Recalled(facts), day, {law.code: law for law in laws})

    return find
