#!/bin/sh
# Print the path of a Python that this project runs on, or say what is missing and exit 1.
#
# PYTHON, if set, is the only candidate. A candidate counts only once it has run: the shim of a
# version manager may be on the path and still fail.
set -u

oldest=12 # 3.12, as requires-python in pyproject.toml says

# the interpreter behind a virtual environment is wanted, not the environment, which may be replaced
probe='import sys
print("%d.%d %s" % (sys.version_info[0], sys.version_info[1],
                    getattr(sys, "_base_executable", None) or sys.executable))'

seen=''
without_venv=''

try() {
    found=$("$1" -c "$probe" 2>/dev/null </dev/null) || return 0
    version=${found%% *}
    case $version in
        3.*) ;;
        *) return 0 ;;
    esac
    if ! [ "${version#3.}" -ge "$oldest" ] 2>/dev/null; then
        seen="${seen:+$seen, }$1 is Python $version"
    elif ! "$1" -c 'import ensurepip, venv' 2>/dev/null </dev/null; then
        without_venv=${without_venv:-"$1 $version"}
    else
        printf '%s\n' "${found#* }"
        exit 0
    fi
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON"
    seen=${seen:-"$PYTHON does not run as a Python"}
else
    # the last are pyenv's own: its shims refuse when .python-version names one it does not have
    for candidate in python3.13 python3.12 python3.14 python3 python \
        "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
        try "$candidate"
    done
fi

if [ -n "$without_venv" ]; then
    version=${without_venv##* }
    cat >&2 <<MESSAGE
error: ${without_venv% *} is Python $version but cannot make virtual environments (venv and ensurepip are missing).
       Debian, Ubuntu: apt install python$version-venv    Other systems: a Python with ensurepip.
       Or name another one: make PYTHON=/path/to/python3.13
MESSAGE
else
    cat >&2 <<MESSAGE
error: Python 3.$oldest or newer is needed (${seen:-no Python was found}).
       Debian, Ubuntu: apt install python3 python3-venv    macOS: brew install python@3.13
       pyenv: pyenv install 3.13    Others: python.org/downloads
       If you have one elsewhere, name it: make PYTHON=/path/to/python3.13
MESSAGE
fi
exit 1
