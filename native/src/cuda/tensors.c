/* Tensors of the host: from a caller's strides to dense memory, and back. */
#include <string.h>

#include "cuda/direct.h"

/* Calls with the dense and the strided offset, in bytes, of every piece that is contiguous in both. */
#define FOR_EACH_PIECE(shape, sequences, offsets, dense, strided, bytes_of_piece, copy)                            \
  do {                                                                                                             \
    const int together = (shape)->heads == 1 || (shape)->head == (shape)->dim;                                     \
    const int pieces = together ? 1 : (shape)->heads;                                                              \
    const size_t bytes_of_piece =                                                                                  \
        (size_t)(together ? (shape)->heads : 1) * (size_t)(shape)->dim * (size_t)(shape)->bytes;                   \
    long long dense = 0;                                                                                           \
    for (int s = 0; s < (sequences); s++) {                                                                        \
      for (int t = (offsets)[s]; t < (offsets)[s + 1]; t++) {                                                      \
        const long long row = (shape)->sequence ? s * (shape)->sequence + (t - (offsets)[s]) * (shape)->token      \
                                                : t * (shape)->token;                                              \
        for (int h = 0; h < pieces; h++) {                                                                         \
          const long long strided = (row + h * (shape)->head) * (shape)->bytes;                                    \
          copy;                                                                                                    \
          dense += (long long)bytes_of_piece;                                                                      \
        }                                                                                                          \
      }                                                                                                            \
    }                                                                                                              \
  } while (0)

void fv_gather(char *dense, const char *tensor, const fv_tensor *shape, int sequences, const int *offsets) {
  FOR_EACH_PIECE(shape, sequences, offsets, to, from, bytes, memcpy(dense + to, tensor + from, bytes));
}

void fv_scatter(const char *dense, char *tensor, const fv_tensor *shape, int sequences, const int *offsets) {
  FOR_EACH_PIECE(shape, sequences, offsets, from, to, bytes, memcpy(tensor + to, dense + from, bytes));
}

void fv_scatter_weights(const char *dense, char *tensor, const fv_tensor *shape, int sequences, const int *q_offsets,
                        const int *kv_offsets) {
  const size_t row_bytes = (size_t)shape->dim * (size_t)shape->bytes;
  for (int s = 0; s < sequences; s++) {
    const size_t bytes = ((size_t)kv_offsets[s + 1] - (size_t)kv_offsets[s]) * (size_t)shape->bytes;
    for (int t = q_offsets[s]; t < q_offsets[s + 1]; t++) {
      const long long row = shape->sequence ? s * shape->sequence + (t - q_offsets[s]) * shape->token : t * shape->token;
      for (int h = 0; h < shape->heads; h++) {
        if (bytes) memcpy(tensor + (row + h * shape->head) * shape->bytes, dense, bytes);
        dense += row_bytes;
      }
    }
  }
}

void fv_gather_mask(char *dense, const char *mask, const fv_mask *shape, int sequences, const int *q_offsets,
                    const int *kv_offsets) {
  const long long *from = shape->strides, *to = shape->dense;
  int copied_queries = 0, copied_keys = 0; /* of all sequences, where they share one mask */
  for (int s = 0; s < sequences; s++) {
    const int queries = q_offsets[s + 1] - q_offsets[s], keys = kv_offsets[s + 1] - kv_offsets[s];
    if (queries == 0 || keys == 0) continue;
    const int first = shape->rows ? q_offsets[s] : 0;
    if (from[0] == 0 && !shape->rows) {
      if (queries <= copied_queries && keys <= copied_keys) continue;
      if (queries >= copied_queries && keys >= copied_keys) {
        copied_queries = queries;
        copied_keys = keys;
      }
    }
    for (int h = 0; h < (from[1] ? shape->heads : 1); h++) {
      for (int i = 0; i < (from[2] ? queries : 1); i++) {
        memcpy(dense + (s * to[0] + h * to[1] + (first + i) * to[2]) * shape->bytes,
               mask + (s * from[0] + h * from[1] + (first + i) * from[2]) * shape->bytes,
               (size_t)keys * (size_t)shape->bytes);
      }
    }
  }
}
