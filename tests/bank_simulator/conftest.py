"""A fresh bank for each test: a copy of one whose accounts are open."""

import shutil
from pathlib import Path

import pytest

from bank_simulator.accounts import open_accounts
from bank_simulator.books import open_books
from bank_simulator.layout import read_layout
from tests.bank_simulator.paper import Bank, write_usual_accounts


@pytest.fixture(scope="session")
def opened_home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    with open_books(folder / "home") as books:
        open_accounts(books, read_layout(), write_usual_accounts(folder))
    return folder / "home"


@pytest.fixture
def bank(tmp_path, capsys, opened_home) -> Bank:
    made = Bank(tmp_path, capsys)
    shutil.copytree(opened_home, made.home)
    return made
