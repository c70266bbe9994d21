#!/bin/sh
# Run the benchmarks in .venv-bench, which holds the libraries that are compared with as well.
#
# Results go to bench/ as JSON; what is printed are the tables of docs/benchmarks.md. ROUNDS=1 is a
# quick look. An hour, on a machine with nothing else to do.
set -eu
cd "$(dirname "$0")/.."

venv=.venv-bench
if [ ! -e "$venv/.ready" ] || [ constraints.txt -nt "$venv/.ready" ] || [ pyproject.toml -nt "$venv/.ready" ]; then
    echo "Installing the libraries to compare with into $venv (minutes the first time)"
    rm -rf "$venv"
    "$(sh scripts/find-python.sh)" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --editable '.[bench]' --constraint constraints.txt
    : >"$venv/.ready"
fi
mkdir -p bench
python=$venv/bin/python
echo "## Samplers"
"$python" benchmarks/samplers.py --rounds "${ROUNDS:-3}" --json bench/samplers.json
echo
echo "## Kernels"
"$python" benchmarks/kernels.py --seeds "${ROUNDS:-3}" --json bench/kernels.json
echo
echo "## Warm-up and coordinates"
"$python" benchmarks/warm_up.py --json bench/warm-up.json
echo
echo "## Bootstrap: time, then coverage"
"$python" benchmarks/bootstrap.py --time --json bench/bootstrap-time.json
"$python" benchmarks/bootstrap.py --json bench/bootstrap.json
echo
echo "## Planner against SLSQP"
"$python" benchmarks/planner_against_slsqp.py --json bench/planner.json
echo
echo "## Latency"
"$python" benchmarks/latency.py --json bench/latency.json
echo
echo "## Growth"
"$python" benchmarks/growth.py --json bench/growth.json
