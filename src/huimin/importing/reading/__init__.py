"""Spreadsheets as they are sent, as texts by row and column; nothing in them is ever run (REG-03).

sheets      what a sheet is once read, and the limits of everything
workbook    .xlsx: unzipped and parsed here, under those limits
old_workbook  .xls: read with a library, under the same limits
delimited   .csv and other text: encodings and separators
opening     which of them a file is, by its content and not by its name
"""

from huimin.importing.reading.opening import open_file
from huimin.importing.reading.sheets import Limits, Sheet, Unreadable

__all__ = ["Limits", "Sheet", "Unreadable", "open_file"]
