"""What click says, in Chinese, at the entrance; dates as a type (issue 3, 9: tables for people)."""

import re
import sys
from datetime import date

import click
import pytest
from click.testing import CliRunner

from huimin.__main__ import huimin
from huimin.kernel.command_line import Day, speak_chinese

ENGLISH = re.compile(r"[A-Za-z]{3,}")
OURS = re.compile(
    r"--?[\w-]+|'[^']*'|“[^”]*”|huimin|\b[A-Z]+\b|\[[^\]]*\]|households|members|cards|resources|(?<=huimin )[a-z ]+"
)


@pytest.fixture
def told():
    """The entrance as `main()` sets it up, in this process."""
    speak_chinese()
    return lambda *arguments: CliRunner().invoke(huimin, arguments, prog_name="huimin")


@pytest.mark.parametrize("written", ["2021-07-01", " 2021-07-01 ", date(2021, 7, 1)])
def test_a_day_is_a_date(written):
    assert Day().convert(written, None, None) == date(2021, 7, 1)


@pytest.mark.parametrize("written", ["2021-02-30", "7月1日", "", "0000-01-01", "2021-07-01T00:00", "9" * 5000])
def test_what_is_no_day_is_told_in_chinese(written):
    with pytest.raises(click.BadParameter, match="不是日期，写成例如 2021-07-01"):
        Day().convert(written, None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["polcy"], "没有“polcy”这个命令。"),
        (["policy", "lst"], "没有“lst”这个命令。"),
        (["policy", "list", "--plce"], "没有“--plce”这个选项。 是不是 '--place'？"),
        (["policy", "simulate", "--date", "2021-07-01"], "没有写选项 '--place'"),
        (["policy", "simulate", "--place", "1", "--date", "2021-13-01"], "“2021-13-01”不是日期"),
        (["policy", "list", "--place"], "选项“--place”后面要写值"),
        (["policy", "export"], "没有写参数"),
        (["policy", "check", "policy", "more"], "多写了 more"),
        (["import", "x", "--place", "1", "--kind", "cows"], "“cows”不对，可以写："),
        (["demo", "run", "--people", "5"], "5 不在 1000<=x<=1000000 之内"),
        (["demo", "run", "--people", "many"], "“many”不是数"),
    ],
)
def test_messages_are_chinese(told, arguments, said):
    done = told(*arguments)
    assert done.exit_code == 2 and said in done.stderr, done.stderr
    assert not ENGLISH.search(OURS.sub("", done.stderr.replace(said, ""))), done.stderr


def test_help_pages_are_chinese(told):
    for arguments in (["--help"], ["policy", "--help"], ["policy", "simulate", "--help"], ["screen", "run", "--help"]):
        page = told(*arguments).stdout
        assert page.startswith("用法：") and "显示本页" in page
        for english in ("Usage", "Options", "Commands", "Show", "required", "TEXT", "INTEGER", "COMMAND", "OPTIONS"):
            assert english not in page, (arguments, english)


def test_speaking_twice_is_speaking_once():
    speak_chinese()
    speak_chinese()
    said = CliRunner().invoke(click.Command("x", params=[click.Argument(["day"], type=Day())]), []).output
    assert "没有写参数" in said and "click" in sys.modules
