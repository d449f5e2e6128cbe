"""Files exchanged with agent banks, written and read by their description (`policy/banks/*.yaml`). Pure.

in    a format (`read_format`), a kind of file ("payment", "transfer_answer" …), values by field name; or bytes
out   the bytes of a whole file; or its header and rows with whole numbers and dates

    describing   a description into a `Format`, or everything that is wrong with it
    fields       one value: how it is written, what it may hold
    lines        a record as a line: separated, of fixed width, or a table with titles
    differing    what an office did to a file that it opened and saved again
    writing      `write_to` a stream, piece by piece; `write_file` for small ones
    reading      `open_file`, whose rows come piece by piece; `parse_file` for small ones

Always true: what is written reads back as the same values; a file that is cut, altered, mis-encoded or miscounted is
BadInput that names file, line, column and field; a value is shown only in a field of numbers and where it reads as a
short one, because any other may be personal. Memory does not grow with the file. Nothing here knows accounts or
batches; the bank's own program reads the same descriptions by its own code (PAY-04). Messages of ISO 20022 are described here too and written and read by `payment.exchange`.
"""

from huimin.kernel.bankfile.describing import BadDescription, FileKind, Format, read_format, read_formats
from huimin.kernel.bankfile.differing import other_encoding, sized, too_big
from huimin.kernel.bankfile.fields import AMOUNT, Value
from huimin.kernel.bankfile.reading import Incoming, Parsed, open_file, parse_file
from huimin.kernel.bankfile.writing import Written, write_file, write_to

__all__ = [
    "AMOUNT",
    "BadDescription",
    "FileKind",
    "Format",
    "Incoming",
    "Parsed",
    "Value",
    "Written",
    "open_file",
    "other_encoding",
    "parse_file",
    "read_format",
    "read_formats",
    "sized",
    "too_big",
    "write_file",
    "write_to",
]
