"""What the benchmarks say: a table for people, bench-out/results.json for programs.

in    Results, the machine
out   the table on the console; the file, where a benchmark that was run replaces its earlier lines and others stay

The file: {"results": [{bench, work, value, unit, yardstick, yardstick_value, ratio, goal, met, peak_memory_mb, detail,
machine, at}, …]}. Times are seconds.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measuring import Result


def print_results(console: Console, results: Iterable[Result]) -> None:
    table = Table(title="基准测试")
    for head in ("项目", "做了什么", "结果", "标尺", "标尺值", "比值", "目标", "达到", "内存峰值"):
        table.add_column(
            head, overflow="fold", justify="right" if head in ("结果", "标尺值", "比值", "内存峰值") else "left"
        )
    for result in results:
        table.add_row(
            result.bench, result.work, _shown(result.value, result.unit), result.yardstick,
            _shown(result.yardstick_value, result.unit), f"{result.ratio:.2f}", result.goal,
            "是" if result.met else "[bold]否[/]", f"{result.peak_memory_mb} MB",
        )  # fmt: skip
    console.print(table)


def _shown(value: float, unit: str) -> str:
    return f"{value:.3f} {unit}" if abs(value) < 10 else f"{value:,.1f} {unit}"


def write_results(path: Path, results: Iterable[Result], machine: dict[str, Any], at: str) -> None:
    """Merge into what is there: a run of one benchmark keeps the figures of the others, with when they were taken."""
    fresh = [{**result.as_data(), "machine": machine, "at": at} for result in results]
    names = {each["bench"] for each in fresh}
    kept = [each for each in _read(path) if each["bench"] not in names]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"results": kept + fresh}, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else []
    return found
