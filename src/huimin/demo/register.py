"""Second step: the generated population comes into the registry, with its faults (REG-01, REG-04).

in    the generator's tables for (people, seed) on the day of registration; the offices of the step before
out   households, people, cards, work items; the agent bank's own accounts as a CSV for the bank simulator

The county's officer loads all townships at once. Repeating it adds nothing. Figures are counted in the registry, faults
by the generator.
"""

import pyarrow as pa
from django.conf import settings
from django.db import connections

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.population import Population, generate, write_bank_accounts
from huimin.demo.quarter import County, Figures
from huimin.divisions.loading import load_groups
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.commands import load_population


def register(county: County) -> Figures:
    """Generate, load, write the bank's file."""
    on = dates.REGISTERED
    population = generate(county.people, county.seed, settings.DIVISIONS_FILE, on)
    groups = zip(population.groups["code"].to_pylist(), population.groups["name"].to_pylist(), strict=True)
    load_groups(groups, on)
    officer = actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    bank = actor(Post.BANK_OPERATOR, OfficeKind.BANK)
    report = load_population(
        by=officer,
        on=on,
        households=population.households,
        people=_listed(population),
        cards=population.cards,
        bank_office=bank.office,
    )
    _analyse()
    folder = county.home / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    write_bank_accounts(population, folder / "accounts.csv")
    return _figures(officer, population) | {"added": report.households}


def _analyse() -> None:
    """What autovacuum does in time in service: without statistics the next step's joins are planned blindly."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")


def _listed(population: Population) -> pa.Table:
    """Everybody the villages reported: the people, and those whose numbers are wrong."""
    wrong = population.rejects.select(["household", "name", "id_number", "relation"])
    people = population.people
    relation = people.schema.field("relation").type
    wrong = wrong.set_column(3, "relation", wrong["relation"].combine_chunks().dictionary_encode().cast(relation))
    return pa.concat_tables([people, wrong], promote_options="default")


def _figures(officer: Actor, population: Population) -> Figures:
    tables = {"households": "household", "people": "person", "cards": "card", "work_items": "workitem"}
    with reading(officer):
        counted = {name: fetch_one(f"SELECT count(*) FROM registry_{table}")[0] for name, table in tables.items()}  # noqa: S608
        by_kind = dict(fetch("SELECT kind, count(*) FROM registry_workitem GROUP BY kind ORDER BY kind"))
    faults = {fault.name: fault.count for fault in population.faults.values()}
    return counted | {"work_items_by_kind": by_kind, "faults": faults, "rejects": population.rejects.num_rows}
