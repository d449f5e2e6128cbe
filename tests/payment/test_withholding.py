"""The arithmetic of withholding: never above the limit, never negative, to the cent (PAY-06, PAY-10)."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huimin.database.bulk import fetch
from huimin.payment.commands.withholding import ALLOCATED

_ROWS = """
WITH asked AS (
    SELECT * FROM unnest(%(lines)s::bigint[], %(gross)s::bigint[], %(recoveries)s::bigint[], %(wanted)s::bigint[], %(turns)s::date[])
        AS a(line, gross_fen, recovery, wanted_fen, turn)
)
"""


def allocated(lines: list[tuple[int, list[int]]], share: int) -> dict[tuple[int, int], int]:
    """(line, recovery) → 分 taken; each line a gross amount and what its recoveries want, in turn."""
    rows = [(number, gross, n, fen) for number, (gross, wanted) in enumerate(lines) for n, fen in enumerate(wanted)]
    asked = {
        "lines": [row[0] for row in rows], "gross": [row[1] for row in rows], "recoveries": [row[2] for row in rows],
        "wanted": [row[3] for row in rows], "turns": [f"2021-01-{1 + row[2]:02d}" for row in rows], "share": share,
    }  # fmt: skip
    return {(line, recovery): fen for line, recovery, fen in fetch(_ROWS + ALLOCATED, asked)}


@pytest.fixture(scope="module")
def anywhere(shared_county: Callable[[str], str]) -> str:
    return shared_county("blank")


LINE = st.tuples(st.integers(1, 10**9), st.lists(st.integers(1, 10**9), min_size=1, max_size=5))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINE, min_size=1, max_size=6), share=st.integers(1, 50))
def test_what_is_withheld_is_bounded_in_turn_and_exact(
    anywhere: str, lines: list[tuple[int, list[int]]], share: int
) -> None:
    taken = allocated(lines, share)
    for number, (gross, wanted) in enumerate(lines):
        mine = [taken[number, n] for n in range(len(wanted))]
        limit = gross * share // 100
        assert sum(mine) == min(limit, sum(wanted))  # to the cent: the limit is used up, or everything came back
        assert all(0 <= fen <= want for fen, want in zip(mine, wanted, strict=True))
        assert gross - sum(mine) > 0 and 2 * (gross - sum(mine)) >= gross
        # The earlier is served before the later.
        assert all(fen == want for fen, want in zip(mine[:-1], wanted, strict=False)) or not any(
            later
            for n, (fen, want) in enumerate(zip(mine, wanted, strict=True))
            if fen < want
            for later in mine[n + 1 :]
        )
