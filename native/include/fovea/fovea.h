/*
 * Fovea's C ABI: the one public header of the native core.
 *
 * Rules of the ABI
 *   - Every type is a fixed-width int, long long, float or pointer, so that the
 *     generated Java bindings are the same on every platform.
 *   - Every call returns a status, FOVEA_STATUS_OK (0) or one of the codes below,
 *     except the few that return a constant. Nothing prints, exits or aborts.
 *   - Tensors are direct pointer arguments, inputs first, outputs trailing. Sizes
 *     and strides travel in a params struct whose first field, struct_size, is
 *     the caller's sizeof it.
 *   - Strides count elements, not bytes. The last dimension is contiguous.
 *     Float and int pointers are aligned to 4 bytes; nothing more is required.
 *   - The caller owns every buffer. The library keeps no pointer past the call,
 *     but for handles that a *_create function returns.
 *   - Outputs may not overlap inputs unless a function says that they may.
 *   - A call that fails its checks has written nothing.
 *
 * Threads. Any number of threads may call into one engine at once. The engine has
 * one pool; a caller that finds the pool busy does its work itself, so no call
 * ever waits for another. Results are the same bits either way: reductions are
 * never split, and tile borders start at the sequence.
 */
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

#ifdef _WIN32
#define FOVEA_API __declspec(dllexport)
#else
#define FOVEA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header's ABI; fovea_abi_version() returns the library's. */
#define FOVEA_ABI_VERSION 7

/* Status codes. */
#define FOVEA_STATUS_OK 0
#define FOVEA_STATUS_NULL_POINTER 1     /* a required pointer is null */
#define FOVEA_STATUS_INVALID_ARGUMENT 2 /* a size, stride, mode or alignment is out of its range */
#define FOVEA_STATUS_OVERFLOW 3         /* sizes multiply past what an address can hold */
#define FOVEA_STATUS_OUT_OF_RANGE 4     /* a token id or an offset points outside its table */
#define FOVEA_STATUS_OUT_OF_MEMORY 5
#define FOVEA_STATUS_UNSUPPORTED 6      /* not on this CPU, or a library that is needed is absent */
#define FOVEA_STATUS_MISMATCH 7         /* packed weights made by another engine layout or for another shape */
#define FOVEA_STATUS_THREAD 8           /* the operating system refused a thread */

/* Instruction sets, the rows of native/cmake/isa.cmake. */
#define FOVEA_ISA_AUTO (-1)
#define FOVEA_ISA_BASELINE 0
#define FOVEA_ISA_AVX2 1
#define FOVEA_ISA_AVX512 2
#define FOVEA_ISA_AVX512VNNI 3
#define FOVEA_ISA_NEON 4
#define FOVEA_ISA_AVX512BF16 5 /* with products of bfloat16, see fovea_linear */
#define FOVEA_ISA_NEONDOT 6    /* with products of four bytes */
#define FOVEA_ISA_NEONBF16 7   /* with those and products of bfloat16 */

/*
 * Data types. Half types are read and written as IEEE 754 says; all arithmetic is in single precision, but that of
 * fovea_linear with weights that are packed in fewer bits.
 */
#define FOVEA_DTYPE_F32 0
#define FOVEA_DTYPE_F16 1  /* IEEE 754 binary16 */
#define FOVEA_DTYPE_BF16 2 /* the upper half of a binary32 */
#define FOVEA_DTYPE_I8 3   /* signed 8-bit integers with scales beside them: packed weights alone */

/*
 * Layouts of a weight that is read, such as a table of a model file: bytes and values of a block. Values lie in
 * little-endian order and may begin at any byte. F16 and BF16 widen exactly: NaN stays NaN.
 */
#define FOVEA_LAYOUT_F32 0  /* 4 bytes, 1 value */
#define FOVEA_LAYOUT_F16 1  /* 2 bytes, 1 value */
#define FOVEA_LAYOUT_BF16 2 /* 2 bytes, 1 value */
#define FOVEA_LAYOUT_I8 3   /* 1 byte, 1 value: scale * (q - zero point), in single precision, q signed */
#define FOVEA_LAYOUT_U8 4   /* 1 byte, 1 value: the same, q unsigned */
#define FOVEA_LAYOUT_Q8_0 5 /* 34 bytes, 32 values: d * q, d an F16 and then q 32 signed bytes, as GGUF has it */
/* Likewise of 32 values; q are 16 bytes, the lower halves of all first, h is a fifth bit of each, m an F16. */
#define FOVEA_LAYOUT_Q4_0 6 /* 18 bytes: d, q; d * (q - 8) */
#define FOVEA_LAYOUT_Q4_1 7 /* 20 bytes: d, m, q; d * q + m */
#define FOVEA_LAYOUT_Q5_0 8 /* 22 bytes: d, h, q; d * (q - 16) */
#define FOVEA_LAYOUT_Q5_1 9 /* 24 bytes: d, m, h, q; d * q + m */
/* Of 256 values, with scales s and t for parts of them, as ggml's block_q4_K and the like have it. */
#define FOVEA_LAYOUT_Q4_K 10 /* 144 bytes; d * s * q - m * t */
#define FOVEA_LAYOUT_Q5_K 11 /* 176 bytes; d * s * q - m * t */
#define FOVEA_LAYOUT_Q6_K 12 /* 210 bytes; d * s * (q - 32) */
#define FOVEA_LAYOUT_Q2_K 13 /* 84 bytes; d * s * q - m * t */
#define FOVEA_LAYOUT_Q3_K 14 /* 110 bytes; d * s * (q - 4) */
/* Of 32 values again. */
#define FOVEA_LAYOUT_IQ4_NL 15 /* 18 bytes: d, q; d * v[q] with ggml's table v of 16 values */

/* The most inputs of a weight that fovea_linear_pack stores as FOVEA_DTYPE_I8. */
#define FOVEA_LINEAR_I8_INPUTS 32768

/* The most inputs of a weight that is packed in blocks. */
#define FOVEA_LINEAR_BLOCK_INPUTS 65536

/* The most inputs of a weight of BF16 that is multiplied by products of bfloat16, where the ISA has them. */
#define FOVEA_LINEAR_BF16_INPUTS 65536

/* Epilogue activations of fovea_linear. */
#define FOVEA_ACTIVATION_NONE 0
#define FOVEA_ACTIVATION_GELU_ERF 1  /* x/2 (1 + erf(x/sqrt 2)); Hendrycks and Gimpel, arXiv:1606.08415 */
#define FOVEA_ACTIVATION_GELU_TANH 2 /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))); ibid. */
#define FOVEA_ACTIVATION_RELU 3      /* max(0, x); Vaswani et al., arXiv:1706.03762, section 3.3 */
#define FOVEA_ACTIVATION_SILU 4      /* x / (1 + e^-x); Hendrycks and Gimpel, arXiv:1606.08415, section 2 */
#define FOVEA_ACTIVATION_TANH 5      /* tanh x; the pooler of BERT, Devlin et al., arXiv:1810.04805 */
#define FOVEA_ACTIVATION_QUICK_GELU 6 /* x / (1 + e^-1.702x); Hendrycks and Gimpel, arXiv:1606.08415, section 2 */

/* Keys per page of a key/value cache. */
#define FOVEA_PAGE_KEYS 128

/* Which key lies on the diagonal of the first query: window, ALiBi and RoPE count from it. */
#define FOVEA_ALIGN_BOTTOM_RIGHT 0 /* key (keys - queries): the last query sees the last key */
#define FOVEA_ALIGN_TOP_LEFT 1     /* key 0 */

/* Pairs that a rotary position embedding turns: Su et al., RoFormer, arXiv:2104.09864. */
#define FOVEA_ROPE_NONE 0
#define FOVEA_ROPE_INTERLEAVED 1 /* elements 2i and 2i + 1 */
#define FOVEA_ROPE_HALF 2        /* elements i and i + rope_dim / 2 */

/* Pooling modes of fovea_pool. */
#define FOVEA_POOLING_MEAN 0
#define FOVEA_POOLING_CLS 1  /* the first token */
#define FOVEA_POOLING_LAST 2 /* the last token */

/* The ABI version that the library was built with: compare with FOVEA_ABI_VERSION. */
FOVEA_API int fovea_abi_version(void);
/* The library's version, such as "0.1.0". A static string. */
FOVEA_API const char *fovea_version(void);
/* The name of a status code, such as "out of range". A static string, "unknown status" for others. */
FOVEA_API const char *fovea_status_name(int status);
/* The name of an FOVEA_ISA_* code as FOVEA_ISA spells it, such as "avx2". A static string, "unknown" for others. */
FOVEA_API const char *fovea_isa_name(int isa);
/* A bit mask, 1 << FOVEA_ISA_*, of the kernel tables that are built in and that this CPU runs. */
FOVEA_API int fovea_isa_available(void);

/* ---- engine --------------------------------------------------------------- */

/* A thread pool and a table of kernels. */
typedef struct fovea_engine fovea_engine;

typedef struct fovea_engine_options {
  int struct_size;
  int threads;     /* the caller included; 0: as many as the process may use; at most 1024. 1 starts no thread. */
  int spin_micros; /* how long an idle worker spins before it sleeps; -1: default; 0: sleeps at once; at most 1 000 000 */
  int isa;         /* FOVEA_ISA_*; AUTO takes the environment's FOVEA_ISA if set, else the best available */
} fovea_engine_options;

typedef struct fovea_engine_info {
  int struct_size;
  int threads;
  int spin_micros;
  int isa;
  int linear_row_tile;    /* rows of the linear micro-kernel */
  int linear_column_tile; /* columns of a packed panel */
} fovea_engine_info;

/*
 * Makes an engine. The caller destroys it with fovea_engine_destroy.
 * UNSUPPORTED if the ISA asked for, or the one FOVEA_ISA names, does not run here.
 */
FOVEA_API int fovea_engine_create(const fovea_engine_options *options, fovea_engine **engine);
/* Fills *info, whose struct_size the caller sets. */
FOVEA_API int fovea_engine_describe(const fovea_engine *engine, fovea_engine_info *info);
/* Stops the pool and frees the engine. No call may be running on it. */
FOVEA_API int fovea_engine_destroy(fovea_engine *engine);

/* ---- memory --------------------------------------------------------------- */

typedef struct fovea_memory_options {
  int struct_size;
  int reserved;    /* 0 */
  long long bytes; /* >= 0 */
} fovea_memory_options;

/*
 * Makes zeroed memory, aligned to 64 bytes: what weights are packed into and what a model computes in. From 2 MB
 * on it asks the system for huge pages, which are faster to get and to stream. The caller destroys it.
 */
FOVEA_API int fovea_memory_create(const fovea_memory_options *options, void **memory);
/* Gives memory of fovea_memory_create back. */
FOVEA_API int fovea_memory_destroy(void *memory);

/* ---- OpenBLAS ------------------------------------------------------------- */

/*
 * Opens OpenBLAS at path (UTF-8), makes it single-threaded and ends the threads
 * that it starts by itself. Once per process: later calls return OK at once.
 * UNSUPPORTED if the library does not open or lacks a function.
 */
FOVEA_API int fovea_blas_load(const char *path);
/* Writes OpenBLAS's own description, or "" before fovea_blas_load, as a C string of at most capacity bytes. */
FOVEA_API int fovea_blas_describe(int capacity, char *text);

/* ---- embedding ------------------------------------------------------------ */

typedef struct fovea_embedding_params {
  int struct_size;
  int sequences;      /* >= 0 */
  int width;          /* >= 1 */
  int vocabulary;     /* rows of words */
  int positions;      /* rows of position_table; the last token of each sequence must have one */
  int first_position; /* the row that a sequence's first token takes (0 for BERT, 2 for RoBERTa) */
  float scale;        /* finite; sqrt(width) in Vaswani et al., 1 else */
  int words_layout;   /* FOVEA_LAYOUT_* of words */
  int scale_stride;   /* 1: each row of words has a scale and a zero point; 0: all have one */
  int reserved;       /* 0 */
  long long out_stride;
} fovea_embedding_params;

/*
 * out[t] = scale words[ids[t]] + position_table[first_position + starts[s] + t - offsets[s]] + type
 *
 *   s                 the sequence of t
 *   ids               [tokens] with tokens = offsets[sequences]
 *   offsets           [sequences + 1], offsets[0] = 0, not decreasing
 *   starts            [sequences], the tokens that each sequence had before, >= 0; null for none
 *   words             [vocabulary, width], dense; F32 aligned to 4 bytes, blocks with width a multiple of theirs
 *   words_scales      [vocabulary], or [1] by scale_stride 0; null for 1, and for layouts but I8 and U8
 *   words_zero_points as words_scales; null for 0
 *   position_table    [positions, width], dense, or null
 *   type              [width], or null
 *   out               [tokens, width], stride out_stride >= width
 *
 * Words of any layout give the bits of a table of F32 that holds the same values.
 *
 * Vaswani et al., arXiv:1706.03762, section 3.4; Devlin et al., BERT, arXiv:1810.04805, section 3. OUT_OF_RANGE if
 * an id is outside the vocabulary, a sequence reaches past the positions, a start is negative, or the offsets
 * decrease.
 */
FOVEA_API int fovea_embedding(fovea_engine *engine, const fovea_embedding_params *params, const int *ids,
                              const int *offsets, const int *starts, const void *words, const float *words_scales,
                              const int *words_zero_points, const float *position_table, const float *type,
                              float *out);

/* ---- layer norm ----------------------------------------------------------- */

typedef struct fovea_layer_norm_params {
  int struct_size;
  int rows;  /* >= 0 */
  int width; /* >= 1 */
  float epsilon;
  long long x_stride;
  long long out_stride;
} fovea_layer_norm_params;

/*
 * out[r] = (x[r] - mean(x[r])) / sqrt(var(x[r]) + epsilon) * gamma + beta, var over width (biased).
 *
 *   x, out      [rows, width]; out may be x itself (same pointer and stride)
 *   gamma, beta [width]
 *
 * Two passes: the mean first, then the variance about it. Ba et al., arXiv:1607.06450.
 */
FOVEA_API int fovea_layer_norm(fovea_engine *engine, const fovea_layer_norm_params *params, const float *x,
                               const float *gamma, const float *beta, float *out);

/* ---- RMS norm ------------------------------------------------------------- */

typedef struct fovea_rms_norm_params {
  int struct_size;
  int rows;  /* >= 0 */
  int width; /* >= 1 */
  float epsilon;
  long long x_stride;
  long long out_stride;
} fovea_rms_norm_params;

/*
 * out[r] = x[r] / sqrt(mean(x[r]^2) + epsilon) * gamma, mean over width.
 *
 *   x, out [rows, width]; out may be x itself (same pointer and stride)
 *   gamma  [width]
 *
 * Zhang and Sennrich, arXiv:1910.07467.
 */
FOVEA_API int fovea_rms_norm(fovea_engine *engine, const fovea_rms_norm_params *params, const float *x,
                             const float *gamma, float *out);

/* ---- elementwise ---------------------------------------------------------- */

/* Ops of fovea_elementwise. */
#define FOVEA_ELEMENTWISE_ADD 0
#define FOVEA_ELEMENTWISE_MULTIPLY 1
#define FOVEA_ELEMENTWISE_ACTIVATE 2

typedef struct fovea_elementwise_params {
  int struct_size;
  int rows;       /* >= 0 */
  int width;      /* >= 1 */
  int op;         /* FOVEA_ELEMENTWISE_* */
  int activation; /* FOVEA_ACTIVATION_*; NONE for ADD */
  int reserved;   /* 0 */
  long long a_stride;
  long long b_stride; /* not read for ACTIVATE */
  long long out_stride;
} fovea_elementwise_params;

/*
 * ADD       out = a + b
 * MULTIPLY  out = activation(a) * b; with SILU the product of SwiGLU
 * ACTIVATE  out = activation(a); b is null
 *
 *   a, b, out [rows, width]; out may be a or b itself (same pointer and stride)
 *
 * The activation of a layer's output has the bits that fovea_linear gives with the activation and no residual. A NaN
 * stays in its element. INVALID_ARGUMENT for ADD with an activation and for ACTIVATE with b. Shazeer, GLU Variants
 * Improve Transformer, arXiv:2002.05202.
 */
FOVEA_API int fovea_elementwise(fovea_engine *engine, const fovea_elementwise_params *params, const float *a,
                                const float *b, float *out);

/* ---- L2 norm -------------------------------------------------------------- */

typedef struct fovea_normalize_params {
  int struct_size;
  int rows;     /* >= 0 */
  int width;    /* >= 1 */
  int reserved; /* 0 */
  long long x_stride;
  long long out_stride;
} fovea_normalize_params;

/*
 * out[r] = x[r] / max(|x[r]|, 1e-12), |x[r]| being the L2 norm, with the bits of fovea_pool's.
 *
 *   x, out [rows, width]; out may be x itself (same pointer and stride)
 *
 * A NaN makes its whole row NaN and no other. Where the squares overflow, as those of infinity do, finite elements
 * become 0 and infinite ones NaN.
 */
FOVEA_API int fovea_normalize(fovea_engine *engine, const fovea_normalize_params *params, const float *x, float *out);

/* ---- linear --------------------------------------------------------------- */

typedef struct fovea_linear_pack_params {
  int struct_size;
  int outputs;             /* >= 1 */
  int inputs;              /* >= 1; at most FOVEA_LINEAR_I8_INPUTS for I8; of blocks a multiple, at most
                              FOVEA_LINEAR_BLOCK_INPUTS */
  int dtype;               /* what the weight is packed as: FOVEA_DTYPE_*, or FOVEA_LAYOUT_* of blocks */
  int layout;              /* FOVEA_LAYOUT_* of the weight that is read */
  int first_output;        /* the part that is read: rows [first_output, first_output + part_outputs) */
  int part_outputs;        /* >= 1; outputs for the whole weight */
  int scale_stride;        /* 1: each row has a scale and a zero point; 0: all rows of the part have one */
  long long output_stride; /* value [o][i] of the part is number o * output_stride + i * input_stride of weight */
  long long input_stride;  /* blocks: 1, with inputs and output_stride multiples of theirs */
  long long packed_bytes;  /* capacity of packed, at least what fovea_linear_packed_bytes says */
} fovea_linear_pack_params;

/* Bytes that fovea_linear_pack writes for these outputs, inputs and dtype; other fields are not read. */
FOVEA_API int fovea_linear_packed_bytes(const fovea_engine *engine, const fovea_linear_pack_params *params,
                                        long long *bytes);

/*
 * Packs rows of W [outputs, inputs] into the panels that this engine's kernel streams, stored as
 *
 *   F32   the values themselves
 *   BF16  the nearest bfloat16, ties to even: half the memory, which is what a product with
 *         few rows waits for
 *   F16   the nearest binary16, ties to even, infinite past 65 504; arithmetic stays in single precision
 *   I8    round(weight[o][i] / scale[o]), ties to even, with a scale per output,
 *         scale[o] = max(|weight[o]|, 2^-100) / 127: a quarter of the memory
 *
 *   a layout of blocks  the bits of the blocks of a weight that has this layout, in another order; values of others are
 *         rounded to blocks whose scales leave the least square error, or nearly
 *
 *   weight      [part_outputs, inputs] of any alignment, as mapped files have it
 *   scales      [part_outputs], or [1] by scale_stride 0; null for 1, and for layouts but I8 and U8
 *   zero_points as scales; null for 0
 *   packed      aligned to 64 bytes; it begins with a header that names shape, type and
 *               layout, so that weights packed for another ISA are refused (MISMATCH)
 *
 * One call packs a whole weight, or several, one after the other, its parts in any order and of layouts of their
 * own: W is there once every row was packed. The bits are those of packing the same values as one F32 weight. A call
 * leaves the rows of other parts as they are; memory that was zeroed before the first has no bytes left over.
 *
 * I8 divides by multiplying with 127 / max(...), both in single precision. NaN or infinity among the
 * weights of an output makes that output NaN. Zafrir et al., Q8BERT, arXiv:1910.06188, without its clipping.
 */
FOVEA_API int fovea_linear_pack(fovea_engine *engine, const fovea_linear_pack_params *params, const void *weight,
                                const float *scales, const int *zero_points, void *packed);

typedef struct fovea_linear_params {
  int struct_size;
  int rows;       /* >= 0 */
  int inputs;
  int outputs;
  int activation; /* FOVEA_ACTIVATION_* */
  int reserved;   /* 0 */
  long long packed_bytes;
  long long x_stride;
  long long residual_stride; /* not read without a residual */
  long long out_stride;
} fovea_linear_params;

/*
 * out = activation(x W^T + bias) + residual
 *
 *   x        [rows, inputs]
 *   packed   W [outputs, inputs] as fovea_linear_pack left it
 *   bias     [outputs], or null
 *   residual [rows, outputs], or null; may be out itself (same pointer and stride)
 *   out      [rows, outputs]
 *
 * Each output is one chain of multiply-adds in the order of the inputs, so a row's
 * bits do not depend on the other rows.
 *
 * Weights of F16 and BF16 give the bits of an F32 layer of the rounded weights, but those of BF16 not with AVX512BF16
 * or NEONBF16 and at most FOVEA_LINEAR_BF16_INPUTS inputs. These multiply bfloat16 by bfloat16, two at a time: x is
 * rounded to the nearest bfloat16 too, ties to even, two products are added to a sum in single precision, and subnormal
 * numbers may count as 0. Before the activation that is away from the product of the same weights and floats by at most
 *
 *   2^-8 (1 + n 2^-15) sum over i of |x[r][i] W[o][i]|
 *
 * Weights of I8 want x in eight bits too: every row is quantised as an output's weights are, with a
 * scale of its own, s[r] = max(|x[r]|, 2^-100) / 127 (vector-wise, Dettmers et al., LLM.int8(),
 * arXiv:2208.07339, section 2). With the integers q and the scale t[o] of the weights
 *
 *   x W^T [r][o] = (sum over i of q_x[r][i] q_w[o][i]) * (s[r] t[o])
 *
 * where the sum is exact, so that every ISA gives the same but for the rounding of the epilogue. Before
 * the activation it is away from the product of floats by at most
 *
 *   sum over i of (|x[r][i]| t[o] / 2 + |W[o][i]| s[r] / 2 + s[r] t[o] / 4)
 *
 * and a few roundings. NaN or infinity in a row of x makes that row of out NaN.
 *
 * Weights in blocks want x in eight bits as well, each 32 inputs of a row with a scale of their own, s = max(|x|, 2^-100) /
 * 127. With integers q_x, and q_w, d and m as the layout defines a weight's value, d q_w - m, for the 16 or 32 inputs that
 * share d and m,
 *
 *   x W^T [r][o] = sum over these parts, in their order, of (sum of q_x q_w) * (s d) - (s * sum of q_x) * m
 *
 * where sums in brackets are exact. Before the activation it is away from the product of floats by at most
 *
 *   sum over i of |W[o][i]| s / 2
 *
 * and the roundings of the outer sum. Every ISA has the same but for those; a row's bits do not depend on the others.
 */
FOVEA_API int fovea_linear(fovea_engine *engine, const fovea_linear_params *params, const float *x,
                           const void *packed, const float *bias, const float *residual, float *out);

/* ---- finite weights -------------------------------------------------------- */

typedef struct fovea_is_finite_params {
  int struct_size;
  int layout;       /* FOVEA_LAYOUT_* of the weight */
  long long values; /* >= 0; whole blocks of the layout */
} fovea_is_finite_params;

/*
 * Whether no value of a weight is infinite or NaN: *finite becomes 1 or 0. The integers of I8 and U8 are finite.
 *
 *   weight [values], dense, of any alignment; null for no values
 *
 * In the caller's thread, at the speed of memory.
 */
FOVEA_API int fovea_is_finite(const fovea_engine *engine, const fovea_is_finite_params *params, const void *weight,
                              int *finite);

/* ---- matrix product ------------------------------------------------------- */

typedef struct fovea_matmul_params {
  int struct_size;
  int batch; /* >= 0 */
  int m;     /* >= 0 */
  int n;     /* >= 0 */
  int k;     /* >= 0; 0 gives beta * c */
  int transpose_b; /* 0: b is [k, n]; 1: b is [n, k] */
  float alpha;
  float beta; /* 0: c is only written, NaN in it does not spread */
  long long a_stride, b_stride, c_stride;                   /* between rows */
  long long a_batch_stride, b_batch_stride, c_batch_stride; /* between products */
} fovea_matmul_params;

/*
 * c = alpha a b + beta c for each product of the batch, through OpenBLAS if it is loaded.
 *
 *   a [batch, m, k]; b [batch, k, n] or [batch, n, k]; c [batch, m, n]
 */
FOVEA_API int fovea_matmul(fovea_engine *engine, const fovea_matmul_params *params, const float *a, const float *b,
                           float *c);

/* ---- product per sequence -------------------------------------------------- */

typedef struct fovea_ragged_matmul_params {
  int struct_size;
  int sequences;   /* >= 0 */
  int k;           /* columns of a, >= 1 */
  int n;           /* columns of the product, >= 1; k * n fits an int */
  int transpose_a; /* 0 or 1 */
  int reserved;    /* 0 */
  long long a_stride, b_stride, out_stride; /* between rows, at most INT_MAX */
} fovea_ragged_matmul_params;

/*
 * A product for each sequence s, the rows of whose matrix A_s [tokens of s, k] are those of its tokens, through
 * OpenBLAS if it is loaded.
 *
 *   transpose_a 0   out[t] = a[t] B_s for each token t of s
 *                   a [tokens, k]; b [sequences, k n], row s the dense matrix B_s [k, n]; out [tokens, n]
 *   transpose_a 1   out[s] = A_s^T B_s, dense; 0 for an empty sequence
 *                   a [tokens, k]; b [tokens, n]; out [sequences, k n]
 *
 *   offsets [sequences + 1], offsets[0] = 0, not decreasing
 *
 * Each sequence is a call of its own, so that its bits depend on no other.
 */
FOVEA_API int fovea_ragged_matmul(fovea_engine *engine, const fovea_ragged_matmul_params *params, const float *a,
                                  const float *b, const int *offsets, float *out);

/* ---- attention ------------------------------------------------------------ */

typedef struct fovea_attention_params {
  int struct_size;
  int sequences; /* >= 0 */
  int heads;     /* a multiple of kv_heads */
  int kv_heads;  /* >= 1 */
  int head_dim;  /* >= 1 */
  int value_dim; /* >= 1 */
  int q_dtype;   /* FOVEA_DTYPE_* of q */
  int kv_dtype;  /* FOVEA_DTYPE_* of k and v; of pages also FOVEA_LAYOUT_Q8_0 */
  float scale;   /* 1/sqrt(head_dim) in the usual case; any finite value */
  float softcap; /* cap tanh(score / cap); 0: none */
  int window_left;  /* keys before the diagonal that a query sees; -1: all */
  int window_right; /* keys behind it; 0: causal; -1: all */
  int alignment;    /* FOVEA_ALIGN_* */
  int rope;         /* FOVEA_ROPE_* */
  int rope_dim;       /* even, 2 to head_dim; elements behind it stay. Not read without rope, as the next two */
  int rope_positions; /* rows of the table */
  int rope_keys;      /* 1: keys are turned too; 0: they were when they were cached */
  int pages;             /* pages of k and v; 0: they are tensors of tokens */
  int page_table_stride; /* between the rows of page_table */
  int bias_rows; /* 1: bias has a row per query token of the batch; 0: it has one per query of its sequence */
  /* Elements between neighbours. A sequence stride of 0: sequences follow each other, as their offsets say. */
  long long q_sequence_stride, q_token_stride, q_head_stride;
  long long k_sequence_stride, k_token_stride, k_head_stride; /* those of k and v are not read with pages */
  long long v_sequence_stride, v_token_stride, v_head_stride;
  long long out_sequence_stride, out_token_stride, out_head_stride;
  long long lse_sequence_stride, lse_token_stride, lse_head_stride;
  long long weights_sequence_stride, weights_token_stride, weights_head_stride;
  /* 0 broadcasts. */
  long long mask_sequence_stride, mask_head_stride, mask_query_stride;
  long long bias_sequence_stride, bias_head_stride, bias_query_stride;
  long long scratch_bytes;
} fovea_attention_params;

/*
 * Bytes of scratch that fovea_attention needs for these heads, kv_heads, head_dim and value_dim; other
 * fields are not read. O(threads x tile), whatever the lengths.
 */
FOVEA_API int fovea_attention_scratch_bytes(const fovea_engine *engine, const fovea_attention_params *params,
                                            long long *bytes);

/*
 * out = softmax(scale Q K^T, masked) V per sequence and head, in tiles with an online softmax.
 *
 *   q            [query tokens, heads, head_dim]
 *   k            [key tokens, kv_heads, head_dim]; with pages [pages, kv_heads, FOVEA_PAGE_KEYS, head_dim], dense
 *   v            [key tokens, kv_heads, value_dim]; with pages [pages, kv_heads, FOVEA_PAGE_KEYS, value_dim], dense
 *   q_offsets    [sequences + 1], q_offsets[0] = 0, not decreasing: sequence s has as many queries as
 *                q_offsets[s + 1] - q_offsets[s]
 *   kv_offsets   [sequences + 1], likewise of keys; may be q_offsets itself
 *   page_table   [sequences, page_table_stride], in column b of a sequence's row the page of its keys from
 *                b FOVEA_PAGE_KEYS on; null without pages
 *   mask         [sequences, heads, queries, keys], queries and keys counted from the start of their sequence:
 *                a byte, not 0 where the query attends to the key; or null
 *   bias         likewise, added to the score; -infinity masks; with bias_rows [query tokens, heads, keys], under
 *                bias_query_stride and bias_head_stride; or null
 *   alibi_slopes [heads], or null
 *   rope_table   [rope_positions, rope_dim]: for each position rope_dim / 2 cosines, then as many sines; null
 *                without rope
 *   scratch      aligned to 64 bytes, overwritten
 *   out          [query tokens, heads, value_dim]
 *   lse          [heads, query tokens], log of the sum of e^score over the keys attended to; or null
 *   weights      [heads, query tokens, keys], the softmax itself, 0 where masked; a row ends with the keys of
 *                its sequence, nothing is written behind it; or null
 *
 * The score of query i and key j, d being the key on i's diagonal:
 *
 *   s = scale q_i . k_j,  s = softcap tanh(s / softcap),  s = s + bias - slope |d - j|
 *
 * and the query attends to j if d - window_left <= j <= d + window_right, mask is not 0 and bias is not
 * -infinity. Nothing of a key or value that a query does not attend to reaches its result. A query that
 * attends to nothing gives 0 and the lse -infinity. Results too small for a normal float may be 0. Query
 * head h reads key/value head h / (heads / kv_heads).
 *
 * RoPE turns pair i of q_i by the angle whose cosine and sine stand at column i of row d of the table, and
 * of k_j, if rope_keys, by those of row j. OUT_OF_RANGE if a position is outside the table or a page outside the pages.
 *
 * Vaswani et al., arXiv:1706.03762; Milakov and Gimelshein, arXiv:1805.02867; Dao et al., FlashAttention-2,
 * arXiv:2307.08691; Press et al., ALiBi, arXiv:2108.12409; Kwon et al., PagedAttention, arXiv:2309.06180.
 */
FOVEA_API int fovea_attention(fovea_engine *engine, const fovea_attention_params *params, const void *q,
                              const void *k, const void *v, const int *q_offsets, const int *kv_offsets,
                              const int *page_table, const unsigned char *mask, const float *bias,
                              const float *alibi_slopes, const float *rope_table, void *scratch, float *out,
                              float *lse, float *weights);

/* ---- relative bias --------------------------------------------------------- */

typedef struct fovea_relative_bias_params {
  int struct_size;
  int sequences; /* >= 0 */
  int heads;     /* >= 1 */
  int buckets;   /* >= 1 */
  int keys;      /* >= 1: no sequence has more tokens */
  int reserved;  /* 0 */
  long long by_query_stride; /* 0: all queries have one row */
  long long by_key_stride;   /* not read without by_key */
  long long out_stride;
} fovea_relative_bias_params;

/*
 * What the distance of key and query adds to a score, as a bias of fovea_attention with bias_rows:
 *
 *   out[t][h][j] = by_query[t][h][b] + by_key[u][h][b],  b = bucket_of[keys - 1 + j - i]
 *
 * for each token t, the i-th of its sequence, head h and token u, the j-th of the same sequence.
 *
 *   by_query  [tokens, heads, buckets] with tokens = offsets[sequences], rows strided, or one row
 *   by_key    [tokens, heads, buckets], or null
 *   bucket_of [2 keys - 1], each in [0, buckets)
 *   offsets   [sequences + 1], offsets[0] = 0, not decreasing
 *   out       [tokens, heads, keys]; columns behind the keys of a sequence are left as they are
 *
 * With one row it is that of T5, Raffel et al., arXiv:1910.10683, section 2.1; with both the two terms of DeBERTa's
 * disentangled attention, He et al., arXiv:2006.03654, section 3.1. OUT_OF_RANGE if a bucket is outside the buckets
 * or a sequence has more tokens than keys.
 */
FOVEA_API int fovea_relative_bias(fovea_engine *engine, const fovea_relative_bias_params *params, const float *by_query,
                                  const float *by_key, const int *bucket_of, const int *offsets, float *out);

/* ---- key/value cache ------------------------------------------------------ */

typedef struct fovea_cache_append_params {
  int struct_size;
  int sequences;   /* >= 0 */
  int kv_heads;    /* >= 1 */
  int head_dim;    /* >= 1 */
  int value_dim;   /* >= 1 */
  int dtype;       /* FOVEA_DTYPE_* of k and v */
  int cache_dtype; /* FOVEA_DTYPE_* of the pages, or FOVEA_LAYOUT_Q8_0 */
  int rope;           /* as in fovea_attention_params, as are the next two */
  int rope_dim;
  int rope_positions;
  int pages;
  int page_table_stride;
  long long k_sequence_stride, k_token_stride, k_head_stride;
  long long v_sequence_stride, v_token_stride, v_head_stride;
} fovea_cache_append_params;

/*
 * Writes new keys, turned to their positions, and values behind those that the pages hold.
 *
 *   k          [new tokens, kv_heads, head_dim]
 *   v          [new tokens, kv_heads, value_dim]
 *   offsets    [sequences + 1], offsets[0] = 0, not decreasing: of the new tokens
 *   lengths    [sequences], the tokens that each sequence holds already: its new ones take the next positions
 *   page_table [sequences, page_table_stride], as for fovea_attention; no page that is written may stand in it twice
 *   rope_table as for fovea_attention
 *   k_pages    [pages, kv_heads, FOVEA_PAGE_KEYS, head_dim] of cache_dtype, dense
 *   v_pages    [pages, kv_heads, FOVEA_PAGE_KEYS, value_dim] of cache_dtype, dense
 *
 * To a half type values round to nearest, ties to even; what is too large becomes infinity, NaN stays NaN. In Q8_0 a key
 * or value is a row of blocks of 32, so head_dim and value_dim are multiples of 32, at most 4096; what is too large for a
 * block's scale, or not finite, makes the block NaN.
 */
FOVEA_API int fovea_cache_append(fovea_engine *engine, const fovea_cache_append_params *params, const void *k,
                                 const void *v, const int *offsets, const int *lengths, const int *page_table,
                                 const float *rope_table, void *k_pages, void *v_pages);

/* ---- logits --------------------------------------------------------------- */

typedef struct fovea_log_softmax_params {
  int struct_size;
  int rows;     /* >= 0 */
  int width;    /* >= 1 */
  int reserved; /* 0 */
  long long x_stride;
  long long out_stride;
} fovea_log_softmax_params;

/*
 * out[r] = x[r] - max(x[r]) - log(sum(e^(x[r] - max(x[r])))).
 *
 *   x, out [rows, width]; out may be x itself (same pointer and stride)
 *
 * The sum is as exact over a vocabulary of hundreds of thousands as over a few elements. Minus infinity stays, and adds
 * nothing to the sum. A row that holds NaN or plus infinity, or minus infinity alone, becomes NaN as a whole.
 */
FOVEA_API int fovea_log_softmax(fovea_engine *engine, const fovea_log_softmax_params *params, const float *x,
                                float *out);

typedef struct fovea_top_k_params {
  int struct_size;
  int rows;  /* >= 0 */
  int width; /* >= 1 */
  int k;     /* 1 to width; 1 is argmax */
  long long x_stride;
  long long indices_stride;
} fovea_top_k_params;

/*
 * The columns of the k largest elements of each row, the largest first; of equals the lower column first. NaN ranks
 * below minus infinity.
 *
 *   x       [rows, width]
 *   indices [rows, k]
 *
 * Made for small k: time grows with the width, and with k for each element that enters the list. INVALID_ARGUMENT if
 * k is not in 1 to width.
 */
FOVEA_API int fovea_top_k(fovea_engine *engine, const fovea_top_k_params *params, const float *x, int *indices);

typedef struct fovea_gather_params {
  int struct_size;
  int rows;  /* >= 0 */
  int width; /* >= 1 */
  int k;     /* >= 1 */
  long long x_stride;
  long long indices_stride;
  long long out_stride;
} fovea_gather_params;

/*
 * out[r][i] = x[r][indices[r][i]].
 *
 *   x       [rows, width]
 *   indices [rows, k], each in [0, width)
 *   out     [rows, k]
 *
 * Indices may repeat. OUT_OF_RANGE, and nothing is written, if an index is outside the width.
 */
FOVEA_API int fovea_gather(fovea_engine *engine, const fovea_gather_params *params, const float *x, const int *indices,
                           float *out);

/* ---- pooling -------------------------------------------------------------- */

typedef struct fovea_pool_params {
  int struct_size;
  int sequences; /* >= 0 */
  int width;     /* >= 1 */
  int mode;      /* FOVEA_POOLING_* */
  int normalize; /* 1: divide each vector by max(its L2 norm, 1e-12) */
  int reserved;  /* 0 */
  long long x_stride;
  long long out_stride;
} fovea_pool_params;

/*
 * One vector per sequence.
 *
 *   x       [tokens, width] with tokens = offsets[sequences]
 *   offsets [sequences + 1], offsets[0] = 0, not decreasing
 *   out     [sequences, width]; an empty sequence gives 0
 *
 * Reimers and Gurevych, Sentence-BERT, arXiv:1908.10084, section 3.
 */
FOVEA_API int fovea_pool(fovea_engine *engine, const fovea_pool_params *params, const float *x, const int *offsets,
                         float *out);

/* ---- calls by number ------------------------------------------------------- */

/* The functions of fovea_call: those that take pointers alone and return an int. */
#define FOVEA_CALL_ABI_VERSION 0
#define FOVEA_CALL_ISA_AVAILABLE 1
#define FOVEA_CALL_ENGINE_CREATE 2
#define FOVEA_CALL_ENGINE_DESCRIBE 3
#define FOVEA_CALL_ENGINE_DESTROY 4
#define FOVEA_CALL_MEMORY_CREATE 5
#define FOVEA_CALL_MEMORY_DESTROY 6
#define FOVEA_CALL_BLAS_LOAD 7
#define FOVEA_CALL_EMBEDDING 8
#define FOVEA_CALL_LAYER_NORM 9
#define FOVEA_CALL_RMS_NORM 10
#define FOVEA_CALL_ELEMENTWISE 11
#define FOVEA_CALL_NORMALIZE 12
#define FOVEA_CALL_LINEAR_PACKED_BYTES 13
#define FOVEA_CALL_LINEAR_PACK 14
#define FOVEA_CALL_LINEAR 15
#define FOVEA_CALL_IS_FINITE 16
#define FOVEA_CALL_MATMUL 17
#define FOVEA_CALL_RAGGED_MATMUL 18
#define FOVEA_CALL_ATTENTION_SCRATCH_BYTES 19
#define FOVEA_CALL_ATTENTION 20
#define FOVEA_CALL_RELATIVE_BIAS 21
#define FOVEA_CALL_CACHE_APPEND 22
#define FOVEA_CALL_LOG_SOFTMAX 23
#define FOVEA_CALL_TOP_K 24
#define FOVEA_CALL_GATHER 25
#define FOVEA_CALL_POOL 26

/*
 * Calls the function of this number, and returns what that returns. Its arguments are a, b, c and so on, in its order; those
 * behind its last are not read. INVALID_ARGUMENT if no function has the number.
 *
 * For callers to which every signature has its price: a JVM takes milliseconds to link one, and with this it links one for all.
 */
FOVEA_API int fovea_call(int function, void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h, void *i,
                         void *j, void *k, void *l, void *m, void *n, void *o, void *p);

#ifdef __cplusplus
}
#endif

#endif /* FOVEA_FOVEA_H */
