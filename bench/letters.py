"""`letters`: thousands of letters of decisions, written with the conditions that are not met, and set on paper (CASE-11).

in    the demonstration's county up to its screening; half of the 低保 it proposes granted, half refused
out   two Results: writing a letter of refusal beside one of a grant, which names no conditions; pages of the PDF a second
      beside the same PDF set from nothing but its gathered content

One process writes and sets, as the web process and the working process do. The cluster is private and removed afterwards.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pypdf

from bench.instances import private_instance
from bench.measuring import Result, forget_peak, peak_memory_mb

PEOPLE, LETTERS_MAX, GOAL_MS, GOAL_PAGES = 100_000, 3_000, 20, 100


def run(households: int) -> Iterator[Result]:
    """`households` scales the county down, never up."""
    with private_instance() as home:
        from huimin.demo.quarter import STEPS, County

        county = County(people=min(PEOPLE, max(households // 10, 2_000)), seed=2021, home=home / "demo")
        for step in STEPS[:4]:
            step.run(county)
        yield from _measured()


def _measured() -> Iterator[Result]:
    from huimin.demo import dates
    from huimin.demo.actors import actor
    from huimin.demo.clock import business_day
    from huimin.organisation.posts import OfficeKind, Post

    business_day(dates.DECIDED)
    by = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    refused, granted = _decide(by, dates.DECIDED)
    forget_peak()
    quick = _write(by, dates.DECIDED, granted)
    slow = _write(by, dates.DECIDED, refused)
    each, plain = 1000 * slow / len(refused), 1000 * quick / len(granted)
    yield Result(
        "letters-write", f"{len(refused):,} 份不予批准告知书，写明不符合的条件", round(each, 1), "毫秒/份",
        "审批结果告知书，不写条件", round(plain, 1), each / plain, f"≤ {GOAL_MS} 毫秒", each <= GOAL_MS, peak_memory_mb(),
    )  # fmt: skip
    yield _printed(by, dates.DECIDED, [*refused, *granted][:LETTERS_MAX])


def _decide(by: Any, on: Any) -> tuple[list[int], list[int]]:
    """Letters owed: of refusals, of grants."""
    from huimin.casework.commands import decide_proposals
    from huimin.organisation.acting import reading
    from huimin.screening.models import Proposal
    from huimin.telling.models import Letter

    with reading(by):
        rows = Proposal.objects.filter(programme="dibao-rural", kind="enter", state="open")
        ids = list(rows.order_by("id").values_list("pk", flat=True))
    told = {"by": by, "on": on, "programme": "dibao-rural", "division": by.division}
    decide_proposals(**told, grant=False, proposal_ids=ids[::2], reason="入户核实，收入超过标准")
    decide_proposals(**told, grant=True, proposal_ids=ids[1::2])
    with reading(by):
        owed = Letter.objects.order_by("id")
        kinds = [list(owed.filter(kind=kind).values_list("pk", flat=True)) for kind in ("refused", "granted")]
    return kinds[0], kinds[1]


def _write(by: Any, on: Any, letters: list[int]) -> float:
    """Seconds for all of them, piece by piece as the page does."""
    from huimin.telling.letters import AT_ONCE_MAX, write_letters

    def work() -> None:
        for start in range(0, len(letters), AT_ONCE_MAX):
            write_letters(by=by, on=on, letter_ids=letters[start : start + AT_ONCE_MAX])

    return _seconds(work)[0]


def _printed(by: Any, on: Any, letters: list[int]) -> Result:
    """One file of all: gathered, set; beside setting alone."""
    from io import BytesIO

    from huimin.payment.papers.notifying import gather_letters, letters_pdf
    from huimin.payment.papers.typesetting import typeset

    whole, content = _seconds(lambda: letters_pdf(by=by, on=on, ids=letters))
    pages = len(pypdf.PdfReader(BytesIO(content)).pages)
    gathered = gather_letters(by=by, on=on, ids=letters)
    alone, _ = _seconds(
        lambda: typeset("notify", {"title": "告知书", "issuer": by.office_name, "letters": gathered}, on=on)
    )
    rate, bare = pages / whole, pages / alone
    return Result(
        "letters", f"{len(letters):,} 份告知书、{pages:,} 页，一个 PDF", round(rate, 1), "页/秒", "只排版", round(bare, 1), bare / rate,
        f"≥ {GOAL_PAGES} 页/秒", rate >= GOAL_PAGES, peak_memory_mb(), {"seconds": round(whole, 2)},
    )  # fmt: skip


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    outcome = work()
    return time.perf_counter() - began, outcome
