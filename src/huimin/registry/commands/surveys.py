"""The survey form (基本信息表): drafts while it is filled in, and a household that was never registered (REG-01, REG-02).

in    what stands in the fields of a form, as typed; for a new household its facts and members
out   one encrypted draft a person and form; a household with its members, all or nothing

A known household's survey is a change of facts (registry.commands.changes) and not here.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from huimin.database.personal import PAYLOAD, plain, sealed
from huimin.kernel.digests import canonical
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Fact
from huimin.organisation.acting import Actor, AlreadyDone, command
from huimin.organisation.posts import Post
from huimin.registry.commands.changes import Doing, apply_facts
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.families import HEAD, Step, find_person, found_household
from huimin.registry.models import Household, SurveyDraft
from huimin.registry.queries import find_household_of

FIELDS_MAX = 4000
VALUE_MAX = 300
SURVEYORS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)


@command(*SURVEYORS)
def save_survey_draft(*, by: Actor, on: date, household: int | None, values: Mapping[str, str]) -> None:
    """Keep what was typed so far, in place of what was kept before; no values: nothing is kept any more."""
    if len(values) > FIELDS_MAX or any(len(text) > VALUE_MAX for text in values.values()):
        raise BadInput("内容太长", where="基本信息表", remedy="请删去多余的文字")
    division = locked_household(by, household).division if household else by.division
    mine = SurveyDraft.objects.filter(account=by.account, household=household)
    if household is None:
        mine = mine.filter(division=division)
    filled = {name: text for name, text in values.items() if text.strip()}
    if not filled:
        mine.delete()
        return
    enc, hashed = sealed(canonical(filled).decode(), PAYLOAD)
    kept = {"payload_enc": enc, "payload_hash": hashed, "saved_at": timezone.now()}
    if not mine.update(**kept):
        SurveyDraft.objects.create(account=by.account, household_id=household, division=division, **kept)


def find_survey_draft(by: Actor, household: int | None) -> tuple[dict[str, str], Any] | None:
    """What `by` typed before and when it was saved; inside reading(by)."""
    mine = SurveyDraft.objects.filter(account=by.account, household=household)
    row = mine.order_by("-saved_at").first()
    return (json.loads(plain(row.payload_enc, PAYLOAD)), row.saved_at) if row else None


@command(Post.CLERK, Post.COUNTY_OFFICER)
def register_household(
    *,
    by: Actor,
    on: date,
    division: str,
    since: date,
    evidence: str,
    payload: Mapping[str, Any],
    added: Sequence[Fact] = (),
) -> Household:
    """A household with its members, under the next number of its village (`payload` as a change of facts, with "new").

    AlreadyDone when its head belongs to a household already; BadInput names what is wrong; all or nothing.
    """
    people = list(payload.get("new") or [])
    if [each["relation"] for each in people].count(HEAD) != 1:
        raise BadInput("新户要有一名户主", where="与户主关系", remedy="请在成员中指定一人为户主")
    head = next(each for each in people if each["relation"] == HEAD)
    known = find_person(head["id_number"], on)
    if known is not None and find_household_of(known.pk, on) is not None:
        raise AlreadyDone("户主已在册，属于另一户", remedy="请在那一户办理变更或分户，不要重复登记")
    step = Step(by, on, since, evidence)
    made = found_household(step, division, str(payload.get("address") or ""), str(payload.get("phone") or ""))
    told = {**payload, "new": sorted(people, key=lambda each: each["relation"] != HEAD)}
    apply_facts(
        Doing(
            step, made, {name: value for name, value in told.items() if name not in ("address", "phone")}, added, set()
        )
    )
    return made
