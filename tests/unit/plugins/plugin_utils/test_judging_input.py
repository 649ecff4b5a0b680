# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read on the controller for a task that may run elsewhere: profiles, waivers, attestations."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

pytest.importorskip("ansible", reason="action plugins belong to Ansible")

from ansible.parsing.dataloader import DataLoader
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.controller_files import ControllerFiles
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.profile_and_amendment_files import (
    read_judging_input,
)

WAIVERS = """\
pod-no-host-network:
  expiration_date: 2099-01-31
  justification: the gateway needs it
  owner: network team
"""


def read(**changes: Any) -> dict[str, Any]:
    params = {name: rule.get("default") for name, rule in scan_judgement_spec().items()}
    files = ControllerFiles([], DataLoader())
    return read_judging_input({**params, "profiles": ["workload-baseline"], **changes}, files)


def refusal(**changes: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        read(**changes)
    return caught.value


def test_profiles_are_handed_over_as_plain_values() -> None:
    found = read()
    assert [profile["name"] for profile in found["compiled_profiles"]] == ["workload-baseline"]
    assert json.loads(json.dumps(found)) == found and set(found) == {"compiled_profiles"}


def test_a_file_of_waivers_is_handed_over_as_its_content(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "waivers.yml"
    file.write_text(WAIVERS, encoding="utf-8")
    found = read(waivers=str(file))["waivers"]
    assert found["pod-no-host-network"]["expiration_date"] == "2099-01-31", "a date is no JSON"


def test_waivers_that_are_no_file_are_the_tasks_own() -> None:
    assert "waivers" not in read(waivers={"pod-no-host-network": {"justification": "x"}})


def test_a_text_in_json_is_the_content_as_a_survey_gives_it() -> None:
    found = read(waivers='{"pod-no-host-network": {"justification": "x", "expiration_date": "2099-01-31"}}')
    assert found["waivers"]["pod-no-host-network"]["justification"] == "x"
    assert "the option waivers" in str(refusal(waivers='{"pod-no-host-network": 7}'))
    assert refusal(waivers="{broken").reason == "bad_waivers"


@pytest.mark.parametrize("option", ["waivers", "attestations"])
def test_a_file_that_breaks_its_format_is_told_with_its_name(tmp_path: pathlib.Path, option: str) -> None:
    file = tmp_path / "broken.yml"
    file.write_text("- {", encoding="utf-8")
    error = refusal(**{option: str(file)})
    assert error.reason == f"bad_{option}" and str(file) in str(error)
    file.write_text("7", encoding="utf-8")
    assert refusal(**{option: str(file)}).reason == f"bad_{option}"


@pytest.mark.parametrize("option", ["waivers", "attestations"])
def test_a_file_that_cannot_be_read_is_told_with_its_name(tmp_path: pathlib.Path, option: str) -> None:
    error = refusal(**{option: str(tmp_path / "nothing.yml")})
    assert error.reason == "bad_file" and "nothing.yml" in error.message


def test_a_profile_that_is_not_there_is_told() -> None:
    assert "no-such-profile" in str(refusal(profiles=["no-such-profile"]))
