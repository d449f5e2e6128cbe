"""What hangs on a person, and what a merge does with it: one line a column of the database (REG-04).

in    nothing
out   RULES: (table, column) → rule; a test walks the catalogue and finds no column that names a person without one

    moves     what is in force goes to the survivor; what has ended stays and is shown with him
    ends      it ends with the absorbed record, by the rules of the step that does it
    stays     frozen: paid lines, decisions, papers; it names the record it was made for, and is shown with the survivor
    blocks    it must be finished first
    own       a table of this room
"""

RULES: dict[tuple[str, str], str] = {
    ("registry_person", "merged_into_id"): "own",
    ("registry_personfacts", "person_id"): "ends",
    ("registry_membership", "person_id"): "ends",
    ("registry_card", "holder_id"): "moves",
    ("registry_cardauthority", "beneficiary_id"): "moves",
    ("registry_cardauthority", "agent_id"): "moves",
    ("registry_cardcorrection", "holder_id"): "blocks",
    ("registry_cardhandover", "received_by_id"): "stays",
    ("registry_workitem", "person_id"): "moves",
    ("kinship_relative", "person_id"): "stays",  # recusal follows it to the survivor (kinship.recusal)
    ("fieldwork_signal", "person_id"): "moves",
    ("meetings_representative", "person_id"): "stays",  # recusal follows it to the survivor (meetings.judging)
    ("meetings_participant", "person_id"): "stays",
    ("meetings_supervisor", "person_id"): "stays",
    ("rectification_item", "person_id"): "stays",  # a frozen list
    ("payment_namecheckline", "payee_id"): "stays",
    ("screening_proposal", "person_id"): "ends",
    ("cases_case", "person_id"): "blocks",
    ("cases_caseline", "person_id"): "blocks",
    ("telling_certificate", "person_id"): "stays",  # its holding moves: it is taken back, the survivor gets one
    ("visits_doubt", "person_id"): "stays",  # it is answered for the record it was raised on
    ("visits_proofletter", "person_id"): "stays",
    ("casework_decision", "person_id"): "stays",
    ("casework_entitlement", "person_id"): "moves",
    ("casework_relief", "person_id"): "blocks",
    ("casework_careassessment", "person_id"): "stays",
    ("casework_careagreement", "person_id"): "moves",
    ("rechecks_joboffer", "person_id"): "stays",
    ("rechecks_workcut", "person_id"): "stays",
    ("payment_recovery", "person_id"): "blocks",
    ("payment_recoverypart", "person_id"): "stays",  # what was drawn too much, as it was found
    ("payment_rosterline", "person_id"): "blocks",
    ("payment_rosterline", "payee_id"): "blocks",
    ("comparison_comparisondifference", "person_id"): "stays",  # as it was found
    ("duplicates_pair", "first_id"): "own",
    ("duplicates_pair", "second_id"): "own",
    ("duplicates_inquiry", "person_id"): "own",
    ("duplicates_merge", "survivor_id"): "own",
    ("duplicates_merge", "absorbed_id"): "own",
}
