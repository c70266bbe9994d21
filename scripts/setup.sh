#!/bin/sh
# Make .venv and install the project in it, with the versions of constraints.txt.
#
# `make venv` calls this when pyproject.toml or constraints.txt changed. .venv/.ready is written
# last and says for which folder; .venv/.unfinished lies there meanwhile, so that what an
# interruption left is replaced.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
here=$(pwd -P)

usable() {
    [ ! -e "$venv/.unfinished" ] &&
        { [ ! -e "$venv/.ready" ] || [ "$(cat "$venv/.ready")" = "$here" ]; } &&
        PYTHON=$venv/bin/python sh scripts/find-python.sh >/dev/null 2>&1 &&
        "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

if ! usable; then
    python=$(sh scripts/find-python.sh)
    echo "Making $venv with $("$python" --version) ($python)"
    rm -rf "$venv/bin" "$venv" # bin first: half of an old one must not pass for usable
    mkdir "$venv"
    : >"$venv/.unfinished"
    "$python" -m venv "$venv"
fi
rm -f "$venv/.ready"
: >"$venv/.unfinished"
echo "Installing the pinned packages into $venv (a minute or two the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --editable '.[dev,browser]' --constraint constraints.txt || {
    echo "error: the packages could not be installed; pip says why above, and the next make starts afresh" >&2
    exit 1
}
printf '%s\n' "$here" >"$venv/.ready"
rm -f "$venv/.unfinished"
