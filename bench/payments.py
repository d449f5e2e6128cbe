"""`roster`, `instruct`, `results`: a roster of 100,000 lines from its dues to the books (PAY-01 to PAY-05).

in    the demonstration's county up to its dues, and a township with as many households that are owed money (township.py)
out   a Result a step: lines a second, the process's memory and the database session's

Every step is the product's own command by the post it belongs to, in a transaction that is committed: compiled with its doubts,
posted in every village, signed, summed up, confirmed, funded, batched, released; then a file a format, and the bank's answer in
each format, taken and rolled back so that every format meets the same rows. Yardsticks are of the same database: the same rows into
a bare table, out of the database by COPY, into a temporary table. The cluster is private and removed afterwards.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from bench.answers import write_answer
from bench.instances import private_instance
from bench.measuring import Result, Watch, best_of, forget_peak, peak_memory_mb
from bench.township import FEN, PROGRAMME, fill

PEOPLE = 2_000
GOAL_ROSTER, GOAL_OUT, GOAL_IN, PAGE_MS = 20_000, 20_000, 10_000, 200
FORMATS = ("rural-bank-batch", "fixed-gbk", "csv-utf8", "iso20022")
# What a line of a roster is, without index, key or record of change.
_BARE = """
CREATE TEMP TABLE bare ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY h.division, h.household_no) AS line_no, h.division,
       h.id AS household_id, p.name, c.account_hash, d.amount_fen
FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id JOIN registry_household h ON h.id = e.household_id
JOIN registry_membership m ON m.household_id = h.id AND m.relation = '户主' AND m.recorded_to IS NULL
JOIN registry_person p ON p.id = m.person_id JOIN registry_card c ON c.household_id = h.id AND c.state = 'active'
WHERE d.state = 'owed' AND d.programme = %s AND d.division >= %s AND d.division < %s
"""


def run(households: int) -> Iterator[Result]:
    """A tenth as many lines as `households`."""
    yield from measured(max(1_000, households // 10))


def measured(lines: int) -> Iterator[Result]:
    with private_instance() as home:
        flow = Flow(home, lines)
        yield from flow.roster()
        yield from flow.funds()
        yield flow.pages()
        yield from flow.instruct()
        yield from flow.results()


class Flow:
    """One big roster on its way."""

    def __init__(self, home: Path, lines: int) -> None:
        from huimin.database import instance
        from huimin.demo import paying
        from huimin.demo.listing import townships
        from huimin.demo.quarter import STEPS, County

        self.home, self.lines = home, lines
        self.county = County(people=PEOPLE, seed=2021, home=home / "demo")
        for step in STEPS[: [each.name for each in STEPS].index("accrued") + 1]:
            step.run(self.county)
        paying._open_accounts(self.county)
        self.township = townships()[0]
        began = time.perf_counter()
        fill(instance.private_cluster().url("huimin_bench"), self.township, lines)
        self.filled = time.perf_counter() - began
        _set_format("iso20022")
        _allot(self.county, lines)
        self.number = self.batch = 0

    def act(self, post: str, where: str = "") -> Any:
        from huimin.demo.actors import actor

        return actor(post, where or self.township)  # type: ignore[arg-type]

    def roster(self) -> Iterator[Result]:
        from huimin.demo import dates
        from huimin.organisation.acting import reading
        from huimin.organisation.posts import OfficeKind, Post
        from huimin.payment import commands

        clerk = self.act(Post.CLERK)

        def bare() -> None:
            from huimin.database.bulk import run as execute

            with reading(clerk):
                execute(_BARE, [PROGRAMME, self.township[:9], self.township[:9] + "~"])

        yardstick, _ = best_of(2, bare)
        on = dates.COMPILED
        split: dict[str, float] = {}
        with _timing_of(split):
            made = self._timed(
                lambda: commands.compile_roster(
                    by=clerk, on=on, programme=PROGRAMME, division=self.township, period=dates.QUARTER
                ),
                on,
            )
        seconds, roster, watch = made
        assert roster.lines_count == self.lines, f"{roster.lines_count} lines"
        self.number = roster.pk
        steps = [("roster", "编制清册，查出疑点", seconds, watch, GOAL_ROSTER, split)]
        head, settler = self.act(Post.TOWNSHIP_HEAD), self.act(Post.SETTLEMENT)
        for name, work, by, on, act in (
            ("roster-post", "张榜公示", self.act(Post.REVIEWER), dates.PUBLISHED, commands.publish_roster),
            ("roster-sign", "乡镇签批", head, dates.SIGNED, commands.sign_roster),
        ):
            seconds, _, watch = self._timed(lambda act=act, by=by, on=on: act(by=by, on=on, roster_id=self.number), on)
            steps.append((name, work, seconds, watch, 0, {}))
        seconds, summary, watch = self._timed(
            lambda: commands.compile_summary(by=settler, on=dates.SIGNED, division=self.township, period=dates.QUARTER),
            dates.SIGNED,
        )
        steps.append(("roster-sum", "汇总清册", seconds, watch, 0, {}))
        commands.sign_summary(by=head, on=dates.SIGNED, summary_id=summary.pk)
        for name, work, by, act in (
            (
                "roster-confirm",
                "部门核定",
                self.act(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE),
                commands.confirm_by_department,
            ),
            (
                "roster-confirm",
                "财政核定",
                self.act(Post.FINANCE_OFFICER, OfficeKind.FINANCE),
                commands.confirm_by_finance,
            ),
        ):
            seconds, _, watch = self._timed(
                lambda act=act, by=by: act(by=by, on=dates.CONFIRMED, roster_id=self.number), dates.CONFIRMED
            )
            steps.append((name, work, seconds, watch, 0, {}))
        for name, work, seconds, watch, goal, more in steps:
            yield self._result(
                name, f"{self.lines:,} 行{work}", seconds, "同样的行放进没有索引的表", yardstick, goal, watch, more
            )

    def funds(self) -> Iterator[Result]:
        """The money comes; the batch is prepared and released."""
        from huimin.demo import dates
        from huimin.demo.paying import _let_the_bank_transfer, finance
        from huimin.funds.commands import reserve_funding, transfer_funding
        from huimin.organisation.posts import Post
        from huimin.payment import commands

        releaser = finance(Post.FINANCE_RELEASER)
        _on(dates.APPLIED)
        asked = commands.apply_for_funds(by=self.act(Post.SETTLEMENT), on=dates.APPLIED, roster_id=self.number)
        _on(dates.TRANSFERRED)
        reserve_funding(by=finance(), on=dates.RESERVED, application_ids=[asked.pk])
        transfer_funding(by=releaser, on=dates.TRANSFERRED, application_ids=[asked.pk])
        _let_the_bank_transfer(self.county)
        seconds, batch, watch = self._timed(
            lambda: commands.prepare_batch(by=self.act(Post.SETTLEMENT), on=dates.PREPARED, roster_id=self.number),
            dates.PREPARED,
        )
        self.batch = batch.pk
        yardstick = self._copied()
        named = "同样的行用 COPY 取出"
        yield self._result("batch-prepare", f"{self.lines:,} 笔编制批次", seconds, named, yardstick, 0, watch, {})
        seconds, _, watch = self._timed(
            lambda: commands.release_batch(by=releaser, on=dates.RELEASED, batch_id=self.batch), dates.RELEASED
        )
        yield self._result("batch-release", f"{self.lines:,} 笔复核放行", seconds, named, self._copied(), 0, watch, {})
        commands.write_batch_files(by=releaser, on=dates.RELEASED, folder=self.home / "out")

    def pages(self) -> Result:
        """What the county opens of a roster of this size, and its papers."""
        from bench.roster_pages import pages_of, papers_of

        village = f"{self.township[:9]}300"
        forget_peak()
        with Watch() as watch:
            times = pages_of(self.number, self.batch, self.lines, village)
            worst = max(times, key=lambda kind: times[kind])
            papers = papers_of(self.number, village)
        detail = {
            "lines": self.lines,
            "load": watch.load,
            "memory_added_mb": watch.added_mb,
            "p95": times,
            "papers": papers,
        }
        first = times["清册列表"]
        return Result(
            "roster-pages", f"{self.lines:,} 行的清册，{len(times)} 种页面，95 百分位最慢的：{worst}", times[worst], "毫秒", "清册列表",
            first, times[worst] / first, "≤ 200 毫秒", times[worst] <= PAGE_MS, peak_memory_mb(), detail,
        )  # fmt: skip

    def _copied(self) -> float:
        """Seconds to get the batch's rows out by COPY (as released, or as they will be)."""
        from django.db import connection

        from huimin.demo.paying import finance
        from huimin.organisation.acting import reading
        from huimin.payment.commands.batches import _TRIED_ROWS

        def copied() -> None:
            statement = f"COPY ({_TRIED_ROWS.replace('%s', str(self.number)).replace(chr(39) + 'listed' + chr(39), 'l.state')}) TO STDOUT"
            with reading(finance()), connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
                for _ in copy:
                    pass

        return best_of(2, copied)[0]

    def instruct(self) -> Iterator[Result]:
        from huimin.demo.paying import finance
        from huimin.organisation.acting import reading
        from huimin.payment.exchange.composing import write_batch
        from huimin.payment.models import Batch

        by, yardstick = finance(), self._copied()
        for key in self._fitting():

            def written(key: str = key) -> int:
                with reading(by):
                    made = Batch.objects.select_related("payer", "roster", "bank_office").get(pk=self.batch)
                    made.format = key
                    with (self.home / f"{key}.out").open("wb") as sink:
                        return write_batch(made, sink).rows_count

            seconds, _, watch = self._timed(written)
            yield self._result(
                "instruct",
                f"{self.lines:,} 笔写成 {key}",
                seconds,
                "同样的行用 COPY 取出",
                yardstick,
                GOAL_OUT,
                watch,
                {},
            )

    def results(self) -> Iterator[Result]:
        from django.db import transaction

        from huimin.database.bulk import copy_rows
        from huimin.database.bulk import run as execute
        from huimin.demo import dates
        from huimin.demo.paying import finance
        from huimin.organisation.acting import reading
        from huimin.payment.commands import take_result
        from huimin.payment.models import Batch, Instruction

        by = finance()
        with reading(by):
            number = Batch.objects.get(pk=self.batch).batch_no
            first = (
                Instruction.objects.filter(batch=self.batch).order_by("sequence").values_list("line_id", flat=True)[0]
            )

        def into_a_table() -> None:
            with reading(by):
                columns = [("a", "int8"), ("b", "int4"), ("c", "int8"), ("d", "text")]
                copy_rows("bench_rows", columns, ((first + n, n, FEN, "S") for n in range(self.lines)))

        yardstick, _ = best_of(2, into_a_table)
        for key in self._fitting():
            execute(
                "UPDATE payment_batch SET format = %s, file_sha256 = repeat('0', 64) WHERE id = %s",
                [key, self.batch],
                using="maintenance",
            )
            name = write_answer(self.home, key, number, self.lines, first)

            def taken(name: str = name) -> int:
                with transaction.atomic(), (self.home / name).open("rb") as source:
                    result = take_result(by=by, on=dates.RESULTS, data=source, file_name=name)
                    count = int(result.paid_lines)  # type: ignore[union-attr]
                    transaction.set_rollback(True)
                return count

            seconds, count, watch = self._timed(taken, dates.RESULTS)
            assert count == self.lines - self.lines // 100, f"{count} paid"
            yield self._result(
                "results",
                f"{self.lines:,} 行 {key} 回盘：核对、记账",
                seconds,
                "同样的行放进临时表",
                yardstick,
                GOAL_IN,
                watch,
                {},
            )
            execute("VACUUM", using="maintenance")  # what was rolled back is not the next format's to step over
            (self.home / name).unlink()

    def _fitting(self) -> list[str]:
        from huimin.payment.exchange.formats import get_format

        return [key for key in FORMATS if get_format(key).rows_max >= self.lines]

    def _timed(self, work: Callable[[], Any], on: date | None = None) -> tuple[float, Any, Watch]:
        """Seconds, what came of it, and the memory of process and session meanwhile."""
        if on is not None:
            _on(on)
        forget_peak()
        with Watch() as watch:
            began = time.perf_counter()
            made = work()
            seconds = time.perf_counter() - began
        return seconds, made, watch

    def _result(
        self, bench: str, work: str, seconds: float, yardstick: str, yardstick_seconds: float, goal: int, watch: Watch, more: dict[str, float]
    ) -> Result:  # fmt: skip
        rate = self.lines / seconds
        detail = {
            "lines": self.lines, "seconds": round(seconds, 2), "memory_added_mb": watch.added_mb, "session_mb": watch.session_mb,
            "load": watch.load, "cpu_seconds": watch.cpu_seconds, **{name: round(value, 2) for name, value in more.items()},
        }  # fmt: skip
        return Result(
            bench, work, round(rate), "行/秒", yardstick, round(self.lines / yardstick_seconds), seconds / yardstick_seconds,
            f"≥ {goal:,} 行/秒" if goal else "没有定", not goal or rate >= goal, peak_memory_mb(), detail,
        )  # fmt: skip


def _on(day: date) -> None:
    from huimin.demo.clock import business_day

    business_day(day)


def _timing_of(split: dict[str, float]) -> Any:
    """How much of compiling is finding doubts."""
    from contextlib import contextmanager

    from huimin.payment.commands import rosters

    @contextmanager
    def timing() -> Iterator[None]:
        find = rosters.find_doubts

        def timed(*args: Any) -> int:
            began = time.perf_counter()
            found = find(*args)
            split["find_doubts"] = time.perf_counter() - began
            return found

        rosters.find_doubts = timed
        try:
            yield
        finally:
            rosters.find_doubts = find

    return timing()


def _set_format(key: str) -> None:
    """Every bank takes this format, the only one for a million lines. Written past the room, which wants it signed."""
    from huimin.demo import dates
    from huimin.organisation.models import Office
    from huimin.organisation.posts import OfficeKind
    from huimin.payment.models import BankSetting

    for office in Office.objects.using("maintenance").filter(kind=OfficeKind.BANK):
        BankSetting.objects.using("maintenance").create(
            division="341524000000", bank_office=office, valid_from=dates.ACCRUED, format=key, route="folder", suite="none",
            name_check=False, basis="基准测试", proposed_by=1, proposed_on=dates.ACCRUED, decided_by=2, decided_on=dates.ACCRUED,
            state="approved",
        )  # fmt: skip


def _allot(county: Any, lines: int) -> None:
    """Money from above for every line."""
    from huimin.demo import dates
    from huimin.demo.paying import finance
    from huimin.funds.indicators import decide_allotments, receive_allotment
    from huimin.organisation.posts import Post

    made = receive_allotment(
        by=finance(), on=dates.ACCRUED, division=county.code, programme=PROGRAMME, year=2021, document_no="基准测试〔2021〕1号",
        amount_fen=FEN * lines * 2,
    )  # fmt: skip
    decide_allotments(by=finance(Post.FINANCE_RELEASER), on=dates.ACCRUED, allotment_ids=[made.pk])
