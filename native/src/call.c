/* Calls by number: one signature for all functions that take pointers alone. */
#include "fovea/fovea.h"

int fovea_call(int function, void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h, void *i, void *j,
               void *k, void *l, void *m, void *n, void *o, void *p) {
  switch (function) {
    case FOVEA_CALL_ABI_VERSION:
      return fovea_abi_version();
    case FOVEA_CALL_ISA_AVAILABLE:
      return fovea_isa_available();
    case FOVEA_CALL_ENGINE_CREATE:
      return fovea_engine_create(a, b);
    case FOVEA_CALL_ENGINE_DESCRIBE:
      return fovea_engine_describe(a, b);
    case FOVEA_CALL_ENGINE_DESTROY:
      return fovea_engine_destroy(a);
    case FOVEA_CALL_MEMORY_CREATE:
      return fovea_memory_create(a, b);
    case FOVEA_CALL_MEMORY_DESTROY:
      return fovea_memory_destroy(a);
    case FOVEA_CALL_BLAS_LOAD:
      return fovea_blas_load(a);
    case FOVEA_CALL_EMBEDDING:
      return fovea_embedding(a, b, c, d, e, f, g, h, i, j, k);
    case FOVEA_CALL_LAYER_NORM:
      return fovea_layer_norm(a, b, c, d, e, f);
    case FOVEA_CALL_RMS_NORM:
      return fovea_rms_norm(a, b, c, d, e);
    case FOVEA_CALL_ELEMENTWISE:
      return fovea_elementwise(a, b, c, d, e);
    case FOVEA_CALL_NORMALIZE:
      return fovea_normalize(a, b, c, d);
    case FOVEA_CALL_LINEAR_PACKED_BYTES:
      return fovea_linear_packed_bytes(a, b, c);
    case FOVEA_CALL_LINEAR_PACK:
      return fovea_linear_pack(a, b, c, d, e, f);
    case FOVEA_CALL_LINEAR:
      return fovea_linear(a, b, c, d, e, f, g);
    case FOVEA_CALL_IS_FINITE:
      return fovea_is_finite(a, b, c, d);
    case FOVEA_CALL_MATMUL:
      return fovea_matmul(a, b, c, d, e);
    case FOVEA_CALL_RAGGED_MATMUL:
      return fovea_ragged_matmul(a, b, c, d, e, f);
    case FOVEA_CALL_ATTENTION_SCRATCH_BYTES:
      return fovea_attention_scratch_bytes(a, b, c);
    case FOVEA_CALL_ATTENTION:
      return fovea_attention(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    case FOVEA_CALL_RELATIVE_BIAS:
      return fovea_relative_bias(a, b, c, d, e, f, g);
    case FOVEA_CALL_CACHE_APPEND:
      return fovea_cache_append(a, b, c, d, e, f, g, h, i, j);
    case FOVEA_CALL_LOG_SOFTMAX:
      return fovea_log_softmax(a, b, c, d);
    case FOVEA_CALL_TOP_K:
      return fovea_top_k(a, b, c, d);
    case FOVEA_CALL_GATHER:
      return fovea_gather(a, b, c, d, e);
    case FOVEA_CALL_POOL:
      return fovea_pool(a, b, c, d, e);
    default:
      return FOVEA_STATUS_INVALID_ARGUMENT;
  }
}
