"""What each person's life is like: health, labour, work, wages, pensions, and the rare circumstances.

in    a draft with families and each household's standing (`standing.draw_standing`)
out   the draft's columns of PERSON_FACTS, except migrants and deaths

Always true: children and pupils earn nothing; the fiscal payroll pays no poor household (that is a seeded fault);
the disabled and seriously ill have labour ability 部分 or 无 more often than others.
"""

import numpy as np

from huimin.demo.population.chance import Bools, Chance, Floats, Ints, around, between, happens, pick
from huimin.demo.population.draft import FEN, NO_DATE, Draft, code_of, day_number, whole_yuan
from huimin.demo.population.families import Role
from huimin.demo.population.standing import Standing

# Assumptions, by age from 0, 16, 60: certified disabled people are 2 to 3 % of the nation, more among the old.
AGE_STEPS = (16, 60)
DISABLED_SHARES = (0.008, 0.020, 0.045)
GRADE_SHARES = (0.14, 0.29, 0.29, 0.28)  # grades 1 to 4
ILL_SHARES = (0.002, 0.008, 0.028)

# Assumptions: 有, 部分, 无 by circumstance.
LABOUR_FIT = (0.96, 0.03, 0.01)  # 16 to 59, healthy
LABOUR_UNFIT = (0.08, 0.47, 0.45)  # 16 to 59, disabled grade 1–2 or seriously ill
LABOUR_SIXTIES = (0.30, 0.45, 0.25)
LABOUR_OLD = (0.02, 0.13, 0.85)
WORKING_AGE, RETIREMENT, OLD_AGE = 16, 60, 70

# Assumptions about work: pupils until about 18, students until about 22.
STILL_LEARNING_SHARE = {16: 0.96, 17: 0.94, 18: 0.85, 19: 0.6, 20: 0.55, 21: 0.5, 22: 0.3}
EMPLOYED_FIT, EMPLOYED_PARTLY = 0.74, 0.22
EMPLOYED_FIT_POOR, EMPLOYED_PARTLY_POOR = 0.30, 0.12
EMPLOYED_SIXTIES = 0.35  # of those fit; at seventy nobody works for wages
WAGE_MEDIAN_FEN = 3_600 * FEN  # assumption, below the 4,432 元 of 国家统计局 2021年农民工监测调查报告
WAGE_PARTLY_MEDIAN_FEN = 1_300 * FEN
WAGE_SIGMA = 0.38
WAGE_LOWEST_FEN = 400 * FEN
PAYROLL_SHARE = {"rural": 0.012, "urban": 0.07}  # of those employed
PAYROLL_MEDIAN_FEN = 5_200 * FEN
PAYROLL_FROM_AGE = 22

# Assumptions: 城乡居民养老金 for nearly all of sixty, an employee's pension for the few.
RESIDENT_PENSION_FEN = (115 * FEN, 260 * FEN)
EMPLOYEE_PENSION_MEDIAN_FEN = 2_300 * FEN
EMPLOYEE_PENSION_SHARE = {"rural": 0.05, "urban": 0.35}
PENSION_DRAWN_SHARE = 0.985

# Assumptions about the rare: clergy among those over 30, custody among those of 18 to 60, moved out but still listed.
CLERGY_SHARE, CUSTODY_SHARE = 0.0005, 0.0008
CLERGY_FROM_AGE, CUSTODY_FROM_AGE = 30, 18


def draw_health(draft: Draft, chance: Chance) -> None:
    """disability_grade (0 none), serious_illness, labour."""
    rng, age = chance.stream("health"), draft.age
    count, step = len(age), np.searchsorted(AGE_STEPS, age, side="right")
    disabled = happens(rng, np.array(DISABLED_SHARES)[step], count)
    grade = np.where(disabled, 1 + pick(rng, GRADE_SHARES, count), 0)
    ill = happens(rng, np.array(ILL_SHARES)[step], count)
    unfit = ill | ((grade > 0) & (grade <= 2))
    draft.people["disability_grade"] = grade
    draft.people["serious_illness"] = ill
    draft.people["labour"] = _labour(age, unfit, rng)


def _labour(age: Ints, unfit: Bools, rng: np.random.Generator) -> Ints:
    count, none = len(age), code_of("labour", "无")
    fit = np.where(unfit, pick(rng, LABOUR_UNFIT, count), pick(rng, LABOUR_FIT, count))
    sixties = np.where(unfit, none, pick(rng, LABOUR_SIXTIES, count))
    old = np.where(unfit, none, pick(rng, LABOUR_OLD, count))
    ages = [age < WORKING_AGE, age < RETIREMENT, age < OLD_AGE]
    return np.select(ages, [np.full(count, none), fit, sixties], old)


def draw_work(draft: Draft, standing: Standing, chance: Chance) -> None:
    """employed, wage_month, fiscal_payroll, and who is learning (`learning`, not a fact)."""
    rng, age, count = chance.stream("work"), draft.age, len(draft.age)
    urban, poor = (draft.urban[draft.families.household], standing.needy[draft.families.household])
    learning = happens(rng, _learning_share(age), count)
    able, partly = (draft.people["labour"] == code_of("labour", which) for which in ("有", "部分"))
    fit = able & (age < RETIREMENT)
    likely = np.select(
        [age >= OLD_AGE, fit & poor, fit, able & ~poor, partly & poor, partly],
        [0.0, EMPLOYED_FIT_POOR, EMPLOYED_FIT, EMPLOYED_SIXTIES, EMPLOYED_PARTLY_POOR, EMPLOYED_PARTLY],
        0.0,
    )
    free = ~learning & (age >= WORKING_AGE)
    employed = happens(rng, likely, count) & free
    # Able people who need not be poor do not all sit at home: where nobody found work, every fit member did.
    idle = ~draft.any_by_household(employed)[draft.families.household] & ~poor
    employed |= idle & fit & free
    payroll_share = np.where(urban, PAYROLL_SHARE["urban"], PAYROLL_SHARE["rural"])
    payroll = employed & fit & ~poor & (age > PAYROLL_FROM_AGE) & happens(rng, payroll_share, count)
    draft.people["employed"] = employed
    draft.people["fiscal_payroll"] = payroll
    draft.people["wage_month"] = np.where(employed, _wages(fit, payroll, rng), 0)
    draft.people["learning"] = learning


def _learning_share(age: Ints) -> Floats:
    by_age = np.zeros(int(age.max(initial=0)) + 1 + max(STILL_LEARNING_SHARE))
    by_age[:WORKING_AGE] = 1.0
    by_age[list(STILL_LEARNING_SHARE)] = list(STILL_LEARNING_SHARE.values())
    return by_age[age]


def _wages(fit: Bools, payroll: Bools, rng: np.random.Generator) -> Ints:
    count = len(fit)
    median = np.where(payroll, PAYROLL_MEDIAN_FEN, np.where(fit, WAGE_MEDIAN_FEN, WAGE_PARTLY_MEDIAN_FEN))
    ten_yuan = 10 * FEN
    wages = np.maximum(median * around(rng, 1.0, WAGE_SIGMA, count), WAGE_LOWEST_FEN)
    rounded: Ints = np.rint(wages / ten_yuan).astype(np.int64) * ten_yuan
    return rounded


def draw_pensions(draft: Draft, standing: Standing, chance: Chance) -> None:
    """pension_month: what those of sixty and over draw."""
    rng, age, count = chance.stream("pensions"), draft.age, len(draft.age)
    of = draft.families.household
    share = np.where(draft.urban[of], EMPLOYEE_PENSION_SHARE["urban"], EMPLOYEE_PENSION_SHARE["rural"])
    employee = happens(rng, share, count) & ~standing.needy[of]
    resident = between(rng, *RESIDENT_PENSION_FEN, count)
    amount = whole_yuan(np.where(employee, around(rng, EMPLOYEE_PENSION_MEDIAN_FEN, 0.3, count), resident))
    drawn = (age >= RETIREMENT) & happens(rng, PENSION_DRAWN_SHARE, count)
    draft.people["pension_month"] = np.where(drawn, amount, 0)


def draw_circumstances(draft: Draft, chance: Chance) -> None:
    """clergy_years, in_custody (which ends a wage), and empty dates of death and moving out."""
    rng, age, count = chance.stream("circumstances"), draft.age, len(draft.age)
    clergy = (age > CLERGY_FROM_AGE) & happens(rng, CLERGY_SHARE, count)
    years = 1 + (rng.random(count) * (age - CLERGY_FROM_AGE).clip(1)).astype(np.int64)
    draft.people["clergy_years"] = np.where(clergy, years, 0)
    custody = (age >= CUSTODY_FROM_AGE) & (age < RETIREMENT) & happens(rng, CUSTODY_SHARE, count)
    draft.people["in_custody"] = custody & (draft.families.role != Role.HEAD)
    draft.people["employed"] = draft.people["employed"] & ~draft.people["in_custody"]
    draft.people["wage_month"] = np.where(draft.people["employed"], draft.people["wage_month"], 0)
    draft.people["death_date"] = np.full(count, NO_DATE)
    draft.people["moved_out_date"] = np.full(count, NO_DATE)


# Assumptions: the shares of people moved by the two reservoirs, 梅山 (on the 史河) and 响洪甸 (on the west 淠河), by
# township on their shores. Published is only that 4,038 households moved in one year (皖西日报 2017-01-01).
MIGRANT_SHARE_BY_TOWNSHIP = {
    "341524100": 0.24,  # 梅山镇
    "341524101": 0.42,  # 麻埠镇
    "341524102": 0.30,  # 青山镇
    "341524105": 0.22,  # 古碑镇
    "341524112": 0.34,  # 流波䃥镇
    "341524202": 0.28,  # 油坊店乡
    "341524204": 0.30,  # 槐树湾乡
    "341524207": 0.18,  # 桃岭乡
}
MIGRANT_SHARE_ELSEWHERE = 0.02
# Assumptions: registered early (past twenty years by 2021), on the day the support began, or when they moved later.
MIGRANT_WAVES = (0.14, 0.56, 0.30)
EARLY_YEARS = (1992, 2001)
SUPPORT_BEGAN = np.datetime64("2006-07-01")  # 国发〔2006〕17号
LATER_FROM_YEAR, PEAK_YEAR, PEAK_SHARE = 2007, 2016, 0.4


def draw_migrants(draft: Draft, chance: Chance) -> None:
    """reservoir_migrant, migrant_since: whole households, but only members born by the day of registration."""
    rng, homes = chance.stream("migrants"), len(draft.families.size)
    shares = np.full(homes, MIGRANT_SHARE_ELSEWHERE)
    for township, share in MIGRANT_SHARE_BY_TOWNSHIP.items():
        shares[draft.township == township] = share
    moved, since = happens(rng, shares, homes), _registered(homes, draft.as_of.year, rng)
    of = draft.families.household
    migrant = moved[of] & (draft.families.birth_day <= since[of]) & (since[of] < day_number(draft.as_of))
    draft.people["reservoir_migrant"] = migrant
    draft.people["migrant_since"] = np.where(migrant, since[of], NO_DATE)


def _registered(homes: int, last_year: int, rng: np.random.Generator) -> Ints:
    """Days of registration: the first of a month, in one of three waves."""
    early = _first_of_month(rng.integers(*EARLY_YEARS, homes), rng)
    years = np.where(happens(rng, PEAK_SHARE, homes), PEAK_YEAR, rng.integers(LATER_FROM_YEAR, last_year, homes))
    began = np.full(homes, SUPPORT_BEGAN.astype(np.int64))
    return np.choose(pick(rng, MIGRANT_WAVES, homes), [early, began, _first_of_month(years, rng)])


def _first_of_month(years: Ints, rng: np.random.Generator) -> Ints:
    months = (years - 1970) * 12 + rng.integers(0, 12, len(years))
    days: Ints = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return days
