# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values as plain JSON values, and back with a check of every key.

The convention for all that is kept: a frozen dataclass whose fields have the names of the JSON keys, in their order.
`to_json` gives plain JSON values; `from_json` takes a `JsonObject` and is an error for a key that is missing or of
another type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ..errors import ScanError

# Greater ones are none of ours, and databases cannot hold them.
_MOST_WHOLE, _MOST_NUMBER = 2**31 - 1, 1e15
_NUMBER = (int, float)
Texts = TypeVar("Texts", bound="TextRecord")


def bad_results(source: str, problem: str) -> ScanError:
    """The error about a file of results that cannot be used.

    :param source: names the file
    """
    return ScanError("bad_results", f"{source}: {problem}", tried="read results")


class JsonRecord:
    """A dataclass that stands in a JSON file as an object with one key per field."""

    def to_json(self) -> dict[str, Any]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """`value` as plain JSON values: records become objects, tuples lists, mappings dictionaries of their own."""
    if isinstance(value, JsonRecord):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return value


class TextRecord(JsonRecord):
    """One whose fields are all texts."""

    @classmethod
    def from_json(cls: type[Texts], given: JsonObject) -> Texts:
        return cls(**{field.name: given.text(field.name) for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class JsonObject:
    """An object out of a JSON file. Every method that reads a key raises ScanError bad_results where it does not fit.

    `source` names the file in errors, `place` is where in it the object stands (empty for the whole file).
    """

    values: Mapping[str, Any]
    source: str
    place: str = ""

    def bad(self, problem: str) -> ScanError:
        return bad_results(self.source, problem)

    def where(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def text(self, name: str) -> str:
        value: str = self._of(name, (str,))
        return value

    def one_of(self, name: str, words: Sequence[str]) -> str:
        """One of these texts."""
        value = self.values.get(name)
        if value not in words:
            raise self.bad("{} must be {}".format(self.where(name), " or ".join(words)))
        return str(value)

    def text_or_empty(self, name: str) -> str:
        """For a key that older files lack, or hold null under: then the empty text."""
        return "" if self.values.get(name) is None else self.text(name)

    def text_or_none(self, name: str) -> str | None:
        """None where the key is missing or null."""
        return None if self.values.get(name) is None else self.text(name)

    def number(self, name: str) -> float:
        value: float = self._of(name, _NUMBER)
        # not true of NaN either
        if not -_MOST_NUMBER <= value <= _MOST_NUMBER:
            raise self._unfit(name)
        return value

    def number_or_none(self, name: str) -> float | None:
        """None where the key is missing or null."""
        return None if self.values.get(name) is None else self.number(name)

    def whole_number(self, name: str) -> int:
        value: int = self._of(name, (int,))
        if not -_MOST_WHOLE <= value <= _MOST_WHOLE:
            raise self._unfit(name)
        return value

    def truth(self, name: str) -> bool:
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise self._unfit(name)
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object with keys of its own choice."""
        value: dict[str, Any] = self._of(name, (dict,))
        return value

    def whole_numbers(self, name: str) -> dict[str, int]:
        inner = self.object(name)
        return {key: inner.whole_number(key) for key in inner.values}

    def object(self, name: str) -> JsonObject:
        return JsonObject(self.mapping(name), self.source, self.where(name))

    def object_or_none(self, name: str) -> JsonObject | None:
        """None where the key is missing or null."""
        return None if self.values.get(name) is None else self.object(name)

    def objects(self, name: str) -> list[JsonObject]:
        """The objects of a list, each with its place."""
        found = []
        for index, value in enumerate(self._of(name, (list,))):
            place = f"{self.where(name)}[{index}]"
            if not isinstance(value, dict):
                raise self.bad(f"{place} is missing or of another type")
            found.append(JsonObject(value, self.source, place))
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._of(name, (list,))
        if not all(isinstance(value, str) for value in values):
            raise self._unfit(name)
        return tuple(values)

    def _of(self, name: str, types: tuple[type, ...]) -> Any:
        value = self.values.get(name)
        if not isinstance(value, types) or isinstance(value, bool):
            raise self._unfit(name)
        return value

    def _unfit(self, name: str) -> ScanError:
        return self.bad(f"{self.where(name)} is missing or of another type")
