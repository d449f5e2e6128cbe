"""The villages and groups people live in: real divisions, invented sizes, groups and addresses (REG-01).

in    divisions.csv (code,name,level,parent) with the county's townships and villages
out   a village per household, its group, household numbers, addresses

Always true: households are numbered within their village from 0001, in the order of rows; a household's division is
its group's code in a 村委会 and the village's own in a 居委会; every village and township is a real one.
Limits: group names, sizes of villages and house numbers are invented.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huimin.demo.population.chance import Bools, Chance, Floats, Ints, around
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level

COUNTY = "341524000000"  # 金寨县

# Assumptions: no village's population is published. A 居委会 in the county town is some three villages large.
URBAN_VILLAGE_WEIGHT = 2.6
VILLAGE_SIZE_SIGMA = 0.35
HOUSEHOLDS_PER_GROUP = 30  # assumption: a 村民组 of hill country
GROUPS_MAX = 60
HOUSES_PER_GROUP = 90  # house numbers drawn from; two households may share a house

_GROUP_WHERE = "上下东西南北前后中老新大小"
_GROUP_WHAT = "湾冲畈楼庄屋塘岭店坳"


@dataclass(frozen=True)
class County:
    """Villages of the county in the order of their codes; `groups_of[i]` groups stand under village i."""

    codes: list[str]
    names: list[str]
    townships: list[str]  # code of each village's township
    addresses: list[str]  # county, township and village as an address begins
    urban: Bools
    group_codes: list[str]
    group_names: list[str]
    first_group: Ints  # row of a village's first group; one entry more than villages
    households: Ints  # households of each village


def read_county(divisions_csv: Path, households: int, chance: Chance) -> County:
    """The county's villages with `households` shared out among them; BadInput when the file lacks the county."""
    with divisions_csv.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["code"].startswith(COUNTY[: Level.COUNTY])]
    name = {row["code"]: row["name"] for row in rows}
    villages = sorted((row for row in rows if row["level"] == Level.VILLAGE.label), key=lambda row: row["code"])
    if not villages or COUNTY not in name:
        raise BadInput("区划表中没有金寨县", where=divisions_csv.name, remedy="请使用随系统提供的区划数据")
    urban = np.array([row["name"].endswith("居委会") for row in villages])
    sizes = _village_sizes(urban, households, chance)
    group_counts = np.where(urban, 0, np.clip(-(-sizes // HOUSEHOLDS_PER_GROUP), 1, GROUPS_MAX))
    codes = [row["code"] for row in villages]
    return County(
        codes=codes,
        names=[row["name"] for row in villages],
        townships=[row["parent"] for row in villages],
        addresses=[name[COUNTY] + name[row["parent"]] + short_name(row["name"]) for row in villages],
        urban=urban,
        group_codes=[
            f"{codes[at]}{serial:03d}" for at, many in enumerate(group_counts) for serial in range(1, many + 1)
        ],
        group_names=_group_names(group_counts, chance),
        first_group=np.concatenate(([0], np.cumsum(group_counts))),
        households=sizes,
    )


def short_name(village: str) -> str:
    """As an address says it: 徐冲村委会 → 徐冲村, 红村社区居委会 → 红村社区."""
    return village.removesuffix("居委会") if village.endswith("居委会") else village.removesuffix("委会")


def _village_sizes(urban: Bools, households: int, chance: Chance) -> Ints:
    """Households per village, adding up exactly: largest remainders of seeded weights."""
    weights = around(chance.stream("village sizes"), 1.0, VILLAGE_SIZE_SIGMA, len(urban))
    exact: Floats = households * weights * np.where(urban, URBAN_VILLAGE_WEIGHT, 1.0)
    exact /= np.sum(weights * np.where(urban, URBAN_VILLAGE_WEIGHT, 1.0))
    sizes = np.floor(exact).astype(np.int64)
    short = households - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:short]] += 1
    return sizes


def _group_names(group_counts: Ints, chance: Chance) -> list[str]:
    rng = chance.stream("group names")
    names = [where + what + "组" for what in _GROUP_WHAT for where in _GROUP_WHERE]
    assert len(names) >= GROUPS_MAX, "groups of one village have names of their own"
    return [names[at] for many in group_counts for at in rng.permutation(len(names))[:many]]


def place_households(county: County, chance: Chance) -> dict[str, pa.Array]:
    """Columns household_no, division, village (int64 row of the county's villages) and address."""
    rng = chance.stream("addresses")
    village = np.repeat(np.arange(len(county.codes)), county.households)
    count = len(village)
    first = np.concatenate(([0], np.cumsum(county.households)))[village]
    serial = np.arange(count) - first
    groups = np.diff(county.first_group)[village]
    group = county.first_group[village] + serial * groups // np.maximum(county.households[village], 1)
    place = pa.array(np.where(groups > 0, len(county.codes) + group, village))
    house = pa.array(rng.integers(1, HOUSES_PER_GROUP + 1, count)).cast(pa.string())
    codes = pa.array(county.codes + county.group_codes)
    inside = pa.array([""] * len(county.codes) + county.group_names)
    return {
        "household_no": _joined(pa.array(county.codes).take(pa.array(village)), "-", _serials(serial + 1)),
        "division": codes.take(place),
        "village": pa.array(village),
        "address": _joined(pa.array(county.addresses).take(pa.array(village)), inside.take(place), house, "号"),
    }


def _serials(serial: Ints) -> pa.Array:
    """Four digits, five from 10000 on."""
    return pc.utf8_lpad(pa.array(serial).cast(pa.string()), 4, "0")


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
