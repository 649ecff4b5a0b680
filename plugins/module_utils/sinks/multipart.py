# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A body of multipart/form-data, for systems that take files."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from ..safe_text import one_line


def multipart(
    fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]], content_type: str = "application/json"
) -> tuple[str, bytes]:
    """(value of the header Content-Type, body).

    :param files: (name of the field, name of the file, content)
    """
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for name, value in fields.items():
        pieces += [
            _head(boundary, f'name="{_quoted(name)}"'),
            b"\r\n",
            value.encode("utf-8", "backslashreplace"),
            b"\r\n",
        ]
    for name, file_name, content in files:
        about = f'name="{_quoted(name)}"; filename="{_quoted(file_name)}"'
        pieces += [
            _head(boundary, about),
            f"Content-Type: {content_type}\r\n\r\n".encode("ascii"),
            content,
            b"\r\n",
        ]
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return f"multipart/form-data; boundary={boundary}", b"".join(pieces)


def _head(boundary: str, about: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n".encode("utf-8", "backslashreplace")


def _quoted(text: str) -> str:
    """Nothing in it ends the quotes or the line."""
    return one_line(text, 500).replace("\\", "\\\\").replace('"', "%22")
