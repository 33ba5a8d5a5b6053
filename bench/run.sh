#!/usr/bin/env bash
# Runs every bench of the build (or the one named), results as JSON and a table under build/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/bench
wanted=${1:-}
for program in build/bench_*; do
    [ -x "$program" ] || continue
    name=$(basename "$program")
    [ -z "$wanted" ] || [ "$name" = "bench_$wanted" ] || continue
    echo "== $name"
    (cd build/bench && "../$name") | tee "build/bench/$name.txt"
done
