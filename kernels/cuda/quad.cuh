/* Four neighbouring floats as one access where they lie aligned: a quarter of the instructions, same bytes. */
#ifndef PEN_KERNELS_CUDA_QUAD_CUH
#define PEN_KERNELS_CUDA_QUAD_CUH

#include "kernels/cuda/common.cuh"

/* n: how many of the four are there, the others read as 0. aligned: at is a multiple of 16 bytes. */
static __device__ __forceinline__ void pen_load_quad(float (&v)[4], const float *at, int64_t n, bool aligned)
{
    if (aligned && n >= 4) {
        float4 q = *reinterpret_cast<const float4 *>(at);
        v[0] = q.x;
        v[1] = q.y;
        v[2] = q.z;
        v[3] = q.w;
        return;
    }
    for (int j = 0; j < 4; j++) {
        v[j] = j < n ? at[j] : 0.0f;
    }
}

static __device__ __forceinline__ void pen_store_quad(float *at, const float (&v)[4], int64_t n, bool aligned)
{
    if (aligned && n >= 4) {
        *reinterpret_cast<float4 *>(at) = make_float4(v[0], v[1], v[2], v[3]);
        return;
    }
    for (int j = 0; j < 4; j++) {
        if (j < n) {
            at[j] = v[j];
        }
    }
}

#endif
