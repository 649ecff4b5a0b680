# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files: merging, choosing, relative paths, and every way they can be wrong."""

from __future__ import annotations

import base64
import copy
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils import counted_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.kubeconfig import load_kubeconfig
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "one",
    "contexts": [
        {"name": "one", "context": {"cluster": "c1", "user": "u1"}},
        {"name": "two", "context": {"cluster": "c2", "user": "u2"}},
    ],
    "clusters": [
        {"name": "c1", "cluster": {"server": "https://one.test:6443", "certificate-authority": "pki/ca.crt"}},
        {"name": "c2", "cluster": {"server": "https://two.test"}},
    ],
    "users": [
        {"name": "u1", "user": {"token": "secret-of-u1"}},
        {"name": "u2", "user": {"token": "secret-of-u2"}},
    ],
}


def write(path: Path, document: Any) -> str:
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return str(path)


def changed(**changes: Any) -> dict[str, Any]:
    return dict(copy.deepcopy(CONFIG), **changes)


def reason_and_text(error: ScanError) -> str:
    return f"{error.reason} {error}"


def test_current_context_and_another(tmp_path: Path) -> None:
    path = write(tmp_path / "config", CONFIG)
    assert load_kubeconfig(path).user.text("token") == "secret-of-u1"
    chosen = load_kubeconfig(path, "two")
    assert (chosen.context.name, chosen.cluster.name, chosen.user.name) == ("two", "c2", "u2")


@pytest.mark.parametrize("form", ["mapping", "yaml", "json"])
def test_content_instead_of_a_path(form: str) -> None:
    source = {
        "mapping": CONFIG,
        "yaml": yaml.safe_dump(CONFIG),
        "json": yaml.safe_dump(CONFIG, default_flow_style=True, width=10**6),
    }[form]
    assert load_kubeconfig(source, "two").cluster.text("server") == "https://two.test"


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_bytes(b"a CA")
    assert (
        load_kubeconfig(write(tmp_path / "config", CONFIG)).cluster.file_or_data("certificate-authority")
        == b"a CA"
    )


def test_data_comes_before_a_file() -> None:
    config = changed()
    config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(b"inline").decode()
    assert load_kubeconfig(config).cluster.file_or_data("certificate-authority") == b"inline"


def test_files_are_merged_as_kubectl_does(tmp_path: Path) -> None:
    first = {
        "current-context": "two",
        "contexts": [],
        "users": None,
        "clusters": [{"name": "c2", "cluster": {"server": "https://first.test"}}],
    }
    paths = [write(tmp_path / "first", first), str(tmp_path / "missing"), write(tmp_path / "second", CONFIG)]
    chosen = load_kubeconfig(os.pathsep.join(paths))
    assert chosen.context.name == "two", "the first current-context counts"
    assert chosen.cluster.text("server") == "https://first.test", "the first entry of a name counts"
    assert chosen.user.text("token") == "secret-of-u2", "later files add what is missing"


@pytest.mark.parametrize(
    ("document", "context", "wanted"),
    [
        (CONFIG, "three", "bad_option.*no context 'three'.*one, two"),
        (changed(**{"current-context": ""}), None, "bad_option.*no current context.*one, two"),
        (changed(clusters=[]), None, "bad_file.*'c1', which does not exist"),
        (changed(users=None), None, "bad_file.*'u1', which does not exist"),
        (changed(users=[{"user": {}}]), None, "bad_file.*users.*no name"),
        (changed(users="secret-text"), None, "bad_file.*users.*no name"),
        ("", None, "bad_file.*is empty"),
        ("- a\n- b\n", None, "bad_file.*not a kubeconfig"),
        ("users:\n  - token: secret-text\n bad: [", None, r"bad_file.*not valid YAML \(line"),
        ("a: &x [*x, *x]\nb: !!python/object/apply:os.system ['true']\n", None, "bad_file.*not valid YAML"),
    ],
)
def test_each_fault_is_told_apart(tmp_path: Path, document: Any, context: Any, wanted: str) -> None:
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(write(tmp_path / "config", document), context)
    assert re.search(wanted, reason_and_text(caught.value), re.DOTALL), reason_and_text(caught.value)
    assert "secret" not in reason_and_text(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(str(tmp_path / "missing"))
    assert caught.value.reason == "bad_file"
    assert "missing" in caught.value.message
    assert "No such file" in caught.value.message
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(write(tmp_path / "config", CONFIG)).cluster.file_or_data("certificate-authority")
    assert "certificate-authority" in caught.value.message
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(str(tmp_path))
    assert caught.value.reason == "bad_file"


def test_values_of_a_wrong_kind() -> None:
    config = changed()
    config["users"][0]["user"] = {"token": 12345, "client-key-data": "secret%%%"}
    user = load_kubeconfig(config).user
    for read in (lambda: user.text("token"), lambda: user.file_or_data("client-key")):
        with pytest.raises(ScanError) as caught:
            read()
        assert caught.value.reason == "bad_file"
        assert "12345" not in str(caught.value)


def test_many_contexts_are_not_all_listed() -> None:
    contexts = [{"name": f"context-{number:03d}", "context": {}} for number in range(100)]
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(changed(contexts=contexts), "other")
    assert caught.value.advice.endswith("context-019 and 80 more.")


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(counted_yaml, "yaml", None)
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(write(tmp_path / "config", CONFIG))
    assert caught.value.reason == "missing_library"
    assert "PyYAML" in caught.value.message
    assert load_kubeconfig(CONFIG).context.name == "one", "a mapping needs no parser"


def test_the_kubernetes_package_reads_the_same(tmp_path: Path) -> None:
    """Where both can read a file, both choose the same server and token."""
    config = pytest.importorskip("kubernetes.config")
    client = pytest.importorskip("kubernetes.client")
    document = changed()
    del document["clusters"][0]["cluster"]["certificate-authority"]
    path = write(tmp_path / "config", document)
    for context in ("one", "two"):
        theirs = client.Configuration()
        theirs.api_key = {}
        config.load_kube_config(path, context, theirs, persist_config=False)
        ours = load_kubeconfig(path, context)
        assert theirs.host == ours.cluster.text("server")
        assert list(theirs.api_key.values()) == ["Bearer " + ours.user.text("token")]
