# What this build has.
message(STATUS "penstock ${PROJECT_VERSION} | ${CMAKE_BUILD_TYPE} | HDF5 ${HDF5_VERSION} | OpenBLAS ${OPENBLAS_VERSION}"
    " | CUDA: ${pen_cuda_text} | MPI: ${pen_mpi_text} | curl: ${pen_curl_text} | UI: ${pen_ui_text} | hooks: ${pen_curl_text}")
