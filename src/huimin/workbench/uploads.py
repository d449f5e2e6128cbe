"""What may be sent at all: a file larger than any page takes is not stored while it arrives.

The rest of it is read and thrown away, and everything else of the form is kept: the sender gets his page back with the
reason and what he typed. The view sees a file of BYTES_MAX, which is too large for all but imports; `request.too_large` tells those.
"""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler

BYTES_MAX = 100 * 1024 * 1024


class LimitedUpload(FileUploadHandler):
    """First of the handlers in the settings: passes on what the others store, up to BYTES_MAX."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if start + len(raw_data) > BYTES_MAX:
            self.request.too_large = True  # type: ignore[union-attr]
            return None
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None
