# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx_setup with the real collection awx.awx, against a double of AWX's API that enforces its rules."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.environment.ansible_collection import (
    collections_folder,
    version_of,
)
from ansible_collections.securescan.kubernetes.tests.support.awx_double import ADMIN, AwxDouble
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT.parents[2]
PLAYBOOKS = frozenset(str(path.relative_to(ROOT)) for path in (ROOT / "playbooks").glob("*.yml"))
SECRETS = {
    "awx_kubeconfig": "kubeconfig-secret-4711",
    "awx_store_password": "store-secret-4711",
    "awx_signing_key": "key-secret-4711",
}
VARIABLES = {
    "awx_image": "registry.example.com/securescan-ee:1",
    "awx_clusters": {"prod-eu": {}, "prod-us": {"scan_namespaces": ["shop"]}},
    "awx_variables": {"scan_threshold": {"compliance": {"min": 80}}},
    "awx_store": "postgresql://securescan@db.example.com/securescan",
    "awx_sinks": [{"system": "webhook", "url": "https://siem.example.com/in", "token": "sink-secret-4711"}],
    "awx_results_claim": "securescan-results",
    "awx_notifications": [
        {
            "name": "securescan operators",
            "type": "webhook",
            "configuration": {
                "url": "https://chat.example.com/hook",
                "headers": {},
                "password": "hook-secret-4711",
            },
            "on": ["error", "approval"],
        }
    ],
    "awx_teams": [
        {
            "name": "shop",
            "namespaces": ["shop", "billing"],
            "kubeconfig": "team-secret-4711",
            "limit": "prod-eu",
        }
    ],
    **SECRETS,
}


@pytest.fixture(scope="module")
def awx() -> Iterator[AwxDouble]:
    with AwxDouble(PLAYBOOKS) as double:
        yield double


def setup(
    awx: AwxDouble, folder: pathlib.Path, *arguments: str, playbook: str = "awx_setup", **variables: object
) -> subprocess.CompletedProcess:
    given = folder / "variables.json"
    given.write_text(json.dumps({**VARIABLES, **variables}))
    return subprocess.run(
        [
            str(pathlib.Path(sys.executable).parent / "ansible-playbook"),
            f"securescan.kubernetes.{playbook}",
            "-i",
            "localhost,",
            "-e",
            f"@{given}",
            *list(arguments),
        ],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{collections_folder('awx.awx')}",
            "ANSIBLE_NOCOLOR": "1",
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": ADMIN,
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def recap(output: str) -> dict[str, int]:
    return {
        name: int(number)
        for name, number in re.findall(r"(ok|changed|failed)=(\d+)", output.rpartition("PLAY RECAP")[2])
    }


def asked(awx: AwxDouble, method: str, path: str, token: str, body: object = None) -> tuple[int, dict]:
    request = urllib.request.Request(
        awx.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def test_from_an_empty_awx_to_a_night_in_one_playbook_and_again_without_a_change(awx, tmp_path):
    looked = setup(awx, tmp_path, "--check")
    assert looked.returncode == 0, looked.stdout
    assert awx.writes == []
    assert recap(looked.stdout)["changed"] > 10

    made = setup(awx, tmp_path)
    assert made.returncode == 0, made.stdout
    assert recap(made.stdout)["changed"] > 10
    for secret in ("secret-4711", ADMIN):
        assert secret not in made.stdout + looked.stdout
    assert len(awx.objects["job_templates"]) == 10
    nodes = {one["identifier"] for one in awx.objects["workflow_job_template_nodes"].values()}
    assert nodes == {"plan", "scan", "merge", "gate", "approval", "push", "verdict"}

    # AWX shows no secret, so nobody can tell whether another one was given: it is sent only when that is asked for
    before, kubeconfig = len(awx.writes), awx.of("credentials", name="securescan kubeconfig")["inputs"]
    other = "another-secret-4711"
    again = setup(awx, tmp_path, awx_kubeconfig=other)
    assert again.returncode == 0, again.stdout
    assert recap(again.stdout)["changed"] == 0, again.stdout
    assert awx.writes[before:] == []
    assert kubeconfig["kubeconfig"] == SECRETS["awx_kubeconfig"]

    # what is no longer so is told and mended, and nothing else
    awx.of("job_templates", name="securescan scan")["forks"] = 99
    mended = setup(awx, tmp_path, awx_kubeconfig=other, awx_update_secrets=True)
    written = {path.split("/")[3] for _method, path, *_rest in awx.writes[before:]}
    assert written == {"job_templates", "credentials", "notification_templates"}, awx.writes[before:]
    assert recap(mended.stdout)["failed"] == 0, mended.stdout
    assert awx.of("job_templates", name="securescan scan")["forks"] == 5
    assert awx.of("credentials", name="securescan kubeconfig")["inputs"]["kubeconfig"] == other
    shown(
        "awx.awx",
        version_of("awx.awx"),
        "makes every object that AWX needs, twice, in a double of its API",
        SECTIONS[0],
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"awx_image": ""}, "awx_image is missing"),
        ({"awx_clusters": {}}, "There is no cluster"),
        ({"awx_teams": [{"name": "shop", "namespaces": [], "kubeconfig": "x"}]}, "A team without namespaces"),
        (
            {"awx_teams": [{"name": "shop", "namespaces": ["*"], "kubeconfig": "x"}]},
            "are names, not patterns",
        ),
        ({"awx_approval": "perhaps"}, "perhaps"),
        ({"awx_regions": [{"name": "eu"}, {"name": "us"}]}, "needs a limit"),
    ],
)
def test_bad_input_is_refused_before_awx_is_asked(awx, tmp_path, variables, said):
    before = len(awx.requests)
    refused = setup(awx, tmp_path, **variables)
    assert refused.returncode == 2
    assert said in refused.stdout
    assert len(awx.requests) == before


def test_a_team_starts_its_own_template_and_sees_nothing_else(awx):
    """In the AWX that the first test has filled."""
    awx.members["ann"] = {awx.of("teams", name="shop")["id"]}
    own = awx.of("job_templates", name="securescan shop")["id"]
    _status, seen = asked(awx, "GET", "/api/v2/job_templates/", "token-ann")
    assert [one["name"] for one in seen["results"]] == ["securescan shop"]
    for kind in ("credentials", "inventories", "projects", "workflow_job_templates"):
        assert asked(awx, "GET", f"/api/v2/{kind}/", "token-ann")[1]["results"] == [], kind
    assert asked(awx, "PATCH", f"/api/v2/job_templates/{own}/", "token-ann", {"limit": "all"})[0] == 403
    path = f"/api/v2/job_templates/{own}/launch/"
    assert asked(awx, "POST", path, "token-ann", {"extra_vars": {"team_namespaces": ["shop"]}})[0] == 201
    # another namespace, a variable that nobody asks for, another template
    for wrong in (
        {"team_namespaces": ["kube-system"]},
        {"scan_namespaces": ["kube-system"]},
        {"scan_threshold": "/etc/passwd"},
    ):
        assert asked(awx, "POST", path, "token-ann", {"extra_vars": wrong})[0] == 400, wrong
    other = awx.of("job_templates", name="securescan scan")["id"]
    assert asked(awx, "POST", f"/api/v2/job_templates/{other}/launch/", "token-ann", {})[0] in (403, 404)


def test_the_same_objects_as_variables_for_the_other_collection(awx, tmp_path):
    written, before = tmp_path / "controller.yml", len(awx.requests)
    done = setup(awx, tmp_path, playbook="awx_variables", awx_variables_file=str(written))
    assert done.returncode == 0, done.stdout
    assert len(awx.requests) == before
    text = written.read_text()
    assert "secret-4711" not in text

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    variables = yaml.load(text, Loader=Loader)
    assert len(variables["controller_templates"]) == 10
    # what AWX is to template is no template for Ansible
    assert all("!unsafe" in line for line in text.splitlines() if "{{" in line)
