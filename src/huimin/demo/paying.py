"""Money: allotments, applications, transfers, batches, the bank's answers, corrections and reissues.

The bank is a program of its own (demo.bank). Every act is done by its post; the acts that must be refused are tried.
"""

from datetime import date

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.bank import answers, bank, outbox, run_bank
from huimin.demo.clock import business_day
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.listing import rosters, townships
from huimin.demo.quarter import County, Figures
from huimin.demo.refusing import must_refuse
from huimin.funds.commands import (
    open_special_accounts,
    reserve_funding,
    take_transfer_answer,
    transfer_funding,
    write_transfer_orders,
)
from huimin.funds.indicators import decide_allotments, receive_allotment
from huimin.funds.models import FundingApplication, SpecialAccount
from huimin.ledger.commands import open_books
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import (
    apply_for_funds,
    prepare_batch,
    reissue_returned,
    release_batch,
    take_result,
    write_batch_files,
)
from huimin.payment.models import Batch, Roster

# Invented accounts of the sample county: the treasury's, and one special account a township (last digits its code).
TREASURY_ACCOUNT = "6299980341524000001"
TREASURY_NAME = "金寨县财政局（演示）"
ALLOTTED_FEN = {
    "dibao-rural": 150_000,
    "grain-one-off": 8_000,
    "reservoir-migrant": 20_000,
}  # 分 a person of the county


def finance(post: Post = Post.FINANCE_OFFICER) -> Actor:
    return actor(post, OfficeKind.FINANCE)


def fund(county: County) -> Figures:
    """Accounts opened, allotments received, every confirmed roster applied for, reserved, transferred, confirmed."""
    _open_accounts(county)
    _receive_allotments(county)
    business_day(dates.APPLIED)
    for roster in rosters(Roster.State.CONFIRMED):
        if roster.application_id is None:
            apply_for_funds(by=actor(Post.SETTLEMENT, roster.division), on=dates.APPLIED, roster_id=roster.pk)
    business_day(dates.RESERVED)
    if waiting := _applications(FundingApplication.State.APPLIED):
        reserve_funding(by=finance(), on=dates.RESERVED, application_ids=waiting)
    business_day(dates.TRANSFERRED)
    if waiting := _applications(FundingApplication.State.RESERVED):
        transfer_funding(by=finance(Post.FINANCE_RELEASER), on=dates.TRANSFERRED, application_ids=waiting)
    _let_the_bank_transfer(county)
    return _funding_figures()


def _open_accounts(county: County) -> None:
    business_day(dates.ALLOTTED)
    office = actor(Post.BANK_OPERATOR, OfficeKind.BANK).office
    with reading(county_officer()):
        names = dict(fetch("SELECT code, name FROM divisions_division WHERE level = 9 AND code LIKE '341524%%'"))
    rows = [(county.code, SpecialAccount.Kind.TREASURY, TREASURY_NAME, TREASURY_ACCOUNT, office)]
    for township in townships():
        account = "62999803415" + township[4:12]
        name = f"{names[township]}惠民资金专户"
        rows.append((township, SpecialAccount.Kind.SPECIAL, name, account, office))
    open_special_accounts(by=finance(), on=dates.ALLOTTED, rows=rows)
    with reading(finance()):
        open_books(by=finance(), on=dates.ALLOTTED, divisions=townships())
    path = county.home / "bank" / "special-accounts.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("account,name,id_number,state,kind,opening_fen\n")
        for _, kind, name, account, _ in rows:
            opening = county.people * 1_000_000 if kind == SpecialAccount.Kind.TREASURY else 0
            file.write(f"{account},{name},,normal,{kind},{opening}\n")
    bank(county, "open-accounts", county.home / "bank" / "accounts.csv")
    bank(county, "open-accounts", path)


def _receive_allotments(county: County) -> None:
    """The province's documents, registered by one person and confirmed by another."""
    names = {"dibao-rural": "1号", "grain-one-off": "2号", "reservoir-migrant": "3号"}
    received = [
        receive_allotment(
            by=finance(), on=dates.ALLOTTED, division=county.code, programme=programme, year=2021,
            document_no=f"演示指标〔2021〕{names[programme]}", amount_fen=ALLOTTED_FEN[programme] * county.people,
        ).pk
        for programme in DEPARTMENTS
    ]  # fmt: skip
    decide_allotments(by=finance(Post.FINANCE_RELEASER), on=dates.ALLOTTED, allotment_ids=received)


def _applications(state: str) -> list[int]:
    with reading(finance()):
        return list(FundingApplication.objects.filter(state=state, transfer_no="").values_list("pk", flat=True))


def _let_the_bank_transfer(county: County) -> None:
    write_transfer_orders(by=finance(Post.FINANCE_RELEASER), on=dates.TRANSFERRED, folder=outbox(county))
    run_bank(county, dates.TRANSFERRED)
    for path in answers(county, "ZJR_"):
        take_transfer_answer(by=finance(), on=dates.TRANSFERRED, path=path)


def _funding_figures() -> Figures:
    with reading(finance()):
        count, amount, open_ = fetch_one(
            "SELECT count(*), coalesce(sum(amount_fen), 0)::bigint, count(*) FILTER (WHERE state <> 'transferred')"
            " FROM funds_fundingapplication WHERE state <> 'withdrawn'"
        )
    return {"applications": count, "amount_fen": amount, "not_yet_transferred": open_}


def prepare(county: County) -> Figures:
    """Each township's settlement officer makes the batch; one is made at the county by a releaser."""
    business_day(dates.PREPARED)
    releaser = finance(Post.FINANCE_RELEASER)
    waiting = rosters(Roster.State.CONFIRMED, Roster.State.FUNDED)
    for roster in waiting:
        if _has_batch(roster):
            continue
        by = releaser if _is_first(roster) else actor(Post.SETTLEMENT, roster.division)
        prepare_batch(by=by, on=dates.PREPARED, roster_id=roster.pk)
    return batch_figures()


def _has_batch(roster: Roster) -> bool:
    with reading(finance()):
        return Batch.objects.filter(roster=roster).exclude(state__in=["cancelled", "rejected"]).exists()


def _is_first(roster: Roster) -> bool:
    return roster.pk == rosters()[0].pk


def batch_figures() -> Figures:
    with reading(finance()):
        count, lines, amount = fetch_one(
            "SELECT count(*), coalesce(sum(lines_count), 0)::int, coalesce(sum(amount_fen), 0)::bigint"
            " FROM payment_batch WHERE state <> 'cancelled'"
        )
    return {"batches": count, "lines": lines, "amount_fen": amount}


def release(county: County) -> Figures:
    """Released by another person than the preparer; the preparer and the wrong post are refused."""
    business_day(dates.RELEASED)
    releaser, other = releasers()
    for batch in _batches(Batch.State.PREPARED):
        if batch.prepared_by == releaser.appointment:
            must_refuse(release_batch, SamePerson, by=releaser, on=dates.RELEASED, batch_id=batch.pk)
            must_refuse(
                release_batch, NotYourPost, by=actor(Post.SETTLEMENT, batch.division), on=dates.RELEASED,
                batch_id=batch.pk,
            )  # fmt: skip
            release_batch(by=other, on=dates.RELEASED, batch_id=batch.pk)
            must_refuse(release_batch, AlreadyDone, by=other, on=dates.RELEASED, batch_id=batch.pk)
        else:
            release_batch(by=releaser, on=dates.RELEASED, batch_id=batch.pk)
    write_batch_files(by=releaser, on=dates.RELEASED, folder=outbox(county))
    with reading(finance()):
        count = fetch_one("SELECT count(*) FROM payment_instruction WHERE state <> 'cancelled'")[0]
    return batch_figures() | {"instructions": count}


def releasers() -> tuple[Actor, Actor]:
    """The two people of county finance who may release."""
    return finance(Post.FINANCE_RELEASER), actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE, other=1)


def _batches(*states: str) -> list[Batch]:
    with reading(finance()):
        return list(Batch.objects.filter(state__in=states).order_by("pk"))


def answer(county: County) -> Figures:
    """The bank works, its answers are taken; what it was still working on is answered the day after."""
    business_day(dates.RESULTS)
    run_bank(county, dates.RELEASED)
    take_answers(county, dates.RESULTS)
    business_day(dates.LATE_RESULTS)
    bank(county, "settle", "--date", dates.LATE_RESULTS.isoformat())
    run_bank(county, dates.LATE_RESULTS)
    take_answers(county, dates.LATE_RESULTS)
    return result_figures()


def take_answers(county: County, on: date) -> None:
    """Every answer of the bank that lies in the inbox; one that was taken before changes nothing."""
    for path in answers(county, "DFR_") + answers(county, "DFX_"):
        take_result(by=finance(), on=on, data=path.read_bytes(), file_name=path.name)


def result_figures() -> Figures:
    with reading(finance()):
        rows = fetch("SELECT state, count(*), sum(amount_fen)::bigint FROM payment_instruction GROUP BY 1 ORDER BY 1")
        exceptions = fetch_one("SELECT count(*), count(*) FILTER (WHERE state = 'open') FROM payment_paymentexception")
    figures: Figures = {f"{state}_lines": count for state, count, _ in rows}
    figures |= {f"{state}_fen": amount for state, _, amount in rows}
    return figures | {"exceptions": exceptions[0], "open_exceptions": exceptions[1]}


def reissue(county: County) -> Figures:
    """Returned lines with a corrected account go out again, by the same posts and the same gate."""
    business_day(dates.REISSUED)
    for roster in rosters(Roster.State.SENT):
        if _reissuable(roster):
            reissue_returned(by=actor(Post.SETTLEMENT, roster.division), on=dates.REISSUED, roster_id=roster.pk)
    for roster in rosters(Roster.State.FUNDED, kind=Roster.Kind.REISSUE):
        if not _has_batch(roster):
            prepare_batch(by=actor(Post.SETTLEMENT, roster.division), on=dates.REISSUED, roster_id=roster.pk)
    for batch in _batches(Batch.State.PREPARED):
        release_batch(by=finance(Post.FINANCE_RELEASER), on=dates.REISSUED, batch_id=batch.pk)
    write_batch_files(by=finance(Post.FINANCE_RELEASER), on=dates.REISSUED, folder=outbox(county))
    run_bank(county, dates.REISSUED)
    business_day(dates.REISSUE_RESULTS)
    take_answers(county, dates.REISSUE_RESULTS)
    with reading(finance()):
        lines = fetch_one("SELECT count(*) FROM payment_rosterline WHERE replaces_id IS NOT NULL")[0]
    return result_figures() | {"reissued_lines": lines}


def _reissuable(roster: Roster) -> bool:
    """Whether a returned line's holder has another active account than the one that was refused."""
    with reading(finance()):
        return bool(
            fetch(
                "SELECT 1 FROM payment_rosterline l JOIN payment_instruction i ON i.line_id = l.id"
                " JOIN registry_card o ON o.id = l.card_id"
                " JOIN registry_card c ON c.holder_id = l.payee_id AND c.use = o.use AND c.state = 'active'"
                " AND c.recorded_to IS NULL AND c.account_hash <> i.account_hash"
                " WHERE l.roster_id = %s AND l.state = 'returned' AND i.state = 'returned' LIMIT 1",
                [roster.pk],
            )
        )
