"""`instruct` and `results`: a batch of 100,000 lines out to the bank, and the bank's answer in, matched and posted (PAY-04, PAY-05).

in    the demonstration's county up to its prepared batches, with one roster of that many lines put beside it
out   a Result a format: lines a second against the goals of the plan (20,000 out, 10,000 in), memory of the process

The big roster is written past the guards by the cluster's superuser: what is timed is decrypting, checking and writing
every line, and reading, matching, settling and posting every line with its change records. A taken answer is rolled back,
so that every format meets the same rows. Yardsticks: the same rows out of the database by COPY; the same rows into a
temporary table. The cluster is private and removed afterwards.
"""

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from bench.instances import private_instance
from bench.measuring import Result, best_of, forget_peak, memory_mb, peak_memory_mb

PEOPLE = 3_000
GOAL_OUT, GOAL_IN = 20_000, 10_000
FORMATS = ("rural-bank-batch", "fixed-gbk", "csv-utf8", "iso20022")

# One line, one due, one instruction a number; everything else is what the roster of the prepared batch has.
_FILL = """
CREATE TEMP TABLE model AS SELECT l.*, row_number() OVER (ORDER BY l.id) - 1 AS at FROM payment_rosterline l
  JOIN registry_person p ON p.id = l.payee_id
  WHERE l.roster_id = {roster} AND l.state = 'listed' AND l.name !~ '[^一-龥·]' AND p.name !~ '[^一-龥·]';
INSERT INTO payment_due (id, entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state)
  OVERRIDING SYSTEM VALUE
  SELECT 1000000000 + n, 1000000000 + n, '{division}', '{programme}', '2021-07-01', '2021-10-01', 'base', 1, 12345, 'owed'
  FROM generate_series(1, {lines}) n;
INSERT INTO payment_rosterline (id, roster_id, line_no, division, programme, entitlement_id, household_id, person_id, payee_id,
    card_id, name, people, group_code, quantity, amount_fen, facts_digest, digest, state, withheld_reason)
  OVERRIDING SYSTEM VALUE
  SELECT 1000000000 + n, {roster}, 1000000 + n, m.division, m.programme, 1000000000 + n, m.household_id, m.person_id, m.payee_id,
    m.card_id, m.name, m.people, m.group_code, m.quantity, 12345, m.facts_digest, m.digest, 'sent', ''
  FROM generate_series(1, {lines}) n JOIN model m ON m.at = n % (SELECT count(*) FROM model);
INSERT INTO payment_linedue (line_id, due_id, division, live)
  SELECT 1000000000 + n, 1000000000 + n, '{division}', true FROM generate_series(1, {lines}) n;
INSERT INTO payment_instruction (batch_id, bank_office_id, division, line_id, sequence, account_enc, account_hash, amount_fen, state)
  SELECT {batch}, {office}, l.division, l.id, l.line_no - 1000000, c.account_enc, c.account_hash, l.amount_fen, 'sent'
  FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id WHERE l.id > 1000000000;
UPDATE payment_batch SET state = 'written', lines_count = {lines}, amount_fen = 12345::bigint * {lines}, released_by = 1,
    released_on = '2021-09-17', answer_due_on = '2021-09-24', signature_id = 1, file_sha256 = repeat('0', 64) WHERE id = {batch};
UPDATE payment_roster SET state = 'sent' WHERE id = {roster};
"""


def run(households: int) -> Iterator[Result]:
    """Lines for every format; a tenth as many lines as `households`."""
    lines = max(1_000, households // 10)
    with private_instance() as home:
        batch = _prepared(home, lines)
        yield from _instruct(batch, home, lines)
        yield from _results(batch, home, lines)


def _prepared(home: Path, lines: int) -> Any:
    from huimin.database import instance
    from huimin.demo.paying import finance
    from huimin.demo.quarter import STEPS, County
    from huimin.organisation.acting import reading
    from huimin.payment.models import Batch

    county = County(people=PEOPLE, seed=2021, home=home / "demo")
    for step in STEPS[: [each.name for each in STEPS].index("prepared") + 1]:
        step.run(county)
    with reading(finance()):
        batch = Batch.objects.filter(state="prepared").order_by("-lines_count")[0]
    names = {
        "roster": batch.roster_id, "division": batch.division, "programme": batch.programme, "lines": lines, "batch": batch.pk,
        "office": batch.bank_office_id,
    }  # fmt: skip
    with psycopg.connect(instance.private_cluster().url("huimin_bench"), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(_FILL.format(**names))
        superuser.execute("VACUUM ANALYZE")
    _fund(batch, lines)
    return batch.pk


def _fund(batch: Any, lines: int) -> None:
    """The books hold the money that is in transit, as after a release."""
    from huimin.demo import dates
    from huimin.demo.paying import finance
    from huimin.ledger.commands import post_event
    from huimin.ledger.models import Voucher
    from huimin.organisation.acting import reading

    by = finance()
    with reading(by):
        for event in (Voucher.Event.FUNDS_RECEIVED, Voucher.Event.SENT):
            post_event(
                by=by, on=dates.RELEASED, division=batch.division, event=event, subject=f"bench:{event}",
                summary="bench", amount_fen=12345 * lines, programme=batch.programme,
            )  # fmt: skip


def _fitting(lines: int) -> list[str]:
    from huimin.payment.exchange.formats import get_format

    return [key for key in FORMATS if get_format(key).rows_max >= lines]


def _instruct(batch: int, home: Path, lines: int) -> Iterator[Result]:
    from django.db import connection

    from huimin.demo.paying import finance
    from huimin.organisation.acting import reading
    from huimin.payment.exchange.composing import _FILE_ROWS, write_batch
    from huimin.payment.models import Batch

    def copied() -> None:
        statement = f"COPY ({_FILE_ROWS.replace('%s', str(batch))}) TO STDOUT"
        with reading(finance()), connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
            for _ in copy:
                pass

    by = finance()
    for key in _fitting(lines):

        def written(key: str = key) -> int:
            with reading(by):
                made = Batch.objects.select_related("payer", "roster", "bank_office").get(pk=batch)
                made.format = key
                with (home / f"{key}.out").open("wb") as sink:
                    return write_batch(made, sink).rows_count

        seconds, peak, grown = _timed(written)
        yardstick, _ = best_of(2, copied)
        yield _result(
            "instruct",
            f"{lines:,} 笔写成 {key}",
            lines,
            seconds,
            "同样的行用 COPY 取出",
            yardstick,
            GOAL_OUT,
            peak,
            grown,
        )


def _results(batch: int, home: Path, lines: int) -> Iterator[Result]:
    from django.db import transaction

    from huimin.database.bulk import copy_rows
    from huimin.demo import dates
    from huimin.demo.paying import finance
    from huimin.organisation.acting import reading
    from huimin.payment.commands import take_result
    from huimin.payment.models import Batch

    by = finance()
    with reading(by):
        number = Batch.objects.get(pk=batch).batch_no

    def into_a_table() -> None:
        with reading(by):
            columns = [("a", "int8"), ("b", "int4"), ("c", "int8"), ("d", "text")]
            copy_rows("bench_rows", columns, ((1_000_000_000 + n, n, 12345, "S") for n in range(lines)))

    for key in _fitting(lines):
        _set_format(batch, key)
        name = _answer(home, key, number, lines)

        def taken(name: str = name) -> int:
            with transaction.atomic(), (home / name).open("rb") as source:
                result = take_result(by=by, on=dates.RESULTS, data=source, file_name=name)
                count = int(result.paid_lines)  # type: ignore[union-attr]
                transaction.set_rollback(True)
            return count

        seconds, peak, grown = _timed(taken)
        yardstick, _ = best_of(2, into_a_table)
        yield _result(
            "results",
            f"{lines:,} 行 {key} 回盘：核对、记账",
            lines,
            seconds,
            "同样的行放进临时表",
            yardstick,
            GOAL_IN,
            peak,
            grown,
        )


def _set_format(batch: int, key: str) -> None:
    from huimin.database.bulk import run as execute

    execute("UPDATE payment_batch SET format = %s WHERE id = %s", [key, batch], using="maintenance")


def _answer(home: Path, key: str, number: str, lines: int) -> str:
    """The bank's answer, written by its own program's words: everything paid but every hundredth, which came back."""
    from bank_simulator.layout import read_layout
    from bank_simulator.tongues import REASONS, name_of, render
    from huimin.demo import dates
    from huimin.kernel.bankfile import write_to
    from huimin.payment.exchange.formats import get_format

    layout = read_layout(Path("policy/banks") / f"{key}.yaml")
    name = name_of(layout, layout.files["payment_answer"], number, 1)
    day = f"{dates.RELEASED:%Y%m%d}"

    def rows() -> Iterator[dict[str, str]]:
        for n in range(1, lines + 1):
            failed = n % 100 == 0
            yield {
                "sequence": str(n), "row_id": str(1_000_000_000 + n), "row_amount_fen": "12345", "row_state": "F" if failed else "S",
                "failure_code": "F05" if failed else "", "failure_reason": REASONS["F05"] if failed else "",
                "booked_on": "" if failed else day, "bank_serial": "" if failed else f"{day}{n:010d}", "account": "",
            }  # fmt: skip

    if key == "rural-bank-batch":
        failed = lines // 100
        header = {
            "batch_no": number, "answer_no": 1, "business_date": dates.RELEASED, "rows_count": lines, "amount_fen": 12345 * lines,
            "paid_count": lines - failed, "paid_fen": 12345 * (lines - failed), "failed_count": failed, "failed_fen": 12345 * failed,
            "pending_count": 0, "pending_fen": 0, "order_sha256": "0" * 64, "format_version": "1.0",
        }  # fmt: skip
        typed = (
            row
            | {
                "sequence": int(row["sequence"]),
                "row_amount_fen": 12345,
                "booked_on": dates.RELEASED if row["booked_on"] else None,
            }
            for row in rows()
        )
        with (home / name).open("wb") as sink:
            write_to(sink, get_format(key), "payment_answer", header, typed)
        return name
    told = {
        "batch_no": number,
        "answer_no": "1",
        "business_date": day,
        "order_sha256": "",
        "format_version": layout.version,
    }
    made = [row | {"account": "6200000000000000"} if key != "iso20022" else row for row in rows()]
    content = render(layout, layout.files["payment_answer"], told, made)
    if key == "iso20022":
        content = content.replace(b"<CdtrAcct><Id><Othr><Id></Id></Othr></Id></CdtrAcct>", b"")
    else:
        content = _accounts(home, key, content)
    (home / name).write_bytes(content)
    return name


def _accounts(home: Path, key: str, content: bytes) -> bytes:
    """The accounts that were sent, put in the place of the stand-in: an answer that names another account is a conflict."""
    from huimin.payment.exchange.formats import get_format

    form = get_format(key)
    out = (home / f"{key}.out").read_bytes()
    accounts = list(_sent_accounts(form, out))
    pieces = content.split(b"6200000000000000")
    width = len(accounts[0])
    joined = io.BytesIO()
    for at, piece in enumerate(pieces):
        if at and key == "fixed-gbk":
            piece = piece[width - 16 :]
        joined.write(piece)
        if at < len(accounts):
            joined.write(accounts[at])
    return joined.getvalue()


def _sent_accounts(form: Any, out: bytes) -> Iterator[bytes]:
    heads = 1
    for line in out.split(form.line_ending.encode())[heads:-2]:
        yield line[7:39].rstrip() if form.layout == "fixed" else line.split(form.separator.encode())[1]


def _timed(work: Callable[[], Any]) -> tuple[float, int, int]:
    """Seconds, peak memory, and how much of it the work added."""
    before = memory_mb()
    forget_peak()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    peak = peak_memory_mb()
    return seconds, peak, peak - before


def _result(
    bench: str, work: str, lines: int, seconds: float, yardstick: str, yardstick_seconds: float, goal: int, peak: int, grown: int
) -> Result:  # fmt: skip
    rate = lines / seconds
    return Result(
        bench, work, round(rate), "行/秒", yardstick, round(lines / yardstick_seconds), lines / yardstick_seconds / rate,
        f"≥ {goal:,} 行/秒", rate >= goal, peak, {"seconds": round(seconds, 2), "memory_added_mb": grown},
    )  # fmt: skip
