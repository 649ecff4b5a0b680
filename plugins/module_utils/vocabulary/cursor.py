# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place in a profile file: its value, and errors that name file and line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Callable, NoReturn

from ..suggestions import unknown_name
from .value_types import kind_of
from .yaml_document import Document, Path, syntax_error


@dataclass(frozen=True)
class Cursor:
    """The value at `path` of a document.

    Every check that fails raises ScanError bad_profile with file and line.
    """

    document: Document
    path: Path
    value: Any

    @property
    def line(self) -> int:
        return self.document.line_of(self.path)

    def fail(self, problem: str) -> NoReturn:
        raise syntax_error(self.document.file, self.line, problem)

    def child(self, key: Any) -> Cursor:
        return Cursor(self.document, (*self.path, key), self.value[key])

    def with_value(self, value: Any) -> Cursor:
        """The same place with another value, such as that of an input."""
        return Cursor(self.document, self.path, value)

    def mapping(
        self, what: str, allowed: Iterable[str] | None = None, required: Sequence[str] = ()
    ) -> dict[str, Cursor]:
        """The entries of a mapping; without `allowed` any key is accepted.

        `what` names the mapping in errors.
        """
        if not isinstance(self.value, dict):
            self.fail(f"{what}: found {kind_of(self.value)}; expected a mapping")
        names = None if allowed is None else list(allowed)
        for key in self.value:
            if names is not None and key not in names:
                self.child(key).fail(f"{what}: {unknown_name('key', key, names)}")
        for key in required:
            if key not in self.value:
                self.fail("{}: the key '{}' is missing; expected {}".format(what, key, ", ".join(required)))
        return {key: self.child(key) for key in self.value}

    def items(self, what: str) -> list[Cursor]:
        """The entries of a list that is not empty."""
        if not isinstance(self.value, list) or not self.value:
            found = "an empty list" if isinstance(self.value, list) else kind_of(self.value)
            self.fail(f"{what}: found {found}; expected a list with at least one entry")
        return [self.child(number) for number in range(len(self.value))]

    def text(self, what: str) -> str:
        """A text that is not empty, without white space at its ends."""
        if not isinstance(self.value, str) or not self.value.strip():
            hint = ", in quotes" if isinstance(self.value, (bool, int, float)) else ""
            self.fail(f"{what}: found {kind_of(self.value)}; expected a text{hint}")
        return self.value.strip()

    def boolean(self, what: str) -> bool:
        if not isinstance(self.value, bool):
            self.fail(f"{what}: found {kind_of(self.value)}; expected true or false")
        return self.value

    def accepted(self, what: str, name: str, accept: Callable[[Any], Any]) -> Any:
        """The value that `accept` returns. `name` says what is expected (both as in ValueType)."""
        try:
            return accept(self.value)
        except ValueError as error:
            self.fail(f"{what}: {error}; expected {name}")
