"""The quarter as one story: from the registry to the card and into the books, every difference 0.

ORG-01 ORG-02 REG-01 REG-04 POL-01 DET-01 CASE-06 PAY-01 PAY-02 PAY-03 PAY-04 PAY-05 PAY-06 PAY-08 FUND-01 FUND-02
FUND-03 LED-01 SEC-02 SEC-03 SEC-05 SEC-07
"""

import json
from collections.abc import Callable
from pathlib import Path

from huimin.audit.models import Event
from huimin.audit.verifying import verify
from huimin.database.bulk import fetch, fetch_one
from huimin.demo.granting import county_officer
from huimin.demo.proof import prove
from huimin.demo.quarter import STEPS
from huimin.demo.quarter import County as Place
from huimin.demo.recount import compare
from huimin.demo.report import counted, write_summary
from huimin.organisation.acting import reading
from tests.stages import PEOPLE, SEED, Stages

At = Callable[[str], str]

KEYS = {
    "people", "households", "divisions", "proposals", "entitlements", "roster_lines", "roster_fen", "sent_lines",
    "paid_lines", "paid_fen", "returned_lines", "reissued_lines", "exceptions", "refusals", "ledger_difference_fen",
    "bank_difference_fen", "audit_ok", "seconds",
}  # fmt: skip


def test_the_quarter_ends_with_every_difference_zero(county: At, stages: Stages, tmp_path: Path) -> None:
    """LED-01, PAY-05: recounted from files, the bank's books and plain SQL; papers written; no plain number anywhere."""
    county("closed")
    place = Place(people=PEOPLE, seed=SEED, home=stages.files("closed", tmp_path / "county"))
    proof = prove(place, tmp_path / "out")
    assert [c for c in proof.comparisons if c.difference] == []
    assert proof.audit_ok, proof.audit_line
    assert proof.scan_ok, proof.scan_line
    summary = write_summary(tmp_path / "out", proof.figures, proof.comparisons, {**proof.as_figures(), "seconds": {}})
    assert set(summary) >= KEYS
    assert summary["paid_lines"] > 0 < summary["reissued_lines"]
    assert (summary["ledger_difference_fen"], summary["bank_difference_fen"]) == (0, 0)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["paid_fen"] == summary["paid_fen"]


def test_running_every_step_again_changes_no_figure(county: At, stages: Stages, tmp_path: Path) -> None:
    """The demonstration run twice gives the same figures; a repeated command never doubles its effect."""
    county("closed")
    place = Place(people=PEOPLE, seed=SEED, home=stages.files("closed", tmp_path / "county"))
    before = counted()
    for step in STEPS:
        step.run(place)
    after = counted()
    before.pop("changes_recorded"), after.pop("changes_recorded")
    assert after == before
    assert [c for c in compare(place) if c.difference] == []


def test_a_half_finished_quarter_is_completed(county: At, stages: Stages, tmp_path: Path) -> None:
    """Running over a half-finished one from the start completes it."""
    county("confirmed")
    place = Place(people=PEOPLE, seed=SEED, home=stages.files("confirmed", tmp_path / "county"))
    for step in STEPS:
        step.run(place)
    assert [c for c in compare(place) if c.difference] == []
    assert counted()["paid_lines"] > 0


def test_acts_that_must_be_refused_were_refused_and_are_remembered(county: At) -> None:
    """SEC-02, SEC-05: wrong post, wrong township, the preparer, an early signature, an open objection."""
    county("closed")
    with reading(county_officer()):
        seen = {
            (subject, detail["obstacle"])
            for subject, detail in Event.objects.filter(kind="refused").values_list("subject", "detail")
        }
    assert seen >= {
        ("decide_proposals", "NotYourPost"), ("decide_proposals", "NotYourProgramme"),
        ("decide_proposals", "StillUnknown"), ("compile_roster", "NotYourPlace"), ("sign_roster", "NoticeStillOpen"),
        ("sign_roster", "ObjectionOpen"), ("release_batch", "SamePerson"), ("release_batch", "NotYourPost"),
        ("release_batch", "AlreadyDone"), ("approve_card_correction", "NotYourPost"),
    }  # fmt: skip


def test_every_payment_has_its_whole_chain(county: At) -> None:
    """SEC-07: decision, ended notice, three signatures, release by another, for each paid line."""
    county("closed")
    with reading(county_officer()):
        paid, complete = fetch_one(
            """
            SELECT count(*), count(*) FILTER (WHERE d.outcome = 'granted' AND n.state = 'ended'
                   AND r.signed_by IS NOT NULL AND r.department_by IS NOT NULL AND r.finance_by IS NOT NULL
                   AND b.released_by <> b.prepared_by AND s.content_digest = b.digest)
            FROM payment_instruction i JOIN payment_rosterline l ON l.id = i.line_id JOIN payment_roster r ON r.id = l.roster_id
            JOIN payment_batch b ON b.id = i.batch_id JOIN audit_signature s ON s.id = b.signature_id
            JOIN casework_entitlement e ON e.id = l.entitlement_id JOIN casework_decision d ON d.id = e.decision_id
            JOIN notices_noticerow w ON w.subject_line = coalesce(l.noticed_id, l.id) JOIN notices_notice n ON n.id = w.notice_id
            WHERE i.state = 'paid'
            """
        )
        upheld = fetch("SELECT l.state FROM payment_rosterline l JOIN notices_noticerow w ON w.subject_line = l.id"
                       " JOIN notices_objection o ON o.row_id = w.id WHERE o.state = 'upheld'")  # fmt: skip
    assert paid == complete > 0
    assert {state for (state,) in upheld} == {"withheld"}


def test_the_log_of_the_whole_quarter_verifies(county: At) -> None:
    """SEC-05."""
    county("closed")
    report = verify()
    assert report.ok, report.lines()
    assert report.sealed_records > 1000
