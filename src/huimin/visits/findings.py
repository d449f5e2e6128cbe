"""What was found on the spot: words by subject, what neighbours said, where it was, and which registered facts differ (CASE-02).

in    a `Found`, as a form or another room fills it
out   one text to be sealed (`written`), and what it says again (`read`); BadInput names what is missing or too long

Positions are rounded to four decimals (about ten metres) and live in the sealed text only: they lead to a door, as an address
does, and nobody searches by them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from huimin.database.personal import PAYLOAD, plain
from huimin.kernel.digests import canonical
from huimin.kernel.errors import BadInput

TOPICS = {
    "health": "身体状况", "living": "生活条件和住房", "work": "就业和收入", "property": "财产", "spending": "支出", "other": "其他",
}  # fmt: skip
"""By code, in the order of the form."""
OF_APPLICATION = ("health", "living", "work", "spending")
"""What the law asks to be looked at: 身体状况、生活条件、就业和收支 (伊民规〔2022〕2号 二(一)3)."""
TEXT_MAX, NEIGHBOURS_MAX, WORDS_MAX, DIFFERENCES_MAX = 1000, 10, 300, 60


@dataclass(frozen=True)
class Neighbour:
    """Who was asked, how he stands to the household, and what he said."""

    name: str
    relation: str
    words: str


@dataclass(frozen=True)
class Differs:
    """A registered fact (`fact`: its code; `person`: whose, None for the household's) that is otherwise; `found` in the
    system's form. Or, without a fact, something the household did not declare, in words."""

    found: Any = None
    fact: str = ""
    person: int | None = None
    what: str = ""


@dataclass(frozen=True)
class Position:
    """Where the telephone was: degrees, and how far off it may be."""

    latitude: float
    longitude: float
    accuracy_m: int = 0


@dataclass(frozen=True)
class Found:
    """One visit's content. `place`: where it was, in words, when not at the registered address."""

    topics: Mapping[str, str] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    differs: tuple[Differs, ...] = ()
    place: str = ""
    position: Position | None = None


def checked(found: Found, *, met: bool, application: bool) -> Found:
    """The same without blanks; BadInput when it does not say what such a visit must."""
    topics = {code: str(text).strip() for code, text in found.topics.items() if str(text).strip()}
    if unknown := sorted(set(topics) - set(TOPICS)):
        raise BadInput(f"没有“{unknown[0]}”这一项", where="调查情况", remedy="请按表填写")
    if long := next((code for code, text in topics.items() if len(text) > TEXT_MAX), ""):
        raise BadInput(f"超过 {TEXT_MAX} 字", where=TOPICS[long], remedy="请写要点")
    wanted = OF_APPLICATION if application else ()
    if met and (lacking := [TOPICS[code] for code in wanted if len(topics.get(code, "")) < 2]):
        raise BadInput(f"没有写{'、'.join(lacking)}", where="调查情况", remedy="没有的也请写明，如“无”")
    if met and not topics:
        raise BadInput("没有写看到了什么", where="调查情况", remedy="请至少写一项")
    neighbours = tuple(_neighbour(each) for each in found.neighbours)
    if len(neighbours) > NEIGHBOURS_MAX or len(found.differs) > DIFFERENCES_MAX:
        raise BadInput(
            "写得太多", where="邻里访问和差异", remedy=f"邻居至多 {NEIGHBOURS_MAX} 人，差异至多 {DIFFERENCES_MAX} 条"
        )
    if met and application and not neighbours:
        raise BadInput(
            "没有走访邻居", where="邻里访问", why="入户调查要访问邻里", remedy="请写邻居姓名、与这一户的关系、说了什么"
        )
    return Found(topics, neighbours, tuple(found.differs), found.place.strip()[:120], _rounded(found.position))


def _neighbour(each: Neighbour) -> Neighbour:
    told = Neighbour(each.name.strip()[:40], each.relation.strip()[:40], each.words.strip())
    if not told.name or not told.relation or len(told.words) < 2:
        raise BadInput("邻居没有写全", where="邻里访问", remedy="请写姓名、与这一户的关系、说了什么")
    if len(told.words) > WORDS_MAX:
        raise BadInput(f"超过 {WORDS_MAX} 字", where="邻里访问", remedy="请写要点")
    return told


def _rounded(position: Position | None) -> Position | None:
    if position is None:
        return None
    if not (-90 <= position.latitude <= 90 and -180 <= position.longitude <= 180):
        raise BadInput("不是地球上的位置", where="位置", remedy="请重新定位，或写地点")
    accuracy = min(max(int(position.accuracy_m), 0), 100_000)
    return Position(round(position.latitude, 4), round(position.longitude, 4), accuracy)


def written(found: Found) -> str:
    """The text that is sealed; differences are rows of their own and not part of it."""
    told = {
        "topics": dict(found.topics), "neighbours": [asdict(each) for each in found.neighbours], "place": found.place,
        "position": asdict(found.position) if found.position else None,
    }  # fmt: skip
    return canonical(told).decode()


def read(sealed: bytes | memoryview) -> Found:
    """What a visit's sealed text says; whoever shows it has the post for it."""
    told = json.loads(plain(sealed, PAYLOAD))
    return Found(
        told["topics"],
        tuple(Neighbour(**each) for each in told["neighbours"]),
        (),
        told["place"],
        Position(**told["position"]) if told["position"] else None,
    )


def storable(value: Any) -> Any:
    """A fact's value as a JSON column keeps it."""
    return value.isoformat() if isinstance(value, date) else value
