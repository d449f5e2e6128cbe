"""What may be sent at all: a file larger than any page takes is not stored while it arrives.

The rest of the request is read and thrown away, so that the sender gets a page that says why; `request.too_large` tells
the view.
"""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

BYTES_MAX = 100 * 1024 * 1024


class LimitedUpload(FileUploadHandler):
    """First of the handlers in the settings: passes on what the others store, up to BYTES_MAX."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > BYTES_MAX:
            self.request.too_large = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None
