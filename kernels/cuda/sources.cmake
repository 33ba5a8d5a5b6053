# The CUDA sources, once: for the module (CMakeLists.txt here) and for the host execution shim (tests/shim). What a host
# cannot run has a double under tests/shim/doubles and stands in the second list.
set(pen_cuda_sources
    kernels/cuda/device.cu
    kernels/cuda/product.cu
    kernels/cuda/recording.cu
    kernels/activation/activation_cuda.cu
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
    kernels/matrix/dense_cuda.cu
    kernels/matrix/gemm_cuda.cu
    kernels/metric/binary_sums_cuda.cu
    kernels/metric/multiclass_sums_cuda.cu
    kernels/metric/rank_sums_cuda.cu
    kernels/metric/regression_sums_cuda.cu
    kernels/norm/norm_backward_cuda.cu
    kernels/norm/norm_forward_cuda.cu
    kernels/optimiser/average_cuda.cu
    kernels/optimiser/optimiser_cuda.cu
    kernels/optimiser/optimiser_tables_cuda.cu
    kernels/optimiser/squared_norm_cuda.cu
    kernels/optimiser/tables_norm_cuda.cu
    kernels/sort/deal_cuda.cu
    kernels/sort/sort_scores_cuda.cu
    kernels/step/clip_norm_cuda.cu
    kernels/text/text_conv_backward_cuda.cu
    kernels/text/text_conv_forward_cuda.cu
    kernels/text/text_conv_library_cuda.cu
    )
set(pen_cuda_library_sources
    kernels/cuda/radix_sort.cu
    )
# Where there is NCCL's header, and where there is none. The library itself is opened when ranks need it.
set(pen_cuda_nccl_sources kernels/cuda/group.cu)
set(pen_cuda_nccl_library_sources kernels/cuda/nccl.cu)
set(pen_cuda_no_nccl_sources kernels/cuda/group_absent.cu)
# Where there is cuDNN, and where there is none.
set(pen_cuda_cudnn_sources kernels/cuda/convolution.cu)
set(pen_cuda_no_cudnn_sources kernels/cuda/convolution_absent.cu)
