"""Cards the county pays to, and the accounts the bank really has; where the two differ is counted (REG-04).

in    a draft with its faults, names and identity numbers
out   the tables `cards` and `bank_accounts`, and faults of both

Always true: one card per household in the head's name but for `no_household_card`; an account is one card's, but for
the counted `shared_card`; the bank has every account of ours once, in the same state, name and kind, but for the
counted differences, which never fall on one card together.
Bank states: active, lost, closed, frozen, dormant, slow (active, but answers late).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from huimin.demo.population.chance import Bools, Chance, Ints, happens, share_of, some
from huimin.demo.population.draft import Draft
from huimin.demo.population.families import Role
from huimin.demo.population.naming import Names
from huimin.demo.population.numbers import Text, account_numbers, as_text
from huimin.demo.population.tables import Fault

KINDS = ("household", "person")
STATES = ("active", "lost", "closed", "frozen", "dormant", "slow")
ACTIVE = STATES.index("active")

# Assumptions: shares of households, of those entitled to a person's card, and of cards.
NO_CARD_SHARE = 0.004
PERSON_CARD_SHARE = 0.97
PERSON_CARD_AGE = 60
PERSON_CARD_DISABLED_AGE = 16
PERSON_CARD_MIGRANT_AGE = 0  # social-security cards are issued from birth
SHARED_SHARE = 0.0015
CARD_STATE_SHARES = {"closed": 0.004, "lost": 0.003}
BANK_STATE_SHARES = {"closed": 0.003, "frozen": 0.0015, "dormant": 0.0025, "slow": 0.003}
BANK_NAME_SHARE = 0.003

_CARD_LABELS = {"closed": "惠农卡已销户", "lost": "惠农卡已挂失"}
_BANK_LABELS = {"closed": "银行账户已销户", "frozen": "银行账户冻结", "dormant": "银行账户睡眠", "slow": "银行入账迟缓"}


@dataclass
class Cards:
    """Cards by row while they are made. `serial` numbers the account; two cards on one account share it."""

    holder: Ints
    kind: Ints
    serial: Ints
    state: Ints
    free: Bools  # nothing has been done to this card yet

    def take(self, rows: Ints) -> None:
        self.free[rows] = False

    def candidates(self, among: Bools) -> Ints:
        return np.flatnonzero(self.free & among)


def issue_cards(draft: Draft, chance: Chance) -> Cards:
    """Household cards in the order of households, then cards of persons in the order of people."""
    rng, families = chance.stream("cards"), draft.families
    homes = len(families.size)
    without = some(rng, np.arange(homes), share_of(NO_CARD_SHARE, homes))
    draft.note_fault(Fault("no_household_card", "未办惠农卡", "households", without))
    heads = np.delete(families.first[:-1], without)
    person = np.flatnonzero(_entitled(draft) & happens(rng, PERSON_CARD_SHARE, len(draft.age)))
    holder = np.concatenate((heads, person))
    kind = np.repeat(np.arange(len(KINDS)), (len(heads), len(person)))
    count = len(holder)
    cards = Cards(holder, kind, np.arange(count), np.full(count, ACTIVE), np.ones(count, bool))
    _share_some(draft, cards, rng)
    for state, share in CARD_STATE_SHARES.items():
        rows = some(rng, cards.candidates(kind == 0), share_of(share, homes))
        cards.state[rows] = STATES.index(state)
        cards.take(rows)
        draft.note_fault(Fault(f"{state}_card", _CARD_LABELS[state], "cards", rows))
    return cards


def _entitled(draft: Draft) -> Bools:
    """Whom the programmes for persons reach: the old, the disabled, reservoir migrants; heads have the household's."""
    age, people = draft.age, draft.people
    reached: Bools = (age >= PERSON_CARD_AGE) | ((age >= PERSON_CARD_DISABLED_AGE) & (people["disability_grade"] > 0))
    reached |= people["reservoir_migrant"].astype(bool) & (age >= PERSON_CARD_MIGRANT_AGE)
    reached &= draft.families.role != Role.HEAD
    return reached


def _share_some(draft: Draft, cards: Cards, rng: np.random.Generator) -> None:
    """One account given for the heads of two neighbouring households."""
    house = draft.families.household[cards.holder]
    even = np.arange(0, int((cards.kind == 0).sum()) - 1, 2)
    neighbours = even[house[even] + 1 == house[even + 1]]
    first = some(rng, neighbours, share_of(SHARED_SHARE, len(draft.families.size)))
    second = first + 1
    cards.serial[second] = cards.serial[first]
    cards.take(np.concatenate((first, second)))
    draft.note_fault(Fault("shared_card", "两户共用一个账号", "cards", second, first))


def cards_table(draft: Draft, cards: Cards) -> pa.Table:
    """Columns account, holder, household, kind, state."""
    return pa.table(
        {
            "account": as_text(account_numbers(cards.serial)),
            "holder": pa.array(cards.holder),
            "household": pa.array(draft.families.household[cards.holder]),
            "kind": _choice(cards.kind, KINDS),
            "state": _choice(cards.state, STATES[:3]),
        }
    )


def bank_table(draft: Draft, cards: Cards, names: Names, identity: Text, chance: Chance) -> pa.Table:
    """Columns account, name, id_number, state, kind, card: what the bank answers from."""
    rng = chance.stream("bank")
    rows = np.flatnonzero(cards.serial == np.arange(len(cards.serial)))
    holder, state = cards.holder[rows], cards.state[rows].copy()
    free = cards.free[rows]
    for name, share in BANK_STATE_SHARES.items():
        differing = some(rng, np.flatnonzero(free), share_of(share, len(rows)))
        state[differing], free[differing] = STATES.index(name), False
        draft.note_fault(Fault(f"bank_{name}", _BANK_LABELS[name], "bank_accounts", differing))
    held = names.take(holder)
    misheard = held.misheard()
    can_differ = (misheard.first != held.first) | (misheard.last != held.last)
    differing = some(rng, np.flatnonzero(free & can_differ), share_of(BANK_NAME_SHARE, len(rows)))
    held.put(differing, misheard.take(differing))
    draft.note_fault(Fault("bank_name_differs", "银行户名不符（同音字）", "bank_accounts", differing))
    return pa.table(
        {
            "account": as_text(account_numbers(cards.serial[rows])),
            "name": held.text(),
            "id_number": as_text(identity[holder]),
            "state": _choice(state, STATES),
            "kind": _choice(cards.kind[rows], KINDS),
            "card": pa.array(rows),
        }
    )


def _choice(codes: Ints, choices: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(choices))
