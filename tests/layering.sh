#!/bin/sh
# Includes point downward only, foreign headers stay in their few files, every header other rooms see compiles alone, twice, in C and C++.
set -u
cd "$1" || exit 1
compiler=${2:-cc}
failed=0
report() { printf '%s\n' "$1"; failed=1; }

forbid() { # FLOOR PATTERN: no file of the floor includes the pattern
    found=$(grep -rnE "^#include \"($2)/" "$1" --include='*.c' --include='*.h' --include='*.cu' --include='*.cuh')
    [ -z "$found" ] || report "$1/ may not include these:
$found"
}
forbid core 'kernels|datasets|components|orchestrator'
forbid kernels 'datasets|components|orchestrator'
forbid datasets 'kernels|components|orchestrator'
forbid components 'orchestrator'

foreign() { # HEADER ALLOWED-FILES
    found=$(grep -rlE "^#include <($1)" core kernels datasets components orchestrator | grep -vE "^($2)$")
    [ -z "$found" ] || report "<$1> is included by $found; expected only $2"
}
foreign 'jansson\.h' 'core/json(_print)?\.c'
foreign 'yaml\.h' 'core/config(_print)?\.c'
foreign 'hdf5\.h|H5' 'datasets/store/[a-z0-9_]*\.[ch]'
foreign 'cblas\.h' 'kernels/[a-z_]*/[a-z0-9_]*\.c'
foreign 'nccl\.h' 'kernels/cuda/nccl\.cuh'
foreign 'microhttpd\.h' 'orchestrator/ui/server_microhttpd\.c'
foreign 'zlib\.h|zstd\.h|isa-l' 'datasets/csv/[a-z0-9_]*\.c'

for header in $(find core kernels datasets components orchestrator -name '*.h' ! -name '*_internal.h' ! -name '*_template.h' | sort); do
    printf '#include "%s"\n#include "%s"\nint pen_probe;\n' "$header" "$header" >"${TMPDIR:-/tmp}/pen_probe_$$.c"
    $compiler -std=c17 -D_GNU_SOURCE -I. -Wall -Werror -fsyntax-only "${TMPDIR:-/tmp}/pen_probe_$$.c" ||
        report "$header does not compile alone"
    case $header in
    kernels/*|core/*) $compiler -x c++ -std=c++17 -D_GNU_SOURCE -I. -fsyntax-only "${TMPDIR:-/tmp}/pen_probe_$$.c" ||
        report "$header does not compile alone as C++" ;;
    esac
done
rm -f "${TMPDIR:-/tmp}/pen_probe_$$.c"
exit $failed
