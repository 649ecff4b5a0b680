# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the file to the verdict: a line that cannot be read hides no failure, and lets nothing pass."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts, Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import Container
from ansible_collections.securescan.kubernetes.tests.support.verdict_words import status_of

pytestmark = pytest.mark.in_container

PROFILES = Path(__file__).resolve().parents[5] / "profiles"
ROOT = "root:x:0:0:root:/root:/bin/sh\n"
GUEST = "guest:x:1000:1000::/home/guest:/bin/sh\n"
GOOD = {
    "passwd": ROOT + GUEST,
    "group": "root:x:0:\nsudo:x:27:\nguest:x:1000:\n",
    "shadow": "root:*:20000:0:99999:7:::\nguest:!:20000:0:99999:7:::\n",
}
CONTROLS = (
    "cb-root-uid",
    "cb-passwd-passwords",
    "cb-shadow-passwords",
    "cb-root-locked",
    "cb-unique-users",
    "cb-unique-groups",
    "cb-system-account-shells",
    "cb-administrative-groups",
)


@pytest.fixture
def judged(make_container: Callable[..., Container]) -> Callable[..., dict[str, tuple[str, str]]]:
    """The verdicts of the account controls, with what was said of them, over files that differ from the good ones."""

    def judge(**files: str) -> dict[str, tuple[str, str]]:
        container = make_container()
        for name, text in {**GOOD, **files}.items():
            container.write("/etc/" + name, text)
        queries = [Query(kind) for kind in GOOD]
        queries += [Query("file", "/etc/" + name) for name in GOOD] + [Query("readable", "/etc/shadow")]
        facts: Facts = container.collect(*queries)
        profile = load_profile("container-baseline", [PROFILES], {})
        pod = {"metadata": {"name": "x", "namespace": "y"}, "spec": {"containers": [{"name": "app"}]}}
        result = evaluate(profile, facts, EvaluationContext({}, pod, "app"))
        return {
            control.id: (
                status_of(control),
                " ".join(filter(None, (one.message or one.skip_message for one in control.results))),
            )
            for control in result.controls
            if control.id in CONTROLS
        }

    return judge


def test_good_files_pass(judged: Callable[..., dict[str, tuple[str, str]]]) -> None:
    assert {status for status, _said in judged().values()} == {"Passed"}


@pytest.mark.parametrize(
    ("name", "text", "failed"),
    [
        (
            "passwd",
            GOOD["passwd"] + "toor:x:0:0::/root:/bin/sh\nclamav:x:64:64:a:/:/bin/:/x\n",
            "cb-root-uid",
        ),
        ("passwd", "x\n" + GOOD["passwd"] + "toor:x:0:0::/root:/bin/sh\n", "cb-root-uid"),
        ("passwd", GOOD["passwd"] + "toor:x:+0:0::/root:/bin/sh\n", "cb-root-uid"),
        ("passwd", GOOD["passwd"] + "toor:x:00:0::/root:/bin/sh\n", "cb-root-uid"),
        ("passwd", (GOOD["passwd"] + "toor:x:0:0::/root:/bin/sh\n").replace("\n", "\r\n"), "cb-root-uid"),
        ("passwd", GOOD["passwd"] + "toor:x:0:0:$1$a$b:/root:/bin/sh\n", "cb-root-uid"),
        ("passwd", GOOD["passwd"] + "toor::7:7\n", "cb-passwd-passwords"),
        ("passwd", GOOD["passwd"] + "www:x:33:33::/:/bin/sh\nx:y\n", "cb-system-account-shells"),
        ("passwd", ROOT + "guest:x:1000:27::/:/bin/sh\n", "cb-administrative-groups"),
        ("passwd", ROOT + "guest:x:1000:27::/:/bin/sh\nx:y\n", "cb-administrative-groups"),
        ("group", "root:x:0:\nsudo:x:27:guest\nusers:x:100:http:guest\n", "cb-administrative-groups"),
        ("group", "root:x:0:\nsudo:x:27:\nops:x:27:guest\n", "cb-administrative-groups"),
        ("group", "root:x:0:\nother:x:0:\nbad\n", "cb-unique-groups"),
        (
            "shadow",
            "root:*:20000::::::\nguest::20000:0:99999:7:::\nclamav:!:1::::::::extra\n",
            "cb-shadow-passwords",
        ),
        ("shadow", "bad\nroot:$6$a$b:20000::::::\n", "cb-root-locked"),
    ],
)
def test_what_the_good_lines_prove_is_a_failure(
    judged: Callable[..., dict[str, tuple[str, str]]], name: str, text: str, failed: str
) -> None:
    assert judged(**{name: text})[failed][0] == "Failed"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "passwd",
            GOOD["passwd"] + "clamav:x:64:64:a:/:/usr/sbin/nologin:x\n",
            "line 3 (clamav) is not of the database's form",
        ),
        ("passwd", GOOD["passwd"] + "bad\n", "line 3 (bad) is not of the database's form: it has no fields"),
        ("passwd", GOOD["passwd"].replace("\n", "\r\n"), "it ends with CR LF"),
        (
            "group",
            GOOD["group"] + "users:x:100:http:guest\n",
            "line 4 (users) is not of the database's form: it has 5 fields",
        ),
        ("shadow", GOOD["shadow"].replace("\n", "\r\n"), "it ends with CR LF"),
    ],
)
def test_nothing_passes_on_a_part_of_a_database(
    judged: Callable[..., dict[str, tuple[str, str]]], name: str, text: str, said: str
) -> None:
    verdicts = judged(**{name: text})
    own = {"passwd": "cb-passwd-passwords", "group": "cb-unique-groups", "shadow": "cb-shadow-passwords"}[
        name
    ]
    assert verdicts[own][0] == "Not Reviewed"
    assert said in verdicts[own][1]
    assert "Failed" not in {status for status, _said in verdicts.values()}


@pytest.mark.parametrize(
    "lines",
    ["\n   \n", "# toor:x:0:0::/:/bin/sh\n", "  # x\n", "+\n", "+@nisgroup\n", "+::::::\n", "-mallory\n"],
)
def test_lines_that_every_reader_leaves_out_change_no_verdict(
    judged: Callable[..., dict[str, tuple[str, str]]], lines: str
) -> None:
    verdicts = judged(
        passwd=GOOD["passwd"] + lines,
        group=GOOD["group"] + lines.replace("::::::", ":::"),
        shadow=GOOD["shadow"] + lines,
    )
    assert {name: status for name, (status, _said) in verdicts.items() if status != "Passed"} == {}
