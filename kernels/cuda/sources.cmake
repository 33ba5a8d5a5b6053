# The CUDA sources, once: for the module (CMakeLists.txt here) and for the host execution shim (tests/shim). What a host
# cannot run has a double under tests/shim/doubles and stands in the second list.
set(pen_cuda_sources
    kernels/cuda/device.cu
    kernels/cuda/recording.cu
    kernels/batch/gather_cuda.cu
    kernels/columns/columns_bucketize_cuda.cu
    kernels/columns/columns_lookup_cuda.cu
    kernels/columns/columns_map_cuda.cu
    kernels/columns/columns_moments_cuda.cu
    kernels/columns/columns_onehot_cuda.cu
    kernels/columns/columns_store_cuda.cu
    kernels/hash/hash_strings_cuda.cu
    kernels/embedding/embedding_backward_cuda.cu
    kernels/embedding/embedding_forward_cuda.cu
    kernels/dropout/dropout_cuda.cu
    kernels/loss/loss_cuda.cu
    kernels/metric/binary_sums_cuda.cu
    kernels/metric/multiclass_sums_cuda.cu
    kernels/metric/rank_sums_cuda.cu
    kernels/metric/regression_sums_cuda.cu
    kernels/sort/deal_cuda.cu
    kernels/sort/sort_scores_cuda.cu
    )
set(pen_cuda_library_sources
    kernels/cuda/radix_sort.cu
    )
