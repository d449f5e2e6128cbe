"""The bank's answer to a batch of bench.township, by the bank's own program's words (PAY-05).

Everything was paid but every hundredth line, which came back. The bank holds a whole answer in memory: it is written by a child
process, so that the memory measured is the product's.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.township import FEN, account_of


def write_answer(home: Path, key: str, number: str, lines: int, first_line: int) -> str:
    """The answer of format `key` in `home`; its file name. Lines are numbered from `first_line` on."""
    child = os.fork()
    if not child:
        ended = 1
        try:
            _write(home, key, number, lines, first_line)
            ended = 0
        finally:
            os._exit(ended)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"no answer of {key}"
    return _layout_and_name(key, number)[1]


def _layout_and_name(key: str, number: str) -> tuple[Any, str]:
    from bank_simulator.layout import read_layout
    from bank_simulator.tongues import name_of

    layout = read_layout(Path("policy/banks") / f"{key}.yaml")
    return layout, name_of(layout, layout.files["payment_answer"], number, 1)


def _write(home: Path, key: str, number: str, lines: int, first_line: int) -> None:
    layout, name = _layout_and_name(key, number)
    rows = _rows(lines, first_line)
    with (home / name).open("wb") as sink:
        if key == "rural-bank-batch":
            _write_rural(sink, number, lines, rows)
        else:
            _write_rendered(sink, layout, number, rows)


def _rows(lines: int, first_line: int) -> Iterator[dict[str, str]]:
    from bank_simulator.tongues import REASONS
    from huimin.demo import dates

    day, reason = f"{dates.RELEASED:%Y%m%d}", REASONS["F05"]
    for n in range(1, lines + 1):
        failed = n % 100 == 0
        yield {
            "sequence": str(n), "row_id": str(first_line + n - 1), "row_amount_fen": str(FEN), "row_state": "F" if failed else "S",
            "failure_code": "F05" if failed else "", "failure_reason": reason if failed else "", "booked_on": "" if failed else day,
            "bank_serial": "" if failed else f"{day}{n:010d}", "account": account_of(n),
        }  # fmt: skip


def _write_rural(sink: Any, number: str, lines: int, rows: Iterator[dict[str, str]]) -> None:
    from huimin.demo import dates
    from huimin.kernel.bankfile import write_to
    from huimin.payment.exchange.formats import get_format

    failed = lines // 100
    header = {
        "batch_no": number, "answer_no": 1, "business_date": dates.RELEASED, "rows_count": lines, "amount_fen": FEN * lines,
        "paid_count": lines - failed, "paid_fen": FEN * (lines - failed), "failed_count": failed, "failed_fen": FEN * failed,
        "pending_count": 0, "pending_fen": 0, "order_sha256": "0" * 64, "format_version": "1.0",
    }  # fmt: skip
    typed = (
        row
        | {
            "sequence": int(row["sequence"]),
            "row_amount_fen": FEN,
            "booked_on": dates.RELEASED if row["booked_on"] else None,
        }
        for row in rows
    )
    write_to(sink, get_format("rural-bank-batch"), "payment_answer", header, typed)


def _write_rendered(sink: Any, layout: Any, number: str, rows: Iterator[dict[str, str]]) -> None:
    from bank_simulator.tongues import render
    from huimin.demo import dates

    told = {
        "batch_no": number, "answer_no": "1", "business_date": f"{dates.RELEASED:%Y%m%d}", "order_sha256": "",
        "format_version": layout.version,
    }  # fmt: skip
    sink.write(render(layout, layout.files["payment_answer"], told, list(rows)))
