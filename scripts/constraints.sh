#!/bin/sh
# Write constraints.txt: the newest versions that a fresh install of .[dev,browser,bench] gets.
#
# Resolve with the oldest Python supported: what supports it supports the newer ones too, while
# the newest releases of some packages no longer support the oldest.
set -eu
cd "$(dirname "$0")/.."

python=$(sh scripts/find-python.sh)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

echo "Resolving with $("$python" --version)"
"$python" -m venv "$temporary/venv"
fresh=$temporary/venv/bin/python
"$fresh" -m pip install --quiet --disable-pip-version-check '.[dev,browser,bench]'
{
    echo '# The versions that `make venv` and `make bench` install, from a fresh install of .[dev,browser,bench].'
    echo '# To refresh them: make constraints PYTHON=python3.12 (the oldest Python supported).'
    "$fresh" -m pip freeze --disable-pip-version-check | grep -v '^bayes-distill' | LC_ALL=C sort -f
} >"$temporary/constraints.txt"
if grep -v -e '^#' -e '^[A-Za-z0-9._-]*==[A-Za-z0-9._]*$' "$temporary/constraints.txt" >&2; then
    echo "error: the lines above are not name==version; constraints.txt is as it was" >&2
    exit 1
fi
cp "$temporary/constraints.txt" constraints.txt
echo "constraints.txt has $(grep -c == constraints.txt) versions"
