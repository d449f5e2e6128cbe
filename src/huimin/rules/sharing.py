"""What programmes have in common, found once: equal expressions become one node, whose column is worked out once a chunk.

in    programmes in force at one place and day, in the order they are evaluated in
out   the same programmes, with named values and parameters put in their places and equal nodes one object; `Plan`
      `Memo`: columns that are asked for again, each kept until the last programme that asks is done

Income per head stands in five programmes, 户籍 in twenty; reading the facts anew for each would be most of the work.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from huimin.rules.programme import Programme
from huimin.rules.tiers import Tiers
from huimin.rules.typed import Level, Op, Typed
from huimin.rules.values import Value
from huimin.rules.vocabulary import DEPARTURES

if TYPE_CHECKING:
    from huimin.rules.frame import Col


@dataclass(frozen=True)
class Plan:
    """Nodes by their id. `again`: asked for more than once. `done`: by programme, those that no later one asks for."""

    again: frozenset[int] = frozenset()
    done: Mapping[str, frozenset[int]] = field(default_factory=dict)


def shared(programmes: Iterable[Programme]) -> tuple[list[Programme], Plan]:
    """Programmes that say the same with common nodes. The nodes live as long as the programmes do."""
    nodes: dict[tuple[object, ...], Typed] = {}
    uses: Counter[int] = Counter()
    last: dict[int, str] = {}
    found = []
    for programme in programmes:
        joined = _Joined(programme, nodes, uses)
        found.append(joined.programme())
        last |= dict.fromkeys(joined.asked, programme.code)
    again = frozenset(node for node, count in uses.items() if count > 1)
    done = {law.code: frozenset(node for node in again if last[node] == law.code) for law in found}
    return found, Plan(again, done)


class _Joined:
    """One programme's trees, made of the nodes that are there already."""

    def __init__(self, programme: Programme, nodes: dict[tuple[object, ...], Typed], uses: Counter[int]) -> None:
        self._law, self._nodes, self._uses = programme, nodes, uses
        self._values = {value.name: value.tree for value in programme.structure.values}
        self._bits = {fact.code: bit for bit, fact in enumerate(programme.facts_needed)}
        self._seen: dict[str, Typed] = {}
        self.asked: set[int] = set()
        """Ids of all its nodes."""

    def programme(self) -> Programme:
        structure = self._law.structure
        rule = structure.phase_out
        if rule:
            premise = self._root(rule.premise) if rule.premise else None
            steps = tuple((first, self._root(share)) for first, share in rule.steps)
            rule = replace(rule, premise=premise, months=self._root(rule.months), steps=steps)
        conditions = tuple(replace(each, tree=self._root(each.tree)) for each in structure.conditions)
        amount = self._root(structure.amount)
        joined = replace(structure, conditions=conditions, amount=amount, phase_out=rule, values=())
        tables = {name: each for name, each in self._law.parameters.items() if isinstance(each.value, Tiers)}
        return replace(self._law, structure=joined, parameters=tables)

    def _root(self, tree: Typed) -> Typed:
        node = self._node(tree)
        self._uses[id(node)] += 1
        return node

    def _node(self, tree: Typed) -> Typed:
        if tree.op is Op.VALUE:
            name = str(tree.payload)
            if name not in self._seen:
                self._seen[name] = self._node(self._values[name])
            return self._seen[name]
        if tree.op is Op.PARAM:
            tree = replace(tree, op=Op.CONST, payload=self._plain(str(tree.payload)))
        args = tuple(map(self._node, tree.args))
        kind = (tree.type.sort, tree.type.choices)
        key = (tree.op, tree.level, *kind, tree.payload, self._own(tree), *map(id, args))
        if key not in self._nodes:
            self._nodes[key] = replace(tree, args=args)
            self._uses.update(map(id, args))
        found = self._nodes[key]
        self.asked.add(id(found))
        return found

    def _plain(self, name: str) -> Value:
        value = self._law.parameters[name].value
        assert not isinstance(value, Tiers), "tables are looked up, not read"
        return value

    def _own(self, tree: Typed) -> object:
        """What the node's words mean in this programme and may not in another; bits where even complete facts leave gaps."""
        if tree.op is Op.TABLE:
            return self._law.parameters[str(tree.payload)].value
        if tree.op is Op.ELSEWHERE:
            assert isinstance(tree.payload, tuple)
            return self._law.elsewhere[str(tree.payload[1])], self._bits[str(tree.payload[0])]
        return self._bits[str(tree.payload)] if tree.op is Op.FACT and tree.payload in DEPARTURES else None


class Memo:
    """Columns of one chunk. `constants` belongs to all chunks: what depends on no row is worked out once for all."""

    def __init__(self, plan: Plan, constants: "dict[int, Col]") -> None:
        self._plan, self._constants = plan, constants
        self._kept: dict[int, Col] = {}

    def find(self, node: Typed) -> "Col | None":
        return (self._constants if node.level is Level.CONST else self._kept).get(id(node))

    def keep(self, node: Typed, column: "Col") -> None:
        if id(node) in self._plan.again:
            (self._constants if node.level is Level.CONST else self._kept)[id(node)] = column

    def forget(self, programme: str) -> None:
        """This programme is done: let go of what no later one asks for."""
        for node in self._plan.done[programme] & self._kept.keys():
            del self._kept[node]
