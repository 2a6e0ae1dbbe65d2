/*
 * A tensor map: what the driver's cuTensorMapEncodeTiled writes and the TMA of Hopper reads. 128 opaque bytes, aligned to
 * 64; a kernel gets it as part of its parameter.
 */
#ifndef FOVEA_CUDA_TENSOR_MAP_H
#define FOVEA_CUDA_TENSOR_MAP_H

#ifdef __cplusplus
#define FV_ALIGN_64 alignas(64)
#else
#define FV_ALIGN_64 _Alignas(64)
#endif

typedef struct fv_tensor_map {
  FV_ALIGN_64 unsigned char bytes[128];
} fv_tensor_map;

#endif
