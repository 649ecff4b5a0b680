# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that options name: found, read, and handed over as plain JSON values.

A `NamedFiles` looks in the current directory. Ansible has more places, which its own class adds
(plugin_utils/controller_files.py).
"""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any

from ..counted_yaml import FILE_LIMITS
from ..errors import ScanError
from ..results.strict_yaml import load_yaml

_SHOWN = 300
# What a person who types a number or a word into a survey's field meant.
_EXAMPLES = {"threshold": ', such as {"compliance": {"min": 80}}'}
_KEY = re.compile(r"[\w.-]+:(\s|$)")


class NamedFiles:
    """Looks for a relative path in the current directory.

    :ivar warnings: what is told of the files that were found
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def find(self, path: str, option: str) -> str:
        """The absolute path of a file or folder.

        :raises ScanError: bad_file, with all places that were tried; and for content in place of a path
        """
        found, tried = self.look_for(path)
        if found is not None:
            return found
        if looks_like_content(path):
            raise ScanError(
                "bad_file",
                f"{option} is a text, but no JSON; the path of a file, a dictionary, or one in JSON is expected",
                tried=f"reading the option {option}",
                advice=f"Put the text into a file and give its path, or write it as JSON{_EXAMPLES.get(option, '')}.",
            )
        raise ScanError(
            "bad_file",
            f"{path[:_SHOWN]} does not exist; looked at {', '.join(tried)}",
            tried=f"reading the option {option}",
            advice=f"Correct the path, or give a dictionary, as JSON where it is a text{_EXAMPLES[option]}."
            if option in _EXAMPLES
            else "",
        )

    def look_for(self, path: str) -> tuple[str | None, Sequence[str]]:
        """The absolute path, None where there is no such file; and the absolute paths that were tried."""
        here = absolute(pathlib.Path(path).expanduser())
        return (here if exists(here) else None), [here]


def looks_like_content(path: str) -> bool:
    """Whether a text that should be a path is YAML or JSON."""
    text = path.strip()
    return "\n" in text or text[:1] in ("{", "[") or _KEY.match(text) is not None


def read_yaml_file(path: str, reason: str) -> Any:
    """The file's one YAML document; dates become text. ScanError bad_file, or `reason` for what is not
    YAML."""
    try:
        with pathlib.Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read(FILE_LIMITS.characters + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ScanError("bad_file", f"{path}: {why}", tried="reading a file of the controller") from error
    return _plain(text, path, reason)


def read_content(value: str, option: str, reason: str, files: NamedFiles) -> tuple[Any, str]:
    """The content of an option that names a file, and what errors call it. A text in JSON is the content itself: that is
    how a survey gives a dictionary.

    :raises ScanError: bad_file; `reason`, for what is not YAML
    """
    if value.lstrip()[:1] in ("{", "["):
        return _plain(str(value), f"the option {option}", reason), f"the option {option}"
    found = files.find(value, option)
    return read_yaml_file(found, reason), found


def _plain(text: str, source: str, reason: str) -> Any:
    return json.loads(json.dumps(load_yaml(text, source, reason), default=str))


def absolute(path: str | pathlib.Path) -> str:
    """The path from the root."""
    # links stay as they are named
    return os.path.normpath(pathlib.Path(path).absolute())


def exists(path: str) -> bool:
    """Whether something is there; a text that can be no path is not."""
    try:
        return pathlib.Path(path).exists()
    except (OSError, ValueError):  # too long for a name, or with a character that no path has
        return False
