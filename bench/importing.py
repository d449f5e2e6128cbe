"""`import`: a workbook of 200,000 members read, checked and merged into the registry, by the function the desk uses.

in    an invented workbook of twenty columns (households of three, two townships' heads and synonyms), an empty registry
out   Results: everybody new; then a fifth of the rows changed; beside reading the same workbook with openpyxl alone

Timed is `importing.working.import_file` from the bytes to the committed transaction, its change records included.
The cluster is private and durable, and removed afterwards.
"""

import io
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import xlsxwriter

from bench.instances import private_instance
from bench.measuring import Result, forget_peak, memory_mb, peak_memory_mb

ROWS, HOUSEHOLD_ROWS = 200_000, 3
SECONDS_GOAL, MEMORY_GOAL_MB = 60, 1_024
COUNTY, DAY, LATER = "341524000000", date(2021, 6, 21), date(2021, 8, 10)
HEADS = (
    "序号", "户编码", "姓名", "身份证号", "与户主关系", "婚姻状况", "文化程度", "在校情况", "劳动能力", "就业", "月工资（元）", "月养老金", "健康状况",
    "重病", "残疾类别", "残疾等级", "参加医保", "参加养老保险", "村干部", "备注",
)  # fmt: skip


def run(households: int) -> Iterator[Result]:
    """The benchmark's lines; never more rows than the goal speaks of."""
    rows = min(ROWS, households)
    with private_instance() as home:
        _organise(home)
        first, second = _workbook(rows, 0), _workbook(rows, 5)
        yardstick = _read_elsewhere(first)
        yield _measured(f"{rows:,} rows of 20 columns, everybody new", first, DAY, rows, yardstick)
        yield _measured(f"{rows:,} rows, a fifth changed", second, LATER, rows, yardstick)


def _organise(home: Path) -> None:
    from huimin.demo.organise import organise
    from huimin.demo.quarter import County

    organise(County(people=1000, seed=1, home=home))


def _workbook(rows: int, every: int) -> bytes:
    """The sheet; with `every`, each row of that rhythm states another wage than the first time."""
    from huimin.demo.population.numbers import as_text, identity_numbers
    from huimin.divisions.models import Division

    villages = list(
        Division.objects.using("maintenance")
        .filter(level=12, code__startswith="341524")
        .order_by("code")
        .values_list("code", flat=True)
    )
    people = np.arange(rows)
    numbers = as_text(identity_numbers(1000 + people % 15_000, people // 15_000 * 2 + 1)).to_pylist()
    assert len(set(numbers)) == rows
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("成员")
    sheet.write_row(0, 0, ["某县家庭成员情况表"])
    sheet.write_row(1, 0, HEADS)
    for row in range(rows):
        home, place = row // HOUSEHOLD_ROWS, row % HOUSEHOLD_ROWS
        wage = 1200 + row % 700 + (1 if every and row % every == 0 else 0)
        sheet.write_row(
            row + 2,
            0,
            [
                row + 1, f"{villages[home % len(villages)]}-{home // len(villages) + 1:04d}", f"张{chr(0x4E00 + row % 9000)}", numbers[row],
                ("户主", "妻", "长子")[place], "已婚" if place < 2 else "未婚", "小学", "否", "有", "是", wage, row % 3 * 100, "健康",
                "否", "无", 0, "城乡居民", "城乡居民", "否", "",
            ],
        )  # fmt: skip
    book.close()
    return file.getvalue()


def _read_elsewhere(content: bytes) -> float:
    began = time.perf_counter()
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).active
    assert sum(1 for _ in sheet.iter_rows(values_only=True)) > 0
    return time.perf_counter() - began


def _measured(work: str, content: bytes, on: date, rows: int, yardstick: float) -> Result:
    from huimin.demo.actors import actor
    from huimin.importing.working import Asked, import_file
    from huimin.organisation.posts import OfficeKind, Post

    by = actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    began, stages = time.perf_counter(), dict[str, float]()

    def heard(stage: str, done: int, total: int) -> None:
        stages.setdefault(stage, round(time.perf_counter() - began, 1))

    forget_peak()
    before = memory_mb()
    with io.BytesIO(content) as file:
        outcome = import_file(
            by=by,
            on=on,
            file=file,
            name="members.xlsx",
            asked=Asked(COUNTY, on, "bench"),
            rehearse=False,
            progress=heard,
        )
    seconds = time.perf_counter() - began
    counts = outcome.counts
    assert counts["new"] + counts["changed"] + counts["same"] == rows, counts
    return Result(
        bench="import", work=work, value=round(seconds, 1), unit="s", yardstick="reading it with openpyxl alone",
        yardstick_value=round(yardstick, 1), ratio=round(seconds / yardstick, 2),
        goal=f"≤ {SECONDS_GOAL} s, ≤ {MEMORY_GOAL_MB:,} MB",
        met=seconds <= SECONDS_GOAL * rows / ROWS + 5 and peak_memory_mb() <= MEMORY_GOAL_MB, peak_memory_mb=peak_memory_mb(),
        detail={"counts": counts, "stages_began_at_s": stages, "memory_before_mb": before},
    )  # fmt: skip
