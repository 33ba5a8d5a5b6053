/* Every op, once. X(name): the contract is kernels/<family>/<family>.h, the function type pen_<name>_fn.
 * Tables, tests (tests/kernels/op_cases.h) and benches (bench/kernels/op_bench.h) walk this list, so a missing
 * implementation, test or bench fails to compile or link. */
#ifndef PEN_KERNELS_OP_LIST_H
#define PEN_KERNELS_OP_LIST_H

/* clang-format off */
#define PEN_OP_LIST(X) \
    X(gemm) \
    X(dense_forward) \
    X(dense_backward) \
    X(embedding_forward) \
    X(embedding_backward) \
    X(text_conv_forward) \
    X(text_conv_backward) \
    X(loss) \
    X(link) \
    X(dropout) \
    X(norm_forward) \
    X(norm_backward) \
    X(optimiser) \
    X(optimiser_tables) \
    X(average) \
    X(squared_norm) \
    X(tables_norm) \
    X(clip_norm) \
    X(gather) \
    X(sort_scores) \
    X(deal_rows) \
    X(deal_keys) \
    X(binary_sums) \
    X(regression_sums) \
    X(multiclass_sums) \
    X(rank_sums) \
    X(rank_curve) \
    X(columns_map) \
    X(columns_moments) \
    X(columns_store) \
    X(columns_bucketize) \
    X(columns_lookup) \
    X(columns_onehot) \
    X(hash_strings)
/* clang-format on */

#endif
