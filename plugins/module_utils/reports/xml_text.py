# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in XML: nothing in them ends an element or an attribute, and every character is one that XML allows."""

from __future__ import annotations

import functools
import hashlib
import re

from ..safe_text import printable

# `_x` begins an escape, so that no two names become the same.
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._-]|_(?=x)")
_MOST_NAME = 120
_SHORT = 500


def xml_text(text: str) -> str:
    """For the content of an element, and for an attribute in double quotes."""
    return _kept(text) if len(text) < _SHORT else _escaped(text)


def _escaped(text: str) -> str:
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace('"', "&quot;").replace("\r", "&#13;")


# What tests find is mostly the same on many targets.
_kept = functools.lru_cache(maxsize=4096)(_escaped)


def element(name: str, text: str, /, **attributes: str) -> str:
    """An element that holds a text."""
    said = "".join(f' {key}="{xml_text(value)}"' for key, value in attributes.items())
    return f"<{name}{said}>{xml_text(text)}</{name}>"


def xml_name(text: str) -> str:
    """Letters, digits, dots, dashes and `_` of a text, the rest as _xHEX_; a long one ends with a hash."""
    name = _NOT_OF_A_NAME.sub(lambda found: f"_x{ord(found.group()):x}_", text[: 2 * _MOST_NAME]) or "_x_"
    if len(name) <= _MOST_NAME:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{name[:_MOST_NAME]}_xh{digest}_"
