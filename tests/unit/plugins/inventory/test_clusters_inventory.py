# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as `ansible-inventory` and plays see it: no secret, no template, and nothing that is missing unseen."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

pytest.importorskip("ansible", reason="inventories belong to Ansible")

from ansible_collections.securescan.kubernetes.plugins.inventory import clusters as plugin
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.registry import SOURCES
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.source import spec_of_all
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.fake_hub import (
    CLUSTERS,
    MANAGED,
    argocd_secret,
    cluster_api_cluster,
    cluster_api_secret,
    encoded,
    inline_kubeconfig,
    managed_cluster,
    put,
)

PROGRAMS = pathlib.Path(sys.executable).parent
FLEET = f"{CLUSTERS}/namespaces/fleet/clusters"
HUB = {"kubeconfig": "hub.kubeconfig"}
HOSTILE = "{{ lookup('ansible.builtin.pipe', 'touch ' ~ inventory_dir ~ '/owned') }}"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeApiServer, FakeApiServer]]:
    """A hub, and a cluster that its Secrets reach."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with FakeApiServer(authority) as hub, FakeApiServer(authority) as cluster:
        cluster.add_pod("shop", "api-1", {"app": no_shell})
        put(hub, FLEET, cluster_api_cluster("prod", {"team": "shop", "note": HOSTILE}))
        put(
            hub,
            "/api/v1/namespaces/fleet/secrets",
            cluster_api_secret("prod", inline_kubeconfig(cluster)),
            cluster_api_secret("planted", inline_kubeconfig(cluster)),
        )
        put(
            hub,
            "/api/v1/namespaces/argocd/secrets",
            argocd_secret(
                "cluster-1",
                "argo-lab",
                cluster.url,
                {
                    "bearerToken": cluster.token,
                    "tlsClientConfig": {"caData": encoded(authority.ca.read_bytes())},
                },
                team="edge",
            ),
        )
        put(hub, MANAGED, managed_cluster("managed", cluster.url, {"region": HOSTILE}))
        yield hub, cluster


@pytest.fixture
def folder(tmp_path: pathlib.Path, fleet: tuple[FakeApiServer, FakeApiServer]) -> pathlib.Path:
    hub, cluster = fleet
    hub.requests.clear()
    cluster.requests.clear()
    for name, server in (("hub.kubeconfig", hub), ("own.kubeconfig", cluster)):
        path = tmp_path / name
        path.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
        path.chmod(0o600)
    return tmp_path


EVERY_SOURCE = [
    {"type": "kubeconfig", "paths": ["own.kubeconfig"]},
    {"type": "cluster_api", **HUB},
    {"type": "argocd", **HUB},
    {"type": "open_cluster_management", **HUB, "secret": {"name": "securescan"}},
    {"type": "static", "clusters": [{"name": "listed", "kubeconfig": "own.kubeconfig"}]},
]


def write(folder: pathlib.Path, sources: Any, **options: Any) -> pathlib.Path:
    path = folder / "clusters.yml"
    document = {"plugin": "securescan.kubernetes.clusters", "sources": sources, **options}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def run(
    folder: pathlib.Path, program: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_")}
    return subprocess.run(
        [str(PROGRAMS / program), "-i", str(folder / "clusters.yml"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **own,
            "HOME": str(folder),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            **environ,
        },
        cwd=folder,
    )


def listing(folder: pathlib.Path, **environ: str) -> dict[str, Any]:
    done = run(folder, "ansible-inventory", "--list", **environ)
    assert done.returncode == 0, done.stderr
    return read_list(done.stdout)


def read_list(text: str) -> dict[str, Any]:
    """What `--list` prints, with the texts that it marks as no templates as texts."""
    found: dict[str, Any] = json.loads(
        text, object_hook=lambda value: value.get("__ansible_unsafe", value) if len(value) == 1 else value
    )
    return found


def test_no_secret_is_in_the_list_and_in_the_cache(
    folder: pathlib.Path, fleet: tuple[FakeApiServer, FakeApiServer]
) -> None:
    write(
        folder,
        EVERY_SOURCE,
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(folder / "cache"),
    )
    done = run(folder, "ansible-inventory", "--list", "-vvvv")
    assert done.returncode == 0, done.stderr
    kept = "".join(path.read_text(encoding="utf-8") for path in (folder / "cache").iterdir())
    assert "prod-kubeconfig" in kept
    for server in fleet:
        for secret in (server.token, encoded(server.token)):
            assert secret not in done.stdout + done.stderr + kept
    for name in ("prod", "argo-lab", "managed", "listed", "test"):
        assert name in done.stdout


def test_groups_and_variables_are_made_of_what_the_cluster_is(folder: pathlib.Path) -> None:
    write(
        folder,
        EVERY_SOURCE,
        strict=True,
        keyed_groups=[
            {"key": "cluster_provider", "prefix": "provider", "default_value": "unknown"},
            {"key": "cluster_labels.team | default('none')", "prefix": "team"},
        ],
        groups={"on_hub": "scan_kubeconfig_secret is defined"},
        compose={"scan_namespaces": "['shop']"},
        exclude=["test"],
    )
    found = listing(folder)
    assert found["provider_aws"]["hosts"] == ["prod"]
    assert found["team_shop"]["hosts"] == ["prod"]
    assert found["team_edge"]["hosts"] == ["argo-lab"]
    assert sorted(found["on_hub"]["hosts"]) == ["argo-lab", "managed", "prod"]
    variables = found["_meta"]["hostvars"]
    assert list(variables) == sorted(variables) and "test" not in variables
    assert variables["listed"]["scan_namespaces"] == ["shop"]
    assert variables["prod"]["cluster_version"] == "v1.36.1"


@pytest.mark.parametrize(("team", "is_taken"), [("lab", False), ("prod", True), ("shop", True)])
def test_no_group_of_a_label_stands_in_for_a_host(folder: pathlib.Path, team: str, is_taken: bool) -> None:
    clusters = [{"name": "lab"}, {"name": "prod", "labels": {"team": team}}]
    plain = {"key": "cluster_labels.team", "prefix": "", "separator": ""}
    write(folder, [{"type": "static", "clusters": clusters}], keyed_groups=[plain])
    done = run(folder, "ansible-inventory", "--list")
    assert (done.returncode == 0) == is_taken, done.stderr
    if not is_taken:
        assert "the host lab would be called as a group is" in " ".join(done.stderr.split())


def test_a_template_in_a_label_is_a_text(folder: pathlib.Path) -> None:
    write(
        folder,
        [{"type": "cluster_api", **HUB}, EVERY_SOURCE[3]],
        strict=True,
        keyed_groups=[{"key": "cluster_region", "prefix": "region", "default_value": "unknown"}],
        compose={"note": "cluster_labels.note | default('')"},
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(folder / "cache"),
    )
    play = folder / "play.yml"
    shown = {"debug": {"msg": "{{ note }} {{ cluster_region }} {{ cluster_labels }}"}}
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [shown]}]))
    for _once_and_from_the_cache in range(2):
        done = run(folder, "ansible-playbook", str(play))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "lookup(" in done.stdout
        assert not (folder / "owned").exists()


def test_the_cache_is_read_refreshed_and_not_taken_for_other_options(
    folder: pathlib.Path, fleet: tuple[FakeApiServer, FakeApiServer]
) -> None:
    hub = fleet[0]
    cache = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(folder / "cache"),
    }
    write(folder, [{"type": "cluster_api", **HUB}], **cache)
    first = listing(folder)
    asked = len(hub.requests)
    assert asked
    assert listing(folder) == first
    assert len(hub.requests) == asked
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False}]))
    done = run(folder, "ansible-playbook", str(play), "--list-hosts", "--flush-cache")
    assert "prod" in done.stdout
    assert len(hub.requests) == 2 * asked
    write(folder, [{"type": "cluster_api", **HUB, "labels": {"a": "b"}}], **cache)
    assert listing(folder)["_meta"]["hostvars"]["prod"]["cluster_labels"]["a"] == "b"


def test_the_cache_is_not_taken_for_another_hub(
    folder: pathlib.Path, fleet: tuple[FakeApiServer, FakeApiServer]
) -> None:
    cache = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(folder / "cache"),
    }
    # a date is no value of JSON
    write(folder, [{"type": "cluster_api", "labels": {"since": datetime.date(2026, 11, 30)}}], **cache)
    assert list(listing(folder, K8S_AUTH_KUBECONFIG=str(folder / "hub.kubeconfig"))["_meta"]["hostvars"]) == [
        "prod"
    ]
    other = listing(folder, K8S_AUTH_KUBECONFIG=str(folder / "own.kubeconfig"))
    assert "prod" not in other["_meta"]["hostvars"]
    kept = "".join(path.read_text(encoding="utf-8") for path in (folder / "cache").iterdir())
    assert not any(server.token in kept for server in fleet)


def test_an_inventory_that_lacks_clusters_is_not_kept(folder: pathlib.Path) -> None:
    gone = {"type": "kubeconfig", "paths": ["gone.yml"], "required": False}
    write(
        folder,
        [gone, EVERY_SOURCE[-1]],
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(folder / "cache"),
    )
    done = run(folder, "ansible-inventory", "--list")
    assert done.returncode == 0
    assert list(read_list(done.stdout)["_meta"]["hostvars"]) == ["listed"]
    assert "no cluster of it is in the inventory" in " ".join(done.stderr.split())
    assert not list((folder / "cache").glob("*clusters*"))


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([{"type": "kubeconfig", "paths": ["gone.yml"]}], "SCAN-103"),
        ([{"type": "static", "clusters": [{"name": "a"}, {"name": "a"}]}], "SCAN-222"),
        ([{"type": "static", "clusters": [{"name": "a", "password": "planted"}]}], "has no key 'password'"),
        ([{"type": "argocd", "kubeconfig": "hub.kubeconfig", "context": "x"}], "has no context"),
    ],
)
def test_what_is_wrong_fails_with_its_cause(folder: pathlib.Path, sources: Any, words: str) -> None:
    write(folder, sources)
    done = run(folder, "ansible-inventory", "--list")
    assert done.returncode != 0
    assert words in " ".join(done.stderr.split())
    assert "planted" not in done.stdout + done.stderr


def test_a_host_is_scanned_by_its_reference(
    folder: pathlib.Path, fleet: tuple[FakeApiServer, FakeApiServer]
) -> None:
    hub, cluster = fleet
    write(folder, [{"type": "cluster_api", **HUB}, {"type": "argocd", **HUB}])
    play = folder / "play.yml"
    tasks = [
        {
            "include_role": {"name": "securescan.kubernetes.scan", "tasks_from": "preflight"},
            "vars": {"scan_namespaces": ["shop"]},
            "ignore_errors": True,
        },
        {"debug": {"var": "vars"}},
    ]
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = run(folder, "ansible-playbook", str(play), "-vvv")
    assert "api-1" in done.stdout, done.stdout + done.stderr
    assert {seen.path for seen in hub.requests if "/secrets/" in seen.path} == {
        "/api/v1/namespaces/fleet/secrets/prod-kubeconfig",
        "/api/v1/namespaces/argocd/secrets/cluster-1",
    }
    assert cluster.requests
    for server in fleet:
        assert server.token not in done.stdout + done.stderr


def test_every_option_of_every_source_is_documented() -> None:
    documented = yaml.safe_load(plugin.DOCUMENTATION)["options"]["sources"]["suboptions"]
    assert documented["type"]["choices"] == [kind.name for kind in SOURCES]
    specs = [spec_of_all(kind) for kind in SOURCES]
    assert set(documented) == {name for spec in specs for name in spec}
    for spec in specs:
        for name, rule in spec.items():
            said = documented[name]
            assert said["type"] == rule["type"], name
            assert said.get("default") == rule.get("default"), name
            assert said.get("elements") == rule.get("elements"), name
            if name == "secret":
                assert set(said["suboptions"]) == set(rule["options"])


def test_the_examples_are_inventories(folder: pathlib.Path) -> None:
    for example in yaml.safe_load_all(plugin.EXAMPLES):
        plugin.read_sources(example["sources"])
        assert set(example) <= {
            *yaml.safe_load(plugin.DOCUMENTATION)["options"],
            *(
                "compose",
                "groups",
                "keyed_groups",
                "cache",
                "cache_plugin",
                "cache_connection",
                "cache_timeout",
            ),
        }
