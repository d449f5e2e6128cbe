"""Overpayments become recoveries, by two people, withheld under a limit; money that came back is booked again (PAY-06, PAY-10, LED-01)."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from huimin.comparison.commands import compare_month
from huimin.database.bulk import fetch, fetch_one, run
from huimin.database.context import declare
from huimin.demo.actors import actor
from huimin.demo.paying import finance, releasers
from huimin.funds.commands import reserve_funding, transfer_funding
from huimin.funds.models import SpecialAccount
from huimin.kernel.bankfile import read_format, write_file
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import quarter
from huimin.ledger.models import Voucher
from huimin.ledger.sources import checked
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment import commands
from huimin.payment.commands.matching import copy_answer
from huimin.payment.commands.recoveries import MoreThanOwed
from huimin.payment.commands.statements import leave_out_known
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Batch, Due, Instruction, PaymentException, Rebooking, Recovery, Roster, RosterLine
from huimin.payment.papers.recoveries import letter_of
from huimin.payment.quarter_proof import prove_quarter
from huimin.payment.recovery_queries import get_recovery
from huimin.payment.recovery_rules import propose_share, settle_share
from tests.workbench.people import client_of
from tests.workbench.test_books import sent

DIBAO = "dibao-rural"
NOW, NEXT = date(2021, 10, 12), quarter(2021, 4)
SHARE = 20


def civil(post: Post) -> Actor:
    return actor(post, OfficeKind.CIVIL_AFFAIRS)


def maintained(statement: str, values: list[Any]) -> int:
    return run(statement, values, using="maintenance")


class Story:
    """A township that paid its quarter; one household of it drew too much, another died in July."""

    def __init__(self) -> None:
        with reading(finance()):
            self.township = fetch_one(
                "SELECT left(division, 9) || '000' FROM payment_rosterline WHERE programme = 'dibao-rural' AND state = 'paid'"
                " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
            )[0]
            # Both with an account and paid in full; the first lives on alone or with others, the second was alone.
            rows = fetch(
                "SELECT l.entitlement_id, l.household_id, e.amount_fen, l.division FROM payment_rosterline l"
                " JOIN casework_entitlement e ON e.id = l.entitlement_id WHERE l.programme = %s AND l.state = 'paid'"
                " AND left(l.division, 9) = left(%s, 9) AND e.amount_fen > 9000 AND l.replaces_id IS NULL"
                " AND (SELECT count(*) FROM payment_linedue x WHERE x.line_id = l.id) = 3 ORDER BY e.people, l.id",
                [DIBAO, self.township],
            )
        self.dead, self.cut, self.other = rows[0], rows[-1], rows[-2]
        self.fen = self.cut[2] // 3
        maintained(
            "UPDATE casework_entitlement SET amount_fen = amount_fen - %s WHERE id = %s", [self.fen, self.cut[0]]
        )
        maintained(
            "UPDATE registry_personfacts f SET death_date = '2021-07-10' FROM registry_membership m WHERE m.household_id = %s"
            " AND m.recorded_to IS NULL AND f.person_id = m.person_id AND f.recorded_to IS NULL",
            [self.dead[1]],
        )

    @property
    def clerk(self) -> Actor:
        return actor(Post.CLERK, self.township)

    def recovery(self, household: int) -> Recovery:
        with reading(finance()):
            return Recovery.objects.get(household=household)

    def line(self, roster: Roster) -> RosterLine:
        with reading(finance()):
            return RosterLine.objects.get(roster=roster, entitlement=self.cut[0])

    def compiled(self) -> Roster:
        return commands.compile_roster(by=self.clerk, on=NOW, programme=DIBAO, division=self.township, period=NEXT)


def balance(code: str) -> int:
    with reading(finance()):
        return int(
            fetch_one(
                "SELECT coalesce(sum(t.debit_fen - t.credit_fen), 0) FROM ledger_turnover t JOIN ledger_ledgeraccount a"
                " ON a.id = t.account_id AND a.code = %s",
                [code],
            )[0]
        )


@pytest.fixture(scope="module")
def story(shared_county: Callable[[str], str]) -> Iterator[Story]:
    shared_county("reissued")
    yield Story()


def test_overpayments_are_found_in_sets_and_decided_by_another(story: Story) -> None:
    """PAY-06: a death and a change back in time; once; in the books when decided; refused to the wrong."""
    assert commands.propose_recoveries(by=civil(Post.DEPARTMENT_OFFICER), on=NOW, programme=DIBAO) == 2
    assert commands.propose_recoveries(by=civil(Post.DEPARTMENT_OFFICER), on=NOW, programme=DIBAO) == 0
    dead, cut = story.recovery(story.dead[1]), story.recovery(story.cut[1])
    assert (dead.ground, dead.amount_fen, cut.amount_fen) == ("death", 2 * story.dead[2], 3 * story.fen)
    with reading(finance()):
        told = get_recovery(dead.pk)
        assert [(each.period_from.month, each.owed_fen) for each in told.parts] == [(8, 0), (9, 0)]
    asked = {"on": NOW, "numbers": [dead.pk, cut.pk], "agreed": True, "reason": "已核实死亡证明和更正"}
    for wrong, refusal in ((civil(Post.DEPARTMENT_OFFICER), NotYourPost), (finance(), NotYourPost)):
        with pytest.raises(refusal):
            commands.decide_recoveries(by=wrong, **asked)
    with pytest.raises(BadInput):
        commands.decide_recoveries(by=civil(Post.DEPARTMENT_APPROVER), **asked | {"reason": " "})
    spent = balance("5001")
    assert commands.decide_recoveries(by=civil(Post.DEPARTMENT_APPROVER), **asked) == 2
    assert balance("1021") == dead.amount_fen + cut.amount_fen == spent - balance("5001")
    with pytest.raises(AlreadyDone):
        commands.decide_recoveries(by=civil(Post.DEPARTMENT_APPROVER), **asked)
    with reading(by := civil(Post.DEPARTMENT_APPROVER)):
        letter, heirs = letter_of(by, NOW, get_recovery(cut.pk)), letter_of(by, NOW, get_recovery(dead.pk))
    assert letter["title"] == "追缴通知书" and len(letter["parts"][0][1]) == 3 and "贷款" in letter["rights"]
    # Without a share it says where to pay in cash; after the last of a household died it goes to his heirs.
    assert (
        "县里没有规定抵扣比例" in letter["rights"]
        and "尾号" in letter["parts"][2][1][0]
        and len(letter["parts"][2][1]) == 1
    )
    assert heirs["name"].endswith("（已故）户的继承人或代办人") and "村级信息员" in dict(heirs["parts"])["送达"][0]
    assert "抵扣" not in heirs["rights"].replace("抵扣贷款", "") and "您" not in heirs["opening"]


def test_it_is_withheld_under_the_limit_once_told_and_the_county_set_a_share(story: Story) -> None:
    """PAY-06, PAY-10: nothing without a rule, nothing before the letter; then a share, from the same programme; freed again."""
    commands.accrue_dues(by=civil(Post.DEPARTMENT_OFFICER), on=NOW, programme=DIBAO, period=NEXT)
    first = story.compiled()
    assert story.line(first).withheld_fen == 0
    commands.withdraw_roster(by=story.clerk, on=NOW, roster_id=first.pk)
    with pytest.raises(BadInput):
        propose_share(by=civil(Post.DEPARTMENT_OFFICER), on=NOW, share_percent=51, basis="县里的文件（测试）")
    rule = propose_share(by=civil(Post.DEPARTMENT_OFFICER), on=NOW, share_percent=SHARE, basis="县里的文件（测试）")
    settle_share(by=civil(Post.DEPARTMENT_APPROVER), on=NOW, number=rule.pk, agreed=True)
    cut = story.recovery(story.cut[1])
    second = story.compiled()
    assert story.line(second).withheld_fen == 0
    commands.withdraw_roster(by=story.clerk, on=NOW, roster_id=second.pk)
    with pytest.raises(BadInput):
        commands.record_told(by=story.clerk, on=NOW, number=cut.pk, told_on=date(2021, 10, 1), how="当面送达")
    commands.record_told(by=story.clerk, on=NOW, number=cut.pk, told_on=NOW, how="当面送达，本人签收")
    roster = story.compiled()
    line = story.line(roster)
    gross = line.amount_fen + line.withheld_fen
    assert line.withheld_fen == min(cut.amount_fen, gross * SHARE // 100) > 0
    assert story.recovery(story.cut[1]).withheld_fen == line.withheld_fen
    commands.withdraw_roster(by=story.clerk, on=NOW, roster_id=roster.pk)
    assert story.recovery(story.cut[1]).withheld_fen == 0
    last = story.compiled()
    assert story.line(last).withheld_fen == line.withheld_fen
    assert last.amount_fen == sum_of(last)
    browser = client_of(Post.CLERK, story.township)
    assert "已抵扣" in browser.get(f"/rosters/{last.pk}/?village={line.division[:12]}").content.decode()
    assert browser.get(f"/recoveries/{cut.pk}/pdf/").content[:5] == b"%PDF-"
    with reading(by := story.clerk):
        letter = letter_of(by, NOW, get_recovery(cut.pk))
    assert f"不超过当次应发的 {SHARE}%" in letter["parts"][2][1][1] and "按上面的比例" in letter["rights"]
    booked = client_of(Post.ACCOUNTANT, OfficeKind.FINANCE).get(f"/recoveries/{cut.pk}/").content.decode()
    assert "/ledger/vouchers/" in booked and "追回" in booked
    said = sent(client_of(Post.SETTLEMENT, story.township), f"/recoveries/{cut.pk}/receipt/", {})
    assert "请填写交款金额" in said and "填 0" not in said
    with reading(finance()):
        held = Due.objects.get(recovery=cut.pk, state="owed").pk
    assert "按县里确定的比例扣回" in browser.get(f"/owed/{held}/").content.decode()
    seen = browser.get(f"/recoveries/{cut.pk}/").content.decode()
    assert "还差" in seen and len(set(re.findall(r'href="(/owed/\d+/)">2021年', seen))) == 3 + 1, (
        "the paid months, and what was withheld"
    )
    assert "抵扣比例" in browser.get("/recoveries/").content.decode()


def sum_of(roster: Roster) -> int:
    with reading(finance()):
        return int(
            fetch_one(
                "SELECT sum(CASE d.kind WHEN 'recovery' THEN -d.amount_fen ELSE d.amount_fen END)::bigint FROM payment_linedue x"
                " JOIN payment_due d ON d.id = x.due_id JOIN payment_rosterline l ON l.id = x.line_id WHERE l.roster_id = %s AND x.live",
                [roster.pk],
            )[0]
        )


def test_nothing_else_is_ever_withheld_whoever_writes(story: Story) -> None:
    """PAY-10: another's debt, another programme, more than is left, a due without a recovery: refused by the database."""
    cut = story.recovery(story.cut[1])
    add = (
        "INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state, rule,"
        " recovery_id) VALUES (%s, %s, %s, '2021-10-01', '2022-01-01', 'recovery', 1, %s, 'owed', '', %s)"
    )
    wrong = [
        (story.other[0], DIBAO, 100, cut.pk), (story.cut[0], "grain-one-off", 100, cut.pk), (story.cut[0], DIBAO, cut.amount_fen, cut.pk),
        (story.cut[0], DIBAO, 100, None),
    ]  # fmt: skip
    for entitlement, programme, fen, recovery in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            declare(finance().scope())
            run(add, [entitlement, story.cut[3], programme, fen, recovery])


def paid_through(story: Story, roster: Roster) -> Batch:
    """The roster through notice, signatures, money and the bank; every line credited."""
    step, there = NOW + timedelta(days=9), {"roster_id": roster.pk}
    commands.publish_roster(by=actor(Post.REVIEWER, story.township), on=NOW, **there)
    commands.sign_roster(by=actor(Post.TOWNSHIP_HEAD, story.township), on=step, **there)
    commands.confirm_by_department(by=civil(Post.DEPARTMENT_APPROVER), on=step, **there)
    commands.confirm_by_finance(by=finance(), on=step, **there)
    application = commands.apply_for_funds(by=actor(Post.SETTLEMENT, story.township), on=step, **there)
    assert application.amount_fen == roster.amount_fen
    reserve_funding(by=finance(), on=step, application_ids=[application.pk])
    transfer_funding(by=releasers()[0], on=step, application_ids=[application.pk])
    maintained(
        "UPDATE funds_fundingapplication SET state = 'transferred', transferred_on = %s WHERE id = %s",
        [step, application.pk],
    )
    from huimin.ledger.commands import post_event
    from huimin.organisation.acting import command

    @command(Post.FINANCE_OFFICER)
    def fund(*, by: Actor) -> None:
        post_event(by=by, on=step, division=story.township, event=Voucher.Event.FUNDS_RECEIVED, subject=f"application:{application.pk}",
                   summary="测试", amount_fen=roster.amount_fen, programme=DIBAO)  # fmt: skip

    fund(by=finance())
    made = commands.prepare_batch(by=actor(Post.SETTLEMENT, story.township), on=step, **there)
    commands.release_batch(by=releasers()[0], on=step, batch_id=made.pk)
    return made


def answer(batch: Batch, number: int, rows: list[Instruction], state: str, on: date) -> None:
    """The bank's answer: these rows credited (S) or come back (F)."""
    with reading(finance()):
        batch = Batch.objects.get(pk=batch.pk)
    fen = sum(each.amount_fen for each in rows)
    sums = {f"{name}_{what}": 0 for name in ("paid", "failed", "pending") for what in ("count", "fen")}
    name = {"S": "paid", "F": "failed"}[state]
    header = {
        "batch_no": batch.batch_no, "answer_no": number, "business_date": on, "rows_count": len(rows), "amount_fen": fen, **sums,
        f"{name}_count": len(rows), f"{name}_fen": fen, "order_sha256": batch.file_sha256, "format_version": "1.0",
    }  # fmt: skip
    told = [
        {"sequence": each.sequence, "row_id": str(each.line_id), "row_amount_fen": each.amount_fen, "row_state": state,
         "failure_code": "F05" if state == "F" else None, "failure_reason": "已销户" if state == "F" else None,
         "booked_on": on if state == "S" else None, "bank_serial": f"T{each.pk}" if state == "S" else None}
        for each in rows
    ]  # fmt: skip
    data = write_file(read_format(settings.BATCH_FORMAT_FILE), "payment_answer", header, told)
    commands.take_result(by=finance(), on=on, data=data, file_name=f"DFR_{batch.batch_no}_{number}.txt")


def instructions(batch: Batch) -> list[Instruction]:
    with reading(finance()):
        return list(Instruction.objects.filter(batch=batch).order_by("sequence"))


def test_what_was_withheld_leaves_the_receivable_when_paid_and_books_bank_and_roster_agree(
    story: Story, tmp_path: Path
) -> None:
    """LED-03, PAY-06: net amounts on the line; money back after it was paid is booked, open again, and paid once more at most."""
    with reading(finance()):
        roster = Roster.objects.filter(period_from=NEXT.start).exclude(state="withdrawn").get()
    owed, line = balance("1021"), story.line(roster)
    batch = paid_through(story, roster)
    commands.write_batch_files(by=releasers()[0], on=NOW + timedelta(days=9), folder=tmp_path)
    paid_on = NOW + timedelta(days=10)
    answer(batch, 1, instructions(batch), "S", paid_on)
    assert balance("1021") == owed - line.withheld_fen
    with reading(finance()):
        assert Due.objects.get(recovery=story.recovery(story.cut[1]).pk, state="paid").amount_fen == line.withheld_fen
        assert not prove_quarter("341524", 2021, 4).count
        transaction.set_rollback(True)
    _compared(story, roster)
    mine = [each for each in instructions(batch) if each.line_id == line.pk]
    back_on = paid_on + timedelta(days=3)
    answer(batch, 2, mine, "F", back_on)
    came_back(story, batch, line, mine[0], back_on)


def _compared(story: Story, roster: Roster) -> None:
    """VER-04: what was withheld is taken off what is approved, too; approvals, list and bank agree."""
    day = date(2021, 12, 20)
    made = compare_month(by=story.clerk, on=day, division=story.township, month=date(2021, 12, 1))
    with reading(story.clerk):
        told = set(made.differences.filter(programme=DIBAO).values_list("kind", flat=True))
    assert told <= {"missing"} and made.paid_fen == made.listed_fen == roster.amount_fen


def came_back(story: Story, batch: Batch, line: RosterLine, instruction: Instruction, on: date) -> None:
    """E05: entered by one, confirmed by another, once; the due open, the books and the receivable as before."""
    with reading(finance()):
        exception = PaymentException.objects.get(kind="reversed", line=line)
    money, spent, owed = balance("1002"), balance("5001"), balance("1021")
    asked = {"on": on, "number": exception.pk, "came_back_on": on, "basis": "银行回单 R-1（测试）"}
    with pytest.raises(NotYourPost):
        commands.propose_rebooking(by=actor(Post.SETTLEMENT, story.township), **asked)
    with pytest.raises(BadInput):
        commands.propose_rebooking(by=finance(), **asked | {"came_back_on": date(2021, 10, 1)})
    row = commands.propose_rebooking(by=finance(), **asked)
    with pytest.raises(AlreadyDone):
        commands.propose_rebooking(by=finance(), **asked)
    assert client_of(Post.ACCOUNTANT, OfficeKind.FINANCE).get("/exceptions/?kind=reversed").status_code == 200
    accountant = finance(Post.ACCOUNTANT)
    commands.settle_rebooking(by=accountant, on=on, number=row.pk, agreed=True)
    with pytest.raises(AlreadyDone):
        commands.settle_rebooking(by=accountant, on=on, number=row.pk, agreed=True)
    assert balance("1002") == money + line.amount_fen
    assert balance("5001") == spent - line.amount_fen - line.withheld_fen
    assert balance("1021") == owed + line.withheld_fen
    with reading(finance()):
        assert {each.state for each in Due.objects.filter(line_dues__line=line)} == {"owed"}
        assert RosterLine.objects.get(pk=line.pk).state == "returned"
        assert PaymentException.objects.filter(line=line, kind="returned", state="open").count() == 1
        assert Rebooking.objects.get(pk=row.pk).state == "confirmed"
        proved = prove_quarter("341524", 2021, 4)
        assert proved.differences == []
        subjects = ("recovery", "receipt", "offset", "rebooking")
        posted = [v for v in Voucher.objects.order_by("id") if v.subject.split(":")[0] in subjects]
        assert {v.event for v in posted} >= {"recovery_raised", "recovery_offset", "paid_back"}
        assert set(checked(posted).values()) == {""}
        transaction.set_rollback(True)
    reissued_once(story, line, instruction, on)


def reissued_once(story: Story, line: RosterLine, instruction: Instruction, on: date) -> None:
    """The line's account is another than it was sent to; the reissue names what it replaces, its money pays the same dues."""
    maintained("UPDATE registry_card SET state = 'closed', recorded_to = now() WHERE id = %s", [line.card_id])
    maintained(
        "INSERT INTO registry_card SELECT (jsonb_populate_record(c, jsonb_build_object('id', (SELECT max(id) + 1 FROM registry_card),"
        " 'account_hash', '\\x00ff', 'state', 'active', 'recorded_to', NULL))).* FROM registry_card c WHERE c.id = %s",
        [line.card_id],
    )
    settlement = actor(Post.SETTLEMENT, story.township)
    new = commands.reissue_returned(by=settlement, on=on, roster_id=line.roster_id)
    made = commands.prepare_batch(by=settlement, on=on, roster_id=new.pk)
    commands.release_batch(by=releasers()[0], on=on, batch_id=made.pk)
    with reading(finance()):
        again = new.lines.get()
        assert again.replaces_id == line.pk and again.card_id != line.card_id
        assert (again.amount_fen, again.withheld_fen) == (line.amount_fen, line.withheld_fen)
    # At most one live instruction pays a due, whoever writes: the old one cannot come to life again.
    with pytest.raises(IntegrityError, match="another instruction"):
        maintained("UPDATE payment_instruction SET state = 'paid' WHERE id = %s", [instruction.pk])


def test_paid_back_or_written_off_by_two_and_never_more_than_is_left(story: Story) -> None:
    """PAY-06, LED-01: a receipt by the bank's number once; a write-off by a document; settled at the end."""
    dead, on = story.recovery(story.dead[1]), date(2021, 11, 2)
    enter = {"on": on, "number": dead.pk, "paid_on": on, "bank_serial": "R-77"}
    with pytest.raises(MoreThanOwed):
        commands.enter_receipt(by=finance(), amount_fen=dead.amount_fen + 1, **enter)
    receipt = commands.enter_receipt(by=finance(), amount_fen=5000, **enter)
    with pytest.raises(AlreadyDone):
        commands.enter_receipt(by=finance(), amount_fen=100, **enter)
    with pytest.raises(NotYourPost):
        commands.settle_receipt(by=finance(), on=on, number=receipt.pk, agreed=True)
    money = balance("1002")
    commands.settle_receipt(by=finance(Post.ACCOUNTANT), on=on, number=receipt.pk, agreed=True)
    assert balance("1002") == money + 5000
    known_on_a_statement(dead)
    with pytest.raises(WrongState) as refused:
        commands.close_exception(by=finance(), on=on, number=story_exception(story), resolution="不")
    assert refused
    asked = {"on": on, "number": dead.pk, "reason": "全户无人，无遗产", "document_no": "县政府〔2021〕77号（测试）"}
    with pytest.raises(BadInput):
        commands.propose_write_off(by=civil(Post.DEPARTMENT_APPROVER), amount_fen=100, **asked | {"document_no": ""})
    with pytest.raises(NotYourPost):
        commands.propose_write_off(by=civil(Post.DEPARTMENT_OFFICER), amount_fen=100, **asked)
    left = dead.amount_fen - 5000
    row = commands.propose_write_off(by=civil(Post.DEPARTMENT_APPROVER), amount_fen=left, **asked)
    with pytest.raises(NotYourPost):
        commands.settle_write_off(by=civil(Post.DEPARTMENT_APPROVER), on=on, number=row.pk, agreed=True)
    commands.settle_write_off(by=releasers()[0], on=on, number=row.pk, agreed=True)
    done = story.recovery(story.dead[1])
    assert (done.state, done.outstanding_fen, balance("5003")) == ("settled", 0, left)
    browser = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    assert "县政府〔2021〕77号" in browser.get(f"/recoveries/{dead.pk}/").content.decode()
    for address in ("/recoveries/", "/recoveries/waiting/", "/recoveries/shares/"):
        assert browser.get(address).status_code == 200


def known_on_a_statement(recovery: Recovery) -> None:
    """FUND-04: the entry on the bank's statement is explained by the receipt; another slip of the same amount is not."""
    rows = [{"row_state": "C", "row_amount_fen": 5000, "bank_serial": serial} for serial in ("R-77", "R-78")]
    with reading(finance()):
        account = SpecialAccount.objects.get(division=recovery.books, kind="special")
        copy_answer([rows])
        leave_out_known(account)
        assert fetch("SELECT serial FROM answer") == [("R-78",)]


def story_exception(story: Story) -> int:
    with reading(finance()):
        return int(
            PaymentException.objects.filter(kind="returned", state="open")
            .order_by("-id")
            .values_list("pk", flat=True)[0]
        )


def test_nobody_decides_what_he_proposed(story: Story) -> None:
    """SEC-02: by the database, too."""
    cut = story.recovery(story.cut[1])
    with pytest.raises(IntegrityError):
        maintained("UPDATE payment_recovery SET decided_by = proposed_by WHERE id = %s", [cut.pk])
    assert SamePerson
