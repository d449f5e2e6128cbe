"""The command line in Chinese: dates as a parameter type, and the words of click itself.

in    what a person typed
out   `Day`, a type for options that take a date; `speak_chinese()`, after which every message and help page of click is Chinese

A word of click that has no translation here stays as click wrote it; `tests/kernel/test_command_line.py` walks the usual ones.
"""

from datetime import date
from importlib import import_module
from typing import Any

import click

# The modules of click that say something, each with its own name for gettext.
_SPEAKING = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")
_WORDS = {
    "(dynamic)": "（自动）",
    "Aborted!": "已中止",
    "Argument {name!r} takes {nargs} values.": "“{name}”要写 {nargs} 个值。",
    "Choose from:\n\t{choices}": "可以写：{choices}",
    "Commands": "命令",
    "Could not open file {filename!r}: {message}": "打不开 {filename}：{message}",
    "Error: {message}": "错误：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 写得不对：{message}",
    "Invalid value: {message}": "写得不对：{message}",
    "Missing argument": "没有写参数",
    "Missing command.": "没有写命令。",
    "Missing option": "没有写选项",
    "Missing parameter": "没有写参数",
    "No such command {name!r}.": "没有“{name}”这个命令。",
    "No such option {name!r}.": "没有“{name}”这个选项。",
    "Option {name!r} does not take a value.": "选项“{name}”后面不写值。",
    "Options": "选项",
    "Show this message and exit.": "显示本页",
    "Try '{command} {option}' for help.": "用法见：{command} {option}",
    "Usage:": "用法：",
    "default: {default}": "不写时为 {default}",
    "directory": "文件夹",
    "file": "文件",
    "path": "路径",
    "required": "必写",
    "unknown error": "原因不明",
    "{name} {filename!r} does not exist.": "没有 {filename} 这个{name}。",
    "{value!r} is not a valid {number_type}.": "“{value}”不是数。",
    "{value} is not in the range {range}.": "{value} 不在 {range} 之内。",
}
# Words that depend on a number, by their singular and, where ours differ, their plural.
_COUNTED = {
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "Got unexpected extra argument ({args})": "多写了 {args}。",
    "Option {name!r} requires an argument.": "选项“{name}”后面要写值。",
    "(Did you mean one of: {possibilities}?)": "（是不是其中之一：{possibilities}？）",
    "Option {name!r} requires {nargs} arguments.": "选项“{name}”后面要写 {nargs} 个值。",
    "Takes {nargs} values but 1 was given.": "要写 {nargs} 个值，只写了 1 个。",
    "Takes {nargs} values but {len} were given.": "要写 {nargs} 个值，写了 {len} 个。",
    "{value!r} is not one of {choices}.": "“{value}”不对，可以写：{choices}。",
    "{value!r} is not {choice}.": "“{value}”不对，只能写 {choice}。",
}
_KINDS: dict[click.ParamType[Any], str] = {click.STRING: "文字", click.INT: "整数"}


class Day(click.ParamType[date]):
    """A date as 2021-07-01; the value is a `date`."""

    name = "日期"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"“{value}”不是日期，写成例如 2021-07-01。", param, ctx)


class _Formatter(click.HelpFormatter):
    """Usage lines: the words click writes into them itself."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        args = args.replace("[OPTIONS]", "[选项]").replace("COMMAND [ARGS]...", "命令 …")
        super().write_usage(prog, args, prefix)


def _word(message: str) -> str:
    return _WORDS.get(message, message)


def _counted(one: str, many: str, number: int) -> str:
    theirs = one if number == 1 else many
    return _COUNTED.get(theirs) or _COUNTED.get(one) or theirs


def speak_chinese() -> None:
    """Give click our words; it looks them up when it speaks, so once at the entrance is enough."""
    for name in _SPEAKING:
        module = import_module(f"click.{name}")
        for theirs, ours in (("_", _word), ("ngettext", _counted)):
            if hasattr(module, theirs):
                setattr(module, theirs, ours)
    for kind, called in _KINDS.items():
        kind.name = called
    click.Context.formatter_class = _Formatter
