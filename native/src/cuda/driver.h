/*
 * The functions of NVIDIA's driver that this library calls. The driver is opened when a device is: the library links to
 * nothing of CUDA and builds without its headers. Types, numbers and versions of functions are those of cuda.h.
 *
 * NVIDIA, CUDA Driver API.
 */
#ifndef FOVEA_CUDA_DRIVER_H
#define FOVEA_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "cuda/tensor_map.h"
#include "fovea/fovea_cuda.h"

/* Handles. */
typedef struct CUctx_st *fv_cu_context;
typedef struct CUmod_st *fv_cu_module;
typedef struct CUfunc_st *fv_cu_function;
typedef struct CUstream_st *fv_cu_stream;
typedef struct CUgraph_st *fv_cu_graph;
typedef struct CUgraphExec_st *fv_cu_graph_exec;
typedef unsigned long long fv_cu_address;

/* CUresult, as far as it is told apart. */
#define FV_CU_SUCCESS 0
#define FV_CU_OUT_OF_MEMORY 2
#define FV_CU_DEINITIALIZED 4
#define FV_CU_STUB_LIBRARY 34
#define FV_CU_CALL_REQUIRES_NEWER_DRIVER 36
#define FV_CU_NO_DEVICE 100
#define FV_CU_NO_BINARY_FOR_GPU 209
#define FV_CU_ECC_UNCORRECTABLE 214
#define FV_CU_NVLINK_UNCORRECTABLE 220
#define FV_CU_UNSUPPORTED_PTX_VERSION 222
#define FV_CU_CONTAINED 226
#define FV_CU_ILLEGAL_ADDRESS 700
#define FV_CU_LAUNCH_TIMEOUT 702
#define FV_CU_CONTEXT_IS_DESTROYED 709
#define FV_CU_ASSERT 710
#define FV_CU_HARDWARE_STACK_ERROR 714
#define FV_CU_ILLEGAL_INSTRUCTION 715
#define FV_CU_MISALIGNED_ADDRESS 716
#define FV_CU_INVALID_ADDRESS_SPACE 717
#define FV_CU_INVALID_PC 718
#define FV_CU_LAUNCH_FAILED 719
#define FV_CU_TENSOR_MEMORY_LEAK 721
#define FV_CU_MPS_CLIENT_TERMINATED 810
#define FV_CU_EXTERNAL_DEVICE 911
#define FV_CU_UNKNOWN 999

/* CUdevice_attribute, CUfunction_attribute, flags. */
#define FV_CU_MULTIPROCESSOR_COUNT 16
#define FV_CU_COMPUTE_CAPABILITY_MAJOR 75
#define FV_CU_COMPUTE_CAPABILITY_MINOR 76
#define FV_CU_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN 97
#define FV_CU_MAX_DYNAMIC_SHARED_SIZE_BYTES 8
#define FV_CU_STREAM_NON_BLOCKING 1
#define FV_CU_CAPTURE_THREAD_LOCAL 1

/* CUtensorMap's enumerations. */
#define FV_TENSOR_MAP_FLOAT16 6
#define FV_TENSOR_MAP_FLOAT32 7
#define FV_TENSOR_MAP_BFLOAT16 9
#define FV_TENSOR_MAP_INTERLEAVE_NONE 0
#define FV_TENSOR_MAP_SWIZZLE_128B 3
#define FV_TENSOR_MAP_L2_PROMOTION_256B 3
#define FV_TENSOR_MAP_OOB_FILL_ZERO 0

/* F(field, exported name, parameters). All return CUresult. */
#define FV_DRIVER_FUNCTIONS(F)                                                                                    \
  F(init, cuInit, (unsigned flags))                                                                               \
  F(device_get, cuDeviceGet, (int *device, int ordinal))                                                          \
  F(device_get_count, cuDeviceGetCount, (int *count))                                                             \
  F(device_get_attribute, cuDeviceGetAttribute, (int *value, int attribute, int device))                          \
  F(device_get_name, cuDeviceGetName, (char *name, int capacity, int device))                                     \
  F(device_total_mem, cuDeviceTotalMem_v2, (size_t * bytes, int device))                                          \
  F(primary_ctx_retain, cuDevicePrimaryCtxRetain, (fv_cu_context * context, int device))                          \
  F(primary_ctx_release, cuDevicePrimaryCtxRelease_v2, (int device))                                              \
  F(ctx_push, cuCtxPushCurrent_v2, (fv_cu_context context))                                                       \
  F(ctx_pop, cuCtxPopCurrent_v2, (fv_cu_context * context))                                                       \
  F(module_load, cuModuleLoadDataEx,                                                                              \
    (fv_cu_module * module, const void *image, unsigned options, int *names, void **values))                      \
  F(module_unload, cuModuleUnload, (fv_cu_module module))                                                         \
  F(module_get_function, cuModuleGetFunction, (fv_cu_function * function, fv_cu_module module, const char *name)) \
  F(func_set_attribute, cuFuncSetAttribute, (fv_cu_function function, int attribute, int value))                  \
  F(mem_get_info, cuMemGetInfo_v2, (size_t * free, size_t *total))                                                \
  F(mem_alloc, cuMemAlloc_v2, (fv_cu_address * address, size_t bytes))                                            \
  F(mem_free, cuMemFree_v2, (fv_cu_address address))                                                              \
  F(mem_host_alloc, cuMemHostAlloc, (void **memory, size_t bytes, unsigned flags))                                \
  F(mem_free_host, cuMemFreeHost, (void *memory))                                                                 \
  F(memcpy_htod, cuMemcpyHtoDAsync_v2,                                                                            \
    (fv_cu_address target, const void *source, size_t bytes, fv_cu_stream stream))                                \
  F(memcpy_dtoh, cuMemcpyDtoHAsync_v2, (void *target, fv_cu_address source, size_t bytes, fv_cu_stream stream))   \
  F(memcpy_dtod, cuMemcpyDtoDAsync_v2,                                                                            \
    (fv_cu_address target, fv_cu_address source, size_t bytes, fv_cu_stream stream))                              \
  F(memset_d8, cuMemsetD8Async, (fv_cu_address target, unsigned char value, size_t bytes, fv_cu_stream stream))   \
  F(stream_create, cuStreamCreate, (fv_cu_stream * stream, unsigned flags))                                       \
  F(stream_synchronize, cuStreamSynchronize, (fv_cu_stream stream))                                               \
  F(stream_destroy, cuStreamDestroy_v2, (fv_cu_stream stream))                                                    \
  F(stream_begin_capture, cuStreamBeginCapture_v2, (fv_cu_stream stream, int mode))                               \
  F(stream_end_capture, cuStreamEndCapture, (fv_cu_stream stream, fv_cu_graph * graph))                           \
  F(graph_instantiate, cuGraphInstantiateWithFlags,                                                               \
    (fv_cu_graph_exec * executable, fv_cu_graph graph, unsigned long long flags))                                 \
  F(graph_upload, cuGraphUpload, (fv_cu_graph_exec executable, fv_cu_stream stream))                              \
  F(graph_launch, cuGraphLaunch, (fv_cu_graph_exec executable, fv_cu_stream stream))                              \
  F(graph_exec_destroy, cuGraphExecDestroy, (fv_cu_graph_exec executable))                                        \
  F(graph_destroy, cuGraphDestroy, (fv_cu_graph graph))                                                           \
  F(launch_kernel, cuLaunchKernel,                                                                                \
    (fv_cu_function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,                \
     unsigned block_y, unsigned block_z, unsigned shared_bytes, fv_cu_stream stream, void **params, void **extra)) \
  F(tensor_map_encode_tiled, cuTensorMapEncodeTiled,                                                              \
    (fv_tensor_map * map, int data_type, uint32_t rank, void *address, const uint64_t *sizes,                     \
     const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides, int interleave, int swizzle,  \
     int promotion, int fill))                                                                                    \
  F(get_error_name, cuGetErrorName, (int result, const char **name))                                              \
  F(get_error_string, cuGetErrorString, (int result, const char **text))

typedef struct fv_driver fv_driver;
struct fv_driver {
#define FV_DRIVER_FIELD(field, name, parameters) int(*field) parameters;
  FV_DRIVER_FUNCTIONS(FV_DRIVER_FIELD)
#undef FV_DRIVER_FIELD
  int version; /* as cuDriverGetVersion gives it */
  char *path;  /* that it was opened by */
  fv_driver *next;
};

/*
 * Opens a driver once per process and path; null for the system's. It stays open, since a driver keeps threads of its
 * own. NO_DRIVER, DRIVER_TOO_OLD, NO_DEVICE, DRIVER_ERROR, OUT_OF_MEMORY.
 */
int fv_driver_open(const char *path, fovea_cuda_failure *failure, const fv_driver **driver);

/*
 * A map of a matrix or tensor of 1 to 5 dimensions for TMA: dimensions innermost first.
 *
 *   data_type  FOVEA_DTYPE_F32, F16 or BF16
 *   address    of the device, a multiple of 16
 *   sizes      [rank], elements
 *   strides    [rank - 1], bytes from one element of dimension 1, 2, ... to the next; multiples of 16
 *   box        [rank], elements that a copy brings, each at most 256
 *   swizzle    FV_TENSOR_MAP_SWIZZLE_128B: the box is at most 128 bytes wide
 *
 * What lies outside of the sizes arrives as 0. 0 if the driver refuses: then there is no map; else 1.
 */
int fv_driver_tensor_map(const fv_driver *driver, int data_type, unsigned long long address, int rank,
                         const uint64_t *sizes, const uint64_t *strides, const uint32_t *box, int swizzle,
                         fv_tensor_map *map);

#endif
