/* ExampleGen: CSV files in, one feature store per split out.
 *
 * does         what TFX's CsvExampleGen does: finds the newest span and version, reads the files, assigns every row
 *              to a split and writes it. The default split is TFX's own, bit for bit: SHA-256 of the row serialised
 *              as tf.Example, modulo the buckets. Differences: rows keep their order, gzip and zstd are read, bad rows
 *              may be set aside, and there are more ways to split.
 * consumes     CSV files named by `csv` (the pipeline's only input from outside)
 * produces     examples: split-<name>.h5 per split, examples.json, rejects.csv when rows were set aside
 * options      csv split strip bad_rows float_type types; dialect: delimiter quote header columns nulls comment
 *              skip_lines trim, also per split where csv is a map of splits
 * fingerprint  the resolved files' names, sizes and modification times
 * resume       from the start
 * limits       memory: one chunk of rows per column and split plus the dictionaries, whatever the number of rows;
 *              65,536 classes in a stratified split
 * errors       no such files; malformed rows (bad_rows: reject sets them aside); an empty split; a split option that
 *              names no column */
#ifndef PEN_COMPONENTS_EXAMPLE_GEN_EXAMPLE_GEN_H
#define PEN_COMPONENTS_EXAMPLE_GEN_EXAMPLE_GEN_H

#include "components/component.h"

extern const struct pen_component pen_example_gen;

#endif
