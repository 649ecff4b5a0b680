# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of our roles, as a play has set them: names that nobody reads and values that cannot be used are refused.

Ansible ignores a variable that is misspelt, also one that forbids something. It also refuses an empty text where a number is
due, which is what a survey gives for an empty field. So the file meta/argument_specs of the roles takes its validation away, and
this reads the specification instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..module_utils.counted_yaml import compose_yaml, plain_data
from ..module_utils.errors import ScanError
from ..module_utils.options.bounds import BOUNDS
from ..module_utils.options.spec import Spec
from ..module_utils.options.values import Problem, is_given, read_values
from ..module_utils.suggestions import did_you_mean, near_name

_ROLES = Path(__file__).resolve().parents[2] / "roles"
# What the roles leave for tasks after them.
LEFT_FOR_OTHERS: Mapping[str, frozenset[str]] = {
    "scan": frozenset(
        {
            "scan_access_proof",
            "scan_gate",
            "scan_health_result",
            "scan_info",
            "scan_pushed",
            "scan_recycled",
            "scan_requests_failed",
            "scan_result",
            "scan_signed",
            "scan_waivers_result",
        }
    ),
    "access": frozenset({"access_granted"}),
    "fleet": frozenset(
        {"fleet_begun", "fleet_cluster", "fleet_ended", "fleet_noted", "fleet_pushed", "fleet_signed"}
    ),
}
_FORBIDS = "_forbidden_"
_SEPARATORS = str.maketrans("-. \t", "____")
Template = Callable[[dict[str, Any]], dict[str, Any]]


@lru_cache(maxsize=3)
def variables_of(role: str) -> Spec:
    """The specification of the variables of all entry points of a role, read once for all hosts."""
    path = _ROLES / role / "meta" / "argument_specs.yml"
    document = plain_data(compose_yaml(path.read_text(encoding="utf-8"), str(path), quick=True))
    entries = document["argument_specs"].values()
    return {name: rule for entry in entries for name, rule in entry.get("options", {}).items()}


def check_variables(role: str, task_vars: Mapping[str, Any], template: Template) -> None:
    """:param template: makes the values of variables
    :raises ScanError: bad_option, for a variable that nothing reads, and for a value that cannot be used
    """
    spec, prefix = variables_of(role), f"{role}_"
    # in one dictionary, from which Ansible takes what a template omits
    given = template({name: task_vars[name] for name in spec if name in task_vars})
    read = read_values(
        spec, {name: value for name, value in given.items() if not _is_omitted(value, task_vars)}
    )
    foreign = read.values.get(f"{prefix}foreign_variables", [])
    known = {*spec, *LEFT_FOR_OTHERS[role]}
    unknown = [
        name
        for name in _meant_for(prefix, task_vars, known)
        if not any(fnmatchcase(name, pattern) for pattern in foreign)
    ]
    if unknown:
        raise _unknown_variables(role, sorted(unknown))
    problems = [*read.problems, *_beyond_bounds(prefix, read.values)]
    if problems:
        raise ScanError(
            "bad_option",
            "; ".join(problem.text for problem in problems),
            tried=f"reading the variables of the role {role}",
            advice="Correct the variables.",
        )


def _meant_for(prefix: str, names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Names that are not known and begin like ours, in any case and with any separator, or that are one slip from a name that
    forbids something."""
    forbidding = [_letters(name) for name in known if _FORBIDS in name]
    for name in names:
        if name in known:
            continue
        normal = _normal(name)
        letters = _letters(normal)
        if normal.startswith(prefix) or any(
            abs(len(letters) - len(meant)) <= 1 and _is_one_slip(letters, meant) for meant in forbidding
        ):
            yield name


def _normal(name: str) -> str:
    return name.lower().translate(_SEPARATORS)


def _letters(name: str) -> str:
    return name.replace("_", "")


def _is_one_slip(word: str, meant: str) -> bool:
    """Whether at most one letter is left out, added, another, or in the wrong order. They differ in length by one at most."""
    same = 0
    for one, other in zip(word, meant):
        if one != other:
            break
        same += 1
    rest, other = word[same:], meant[same:]
    return (
        rest[1:] in (other, other[1:])
        or rest == other[1:]
        or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )


def variable_of(role: str, option: str) -> str | None:
    """The variable of a role that is passed as that option of a module; None where there is none of the name."""
    name = f"{role}_{option}"
    return name if name in variables_of(role) else None


def _is_omitted(value: Any, task_vars: Mapping[str, Any]) -> bool:
    """Before ansible-core 2.19, a variable that is omitted has a certain text as its value."""
    return not is_given(value) or (isinstance(value, str) and value == task_vars.get("omit"))


def _beyond_bounds(prefix: str, values: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for option, bounds in BOUNDS.items():
        name = prefix + option
        why = bounds.refusal(values[name]) if name in values else ""
        if why:
            problems.append(Problem(name, why))
    return problems


def _unknown_variables(role: str, names: list[str]) -> ScanError:
    prefix = f"{role}_"
    known = {name[len(prefix) :]: name for name in variables_of(role)}
    told = []
    for name in names:
        normal = _normal(name)
        near = near_name(normal[len(prefix) :] if normal.startswith(prefix) else normal, known)
        told.append(f"you have set {name}{did_you_mean(known[near]) if near else ', which nothing reads'}")
    return ScanError(
        "bad_option",
        "; ".join(told),
        tried=f"reading the variables of the role {role}",
        cause="Ansible ignores a variable that nothing reads, also one that forbids something.",
        advice=f"Correct the names; `ansible-doc -t role securescan.kubernetes.{role}` lists all. Variables of your own that "
        f"begin with {prefix} can stay: name them in {prefix}foreign_variables.",
    )
