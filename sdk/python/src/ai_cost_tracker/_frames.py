"""AWS's event streams, for clients that read Bedrock's without AWS's own: frames of a length, headers and a payload.
https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html"""

from __future__ import annotations

import base64
import json
import struct

from ._reply import is_object

# Lengths of the frame and of its headers, and their checksum.
_PRELUDE_BYTES = 12
_CHECKSUM_BYTES = 4
# Bytes of a frame; AWS's are smaller. Of a stream with a longer one nothing more is read.
_FRAME_BYTES_MAX = 16 * 1024 * 1024


class Frames:
    def __init__(self) -> None:
        self._open = b""

    def push(self, piece: bytes) -> list[object]:
        """The documents in the frames that `piece` completes."""
        data = self._open + piece
        documents: list[object] = []
        while len(data) >= _PRELUDE_BYTES:
            length, headers = struct.unpack_from(">II", data)
            if not _PRELUDE_BYTES + _CHECKSUM_BYTES <= length <= _FRAME_BYTES_MAX:
                data = b""
            if len(data) < length:
                break
            documents.append(_document_in(data[_PRELUDE_BYTES + headers : length - _CHECKSUM_BYTES]))
            data = data[length:]
        self._open = data
        return documents


def _document_in(payload: bytes) -> object:
    """InvokeModel wraps the model's own event in base 64."""
    try:
        document: object = json.loads(payload)
        if is_object(document) and isinstance(document.get("bytes"), str):
            document = json.loads(base64.b64decode(document["bytes"]))
    except ValueError:
        return None
    return document
