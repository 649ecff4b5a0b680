# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration item of a CMDB a place is: a file of the operator.

    items:
      - {cluster: "prod-*", namespace: shop, workload: api, container: app, item: CI0001234}
      - {cluster: "prod-*", namespace: shop, item: SHOP}

The first rule that fits counts; a pattern that is left out fits everything. `item` is what the CMDB calls it: a sys_id, a number
or a name. A place that no rule fits has no item.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..suggestions import unknown_name
from .place import HasPlace
from .strict_yaml import load_yaml

_MAX_RULES = 10_000
_MAX_PATTERN = 253
_MAX_ITEM = 200
_PATTERNS = ("cluster", "namespace", "workload_kind", "workload", "container")


@dataclass(frozen=True)
class _Rule:
    patterns: tuple[tuple[str, str], ...]
    item: str

    def fits(self, place: HasPlace) -> bool:
        return all(fnmatch.fnmatchcase(getattr(place, name), pattern) for name, pattern in self.patterns)

    def fits_cluster(self, cluster: str) -> bool:
        return all(
            fnmatch.fnmatchcase(cluster, pattern) for name, pattern in self.patterns if name == "cluster"
        )


@dataclass(frozen=True)
class ConfigurationItems:
    """The rules of a file as the module's text describes it."""

    rules: tuple[_Rule, ...] = ()

    def of(self, place: HasPlace) -> str:
        """What the CMDB calls the place; empty where no rule fits."""
        return next((rule.item for rule in self.rules if rule.fits(place)), "")

    def of_cluster(self, cluster: str) -> tuple[str, ...]:
        """The items that places of a cluster can have, each once."""
        return tuple(dict.fromkeys(rule.item for rule in self.rules if rule.fits_cluster(cluster)))


def read_configuration_items(path: str) -> ConfigurationItems:
    """The rules in the file that the option configuration_items names; none without one.

    :raises ScanError: bad_file, bad_configuration_items
    """
    if not path:
        return ConfigurationItems()
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as reason:
        why = getattr(reason, "strerror", "") or "it is not UTF-8"
        raise ScanError(
            "bad_file", f"{path}: {why}", tried="reading the option configuration_items"
        ) from None
    return load_configuration_items(content, path)


def load_configuration_items(content: str | Mapping[str, Any], source: str) -> ConfigurationItems:
    """The rules in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: bad_configuration_items
    """
    value = load_yaml(content, source, "bad_configuration_items") if isinstance(content, str) else content
    if not isinstance(value, Mapping) or set(value) != {"items"}:
        raise _bad(source, "must hold items, and nothing else")
    rules = value["items"]
    if not isinstance(rules, list) or len(rules) > _MAX_RULES:
        raise _bad(source, f"items must be a list of at most {_MAX_RULES} rules")
    return ConfigurationItems(
        tuple(_rule(rule, f"items[{number}]", source) for number, rule in enumerate(rules))
    )


def _rule(value: Any, where: str, source: str) -> _Rule:
    if not isinstance(value, Mapping):
        raise _bad(source, f"{where} must be a mapping")
    known = (*_PATTERNS, "item")
    for name in value:
        if name not in known:
            raise _bad(source, f"{where}: {unknown_name('key', str(name)[:100], known)}")
    texts = {name: _text(value[name], f"{where}.{name}", source) for name in value}
    if not texts.get("item"):
        raise _bad(source, f"{where} needs item")
    return _Rule(tuple((name, texts[name]) for name in _PATTERNS if name in texts), texts["item"])


def _text(value: Any, where: str, source: str) -> str:
    limit = _MAX_ITEM if where.endswith(".item") else _MAX_PATTERN
    if not isinstance(value, str) or not value or len(value) > limit or not value.isprintable():
        raise _bad(source, f"{where} must be a printed text of 1 to {limit} characters")
    return value


def _bad(source: str, problem: str) -> ScanError:
    return ScanError("bad_configuration_items", f"{source}: {problem}", tried="read configuration items")
