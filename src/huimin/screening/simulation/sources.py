"""Whose facts a simulation counts: the snapshot of the last screening, or the registry read anew (POL-04, DET-07).

in    a place and a day; who asks
out   `Source`: a Snapshot of that place alone, the day of its facts, when they were known, the run it is of

The snapshot of a run that covers the place is read in a few seconds; reading the registry of a large county takes
longer. A snapshot lies outside the database's row-level security: it is cut to the place here, and the place has been
checked to lie within the actor's own (`require_place`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone

from huimin.divisions.queries import get_division
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.policy.queries import added_facts
from huimin.registry.snapshots import snapshot_columns
from huimin.screening.commands import snapshot_path
from huimin.screening.models import Run
from huimin.screening.snapshots import Snapshot, load

Granted = Callable[[date], pa.Table]


@dataclass(frozen=True)
class Source:
    """`run` is None when the registry was read for this."""

    snapshot: Snapshot
    day: date
    known_at: datetime
    run: int | None


def find_run(place: str) -> Run | None:
    """The newest finished screening whose snapshot covers the place and is still there; inside a transaction."""
    rows = Run.objects.filter(state=Run.State.FINISHED, division__in=chain(place)).order_by("-id")[:5]
    return next((row for row in rows if row.snapshot_file and snapshot_path(row).exists()), None)


def of_run(row: Run, place: str, level: Level) -> Source:
    """The run's own snapshot, cut to the place. Needs no transaction."""
    snapshot = load(snapshot_path(row), row.snapshot_sha256)
    return Source(cut(snapshot, scope_prefix(place, level)), row.determination_date, row.known_at, row.pk)


def of_registry(place: str, on: date, granted: Granted) -> Source:
    """The registry as of the day; inside a transaction, which sees what the actor may see."""
    known_at = timezone.now()
    return Source(Snapshot(*snapshot_columns(place, on, added=added_facts(place)), granted(on)), on, known_at, None)


def level_of(place: str, on: date) -> Level:
    return Level(get_division(place, on).level)


def cut(snapshot: Snapshot, prefix: str) -> Snapshot:
    """Households of the places that begin with `prefix`, their members, and what is granted to them."""
    within = pc.starts_with(snapshot.households["division"], prefix)
    if pc.all(within).as_py():
        return snapshot
    households = snapshot.households.filter(within)
    ids = households["household_id"]
    members = snapshot.members.filter(pc.is_in(snapshot.members["household_id"], value_set=ids))
    granted = snapshot.granted.filter(pc.is_in(snapshot.granted["household"], value_set=ids))
    return Snapshot(households, members, granted)
