"""What a bank does wrong, on demand, so that the other side can be tried (`run --misbehave late,cut …`).

in    an answer before it is bytes, the ways to spoil it
out   files in the outbox that a bank should not have put there; the books stay honest

    late        dated a month later               twice       the same again under the next number
    reversed    later answers first: this one is numbered 9   partly      the first half of the rows only
    strangers   a row nobody sent                 cut         half a file
    totals      sums that are not the rows'       scientific  an amount as 1.2E+05
    foreign     of a batch that is not theirs     yesterday   dated a month before
    encoding    in UTF-16                         signature   signed with another key
    huge        two gigabytes of nothing          doubled     a row twice
    amount      one amount a cent more            reference   one row under a changed reference
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bank_simulator.answers import Reply, write_if_different
from bank_simulator.keys import Keys
from bank_simulator.layout import Layout
from bank_simulator.tongues import render

HUGE_BYTES = 2 * 1024**3


def _dated(days: int) -> Callable[[Reply], Reply]:
    def turn(reply: Reply) -> Reply:
        rows = [row | {"booked_on": _moved(row["booked_on"], days)} if row["booked_on"] else row for row in reply.rows]
        return replace(
            reply, header=reply.header | {"business_date": _moved(reply.header["business_date"], days)}, rows=rows
        )

    return turn


def _moved(day: str, days: int) -> str:
    return f"{datetime.strptime(day, '%Y%m%d') + timedelta(days=days):%Y%m%d}"  # noqa: DTZ007 - a day


def _numbered(reply: Reply, no: int) -> Reply:
    return replace(reply, no=no, header=reply.header | {"answer_no": str(no)})


def _partly(reply: Reply) -> Reply:
    return replace(reply, rows=reply.rows[: max(1, len(reply.rows) // 2)])


def _strangers(reply: Reply) -> Reply:
    stranger = reply.rows[0] | {"row_id": "999999999", "account": "6299990000000000000"}
    return replace(reply, rows=[*reply.rows, stranger])


def _changed(at: int, **other: str) -> Callable[[Reply], Reply]:
    def turn(reply: Reply) -> Reply:
        rows = [dict(row) for row in reply.rows]
        for name, value in other.items():
            rows[at][name] = value
        return replace(reply, rows=rows)

    return turn


def _a_cent_more(reply: Reply) -> Reply:
    return _changed(0, row_amount_fen=str(int(reply.rows[0]["row_amount_fen"]) + 1))(reply)


def _foreign(reply: Reply) -> Reply:
    number = "990000000" + reply.number[9:]
    names = ("batch_no", "transfer_no", "check_no")
    return replace(reply, number=number, header=reply.header | dict.fromkeys(names, number))


_TURNS: dict[str, Callable[[Reply], Reply]] = {
    "late": _dated(30), "yesterday": _dated(-30), "partly": _partly, "strangers": _strangers, "amount": _a_cent_more,
    "reversed": lambda reply: _numbered(reply, 9), "foreign": _foreign, "reference": _changed(0, row_id="888888888"),
    "doubled": lambda reply: replace(reply, rows=[*reply.rows, dict(reply.rows[0])]),
}  # fmt: skip
WAYS = (*_TURNS, "twice", "cut", "totals", "scientific", "encoding", "signature", "huge")


def put_badly(layout: Layout, reply: Reply, outbox: Path, ways: frozenset[str], keys: Keys | None) -> None:
    """Put the answer into the outbox, spoiled in every way named."""
    for way, turn in _TURNS.items():
        if way in ways:
            reply = turn(reply)
    for each in (reply, *([_numbered(reply, reply.no + 1)] if "twice" in ways else [])):
        _put(layout, each, outbox, ways, keys)


def _put(layout: Layout, reply: Reply, outbox: Path, ways: frozenset[str], keys: Keys | None) -> None:
    name, content = reply.name(layout), render(layout, reply.kind, reply.header, reply.rows)
    for way, spoil in (("totals", _totals), ("scientific", _scientific), ("encoding", _encoded), ("cut", _cut)):
        if way in ways:
            content = spoil(layout, reply, content)
    if keys is not None:
        signed = content + b" " if "signature" in ways else content
        write_if_different(outbox / f"{name}.sig", keys.sign(name, signed))
    if "huge" in ways:
        with (outbox / name).open("wb") as file:
            os.truncate(file.fileno(), HUGE_BYTES)
        return
    write_if_different(outbox / name, content)


def _totals(layout: Layout, reply: Reply, content: bytes) -> bytes:
    """Honest rows and a digest that fits, under sums that do not."""
    if layout.layout == "iso20022":
        return render(layout, reply.kind, reply.header | {"stated_S": "99"}, reply.rows)
    lines = content.split(layout.line_ending.encode())
    lines[-2] = _more(layout, lines[-2], len(reply.rows))
    return layout.line_ending.encode().join(lines)


def _more(layout: Layout, line: bytes, rows: int) -> bytes:
    """The trailer with one row more than there are."""
    if layout.layout == "fixed":
        width = layout.fields["rows_count"].width
        return line[:1] + str(rows + 1).rjust(width, "0").encode() + line[1 + width :]
    parts = line.decode(layout.encoding).split(layout.separator)
    parts[1] = str(rows + 1)
    return layout.separator.join(parts).encode(layout.encoding)


def _scientific(layout: Layout, reply: Reply, content: bytes) -> bytes:
    """The first amount as a spreadsheet shows it; resealed where the format has a digest."""
    fen = int(reply.rows[0]["row_amount_fen"])
    if layout.layout == "iso20022":
        shown = f"{fen // 100}.{fen % 100:02d}"
        return content.replace(f">{shown}<".encode(), f">{fen / 100:.1E}<".encode(), 1)
    told = f"{fen // 100}.{fen % 100:02d}" if layout.fields["row_amount_fen"].kind == "yuan" else str(fen)
    wrong = f"{fen / 100:.1E}"
    if layout.layout == "fixed":
        width = layout.fields["row_amount_fen"].width
        return content.replace(told.rjust(width, "0").encode(), wrong.rjust(width, "0").encode(), 1)
    sign = layout.separator
    return _resealed(layout, content.replace(f"{sign}{told}{sign}".encode(), f"{sign}{wrong}{sign}".encode(), 1))


def _resealed(layout: Layout, content: bytes) -> bytes:
    import hashlib

    if layout.layout != "separated":
        return content
    ending = layout.line_ending.encode()
    body, _, trailer = content[: -len(ending)].rpartition(ending)
    parts = trailer.decode(layout.encoding).split(layout.separator)
    parts[-1] = hashlib.sha256(body + ending).hexdigest()
    return body + ending + layout.separator.join(parts).encode(layout.encoding) + ending


def _encoded(layout: Layout, reply: Reply, content: bytes) -> bytes:
    return content.decode(layout.encoding).encode("utf-16")


def _cut(layout: Layout, reply: Reply, content: bytes) -> bytes:
    return content[: len(content) // 2]
