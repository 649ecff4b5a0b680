# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One setting of a configuration file: login_defs, ini, json, yaml."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

from ...collector.facts import Query
from ...counted_yaml import NOT_YAML
from ...errors import ScanError
from ...strict_json import load_json
from ..evidence import Absent, NotKnownError
from ..resource import Attribute, Parameter, Params, Resource, View, attributes_by_name, present
from ..value_types import ANY, BOOLEAN, PATH, SCALAR, TEXT, ValueType
from ..yaml_document import read_document
from .files import content_text

_LOGIN_DEFS = "/etc/login.defs"

# Reading YAML takes seconds per megabyte, and the container decides how large the file is.
_YAML_LIMIT = 64 * 1024
# Comparing and showing a value goes as deep as the value: Python ends that at a depth that differs by its version.
_JSON_DEPTH = 100


# Lines end at newlines only, and white space is that of C. If we saw more line ends than the program that the
# file is for, we would find settings in its comments.
_BLANKS = " \t\r\v\f"
_LOGIN_DEF = re.compile(r"([^ \t#][^ \t]*)[ \t]+[ \t\"]*([^\"]*)")


def _parse_login_defs(text: str) -> dict[str, str]:
    """As getdef() of the shadow tools reads it: a name, blanks, a value with or without quotes; the last one
    counts."""
    found = (_LOGIN_DEF.match(line.strip(_BLANKS)) for line in text.split("\n"))
    return {match.group(1): match.group(2) for match in found if match}


def _parse_ini(text: str) -> dict[tuple[str, str], str]:
    """Values by (section, key); a key that stands twice has its last value; before the first section it is
    ""."""
    settings: dict[tuple[str, str], str] = {}
    section = ""
    for line in (raw.strip(_BLANKS) for raw in text.split("\n")):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip(_BLANKS)
        elif line and line[0] not in "#;":
            key, _equals, value = line.partition("=")
            settings[section, key.strip(_BLANKS)] = value.strip(_BLANKS)
    return settings


def _parse_yaml(text: str) -> Any:
    if len(text) > _YAML_LIMIT:
        raise ValueError(f"it is longer than {_YAML_LIMIT} characters")
    try:
        return read_document("the file", text).data
    except ScanError as error:
        # what stands behind these words can be a piece of the content
        rule, words, _problem = error.message.partition(NOT_YAML)
        raise ValueError(rule + words) from error


def _parsed(view: View, query: Query, parse: Callable[[str], Any]) -> Any:
    """The settings of a file that is there.

    If the file cannot be parsed, they are not known: its own program perhaps reads it.
    """
    text = content_text(view, query)
    try:
        return view.evidence.parsed((parse, query.key), lambda: parse(text))
    except (ValueError, RecursionError) as error:
        raise NotKnownError(query.key, f"the content cannot be parsed: {error}") from error


def _look_up(settings: Any, keys: list[Any]) -> Any:
    for position, key in enumerate(keys):
        try:
            settings = settings[key if isinstance(settings, dict) else int(key)]
        except (KeyError, IndexError, TypeError, ValueError):
            return Absent("there is no {}".format("/".join(str(part) for part in keys[: position + 1])))
    return Absent("it is null") if settings is None else settings


def _only_existence(value: Any) -> Any:
    return value if isinstance(value, Absent) else True


def _called(params: Params) -> str:
    """The setting's own name: the last key."""
    key = params["key"]
    return str(key[-1] if isinstance(key, list) else key)


def _setting(
    name: str,
    description: str,
    *,
    title: Callable[[Params], str],
    kind: ValueType,
    query: Callable[[Params], Query],
    parse: Callable[[str], Any],
    look_up: Callable[[Any, Params], Any],
    parameters: tuple[Parameter, ...] = (),
    subject: Parameter | None = None,
) -> Resource:
    def setting(view: View) -> Any:
        return look_up(_parsed(view, query(view.params), parse), view.params)

    def read(view: View) -> Any:
        params = view.params
        return view.part(query(params), part(params), lambda _content: setting(view), _called(params))

    def exists(view: View) -> Any:
        where = f"exist {part(view.params)}"
        return present(view.part(query(view.params), where, lambda _content: _only_existence(setting(view))))

    def part(params: Params) -> str:
        """The setting's name, as that of a part of the content."""
        return f"{name} {json.dumps([params.get('section', ''), params['key']])}"

    def needs(params: Params) -> tuple[Query, ...]:
        return (query(params),)

    return Resource(
        name,
        description,
        title,
        lambda params: f"in {query(params).subject}",
        attributes_by_name(
            Attribute(
                "exist",
                BOOLEAN,
                "Whether the file has this setting.",
                exists,
                needs,
                predicate="exist",
            ),
            Attribute("value", kind, "Its value.", read, needs, called=_called),
        ),
        parameters,
        subject,
    )


def _accept_keys(value: Any) -> list[Any]:
    keys = value if isinstance(value, list) else [value]
    if not keys or not all(isinstance(key, (str, int)) and not isinstance(key, bool) for key in keys):
        raise ValueError("found something else")
    return keys


_KEYS = ValueType(
    "a key, or a list of keys and list positions from the top",
    _accept_keys,
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "integer"]}}]},
)
_PATH = Parameter("path", PATH, "Absolute path of the file.", required=True)


def _file_query(params: Params) -> Query:
    return Query("content", params["path"])


def _parse_json(text: str) -> Any:
    """:raises ValueError: also for what is nested deeper than _JSON_DEPTH"""
    found = load_json(text)
    level = [found]
    for _depth in range(_JSON_DEPTH + 1):
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return found
    raise ValueError(f"it is nested deeper than {_JSON_DEPTH}")


def _tree_title(what: str) -> Callable[[Params], str]:
    return lambda params: "{} {} {}".format(what, params["path"], "/".join(str(key) for key in params["key"]))


def _tree(name: str, what: str, parse: Callable[[str], Any]) -> Resource:
    return _setting(
        name,
        f"One value in a {what} file.",
        title=_tree_title(what),
        kind=ANY,
        query=_file_query,
        parse=parse,
        look_up=lambda settings, params: _look_up(settings, params["key"]),
        parameters=(
            _PATH,
            Parameter("key", _KEYS, "Where the value stands: [key, key, position].", required=True),
        ),
    )


def _ini_title(params: Params) -> str:
    return "INI {} [{}] {}".format(params["path"], params.get("section", ""), params["key"])


def _missing(key: str) -> Absent:
    return Absent(f"there is no {key}")


RESOURCES = (
    _setting(
        "login_defs",
        "One setting of /etc/login.defs.",
        title=lambda params: "login.defs {}".format(params["key"]),
        kind=SCALAR,
        query=lambda _params: Query("content", _LOGIN_DEFS),
        parse=_parse_login_defs,
        look_up=lambda settings, params: settings.get(params["key"], _missing(params["key"])),
        subject=Parameter("key", TEXT, "Name of the setting.", required=True),
    ),
    _setting(
        "ini",
        "One value in an INI file.",
        title=_ini_title,
        kind=SCALAR,
        query=_file_query,
        parse=_parse_ini,
        look_up=lambda settings, params: settings.get(
            (params.get("section", ""), params["key"]), _missing(params["key"])
        ),
        parameters=(
            _PATH,
            Parameter("key", TEXT, "Name of the setting.", required=True),
            Parameter("section", TEXT, "Its section; left out: what stands before the first one."),
        ),
    ),
    _tree("json", "JSON", _parse_json),
    _tree("yaml", "YAML", _parse_yaml),
)
