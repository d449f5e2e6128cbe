"""What a household has: land, vehicles, houses, savings, and what these and its members bring in a year.

in    a draft with people's columns and each household's standing
out   the draft's columns of HOUSEHOLD_FACTS

Sown area is scaled so that the whole county at 683,500 people sows the 228,102.42 亩 it was subsidised for in 2021,
and a smaller sample its share. Everything else is an assumption beside its parameter.
Always true: the poor own no vehicle and no business (cars among the poor are a seeded fault); a vehicle has a value.
"""

import numpy as np

from huimin.demo.population.chance import Bools, Chance, Ints, around, between, happens, pick
from huimin.demo.population.draft import FEN, Draft, code_of, whole_yuan
from huimin.demo.population.standing import Standing

COUNTY_PEOPLE = 683_500  # registered population 2018, county introduction
COUNTY_SOWN_MU_HUNDREDTHS = 22_810_242  # 2021, the county's notice on 耕地地力保护补贴

# Assumptions about land.
FARMING_HUKOU_SHARE = {"rural": 0.965, "urban": 0.30}
LAND_HELD_SHARE = 0.90
CONTRACT_MU_A_HEAD, CONTRACT_SIGMA = 0.85, 0.45
LAND_HEADS_MAX = 6
SOWN_SHARE = 0.72  # of those who hold land; others let it or left it
LARGE_GROWER_SHARE, LARGE_GROWER_MU, LARGE_GROWER_SIGMA = 0.0015, 40.0, 0.5
AREA_UNIT = 100  # hundredths of one 亩

# Assumptions about belongings, by standing: others, near-poor.
CAR_SHARES = (0.30, 0.05)
SECOND_CAR_SHARE = 0.08
DRIVER_AGES = (18, 70)
CAR_MEDIAN_FEN, CAR_SIGMA = 62_000 * FEN, 0.5
MACHINE_SHARE = 0.012
HOUSE_SHARES = (0.02, 0.90, 0.08)  # none, one, two
DEPOSIT_MEDIAN_FEN, DEPOSIT_SIGMA = 22_000 * FEN, 1.0
DEPOSIT_NEEDY_MEDIAN_FEN, DEPOSIT_NEEDY_MAX_FEN = 2_500 * FEN, 12_000 * FEN
SECURITIES_SHARE, SECURITIES_MEDIAN_FEN = 0.025, 18_000 * FEN
OTHER_ASSETS_SHARE, OTHER_ASSETS_MEDIAN_FEN = 0.04, 9_000 * FEN
BUSINESS_SHARE = 0.045

# Assumptions about income in a year: crops, tea and odd trade; letting; what the state and kin give; gifts and finds.
CROP_NET_FEN_A_MU = 550 * FEN
TRADE_MEDIAN_FEN, TRADE_SIGMA = 5_000 * FEN, 0.8
SHOP_MEDIAN_FEN, SHOP_SIGMA = 36_000 * FEN, 0.6
PROPERTY_SHARE, PROPERTY_MEDIAN_FEN = 0.18, 1_200 * FEN
TRANSFER_SHARE, TRANSFER_MEDIAN_FEN = 0.45, 1_500 * FEN
OTHER_SHARE, OTHER_MEDIAN_FEN = 0.06, 1_000 * FEN
INCOME_SIGMA = 0.7

# Assumptions about expenses nobody can avoid.
ILLNESS_MEDIAN_FEN, ILLNESS_SIGMA = 14_000 * FEN, 0.8
DISABLED_CARE_SHARE, DISABLED_CARE_MEDIAN_FEN = 0.3, 3_000 * FEN
TUITION_FEN = (4_500 * FEN, 9_500 * FEN)  # a student of 16 and over, a year
TUITION_FROM_AGE = 16


def draw_land(draft: Draft, people: int, chance: Chance) -> None:
    """hukou, contract_land_mu, sown_land_mu."""
    rng, count = chance.stream("land"), len(draft.families.size)
    farming = happens(rng, _by_place(draft, FARMING_HUKOU_SHARE), count)
    draft.households["hukou"] = np.where(farming, code_of("hukou", "农业"), code_of("hukou", "非农业"))
    heads = np.minimum(draft.families.size, LAND_HEADS_MAX)
    held = farming & happens(rng, LAND_HELD_SHARE, count)
    contract = np.where(held, heads * around(rng, CONTRACT_MU_A_HEAD, CONTRACT_SIGMA, count), 0.0)
    draft.households["contract_land_mu"] = np.rint(contract * AREA_UNIT).astype(np.int64)
    sown = contract * happens(rng, SOWN_SHARE, count) * between(rng, 0.5, 1.1, count)
    grower = held & happens(rng, LARGE_GROWER_SHARE, count)
    sown = np.where(grower, around(rng, LARGE_GROWER_MU, LARGE_GROWER_SIGMA, count), sown)
    wanted = COUNTY_SOWN_MU_HUNDREDTHS * people / COUNTY_PEOPLE
    draft.households["sown_land_mu"] = np.rint(sown * wanted / max(float(sown.sum()), 1.0)).astype(np.int64)


def draw_belongings(draft: Draft, standing: Standing, chance: Chance) -> None:
    """Vehicles, machines, houses, savings, registered businesses."""
    rng, count, mine = chance.stream("belongings"), len(draft.families.size), draft.households
    share = np.where(standing.poor, 0.0, np.where(standing.near, CAR_SHARES[1], CAR_SHARES[0]))
    car = happens(rng, share, count) & _has_driver(draft)
    mine["vehicles"] = car * (1 + happens(rng, SECOND_CAR_SHARE, count).astype(np.int64))
    mine["vehicle_value"] = mine["vehicles"] * whole_yuan(around(rng, CAR_MEDIAN_FEN, CAR_SIGMA, count))
    rich = ~standing.needy
    mine["large_machines"] = (rich & happens(rng, MACHINE_SHARE, count)).astype(np.int64)
    mine["houses"] = np.where(rich, pick(rng, HOUSE_SHARES, count), pick(rng, HOUSE_SHARES[:2], count))
    needy = np.minimum(around(rng, DEPOSIT_NEEDY_MEDIAN_FEN, DEPOSIT_SIGMA, count), DEPOSIT_NEEDY_MAX_FEN)
    mine["deposits"] = whole_yuan(np.where(rich, around(rng, DEPOSIT_MEDIAN_FEN, DEPOSIT_SIGMA, count), needy))
    mine["securities"] = _sometimes(rich, SECURITIES_SHARE, SECURITIES_MEDIAN_FEN, rng)
    mine["other_assets"] = _sometimes(rich, OTHER_ASSETS_SHARE, OTHER_ASSETS_MEDIAN_FEN, rng)
    mine["businesses"] = (rich & _has_driver(draft) & happens(rng, BUSINESS_SHARE, count)).astype(np.int64)


def draw_incomes(draft: Draft, chance: Chance) -> None:
    """The four yearly incomes, before standing is made true of them."""
    rng, count, mine = chance.stream("incomes"), len(draft.families.size), draft.households
    everyone = np.ones(count, bool)
    able = draft.any_by_household(draft.people["labour"] != code_of("labour", "无"))
    crops = mine["sown_land_mu"] * CROP_NET_FEN_A_MU / AREA_UNIT
    trade = able * (mine["hukou"] == code_of("hukou", "农业")) * around(rng, TRADE_MEDIAN_FEN, TRADE_SIGMA, count)
    shop = mine["businesses"] * around(rng, SHOP_MEDIAN_FEN, SHOP_SIGMA, count)
    mine["business_income_year"] = whole_yuan(crops + trade + shop)
    mine["property_income_year"] = _sometimes(everyone, PROPERTY_SHARE, PROPERTY_MEDIAN_FEN, rng)
    mine["transfer_income_year"] = _sometimes(everyone, TRANSFER_SHARE, TRANSFER_MEDIAN_FEN, rng)
    mine["other_income_year"] = _sometimes(everyone, OTHER_SHARE, OTHER_MEDIAN_FEN, rng)


def draw_expenses(draft: Draft, chance: Chance) -> None:
    """rigid_medical_year, rigid_education_year."""
    rng, people = chance.stream("expenses"), draft.people
    count = len(draft.age)
    ill = people["serious_illness"] * whole_yuan(around(rng, ILLNESS_MEDIAN_FEN, ILLNESS_SIGMA, count))
    care = _sometimes(people["disability_grade"] > 0, DISABLED_CARE_SHARE, DISABLED_CARE_MEDIAN_FEN, rng)
    draft.households["rigid_medical_year"] = draft.sum_by_household(ill + care)
    paying = people["learning"].astype(bool) & (draft.age >= TUITION_FROM_AGE)
    tuition = paying * whole_yuan(between(rng, *TUITION_FEN, count))
    draft.households["rigid_education_year"] = draft.sum_by_household(tuition)


def _by_place(draft: Draft, shares: dict[str, float]) -> np.ndarray:
    return np.where(draft.urban, shares["urban"], shares["rural"])


def _has_driver(draft: Draft) -> Bools:
    return draft.any_by_household((draft.age >= DRIVER_AGES[0]) & (draft.age < DRIVER_AGES[1]))


def _sometimes(among: Bools, share: float, median_fen: float, rng: np.random.Generator) -> Ints:
    """An amount for a share of the rows in `among`, 0 for all others."""
    count = len(among)
    amounts = whole_yuan(around(rng, median_fen, INCOME_SIGMA, count))
    return np.where(among & happens(rng, share, count), amounts, 0)
