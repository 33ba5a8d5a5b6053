#!/usr/bin/env bash
# gpu.sh [--small] OUT [STEP...]: all that a machine with a GPU can tell, from a bundle (./dev bundle) or a build: the op
# tests and whole pipelines on the device, the benches, then compute-sanitizer over every op test. One file a step in
# OUT, and summary.txt: a line a step. Ends with 0 when every step did; a step that cannot be done here says why.
#   STEP...             only these, as summary.txt names them
#   --small             toy sizes, to see that all runs: on the shim with PENSTOCK_CUDA_MODULE naming its module
#   PEN_GPU_SECONDS     for all together, 570 unless set; what has no time left is passed over, and said
set -uo pipefail
small=''
[ "${1:-}" != --small ] || { small=yes; shift; }
out=$(mkdir -p "${1:?expected a folder for the results}" && cd "$1" && pwd)
shift
wanted=" $* "
here=$(cd "$(dirname "$0")/.." && pwd)
deadline=$((SECONDS + ${PEN_GPU_SECONDS:-570}))
failed=0

if [ -n "$small" ]; then
    rows=512 batches=(32) transform_rows=20000 ops=(--small --seconds 0.01) steps=(--seconds 0.05 --hidden 8,4)
    samples=$'taxi 600 tips > 0.2 * fare\ncomplaints 400 disputed\nclicks 600 clicked'
else
    rows=1048576 batches=(1024 8192 65536) transform_rows=4194304 ops=(--seconds 0.2) steps=(--seconds 2)
    samples=$'taxi 100000 tips > 0.2 * fare\ncomplaints 20000 disputed\nclicks 200000 clicked'
fi

found() { [ -x "$here/bin/$1" ] && echo "$here/bin/$1" || echo "$here/build/$1"; }

run() { # a program of the bundle, or of the build
    local program
    program=$(found "$1")
    shift
    "$program" "$@"
}

is_wanted() { [ "$wanted" = '  ' ] || [[ $wanted == *" $1 "* ]]; }

tell() { # NAME STATUS SECONDS WORDS
    printf '%-28s %-7s %4d s  %s\n' "$1" "$2" "$3" "$(cut -c1-110 <<<"$4")" | tee -a "$out/summary.txt"
}

step() { # NAME LIMIT_S COMMAND...
    local name=$1 limit=$2 left=$((deadline - SECONDS)) started=$SECONDS status=ok
    shift 2
    is_wanted "$name" || return 0
    if [ "$left" -lt 5 ]; then
        failed=1
        tell "$name" 'no time' 0 'PEN_GPU_SECONDS are over: run it alone'
        return
    fi
    export -f run found pipelines checked
    if ! timeout $((limit < left ? limit : left)) bash -c '"$@"' _ "$@" >"$out/$name.txt" 2>&1; then
        status=FAILED
        failed=1
    fi
    tell "$name" "$status" $((SECONDS - started)) "$(tail -1 "$out/$name.txt")"
}

absent() { # NAME WHY
    is_wanted "$1" || return 0
    tell "$1" absent 0 "$2"
}

checked() { # TOOL: under compute-sanitizer. The hazards that racecheck finds within libraries are not ours to mend.
    local ours=()
    [ "$1" != racecheck ] || ours=(--kernel-name-exclude 'kns=cub,kns=cutlass,kns=gemm_,kns=cudnn')
    PEN_TEST_DEVICE=cuda:0 compute-sanitizer --tool "$1" --error-exitcode 9 "${ours[@]}" "$(found test_kernels)" \
        --gtest_brief=1 --gtest_filter='-choose*:op_cases*'
}

pipelines() { # the samples on the device and on the CPU: both evaluations are told
    local sample n label device
    cd "$(mktemp -d)" || return 1
    while read -r sample n label; do
        run penstock generate "$sample" --rows "$n" --seed 1 -o "$sample.csv" || return 1
        for device in cpu cuda; do
            rm -f pipeline.yaml
            run penstock train "$sample.csv" --label "$label" --device "$device" --root "out-$sample-$device" ||
                return 1
        done
    done <<<"$samples"
    rm -rf "$PWD"
}

export here samples
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
nvidia-smi >"$out/machine.txt" 2>&1
step doctor 60 run penstock doctor
step op_tests 120 env PEN_TEST_DEVICE=cuda:0 "$(found test_kernels)" --gtest_brief=1
step transform_tests 60 env PEN_TEST_DEVICE=cuda:0 "$(found test_components)" --gtest_brief=1 \
    --gtest_filter='transform*'
step auc 60 run bench_kernels sort_scores rank_sums --device cuda --json "${ops[@]}"
for batch in "${batches[@]}"; do
    for precision in float32 tf32 bf16; do
        step "training_${batch}_$precision" 30 run bench_trainer --device cuda --rows "$rows" --batch "$batch" \
            --precision "$precision" "${steps[@]}"
    done
done
if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    step training_torch 150 python3 "$here/bench/trainer/peers.py" "$(found bench_trainer)" --device cuda \
        --rows "$rows" --batch "${batches[@]}" --rounds 3 --json "$out/training_torch.json"
else
    absent training_torch 'no PyTorch that sees a GPU'
fi
step ops 120 run bench_kernels --device cuda --json "${ops[@]}"
for precision in tf32 bf16; do
    step "ops_$precision" 30 run bench_kernels gemm dense_forward dense_backward text_conv_forward --device cuda \
        --precision "$precision" --json "${ops[@]}"
done
step transform_cpu 60 run bench_transform --device cpu "$transform_rows"
step transform_cuda 60 run bench_transform --device cuda "$transform_rows"
step pipelines 120 pipelines
for tool in memcheck racecheck initcheck synccheck; do
    if command -v compute-sanitizer >/dev/null; then
        step "$tool" 150 checked "$tool"
    else
        absent "$tool" 'no compute-sanitizer'
    fi
done
exit $failed
