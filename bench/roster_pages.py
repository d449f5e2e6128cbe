"""Pages and papers of one big roster, as its county officer opens them: called by `payments` while the roster is there (PAY-01).

in    the roster, and its batch once there is one
out   95th percentile of each kind of page in milliseconds; seconds of one village's paper and workbook; what is refused whole
"""

import gc
import random
import time
from collections.abc import Iterator
from typing import Any

from bench.pages import _actor, _percentile, _signed_in, _timed

REQUESTS = 20


def pages_of(roster: int, batch: int, lines: int, village: str) -> dict[str, float]:
    """By kind; the first request of a kind is not counted."""
    client, some = _signed_in(_actor("县")), random.Random(1)
    gc.collect()
    gc.freeze()  # as the site does when it starts (huimin/wsgi.py): a full collection would stand beside some page
    numbers, names = _samples(roster, lines, some)
    last = _last(roster, lines)
    kinds = {
        "清册列表": lambda: "/rosters/",
        "清册第一页": lambda: f"/rosters/{roster}/",
        "清册最后一页": lambda: f"/rosters/{roster}/?at={last}",
        "一个村": lambda: f"/rosters/{roster}/?village={village}",
        "一种状态": lambda: f"/rosters/{roster}/?state=withheld",
        "按行号找": lambda: f"/rosters/{roster}/?q={some.randint(1, lines)}",
        "按户编码找": lambda: f"/rosters/{roster}/?q={some.choice(numbers)}",
        "按姓名找": lambda: f"/rosters/{roster}/?q={some.choice(names)}",
        "核对事项": lambda: f"/findings/?roster={roster}",
        "公示": lambda: f"/notices/?subject=roster:{roster}&state=",
    }
    if batch:
        kinds["批次"] = lambda: f"/batches/{batch}/"
    return {kind: round(_percentile(_timed(client, _addresses(one))[1:]), 1) for kind, one in kinds.items()}


def papers_of(roster: int, village: str) -> dict[str, float]:
    """Seconds of one village's PDF and workbook; the whole roster is refused with what to do (422)."""
    client, took = _signed_in(_actor("县")), {}
    for name, address in (
        ("一个村的 PDF", f"/rosters/{roster}/pdf/?village={village}"),
        ("一个村的工作簿", f"/rosters/{roster}/?village={village}&export=xlsx&purpose=核对"),
    ):
        began = time.perf_counter()
        answer = client.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        took[name] = round(time.perf_counter() - began, 2)
        took[f"{name}，MB"] = round(len(content) / 1e6, 1)
        took[f"{name}，答"] = answer.status_code
    for name, address in (
        ("全册 PDF", f"/rosters/{roster}/pdf/"),
        ("全册工作簿", f"/rosters/{roster}/?export=xlsx&purpose=核对"),
    ):
        began = time.perf_counter()
        took[f"{name}，答"] = client.get(address).status_code
        took[name] = round(time.perf_counter() - began, 2)
    return took


def _addresses(one: Any) -> Iterator[str]:
    return (one() for _ in range(REQUESTS + 1))


def _samples(roster: int, lines: int, some: random.Random) -> tuple[list[str], list[str]]:
    from huimin.database.bulk import fetch

    chosen = [some.randint(1, lines) for _ in range(REQUESTS)]
    rows = fetch(
        "SELECT h.household_no, l.name FROM payment_rosterline l JOIN registry_household h ON h.id = l.household_id"
        " WHERE l.roster_id = %s AND l.line_no = ANY(%s)",
        [roster, chosen], using="maintenance",
    )  # fmt: skip
    return [number for number, _ in rows], [name for _, name in rows]


def _last(roster: int, lines: int) -> str:
    """The place of the last page, as the page before it links to it."""
    from huimin.database.paging import _write
    from huimin.payment.models import RosterLine

    row = RosterLine.objects.using("maintenance").get(roster=roster, line_no=max(1, lines - 50))
    return _write(">", row, ("line_no",))
