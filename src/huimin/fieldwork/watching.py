"""Low-income people in one base, and warnings raised from changes of their facts (REG-09).

in    entitlements in force, open determinations, registered facts; changes of facts and ends of entitlements since a day
out   LowIncome rows begun and ended; Signals with the value before and after

Six layers (民政部 低收入人口): 低保 and 特困 are entitlements; 低保边缘 and 支出型困难 are determinations that wait (they pay
nothing, or not yet); 易返贫致贫 is the registered 监测户; 其他 are those determined as eligible for 低保 or 特困 who hold
neither, and those the last coverage analysis found poor and unreached.

A *change* is two rows of a person's or household's facts that are known now and meet on a day. What was never asked before
is no change. Thresholds are the county's own (fieldwork.rules): without one, its warning is not raised. Always true: one
warning for a household, person, kind, day and ground, however often this runs; each kind is one statement over the place.
Law: 伊民规〔2022〕2号 二(三)6 (定期摸底、快速预警).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from huimin.database.bulk import run, temporary
from huimin.database.context import scope_of
from huimin.fieldwork.models import FieldRule, Signal
from huimin.fieldwork.rules import LOOKBACK_DAYS, field_rules
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post

Code = FieldRule.Code
Kind = Signal.Kind
WATCHERS = (Post.CLERK, Post.COUNTY_OFFICER)


@dataclass(frozen=True)
class Watched:
    """What a run did: rows of the base begun and ended, new warnings by kind, and kinds without a threshold."""

    entered: int
    left: int
    raised: dict[str, int]
    without_rule: tuple[str, ...]


@command(*WATCHERS)
def watch_low_income(*, by: Actor, on: date) -> Watched:
    """Bring the base of the place up to date and raise what is new; the second run of a day does nothing."""
    low, high = scope_of(by.prefix)
    rules = {code: row.value for code, row in field_rules(by.division).items()}
    values = {
        "low": low, "high": high, "on": on, "by": by.appointment,
        "since": on - timedelta(days=rules.get(Code.LOOKBACK_DAYS, LOOKBACK_DAYS)),
        "medical": rules.get(Code.MEDICAL_FEN), "percent": rules.get(Code.INCOME_PERCENT),
    }  # fmt: skip
    entered, left = _refresh(values)
    _gather_turns(values)
    raised: dict[str, int] = {}
    for kind, statement in _SIGNALS:
        raised[kind] = raised.get(kind, 0) + run(statement, values)
    lacking = tuple(code for code in (Code.MEDICAL_FEN, Code.INCOME_PERCENT) if code not in rules)
    return Watched(entered, left, {kind: count for kind, count in raised.items() if count}, lacking)


def _gather_turns(values: dict[str, Any]) -> None:
    """The changes of the time looked back on, as pairs of rows: each table is read once, whatever the number of kinds."""
    for name, table, owner in (
        ("people_turned", "registry_personfacts", "person_id"),
        ("households_turned", "registry_householdfacts", "household_id"),
    ):
        run(f"DROP TABLE IF EXISTS pg_temp.{name}")
        temporary(name, _TURNS.format(table=table, owner=owner), values)


_TURNS = """
SELECT p.id AS was, n.id AS now FROM {table} p
JOIN {table} n ON n.{owner} = p.{owner} AND n.valid_from = p.valid_to AND n.recorded_to IS NULL
WHERE p.recorded_to IS NULL AND p.valid_to > %(since)s AND p.valid_to <= %(on)s
AND p.division >= %(low)s AND p.division < %(high)s
"""


def _refresh(values: dict[str, Any]) -> tuple[int, int]:
    run("DROP TABLE IF EXISTS pg_temp.low_income_now")
    temporary("low_income_now", _BASE, values)
    entered = run(
        "INSERT INTO fieldwork_lowincome (household_id, division, layer, basis, valid_from)"
        " SELECT household_id, division, layer, basis, %(on)s FROM low_income_now"
        " ON CONFLICT (household_id, layer) WHERE valid_to IS NULL DO NOTHING",
        values,
    )
    left = run(
        "UPDATE fieldwork_lowincome b SET valid_to = %(on)s WHERE b.valid_to IS NULL"
        " AND b.division >= %(low)s AND b.division < %(high)s AND NOT EXISTS ("
        "SELECT 1 FROM low_income_now n WHERE n.household_id = b.household_id AND n.layer = b.layer)",
        values,
    )
    return entered, left


# Programme codes are those of the policy folder: dibao-rural, dibao-urban, dibao-single; tekun, luan-tekun, wubao …
_LAYER = """CASE WHEN {code} = 'dibao-marginal' OR {code} LIKE '%%-dibao-marginal' THEN 'near'
WHEN {code} = 'rigid-expense' THEN 'expense' WHEN {code} LIKE 'dibao-%%' THEN 'dibao'
WHEN {code} LIKE '%%tekun' OR {code} = 'wubao' THEN 'tekun' END"""

_BASE = f"""
SELECT DISTINCT ON (found.household_id, found.layer) found.household_id, h.division, found.layer, found.basis FROM (
    SELECT e.household_id, {_LAYER.format(code="e.programme")} AS layer, e.programme AS basis, 1 AS rank
    FROM casework_entitlement e
    WHERE e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
  UNION ALL
    SELECT p.household_id, CASE {_LAYER.format(code="p.programme")} WHEN 'dibao' THEN 'other' WHEN 'tekun' THEN 'other'
           ELSE {_LAYER.format(code="p.programme")} END, p.programme, 2
    FROM screening_proposal p WHERE p.kind = 'enter' AND p.state = 'open'
  UNION ALL
    SELECT f.household_id, 'relapse', 'poverty_registered', 3 FROM registry_householdfacts f
    WHERE f.poverty_registered = '监测户' AND f.recorded_to IS NULL AND f.valid_from <= %(on)s
    AND (f.valid_to IS NULL OR f.valid_to > %(on)s)
  UNION ALL
    SELECT c.household_id, 'other', 'coverage', 4 FROM screening_finding c
    WHERE c.kind = 'unreached' AND c.coverage_id = (SELECT max(id) FROM screening_coverage WHERE state = 'finished')
) found JOIN registry_household h ON h.id = found.household_id
WHERE found.layer IS NOT NULL AND h.closed_on IS NULL AND h.division >= %(low)s AND h.division < %(high)s
AND NOT (found.layer = 'other' AND EXISTS (
    SELECT 1 FROM casework_entitlement e WHERE e.household_id = found.household_id AND e.valid_from <= %(on)s
    AND (e.valid_to IS NULL OR e.valid_to > %(on)s) AND {_LAYER.format(code="e.programme")} IN ('dibao', 'tekun')))
ORDER BY found.household_id, found.layer, found.rank, found.basis
"""  # noqa: S608

_INTO = """
INSERT INTO fieldwork_signal
    (household_id, person_id, division, kind, happened_on, before, after, basis, raised_by, raised_on)
"""
_ONCE = " ON CONFLICT (household_id, person_id, kind, happened_on, basis) DO NOTHING"
_YUAN = "to_char(({0}) / 100.0, 'FM999,999,999,990.00')"

_PERSON = (
    _INTO
    + """SELECT DISTINCT ON (h.id, n.person_id) h.id, n.person_id, h.division, '{kind}', n.valid_from, {before}, {after}, '{basis}',
       %(by)s::bigint, %(on)s::date
FROM people_turned t JOIN registry_personfacts p ON p.id = t.was JOIN registry_personfacts n ON n.id = t.now
JOIN registry_membership m ON m.person_id = n.person_id AND m.recorded_to IS NULL AND m.valid_from <= n.valid_from
     AND {member}
JOIN registry_household h ON h.id = m.household_id AND h.closed_on IS NULL
JOIN registry_person w ON w.id = n.person_id
WHERE h.division >= %(low)s AND h.division < %(high)s AND ({when})
ORDER BY h.id, n.person_id, m.id"""
    + _ONCE
)
_STAYS = "(m.valid_to IS NULL OR m.valid_to > n.valid_from)"
_LEFT = "m.valid_to = n.valid_from"

_HOUSEHOLD = (
    _INTO
    + """SELECT h.id, NULL::bigint, h.division, '{kind}', {day}, {before}, {after}, '{basis}', %(by)s::bigint, %(on)s::date
FROM households_turned t JOIN registry_householdfacts p ON p.id = t.was JOIN registry_householdfacts n ON n.id = t.now
JOIN registry_household h ON h.id = n.household_id AND h.closed_on IS NULL
WHERE h.division >= %(low)s AND h.division < %(high)s AND ({when})"""
    + _ONCE
)

_PAID = "(coalesce({0}.hospital_cost, 0) - coalesce({0}.hospital_reimbursed, 0))"
_EARNS = "(p.employed OR p.wage_month > 0 OR (p.labour = '有' AND w.birth_date > n.valid_from - interval '60 years'))"
_INCOMES = ("business_income_year", "property_income_year", "transfer_income_year", "other_income_year")
_WAS = " + ".join(f"coalesce(p.{name}, 0)" for name in _INCOMES)
_NOW = " + ".join(f"coalesce(n.{name}, p.{name}, 0)" for name in _INCOMES)


def _of_person(kind: str, basis: str, when: str, before: str, after: str, member: str = _STAYS) -> tuple[str, str]:
    return kind, _PERSON.format(kind=kind, basis=basis, when=when, before=before, after=after, member=member)


def _of_household(
    kind: str, basis: str, when: str, before: str, after: str, day: str = "n.valid_from"
) -> tuple[str, str]:
    return kind, _HOUSEHOLD.format(kind=kind, basis=basis, when=when, before=before, after=after, day=day)


_SIGNALS = (
    _of_person(
        Kind.MEDICAL, "住院自付",
        f"p.hospital_cost IS NOT NULL AND {_PAID.format('n')} - {_PAID.format('p')} >= %(medical)s::bigint",
        f"'自付 ' || {_YUAN.format(_PAID.format('p'))} || ' 元'", f"'自付 ' || {_YUAN.format(_PAID.format('n'))} || ' 元'",
    ),
    _of_person(
        Kind.MEDICAL, "重病", "p.serious_illness IS FALSE AND n.serious_illness", "'没有重病'", "'患重病'",
    ),
    _of_household(
        Kind.MEDICAL, "年刚性医疗支出",
        "p.rigid_medical_year IS NOT NULL AND n.rigid_medical_year - p.rigid_medical_year >= %(medical)s::bigint",
        f"{_YUAN.format('p.rigid_medical_year')} || ' 元/年'", f"{_YUAN.format('n.rigid_medical_year')} || ' 元/年'",
    ),
    _of_person(
        Kind.JOB, "就业", "p.employed AND n.employed IS FALSE",
        f"'就业' || coalesce('，月工资 ' || {_YUAN.format('p.wage_month')} || ' 元', '')", "'未就业'",
    ),
    _of_household(
        Kind.DISASTER, "受灾情况",
        "n.disaster IN ('轻', '重', '特重') AND (n.disaster, n.disaster_date) IS DISTINCT FROM (p.disaster, p.disaster_date)",
        "coalesce('受灾' || nullif(p.disaster, '无'), '没有受灾')", "'受灾：' || n.disaster",
    ),
    _of_person(
        Kind.DISABILITY, "残疾等级",
        "(p.disability_kind IS NOT NULL OR p.disability_grade IS NOT NULL) AND n.disability_grade BETWEEN 1 AND 4"
        " AND (coalesce(p.disability_grade, 0) = 0 OR n.disability_grade < p.disability_grade)",
        "CASE WHEN coalesce(p.disability_grade, 0) = 0 THEN '没有残疾等级' ELSE p.disability_grade || ' 级' END",
        "coalesce(nullif(n.disability_kind, '无'), '') || n.disability_grade || ' 级'",
    ),
    _of_person(
        Kind.DEATH, "死亡", f"n.death_date IS NOT NULL AND p.death_date IS NULL AND {_EARNS}",
        f"CASE WHEN p.wage_month > 0 THEN '月工资 ' || {_YUAN.format('p.wage_month')} || ' 元' ELSE '有劳动能力' END",
        "'死亡'", _LEFT,
    ),
    _of_person(
        Kind.INCOME, "月工资",
        "p.wage_month > 0 AND n.wage_month IS NOT NULL AND (p.wage_month - n.wage_month) * 100 >= %(percent)s::bigint * p.wage_month"
        " AND n.death_date IS NULL AND NOT (coalesce(p.employed, false) AND n.employed IS FALSE)",
        f"'月工资 ' || {_YUAN.format('p.wage_month')} || ' 元'", f"'月工资 ' || {_YUAN.format('n.wage_month')} || ' 元'",
    ),
    _of_household(
        Kind.INCOME, "家庭年收入", f"({_WAS}) > 0 AND (({_WAS}) - ({_NOW})) * 100 >= %(percent)s::bigint * ({_WAS})",
        f"{_YUAN.format(_WAS)} || ' 元/年'", f"{_YUAN.format(_NOW)} || ' 元/年'",
    ),
    (
        Kind.BENEFIT,
        _INTO  # noqa: S608
        + f"""SELECT DISTINCT ON (h.id, e.person_id, e.programme, e.valid_to) h.id, e.person_id, h.division, 'benefit',
       e.valid_to, left(coalesce(l.name, e.programme), 80) || ' ' || {_YUAN.format("e.amount_fen")} || ' 元', '已终止',
       e.programme, %(by)s::bigint, %(on)s::date
FROM casework_entitlement e
JOIN registry_household h ON h.id = e.household_id AND h.closed_on IS NULL
LEFT JOIN policy_programme l ON l.code = e.programme
WHERE e.valid_to > %(since)s AND e.valid_to <= %(on)s AND h.division >= %(low)s AND h.division < %(high)s
AND e.period <> 'once' AND NOT EXISTS (
    SELECT 1 FROM casework_entitlement x WHERE x.household_id = e.household_id AND x.programme = e.programme
    AND x.person_id IS NOT DISTINCT FROM e.person_id AND x.valid_from <= e.valid_to
    AND (x.valid_to IS NULL OR x.valid_to > e.valid_to))
ORDER BY h.id, e.person_id, e.programme, e.valid_to"""  # noqa: S608
        + _ONCE,
    ),
)  # fmt: skip
