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
        (changed(users=[{"user": {}}]), None, "bad_file.*'u1', which does not exist"),
        (changed(users="secret-text"), None, "bad_file.*users must be a list, but is text"),
        (changed(users={"name": "u1"}), None, "bad_file.*users must be a list, but is a mapping"),
        (changed(users=["secret-text"]), None, r"bad_file.*users\[0\] must be a mapping, but is text"),
        (changed(users=[{"name": "x", "user": {"token": 5}}]), "two", r"users\[0\].user.token must be text"),
        (
            changed(contexts=[{"name": 1}]),
            None,
            r"contexts\[0\].name must be text, but is a number.*in quotes",
        ),
        (changed(contexts=[{"name": "a", "context": "x"}]), None, r"contexts\[0\].context must be a mapping"),
        (changed(**{"current-context": 5}), "two", "current-context must be text, but is a number"),
        (changed(extensions={}), None, "extensions must be a list, but is a mapping"),
        (changed(preferences=[]), None, "preferences must be a mapping, but is a list"),
        (changed(preferences={"colors": "yes"}), None, "preferences.colors must be true or false"),
        (changed(users=[{"name": "x", "user": {"as-groups": "g"}}]), None, "as-groups must be a list"),
        (
            changed(users=[{"name": "x", "user": {"as-user-extra": {"k": "v"}}}]),
            None,
            "as-user-extra must be a",
        ),
        (changed(kind="Pod"), None, "not a kubeconfig: its kind is not Config"),
        (changed(apiVersion="v2"), None, "not a kubeconfig: its apiVersion is not v1"),
        (changed(users=CONFIG["users"] + CONFIG["users"][:1]), None, "users.*two entries of the name 'u1'"),
        (
            changed(contexts=[{"name": "one", "context": {"user": "u1"}}]),
            None,
            "'one' of .* names no cluster",
        ),
        ("", None, "bad_file.*is empty"),
        ("# nothing\n", None, "bad_file.*is empty"),
        ("---\n", None, "bad_file.*is empty"),
        ("null\n", None, "bad_file.*is empty"),
        ("{}\n", None, "bad_file.*is empty"),
        ("secret-text\n", None, "bad_file.*not a kubeconfig"),
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


@pytest.mark.parametrize("data", ["secret%%%", "LS0t LS0", "LS0", "-----BEGIN SECRET-----"])
def test_data_that_is_not_base64(data: str) -> None:
    config = changed()
    config["users"][0]["user"] = {"client-key-data": data}
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(config).user.file_or_data("client-key")
    assert caught.value.message == "client-key-data of 'u1' in the kubeconfig is not base64"


@pytest.mark.parametrize(
    "form", ["|\n        QSBD\n        QQ==\n", ">\n        QSBD\n        QQ==\n", '"QSBD\\nQQ==\\r\\n"']
)
def test_data_in_several_lines(form: str, tmp_path: Path) -> None:
    text = f"users:\n- name: u1\n  user:\n    client-key-data: {form}\n" + yaml.safe_dump(
        changed(users=None)
    ).replace("users: null\n", "")
    assert load_kubeconfig(write(tmp_path / "config", text)).user.file_or_data("client-key") == b"A CA"


def test_nulls_are_fields_that_are_not_there(tmp_path: Path) -> None:
    config = changed(preferences=None, extensions=None)
    config["contexts"] = [None, {"name": "three", "context": None}, *config["contexts"]]
    config["clusters"][0]["cluster"]["certificate-authority-data"] = None
    config["users"][1]["user"] = None
    chosen = load_kubeconfig(write(tmp_path / "config", config))
    assert chosen.user.text("token") == "secret-of-u1"
    assert load_kubeconfig(write(tmp_path / "config", config), "two").user.content == {}


@pytest.mark.parametrize("nothing", ["", "# only a comment\n", "---\n", "null\n", "{}\n", "--- ~\n...\n"])
def test_a_file_that_says_nothing_is_as_if_it_were_not_in_the_list(tmp_path: Path, nothing: str) -> None:
    files = [write(tmp_path / "empty", nothing), "", write(tmp_path / "one", CONFIG), ""]
    for order in (files, files[::-1]):
        assert load_kubeconfig(os.pathsep.join(order)).context.name == "one"


def test_a_list_without_any_file(tmp_path: Path) -> None:
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(os.pathsep * 2)
    assert "names no file" in caught.value.message
    with pytest.raises(ScanError) as caught:
        load_kubeconfig(f"{tmp_path}/a{os.pathsep}{tmp_path}/b")
    assert f"{tmp_path}/a{os.pathsep}{tmp_path}/b cannot be read (No such file" in caught.value.message


def test_a_file_of_the_list_that_is_there_and_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    good = write(tmp_path / "good", CONFIG)
    for bad in (tmp_path, tmp_path / "good" / "below"):
        with pytest.raises(ScanError) as caught:
            load_kubeconfig(os.pathsep.join([good, str(bad)]))
        assert f"kubeconfig {bad} cannot be read" in caught.value.message


def test_one_name_in_two_files_is_the_first_one_whole(tmp_path: Path) -> None:
    first = changed(clusters=None, contexts=None, users=[{"name": "u1", "user": {"username": "anna"}}])
    chosen = load_kubeconfig(os.pathsep.join([write(tmp_path / "a", first), write(tmp_path / "b", CONFIG)]))
    assert chosen.user.content == {"username": "anna"}, "nothing of the second is added"


@pytest.mark.parametrize(
    "name", ["2026-11-30", "12:30", "190:20:30", "=", "2001-12-14 21:59:43.10 -5", "!own x"]
)
def test_names_that_only_yaml_1_1_takes_for_something_else_are_text(tmp_path: Path, name: str) -> None:
    text = (
        yaml.safe_dump(CONFIG)
        .replace("name: one", f"name: {name}")
        .replace("current-context: one", f"current-context: {name}")
    )
    assert load_kubeconfig(write(tmp_path / "config", text)).context.name == name.replace("!own ", "")


def test_of_equal_keys_the_last_holds_and_of_several_documents_the_first(tmp_path: Path) -> None:
    text = yaml.safe_dump(CONFIG) + "current-context: two\n---\ncurrent-context: one\n"
    assert load_kubeconfig(write(tmp_path / "config", text)).context.name == "two"
    assert load_kubeconfig(write(tmp_path / "config", "# mine\n---\n" + text)).context.name == "two"


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_files_as_windows_writes_them(tmp_path: Path, coding: str) -> None:
    text = ("\ufeff" if coding == "utf-16-be" else "") + yaml.safe_dump(CONFIG).replace("\n", "\r\n")
    (tmp_path / "config").write_bytes(text.encode(coding))
    assert load_kubeconfig(str(tmp_path / "config")).context.name == "one"


def test_a_context_without_a_user_is_for_who_brings_a_credential(tmp_path: Path) -> None:
    config = changed(contexts=[{"name": "one", "context": {"cluster": "c1"}}])
    assert load_kubeconfig(config).user.content == {}


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
