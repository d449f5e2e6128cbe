"""The rest of the survey form that the sample county's villages filled in: schooling, insurance, self-care, crops.

in    a draft with health, work, pensions and holdings
out   further columns of the fact dictionary; facts that no room of this package draws were not surveyed: null

Every share is an assumption. Always true: a pupil is at school at a pupil's age; whoever draws a pension has a kind of
it; only the disabled have a kind of disability; crops together are at most the area sown.
"""

import numpy as np

from huimin.demo.population.chance import Chance, Ints, between, happens, pick
from huimin.demo.population.draft import Draft, code_of
from huimin.demo.population.people import EMPLOYEE_PENSION_MEDIAN_FEN

SCHOOL_AGES = ((3, "否"), (6, "学前"), (12, "小学"), (15, "初中"), (18, "高中"), (23, "本科"))
SECONDARY_VOCATIONAL_SHARE, BOARDER_SHARE = 0.35, 0.45
EDUCATION_OLD = (0.35, 0.40, 0.18, 0.05, 0.01, 0.005, 0.004, 0.001)
EDUCATION_ADULT = (0.03, 0.22, 0.45, 0.14, 0.06, 0.06, 0.035, 0.005)
DISABILITY_KINDS = (0.14, 0.10, 0.03, 0.48, 0.10, 0.11, 0.04)  # 视力 to 多重
CHRONIC_SHARES = (0.01, 0.08, 0.40)  # by age from 0, 16, 60
LOSSES_SEVERE, LOSSES_OLD_SHARE = (0.30, 0.25, 0.20, 0.10, 0.07, 0.05, 0.03), 0.06
MARRIED_FROM, WIDOWED_FROM = 24, 65
INSURED_SHARE = 0.97
LIFTED_SHARE, WATCHED_SHARE = 0.11, 0.008  # 脱贫户, 监测户
RICE_SHARE, CORN_SHARE = 0.62, 0.14
AREA_M2 = (70, 190)
EMPLOYEE_PENSION_FROM_FEN = EMPLOYEE_PENSION_MEDIAN_FEN // 3


def draw_lives(draft: Draft, chance: Chance) -> None:
    """Columns beside those the three programmes of the demonstration read."""
    _schooling(draft, chance)
    _care(draft, chance)
    _insurance(draft, chance)
    _marriage(draft, chance)
    _household(draft, chance)


def _codes(fact: str, *choices: str) -> Ints:
    return np.array([code_of(fact, choice) for choice in choices])


def _schooling(draft: Draft, chance: Chance) -> None:
    rng, age, count = chance.stream("schooling"), draft.age, len(draft.age)
    stages = _codes("schooling", *(word for _, word in SCHOOL_AGES), "否")
    stage = stages[np.searchsorted([until for until, _ in SCHOOL_AGES], age, side="right")]
    stage = np.where(draft.people["learning"] | (age < SCHOOL_AGES[1][0]), stage, code_of("schooling", "否"))
    high = stage == code_of("schooling", "高中")
    stage = np.where(high & happens(rng, SECONDARY_VOCATIONAL_SHARE, count), code_of("schooling", "中职"), stage)
    at_school = stage != code_of("schooling", "否")
    draft.people["schooling"] = stage
    draft.people["full_time"] = at_school
    draft.people["boarder"] = at_school & (age >= 9) & happens(rng, BOARDER_SHARE, count)
    adult = np.where(age >= 60, pick(rng, EDUCATION_OLD, count), pick(rng, EDUCATION_ADULT, count))
    draft.people["education"] = np.where(age < 16, np.clip((age - 6) // 6, 0, 2), adult)


def _care(draft: Draft, chance: Chance) -> None:
    """disability_kind, health, self_care_losses."""
    rng, age, count = chance.stream("care"), draft.age, len(draft.age)
    grade, ill = draft.people["disability_grade"], draft.people["serious_illness"]
    draft.people["disability_kind"] = np.where(grade > 0, 1 + pick(rng, DISABILITY_KINDS, count), 0)
    chronic = happens(rng, np.array(CHRONIC_SHARES)[np.searchsorted((16, 60), age, side="right")], count)
    fit, slow, sick = _codes("health", "健康", "慢性病", "患病")
    draft.people["health"] = np.select([ill, chronic], [sick, slow], fit)
    severe = ((grade > 0) & (grade <= 2)) | ((age >= 80) & happens(rng, LOSSES_OLD_SHARE, count))
    draft.people["self_care_losses"] = np.where(severe, pick(rng, LOSSES_SEVERE, count), 0)


def _insurance(draft: Draft, chance: Chance) -> None:
    """medical_insured, pension_insured, pension_kind."""
    rng, age, count = chance.stream("insurance"), draft.age, len(draft.age)
    pension, payroll = draft.people["pension_month"], draft.people["fiscal_payroll"]
    employee = pension >= EMPLOYEE_PENSION_FROM_FEN
    none, resident, worker = _codes("pension_kind", "无", "城乡居民", "职工")
    draft.people["pension_kind"] = np.select([pension == 0, employee], [none, worker], resident)
    insured = happens(rng, INSURED_SHARE, count)
    for code, from_age in (("medical_insured", 0), ("pension_insured", 16)):
        out, resident, worker = _codes(code, "未参加", "城乡居民", "职工")
        draft.people[code] = np.select([~insured | (age < from_age), payroll | employee], [out, worker], resident)


def _marriage(draft: Draft, chance: Chance) -> None:
    rng, age, count = chance.stream("marriage"), draft.age, len(draft.age)
    single, married, widowed = _codes("marital", "未婚", "已婚", "丧偶")
    alone = age < MARRIED_FROM + 8 * rng.random(count)
    draft.people["marital"] = np.select(
        [alone, (age >= WIDOWED_FROM) & happens(rng, 0.3, count)], [single, widowed], married
    )


def _household(draft: Draft, chance: Chance) -> None:
    """poverty_registered, crops, house_area_m2."""
    rng, count, mine = chance.stream("holdings of lives"), len(draft.families.size), draft.households
    farming = mine["hukou"] == code_of("hukou", "农业")
    mine["poverty_registered"] = (
        farming * np.array([0, 1, 2])[pick(rng, (1 - LIFTED_SHARE - WATCHED_SHARE, LIFTED_SHARE, WATCHED_SHARE), count)]
    )
    crop = rng.random(count)
    rice = crop < RICE_SHARE
    mine["rice_mu"] = np.where(rice, mine["sown_land_mu"], 0)
    mine["corn_mu"] = np.where(~rice & (crop < RICE_SHARE + CORN_SHARE), mine["sown_land_mu"], 0)
    mine["house_area_m2"] = (mine["houses"] > 0) * np.rint(between(rng, *AREA_M2, count)).astype(np.int64) * 100
