"""The two ways this program says no: to a file, and to whoever is at the keyboard."""


class FileRefused(Exception):
    """A whole file is refused: a code of `refusal_codes`, what exactly, and the line (0: no particular line)."""

    def __init__(self, code: str, detail: str, line_no: int = 0) -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = detail
        self.line_no = line_no


class WrongInput(Exception):
    """A command was given something it cannot use; the message says what and what to do. Exit code 2."""
