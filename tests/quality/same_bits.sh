#!/bin/sh
# The same bits with 1 and 3 threads: the whole pipeline on made-up trips, content hashes compared. Left out are artifacts
# that hold times or paths (ModelRun, ModelEvaluation, PushedModel).
set -eu
program=$1
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
"$program" generate taxi --rows 5000 --seed 7 -o trips.csv 2>/dev/null
"$program" init trips.csv --label 'tips > 0.2 * fare' 2>/dev/null
for threads in 1 3; do
    OMP_NUM_THREADS=$threads "$program" run pipeline.yaml --root "root$threads" --set "pusher.directory=serving$threads" \
        2>"log$threads"
    for type in Examples ExampleStatistics Schema ExampleAnomalies TransformGraph Model ModelBlessing; do
        "$program" artifacts --root "root$threads" --type "$type" --json | grep '"hash"' | sed "s/^/$type /"
    done >"hashes$threads"
done
[ "$(wc -l <hashes1)" -eq 8 ]
diff hashes1 hashes3
