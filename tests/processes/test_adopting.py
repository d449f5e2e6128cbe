"""Processes come into use with the policies, version by version, and hold proposals to their rule (CASE-04)."""

import pytest
from django.conf import settings

from huimin.casework.commands import NeedsCase, decide_proposals
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.commands import adopt_policies, read_folder
from huimin.processes.models import Process
from huimin.processes.queries import NoProcess, list_processes, process_for, way_of
from huimin.rules import PolicyFaults
from tests.workbench.people import client_of
from tests.workbench.test_acts import text

PATH = "anhui/processes/three-level.yaml"
COUNTY = "341524000000"


def texts():
    return read_folder(settings.POLICY_FOLDER)


def adopt(changed):
    return adopt_policies(by=county_officer(), on=dates.ADOPTED, texts=changed)


def test_a_changed_process_is_a_new_version_and_the_old_one_stays_case_04(county):
    county("adopted")
    by = county_officer()
    with reading(by):
        [before] = [row for row in list_processes() if row.code == "three-level"]
        assert process_for("dibao-rural", COUNTY, dates.DECIDED).pk == before.pk
        assert before.demanded == list(way_of(before).demanded)
        with pytest.raises(NoProcess):
            process_for("maternal-relief", COUNTY, dates.DECIDED)
    assert adopt(texts()) == 0
    changed = texts()
    changed[PATH] = changed[PATH].replace("抽查: {比例: 10%}", "抽查: {比例: 20%}")
    assert adopt(changed) == 1
    with reading(by):
        after = process_for("dibao-rural", COUNTY, dates.DECIDED)
        assert (after.pk != before.pk, after.version != before.version) == (True, True)
        assert Process.objects.get(pk=before.pk).superseded_at is not None
        assert "10%" in Process.objects.get(pk=before.pk).text


def test_a_faulty_process_refuses_the_whole_adoption_case_04(county):
    county("adopted")
    with reading(county_officer()):
        before = Process.objects.filter(superseded_at=None).count()
    changed = texts()
    changed[PATH] = changed[PATH].replace("下一步: 评议", "下一步: 平议")
    with pytest.raises(PolicyFaults, match="最接近的是“评议”"):
        adopt(changed)
    with reading(county_officer()):
        assert Process.objects.filter(superseded_at=None).count() == before


def test_where_proposals_need_a_case_the_department_does_not_decide_at_a_stroke_case_04(county):
    county("screened")
    changed = texts()
    path = "anhui/processes/programmes.yaml"
    changed[path] = changed[path].replace("建议: confirm-proposals", "建议: three-level")
    adopt(changed)
    by = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    with pytest.raises(NeedsCase, match="须立案"):
        decide_proposals(by=by, on=dates.DECIDED, programme="dibao-rural", division=COUNTY, grant=True)
    adopt(texts())
    assert decide_proposals(by=by, on=dates.DECIDED, programme="dibao-rural", division=COUNTY, grant=True) > 0


def test_pages_show_the_picture_and_the_rules_case_04(shared_county):
    shared_county("adopted")
    clerk = client_of(Post.CLERK, townships()[0])
    listed = text(clerk.get("/processes/"))
    assert "三级审核" in listed and "名单流程" in listed and "所有项目" in listed
    with reading(county_officer()):
        row = process_for("dibao-rural", COUNTY, dates.DECIDED)
    page = text(clerk.get(f"/processes/{row.pk}/"))
    assert "<svg" in page and "不能是办过受理、调查的人" in page and "附件3 第27、28条" in page
    assert "不予批准的 3 个工作日内书面告知" in page
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/processes/").status_code == 403
