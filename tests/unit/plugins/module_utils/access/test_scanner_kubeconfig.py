# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's kubeconfig: what is in it, how it is written, and which files are left alone."""

from __future__ import annotations

import base64
import json
import os
import stat
from datetime import datetime, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import scanner_kubeconfig
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import ScannerToken
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

END = datetime(2030, 1, 1, tzinfo=timezone.utc)
ACCOUNTS = {"shop": "uid-1", "billing": "uid-2"}
TOKENS = {name: ScannerToken(name, "token-of-" + name, "") for name in ACCOUNTS}


@pytest.fixture
def document(connection):
    return scanner_kubeconfig.kubeconfig(connection, "run-1", ACCOUNTS, END, TOKENS)


def test_it_is_read_by_our_own_reader_with_the_clusters_ca(document, connection, server, tmp_path):
    path = tmp_path / "file"
    scanner_kubeconfig.write_private(path, document)
    for namespace in ACCOUNTS:
        again = connect(ConnectionOptions(kubeconfig=str(path), context=namespace), {})
        assert again.server == connection.server
        assert again.headers()[1] == ("Authorization", "Bearer token-of-" + namespace)
        assert again.tls().ca_pem == server.authority.ca.read_bytes()
    assert document["current-context"] == "shop"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"validate_certs": False}, {"insecure-skip-tls-verify": True}),
        ({"tls_server_name": "localhost"}, {"tls-server-name": "localhost"}),
        ({"proxy": "http://user:secret@proxy.example:3128"}, {"proxy-url": "http://proxy.example:3128"}),
        ({}, {}),
    ],
)
def test_how_the_cluster_is_reached_stands_in_it(options, expected, server):
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig(), **options), {})
    document = scanner_kubeconfig.kubeconfig(connection, "run-1", ACCOUNTS, END)
    (cluster,) = document["clusters"]
    known = {
        "server": server.url,
        "certificate-authority-data": base64.b64encode(server.authority.ca.read_bytes()).decode(),
    }
    assert cluster["cluster"] == {**known, **expected}
    assert "secret" not in json.dumps(document)
    assert server.token not in json.dumps(document)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_its_mode_is_0600_from_the_first_byte(umask, document, tmp_path, monkeypatch):
    modes = []
    fsync = os.fsync

    def look(descriptor):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    before = os.umask(umask)
    try:
        scanner_kubeconfig.write_private(path, document)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_in_its_place_is_replaced_not_followed(document, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (tmp_path / "file").symlink_to(elsewhere)
    scanner_kubeconfig.write_private(tmp_path / "file", document)
    assert elsewhere.read_text() == "precious"
    assert not (tmp_path / "file").is_symlink()


def test_it_is_current_only_for_the_same_access(document, connection):
    def wanted(run_id="run-1", accounts=None, end=END):
        return scanner_kubeconfig.kubeconfig(connection, run_id, accounts or ACCOUNTS, end)

    found = json.loads(json.dumps(document))
    assert scanner_kubeconfig.is_current(found, wanted())
    assert not scanner_kubeconfig.is_current(None, wanted())
    assert not scanner_kubeconfig.is_current(found, wanted(run_id="run-2"))
    assert not scanner_kubeconfig.is_current(
        found, wanted(accounts={"shop": "uid-1", "billing": "made anew"})
    )
    assert not scanner_kubeconfig.is_current(found, wanted(end=END.replace(year=2031)))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "apiVersion: v1\nkind: Config\n",
        "[]",
        "{}",
        '{"extensions": 7}',
        '{"extensions": [{"name": "other"}]}',
        '{"extensions": [{"name": "securescan.kubernetes", "extension": {}}]}',
        "[" * 100000,
        '{"extensions": []}',
    ],
)
def test_a_file_that_is_not_ours_is_refused(content, tmp_path):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(ScanError) as caught:
        scanner_kubeconfig.check_place(path)
    assert caught.value.reason == "bad_option"
    assert path.read_text() == content


def test_places_where_none_can_be_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "file", tmp_path / "file" / "below"):
        (tmp_path / "file").touch()
        with pytest.raises(ScanError) as caught:
            scanner_kubeconfig.check_place(path)
        assert caught.value.reason == "bad_option"
    assert scanner_kubeconfig.check_place(tmp_path / "new") is None
