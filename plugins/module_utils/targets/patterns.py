# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and shell patterns: which of them are valid, and what they match."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import ScanError

_PATTERN = re.compile(r"[*?\[]")
_BRACKETS = re.compile(r"\[!?([^\[\]]+)\]")


@dataclass(frozen=True)
class NameRule:
    """The rule for one kind of names.

    :ivar length: the largest number of characters
    :ivar characters: the allowed ones, as a class of a regular expression
    :ivar form: a regular expression for the whole name
    :ivar said: the rule in words
    """

    length: int
    characters: str
    form: str
    said: str

    def allows(self, text: str) -> bool:
        """Whether the text is such a name, or a pattern that such a name could match."""
        if not is_pattern(text):
            return len(text) <= self.length and bool(re.fullmatch(self.form, text))
        literals = _BRACKETS.sub(r"\1", text)
        return bool(re.fullmatch(f"[{self.characters}*?]+", literals))


_LABEL_FORM = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
# Kubernetes: object names and IDs. Namespaces and containers have DNS labels, pods and workloads DNS
# subdomains.
DNS_LABEL = NameRule(63, "-a-z0-9", _LABEL_FORM, "lower-case letters, digits and -, at most 63")
DNS_SUBDOMAIN = NameRule(
    253, "-.a-z0-9", rf"{_LABEL_FORM}(\.{_LABEL_FORM})*", "lower-case letters, digits, - and ., at most 253"
)
# The grammar of image references, without its finer points: registry:port/path:tag@digest.
IMAGE = NameRule(1024, "-A-Za-z0-9._/:@", r"[A-Za-z0-9][-A-Za-z0-9._/:@]*", "an image reference")
_KIND = NameRule(63, "A-Za-z0-9", r"[A-Za-z][A-Za-z0-9]*", "a kind")

# kubectl's short names; a kind's plural is understood too.
_SHORT_KINDS: dict[str, str] = {
    "deploy": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "rs": "replicaset",
    "rc": "replicationcontroller",
    "cj": "cronjob",
    "po": "pod",
    "no": "node",
}
_PLURAL = re.compile(
    r"(deployment|statefulset|daemonset|replicaset|replicationcontroller|cronjob|job|pod|node)s"
)


def is_pattern(text: str) -> bool:
    return bool(_PATTERN.search(text))


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the names or patterns matches this name. Upper and lower case differ."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def matches_workload(kind: str, name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, as `read_workloads` gives them, matches the workload."""
    return matches(f"{kind.lower()}/{name}", patterns)


def check_names(option: str, names: Sequence[str], rule: NameRule) -> None:
    """:raises ScanError: bad_option for a text that is not such a name and matches none"""
    for name in names:
        if not rule.allows(name):
            raise _refused(option, name, f"is neither a name ({rule.said}) nor a pattern of names")


def check_selectors(option: str, selectors: Sequence[str]) -> None:
    """Refuse an empty selector: it would select everything, and usually comes from a variable without a
    value.

    Any other mistake in a selector is found by the API server.

    :raises ScanError: bad_option
    """
    for selector in selectors:
        if not selector.strip():
            raise _refused(option, selector, "is empty")


def read_workloads(option: str, workloads: Sequence[str]) -> tuple[str, ...]:
    """Each KIND/NAME with its kind in full and in lower case; both parts can be patterns.

    :raises ScanError: bad_option
    """
    return tuple("/".join(_split_workload(option, text)) for text in workloads)


def _split_workload(option: str, text: str) -> tuple[str, str]:
    kind, slash, name = text.partition("/")
    if not slash or not _KIND.allows(kind) or not DNS_SUBDOMAIN.allows(name):
        raise _refused(option, text, "is not KIND/NAME, such as Deployment/api, Deployment/* or */api")
    kind = kind.lower()
    plural = _PLURAL.fullmatch(kind)
    return (plural.group(1) if plural else _SHORT_KINDS.get(kind, kind)), name


def _refused(option: str, text: str, why: str) -> ScanError:
    return ScanError("bad_option", f"{text[:300]!r} {why}", tried=f"reading the option {option}")
