"""The fact dictionary with what a place's policies added to it: targets, labels and heads of an import (REG-01, REG-03).

A county's own fact behaves as any other: its name is a head, its kind reads the cells, its entity says which tables it
belongs to.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from huimin.importing.heads import SEPARATOR, plain_head, recognise
from huimin.importing.kinds import FACT_OF, KINDS, LABELS, Kind
from huimin.kernel.facts import Entity, Fact
from huimin.policy.queries import added_facts

_TABLES_OF = {Entity.HOUSEHOLD: ("households", "resources"), Entity.PERSON: ("members",)}


@dataclass(frozen=True)
class Terms:
    """`added` are the county's own facts; none of them has the code of a fact of the dictionary."""

    added: tuple[Fact, ...] = ()

    @cached_property
    def _by_head(self) -> dict[str, str]:
        return {plain_head(fact.name): fact.code for fact in self.added}

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return {fact.code: fact for fact in self.added} | FACT_OF

    @property
    def heads(self) -> frozenset[str]:
        """Plain heads that name an added fact."""
        return frozenset(self._by_head)

    def label(self, target: str) -> str:
        return LABELS.get(target) or (self.facts[target].name if target in self.facts else "")

    def recognise(self, head: str) -> str | None:
        """The target of a head; the dictionary's word comes first."""
        known = recognise(head)
        if known is not None:
            return known
        found = (self._by_head.get(plain_head(line)) for line in reversed(head.split(SEPARATOR)))
        return next((code for code in found if code), None)

    def kind(self, code: str) -> Kind:
        """The kind, with the added facts it may carry among its targets."""
        more = tuple(fact.code for fact in self.added if code in _TABLES_OF[fact.entity])
        return replace(KINDS[code], targets=(*KINDS[code].targets, *more))

    def of(self, entity: Entity, codes: list[str]) -> list[Fact]:
        """The added facts of an entity among some targets."""
        return [fact for fact in self.added if fact.entity is entity and fact.code in codes]


def terms_of(place: str) -> Terms:
    """The terms at a place; inside a reading transaction."""
    return Terms(tuple(fact for fact in added_facts(place) if fact.code not in FACT_OF))
