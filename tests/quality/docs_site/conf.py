# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration for the docs site. It builds without network, so labels of other sites are not resolved."""

from __future__ import annotations

project = "securescan.kubernetes"
copyright = "securescan.kubernetes contributors"
title = html_short_title = "Collection securescan.kubernetes"
extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_show_sphinx = False
display_version = False
# labels of Ansible's own documentation
suppress_warnings = ["ref.ref", "ref.any"]
