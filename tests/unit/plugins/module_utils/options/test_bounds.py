# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that is a number has bounds, which its documentation says and which hold before anything is touched."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.bounds import (
    BOUNDS,
    Bounds,
    check_number,
    check_numbers,
)
from ansible_collections.securescan.kubernetes.tests.support.specifications import (
    EVERY_OPTION,
    ROOT,
    variables_of,
)

NUMBERS = [
    (where, option, rule) for where, option, rule in EVERY_OPTION if rule.get("type") in ("int", "float")
]
every_number = pytest.mark.parametrize(
    ("where", "option", "rule"), [pytest.param(*number, id="-".join(number[:2])) for number in NUMBERS]
)
# The variable of a role that is not called as its option is.
OPTION_OF = {
    "scan_recycle_wait_timeout": "wait_timeout",
    "scan_health_canary_timeout": "canary_timeout",
    "scan_request_seconds": "seconds",
    **{f"scan_waivers_{name}": name for name in ("expiring_days", "wide_places", "long_days")},
}


def bounds_of(where: str, option: str) -> Bounds:
    name = OPTION_OF.get(option, option)
    return BOUNDS[name.removeprefix(where.removeprefix("role ") + "_") if where.startswith("role ") else name]


@every_number
def test_a_number_has_bounds_and_its_default_is_within(where: str, option: str, rule: dict[str, Any]) -> None:
    bounds = bounds_of(where, option)
    assert rule.get("default") is None or not bounds.refusal(rule["default"])


def described(where: str, option: str) -> str:
    """What the documentation says of an option or a variable, in one line."""
    if where.startswith("role "):
        options = variables_of(where[5:])
    else:
        options = {}
        for source in [
            ROOT / "plugins" / "modules" / f"{where}.py",
            *(ROOT / "plugins" / "doc_fragments").glob("*.py"),
        ]:
            found = re.search(r'DOCUMENTATION = r"""(.*?)"""', source.read_text(encoding="utf-8"), re.DOTALL)
            options = {**(yaml.safe_load(found[1]) if found else {}).get("options", {}), **options}
    said = options[option]["description"]
    return " ".join(said if isinstance(said, list) else [said])


@every_number
def test_the_documentation_of_a_number_says_its_bounds(where: str, option: str, rule: dict[str, Any]) -> None:
    bounds = bounds_of(where, option)
    assert f"from {bounds.least} to {bounds.most}" in described(where, option).replace("From", "from")


@pytest.mark.parametrize("option", sorted(BOUNDS))
def test_a_number_beyond_its_bounds_is_refused_by_the_name_of_its_option(option: str) -> None:
    bounds = BOUNDS[option]
    for value in (bounds.least - 1, bounds.most + 1, -1e300, math.nan, math.inf, -math.inf):
        with pytest.raises(ScanError) as caught:
            check_number(option, value)
        assert caught.value.reason == "bad_option" and caught.value.tried == f"reading the option {option}"
        assert f"it must be from {bounds.least} to {bounds.most}" in caught.value.message
    check_number(option, bounds.least)
    check_number(option, bounds.most)


def test_numbers_that_are_not_given_or_not_numbers_of_ours_are_passed_over() -> None:
    check_numbers({"limit": None, "other": -1, "lifetime": 1})
    with pytest.raises(ScanError, match="concurrency is 0; it must be from 1 to 1000"):
        check_numbers({"limit": None, "concurrency": 0})
