/*
 * Fovea's second C ABI: the optional GPU library. It runs the plans that fovea.h's ops make up, with the formulas given
 * there, on one NVIDIA GPU of compute capability 8.0 or newer.
 *
 * Rules of the ABI: those of fovea.h, and
 *   - Device addresses are 64-bit integers, 0 for none. Host pointers are pointers. Neither is ever taken for the other.
 *   - The library needs the NVIDIA driver alone, which fovea_cuda_device_open opens; nothing is loaded before.
 *   - Every call makes the device's context the current one of its thread, and gives the former one back. Any number of
 *     threads may use one device at once; an execution or a direct attention serves one thread at a time, and says
 *     INVALID_ARGUMENT to a second.
 *   - A call that fails fills *failure, which may be null, with what the driver said.
 *   - Calls return when the device has finished their work, so that a caller may free what it passed in.
 *   - After FOVEA_CUDA_STATUS_DEVICE_LOST every call on the device but the *_close and *_destroy functions returns the
 *     same; those free what the host holds.
 */
#ifndef FOVEA_FOVEA_CUDA_H
#define FOVEA_FOVEA_CUDA_H

#include "fovea/fovea.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_CUDA_ABI_VERSION 2

/* Status codes beside those of fovea.h. */
#define FOVEA_CUDA_STATUS_NO_DRIVER 100          /* the driver's library does not open, or lacks a function */
#define FOVEA_CUDA_STATUS_DRIVER_TOO_OLD 101     /* it speaks an older CUDA than this library needs */
#define FOVEA_CUDA_STATUS_NO_DEVICE 102          /* it finds no GPU of that number */
#define FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE 103 /* the GPU's compute capability is below 8.0 */
#define FOVEA_CUDA_STATUS_DRIVER_ERROR 104       /* a call of the driver failed; the device is usable */
#define FOVEA_CUDA_STATUS_DEVICE_LOST 105        /* the device failed in a way that ends its context */

typedef struct fovea_cuda_failure {
  int struct_size;
  int driver_code;        /* CUresult, 0 if the driver was not asked */
  long long bytes_needed; /* with OUT_OF_MEMORY: what the call wanted to allocate */
  long long bytes_free;   /* with OUT_OF_MEMORY: what was left, of the device or of the limit, whichever is less */
  char message[256];      /* one line, such as "libcuda.so.1: cannot open shared object file" */
} fovea_cuda_failure;

/* The ABI version that the library was built with. */
FOVEA_API int fovea_cuda_abi_version(void);
/* The name of a status code of fovea.h or of this header. A static string. */
FOVEA_API const char *fovea_cuda_status_name(int status);

/* ---- device --------------------------------------------------------------- */

/* A GPU's primary context, the kernels loaded into it, and an account of the memory taken. */
typedef struct fovea_cuda_device fovea_cuda_device;

typedef struct fovea_cuda_device_options {
  int struct_size;
  int device;             /* the number of the GPU, from 0 */
  long long memory_bytes; /* the most device memory to take; 0: no limit but the device's */
} fovea_cuda_device_options;

typedef struct fovea_cuda_device_info {
  int struct_size;
  int driver_version;     /* as the driver gives it: 1000 major + 10 minor of the CUDA version it speaks */
  int compute_capability; /* 10 major + minor */
  int multiprocessors;
  long long bytes_total; /* of the device */
  long long bytes_free;  /* now */
  long long bytes_taken; /* by this fovea_cuda_device, now */
  char name[128];
} fovea_cuda_device_info;

/*
 * Opens a GPU. driver is the path of the driver's library in UTF-8, null for the system's ("libcuda.so.1"). The caller
 * closes it.
 */
FOVEA_API int fovea_cuda_device_open(const fovea_cuda_device_options *options, const char *driver,
                                     fovea_cuda_failure *failure, fovea_cuda_device **device);
FOVEA_API int fovea_cuda_device_describe(fovea_cuda_device *device, fovea_cuda_failure *failure,
                                         fovea_cuda_device_info *info);
/* Frees the context. INVALID_ARGUMENT, and nothing is freed, while memory, a program or a direct attention is left. */
FOVEA_API int fovea_cuda_device_close(fovea_cuda_device *device);

/* ---- memory --------------------------------------------------------------- */

/* Zeroed device memory, aligned to 256 bytes. OUT_OF_MEMORY also where the limit is passed. 0 bytes give address 0. */
FOVEA_API int fovea_cuda_memory_create(fovea_cuda_device *device, long long bytes, fovea_cuda_failure *failure,
                                       long long *address);
FOVEA_API int fovea_cuda_memory_destroy(fovea_cuda_device *device, long long address);
FOVEA_API int fovea_cuda_upload(fovea_cuda_device *device, long long target, const void *source, long long bytes,
                                fovea_cuda_failure *failure);
FOVEA_API int fovea_cuda_download(fovea_cuda_device *device, long long source, long long bytes,
                                  fovea_cuda_failure *failure, void *target);
/* From one place of the device to another; they do not overlap. */
FOVEA_API int fovea_cuda_copy(fovea_cuda_device *device, long long target, long long source, long long bytes,
                              fovea_cuda_failure *failure);

/* ---- program -------------------------------------------------------------- */

/* Ops of a step; the formulas are those of fovea.h. */
#define FOVEA_CUDA_OP_EMBEDDING 0
#define FOVEA_CUDA_OP_LAYER_NORM 1
#define FOVEA_CUDA_OP_RMS_NORM 2
#define FOVEA_CUDA_OP_LINEAR 3
#define FOVEA_CUDA_OP_ADD 4
#define FOVEA_CUDA_OP_MULTIPLY 5
#define FOVEA_CUDA_OP_ACTIVATE 6
#define FOVEA_CUDA_OP_NORMALIZE 7
#define FOVEA_CUDA_OP_RAGGED_MATMUL 8
#define FOVEA_CUDA_OP_CACHE_APPEND 9
#define FOVEA_CUDA_OP_ATTENTION 10
#define FOVEA_CUDA_OP_POOL 11
#define FOVEA_CUDA_OP_LOG_SOFTMAX 12
#define FOVEA_CUDA_OP_TOP_K 13
#define FOVEA_CUDA_OP_GATHER 14
#define FOVEA_CUDA_OP_TOKEN_TYPES 15
#define FOVEA_CUDA_OP_RELATIVE_BIAS 16

/* What a row of a matrix stands for. */
#define FOVEA_CUDA_ROWS_NONE (-1) /* there is no matrix */
#define FOVEA_CUDA_ROWS_TOKENS 0
#define FOVEA_CUDA_ROWS_SEQUENCES 1

/* Elements of a matrix: FOVEA_DTYPE_F32, F16 or BF16 of fovea.h, or this. */
#define FOVEA_CUDA_DTYPE_I32 16

/*
 * A matrix in the memory of an execution: columns of a buffer. Buffers lie in slots of 4 bytes per element whatever
 * the dtype; those of half types use the first half of theirs, with rows of stride elements of 2 bytes:
 *
 *   byte 0                               byte 4 token_elements max_tokens
 *   | buffers with a row per token       | buffers with a row per sequence
 *   | each at 4 offset max_tokens        | each at 4 offset max_sequences past this border
 */
typedef struct fovea_cuda_operand {
  int rows;         /* FOVEA_CUDA_ROWS_*; the other fields are not read with NONE */
  int dtype;        /* of the whole buffer */
  int stride;       /* elements from one row to the next */
  int first_column; /* of the buffer */
  int columns;
  int reserved;     /* 0 */
  long long offset; /* elements per row in front of the buffer */
} fovea_cuda_operand;

/*
 * One step. Which fields an op reads, beside x and out (all others are 0, operands NONE):
 *
 *   EMBEDDING      constants: words [vocabulary, width] of weight_dtype, positions F32 [positions, width] or 0,
 *                  type F32 [width] or 0; scale, vocabulary, positions, first_position; group whose lengths are the
 *                  starts of sequences, or -1; no x
 *   LAYER_NORM     constants: gamma, beta (0 for none), F32 [width]; epsilon
 *   RMS_NORM       constants: gamma, F32 [width]; epsilon
 *   LINEAR         constants: W [outputs, inputs] of weight_dtype, dense, rows padded with zeros to a multiple of 16
 *                  bytes; bias F32 [outputs] or 0; activation, residual z or NONE (may be out). gated 1: W has
 *                  2 outputs rows, row 2 o of the gate and row 2 o + 1 of what it gates (biases likewise):
 *                  out = activation(x gate) * (x up); no residual
 *   ADD, MULTIPLY  second input y; activation of MULTIPLY, on x
 *   ACTIVATE       activation
 *   RAGGED_MATMUL  second input y; mode 1 transposes x
 *   CACHE_APPEND   keys x, values y, both of one dtype; group, layer, heads to rope_positions; constants: the RoPE table or
 *                  0; no out
 *   ATTENTION      queries x; keys y and values z, both of one dtype, or group and layer of a cache, else -1; constants: RoPE
 *                  table or 0, ALiBi slopes F32 [heads] or 0; bias, F32 [tokens, heads * keys]: for each query and head
 *                  what is added to the scores of its sequence's keys, or NONE; not with a cache
 *   POOL           mode FOVEA_POOLING_*, normalize
 *   TOP_K          out is I32
 *   GATHER         indices y, I32
 *   TOKEN_TYPES    constants: table F32 [vocabulary, width], a row for each type; vocabulary; no x
 *   RELATIVE_BIAS  fovea_relative_bias: out F32 [tokens, heads * keys]; by_query x or NONE, by_key y or NONE,
 *                  [tokens, heads * buckets]; heads, buckets; constants: where there is no x what all queries have, F32
 *                  [heads * buckets], else 0; bucket_of, ints [2 keys - 1]
 *
 * weight_dtype is F32, F16 or BF16. With F32 weights all operands but indices are F32 and products are exact FMAs; with
 * half weights a product multiplies half values and adds in F32.
 */
typedef struct fovea_cuda_step {
  int struct_size;
  int op;
  int activation;
  int mode;
  int normalize;
  int gated;
  int weight_dtype;
  int vocabulary, positions, first_position;
  int group, layer;
  int heads, kv_heads, head_dim, value_dim;
  int window_left, window_right, alignment;
  int rope, rope_dim, rope_positions;
  float epsilon, scale, softcap;
  int buckets;
  fovea_cuda_operand x, y, z, out, bias;
  long long constants[4]; /* device addresses in the order above, multiples of 16, in memory of this device */
} fovea_cuda_step;

typedef struct fovea_cuda_program fovea_cuda_program;

typedef struct fovea_cuda_program_options {
  int struct_size;
  int steps;
  int outputs;
  int groups; /* of caches */
  long long token_elements;    /* slots per token of the capacity */
  long long sequence_elements; /* likewise per sequence */
} fovea_cuda_program_options;

/*
 * Checks the steps and copies them. Constants belong to the caller and outlive the program: memory of this device, in
 * which all that a step reads must lie, or the status is OUT_OF_RANGE.
 *
 *   steps   [options.steps]
 *   outputs [options.outputs], F32 or I32: what fovea_cuda_run brings to the host, dense (stride = columns)
 */
FOVEA_API int fovea_cuda_program_create(fovea_cuda_device *device, const fovea_cuda_program_options *options,
                                        const fovea_cuda_step *steps, const fovea_cuda_operand *outputs,
                                        fovea_cuda_failure *failure, fovea_cuda_program **program);
/* INVALID_ARGUMENT, and nothing is freed, while an execution of it is left. */
FOVEA_API int fovea_cuda_program_destroy(fovea_cuda_program *program);

/* ---- execution ------------------------------------------------------------ */

/* A layer of a cache: pages of FOVEA_PAGE_KEYS keys, [pages, kv_heads, FOVEA_PAGE_KEYS, dim], dense. */
typedef struct fovea_cuda_cache_layer {
  long long keys, values; /* device addresses */
} fovea_cuda_cache_layer;

/* A group of caches. The three arrays are memory of the host that fovea_cuda_run reads each time. */
typedef struct fovea_cuda_cache_group {
  int struct_size;
  int dtype;     /* FOVEA_DTYPE_* of the pages */
  int sequences; /* rows of the table */
  int pages_each; /* its columns */
  int pages;     /* of each layer */
  int layers;
  const fovea_cuda_cache_layer *layer; /* [layers], read by fovea_cuda_execution_create */
  const int *page_table; /* [sequences, pages_each] */
  const int *lengths;    /* [sequences], tokens before a run that appends */
  const int *ends;       /* [sequences + 1], as offsets: tokens with those that a run appends */
} fovea_cuda_cache_group;

typedef struct fovea_cuda_execution_options {
  int struct_size;
  int max_tokens;    /* >= 1 */
  int max_sequences; /* >= 1 */
  int explain;       /* 1: keeps the patterns of attention */
} fovea_cuda_execution_options;

typedef struct fovea_cuda_execution fovea_cuda_execution;

/*
 * Memory for batches of up to these sizes, pinned memory for what goes to the device and comes back, a stream, and the
 * steps as CUDA graphs, whose kernels read the sizes of a batch from device memory.
 *
 *   groups [options.groups of the program]; the arrays that they refer to outlive the execution
 */
FOVEA_API int fovea_cuda_execution_create(fovea_cuda_program *program, const fovea_cuda_execution_options *options,
                                          const fovea_cuda_cache_group *groups, fovea_cuda_failure *failure,
                                          fovea_cuda_execution **execution);
/* Where an output comes to: host memory of the execution, [max rows, columns], dense. */
FOVEA_API int fovea_cuda_execution_output(fovea_cuda_execution *execution, int index, void **memory);
/* The pattern of an attention, counted in the order of steps: F32 [heads, max_tokens, keys], keys being max_tokens, or
   the capacity of the cache (pages_each FOVEA_PAGE_KEYS); host memory of the execution. Only when it explains. */
FOVEA_API int fovea_cuda_execution_pattern(fovea_cuda_execution *execution, int index, float **memory);
/*
 * Runs all steps on a batch and returns when the outputs are there.
 *
 *   ids     [tokens], each in 0 ... vocabulary - 1; null for a program without embedding
 *   types   [tokens], the types of tokens, each a row of all tables of TOKEN_TYPES; null: all are 0
 *   offsets [sequences + 1], offsets[0] = 0, not decreasing, offsets[sequences] = tokens
 *
 * OUT_OF_RANGE if the batch is larger than the capacity, an offset decreases, an id, a type, a position or a page of a
 * group's table is outside its table, or a sequence has more keys than a bias. Nothing has run then.
 */
FOVEA_API int fovea_cuda_run(fovea_cuda_execution *execution, int sequences, const int *ids, const int *types,
                             const int *offsets, fovea_cuda_failure *failure);
FOVEA_API int fovea_cuda_execution_destroy(fovea_cuda_execution *execution);

/* ---- attention, call by call ---------------------------------------------- */

/* Device memory and a stream for attention on tensors of the host; both grow as calls need. */
typedef struct fovea_cuda_direct fovea_cuda_direct;

FOVEA_API int fovea_cuda_direct_create(fovea_cuda_device *device, fovea_cuda_failure *failure,
                                       fovea_cuda_direct **direct);
/* fovea_attention on the device, which the tensors are brought to and back from; params->scratch_bytes is not read. */
FOVEA_API int fovea_cuda_attention(fovea_cuda_direct *direct, const fovea_attention_params *params, const void *q,
                                   const void *k, const void *v, const int *q_offsets, const int *kv_offsets,
                                   const int *page_table, const unsigned char *mask, const float *bias,
                                   const float *alibi_slopes, const float *rope_table, fovea_cuda_failure *failure,
                                   float *out, float *lse, float *weights);
/* fovea_cache_append on the device, likewise. */
FOVEA_API int fovea_cuda_cache_append(fovea_cuda_direct *direct, const fovea_cache_append_params *params,
                                      const void *k, const void *v, const int *offsets, const int *lengths,
                                      const int *page_table, const float *rope_table, fovea_cuda_failure *failure,
                                      void *k_pages, void *v_pages);
FOVEA_API int fovea_cuda_direct_destroy(fovea_cuda_direct *direct);

#ifdef __cplusplus
}
#endif

#endif /* FOVEA_FOVEA_CUDA_H */
