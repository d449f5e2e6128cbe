"""`cards`, `letters-print`: 明白卡 and 告知书 of a whole township in the background, one PDF a village (PAY-07, CASE-11).

in    a township of so many households (township.py), 1,000 a village; each owed something for two quarters, each with a letter
      that was made and not delivered
out   two Results: pages a second from the queued job to the last encrypted file, beside setting alone by two processes

The job is the product's own, worked by this process as `./huimin work` does. The cluster is private and removed afterwards.
"""

import json
import time
from collections.abc import Callable
from collections.abc import Iterator as Rows
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pypdf

from bench.instances import private_instance
from bench.measuring import Result, Watch, forget_peak, peak_memory_mb
from bench.township import BASE, copy_row, fill

PEOPLE, VILLAGE, GOAL = 2_000, 1_000, 300


def run(households: int) -> Rows[Result]:
    """A fifth of `households`: 200,000 of a million."""
    yield from measured(max(VILLAGE, households // 5))


def measured(homes: int) -> Rows[Result]:
    with private_instance() as home:
        from huimin.database import instance
        from huimin.demo.listing import townships
        from huimin.demo.quarter import STEPS, County

        county = County(people=PEOPLE, seed=2021, home=home / "demo")
        for step in STEPS[: [each.name for each in STEPS].index("accrued") + 1]:
            step.run(county)
        model = _written_letter()
        place = townships()[0]

        def also(superuser: Any) -> None:
            _add_dues(superuser)
            _add_letters(superuser, model)

        fill(instance.private_cluster().url("huimin_bench"), place, homes, VILLAGE, also)
        yield _cards(place, homes)
        yield _letters(place, homes)


def _written_letter() -> Any:
    """One letter the demonstration owes, made by its office."""
    from huimin.demo import dates
    from huimin.demo.actors import actor
    from huimin.organisation.acting import reading
    from huimin.organisation.posts import OfficeKind, Post
    from huimin.telling.letters import owed_to, write_letters

    by = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    with reading(by):
        letter = owed_to(by)[0]
    write_letters(by=by, on=dates.ACCRUED, letter_ids=[letter.pk])
    with reading(by):
        letter.refresh_from_db()
    return letter


def _add_dues(superuser: Any) -> None:
    """A second quarter."""
    values = {"id": f"{BASE * 2} + b.n", "division": "b.division", "entitlement_id": f"{BASE} + b.n", "state": "'owed'"}
    values |= {"period_from": "m.period_until", "period_until": "(m.period_until + interval '3 months')::date"}
    copy_row(superuser, "payment_due", f"m.id = {BASE} + 1", values)


def _add_letters(superuser: Any, model: Any) -> None:
    """The letter's content with another name and number for each, sealed as the product seals it."""
    from huimin.database.personal import PAYLOAD, keyring, plain
    from huimin.kernel.digests import canonical, digest

    content, ring = json.loads(plain(model.payload_enc, PAYLOAD)), keyring()
    rows = superuser.execute("SELECT n, name FROM bench_row ORDER BY n").fetchall()
    superuser.execute(
        "CREATE TEMP TABLE bench_letter (n int PRIMARY KEY, name text, number text, enc bytea, hash bytea, digest text)"
    )
    with superuser.cursor().copy("COPY bench_letter FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "text", "text", "bytea", "bytea", "text"])
        for n, name in rows:
            told = content | {"name": name, "number": f"{content['office']}〔2021〕{n} 号"}
            text = canonical(told).decode()
            copy.write_row(
                (n, name, told["number"], ring.encrypt(text, PAYLOAD), ring.lookup(text, PAYLOAD), digest(told))
            )
    own = f"{BASE} + b.n"
    values = {
        "id": own, "decision_id": own, "household_id": own, "division": "b.division", "name": "w.name", "number": "w.number",
        "serial": own, "payload_enc": "w.enc", "payload_hash": "w.hash", "digest": "w.digest",
    }  # fmt: skip
    copy_row(superuser, "telling_letter", f"m.id = {model.pk}", values, "bench_row b JOIN bench_letter w ON w.n = b.n")


def _cards(place: str, homes: int) -> Result:
    from huimin.demo import dates
    from huimin.demo.actors import actor
    from huimin.demo.clock import business_day
    from huimin.kernel.periods import parse_period
    from huimin.organisation.posts import Post
    from huimin.payment.papers.statements import gather_statements
    from huimin.payment.papers.typesetting import typeset
    from huimin.printing.commands import request_cards, take_cards

    business_day(dates.CLOSED)
    by, period = actor(Post.SETTLEMENT, place), parse_period("2021-07/2021-12", where="")
    content, on = gather_statements(by=by, division=_first(place), period=period)
    alone = _alone(lambda: typeset("statement", content, on=on), VILLAGE)
    run = request_cards(by=by, on=dates.CLOSED, division=place, period=period)
    return _worked(run, homes, lambda row: take_cards(by=by, on=on, file_id=row)[1], alone, ("cards", "明白卡"))


def _letters(place: str, homes: int) -> Result:
    from huimin.demo import dates
    from huimin.demo.actors import actor
    from huimin.organisation.posts import Post
    from huimin.payment.papers.notifying import gather_letters
    from huimin.payment.papers.typesetting import typeset
    from huimin.printing.commands import request_letter_papers, take_letter_papers
    from huimin.telling.letters import LetterFilter

    by, on = actor(Post.CLERK, place), dates.CLOSED
    letters = gather_letters(by=by, on=on, wanted=LetterFilter(_first(place), on, "issued"))
    content = {"title": "告知书", "issuer": by.office_name, "letters": letters}
    alone = _alone(lambda: typeset("notify", content, on=on), VILLAGE)
    run = request_letter_papers(by=by, on=on, division=place, period=dates.QUARTER)
    return _worked(
        run, homes, lambda row: take_letter_papers(by=by, on=on, file_id=row)[1], alone, ("letters-print", "告知书")
    )


def _first(place: str) -> str:
    return f"{place[:9]}300"


def _alone(work: Callable[[], bytes], papers: int) -> float:
    """Pages a second when two processes set the same village twice each and nothing else is done."""
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as setters:
        made = list(setters.map(lambda _: work(), range(4)))
    return 4 * _pages(made[0]) / (time.perf_counter() - began)


def _pages(content: bytes) -> int:
    return len(pypdf.PdfReader(BytesIO(content)).pages)


def _worked(run: Any, homes: int, take: Callable[[int], bytes], alone: float, named: tuple[str, str]) -> Result:
    """The job, worked here; pages are counted in the first village's file and are as many in every other."""
    from huimin.demo.granting import county_officer
    from huimin.jobs.working import work_one
    from huimin.organisation.acting import reading
    from huimin.printing.models import PrintFile

    forget_peak()
    with Watch() as watch:
        began = time.perf_counter()
        job = work_one()
        seconds = time.perf_counter() - began
    assert job is not None
    with reading(county_officer()):
        files = list(PrintFile.objects.filter(run=run, households=VILLAGE).order_by("division"))
        papers = sum(PrintFile.objects.filter(run=run).values_list("households", flat=True))
        size = sum(PrintFile.objects.filter(run=run).values_list("size_bytes", flat=True))
    assert papers >= homes, f"{papers} of {homes}: {job.failure}"
    pages = papers * _pages(take(files[0].pk)) / VILLAGE
    rate = pages / seconds
    detail = {
        "seconds": round(seconds, 1), "papers": papers, "pages": round(pages), "megabytes": size >> 20, "load": watch.load, "cpu_seconds": watch.cpu_seconds,
        "memory_added_mb": watch.added_mb, "session_mb": watch.session_mb,
    }  # fmt: skip
    return Result(
        named[0], f"{papers:,} 份{named[1]}，{pages:,.0f} 页，一个村一份 PDF", round(rate, 1), "页/秒", "只排版，两个进程", round(alone, 1),
        alone / rate, f"≥ {GOAL} 页/秒", rate >= GOAL, peak_memory_mb(), detail,
    )  # fmt: skip
