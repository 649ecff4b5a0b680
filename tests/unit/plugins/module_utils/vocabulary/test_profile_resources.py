# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each resource over facts in the shapes that the collector gives them, attribute by attribute."""

from __future__ import annotations

import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.registry import RESOURCES
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.resources import (
    language_packages,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

FILE = {
    "type": "file",
    "mode": 0o4751,
    "uid": 0,
    "gid": 42,
    "size": 5,
    "mtime": 1700000000,
    "link_target": None,
}
FOLDER = dict(FILE, type="directory", mode=0o1777)
PASSWD = [
    {
        "name": "root",
        "password": "shadow",
        "uid": 0,
        "gid": 0,
        "gecos": "root",
        "home": "/root",
        "shell": "/bin/bash",
    },
    {
        "name": "app",
        "password": "locked",
        "uid": 1000,
        "gid": 1000,
        "gecos": "",
        "home": "/app",
        "shell": "/bin/sh",
    },
    {"name": "+", "password": "empty", "uid": None, "gid": None, "gecos": "", "home": "", "shell": ""},
]
GROUP = [
    {"name": "root", "gid": 0, "members": []},
    {"name": "shadow", "gid": 42, "members": ["app"]},
    {"name": "app", "gid": 1000, "members": ["app", "root"]},
]
SHADOW = [
    {
        "name": "root",
        "password": "yescrypt",
        "last_change": 19000,
        "min": 0,
        "max": 99999,
        "warn": 7,
        "inactive": None,
        "expire": None,
    },
    {
        "name": "app",
        "password": "empty",
        "last_change": None,
        "min": None,
        "max": None,
        "warn": None,
        "inactive": 5,
        "expire": 20000,
    },
]
PACKAGES = {
    "manager": "dpkg",
    "packages": [
        {"name": "bash", "version": "5.2.15-2+b7", "arch": "amd64", "installed": True},
        {"name": "telnetd", "version": "0.17-44", "arch": "amd64", "installed": False},
        {"name": "libc6", "version": "2.36-9+deb12u7", "arch": "amd64", "installed": True},
    ],
}
PROCESSES = [
    {
        "pid": 1,
        "ppid": 0,
        "uid": 1000,
        "gid": 1000,
        "state": "S",
        "name": "nginx",
        "cmdline": ["nginx: master", "-g", "pass=hunter2"],
    },
    {"pid": 9, "ppid": 1, "uid": 0, "gid": 0, "state": "Z", "name": "sshd", "cmdline": []},
]
SOCKETS = [
    {"protocol": "tcp", "address": "0.0.0.0", "port": 8080, "uid": 1000},
    {"protocol": "tcp6", "address": "::", "port": 8080, "uid": 1000},
    {"protocol": "udp", "address": "127.0.0.1", "port": 53, "uid": 0},
]
MOUNTS = [
    {
        "mount_point": "/",
        "fstype": "overlay",
        "source": "overlay",
        "options": ["ro", "relatime"],
        "root": "/",
    },
    {"mount_point": "/tmp", "fstype": "ext4", "source": "/dev/sda", "options": ["rw"], "root": "/x"},
    {
        "mount_point": "/tmp",
        "fstype": "tmpfs",
        "source": "tmpfs",
        "options": ["rw", "nosuid", "noexec"],
        "root": "/",
    },
]
OS = {
    "name": "debian",
    "family": "debian",
    "release": "12.5",
    "arch": "x86_64",
    "pretty": "Debian GNU/Linux 12 (bookworm)",
}
LOGIN_DEFS = b"# comment\nPASS_MAX_DAYS\t90\nUMASK 027\nEMPTY\n  ENCRYPT_METHOD   YESCRYPT  \n"
INI = b"top = 1\n; no\n[main]\nKey = value = more\nflag\n# no\n[ other ]\nkey=2\nkey=3\n"
YAML = b"a:\n  b: [x, {c: 5}]\nmode: 0640\n"
_NO_PYTHON = {"python_packages:" + prefix: Fact("absent") for prefix in language_packages._PYTHON_PREFIXES}
PIP = dict(
    _NO_PYTHON,
    **{
        "python_packages:/usr": [{"name": "requests", "version": "2.30.0", "path": "/usr/x"}],
        "python_packages:/usr/local": [
            {"name": "requests", "version": "2.31.0", "path": "/usr/local/x"},
            {"name": "zope.interface", "version": "5.5.2", "path": "/usr/local/x"},
        ],
    },
)
_NO_NODE = {
    f"content:{folder}/lodash/package.json": Fact("absent") for folder in language_packages._NODE_FOLDERS
}
NPM = dict(
    _NO_NODE, **{"content:/app/node_modules/lodash/package.json": b'{"name": "lodash", "version": "4.17.21"}'}
)
SSHD = 'command:["sshd","-T"]'
ANSWER = {"exit_status": 0, "stdout": b"port 22\npermitrootlogin no\n", "stderr": b"warning: \xff\n"}

# resource and parameters, attribute and expectation that holds, one that fails, facts
CASES = [
    ("file: /x", "exist: true", "exist: false", {"file:/x": FILE}),
    ("file: /x", "type: file", "type: directory", {"file:/x": FILE}),
    ("file: /x", 'mode: "4751"', 'mode: "0751"', {"file:/x": FILE}),
    ("file: /x", "uid: 0", "uid: 1", {"file:/x": FILE}),
    ("file: /x", "gid: 42", "gid: 0", {"file:/x": FILE}),
    ("file: /x", "size: 5", "size: {less_than: 5}", {"file:/x": FILE}),
    ("file: /x", "mtime: {at_least: 1600000000}", "mtime: {less_than: 1600000000}", {"file:/x": FILE}),
    ("file: /x", "setuid: true", "setuid: false", {"file:/x": FILE}),
    ("file: /x", "setgid: false", "setgid: true", {"file:/x": FILE}),
    ("file: /x", "sticky: false", "sticky: true", {"file:/x": FILE}),
    ("file: /x", "world_writable: false", "world_writable: true", {"file:/x": FILE}),
    ("file: /x", "owner: root", "owner: app", {"file:/x": FILE, "passwd": PASSWD}),
    ("file: /x", "group: shadow", "group: root", {"file:/x": FILE, "group": GROUP}),
    ("file: /x", "owner: {not: root}", "owner: root", {"file:/x": dict(FILE, uid=77), "passwd": PASSWD}),
    ("file: /x", "link_target: /y", "link_target: /z", {"file:/x": dict(FILE, link_target="/y")}),
    ("file: /x", "link_target: {not: /y}", "link_target: /y", {"file:/x": FILE}),
    ("file: /x", "content: {include: b}", "content: {include: z}", {"content:/x": b"abc\n"}),
    ("file: /x", "lines: [a, b]", "lines: [a]", {"content:/x": b"a\nb\n"}),
    ("file: /x", "content: {matches: '\\\\xff'}", "content: {matches: '^.$'}", {"content:/x": b"\xff"}),
    (
        "file: /x",
        "readable: true",
        "readable: false",
        {"readable:/x": {"readable": True, "refusal": ""}},
    ),
    (
        "file: /x",
        "readable_size: 5",
        "readable_size: 0",
        {"readable:/x": {"readable": True, "refusal": ""}, "file:/x": FILE},
    ),
    (
        "file: /x",
        "readable_size: 0",
        "readable_size: {more_than: 0}",
        {"readable:/x": {"readable": False, "refusal": "no"}, "file:/x": Fact("unreadable", cause="no")},
    ),
    ("file: /x", "sha256: abc", "sha256: abd", {"sha256:/x": "abc"}),
    ("directory: /x", "exist: true", "exist: false", {"file:/x": FOLDER}),
    ("directory: /x", "exist: false", "exist: true", {"file:/x": FILE}),
    ("directory: /x", "sticky: true", "sticky: false", {"file:/x": FOLDER}),
    ("directory: /x", "mode: {not: '1777'}", "uid: 0", {"file:/x": FILE}),
    (
        "file_search: {path: /, match: setuid}",
        "paths: [/bin/su]",
        "count: 0",
        {"walk:/[match=setuid]": {"entries": [{"path": "/bin/su"}], "complete": True, "unreadable": 0}},
    ),
    (
        "file_search: {path: [/a, /b], match: unowned, where: {path: {matches: x}}}",
        "paths: [/b/x]",
        "exist: false",
        {
            "walk:/a[match=unowned]": Fact("absent"),
            "walk:/b[match=unowned]": {
                "entries": [{"path": "/b/x"}, {"path": "/b/y"}],
                "complete": True,
                "unreadable": 0,
            },
        },
    ),
    (
        "file_search: {path: /, match: setuid, within_reach: true}",
        "paths: []",
        "exist: true",
        {"walk:/[match=setuid]": {"entries": [], "complete": True, "unreadable": 2, "closed": 2}},
    ),
    (
        "named_files: {path: /, names: [.rhosts, '*_key'], within_reach: true}",
        "paths: [/home/u/.rhosts]",
        "exist: false",
        {
            "walk:/[match=named,name=.rhosts]": {
                "entries": [{"path": "/home/u/.rhosts"}],
                "complete": True,
                "unreadable": 1,
                "closed": 1,
            },
            "walk:/[match=named,name=*_key]": {
                "entries": [],
                "complete": True,
                "unreadable": 0,
                "closed": 0,
            },
        },
    ),
    (
        "directory: /x",
        "writing_groups: [shadow]",
        "writing_groups: []",
        {"file:/x": dict(FOLDER, mode=0o775), "group": [{"name": "shadow", "gid": 42, "members": []}]},
    ),
    (
        "directory: /x",
        "writing_groups: ['42']",
        "writing_groups: [root]",
        {"file:/x": dict(FOLDER, mode=0o775), "group": []},
    ),
    (
        "directory: /x",
        "writing_groups: []",
        "writing_groups: ['42']",
        {"file:/x": dict(FOLDER, mode=0o755), "group": []},
    ),
    (
        "directory: /x",
        "writing_groups: []",
        "writing_groups: [x]",
        {"file:/x": Fact("absent"), "group": []},
    ),
    (
        "file: /x",
        "writing_groups: [shadow]",
        "writing_groups: []",
        {"file:/x": dict(FILE, mode=0o664), "group": [{"name": "shadow", "gid": 42, "members": []}]},
    ),
    ("file: /x", "group: root", "group: shadow", {"file:/x": dict(FILE, gid=0), "group": Fact("absent")}),
    ("users: {}", "names: [root, app, +]", "count: 2", {"passwd": PASSWD}),
    ("users: {where: {uid: 0}}", "homes: [/root]", "gecos_texts: [x]", {"passwd": PASSWD}),
    (
        "users: {where: {shell: {matches: sh$}, name: {not: root}}}",
        "gids: [1000]",
        "shells: [/bin/bash]",
        {"passwd": PASSWD},
    ),
    (
        "users: {where: {password_kind: {not: {one_of: [shadow, locked]}}}}",
        "password_kinds: [empty]",
        "count: 0",
        {"passwd": PASSWD},
    ),
    ("users: {where: {uid: {not: {at_least: 0}}}}", "names: [+]", "uids: [0]", {"passwd": PASSWD}),
    ("user: app", "exist: true", "exist: false", {"passwd": PASSWD}),
    ("user: app", "uid: 1000", "gid: 0", {"passwd": PASSWD}),
    ("user: app", "shell: /bin/sh", "home: /", {"passwd": PASSWD}),
    ("user: root", "gecos: root", "password_kind: empty", {"passwd": PASSWD}),
    ("user: web", "exist: false", "uid: 1000", {"passwd": PASSWD}),
    ("user: app", "groups: [app, shadow]", "groups: [app]", {"passwd": PASSWD, "group": GROUP}),
    (
        "group_members: {where: {group: shadow}}",
        "users: [app]",
        "gids: [0]",
        {"group": GROUP, "passwd": PASSWD},
    ),
    (
        "group_members: {where: {user: root}}",
        "groups: [root, app]",
        "primaries: [true]",
        {"group": GROUP, "passwd": PASSWD},
    ),
    (
        "group_members: {where: {gid: 42}}",
        "users: [app, root, app, root]",
        "groups: [shadow]",
        {
            "group": [
                *GROUP,
                {"name": "same", "gid": 42, "members": []},
                {"name": "none", "gid": 9, "members": []},
            ],
            "passwd": [dict(PASSWD[0], gid=42)],
        },
    ),
    ("group_members: {}", "count: 4", "users: {include: +}", {"group": GROUP, "passwd": PASSWD}),
    ("group_members: {}", "count: 3", "count: 0", {"group": GROUP, "passwd": Fact("absent")}),
    (
        "group_members: {where: {primary: true}}",
        "groups: ['0', '1000']",
        "gids: [0]",
        {"group": Fact("absent"), "passwd": PASSWD},
    ),
    (
        "group_members: {where: {user: root}}",
        "groups: [app, '0']",
        "groups: [app]",
        {"group": GROUP[1:], "passwd": PASSWD},
    ),
    ("groups: {}", "gids: {unique: true}", "names: [root]", {"group": GROUP}),
    (
        "groups: {where: {members: {include: app}}}",
        "names: [shadow, app]",
        "members: {unique: true}",
        {"group": GROUP},
    ),
    ("group: shadow", "gid: 42", "members: {empty: true}", {"group": GROUP}),
    ("group: nobody", "exist: false", "exist: true", {"group": GROUP}),
    ("shadow: {where: {password_kind: empty}}", "names: [app]", "count: 0", {"shadow": SHADOW}),
    (
        "shadow: {}",
        "password_kinds: {include: yescrypt}",
        "password_kinds: {each: yescrypt}",
        {"shadow": SHADOW},
    ),
    ("shadow: {}", "max_days: [99999]", "min_days: [1]", {"shadow": SHADOW}),
    (
        "shadow: {where: {name: root}}",
        "last_changes: [19000]",
        "warn_days: {each: {at_least: 8}}",
        {"shadow": SHADOW},
    ),
    (
        "shadow: {where: {inactive_days: 5}}",
        "expiry_dates: [20000]",
        "inactive_days: {empty: true}",
        {"shadow": SHADOW},
    ),
    ("packages: {}", "names: [bash, libc6]", "names: {include: telnetd}", {"packages": PACKAGES}),
    (
        "packages: {where: {version: {at_least: '5'}}}",
        "names: [bash]",
        "versions: {each: {less_than: '5'}}",
        {"packages": PACKAGES},
    ),
    (
        "packages: {where: {name: {matches: ^lib}, arch: amd64}}",
        "count: 1",
        "archs: [all]",
        {"packages": PACKAGES},
    ),
    (
        "packages: {where: {name: {one_of: [bash, libc6]}}}",
        "versions: [2.36-9+deb12u7, '0:5.2.15-2+b7']",
        "versions: ['5.2.15']",
        {"packages": PACKAGES},
    ),
    ("packages: {}", "versions: {unique: true}", "versions: {unique: false}", {"packages": PACKAGES}),
    ("packages: {}", "manager: dpkg", "manager: apk", {"packages": PACKAGES}),
    ("packages: {}", "database: true", "database: false", {"packages": PACKAGES}),
    ("packages: {}", "database: false", "database: true", {"packages": Fact("absent")}),
    ("package: bash", "installed: true", "installed: false", {"packages": PACKAGES}),
    ("package: telnetd", "installed: false", "version: '0.17-44'", {"packages": PACKAGES}),
    ("package: libc6", "version: {at_least: 2.36-9+deb12u4}", "arch: all", {"packages": PACKAGES}),
    ("processes: {where: {name: sshd}}", "count: 1", "exist: false", {"processes": PROCESSES}),
    ("processes: {where: {pid: 1}}", "uids: {none: 0}", "gids: [0]", {"processes": PROCESSES}),
    ("processes: {where: {uid: 0}}", "pids: [9]", "ppids: [0]", {"processes": PROCESSES}),
    ("processes: {where: {state: Z}}", "names: [sshd]", "states: [S]", {"processes": PROCESSES}),
    (
        "processes: {where: {command: {matches: 'master -g'}}}",
        "count: 1",
        "commands: {none: {matches: pass=}}",
        {"processes": PROCESSES},
    ),
    ("ports: {}", "ports: [8080, 8080, 53]", "protocols: {include_none: [udp]}", {"sockets": SOCKETS}),
    (
        "ports: {where: {address: {not: 127.0.0.1}}}",
        "uids: {none: 0}",
        "addresses: ['::']",
        {"sockets": SOCKETS},
    ),
    ("port: 8080", "listening: true", "listening: false", {"sockets": SOCKETS}),
    ("port: {number: 8080, protocol: tcp6}", "addresses: ['::']", "protocols: [tcp]", {"sockets": SOCKETS}),
    ("port: {number: 8080, protocol: udp}", "listening: false", "uids: [1000]", {"sockets": SOCKETS}),
    ("port: 22", "listening: false", "listening: true", {"sockets": SOCKETS}),
    ("mounts: {where: {type: tmpfs}}", "mount_points: [/tmp]", "options: {include: ro}", {"mounts": MOUNTS}),
    ("mounts: {where: {options: {include: ro}}}", "sources: [overlay]", "types: [tmpfs]", {"mounts": MOUNTS}),
    ("mounts: {}", "roots: [/, /, /x]", "roots: [/]", {"mounts": MOUNTS}),
    ("mount: /tmp", "type: tmpfs", "source: /dev/sda", {"mounts": MOUNTS}),
    ("mount: /tmp", "options: {include: [noexec, nosuid]}", "root: /x", {"mounts": MOUNTS}),
    ("mount: /var", "mounted: false", "options: {include: ro}", {"mounts": MOUNTS}),
    ("mount: /", "mounted: true", "mounted: false", {"mounts": MOUNTS}),
    ("kernel_parameter: kernel.x", "value: 2", "value: 1", {"sysctl:kernel.x": "2"}),
    ("kernel_parameter: kernel.x", "exist: false", "value: 0", {"sysctl:kernel.x": Fact("absent")}),
    ("os: {}", "families: [debian, linux, unix, os]", "families: {include: redhat}", {"os": OS}),
    ("os: {}", "name: debian", "family: redhat", {"os": OS}),
    ("os: {}", "release: {at_least: '12'}", "arch: aarch64", {"os": OS}),
    ("os: {}", "arch: {not: aarch64}", "release: '1'", {"os": dict(OS, release=None)}),
    (
        "environment: {}",
        "names: {include: PATH}",
        "names: {none: {matches: PASS}}",
        {"environment": ["PATH", "DB_PASS"]},
    ),
    (
        "environment: {}",
        "secret_names: [dbPassword]",
        "secret_names: {empty: true}",
        {"environment": ["PATH", "dbPassword", "PASSWORD_FILE"]},
    ),
    ("os_env: PATH", "exist: true", "exist: false", {"environment": ["PATH"]}),
    ("os_env: HOME", "exist: false", "exist: true", {"environment": ["PATH"]}),
    (
        "os_env: PATH",
        "content: {matches: ^/usr}",
        "content: /bin",
        {"environment_value:PATH": "/usr/bin:/bin"},
    ),
    (
        "os_env: PATH",
        "split: {none: {matches: '^[.]?$'}}",
        "split: {include: .}",
        {"environment_value:PATH": "/usr/bin:/bin"},
    ),
    ("os_env: HOME", "content: {not: /root}", "content: /root", {"environment_value:HOME": Fact("absent")}),
    ("pip: Zope_Interface", "installed: true", "installed: false", PIP),
    ("pip: zope.interface", "version: {at_least: '5.5'}", "version: '5'", PIP),
    ("pip: requests", "versions: {each: {at_least: '2.30'}}", "versions: {each: {at_least: '2.31'}}", PIP),
    ("pip: requests", "paths: {include: /usr/local/x}", "paths: {each: /usr/x}", PIP),
    ("pip: flask", "installed: false", "version: '1'", PIP),
    (
        "pip: {name: flask, path: /srv/venv}",
        "version: 3.0.0",
        "installed: false",
        {"python_packages:/srv/venv": [{"name": "Flask", "version": "3.0.0", "path": "/srv/venv/x"}]},
    ),
    ("npm: lodash", "installed: true", "version: {less_than: 4.17.21}", NPM),
    ("npm: lodash", "version: 4.17.21", "versions: {each: 4.17.20}", NPM),
    ("npm: lodash", "versions: {each: {at_least: 4.17.21}}", "installed: false", NPM),
    ("npm: lodash", "paths: [/app/node_modules/lodash]", "paths: {empty: true}", NPM),
    (
        "npm: lodash",
        "paths: /usr/share/nodejs/lodash",
        "installed: false",  # a package of Debian
        dict(_NO_NODE, **{"content:/usr/share/nodejs/lodash/package.json": b'{"version": "4.17.21"}'}),
    ),
    (
        "npm: {name: '@a/b', path: /srv}",
        "version: 1.0.0",
        "version: '2'",
        {"content:/srv/node_modules/@a/b/package.json": b'\xef\xbb\xbf{"version": "1.0.0"}'},
    ),
    ("command: [sshd, -T]", "exit_status: 0", "exit_status: {more_than: 0}", {SSHD: ANSWER}),
    (
        "command: [sshd, -T]",
        "stdout: {matches: ^permitrootlogin no$}",
        "stdout: {include: x}",
        {SSHD: ANSWER},
    ),
    ("command: [sshd, -T]", "stderr: {matches: warn}", "stderr: {not: {matches: warn}}", {SSHD: ANSWER}),
    ("command: [sshd, -T]", "exist: true", "exist: false", {SSHD: ANSWER}),
    (
        "command: [sshd, -T]",
        "exist: false",
        "exit_status: 0",
        {SSHD: Fact("absent", cause="there is no program sshd")},
    ),
    (
        "command: {argv: [a], timeout: 3}",
        "stdout: {not: b}",
        "stdout: b",
        {'command:["a"][seconds=3]': dict(ANSWER, stdout=b"")},
    ),
    (
        "login_defs: PASS_MAX_DAYS",
        "value: {at_most: 90}",
        "value: {at_most: 60}",
        {"content:/etc/login.defs": LOGIN_DEFS},
    ),
    ("login_defs: UMASK", "value: 027", "value: 22", {"content:/etc/login.defs": LOGIN_DEFS}),
    (
        "login_defs: ENCRYPT_METHOD",
        "value: YESCRYPT",
        "exist: false",
        {"content:/etc/login.defs": LOGIN_DEFS},
    ),
    ("login_defs: OTHER", "exist: false", "value: x", {"content:/etc/login.defs": LOGIN_DEFS}),
    ("login_defs: OTHER", "exist: false", "value: x", {"content:/etc/login.defs": Fact("absent")}),
    ("ini: {path: /c, key: Key, section: main}", "value: value = more", "value: value", {"content:/c": INI}),
    ("ini: {path: /c, key: key, section: other}", "value: 3", "value: 2", {"content:/c": INI}),
    ("ini: {path: /c, key: top}", "value: 1", "exist: false", {"content:/c": INI}),
    ("ini: {path: /c, key: key, section: none}", "exist: false", "value: 2", {"content:/c": INI}),
    ("json: {path: /c, key: [a, 0]}", "value: true", "value: 1", {"content:/c": b'{"a": [true]}'}),
    ("json: {path: /c, key: b}", "exist: false", "exist: true", {"content:/c": b'{"a": [true]}'}),
    ("yaml: {path: /c, key: [a, b, 1, c]}", "value: 5", "value: 6", {"content:/c": YAML}),
    ("yaml: {path: /c, key: mode}", 'value: "0640"', "value: 640", {"content:/c": YAML}),
]


@pytest.mark.parametrize(
    ("resource", "holds", "fails", "facts"), CASES, ids=["{} {}".format(*case[:2]) for case in CASES]
)
def test_each_attribute_of_a_resource_passes_and_fails(verdict, resource, holds, fails, facts):
    for expectation, expected in ((holds, "passed"), (fails, "failed")):
        test = f"- {resource}\n  expect: {{{expectation}}}"
        status, message = verdict(test, dict(facts))
        assert status == expected, message
        assert "hunter2" not in message


def test_every_attribute_of_every_resource_over_facts_is_covered():
    """Those over the API object stand in test_profile_pod_rules.py, drift in test_drift_resource.py."""
    missing = []
    for resource in RESOURCES.values():
        if resource.name in ("drift", "pod", "service_account", "container", "containers", "image"):
            continue
        used = {
            part.split(":")[0]
            for case in CASES
            if case[0].split(":")[0] == resource.name
            for part in case[1:3]
        }
        missing += [f"{resource.name} {name}" for name in resource.attributes if name not in used]
    # directory shares its attributes with file, and all tables share count and exist
    assert [
        name
        for name in missing
        if not name.startswith("directory ") and name.split()[1] not in ("count", "exist")
    ] == []


def test_without_a_package_database_nothing_is_said_about_packages(verdict):
    for facts in ({"packages": Fact("absent")}, {"packages": Fact("unsupported", cause="none found")}):
        for tests in (
            "- package: telnetd\n  expect: {installed: false}",
            "- packages: {}\n  expect: {count: 0}",
        ):
            assert verdict(tests, facts)[0] == "skipped"
    assert (
        verdict(
            "- packages: {}\n  expect: {database: true}",
            {"packages": Fact("unsupported", cause="none found")},
        )[0]
        == "skipped"
    )


def test_what_differs_between_packages_of_one_name_is_not_known(verdict):
    rows = [
        {"name": "kernel", "version": version, "arch": "x86_64", "installed": True}
        for version in ("5.14-2", "5.1-1")
    ]
    facts = {"packages": {"manager": "rpm", "packages": rows}}
    assert verdict("- package: kernel\n  expect: {version: {at_least: '5.14'}}", facts) == (
        "skipped",
        "version of kernel is not known: [5.14-2, 5.1-1] are installed; the resource packages looks at each.",
    )
    for known in ("installed: true", "arch: x86_64"):
        assert verdict(f"- package: kernel\n  expect: {{{known}}}", facts)[0] == "passed"
    each = "- packages: {where: {name: kernel, version: {less_than: '5.14'}}}\n  expect: {count: 0}"
    assert verdict(each, facts)[0] == "failed"


def test_a_package_without_a_version_is_installed(verdict):
    row = {"name": "telnetd", "version": "", "arch": "amd64", "installed": True}
    facts = {"packages": {"manager": "dpkg", "packages": [row]}}
    assert verdict("- package: telnetd\n  expect: {installed: false}", facts)[0] == "failed"
    assert verdict("- package: telnetd\n  expect: {version: {at_most: '9'}}", facts) == (
        "skipped",
        "version of telnetd is not known: the package database has none.",
    )


def test_a_file_is_known_to_exist_where_its_mode_is_not_known(verdict):
    """The collector tells type and existence also without a stat program."""
    partial = Fact("unsupported", {"type": "directory", "link_target": None}, "no stat program")
    assert verdict("- file: /x\n  expect: {exist: true}", {"file:/x": partial})[0] == "passed"
    assert verdict("- file: /x\n  expect: {type: directory}", {"file:/x": partial})[0] == "passed"
    assert verdict("- directory: /x\n  expect: {exist: true}", {"file:/x": partial})[0] == "passed"
    assert verdict("- file: /x\n  expect: {uid: 0}", {"file:/x": partial}) == (
        "skipped",
        "file:/x is not known: no stat program.",
    )
    assert verdict("- directory: /x\n  expect: {uid: 0}", {"file:/x": partial})[0] == "skipped"


@pytest.mark.parametrize(
    ("resource", "content", "cause"),
    [
        ("json", b"{", "Expecting property name"),
        ("json", b'{"a": 1, "b": {"a": 1, "a": 2}}', "the key 'a' stands twice in one object"),
        ("json", b"[NaN]", "NaN is not a JSON number"),
        ("json", b"[" * 100000, "recursion"),
        ("json", b"\xff", "Expecting value"),
        ("yaml", b"a: [", "not valid YAML"),
        ("yaml", b"a: !!python/object:os.system x", "found the tag"),
        ("yaml", b"x" * 70000, "longer than 65536"),
        ("yaml", b"a: 1\na: 2", "stands twice in one mapping"),
        ("yaml", b"a: &a [1]\nb: " + b"[" * 50 + b"*a" + b"]" * 50, "nested deeper"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_not_judged(verdict, resource, content, cause):
    for expectation in ("{exist: false}", "{value: {not: 1}}"):
        status, message = verdict(
            f"- {resource}: {{path: /c, key: a}}\n  expect: {expectation}", {"content:/c": content}
        )
        assert status == "skipped"
        assert message.startswith("content:/c is not known: the content cannot be parsed: ")
        assert cause in message
    if "stands twice in one object" in cause:
        attack_ends_as("27-key-twice-in-fact", outcome="Not Reviewed")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "Infinity", "NaN"])
def test_a_number_that_is_not_finite_meets_nothing(verdict, number):
    for expectation in ("at_least: 5", "more_than: 5", "at_most: 5", "not: 5"):
        profile = f"- json: {{path: /c, key: a}}\n  expect: {{value: {{{expectation}}}}}"
        assert verdict(profile, {"content:/c": b'{"a": %s}' % number.encode()})[0] == "skipped"
    attack_ends_as("27-infinite-number", outcome="Not Reviewed")


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_only_newlines_end_lines(verdict, separator):
    """Otherwise a comment could hide a setting that only we would see."""
    content = (f"# comment{separator}UMASK 077\nUMASK 022\n# other{separator}UMASK 077\n").encode()
    facts = {"content:/etc/login.defs": content}
    assert verdict('- login_defs: UMASK\n  expect: {value: "022"}', facts)[0] == "passed"
    content = (f"# comment{separator}key = 2\nkey = 1\n; other{separator}key = 2\n").encode()
    assert (
        verdict("- ini: {path: /c, key: key}\n  expect: {value: 1}", {"content:/c": content})[0] == "passed"
    )
    assert (
        verdict("- file: /c\n  expect: {lines: {none: {matches: ^key = 2}}}", {"content:/c": content})[0]
        == "passed"
    )


def test_login_defs_in_quotes_and_with_odd_blanks(verdict):
    facts = {
        "content:/etc/login.defs": b'\tENV_PATH  "PATH=/bin" # x\nALONE\n#NO 5\nUMASK\xc2\xa0027\nTTL \t 5 \r\n'
    }
    for key, expectation in (
        ("ENV_PATH", "value: PATH=/bin"),
        ("ALONE", "exist: false"),
        ("NO", "exist: false"),
        ("UMASK", "exist: false"),
        ("TTL", "value: 5"),
    ):
        assert verdict(f"- login_defs: {key}\n  expect: {{{expectation}}}", facts)[0] == "passed", key


def test_a_long_number_costs_no_time(verdict):
    for resource, content in (("json", b'{"a": %s}'), ("yaml", b"a: %s.0")):
        profile = f"- {resource}: {{path: /c, key: a}}\n  expect: {{value: {{more_than: 5}}}}"
        assert verdict(profile, {"content:/c": content % (b"9" * 300)})[0] == "passed"
        status, message = verdict(profile, {"content:/c": content % (b"9" * 60000)})
        assert (status, "is too large" in message) == ("skipped", True)


def test_a_place_that_could_not_be_searched_lets_nothing_pass(verdict):
    facts = dict(PIP, **{"python_packages:/venv": Fact("unreadable", cause="/venv/lib cannot be listed")})
    skipped = ("skipped", "python_packages:/venv is not known: /venv/lib cannot be listed.")
    assert verdict("- pip: flask\n  expect: {installed: false}", facts) == skipped
    assert verdict("- pip: zope.interface\n  expect: {version: 5.5.2}", facts) == skipped
    assert verdict("- pip: requests\n  expect: {versions: {each: {at_least: '2'}}}", facts)[0] == "skipped"
    assert verdict("- pip: requests\n  expect: {versions: {each: {at_least: '3'}}}", facts)[0] == "failed"
    assert verdict("- pip: requests\n  expect: {installed: true}", facts)[0] == "passed"
    assert verdict("- pip: requests\n  expect: {installed: false}", facts)[0] == "failed"


def test_a_version_that_is_not_one_version_is_not_judged(verdict):
    status, message = verdict("- pip: requests\n  expect: {version: {at_least: '1'}}", PIP)
    assert (status, "2.30.0 in /usr/x, 2.31.0 in /usr/local/x; versions has them all" in message) == (
        "skipped",
        True,
    )
    for content, cause in (
        (b"{", "cannot be parsed"),
        (b"[]", "does not tell it"),
        (b'{"version": 1}', "does not tell it"),
        (b"[" * 100_000, "cannot be parsed"),
    ):
        facts = dict(NPM, **{"content:/app/node_modules/lodash/package.json": content})
        status, message = verdict("- npm: lodash\n  expect: {version: {not: '1'}}", facts)
        assert status == "skipped" and cause in message


@pytest.mark.parametrize(
    ("test", "cause"),
    [
        ("command: sshd -T", "expected a list of a program and its arguments"),
        ("command: []", "must have 1 to 100 words"),
        ("command: [sleep, 1]", "numbers in quotes"),
        ("command: [bin/x]", "a program's absolute path, or with its name"),
        ("command: {argv: [x], timeout: 900}", "seconds from 1 to 300"),
        ("command: {timeout: 1}", "argv"),
        ("npm: ../x", "the name of a package of npm"),
        ("npm: a/b", "the name of a package of npm"),
        ("os_env: A=B", "not the name of an environment variable"),
        ("pip: {name: x, path: /a/../b}", ".. parts"),
    ],
)
def test_what_the_collector_would_refuse_is_refused_with_its_line(load_tests, test, cause):
    attribute = {"npm": "installed", "pip": "installed", "os_env": "content"}.get(test.split(":")[0], "exist")
    with pytest.raises(ScanError, match=re.escape(cause)) as refused:
        load_tests(
            f"- {test}\n  expect: {{{attribute}: true}}"
            if attribute != "content"
            else f"- {test}\n  expect: {{content: x}}"
        )
    assert "profile.yml" in str(refused.value)


def test_a_failing_command_shows_what_it_wrote(verdict):
    facts = {SSHD: dict(ANSWER, stdout=b"\x1b[2Jport\n" + b"x" * 500)}
    status, message = verdict("- command: [sshd, -T]\n  expect: {stdout: ok}", facts)
    assert status == "failed" and "from `sshd -T`" in message and "\x1b" not in message and len(message) < 500


SOME_USERS = Fact(
    "unsupported",
    [PASSWD[0], {"name": "clamav", "password": "shadow", "uid": 64, "gid": 0}],
    "line 3 (clamav) is not of the database's form: it has 8 fields, not 7",
)
SOME_GROUPS = Fact("unsupported", GROUP[:2], "line 4 (x) is not of the database's form: it has no fields")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("- user: root\n  expect: {uid: 0}", "passed"),
        ("- user: root\n  expect: {uid: 1}", "failed"),
        ("- user: clamav\n  expect: {uid: 64}", "passed"),
        ("- user: clamav\n  expect: {shell: {not: /bin/sh}}", "skipped"),
        ("- user: other\n  expect: {exist: false}", "skipped"),
        ("- user: clamav\n  expect: {groups: {include_none: root}}", "failed"),
        ("- user: clamav\n  expect: {groups: {include_none: wheel}}", "skipped"),
        ("- users: {where: {uid: 64}}\n  expect: {exist: false}", "failed"),
        ("- users: {where: {shell: {not: /bin/bash}}}\n  expect: {exist: false}", "skipped"),
        ("- users: {where: {uid: 5}}\n  expect: {exist: false}", "skipped"),
        ("- groups: {where: {gid: 42}}\n  expect: {exist: false}", "failed"),
        ("- group: shadow\n  expect: {members: {none_outside: []}}", "failed"),
        ("- group: x\n  expect: {exist: false}", "skipped"),
        ("- group_members: {where: {group: root}}\n  expect: {users: {none_outside: [root]}}", "failed"),
        ("- group_members: {where: {group: wheel}}\n  expect: {exist: false}", "skipped"),
        ("- file: /x\n  expect: {owner: root}", "passed"),
        ("- file: /x\n  expect: {group: shadow}", "passed"),
        ("- file: /y\n  expect: {owner: {not: root}}", "skipped"),
    ],
)
def test_a_part_of_a_database_proves_what_is_in_it_and_nothing_else(verdict, test, expected):
    asked = {
        "user": ["passwd", "group"] if "groups" in test else ["passwd"],
        "users": ["passwd"],
        "group": ["group"],
        "groups": ["group"],
        "group_members": ["passwd", "group"],
        "file": ["file:/y" if "/y" in test else "file:/x", "passwd" if "owner" in test else "group"],
    }[test.split(":")[0][2:]]
    facts = {
        "passwd": SOME_USERS,
        "group": SOME_GROUPS,
        "file:/x": FILE,
        "file:/y": dict(FILE, uid=7),
    }
    status, message = verdict(test, {key: facts[key] for key in asked})
    assert status == expected, message


def test_more_members_than_are_laid_out_let_nothing_pass(verdict):
    many = [{"name": f"g{number}", "gid": 1, "members": [f"u{number}"]} for number in range(300)]
    facts = {"group": [*many, *GROUP], "passwd": PASSWD}
    assert (
        verdict("- group_members: {where: {group: root}}\n  expect: {users: [root]}", facts)[0] == "skipped"
    )
    assert (
        verdict("- group_members: {where: {group: g1}}\n  expect: {users: {empty: true}}", facts)[0]
        == "failed"
    )
