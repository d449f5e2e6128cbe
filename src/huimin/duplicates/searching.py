"""Finding records that may be one person, across the whole county, as sets (REG-04).

in    the people of the registry, their households' telephones, their cards; pairs judged before
out   rows of Pair: new ones added, open ones told anew, those no longer alike lapsed; a job with a bar

Candidates come from joins by hash, each on keys that few people share, never from comparing everybody with everybody:

    names read alike    and the same birth date · year and month · year and day · month and day · day and month exchanged
    one character off   and the same birth date (names of three characters and more)
    one account, or one identity number, in two records

Identity numbers are compared by their lookup hash alone: what is a slip within them shows in the birth date or not at
all. The registry takes in only 18-digit numbers, so the 15-digit form of one meets it at the import, not here.

Always true: a pair is there once; asked again, only what is new is added; a judged pair keeps its judgement; the
number of statements does not depend on the number of people.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date
from typing import Any

from huimin.database.bulk import fetch_one, run
from huimin.duplicates.scoring import KEEP_FROM, REASONS, SCORE, near_two, near_year
from huimin.duplicates.variants import FROM, TO
from huimin.jobs.commands import enqueue
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.organisation.acting import Actor, command, reading
from huimin.organisation.posts import Post

KIND = "duplicates"
_TABLES = ("alike", "alike_off", "alike_pairs", "alike_found")
# Month and day alone are shared by 1/366 of everybody: what is read alike and lives there is few enough.
_PEOPLE = """
CREATE TEMPORARY TABLE alike AS
SELECT p.id, p.name, translate(p.name, %(from)s, %(to)s) AS folded, char_length(p.name) AS len, p.name_typed AS spoken,
       p.sex, p.birth_date AS born, extract(year FROM p.birth_date)::int AS y, extract(month FROM p.birth_date)::int AS m,
       extract(day FROM p.birth_date)::int AS d, left(p.division, 12) AS village, m.household_id AS household,
       f.phone_hash AS phone
FROM registry_person p
LEFT JOIN registry_membership m ON m.person_id = p.id AND m.recorded_to IS NULL AND m.valid_to IS NULL
LEFT JOIN registry_householdfacts f ON f.household_id = m.household_id AND f.recorded_to IS NULL AND f.valid_to IS NULL
WHERE p.closed_on IS NULL
"""
_OFF = """
CREATE TEMPORARY TABLE alike_off AS
SELECT id, born, sex, overlay(folded PLACING '_' FROM at FOR 1) AS rest
FROM alike CROSS JOIN LATERAL generate_series(1, len) AS at WHERE len > 2
"""
_START = """
CREATE TEMPORARY TABLE alike_pairs (
    first bigint, second bigint, one_char boolean NOT NULL DEFAULT false, account boolean NOT NULL DEFAULT false,
    number boolean NOT NULL DEFAULT false)
"""
_SPOKEN = """
INSERT INTO alike_pairs SELECT a.id, b.id FROM alike a JOIN alike b ON a.spoken = b.spoken AND {0} WHERE a.id < b.id AND {1}
"""
_OTHER_CHARACTER = """
INSERT INTO alike_pairs SELECT a.id, b.id, true FROM alike_off a JOIN alike_off b USING (born, rest, sex) WHERE a.id < b.id
"""
# A merged record stands for the one that stayed.
_NUMBERS = """
INSERT INTO alike_pairs (first, second, number)
SELECT DISTINCT least(a.stays, b.stays), greatest(a.stays, b.stays), true
FROM (SELECT id_number_hash, coalesce(merged_into_id, id) AS stays FROM registry_person) a
JOIN (SELECT id_number_hash, coalesce(merged_into_id, id) AS stays FROM registry_person WHERE closed_on IS NOT NULL) b
  USING (id_number_hash) WHERE a.stays <> b.stays
"""
_ACCOUNTS = """
INSERT INTO alike_pairs (first, second, account)
SELECT DISTINCT a.holder_id, b.holder_id, true FROM registry_card a JOIN registry_card b USING (account_hash)
WHERE a.holder_id < b.holder_id AND a.recorded_to IS NULL AND b.recorded_to IS NULL
"""
_FOUND = f"""
CREATE TEMPORARY TABLE alike_found AS
SELECT * FROM (
    SELECT p.first, p.second, CASE WHEN p.number THEN 'number' WHEN p.account THEN 'account' ELSE 'alike' END AS kind,
           {SCORE} AS score, {REASONS}::varchar[] AS reasons,
           CASE WHEN a.village = b.village THEN a.village
                WHEN left(a.village, 9) = left(b.village, 9) THEN left(a.village, 9) || '000'
                ELSE left(a.village, 6) || '000000' END AS division
    FROM (SELECT first, second, bool_or(one_char) AS one_char, bool_or(account) AS account, bool_or(number) AS number
          FROM alike_pairs GROUP BY first, second) p
    JOIN everybody a ON a.id = p.first JOIN everybody b ON b.id = p.second) scored
WHERE score >= {KEEP_FROM} OR kind <> 'alike'
"""  # noqa: S608
# One number may stand at somebody who died: closed records are looked up one by one, they are few.
_EVERYBODY = "(SELECT * FROM alike UNION ALL SELECT * FROM alike_closed)"
_CLOSED = (
    _PEOPLE.replace("TABLE alike AS", "TABLE alike_closed AS").replace("closed_on IS NULL", "closed_on IS NOT NULL")  # noqa: S608
    + " AND p.merged_into_id IS NULL AND p.id IN (SELECT first FROM alike_pairs WHERE number OR account UNION"
    " SELECT second FROM alike_pairs WHERE number OR account)"
)
_STORE = """
INSERT INTO duplicates_pair AS o (division, first_id, second_id, kind, score, reasons, found_on)
SELECT division, first, second, kind, score, reasons, %(on)s FROM alike_found ORDER BY score DESC, first, second
ON CONFLICT (first_id, second_id) DO UPDATE
SET kind = excluded.kind, score = excluded.score, reasons = excluded.reasons, division = excluded.division,
    state = CASE WHEN o.state = 'lapsed' THEN 'open' ELSE o.state END
WHERE o.state IN ('open', 'asked', 'lapsed') AND (o.state = 'lapsed' OR (o.kind, o.score, o.reasons, o.division)
      IS DISTINCT FROM (excluded.kind, excluded.score, excluded.reasons, excluded.division))
"""
_LAPSE = """
UPDATE duplicates_pair p SET state = 'lapsed' WHERE p.state IN ('open', 'asked')
AND NOT EXISTS (SELECT FROM alike_found f WHERE f.first = p.first_id AND f.second = p.second_id)
"""

_JOINS = (
    ("同音同日", "a.born = b.born", "true"),
    ("同音同年同月", "a.sex = b.sex AND a.y = b.y AND a.m = b.m", near_two("a.d", "b.d")),
    ("同音同年同日", "a.sex = b.sex AND a.y = b.y AND a.d = b.d", near_two("a.m", "b.m")),
    ("同音月日颠倒", "a.sex = b.sex AND a.y = b.y AND a.m = b.d AND a.d = b.m", "a.m <> a.d"),
    ("同音同月同日", "a.sex = b.sex AND a.m = b.m AND a.d = b.d", near_year("a.y", "b.y")),
)


@command(Post.COUNTY_OFFICER)
def request_search(*, by: Actor, on: date) -> Job:
    """Ask for a search of the whole county; asked twice while one is under way, it is one."""
    return enqueue(by=by, on=on, kind=KIND, division=by.division, arguments={})


def work(by: Actor, job: Job, report: Report) -> str:
    """The job: each step a transaction, tables of the session between them; nothing is stored before the last."""
    with _tables():
        for done, (stage, step) in enumerate(_STEPS):
            report(stage, done, len(_STEPS) + 1)
            with reading(by):
                step()
        report("保存", len(_STEPS), len(_STEPS) + 1)
        new, lapsed, found = store_pairs(by=by, on=job.business_date, job=job)
    return f"找到 {found:,} 对，其中新的 {new:,} 对；不再相似 {lapsed:,} 对"


@command(Post.COUNTY_OFFICER)
def store_pairs(*, by: Actor, on: date, job: Job) -> tuple[int, int, int]:
    """(new, lapsed, found); the found pairs lie in this session's temporary table."""
    require_held(job)
    [before] = fetch_one("SELECT count(*) FROM duplicates_pair")
    run(_STORE, {"on": on})
    lapsed = run(_LAPSE)
    [after] = fetch_one("SELECT count(*) FROM duplicates_pair")
    [found] = fetch_one("SELECT count(*) FROM alike_found")
    return after - before, lapsed, found


@contextmanager
def _tables() -> Any:
    def drop() -> None:
        for table in (*_TABLES, "alike_closed"):
            run(f"DROP TABLE IF EXISTS pg_temp.{table}")

    drop()
    try:
        yield
    finally:
        drop()


def _read() -> None:
    run("SET LOCAL enable_nestloop = off")
    run(_PEOPLE, {"from": FROM, "to": TO})
    run("ANALYZE alike")
    run(_START)


def _join(on: str, where: str) -> Callable[[], None]:
    def step() -> None:
        run("SET LOCAL enable_nestloop = off")
        run("SET LOCAL enable_mergejoin = off")
        run(_SPOKEN.format(on, where))

    return step


def _other_character() -> None:
    run("SET LOCAL enable_nestloop = off")
    run(_OFF)
    run("ANALYZE alike_off")
    run(_OTHER_CHARACTER)


def _held_alike() -> None:
    run("SET LOCAL enable_nestloop = off")
    run(_NUMBERS)
    run(_ACCOUNTS)


def _score() -> None:
    run("SET LOCAL enable_nestloop = off")
    run("ANALYZE alike_pairs")
    run(_CLOSED, {"from": FROM, "to": TO})
    run(_FOUND.replace("everybody", _EVERYBODY))
    run("ANALYZE alike_found")


_STEPS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("读取登记", _read),
    *((stage, _join(on, where)) for stage, on, where in _JOINS),
    ("姓名差一字", _other_character),
    ("号码和账户", _held_alike),
    ("评分", _score),
)


def _nothing_to_end(job: Job) -> None:
    """A search that ends without success has stored nothing."""


handles(KIND, "查重", work, _nothing_to_end)
