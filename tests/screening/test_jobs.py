"""Long work as jobs: one at a time where places overlap, taken up again, called off, refused (DET-01, SEC-02)."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, OperationalError, connections, transaction

from huimin.casework import screening as casework_screening
from huimin.casework.cli import screen as group
from huimin.casework.screening import screen
from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.jobs.cli import _take_up
from huimin.jobs.cli import work as work_command
from huimin.jobs.commands import Overlaps, cancel_job
from huimin.jobs.models import Job
from huimin.jobs.working import ATTEMPTS_MAX, Cancelled, TakenOver, work_one
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.screening import commands
from huimin.screening.commands import request_screening
from huimin.screening.models import Proposal, Run

At = Callable[[str], str]
DAY = dates.DETERMINED_FOR


@pytest.fixture(autouse=True)
def adopted(county: At) -> Iterator[None]:
    county("adopted")
    yield


def ask(place: str = COUNTY, day: date = DAY) -> Job:
    return request_screening(by=county_officer(), on=dates.SCREENED, division=place, determination_date=day)


def job_now(job: Job) -> Job:
    with reading(county_officer()):
        return Job.objects.get(pk=job.pk)


def proposals() -> int:
    with reading(county_officer()):
        return Proposal.objects.count()


def test_asked_twice_is_one_job_done_once() -> None:
    """Twice clicked once."""
    job = ask()
    assert ask().pk == job.pk
    assert work_one() is not None
    assert work_one() is None
    with reading(county_officer()):
        run = Run.objects.get()
    assert (run.state, run.job_id, job_now(job).state) == ("finished", job.pk, "finished")
    assert proposals() == run.listed > 0


def test_an_overlapping_place_is_refused_and_named() -> None:
    """A township under the county, the county over a township, another date of the same place."""
    place = townships()[0]
    ask()
    with pytest.raises(Overlaps, match="金寨县"):
        ask(place)
    with pytest.raises(Overlaps, match="金寨县"):
        ask(day=date(2021, 8, 1))
    work_one()
    ask(place)
    ask(townships()[1])
    with pytest.raises(Overlaps, match=r"梅山镇.*要取消，由县惠民办经办"):
        ask()


def test_the_database_refuses_an_overlap_by_itself() -> None:
    """The exclusion constraint, whatever the command overlooked; ended jobs do not count."""
    first = ask()
    row = {
        "kind": first.kind, "division": townships()[0], "requested_by": first.requested_by,
        "business_date": first.business_date,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="job_alone"), transaction.atomic(using="maintenance"):
        Job.objects.using("maintenance").create(prefix=townships()[0][:9], **row)
    Job.objects.using("maintenance").create(prefix="341525", **row)
    Job.objects.using("maintenance").create(prefix=first.prefix, state="failed", **row)


def test_refused_for_post_and_place() -> None:
    """SEC-02, SEC-03."""
    arguments = {"on": dates.SCREENED, "determination_date": DAY}
    with pytest.raises(NotYourPost):
        request_screening(by=actor(Post.CLERK, townships()[0]), division=townships()[0], **arguments)
    with pytest.raises(NotYourPlace):
        request_screening(by=county_officer(), division="341500000000", **arguments)
    job = ask()
    with pytest.raises(NotYourPost):
        cancel_job(by=actor(Post.CLERK, townships()[0]), on=dates.SCREENED, job_id=job.pk)


def test_cancelled_in_the_queue() -> None:
    """Nothing happens, and the place is free."""
    job = ask()
    cancel_job(by=county_officer(), on=dates.SCREENED, job_id=job.pk)
    assert job_now(job).state == "cancelled"
    with pytest.raises(AlreadyDone):
        cancel_job(by=county_officer(), on=dates.SCREENED, job_id=job.pk)
    assert work_one() is None
    ask(townships()[0])


def test_cancelled_at_work_stores_nothing() -> None:
    """At its next report the work stops; run and job are cancelled together."""
    job = ask()

    def call_off(at: Job) -> None:
        if at.stage == "逐户认定" and not job_now(job).stop_requested:
            cancel_job(by=county_officer(), on=dates.SCREENED, job_id=job.pk)

    with pytest.raises(Cancelled):
        work_one(watch=call_off)
    with reading(county_officer()):
        assert Run.objects.get().state == "cancelled"
    assert job_now(job).state == "cancelled"
    assert proposals() == 0


def test_interrupted_work_goes_on_with_its_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database went away before the proposals were stored: the next attempt reads no registry again."""
    job = ask()
    with monkeypatch.context() as broken:
        broken.setattr(commands, "store_proposals", _lose_connection)
        with pytest.raises(OperationalError):
            work_one()
    assert (job_now(job).state, proposals()) == ("running", 0)
    with monkeypatch.context() as closed:
        closed.setattr(commands, "snapshot_columns", _lose_connection)
        assert work_one() is not None
    done = job_now(job)
    assert (done.state, done.attempts) == ("finished", 2)
    with reading(county_officer()):
        assert proposals() == Run.objects.get().listed > 0


def _lose_connection(*_: object, **__: object) -> None:
    raise OperationalError("connection lost")


def test_who_lost_a_job_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that slept while another took its job over: refused in the transaction that stores."""
    ask()
    store = commands.store_proposals

    def overtaken(**arguments: object) -> object:
        Job.objects.using("maintenance").update(attempts=7)
        return store(**arguments)

    monkeypatch.setattr(commands, "store_proposals", overtaken)
    with pytest.raises(TakenOver):
        work_one()
    assert proposals() == 0


def test_interrupted_too_often_it_fails_and_frees_the_place() -> None:
    """Something that kills its process each time is not tried for ever."""
    job = ask()
    Job.objects.using("maintenance").update(attempts=ATTEMPTS_MAX, state="running")
    assert work_one() is None
    assert job_now(job).failure == f"中断了 {ATTEMPTS_MAX} 次，不再重试"
    ask(townships()[0])


def test_an_error_of_ours_ends_the_job_and_names_no_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says whom to ask; the log has the rest."""
    job = ask()

    def fall(*_: object) -> None:
        raise ValueError("secret 341524")

    monkeypatch.setattr(casework_screening, "carry_out", fall)
    with pytest.raises(ValueError, match="secret"):
        work_one()
    assert job_now(job).state == "failed"
    assert "secret" not in job_now(job).failure


def test_a_job_that_another_process_holds_is_left_alone() -> None:
    """The advisory lock: a second session finds nothing to do, and waits for the first."""
    job = ask()
    key = f"job {job.pk}"
    other = connections["maintenance"].cursor()
    other.execute("SELECT pg_advisory_lock(hashtextextended(current_database() || ' ' || %s, 0))", [key])
    assert work_one() is None
    other.execute("SELECT pg_advisory_unlock(hashtextextended(current_database() || ' ' || %s, 0))", [key])
    assert work_one() is not None


def test_progress_is_no_matter_of_the_change_log() -> None:
    """A bar that moves leaves no records; asking, starting and ending do."""
    screen(by=county_officer(), on=dates.SCREENED, division=COUNTY, determination_date=DAY)
    with reading(county_officer()):
        moved = fetch_one(
            "SELECT count(*) FROM audit_change WHERE table_name = 'jobs_job' AND (after ? 'done' OR after ? 'stage')"
        )[0]
        ended = fetch_one(
            "SELECT count(*) FROM audit_change WHERE table_name = 'jobs_job' AND after ->> 'state' = 'finished'"
        )[0]
    assert (moved, ended) == (0, 1)


def test_the_command_line_does_the_whole_thing() -> None:
    """`./huimin screen run`: the figures, again with everything kept, and refusals in a sentence."""
    told = CliRunner().invoke(group, ["run", "--place", COUNTY, "--date", "2021-07-01", "--json"])
    assert told.exit_code == 0, told.output
    assert f'"listed": {proposals()}, "kept": 0' in told.output
    told = CliRunner().invoke(group, ["run", "--place", COUNTY, "--date", "2021-07-01"])
    assert f"其中原有 {proposals():,} 条" in told.output
    for wrong in ("34", "000000000000", "110000000000"):
        told = CliRunner().invoke(group, ["run", "--place", wrong, "--date", "2021-07-01"])
        assert told.exit_code != 0 and told.exception is not None


def test_work_once_empties_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """`./huimin work --once`: what was asked for on a page."""
    places = townships()[:2]
    for place in places:
        ask(place)
    told = CliRunner().invoke(work_command, ["--once"])
    assert told.exit_code == 0, told.output
    with reading(county_officer()):
        assert set(Run.objects.filter(state="finished").values_list("division", flat=True)) == set(places)


def test_what_fails_before_a_job_is_taken_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot even claim does not spin: between two tries it waits."""
    beside, happened = 4711, []

    def fail() -> None:
        happened.append("tried")
        raise RuntimeError

    monkeypatch.setattr("huimin.jobs.working.work_one", fail)
    monkeypatch.setattr("huimin.jobs.cli.time.sleep", lambda _: happened.append("waited"))
    monkeypatch.setattr("huimin.jobs.cli.os.getppid", lambda: beside if len(happened) < 6 else 1)
    _take_up(once=False, beside=beside)
    assert happened == ["tried", "waited"] * 3
