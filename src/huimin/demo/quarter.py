"""The quarter, step by step: each step is run by the right post, through the rooms' commands only.

Steps are named by the state they leave the county in; tests use the same steps to build their stages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class County:
    """What a demonstration is of: how many people, which seed, and the folder of its files."""

    people: int
    seed: int
    home: Path
    code: str = "341524000000"


@dataclass(frozen=True)
class Step:
    """One step: the state it leads to, its title for the table, and what does it."""

    name: str
    title: str
    run: Callable[[County], Figures]


def _late(module: str, name: str) -> Callable[[County], Figures]:
    """The step's function, imported when it runs: step modules import `County` from here."""

    def run(county: County) -> Figures:
        figures: Figures = getattr(import_module(f"huimin.demo.{module}"), name)(county)
        return figures

    return run


STEPS: list[Step] = [
    Step("organised", "区划、机构、岗位", _late("organise", "organise")),
    Step("registered", "户、人、卡入库", _late("register", "register")),
    Step("adopted", "采用政策", _late("granting", "adopt")),
    Step("screened", "自动甄别", _late("granting", "determine")),
    Step("decided", "部门审批", _late("granting", "decide")),
    Step("accrued", "生成应发", _late("listing", "accrue")),
    Step("compiled", "编制清册", _late("listing", "compile_all")),
    Step("published", "张榜公示", _late("listing", "publish")),
    Step("objected", "异议与答复", _late("listing", "object_")),
    Step("signed", "乡镇签批", _late("listing", "sign_all")),
    Step("confirmed", "部门、财政核定", _late("listing", "confirm")),
    Step("funded", "申请、核指标、拨款", _late("paying", "fund")),
    Step("prepared", "编制批次", _late("paying", "prepare")),
    Step("released", "复核放行", _late("paying", "release")),
    Step("answered", "银行回盘", _late("paying", "answer")),
    Step("corrected", "更正账户", _late("closing", "correct")),
    Step("reissued", "重发", _late("paying", "reissue")),
    Step("compared", "查重、并档", _late("comparing", "compare")),
    Step("closed", "封印", _late("closing", "close")),
    Step("visited", "普查、监测、责任", _late("field", "visit")),
    Step("recorded", "申报、培训、档案", _late("records", "record")),
    Step("asked", "申请、受理", _late("asking", "ask")),
    Step("looked", "入户调查", _late("going_on", "look")),
    Step("reviewed", "民主评议、公示", _late("going_on", "review")),
    Step("told", "公示栏、文书、证件", _late("telling", "tell")),
    Step("rectified", "专项整治", _late("rectifying", "rectify")),
    Step("rechecked", "复核、申诉", _late("going_on", "live_with")),
    Step("booked", "审核凭证、结账、三方核对", _late("booking", "book")),
    Step("matched", "逐户逐人核对", _late("matching", "match")),
    Step("sampled", "审批前抽查", _late("going_on", "put_up")),
]
