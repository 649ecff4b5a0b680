# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which team and environment a namespace belongs.

    team:
      labels: [example.com/team, team]       # of the namespace: the first key that it has counts
      annotations: [example.com/owner]       # asked behind the labels
    environment:
      labels: [example.com/environment]
    namespaces:                              # the operator's own words, which go before labels and annotations
      - {cluster: "prod-*", environment: production}
      - {cluster: "prod-*", namespace: shop, team: shop}

Each rule of `namespaces` gives a team, an environment or both. For either the first rule counts that fits and gives it; a
pattern that is left out fits everything. Whoever can write a namespace's labels can write its team: what must not be
written by others stands under `namespaces`.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..editor_schema import Schema, closed_object, described, list_of, whole_text
from ..errors import ScanError
from ..safe_text import escape_text
from ..suggestions import unknown_name
from .strict_yaml import load_yaml

MAX_NAME = 100
_MAX_RULES = 10_000
_MAX_KEYS = 20
_MAX_PATTERN = 253
_SECTIONS = ("team", "environment", "namespaces")
_SOURCES = ("labels", "annotations")
_RULE_KEYS = ("cluster", "namespace", "team", "environment")
# Letters of these look like each other's: a name has those of one at most.
_ALIKE = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE")
# Characters that count as printable and are not seen: joiners, fillers, selectors of variants.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# The key of a label or an annotation: an optional DNS subdomain, a slash, and a name.
_KEY = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)


@dataclass(frozen=True)
class Ownership:
    """Both are empty where they are not known. `refused` are the keys of labels and annotations whose values are no names."""

    team: str = ""
    environment: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    cluster: str
    namespace: str
    team: str
    environment: str

    def fits(self, cluster: str, namespace: str) -> bool:
        return fnmatch.fnmatchcase(cluster, self.cluster) and fnmatch.fnmatchcase(namespace, self.namespace)


@dataclass(frozen=True)
class _Keys:
    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.annotations)

    def look(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> tuple[str, str]:
        """(name, refused key), at most one of them not empty. A value that is no name is not passed over for the next key:
        that one can be another team's."""
        for keys, values in ((self.labels, labels), (self.annotations, annotations)):
            for key in keys:
                value = values.get(key)
                if value is not None and value != "":
                    return (value, "") if is_name(value) else ("", key)
        return "", ""


@dataclass(frozen=True)
class TeamRules:
    """Who owns a namespace, by a file or mapping as the module's text describes it."""

    team: _Keys = _Keys()
    environment: _Keys = _Keys()
    rules: tuple[_Rule, ...] = ()

    @classmethod
    def of_mapping(cls, value: Any, source: str = "teams") -> TeamRules:
        """:raises ScanError: bad_teams, naming the entry, for any other shape and for rules that give nothing"""
        if not isinstance(value, Mapping) or not value:
            raise _bad(source, "must hold team, environment or namespaces")
        _check_keys(value, _SECTIONS, source, "")
        rules = value.get("namespaces", [])
        if not isinstance(rules, list) or len(rules) > _MAX_RULES:
            raise _bad(source, f"namespaces must be a list of at most {_MAX_RULES} rules")
        return cls(
            _keys(value, "team", source),
            _keys(value, "environment", source),
            tuple(_rule(rule, f"namespaces[{number}]", source) for number, rule in enumerate(rules)),
        )

    def needs_labels(self, cluster: str, namespace: str) -> bool:
        """Whether the namespace's labels or annotations can say what its rules do not."""
        given = self._by_rules(cluster, namespace)
        return bool((self.team and not given.team) or (self.environment and not given.environment))

    def owner(
        self, cluster: str, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> Ownership:
        """:param labels: of the namespace, empty where they are not known; whatever the cluster has sent"""
        given = self._by_rules(cluster, namespace)
        team, refused_team = (given.team, "") if given.team else self.team.look(labels, annotations)
        environment, refused_environment = (
            (given.environment, "") if given.environment else self.environment.look(labels, annotations)
        )
        refused = tuple(dict.fromkeys(key for key in (refused_team, refused_environment) if key))
        return Ownership(team, environment, refused)

    def _by_rules(self, cluster: str, namespace: str) -> Ownership:
        fitting = [rule for rule in self.rules if rule.fits(cluster, namespace)]
        return Ownership(
            next((rule.team for rule in fitting if rule.team), ""),
            next((rule.environment for rule in fitting if rule.environment), ""),
        )


# What a schema can say of `is_name`.
NAME_SCHEMA: Schema = {"type": "string", "pattern": r"^[^\s(](?:.*\S)?$", "maxLength": MAX_NAME}


def teams_schema() -> Schema:
    """Of a file of rules."""
    key = whole_text(_KEY.pattern)
    keys: Schema = {**list_of(key, least=0, most=_MAX_KEYS), "uniqueItems": True}
    source = closed_object(
        {
            "labels": described(keys, "labels of the namespace: the first that it has counts"),
            "annotations": described(keys, "annotations of the namespace, asked behind the labels"),
        },
        least=1,
    )
    pattern: Schema = {"type": "string", "minLength": 1, "maxLength": _MAX_PATTERN}
    rule = closed_object(
        {
            "cluster": described(pattern, "a name or a shell pattern; every cluster without this key"),
            "namespace": described(pattern, "a name or a shell pattern; every namespace without this key"),
            "team": NAME_SCHEMA,
            "environment": NAME_SCHEMA,
        }
    )
    sections = {
        "team": source,
        "environment": source,
        "namespaces": described(
            list_of(
                {**rule, "anyOf": [{"required": ["team"]}, {"required": ["environment"]}]}, 0, _MAX_RULES
            ),
            "the operator's own words, which go before labels and annotations; the first rule that fits counts",
        ),
    }
    return closed_object({name: sections[name] for name in _SECTIONS}, least=1)


def load_teams(content: str | Mapping[str, Any], source: str) -> TeamRules:
    """The rules in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: bad_teams
    """
    loaded = load_yaml(content, source, "bad_teams") if isinstance(content, str) else content
    return TeamRules.of_mapping(loaded, source)


def is_name(value: object) -> bool:
    """Whether it can be the name of a team or an environment: a printed text of at most 100 characters, without blanks at its
    ends or two in a row, without characters that are not seen or look like others (`NFKC` changes nothing in it, and its
    letters are not of several scripts that look alike). With a bracket begin words of reports: (none), (others)."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_NAME
        and value.isprintable()
        and value == value.strip()
        and "  " not in value
        and not value.startswith("(")
        and not _UNSEEN.search(value)
        and unicodedata.normalize("NFKC", value) == value
        and len(_scripts(value)) < 2
    )


def _scripts(text: str) -> set[str]:
    """Those of the scripts that look alike of which it has letters."""
    named = {unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()}
    return named.intersection(_ALIKE)


def _check_keys(value: Mapping[Any, Any], known: Sequence[str], source: str, place: str) -> None:
    for key in value:
        if key not in known:
            shown = escape_text(str(key)[:MAX_NAME])
            raise _bad(source, (f"{place}: " if place else "") + unknown_name("key", shown, known))


def _keys(value: Mapping[str, Any], section: str, source: str) -> _Keys:
    given = value.get(section)
    if given is None and section not in value:
        return _Keys()
    if not isinstance(given, Mapping) or not given:
        raise _bad(source, f"{section} must hold labels or annotations, each a list of keys")
    _check_keys(given, _SOURCES, source, section)
    return _Keys(*(_key_list(given.get(name, []), f"{section}.{name}", source) for name in _SOURCES))


def _key_list(value: Any, place: str, source: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_KEYS:
        raise _bad(source, f"{place} must be a list of at most {_MAX_KEYS} keys")
    for key in value:
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise _bad(
                source, f"{place}: {escape_text(str(key)[:MAX_NAME])!r} is no key such as example.com/team"
            )
    if len(set(value)) < len(value):
        raise _bad(source, f"{place} names a key twice")
    return tuple(value)


def _rule(rule: Any, place: str, source: str) -> _Rule:
    if not isinstance(rule, Mapping) or not rule:
        raise _bad(source, f"{place} must be a rule such as {{cluster: prod-*, namespace: shop, team: shop}}")
    _check_keys(rule, _RULE_KEYS, source, place)
    for name in ("cluster", "namespace"):
        pattern = rule.get(name, "*")
        if not isinstance(pattern, str) or not 0 < len(pattern) <= _MAX_PATTERN:
            raise _bad(
                source, f"{place}.{name} must be a name or a pattern of at most {_MAX_PATTERN} characters"
            )
    for name in ("team", "environment"):
        if name in rule and not is_name(rule[name]):
            shown = escape_text(str(rule[name])[:MAX_NAME])
            raise _bad(
                source, f"{place}.{name} must be a name of at most {MAX_NAME} characters, found {shown!r}"
            )
    if "team" not in rule and "environment" not in rule:
        raise _bad(source, f"{place} gives neither team nor environment")
    return _Rule(
        rule.get("cluster", "*"),
        rule.get("namespace", "*"),
        rule.get("team", ""),
        rule.get("environment", ""),
    )


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_teams", f"{source}: {what}", tried="read teams")
