/* What the driver makes of the shape of a tensor, for the copy engine (TMA): CUtensorMap. */
#ifndef FOVEA_CUDA_TENSOR_MAP_H
#define FOVEA_CUDA_TENSOR_MAP_H

/* A kernel takes it inside its parameters and passes its address on; nobody reads it. */
#ifdef __cplusplus
struct alignas(64) fv_tensor_map {
  unsigned long long opaque[16];
};
#else
typedef struct fv_tensor_map {
  _Alignas(64) unsigned long long opaque[16];
} fv_tensor_map;
#endif

#endif
