"""Everything that changes rosters, batches and payments, in the order of the quarter.

dues       accrue_dues
rosters    compile_roster → publish_roster → sign_roster → confirm_by_department → confirm_by_finance;
           withdraw_roster while it is not signed
findings   check_roster, explain_findings, hold_findings before it is posted; release_hold for a later roster
summaries  compile_summary, sign_summary: every programme of a household on one line
checks     ask_name_check, where the bank's setting demands it
batches    apply_for_funds → (funds room) → prepare_batch → release_batch; cancel_batch
sending    write_batch_files, request_sending, request_fetching
results    take_result (answers, refusals, checks, statements)
settings   propose_bank_setting → decide_bank_setting
reissues   reissue_returned
back       propose_giving_back → confirm_giving_back
rebooking  propose_rebooking → settle_rebooking: money that came back after it was paid
recoveries propose_recoveries → decide_recoveries → record_told; receipts and write-offs, each by two
"""

from huimin.payment.commands.bank_settings import decide_bank_setting, propose_bank_setting
from huimin.payment.commands.batches import (
    apply_for_funds,
    cancel_batch,
    prepare_batch,
    release_batch,
)
from huimin.payment.commands.checks import ask_name_check
from huimin.payment.commands.closing import close_exception
from huimin.payment.commands.dues import accrue_dues
from huimin.payment.commands.findings import check_roster, explain_findings, hold_findings, release_hold
from huimin.payment.commands.giving_back import confirm_giving_back, propose_giving_back
from huimin.payment.commands.rebooking import propose_rebooking, settle_rebooking
from huimin.payment.commands.recoveries import (
    decide_recoveries,
    enter_receipt,
    propose_recoveries,
    propose_write_off,
    record_told,
    settle_receipt,
    settle_write_off,
)
from huimin.payment.commands.reissues import reissue_returned
from huimin.payment.commands.results import take_result
from huimin.payment.commands.rosters import (
    compile_roster,
    confirm_by_department,
    confirm_by_finance,
    publish_roster,
    sign_roster,
    withdraw_roster,
)
from huimin.payment.commands.sending import request_fetching, request_sending, write_batch_files
from huimin.payment.commands.summaries import compile_summary, sign_summary

__all__ = [
    "accrue_dues",
    "apply_for_funds",
    "ask_name_check",
    "cancel_batch",
    "check_roster",
    "close_exception",
    "compile_roster",
    "compile_summary",
    "confirm_by_department",
    "confirm_by_finance",
    "confirm_giving_back",
    "decide_bank_setting",
    "decide_recoveries",
    "enter_receipt",
    "explain_findings",
    "hold_findings",
    "prepare_batch",
    "propose_bank_setting",
    "propose_giving_back",
    "propose_rebooking",
    "propose_recoveries",
    "propose_write_off",
    "publish_roster",
    "record_told",
    "reissue_returned",
    "release_batch",
    "release_hold",
    "request_fetching",
    "request_sending",
    "settle_rebooking",
    "settle_receipt",
    "settle_write_off",
    "sign_roster",
    "sign_summary",
    "take_result",
    "withdraw_roster",
    "write_batch_files",
]
