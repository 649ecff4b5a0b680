# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer of the SAF CLI, with a stand-in for npm: what is tested is what it leaves behind."""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
import subprocess
import sys

import pytest

SAF = pathlib.Path(__file__).resolve().parents[2] / "saf"
GOOD_NPM = """#!/bin/sh
echo npm >> "$LOG"
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho @mitre/saf/1.2.3\\n' > node_modules/.bin/saf
chmod +x node_modules/.bin/saf
"""


class Installer:
    def __init__(self, folder: pathlib.Path) -> None:
        self.cache = folder / "cache"
        self.programs = folder / "bin"
        self.log = folder / "log"
        self.programs.mkdir()
        self.log.write_text("")
        self.program("node", "#!/bin/sh\n")

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(stat.S_IRWXU)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SECURESCAN_CACHE": str(self.cache),
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "LOG": str(self.log),
        }

    @property
    def command(self) -> list[str]:
        return [sys.executable, str(SAF / "install.py")]

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command, env=self.environment, text=True, check=False, timeout=60, capture_output=True
        )


@pytest.fixture
def installer(tmp_path: pathlib.Path) -> Installer:
    return Installer(tmp_path)


def test_it_installs_once_and_prints_the_program(installer: Installer) -> None:
    installer.program("npm", GOOD_NPM)
    outputs = [installer.run() for _number in range(3)]
    assert {done.returncode for done in outputs} == {0}
    assert len({done.stdout for done in outputs}) == 1
    program = pathlib.Path(outputs[0].stdout.strip())
    assert program.name == "saf"
    assert os.access(program, os.X_OK)
    assert installer.log.read_text().splitlines() == ["npm"]
    assert "installing" in outputs[0].stderr
    assert outputs[1].stderr == ""
    assert [path.suffix for path in (installer.cache / "saf").iterdir() if "part" in path.name] == []


def test_two_at_once_install_once(installer: Installer) -> None:
    installer.program("npm", GOOD_NPM.replace("mkdir", "sleep 1; mkdir", 1))
    running = [
        subprocess.Popen(
            installer.command,
            env=installer.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _number in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert outputs[0] == outputs[1] != ""
    assert installer.log.read_text().splitlines() == ["npm"]


@pytest.mark.parametrize(
    ("npm", "message"),
    [
        ("#!/bin/sh\nmkdir node_modules\necho broken tarball\nexit 7\n", "broken tarball"),
        ("#!/bin/sh\nmkdir -p node_modules/.bin\n", "made no program"),
        (GOOD_NPM.replace("echo @mitre/saf/1.2.3", "exit 3"), "does not start"),
    ],
)
def test_a_failed_install_leaves_nothing_that_looks_finished(
    installer: Installer, npm: str, message: str
) -> None:
    installer.program("npm", npm)
    done = installer.run()
    assert done.returncode != 0
    assert done.stdout == ""
    assert message in done.stderr
    assert [path for path in (installer.cache / "saf").iterdir() if path.is_dir()] == []
    installer.program("npm", GOOD_NPM)
    assert installer.run().returncode == 0


def test_without_npm_it_says_what_is_missing(installer: Installer) -> None:
    installer.programs.joinpath("node").unlink()
    done = subprocess.run(
        installer.command,
        env=dict(installer.environment, PATH=str(installer.programs)),
        text=True,
        check=False,
        capture_output=True,
    )
    assert done.returncode != 0
    assert "nodejs, npm" in done.stderr


def test_the_pins_are_exact_and_name_no_host_to_fetch_from() -> None:
    package = json.loads((SAF / "package.json").read_text())
    lock = json.loads((SAF / "package-lock.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert not name or entry.get("integrity") or entry.get("inBundle"), name
