/* The CUDA backend's ops, row by row. An op that is not listed has none yet: the device is not offered to users until
 * the table is complete (probe.c), tests and benches pass the op over by name. */
#include "kernels/cuda/module.h"

const struct pen_kernel_table pen_cuda_kernels = {
    .embedding_forward = pen_embedding_forward_cuda,
    .embedding_backward = pen_embedding_backward_cuda,
    .loss = pen_loss_cuda,
    .link = pen_link_cuda,
    .dropout = pen_dropout_cuda,
    .optimiser = pen_optimiser_cuda,
    .optimiser_tables = pen_optimiser_tables_cuda,
    .average = pen_average_cuda,
    .squared_norm = pen_squared_norm_cuda,
    .tables_norm = pen_tables_norm_cuda,
    .clip_norm = pen_clip_norm_cuda,
    .gather = pen_gather_cuda,
    .sort_scores = pen_sort_scores_cuda,
    .deal_rows = pen_deal_rows_cuda,
    .deal_keys = pen_deal_keys_cuda,
    .binary_sums = pen_binary_sums_cuda,
    .regression_sums = pen_regression_sums_cuda,
    .multiclass_sums = pen_multiclass_sums_cuda,
    .rank_sums = pen_rank_sums_cuda,
    .rank_curve = pen_rank_curve_cuda,
    .columns_map = pen_columns_map_cuda,
    .columns_moments = pen_columns_moments_cuda,
    .columns_store = pen_columns_store_cuda,
    .columns_bucketize = pen_columns_bucketize_cuda,
    .columns_lookup = pen_columns_lookup_cuda,
    .columns_onehot = pen_columns_onehot_cuda,
    .hash_strings = pen_hash_strings_cuda,
};
