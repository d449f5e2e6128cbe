"""Everything that changes the registry, and every look at a plain value (REG-01, REG-04, REG-05, REG-07, SEC-04).

loading     households, people and cards in bulk (`checks`, `clashes` serve it)
facts       what is known of households and people; deaths
moving      a household moves
cards       states of cards; corrections of accounts under four eyes
cooling     the county's cooling time, of two people; accounts whose time has come
freezing    accounts and authorities of who died or left
authorities guardians and proxies
issuing     a bank's file of issued cards
handing     the hand-over register
settling    work items
looking     plain values, recorded
"""

from huimin.registry.commands.authorities import (
    MayNotDraw,
    approve_authority,
    propose_authority,
    refuse_authority,
    revoke_authority,
)
from huimin.registry.commands.cards import (
    CardInUse,
    NotOwnAccount,
    approve_card_correction,
    change_card_state,
    propose_card_correction,
    refuse_card_correction,
)
from huimin.registry.commands.cooling import (
    propose_cooling_time,
    put_accounts_in_force,
    settle_cooling_time,
    stop_card_correction,
)
from huimin.registry.commands.facts import record_death, record_household_facts, record_person_facts
from huimin.registry.commands.handing import hand_over_card
from huimin.registry.commands.issuing import IssuedCard, issue_cards
from huimin.registry.commands.loading import LoadReport, load_population
from huimin.registry.commands.looking import Looked, NothingToSee, look_at
from huimin.registry.commands.moving import move_household
from huimin.registry.commands.settling import settle_work_item

__all__ = [
    "CardInUse",
    "IssuedCard",
    "LoadReport",
    "Looked",
    "MayNotDraw",
    "NotOwnAccount",
    "NothingToSee",
    "approve_authority",
    "approve_card_correction",
    "change_card_state",
    "hand_over_card",
    "issue_cards",
    "load_population",
    "look_at",
    "move_household",
    "propose_authority",
    "propose_card_correction",
    "propose_cooling_time",
    "put_accounts_in_force",
    "record_death",
    "record_household_facts",
    "record_person_facts",
    "refuse_authority",
    "refuse_card_correction",
    "revoke_authority",
    "settle_cooling_time",
    "settle_work_item",
    "stop_card_correction",
]
