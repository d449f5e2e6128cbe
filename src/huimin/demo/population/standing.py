"""How well a household is off: poor, near-poor or neither; chosen by hardship, then made true of its incomes.

in    a draft with health (to choose) and with every income (to steer)
out   a `Standing`; incomes that agree with it

The share under the line is set, not found: 3.5 % of households below 650 元 a head and month, about as many again up
to one and a half times the line (低保边缘). Both shares are assumptions; the line stands near Lu'an's of 2021 (淮南 had
642 元 in July 2020).

Always true after `steer_incomes`, for the facts as they are before faults: 家庭人均月收入 (wages and pensions × 12,
business, property, transfers and other income, over members and twelve) is below the line for the poor and not for
others; no amount is negative. What is missing is made up by transfers, as children support parents.
"""

from dataclasses import dataclass

import numpy as np

from huimin.demo.population.chance import Bools, Chance, Floats, Ints, between, share_of
from huimin.demo.population.draft import FEN, Draft, code_of, whole_yuan

LINE_FEN = 650 * FEN  # a head and month
POOR_SHARE = 0.035
NEAR_SHARE = 0.033
POOR_TARGET = (0.28, 0.985)  # of the line, assumption
NEAR_TARGET = (1.01, 1.49)  # 低保边缘 ends at one and a half times the line
OTHERS_TARGET = (1.52, 2.0)  # a floor: what children are reckoned to give parents who would have less
# A wage cut below this part of what the work would pay is no wage any more: the person has no work.
WAGE_PART_LEAST = 0.35

# Assumptions: how much likelier hardship makes poverty.
BASE_RISK, NO_WORKER_RISK, ILL_RISK, DISABLED_RISK, LONE_OLD_RISK, CHILDREN_RISK = 1.0, 5.0, 7.0, 7.0, 2.0, 1.0
CHILD_UNTIL, OLD_FROM = 16, 60
URBAN_RISK_FACTOR = 0.5

INCOMES_YEAR = ("business_income_year", "property_income_year", "transfer_income_year", "other_income_year")


@dataclass(frozen=True)
class Standing:
    """Per household. `target_fen` is the income a head and month it is steered to (a floor for all others)."""

    poor: Bools
    near: Bools
    target_fen: Ints

    @property
    def needy(self) -> Bools:
        return self.poor | self.near


def draw_standing(draft: Draft, chance: Chance) -> Standing:
    """Choose who is poor, likelier where nobody can work or somebody is ill or disabled."""
    rng, count = chance.stream("standing"), len(draft.families.size)
    # Weighted sampling without replacement (Efraimidis and Spirakis): the smallest keys come first.
    order = np.argsort(rng.exponential(size=count) / _poverty_risk(draft))
    poor, near = np.zeros(count, bool), np.zeros(count, bool)
    poor_count = share_of(POOR_SHARE, count)
    poor[order[:poor_count]] = True
    near[order[poor_count:][: share_of(NEAR_SHARE, count)]] = True
    part = np.where(
        poor,
        between(rng, *POOR_TARGET, count),
        np.where(near, between(rng, *NEAR_TARGET, count), between(rng, *OTHERS_TARGET, count)),
    )
    return Standing(poor, near, whole_yuan(part * LINE_FEN))


def _poverty_risk(draft: Draft) -> Floats:
    """Per household, how likely it is to be poor beside others."""
    people, age = draft.people, draft.age
    worker = draft.any_by_household(people["labour"] == code_of("labour", "有"))
    severe = (people["disability_grade"] > 0) & (people["disability_grade"] <= 2)
    children = draft.any_by_household(age < CHILD_UNTIL)
    risk = BASE_RISK + NO_WORKER_RISK * ~worker
    risk += ILL_RISK * draft.any_by_household(people["serious_illness"])
    risk += DISABLED_RISK * draft.any_by_household(severe)
    risk += LONE_OLD_RISK * ((draft.families.size == 1) & (age[draft.families.first[:-1]] >= OLD_FROM))
    risk += CHILDREN_RISK * children
    risk *= np.where(draft.urban, URBAN_RISK_FACTOR, 1.0)
    return np.asarray(risk, np.float64)


def steer_incomes(draft: Draft, standing: Standing) -> None:
    """Scale the needy's incomes down to their target, and make up what anyone lacks by transfers."""
    floor_year = standing.target_fen * 12 * draft.families.size
    pensions = draft.sum_by_household(draft.people["pension_month"]) * 12
    floor_year = np.where(standing.needy, np.maximum(floor_year, pensions), floor_year)
    earned = income_year(draft) - pensions
    with np.errstate(divide="ignore"):
        part = np.where(standing.needy, np.minimum((floor_year - pensions) / np.maximum(earned, 1), 1.0), 1.0)
    _scale(draft, part)
    lacking = np.maximum(floor_year - income_year(draft), 0)
    draft.households["transfer_income_year"] += whole_yuan(lacking + FEN - 1.0)


def income_year(draft: Draft) -> Ints:
    """All income of each household in a year, 分."""
    monthly = draft.sum_by_household(draft.people["wage_month"] + draft.people["pension_month"])
    return monthly * 12 + sum(draft.households[code] for code in INCOMES_YEAR)


def _scale(draft: Draft, part: Floats) -> None:
    """Multiply wages and yearly incomes by `part` of their household, downwards to whole 元."""
    for code in INCOMES_YEAR:
        scaled = whole_yuan(draft.households[code] * part)
        draft.households[code] = np.where(part < 1, scaled, draft.households[code])
    of = draft.families.household
    out_of_work = part[of] < WAGE_PART_LEAST
    wages = draft.people["wage_month"]
    cut = np.where(out_of_work, 0, whole_yuan(wages * part[of]))
    draft.people["wage_month"] = np.where(part[of] < 1, cut, wages)
    draft.people["employed"] = draft.people["employed"] & ~out_of_work
