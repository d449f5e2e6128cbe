"""Simulation before adoption: what a draft would do to beneficiaries and cost, and whom policies miss (POL-04, POL-06).

    drafts       what changes: standards set otherwise, texts replaced; two sets of programmes come of it
    sources      the county's columns: those of the last screening, or the registry read anew
    grouping     which township, size, 户籍类型 … each household belongs to
    comparing    both sets evaluated over the columns, counted by programme and group, with examples
    coverage     who draws several programmes, who is poor and draws none, what 建档立卡 households keep
    commands     open, work, finish: the figures are stored, so that a page can be opened again; nothing else is
    queries      reads of what was stored

A simulation changes nothing: no proposal, no decision, no entitlement comes of it.
"""
