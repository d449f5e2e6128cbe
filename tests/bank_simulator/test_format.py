"""PAY-04, PAY-05: the description, the simulator and files written by hand agree."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bank_simulator import accounts, answers, desk, posting, reading
from bank_simulator.errors import FileRefused
from bank_simulator.layout import DESCRIPTION, read_layout
from bank_simulator.reading import read_order
from tests.bank_simulator.paper import NAMES, ROOT, payment, row, transfer

TOLD = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
LAYOUT = read_layout()


def test_every_record_is_made_of_described_fields():
    used = {
        name
        for file in TOLD["files"].values()
        for part in ("header", "row", "trailer")
        for name in file.get(part, {}).get("fields", ())
    }
    assert used == set(TOLD["fields"])
    for name, field in TOLD["fields"].items():
        assert {"title", "type", "max_length", "required"} <= field.keys(), name
        assert field["type"] in TOLD["types"], name


def test_codes_in_the_program_are_the_codes_described():
    source = "".join(
        Path(module.__file__).read_text(encoding="utf-8") for module in (accounts, answers, desk, posting, reading)
    )
    assert set(re.findall(r"'(F\d\d)'", source)) == set(TOLD["failure_codes"])
    raised = set(re.findall(r'FileRefused\(\s*"(X\d\d)"', source))
    assert raised == set(TOLD["refusal_codes"])
    assert {rule["code"] for rule in TOLD["rules"]} <= raised


def test_readme_names_every_field_and_code_in_its_place():
    text = (ROOT / "docs/formats/README.md").read_text(encoding="utf-8")
    for file in TOLD["files"].values():
        for part in ("header", "row", "trailer"):
            if part in file:
                titles = [TOLD["fields"][name]["title"] for name in file[part]["fields"]]
                assert f"`{'|'.join([file[part]['mark'], *titles])}`" in text, file["title"]
    for code, reason in {**TOLD["failure_codes"], **TOLD["refusal_codes"]}.items():
        assert f"| {code} | {reason} |" in text


def test_file_names_cannot_lead_out_of_a_folder():
    for kind in LAYOUT.files.values():
        for name in (
            "../DF_A.txt",
            "DF_../A.txt",
            "DF_A/../../B.txt",
            "DF_A.txt\n",
            "DF_.txt",
            "DF_a.txt",
            "df_A.txt",
            "DF_A_1.txt.exe",
        ):
            assert not kind.name_pattern.fullmatch(name)


@pytest.mark.parametrize(
    "key, content", [("payment", payment("A-1", [row("100000", 5)])), ("transfer", transfer("A-1", 7))]
)
def test_hand_written_file_reads_back(key, content):
    order = read_order(LAYOUT, LAYOUT.files[key], "A-1", content)
    assert order.number == "A-1"
    assert len(order.rows) == 1
    written = LAYOUT.write(order.kind, list(order.header.values()), order.rows, order.amount_fen)
    assert written == content


def test_rare_names_keep_their_characters_and_bars_inside_characters_do_not_split():
    # The second byte of 亅 is 0x7C, the separator: a program that splits before decoding would break here.
    assert "亅".encode("gb18030")[1:] == b"|"
    names = [*NAMES.values(), "亅丨"]
    content = payment("A1", [row("100000", 5, name=name) for name in names])
    assert read_order(LAYOUT, LAYOUT.files["payment"], "A1", content).column("name") == names


@pytest.mark.parametrize(
    "name", ["", " 王", "王 ", "王\u3000", "王\x00", "王\r", "王\n", "王\x85", "王\u202e", "\ue863", "王\u200b", "王\ufffe", "王" * 61]
)  # fmt: skip
def test_forbidden_text_is_refused_with_its_line(name):
    with pytest.raises(FileRefused) as refused:
        read_order(
            LAYOUT, LAYOUT.files["payment"], "A1", payment("A1", [row("100000", 5), row("100001", 5, name=name)])
        )
    assert (refused.value.code, refused.value.line_no) == ("X07", 3)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    with pytest.raises(FileRefused):
        read_order(LAYOUT, LAYOUT.files["payment"], "A1", content)


@given(st.data())
def test_one_changed_byte_never_passes(data):
    content = bytearray(payment("A1", [row("100000", 5), row("100001", 6)]))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FileRefused):
        read_order(LAYOUT, LAYOUT.files["payment"], "A1", bytes(content))
