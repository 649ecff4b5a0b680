# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names made of a text with fields, such as {namespace}-{name}, and what of a name a host can be called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping

from ..errors import ScanError

_FIELD = re.compile(r"\{(?P<name>[^{}]*)\}")
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")
_AT_ENDS = "-._"
# A host is a folder of results, too.
_LENGTH = 100
_DIGEST = 8


def check_format(text: str, fields: Collection[str], option: str) -> None:
    """:raises ScanError: bad_option for a field that is not known, or a text without one"""
    if not _FIELD.search(text) or not has_known_fields(text, fields):
        known = ", ".join(f"{{{name}}}" for name in fields)
        raise ScanError(
            "bad_option",
            f"{option} is {text!r}, and must be a text with one or several of the fields {known}",
        )


def has_known_fields(text: str, fields: Collection[str]) -> bool:
    """Whether `filled` can fill the text with these fields."""
    return all(name in fields for name in _FIELD.findall(text)) and "{" not in _FIELD.sub("", text)


def filled(text: str, fields: Mapping[str, str]) -> str:
    """The text with its fields. What a field holds is put in as it is: it is no format."""
    return _FIELD.sub(lambda found: fields[found.group("name")], text)


def host_name(name: str) -> str:
    """The name of a host: letters, digits, - . and _, at most 100 of them, beginning and ending with a letter or digit. The
    same name gives the same one; a name that is cut ends with a digest. "" where nothing is left."""
    plain = _OTHERS.sub("-", name).strip(_AT_ENDS)
    if len(plain) <= _LENGTH:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{plain[: _LENGTH - _DIGEST - 1].rstrip(_AT_ENDS)}-{digest}"
