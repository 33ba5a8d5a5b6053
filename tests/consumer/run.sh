#!/bin/sh
# Installs into a scratch prefix, then builds and runs the consumer by CMake package and by pkg-config.
set -eu
build=$1
source=$2
scratch=$build/scratch/consumer
rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
expected=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
cmake -S "$source" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$scratch/prefix" >/dev/null
cmake --build "$scratch/cmake" >/dev/null
[ "$("$scratch/cmake/consumer")" = "$expected" ]
pc=$(find "$scratch/prefix" -name penstock.pc)
sed -i "s#^prefix=.*#prefix=$scratch/prefix#" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
${CC:-cc} -o "$scratch/by_pkg_config" "$source/main.c" $(pkg-config --cflags --libs penstock) \
    -Wl,-rpath,"$(pkg-config --variable=libdir penstock)"
[ "$("$scratch/by_pkg_config")" = "$expected" ]
"$scratch/prefix/bin/penstock" version >/dev/null
