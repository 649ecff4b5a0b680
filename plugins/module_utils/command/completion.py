# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts by which shells complete the command. Each asks the command itself for the words, so they know no flag."""

from __future__ import annotations

from .arguments import Arguments, bad_usage
from .exit_status import PASSED
from .subcommand import Surroundings

# The subcommand that answers; it is not shown.
COMPLETE = "__complete"
# The last line of an answer is a colon and the sum of these, as kubectl reads it.
NO_SPACE, NO_FILES, FOLDERS_ONLY = 2, 4, 16

_BASH = """\
# securescan completion bash: source it, or put it where bash-completion looks
_securescan() {
  local answer directive word=${COMP_WORDS[COMP_CWORD]} line
  # a = is a word of its own for bash
  [[ $word == "=" ]] && word=""
  answer=$(securescan __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null) || return
  directive=${answer##*:}
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ $line == :* || -z $line ]] || COMPREPLY+=("$line")
  done <<< "$answer"
  if (( directive & 16 )); then
    mapfile -t COMPREPLY < <(compgen -d -- "$word")
    compopt -o filenames
  elif (( ${#COMPREPLY[@]} == 0 && !(directive & 4) )); then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames
  fi
  (( directive & 2 )) && compopt -o nospace
  return 0
}
complete -F _securescan securescan kubectl-securescan
"""

_ZSH = """\
#compdef securescan kubectl-securescan
# securescan completion zsh: put it into a folder of fpath as _securescan
_securescan() {
  local answer directive line
  local -a found
  answer=$(securescan __complete "${(@)words[2,CURRENT-1]}" "${words[CURRENT]}" 2>/dev/null) || return 1
  directive=${answer##*:}
  for line in ${(f)answer}; do
    [[ $line == :* ]] || found+=("${line%%$'\\t'*}")
  done
  if (( directive & 16 )); then
    _files -/
  elif (( ${#found} == 0 && !(directive & 4) )); then
    _files
  elif (( directive & 2 )); then
    compadd -S '' -- $found
  else
    compadd -- $found
  fi
}
if [ "$funcstack[1]" = "_securescan" ]; then
  _securescan "$@"
else
  compdef _securescan securescan kubectl-securescan
fi
"""

_FISH = """\
# securescan completion fish: put it into ~/.config/fish/completions/securescan.fish
function __securescan_words
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (securescan __complete $words[2..-1] 2>/dev/null)
    or return
    set -l found (string match -v -r '^:' -- $answer)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else if not contains -- $answer[-1] :4 :6
        __fish_complete_path (commandline -ct)
    end
end
complete -c securescan -f -a '(__securescan_words)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(arguments: Arguments, surroundings: Surroundings) -> int:
    if len(arguments.words) != 1 or arguments.words[0] not in SCRIPTS:
        raise bad_usage("one shell is needed", f"It is one of {', '.join(SCRIPTS)}.")
    surroundings.screen.out.write(SCRIPTS[arguments.words[0]])
    return PASSED
