#!/bin/sh
# Install the built wheel into an empty environment outside the checkout, and ask what it ships with.
set -eu
cd "$(dirname "$0")/.."

python=$(pwd)/.venv/bin/python
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$temporary" .
"$python" -m venv "$temporary/venv"
fresh=$temporary/venv/bin
echo "Installing $(basename "$temporary"/*.whl) with the versions of constraints.txt"
"$fresh/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt "$temporary"/*.whl
cd "$temporary" # nothing of the checkout is in reach

ask() {
    echo "bayes-distill $*"
    "$fresh/bayes-distill" "$@" >answer.txt 2>&1 || {
        cat answer.txt >&2
        echo "error: the installed wheel does not answer" >&2
        exit 1
    }
    case "$*" in *busbridge2025*) sed -n 1,6p answer.txt ;; esac
}

ask models list
ask forecast busbridge2025 --params 1B --tokens 100B --teacher-loss 2.0
ask risk busbridge2025 --params 1B --tokens 100B --teacher-loss 2.0
ask plan busbridge2025 --params 1B --budget 1e21,1e22
echo "The wheel works on its own."
