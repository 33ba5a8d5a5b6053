#!/usr/bin/env bash
# gpu.sh OUT: all that a machine with a GPU can tell, from a bundle (./dev bundle) or a build: the op tests and whole
# pipelines on the device, compute-sanitizer over the small cases, then the benches. One file a step in OUT, and
# summary.txt: a line a step. Ends with 0 when every step did.
set -uo pipefail
out=$(mkdir -p "${1:?expected a folder for the results}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
failed=0

run() { # a program of the bundle, or of the build
    if [ -x "$here/run" ]; then "$here/run" "$@"; else local program=$1; shift; "$here/build/$program" "$@"; fi
}

step() { # NAME LIMIT_S COMMAND...
    local name=$1 limit=$2 started=$SECONDS status=ok
    shift 2
    if ! timeout "$limit" "$@" >"$out/$name.txt" 2>&1; then status=FAILED; failed=1; fi
    printf '%-28s %-7s %4d s  %s\n' "$name" "$status" $((SECONDS - started)) "$(tail -1 "$out/$name.txt" | cut -c1-90)" |
        tee -a "$out/summary.txt"
}

checked() { # TOOL PROGRAM...: under compute-sanitizer
    local tool=$1 program=$2
    shift 2
    PEN_TEST_DEVICE=cuda:0 compute-sanitizer --tool "$tool" --error-exitcode 9 "$(found "$program")" "$@"
}

found() { [ -x "$here/bin/$1" ] && echo "$here/bin/$1" || echo "$here/build/$1"; }

pipelines() { # the three samples on the device and on the CPU: the same metrics within bounds
    local sample label rows
    cd "$(mktemp -d)" || return 1
    while read -r sample rows label; do
        run penstock generate "$sample" --rows "$rows" --seed 1 -o "$sample.csv" || return 1
        for device in cpu cuda; do
            rm -f pipeline.yaml
            run penstock train "$sample.csv" --label "$label" --device "$device" --root "out-$sample-$device" || return 1
        done
    done <<'SAMPLES'
taxi 100000 tips > 0.2 * fare
complaints 20000 disputed
clicks 200000 clicked
SAMPLES
}

nvidia-smi >"$out/machine.txt" 2>&1
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
step doctor 60 run penstock doctor
step op_tests 300 env PEN_TEST_DEVICE=cuda:0 "$(found test_kernels)" --gtest_brief=1
step transform_tests 120 env PEN_TEST_DEVICE=cuda:0 "$(found test_components)" --gtest_brief=1 \
    --gtest_filter='transform*'
step pipelines 300 pipelines
for tool in memcheck racecheck initcheck synccheck; do
    step "$tool" 240 checked "$tool" test_kernels --gtest_brief=1 \
        --gtest_filter='batch*:step*:loss*:dropout*:deal*:embedding*:optimiser*:columns*:hash*:repeat*'
done
step ops 300 run bench_kernels --device cuda --json
for precision in tf32 bf16; do
    step "ops_$precision" 60 run bench_kernels gemm dense_forward dense_backward text_conv_forward --device cuda \
        --precision "$precision" --json
done
step transform_cpu 60 run bench_transform --device cpu 4194304
step transform_cuda 60 run bench_transform --device cuda 4194304
step training_1024 60 run bench_trainer --device cuda --rows 4194304 --batch 1024
step training_8192 60 run bench_trainer --device cuda --rows 4194304 --batch 8192
step training_65536 60 run bench_trainer --device cuda --rows 4194304 --batch 65536
for precision in tf32 bf16; do
    step "training_8192_$precision" 60 run bench_trainer --device cuda --rows 4194304 --batch 8192 \
        --precision "$precision"
done
step training_torch 300 python3 "$here/bench/trainer/peers.py" "$(found bench_trainer)" --device cuda \
    --rows 1048576 --batch 1024 8192 65536 --rounds 3 --json "$out/training_torch.json"
exit $failed
