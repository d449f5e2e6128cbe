"""The wizard as a clerk meets it, without a script (REG-03, SEC-02, SEC-04, SEC-05)."""

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from huimin.audit.models import Event
from huimin.importing import store
from huimin.importing.commands import KIND_CHECK, KIND_RUN
from huimin.importing.models import Import, RememberedHead
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Person
from huimin.workbench.acts import new_token
from huimin.workbench.views import imports as views
from tests.importing.files import MEMBERS_HEAD, TOWN, csv, member, numbers, sizes, stored, xlsx
from tests.workbench.people import client_of


def send(client, file, name="成员.xlsx", **more):
    file.name = name
    fields = {"file": file, "place": TOWN, "valid_from": "2021-06-21", "token": new_token(), "kind": "", "evidence": ""}
    return client.post("/imports/", fields | more, follow=True)


def post(client, path, **fields):
    return client.post(path, {"token": new_token(), **fields}, follow=True)


def good(count=3):
    return xlsx([MEMBERS_HEAD, *(member(at, "张三", number) for at, number in enumerate(numbers(count)))])


def with_faults():
    rows = [
        MEMBERS_HEAD,
        *(member(at, "张三", number, "户主", "小学", 1, "否") for at, number in enumerate(numbers(3))),
    ]
    rows[2][2], rows[3][5] = "3.41524E+17", "很多"
    return rows


def test_upload_preview_confirm(county):
    """REG-03: nothing changes before the confirmation; after it everything is there, once."""
    county("organised")
    client, before, content = client_of(Post.CLERK, TOWN), sizes(), good().getvalue()
    shown = send(client, io.BytesIO(content)).content.decode()
    assert "没有一行有误" in shown and "新增" in shown and sizes() == before
    [row] = stored(Import)
    assert (row.state, row.counts["new"], row.kind) == ("ready", 3, "members") and len(row.file_sha256) == 64
    assert "新增 3 行" in client.get(f"/imports/{row.pk}/confirm/").content.decode()
    token = new_token()
    for _ in range(2):
        done = client.post(f"/imports/{row.pk}/confirm/", {"token": token}, follow=True).content.decode()
        assert "已导入：新增 3 行" in done
    assert len(stored(Person)) == 3 and not store.has_file(row.pk)
    assert {"身份证号": "id_number", "户编码": "household_no"}.items() <= {
        each.head: each.target for each in stored(RememberedHead)
    }.items()
    again = send(client, io.BytesIO(content)).content.decode()
    assert "导入过" in again and stored(Import)[-1].counts["same"] == 3
    assert "成员.xlsx" in client.get("/imports/").content.decode()


def test_right_rows_now_and_faulty_ones_back(county):
    """REG-03, SEC-04, SEC-05: the workbook holds the faulty rows whole; taking it is recorded; mended, it comes in."""
    county("organised")
    client = client_of(Post.CLERK, TOWN)
    shown = send(client, xlsx(with_faults())).content.decode()
    assert "第 3 行" not in shown and "Excel 把它当作数字" in shown and "C 身份证号" in shown
    [row] = stored(Import)
    assert (row.counts["new"], row.counts["wrong"]) == (1, 2)
    post(client, f"/imports/{row.pk}/confirm/")
    assert len(stored(Person)) == 1 and stored(Import)[0].state == "finished"
    assert "用于什么" in client.get(f"/imports/{row.pk}/faults/").content.decode() and not stored(
        Event, kind="exported"
    )
    answer = client.get(f"/imports/{row.pk}/faults/?purpose=退村核对")
    book = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = [[cell.value for cell in line] for line in book.iter_rows()]
    assert rows[0][-3:] == ["原表行号", "错在哪里", "怎么改"] and [line[-3] for line in rows[1:3]] == ["3", "4"]
    assert "退村核对" in rows[3][0] and rows[3][0].startswith("说明：")
    assert (
        rows[2][2] == numbers(3)[2] and book["C2"].comment is not None and book["C2"].fill.fgColor.rgb[-6:] == "FBE0DD"
    )
    assert [(each.detail["rows"], each.detail["purpose"]) for each in stored(Event, kind="exported")] == [
        (2, "退村核对")
    ]
    rows[1][2], rows[2][5] = numbers(2)[1], 5
    send(client, xlsx(rows), "改好.xlsx")
    assert stored(Import)[-1].counts["new"] == 2 and stored(Import)[-1].counts["wrong"] == 0


def test_columns_are_chosen_once_and_remembered(county):
    """REG-03: unknown heads are asked for; the same office's next file is recognised."""
    county("organised")
    client = client_of(Post.CLERK, TOWN)
    rows = [["家里编号", "谁", "证号", "身份"], *(member(at, "张三", number) for at, number in enumerate(numbers(2)))]
    shown = send(client, xlsx(rows)).content.decode()
    assert "请告诉系统这是什么表" in shown
    [row] = stored(Import)
    where = f"/imports/{row.pk}/columns/"
    assert "家里编号" in client.get(where + "?kind=members").content.decode()
    twice = post(
        client, where, kind="members", column0="id_number", column1="name", column2="id_number", column3="relation"
    )
    assert twice.status_code == 422 and "对应到同一项" in twice.content.decode()
    post(client, where, kind="members", column0="household_no", column1="name", column2="id_number", column3="relation")
    assert stored(Import)[0].counts["new"] == 2
    post(client, f"/imports/{row.pk}/confirm/")
    rows[1][1] = "李四"
    send(client, xlsx(rows))
    assert stored(Import)[-1].state == "ready" and stored(Import)[-1].counts["conflict"] == 1


def test_a_large_file_is_done_in_the_background(county, monkeypatch):
    """REG-03: a job with progress; what was interrupted goes on; twice asked is once done."""
    county("organised")
    monkeypatch.setattr(views, "WAITED_BYTES_MAX", 10)
    client = client_of(Post.CLERK, TOWN)
    assert "正在核对" in send(client, good()).content.decode()
    [row] = stored(Import)
    assert work_one().state == Job.State.FINISHED
    assert "data-over" in client.get(f"/imports/{row.pk}/?part=1").content.decode()
    assert stored(Import)[0].state == "ready"
    post(client, f"/imports/{row.pk}/confirm/")
    post(client, f"/imports/{row.pk}/confirm/")
    assert [job.kind for job in stored(Job)] == [KIND_CHECK, KIND_RUN]
    assert "新增 3 行" in work_one().outcome and len(stored(Person)) == 3
    assert work_one() is None


def test_an_unreadable_file_fails_in_words(county):
    county("organised")
    client = client_of(Post.CLERK, TOWN)
    shown = send(client, io.BytesIO(good().getvalue()[:3000])).content.decode()
    assert "打不开这个文件" in shown and "另存为 .xlsx" in shown
    [row] = stored(Import)
    assert row.state == "failed"
    post(client, f"/imports/{row.pk}/withdraw/")
    assert stored(Import)[0].state == "withdrawn" and not store.has_file(row.pk)


def test_what_was_interrupted_can_be_given_up(county, monkeypatch):
    """A process that ended in the midst of a check leaves an import that its sender can give up; a job under way not."""
    county("organised")
    client = client_of(Post.CLERK, TOWN)
    monkeypatch.setattr(views, "check", lambda by, number: None)
    assert "放弃…" in send(client, good()).content.decode()
    monkeypatch.setattr(views, "WAITED_BYTES_MAX", 10)
    assert "放弃…" not in send(client, good()).content.decode()
    first, second = stored(Import)
    post(client, f"/imports/{first.pk}/withdraw/")
    assert "没有改动任何数据" in post(client, f"/imports/{second.pk}/withdraw/").content.decode()
    assert [row.state for row in stored(Import)] == ["withdrawn", "checking"]


def test_a_file_too_large_is_not_stored(county, monkeypatch):
    county("organised")
    from huimin.workbench import uploads

    monkeypatch.setattr(uploads, "BYTES_MAX", 2000)
    answer = send(client_of(Post.CLERK, TOWN), good())
    shown = answer.content.decode()
    assert answer.status_code == 422 and "超过 100 MB" in shown and stored(Import) == []
    assert "请选择地方" not in shown and "请填写日期" not in shown, "what stood behind the file did not arrive"


def test_what_stands_in_a_form_after_a_file_too_large_is_kept(monkeypatch):
    """SEC-05: the page comes back with its reason and all that was typed, wherever the file stands in it."""
    from huimin.workbench import uploads

    monkeypatch.setattr(uploads, "BYTES_MAX", 100_000)
    photo = SimpleUploadedFile("大.png", b"0" * 300_000, "image/png")
    request = RequestFactory().post("/", {"file": photo, "spot": "村委会公开栏"})
    assert (request.POST["spot"], request.too_large) == ("村委会公开栏", True)
    assert request.FILES["file"].size <= 100_000, "the rest was thrown away"


@pytest.mark.parametrize("post_of", [Post.REVIEWER, Post.TOWNSHIP_HEAD])
def test_other_posts_do_not_import(county, post_of):
    """SEC-02"""
    county("organised")
    assert client_of(post_of, TOWN).get("/imports/").status_code == 403
    assert client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get("/imports/1/faults/").status_code == 403


def test_another_townships_import_is_not_there(county):
    """SEC-03"""
    county("organised")
    send(client_of(Post.CLERK, TOWN), csv(with_faults()), "a.csv")
    [row] = stored(Import)
    other = client_of(Post.CLERK, "341524101000")
    assert other.get(f"/imports/{row.pk}/").status_code == 404
    assert other.get(f"/imports/{row.pk}/faults/?purpose=核对").status_code == 409
    assert stored(Import)[0].state == "ready"
