"""A roster on paper (单项清册): A4 across, header row on every page, subtotals, places to sign and seal (PAY-01).

Lines stand in the roster's own order, which is by village and group. Withheld lines stay on the list with their reason
and are in no sum of what is to be paid, which alone is written in words. Law: 皖政办〔2008〕23号 附件4 第17–19条.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from huimin.kernel.money import in_words, yuan
from huimin.organisation.acting import Actor
from huimin.payment.papers.listing import Line, Listing, Seat, gather_roster
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable
from huimin.policy.queries import version_words

Row = list[str]


def roster_pdf(*, by: Actor, roster_id: int, village: str = "", mark: str = "") -> bytes:
    """The roster, or its lines of one village, as a PDF to sign and file; WrongState, RosterChanged, NotYourProgramme, TooLong, NoFonts."""
    listing = gather_roster(by=by, roster_id=roster_id, village=village)
    return typeset("roster", _content(listing), on=listing.on, mark=mark)


def _content(listing: Listing) -> dict[str, Any]:
    roster = listing.roster
    return {
        "title": listing.title,
        "issuer": listing.issuer,
        "unit": f"编制单位：{listing.issuer}",
        "period": f"所属期：{listing.period}",
        "number": f"清册编号：{roster.pk}（{roster.get_state_display()}）",
        "rows": list(_rows(listing)),
        "total": _total(listing),
        "seats": [_seat(seat) for seat in listing.seats],
        "version": f"政策版本：{version_words(roster.version)}",
        "digest": f"清册摘要（SHA-256）：{roster.digest}",
        "printed": f"打印日期：{day_in_words(listing.on)}",
    }


def _rows(listing: Listing) -> Iterator[Row]:
    """Rows as the template knows them: ["place", label, subtotal] before its lines, ["line", nine cells]."""
    for village, lines in listing.villages():
        groups = [(code, list(of)) for code, of in groupby(lines, key=lambda line: line.place)]
        name = listing.name_of(village)
        if len(groups) > 1:
            yield _subtotal(name, lines)
        for code, of in groups:
            yield _subtotal(name + (listing.name_of(code) if code != village else ""), of)
            yield from map(_cells, of)


def _cells(line: Line) -> Row:
    return [
        "line", str(line.line_no), line.household_no, wrappable(line.name), line.identity, str(line.people),
        wrappable(line.quantity), yuan(line.amount_fen), line.account_tail, line.standing,
    ]  # fmt: skip


def _subtotal(label: str, lines: list[Line]) -> Row:
    """Of what is to be paid; subtotals add up to it."""
    paid = [line.amount_fen for line in lines if line.counts]
    out = f"，不计缓发、已转重发 {len(lines) - len(paid)} 笔" if len(paid) < len(lines) else ""
    return ["place", f"{label}　小计 {len(paid)} 笔{out}", yuan(sum(paid))]


def _total(listing: Listing) -> str:
    roster = listing.roster
    whole_lines, whole = listing.counted
    name = "本村" if listing.village else "总计"
    total = f"{name} {whole_lines} 笔，¥{yuan(whole)}" + ("" if listing.out else f"（{in_words(whole)}）")
    if listing.village:
        total += f"，为全册 {roster.lines_count} 笔、¥{yuan(roster.amount_fen)} 的一部分"
    if not listing.out:
        return total + "。"
    rest = "".join(f"；其中{label} {lines} 笔，¥{yuan(fen)}" for label, lines, fen in listing.out)
    lines, fen = listing.payable
    return total + rest + f"；应付 {lines} 笔，¥{yuan(fen)}（{in_words(fen)}）。"


def _seat(seat: Seat) -> dict[str, str]:
    return {
        "title": seat.title,
        "who": wrappable(seat.who),
        "office": seat.office,
        "on": day_in_words(seat.on) if seat.on else "",
    }
