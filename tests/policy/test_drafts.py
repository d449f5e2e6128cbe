"""A new version on its way: drafted, heard, reviewed, examined, approved; never backdated, never by one alone (POL-03)."""

from collections.abc import Callable
from datetime import date

import pytest
import yaml
from django.conf import settings
from django.db import IntegrityError, connections, transaction

from huimin.audit.models import Change, Signature
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.organisation.acting import AlreadyDone, NotYourPost, NotYourProgramme, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.commands import adopt_policies, keep_list_current, read_folder
from huimin.policy.drafting import ValueRow, _value
from huimin.policy.drafts import (
    ChangedMeanwhile,
    DraftHasFaults,
    NobodyReviews,
    NotDrafting,
    NotYourDraft,
    open_draft,
    record_approval,
    record_department_review,
    record_expert_review,
    record_hearing,
    save_draft,
    submit_draft,
    withdraw_draft,
)
from huimin.policy.models import DraftStep, PolicyDraft, PolicyText, Programme
from huimin.policy.queries import adopted_book, get_shelf
from tests.policy.drafting import (
    CODE,
    NEXT,
    TODAY,
    along,
    civil_approver,
    civil_officer,
    finance_officer,
    held,
    leader,
    opened,
    raised,
    submitted,
)

At = Callable[[str], str]


def standard_on(day: date) -> str:
    """低保标准 in force at the county on a day, as the engine binds it."""
    with reading(county_officer()):
        [law] = adopted_book().programmes_in_force(chain("341524000000"), day, only=CODE)
    return str(law.parameters["低保标准"].value)


def test_the_whole_way_brings_a_version_into_force_on_its_day_and_not_before_pol_03(county: At) -> None:
    county("adopted")
    draft = along(submitted())
    assert draft.state == "approved"
    assert [standard_on(day) for day in (date(2021, 9, 30), NEXT)] == ["650", "700"]
    by, leading = county_officer(), leader()
    with reading(by):
        text = PolicyText.objects.get(path=draft.path)
        assert (text.adopted_by, text.adopted_on, text.sha256) == (leading.appointment, TODAY, draft.sha256)
        steps = list(draft.steps.order_by("pk"))
        signed = list(Signature.objects.filter(subject=draft.subject).order_by("pk").values_list("act", flat=True))
        history = get_shelf(by, TODAY).history(CODE)
    assert [step.kind for step in steps] == ["hearing", "department", "experts", "leading_group"]
    assert len({step.account for step in steps} | {draft.drafted_account}) == 5
    assert signed == ["提交政策草稿", "公众听证同意", "部门审核同意", "专家评审同意", "领导小组审批同意"]
    raising = [[str(each) for each in row.changes] for row in history]
    assert ["低保标准由 650 元/月 改为 700 元/月（金寨县，金民〔2021〕9号）"] in raising


def test_what_was_in_force_is_untouched_pol_01(county: At) -> None:
    """Nothing in force is edited: every text there was is still in use, word for word."""
    county("adopted")
    with reading(county_officer()):
        before = set(PolicyText.objects.filter(superseded_at=None).values_list("path", "sha256"))
    along(submitted())
    with reading(county_officer()):
        assert before < set(PolicyText.objects.filter(superseded_at=None).values_list("path", "sha256"))


def test_files_adopted_again_leave_the_drafted_version_alone_pol_01(county: At) -> None:
    county("adopted")
    draft = along(submitted())
    adopt_policies(by=county_officer(), on=TODAY, texts=read_folder(settings.POLICY_FOLDER))
    with reading(county_officer()):
        assert PolicyText.objects.get(path=draft.path).superseded_at is None
    with pytest.raises(BadInput, match="本县起草"):
        adopt_policies(by=county_officer(), on=TODAY, texts={draft.path: draft.text})


def test_a_draft_with_a_fault_is_saved_and_goes_nowhere_pol_02(county: At) -> None:
    county("adopted")
    draft = raised(opened(), "700 元/年")
    assert draft.faults == 1
    with pytest.raises(DraftHasFaults) as refused:
        submit_draft(by=county_officer(), on=TODAY, draft_id=draft.pk)
    assert "行" in refused.value.why and "应当是 元/月" in refused.value.why
    with pytest.raises(IntegrityError, match="policy_draft_without_faults"), reading(county_officer()):
        PolicyDraft.objects.filter(pk=draft.pk).update(state="submitted", submitted_on=TODAY)
    assert raised(draft).faults == 0


def test_an_unchanged_draft_goes_nowhere_pol_02(county: At) -> None:
    county("adopted")
    draft = opened()
    with pytest.raises(DraftHasFaults) as refused:
        submit_draft(by=county_officer(), on=TODAY, draft_id=draft.pk)
    assert "没有不同" in refused.value.why


@pytest.mark.parametrize("day", [TODAY, date(2021, 1, 1)])
def test_a_day_that_is_not_to_come_is_refused_pol_03(county: At, day: date) -> None:
    county("adopted")
    with pytest.raises(BadInput, match="不追溯"):
        opened(effective_on=day)


def test_a_value_of_an_earlier_day_in_the_text_is_a_fault_pol_03(county: At) -> None:
    """Whoever writes the text by hand cannot reach back either."""
    county("adopted")
    draft = raised(opened())
    text = draft.text.replace("    自: 2021-10-01", "    自: 2021-08-01")
    assert text != draft.text
    saved, checked = save_draft(
        by=county_officer(), on=TODAY, draft_id=draft.pk, text=text, effective_on=NEXT, reason="试", seen=draft.revision
    )
    assert saved.faults and any("早于施行日期" in problem.what for problem in checked.problems)


def test_steps_come_in_order_pol_03(county: At) -> None:
    county("adopted")
    draft = submitted()
    with pytest.raises(NotDrafting, match="待公众听证"):
        record_approval(by=leader(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    along(draft, 1)
    with pytest.raises(NotDrafting):
        record_hearing(by=civil_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    with reading(county_officer()):
        assert DraftStep.objects.filter(draft=draft).count() == 1


def test_the_drafter_and_one_who_recorded_a_step_pass_nothing_more_pol_03(county: At) -> None:
    """Four eyes."""
    county("adopted")
    draft = submitted(civil_officer())
    with pytest.raises(SamePerson):
        record_hearing(by=civil_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    record_hearing(by=county_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    record_department_review(by=civil_approver(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    with pytest.raises(SamePerson, match="另一步"):
        record_expert_review(by=county_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())


def test_each_step_has_its_post_place_and_programme_pol_03(county: At) -> None:
    county("adopted")
    with pytest.raises(NotYourPost):
        opened(actor(Post.CLERK, townships()[0]))
    farmers = actor(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    with pytest.raises(NotYourProgramme):
        opened(farmers)
    draft = submitted()
    with pytest.raises(NotYourProgramme):
        record_hearing(by=farmers, on=TODAY, draft_id=draft.pk, agreed=True, held=held())
    with pytest.raises(NotYourPost):
        record_hearing(by=leader(), on=TODAY, draft_id=draft.pk, agreed=True, held=held())


def test_a_refusal_sends_it_back_and_the_next_round_begins_anew_pol_03(county: At) -> None:
    county("adopted")
    draft = along(submitted(), 2)
    sent_back = record_expert_review(
        by=finance_officer(), on=TODAY, draft_id=draft.pk, agreed=False, held=held(opinion="资金不足，每月最多 680 元")
    )
    assert (sent_back.state, sent_back.round) == ("drafting", 2)
    again = raised(sent_back, "680 元/月")
    submit_draft(by=county_officer(), on=TODAY, draft_id=draft.pk)
    assert along(again).state == "approved"
    assert standard_on(NEXT) == "680"
    with reading(county_officer()):
        assert DraftStep.objects.filter(draft=draft).count() == 7
        assert DraftStep.objects.get(draft=draft, outcome="refused").opinion == "资金不足，每月最多 680 元"


def test_words_stand_still_after_submission_pol_03(county: At) -> None:
    county("adopted")
    draft = submitted()
    with pytest.raises(NotDrafting):
        raised(draft, "900 元/月")


@pytest.mark.parametrize("field", ["place", "attendants", "opinion", "paper_no"])
def test_a_step_says_where_who_what_and_under_which_paper_pol_03(county: At, field: str) -> None:
    county("adopted")
    draft = submitted()
    with pytest.raises(BadInput):
        record_hearing(by=civil_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held(**{field: "  "}))


def test_a_step_is_held_between_the_one_before_and_today_pol_03(county: At) -> None:
    county("adopted")
    draft = submitted()
    for day in (date(2021, 6, 1), date(2021, 7, 30)):
        with pytest.raises(BadInput, match="举行日期"):
            record_hearing(by=civil_officer(), on=TODAY, draft_id=draft.pk, agreed=True, held=held(day))


def test_one_draft_of_a_programme_at_a_time(county: At) -> None:
    """Clicked twice, opened once."""
    county("adopted")
    opened()
    with pytest.raises(AlreadyDone, match="已有一份"):
        opened()
    with pytest.raises(AlreadyDone):
        opened(civil_officer())


def test_only_its_drafter_changes_it_and_only_what_he_saw_pol_03(county: At) -> None:
    county("adopted")
    draft = opened()
    with pytest.raises(NotYourDraft):
        save_draft(
            by=civil_officer(), on=TODAY, draft_id=draft.pk, text=draft.text, effective_on=NEXT, reason="改", seen=1
        )
    raised(draft)
    with pytest.raises(ChangedMeanwhile):
        raised(draft, "710 元/月")


def test_approved_too_late_is_refused_pol_03(county: At) -> None:
    """The leading group meets after the day: nothing takes effect backwards."""
    county("adopted")
    draft = along(submitted(), 3)
    late = date(2021, 10, 1)
    with pytest.raises(BadInput, match="不追溯"):
        record_approval(by=leader(), on=late, draft_id=draft.pk, agreed=True, held=held(late))


def test_withdrawn_before_its_day_by_the_leading_group_only_pol_03(county: At) -> None:
    county("adopted")
    draft = along(submitted())
    with pytest.raises(NotYourDraft):
        withdraw_draft(by=county_officer(), on=TODAY, draft_id=draft.pk, reason="标准有误")
    with pytest.raises(AlreadyDone, match="已经施行"):
        withdraw_draft(by=leader(), on=NEXT, draft_id=draft.pk, reason="标准有误")
    withdraw_draft(by=leader(), on=TODAY, draft_id=draft.pk, reason="标准有误")
    assert standard_on(NEXT) == "650"
    with pytest.raises(AlreadyDone):
        withdraw_draft(by=leader(), on=TODAY, draft_id=draft.pk, reason="标准有误")
    along(submitted())
    assert standard_on(NEXT) == "700"


def test_the_database_keeps_the_way_whoever_writes_pol_03_sec_07(county: At) -> None:
    county("adopted")
    draft = along(submitted(), 1)
    jumps = [
        "UPDATE policy_policydraft SET state = 'approved', ended_on = '2021-06-24', ended_by = 1",
        "UPDATE policy_policydraft SET state = 'reviewed'",
        "UPDATE policy_policydraft SET state = 'drafting', round = 2",
        "UPDATE policy_policydraft SET effective_on = '2021-12-01'",
        "UPDATE policy_policydraft SET text = 'x', sha256 = encode(sha256('x'), 'hex')",
        "UPDATE policy_policydraft SET text = 'x'",
        "INSERT INTO policy_policytext (division, path, text, sha256, adopted_by, adopted_on, adopted_at)"
        " SELECT division, path, text, sha256, 1, '2021-06-24', now() FROM policy_policydraft",
        "INSERT INTO policy_draftstep (draft_id, division, round, kind, outcome, held_on, place, attendants, opinion,"
        " paper_no, sha256, recorded_by, account, recorder, recorded_on, recorded_at)"
        " SELECT id, division, round, 'department', 'agreed', '2021-06-24', 'x', 'x', 'x', 'x', sha256, drafted_by,"
        " drafted_account, drafter, '2021-06-24', now() FROM policy_policydraft",
    ]
    for statement in jumps:
        with pytest.raises(IntegrityError), transaction.atomic(using="maintenance"):
            connections["maintenance"].cursor().execute(statement)
    with pytest.raises(IntegrityError, match="the application adds no policy file"), reading(county_officer()):
        PolicyText.objects.create(
            division="341524000000", path="own.yaml", text="x", sha256="x", adopted_by=1, adopted_on=TODAY
        )
    assert PolicyDraft.objects.using("maintenance").get(pk=draft.pk).state == "heard"


def test_every_change_is_in_the_log_sec_05(county: At) -> None:
    county("adopted")
    draft = submitted()
    along(draft, 1)
    tables = set(
        Change.objects.using("maintenance")
        .filter(table_name__startswith="policy_")
        .values_list("table_name", flat=True)
    )
    assert {"policy_policydraft", "policy_draftstep"} <= tables


def test_an_unknown_programme_is_named(county: At) -> None:
    county("adopted")
    with pytest.raises(BadInput, match="没有这个项目"):
        open_draft(by=county_officer(), on=TODAY, programme="no-such", effective_on=NEXT, reason="试")


def test_a_version_approved_here_reaches_the_policy_list_on_its_day_pol_01(county: At) -> None:
    """A rhythm that changes, and a programme that had waited for its standard: payment reads the list."""
    county("adopted")
    by, day = county_officer(), date(2021, 10, 15)
    draft = open_draft(by=by, on=TODAY, programme="elderly-allowance", effective_on=day, reason="县里出台")
    bands = {"档": [{"满": "80 岁", "数值": "50 元/月"}], "其余": "0 元/月"}
    plain = yaml.safe_load(draft.text) | {
        "发放": "按季", "参数": [{"名称": "高龄津贴标准", **bands, "自": str(day), "来源": "金民〔2021〕12号"}],
    }  # fmt: skip
    text = yaml.safe_dump(plain, allow_unicode=True)
    _, checked = save_draft(by=by, on=TODAY, draft_id=draft.pk, text=text, effective_on=day, reason="县里出台", seen=1)
    assert checked.problems == ()
    submit_draft(by=by, on=TODAY, draft_id=draft.pk)
    along(draft)
    with reading(by):
        book = adopted_book()
    listed = Programme.objects.using("maintenance").filter(code="elderly-allowance")
    assert not listed.exists()
    assert keep_list_current(by, date(2021, 9, 1), book) == 1, "coming into force this year"
    assert listed.get().payout == "quarterly" and listed.get().name == "高龄津贴"
    assert keep_list_current(by, day, book) == 0, "again: nothing to change"
    listed.update(payout="monthly")
    assert keep_list_current(by, day, book, only="dibao-rural") == 0
    assert keep_list_current(by, day, book, only="elderly-allowance") == 1 and listed.get().payout == "quarterly"


def test_a_programme_nobody_here_is_responsible_for_is_not_drafted_pol_03(county: At) -> None:
    """Its department's review could never be recorded."""
    county("adopted")
    with pytest.raises(NobodyReviews, match="没有部门负责"):
        open_draft(by=county_officer(), on=TODAY, programme="free-textbook", effective_on=NEXT, reason="试")
    assert not PolicyDraft.objects.using("maintenance").exists()


@pytest.mark.parametrize(
    ("banded", "typed", "written"),
    [
        (False, "７００元／月", {"数值": "700 元/月"}),
        (False, "3万元", {"数值": "3 万元"}),
        (False, "15%", {"数值": "15%"}),
        (True, "满80岁：50元/月\n其余0元/月", {"档": [{"满": "80 岁", "数值": "50 元/月"}], "其余": "0 元/月"}),
        (True, "全护理 600元/月", {"档": [{"为": "全护理", "数值": "600 元/月"}]}),
    ],
)
def test_values_as_people_type_them_pol_02(banded: bool, typed: str, written: dict[str, object]) -> None:
    assert _value(ValueRow("标准", "元/月", None, typed, banded=banded)) == written
    day = _value(ValueRow("起始日", "日期", None, "2022年1月1日"))
    assert day == {"数值": "2022年1月1日"}
