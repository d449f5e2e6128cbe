"""Simulate a draft, analyse who draws what: opened, worked, stored; the only rows written are their own (POL-04, POL-06).

    simulate ──► open_simulation ──► facts, both sets of programmes, comparing ──► finish_simulation
    analyse  ──► open_coverage ──► facts with what is granted, incomes ──► finish_coverage
                                                        └─ anything that stops it ──► fail_study

Long work reports progress on its row. One that died stays `running` and is told by its age (`is_lost`). Nobody decides by a
simulation: `by` needs a post that works on policies or watches them, and the place must be within his own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pyarrow as pa
from django.utils import timezone

from huimin.database.bulk import run
from huimin.kernel.errors import Refusal
from huimin.kernel.places import chain, scope_prefix
from huimin.organisation.acting import Actor, command, reading, require_place
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book, adopted_texts
from huimin.registry.transfer import copy_in
from huimin.screening.simulation.columns import Columns
from huimin.screening.simulation.comparing import Comparison, compare
from huimin.screening.simulation.coverage import Covered, cover
from huimin.screening.simulation.drafts import Draft, Laws, drafted
from huimin.screening.simulation.models import Coverage, Simulation
from huimin.screening.simulation.sources import Source, cut, find_run, level_of, of_registry, of_run
from huimin.screening.snapshots import Snapshot

Granted = Callable[[date], pa.Table]
Progress = Callable[[str, int, int], None]
SIMULATORS = (
    Post.COUNTY_OFFICER,
    Post.DEPARTMENT_OFFICER,
    Post.DEPARTMENT_APPROVER,
    Post.FINANCE_OFFICER,
    Post.SUPERVISOR,
)
STEPS = 4


def simulate(
    *,
    by: Actor,
    on: date,
    division: str,
    determination_date: date,
    draft: Draft,
    title: str,
    granted: Granted,
    anew: bool = False,
    progress: Progress = lambda *_: None,
    opened: Callable[[Simulation], None] = lambda _: None,
) -> Simulation:
    """Simulate and return the finished row; refused without post or place, or when the draft changes nothing.

    `granted` reads what is granted on a date (Snapshot.granted), passed in from casework. `anew` reads the registry
    though a screening's snapshot is there. `opened` hears of the row before the work begins.
    """
    row, laws = open_simulation(
        by=by, on=on, division=division, determination_date=determination_date, draft=draft, title=title
    )
    opened(row)

    def report(what: str, done: int, total: int) -> None:
        progress(what, done + 1, STEPS)
        report_simulation(by=by, on=on, simulation_id=row.pk, done=done + 1)

    with _marking_failure(by, on, row):
        source = _source(by, division, determination_date, granted, anew, on)
        report("读入登记", 0, STEPS)
        with reading(by):
            level = level_of(division, on)
        comparison = compare(Columns(source.snapshot, determination_date), laws, level, report)
        return finish_simulation(by=by, on=on, simulation_id=row.pk, source=source, comparison=comparison)


@contextmanager
def _marking_failure(by: Actor, on: date, row: Simulation | Coverage) -> Iterator[None]:
    try:
        yield
    except BaseException as cause:
        failure = cause.what if isinstance(cause, Refusal) else type(cause).__name__
        fail_study(by=by, on=on, row=row, failure=failure)
        raise


def _source(by: Actor, division: str, determination_date: date, granted: Granted, anew: bool, on: date) -> Source:
    with reading(by):
        run = None if anew else find_run(division)
        if run is None:
            return of_registry(division, determination_date, granted)
        level = level_of(division, on)
    return of_run(run, division, level)


@command(*SIMULATORS)
def open_simulation(
    *, by: Actor, on: date, division: str, determination_date: date, draft: Draft, title: str
) -> tuple[Simulation, Laws]:
    """The row and both sets of programmes. PolicyFaults or BadInput when the draft cannot be read or changes nothing."""
    require_place(by, division)
    level_of(division, on)
    laws = drafted(adopted_texts(), draft, division, determination_date)
    row = Simulation.objects.create(
        division=division, determination_date=determination_date, title=title[:120], draft=draft.plain,
        progress_total=STEPS, started_by=by.appointment, started_on=on,
    )  # fmt: skip
    return row, laws


@command(*SIMULATORS)
def report_simulation(*, by: Actor, on: date, simulation_id: int, done: int) -> None:
    Simulation.objects.filter(pk=simulation_id).update(progress_done=done)


@command(*SIMULATORS)
def finish_simulation(*, by: Actor, on: date, simulation_id: int, source: Source, comparison: Comparison) -> Simulation:
    """The figures, all at once."""
    row = Simulation.objects.select_for_update().get(pk=simulation_id)
    row.state, row.progress_done = Simulation.State.FINISHED, STEPS
    row.households, row.people, row.result = comparison.households, comparison.people, comparison.plain
    row.run, row.registry_date, row.known_at = source.run, source.day, source.known_at
    row.finished_at = timezone.now()
    row.save(update_fields=[name for name in Simulation.changeable if name != "failure"])
    return row


@command(*SIMULATORS)
def fail_study(*, by: Actor, on: date, row: Simulation | Coverage, failure: str) -> None:
    """What stopped it, in words, unless it ended before."""
    type(row).objects.filter(pk=row.pk, state=row.State.RUNNING).update(
        state=row.State.FAILED, failure=failure[:300], finished_at=timezone.now()
    )


# -- coverage


def analyse(
    *,
    by: Actor,
    on: date,
    division: str,
    determination_date: date,
    granted: Granted,
    anew: bool = False,
    opened: Callable[[Coverage], None] = lambda _: None,
) -> Coverage:
    """Who draws what in a place, by the facts of the last screening (or the registry, read anew); the finished row.

    What is granted and which policies are in force is always as of `determination_date`, however old the facts are.
    """
    row = open_coverage(by=by, on=on, division=division, determination_date=determination_date)
    opened(row)
    with _marking_failure(by, on, row):
        source = _source(by, division, determination_date, granted, anew, on)
        with reading(by):
            prefix = scope_prefix(division, level_of(division, on))
            held = granted(determination_date)
            laws = adopted_book().programmes_in_force(chain(division), determination_date)
            periods = dict(Programme.objects.values_list("code", "period"))
        snapshot = cut(Snapshot(source.snapshot.households, source.snapshot.members, held), prefix)
        covered = cover(Columns(snapshot, determination_date), laws, periods)
        return finish_coverage(by=by, on=on, coverage_id=row.pk, source=source, covered=covered)


@command(Post.COUNTY_OFFICER)
def open_coverage(*, by: Actor, on: date, division: str, determination_date: date) -> Coverage:
    """Begin; the figures and lists of an earlier analysis stay as they are."""
    require_place(by, division)
    level_of(division, on)
    return Coverage.objects.create(
        division=division, determination_date=determination_date, progress_total=1, started_by=by.appointment,
        started_on=on,
    )  # fmt: skip


_COMBINATION_TYPES = {"division": "text", "programmes": "text[]", "households": "int4", "year_fen": "int8"}
_FINDING_TYPES = {
    "division": "text", "household_id": "int8", "kind": "text", "income_fen": "int8", "line_fen": "int8",
    "programmes": "text[]", "year_fen": "int8",
}  # fmt: skip


@command(Post.COUNTY_OFFICER)
def finish_coverage(*, by: Actor, on: date, coverage_id: int, source: Source, covered: Covered) -> Coverage:
    """All rows and the end of the analysis, in one transaction."""
    row = Coverage.objects.select_for_update().get(pk=coverage_id)
    for table, columns, types in (
        ("screening_combination", covered.combinations, _COMBINATION_TYPES),
        ("screening_finding", covered.findings, _FINDING_TYPES),
    ):
        copy_in("found", columns, types)
        names = ", ".join(columns.column_names)
        run(f"INSERT INTO {table} (coverage_id, {names}) SELECT %s, {names} FROM found", [row.pk])  # noqa: S608
    row.state, row.progress_done = Coverage.State.FINISHED, 1
    row.households, row.people, row.result = covered.households, covered.people, {"lines": dict(covered.lines)}
    row.run, row.registry_date, row.known_at = source.run, source.day, source.known_at
    row.finished_at = timezone.now()
    row.save(update_fields=[name for name in Coverage.changeable if name != "failure"])
    return row
