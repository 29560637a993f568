"""Multipart forms (RFC 7578) in a temporary file: a large upload takes no memory."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tarfile
import tempfile
import uuid
from pathlib import Path
from typing import IO, Any, Dict, Iterator, Mapping, Tuple, Union

import numpy as np

#: An array, which is sent as npy; arrays by name, as npz; or the path of a file, or of a folder, which is sent as tar.
Part = Union["np.ndarray[Any, Any]", Mapping[str, "np.ndarray[Any, Any]"], Path]


@contextlib.contextmanager
def open_form(fields: Mapping[str, Any], parts: Mapping[str, Part]) -> Iterator[Tuple[IO[bytes], Dict[str, str]]]:
    """A body, and its headers. Fields other than texts are sent as JSON."""
    boundary = f"atelier-{uuid.uuid4()}"

    def head(disposition: str) -> bytes:
        return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()

    with tempfile.TemporaryFile() as body:
        for name, value in fields.items():
            text = value if isinstance(value, str) else json.dumps(value)
            body.write(head(f'name="{name}"') + text.encode() + b"\r\n")
        for name, part in parts.items():
            filename = part.name if isinstance(part, Path) else name
            body.write(head(f'name="{name}"; filename="{_escape(filename)}"'))
            _write(body, part)
            body.write(b"\r\n")
        body.write(f"--{boundary}--\r\n".encode())
        length = str(body.tell())
        yield body, {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": length}


def _write(body: IO[bytes], part: Part) -> None:
    if isinstance(part, Mapping):
        # The offsets in an archive are relative to the start of its file.
        archived = io.BytesIO()
        np.savez(archived, **part)
        body.write(archived.getvalue())
    elif not isinstance(part, Path):
        np.save(body, part)
    elif part.is_dir():
        # Photos do not compress. Files behind symbolic links are sent, as if they were in the folder.
        with tarfile.open(fileobj=body, mode="w", dereference=True) as archive:
            archive.add(part, arcname=".")
    else:
        with part.open("rb") as file:
            shutil.copyfileobj(file, body)


def _escape(filename: str) -> str:
    """Escapes as browsers do."""
    return filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
