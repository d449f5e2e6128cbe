"""Everything that changes rosters, batches and payments, in the order of the quarter.

dues       accrue_dues
rosters    compile_roster → publish_roster → sign_roster → confirm_by_department → confirm_by_finance;
           withdraw_roster while it is not signed
batches    apply_for_funds → (funds room) → prepare_batch → release_batch → write_batch_files; cancel_batch
results    take_result
reissues   reissue_returned
"""

from huimin.payment.commands.batches import (
    apply_for_funds,
    cancel_batch,
    prepare_batch,
    release_batch,
    write_batch_files,
)
from huimin.payment.commands.dues import accrue_dues
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

__all__ = [
    "accrue_dues",
    "apply_for_funds",
    "cancel_batch",
    "compile_roster",
    "confirm_by_department",
    "confirm_by_finance",
    "prepare_batch",
    "publish_roster",
    "reissue_returned",
    "release_batch",
    "sign_roster",
    "take_result",
    "withdraw_roster",
    "write_batch_files",
]
