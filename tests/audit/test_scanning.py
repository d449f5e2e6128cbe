"""The scan finds a plain number wherever it stands, and nothing where none does (SEC-04)."""

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from huimin.audit.models import Event
from huimin.audit.scanning import Needles, scan_database, scan_files
from huimin.database.cluster import Cluster
from huimin.database.personal import sealed
from huimin.registry.models import Person
from tests.database.acting import VILLAGE, acting, superuser

ID, ID_X, ACCOUNT, PHONE = "341599195001011284", "34159919500101129X", "6299000000000011284", "16000011284"
VALUES = [ID, ID_X, ACCOUNT, PHONE]


@pytest.fixture
def database(county: Callable[[str], str]) -> str:
    return county("blank")


def test_what_is_encrypted_is_not_found(database: str) -> None:
    with acting("341524"):
        encrypted, hashed = sealed(ID, "id_number")
        Person.objects.create(
            name="汪某",
            division=VILLAGE,
            id_number_enc=encrypted,
            id_number_hash=hashed,
            sex="女",
            birth_date=date(1950, 1, 1),
        )
    report = scan_database(VALUES)
    assert report.ok and report.tables > 40 and report.read_bytes > 0 and report.values == 4


@pytest.mark.parametrize("value", VALUES)
def test_a_plain_value_in_a_text_column_is_found(database: str, value: str) -> None:
    with acting("341524"):
        Event.objects.create(kind="looked", division=VILLAGE, subject=f"查看{value}。")
    assert scan_database(VALUES).places == ["表 audit_event：1 处"]


@pytest.mark.parametrize("value", VALUES)
def test_a_plain_value_in_json_and_so_in_the_log_is_found(database: str, value: str, cluster: Cluster) -> None:
    with acting("341524"):
        Event.objects.create(kind="looked", division=VILLAGE, detail={"list": [{"no": value.lower()}]})
    with superuser(cluster.url(database), triggers=True) as admin:
        admin.execute("DELETE FROM audit_event")
    assert scan_database(VALUES).places == ["表 audit_change：1 处"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("around", ["\x00{}\xff", "{}", "ab\\{}", "\xe6\x00\x80{}\n", "\\\\{}"])
def test_a_plain_value_among_bytes_is_found(database: str, cluster: Cluster, value: str, around: str) -> None:
    """In place of ciphertext; bytes are written as octal digits, which must not hide what follows them."""
    with superuser(cluster.url(database)) as admin:
        admin.execute(
            "INSERT INTO registry_person (name, division, id_number_enc, id_number_hash, sex, birth_date)"
            " VALUES ('x', %s, %s, 'x', '女', '1950-01-01')",
            [VILLAGE, around.format(value).encode("latin-1")],
        )
    assert scan_database(VALUES).places == ["表 registry_person：1 处"]


def test_numbers_and_tables_that_are_not_ours_are_read_too(database: str, cluster: Cluster) -> None:
    with superuser(cluster.url(database)) as admin:
        admin.execute("CREATE SCHEMA side; CREATE TABLE side.notes (n bigint, t text[])")
        admin.execute("INSERT INTO side.notes VALUES (%s, ARRAY['x', %s])", [int(PHONE), ID])
        admin.execute(
            "GRANT USAGE ON SCHEMA side TO huimin_maintenance; GRANT SELECT ON side.notes TO huimin_maintenance"
        )
    assert scan_database(VALUES).places == ["表 notes：2 处"]


def test_a_phone_inside_a_longer_number_is_no_phone() -> None:
    """Every eleven digits occur somewhere in a longer number; an identity number does not."""
    needles = Needles(VALUES)
    assert needles.count(f"9{PHONE} {PHONE}1 34152410020100012".encode()) == 0
    assert needles.count(f"({PHONE})".encode()) == 1
    assert needles.count(f"0001{ID}22 {ACCOUNT}9".encode()) == 2
    assert needles.count(f"{ID[:-1]} {ID[1:]} {ID_X[:-1]}Y".encode()) == 0


@given(st.lists(st.sampled_from([*VALUES, "甲", "7", "\t", "x", "|", "\\"]), max_size=12))
def test_counting_agrees_with_looking_one_by_one(words: list[str]) -> None:
    """Separated, so that what is long enough to be found anywhere and what must stand alone count the same."""
    data = " , ".join(words)
    assert Needles(VALUES).count(data.encode()) == sum(word in VALUES for word in words)


def test_what_is_no_number_cannot_be_looked_for() -> None:
    with pytest.raises(AssertionError):
        Needles(["汪梅梅"])
    assert Needles([]).count(b"1234567890123456789") == 0


def test_files_of_every_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "page.html").write_text(f"<td>{ID}</td>")
    (tmp_path / "gb.txt").write_bytes(f"账号|{ACCOUNT}".encode("gb18030"))
    (tmp_path / "log.gz").write_bytes(gzip.compress(f"call {PHONE}".encode()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{ID_X}</t>")
    (tmp_path / "list.xlsx").write_bytes(packed.getvalue())
    (tmp_path / "card.pdf").write_bytes(typst.compile(f"= 明白卡\n{ID}".encode()))
    (tmp_path / "spaced.txt").write_text("6299 0000 0000 0011 284")
    (tmp_path / "clean.txt").write_text("341599********1284")
    report = scan_files(VALUES, [tmp_path])
    assert report.files == 7 and report.found == 6
    found = "\n".join(report.places)
    for name in ("page.html", "gb.txt", "log.gz", "list.xlsx", "card.pdf", "spaced.txt"):
        assert name in found
    assert not any(value in found for value in VALUES), "a report must not spread what it found"


def test_the_banks_folder_is_left_out_and_only_that(tmp_path: Path) -> None:
    for folder in ("bank", "bank2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "batch.txt").write_text(ACCOUNT)
    report = scan_files(VALUES, [tmp_path], but=[tmp_path / "bank"])
    assert (report.files, report.found) == (1, 1)
