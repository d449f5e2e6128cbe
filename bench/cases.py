"""`desks`: the desks of applications over 100,000 open cases, under row-level security (CASE-05).

in    the demonstration's county up to its screening, with that many live cases put beside it
out   one Result: the slowest kind of page for a post of the county, a township and a village (95th percentile)

The cases are written past the guards by the cluster's superuser, spread over households, programmes, steps and days:
what is timed is reading, through Django's test client, as in `pages`. The cluster is private and removed afterwards.
"""

from collections.abc import Iterator
from typing import Any

import psycopg

from bench.instances import private_instance
from bench.measuring import Result, forget_peak, peak_memory_mb
from bench.pages import _actor, _percentile, _signed_in, _timed

PEOPLE, CASES, REQUESTS, GOAL_MS = 3_000, 100_000, 20, 200
_FILL = """
INSERT INTO cases_case (process_id, programme, division, household_id, channel, story, proxy, proxy_paper, asked_on, asked_by,
    state, step, round, step_since, step_due_on, due_on, extended, accepted_on, responsible, reason, where_to)
SELECT p.id, 'made-' || (n / %(households)s), h.division, h.id, 'desk', '', '', '', %(on)s, 1, 'open',
       s.keys[1 + n %% array_length(s.keys, 1)], 1, %(on)s, %(on)s + (n * 7919 %% 60 - 10), DATE '9999-12-31', false, %(on)s, 1,
       '', ''
FROM generate_series(0, %(cases)s - 1) AS n
JOIN (SELECT id, division, row_number() OVER (ORDER BY id) - 1 AS at FROM registry_household) h
  ON h.at = n %% %(households)s
CROSS JOIN (SELECT id FROM processes_process WHERE code = 'three-level' AND superseded_at IS NULL) p
CROSS JOIN (SELECT array_agg(e ->> 'key') AS keys FROM processes_process, jsonb_array_elements(steps) e
            WHERE code = 'three-level' AND superseded_at IS NULL) s
"""


def run(households: int) -> Iterator[Result]:
    """The benchmark's line; `households` scales the number of cases down, never up."""
    with private_instance() as home:
        from huimin.database import instance
        from huimin.demo.quarter import STEPS, County

        county = County(people=PEOPLE, seed=2021, home=home / "demo")
        for step in STEPS[:4]:
            step.run(county)
        cases = min(CASES, max(households // 10, 1_000))
        with psycopg.connect(instance.private_cluster().url("huimin_bench"), autocommit=True) as superuser:
            superuser.execute("SET session_replication_role = replica")
            [on] = superuser.execute("SELECT business_date FROM organisation_simulatedclock").fetchone() or [None]
            [households] = superuser.execute("SELECT count(*) FROM registry_household").fetchone() or [0]
            superuser.execute(_FILL, {"cases": cases, "on": on, "households": households})
            _escalate()
            superuser.execute("VACUUM ANALYZE")
        yield _measured(cases)


def _escalate() -> None:
    """What is late was told above, as on any morning."""
    from huimin.cases.escalating import escalate_overdue
    from huimin.organisation.queries import business_date

    escalate_overdue(by=_actor("县"), on=business_date())


def _measured(cases: int) -> Result:
    import huimin.wsgi  # noqa: F401  as the site is served: everything loaded, and left out of garbage collections

    forget_peak()
    found: dict[str, list[float]] = {}
    for name in ("县", "乡镇", "村"):
        client = _signed_in(_actor(name))
        for kind, address in _kinds().items():
            found[f"{name} {kind}"] = _timed(client, (address for _ in range(REQUESTS + 1)))[1:]
    p95 = {kind: round(_percentile(times), 1) for kind, times in found.items()}
    worst = max(p95, key=lambda kind: p95[kind])
    return Result(
        "desks", f"{cases:,} 件在办，{len(p95)} 种页面各 {REQUESTS} 次，95 百分位最慢的一种：{worst}", p95[worst], "毫秒",
        "最快的一种", min(p95.values()), p95[worst] / min(p95.values()), f"≤ {GOAL_MS} 毫秒", p95[worst] <= GOAL_MS,
        peak_memory_mb(), {"p95": p95},
    )  # fmt: skip


def _kinds() -> dict[str, Any]:
    return {
        "工作台": "/", "等我办的": "/cases/", "全部在办": "/cases/?mine=no", "已超期": "/cases/?mine=no&due=late",
        "一步": "/cases/?mine=no&step=评议", "时限和快慢": "/cases/times/", "督办": "/cases/escalations/",
    }  # fmt: skip
