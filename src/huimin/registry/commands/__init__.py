"""Everything that changes the registry, and every look at a plain value (REG-01, REG-04, REG-05, REG-07, SEC-04).

loading     households, people and cards in bulk (`checks`, `clashes` serve it)
facts       what is known of households and people; deaths
moving      a household moves
cards       states of cards; corrections of accounts under four eyes
settling    work items
looking     plain values, recorded
"""

from huimin.registry.commands.cards import (
    CardInUse,
    NotOwnAccount,
    approve_card_correction,
    change_card_state,
    propose_card_correction,
    refuse_card_correction,
)
from huimin.registry.commands.facts import record_death, record_household_facts, record_person_facts
from huimin.registry.commands.loading import LoadReport, load_population
from huimin.registry.commands.looking import Looked, NothingToSee, look_at
from huimin.registry.commands.moving import move_household
from huimin.registry.commands.settling import settle_work_item

__all__ = [
    "CardInUse",
    "LoadReport",
    "Looked",
    "NotOwnAccount",
    "NothingToSee",
    "approve_card_correction",
    "change_card_state",
    "load_population",
    "look_at",
    "move_household",
    "propose_card_correction",
    "record_death",
    "record_household_facts",
    "record_person_facts",
    "refuse_card_correction",
    "settle_work_item",
]
