# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as people, surveys and job templates write them, read by an argument specification.

A survey knows texts only, and gives an empty one for a field that was left empty. So for every option:

- nothing, an empty text and a blank one mean that the option is not given;
- blanks around a text are no part of it;
- a number or a boolean can be written as text, with the words that Ansible takes;
- a list can be a text with commas, with one item per line, or in JSON;
- a dictionary can be a text in JSON or YAML.

Ansible validates after this, and then finds nothing to refuse that this has not refused in plainer words.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ..cluster.connection_options import FALSE_WORDS, TRUE_WORDS
from ..counted_yaml import YamlError, compose_yaml, plain_data
from ..suggestions import nearest
from .spec import Spec

# How YAML, JSON and Python write nothing, where a template made a text of it.
_NOTHING = frozenset({"null", "none", "~"})
_WHOLE = re.compile(r"[-+]?[0-9]{1,30}(\.0*)?")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """What is wrong with the value of an option: `why` goes on after the option's name."""

    option: str
    why: str

    @property
    def text(self) -> str:
        return f"{self.option} {self.why}"


@dataclass(frozen=True)
class ReadValues:
    """`values`: by the option's own name, also where it was given by an alias, those that are given. `problems`:
    what cannot be used."""

    values: Mapping[str, Any]
    problems: Sequence[Problem]


def read_values(spec: Spec, given: Mapping[str, Any]) -> ReadValues:
    """The values of a task's options or of a role's variables. What the specification does not know stays as it is."""
    names = {alias: name for name, rule in spec.items() for alias in rule.get("aliases", ())}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in given.items():
        # an alias keeps its name: whoever gives both is told so by Ansible
        rule = spec.get(names.get(key, key))
        if rule is None:
            values[key] = value
        elif is_given(value):
            try:
                read = _read(rule, value)
            except _UnusableError as problem:
                problems += [Problem(f"{key}{where}", why) for where, why in problem.found]
            else:
                if read is not None:
                    values[key] = read
    return ReadValues(values, problems)


def is_given(value: object) -> bool:
    """Whether somebody has set it: nothing, an empty and a blank text say that nobody has."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def numbers_in_text(value: Any) -> Any:
    """The same dictionaries, with the numbers that are written as texts as numbers. What a list holds are names."""
    if isinstance(value, Mapping):
        return {key: numbers_in_text(item) for key, item in value.items()}
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return _whole_or_not(float(value), value.strip())
    return value


def shown(value: object) -> str:
    """A value as a message shows it: bounded, and with no name of a class."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = str(value)
    return repr(text[:_SHOWN] + "…" if len(text) > _SHOWN else text[:])


class _UnusableError(Exception):
    """`found`: where in the option's value, empty for all of it, and why."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__()
        self.found = found


def _unusable(expected: str, value: object, rule: Mapping[str, Any]) -> _UnusableError:
    """:param expected: goes on after "must be" """
    # a secret is not quoted
    found = "" if rule.get("no_log") else f", found {shown(value)}"
    return _UnusableError(("", f"must be {expected}{found}"))


def _read(rule: Mapping[str, Any], value: Any) -> Any:
    """The value as the rule wants it; None where a text means nothing."""
    kind = rule.get("type", "str")
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _NOTHING and _cannot_mean(rule, kind, word):
        return None
    read = _READERS.get(kind)
    return _chosen(rule, read(rule, value)) if read else value


def _cannot_mean(rule: Mapping[str, Any], kind: str, word: str) -> bool:
    """Whether a word of `_NOTHING` cannot be a value: a choice can be called none, and so can a namespace."""
    if rule.get("choices"):
        return word not in rule["choices"]
    return kind in ("int", "float", "bool", "dict") or (kind == "list" and word != "none")


def _chosen(rule: Mapping[str, Any], value: Any) -> Any:
    choices = rule.get("choices")
    if not choices:
        return value
    for each in value if isinstance(value, list) else [value]:
        if each not in choices:
            words = [str(choice) for choice in choices]
            raise _UnusableError(
                ("", f"cannot be {shown(each)}{nearest(str(each), words, 'it is')} one of {', '.join(words)}")
            )
    return value


def _whole_number(rule: Mapping[str, Any], value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().split(".")[0])
    if _is_size(value) and value == math.floor(value):
        return int(value)
    raise _unusable("a whole number", value, rule)


def _number(rule: Mapping[str, Any], value: Any) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if _is_size(value):
        return float(value)
    raise _unusable("a number", value, rule)


def _is_size(value: object) -> bool:
    """Whether it is a number with a size: not true or false, nan or infinite."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole_or_not(value: float, text: str) -> float | int:
    return int(text) if _WHOLE.fullmatch(text) and "." not in text else value


def _boolean(rule: Mapping[str, Any], value: Any) -> bool:
    word = str(value).strip().lower()
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and word in TRUE_WORDS | FALSE_WORDS:
        return word in TRUE_WORDS
    raise _unusable("true or false", value, rule)


def _text(rule: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, (bool, Mapping, list, tuple)):
        raise _unusable("a text", value, rule)
    text = str(value)
    # a password can begin and end with blanks, but not with an end of line
    return text.strip("\r\n") if rule.get("no_log") else text.strip()


def _list(rule: Mapping[str, Any], value: Any) -> list[Any]:
    element = {"type": rule.get("elements", "str"), "options": rule.get("options")}
    if isinstance(value, Mapping):
        raise _unusable("a list", value, rule)
    items = list(value) if isinstance(value, (list, tuple, set, frozenset)) else _items(element, value)
    read: list[Any] = []
    problems: list[tuple[str, str]] = []
    for number, item in enumerate(items):
        if is_given(item):
            try:
                read.append(_read(element, item))
            except _UnusableError as problem:
                problems += [(f"[{number}]{where}", why) for where, why in problem.found]
    if problems:
        raise _UnusableError(*problems)
    return read


def _items(element: Mapping[str, Any], value: Any) -> Sequence[Any]:
    """The items of a list that is given as one value."""
    text = str(value).strip() if not isinstance(value, (bool, int, float)) else ""
    if not text:
        return [value]
    if element["type"] == "dict" or _is_written_list(text):
        found = _yaml(text)
        if isinstance(found, list):
            return found
        if element["type"] == "dict":
            return [text if found is None else found]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.startswith("- ") for line in lines):
        lines = [line[2:].strip() for line in lines]
    return [item for line in lines for item in _between_commas(line)]


def _is_written_list(text: str) -> bool:
    """Whether it is a list in JSON or YAML. `[ab]` alone is a pattern of names."""
    return text[0] == "[" and text[-1] == "]" and (text == "[]" or any(mark in text for mark in "\"',"))


def _between_commas(line: str) -> Iterator[str]:
    """The items between commas. One within round brackets belongs to a selector: team in (a, b)."""
    begin = depth = 0
    for place, sign in enumerate(line):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth <= 0:
            yield line[begin:place].strip()
            begin = place + 1
    yield line[begin:].strip()


def _dictionary(rule: Mapping[str, Any], value: Any) -> Any:
    found = value
    if isinstance(value, str):
        found = _yaml(value)
        if not isinstance(found, Mapping) and "=" in value:
            return value  # Ansible's own form: key=value key=value
    if not isinstance(found, Mapping):
        raise _unusable("a dictionary, or one in JSON or YAML", value, rule)
    return _by_keys(rule["options"], found) if rule.get("options") else dict(found)


def _by_keys(spec: Spec, value: Mapping[str, Any]) -> dict[str, Any]:
    """A dictionary of which every key is specified."""
    read = read_values(spec, value)
    problems = [(f".{problem.option}", problem.why) for problem in read.problems]
    for key in value:
        if key not in spec:
            problems.append(
                ("", f"has no key {shown(key)}{nearest(str(key), spec, 'it has')} {', '.join(spec)}")
            )
    for key, rule in spec.items():
        if (
            rule.get("required")
            and key not in read.values
            and not any(p.option == key for p in read.problems)
        ):
            problems.append(("", f"needs the key {key}"))
    if problems:
        raise _UnusableError(*problems)
    return dict(read.values)


def _yaml(text: str) -> Any:
    """What a text in JSON or YAML says; None where it is neither."""
    try:
        # of a plain class: libyaml takes no other
        found = plain_data(compose_yaml(str(text), "a value", quick=True))
    except YamlError:
        return None
    # dates become texts, as in files
    return json.loads(json.dumps(found, default=str)) if isinstance(found, (dict, list)) else found


_READERS: Mapping[str, Callable[[Mapping[str, Any], Any], Any]] = {
    "int": _whole_number,
    "float": _number,
    "bool": _boolean,
    "str": _text,
    "path": _text,
    "list": _list,
    "dict": _dictionary,
}
