#include "cuda/ops/ragged/ragged.h"

#include "cuda/ops/planning.h"

static bool is_rows(const fv_view *view, int rows, long long columns) {
  return fv_is_matrix(view) && view->rows == rows && view->columns == columns;
}

int fv_plan_ragged(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                   fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *a = &operands->x, *b = &operands->y, *out = &operands->out;
  const bool transposed = step->mode == 1;
  const int n = transposed ? b->columns : out->columns;
  const long long matrix = (long long)a->columns * n;
  const fv_view *tokens = transposed ? b : out, *sequences = transposed ? out : b;
  const bool fits =
      is_rows(tokens, FOVEA_CUDA_ROWS_TOKENS, n) && is_rows(sequences, FOVEA_CUDA_ROWS_SEQUENCES, matrix);
  if (!fv_is_matrix(a) || a->rows != FOVEA_CUDA_ROWS_TOKENS || !fits) return FOVEA_STATUS_INVALID_ARGUMENT;
  const fv_ragged_params params = {.batch = target->batch, .a = *a, .b = *b, .out = *out, .n = n};
  const int across = fv_blocks(n, FV_RAGGED_TILE), down = fv_blocks(a->columns, FV_RAGGED_TILE);
  const long long tiles = transposed ? (long long)across * down : across;
  if (tiles > 65535) return FOVEA_STATUS_UNSUPPORTED;
  const int queries = (int)fv_most_tiles(target->max_tokens, target->max_sequences, FV_TILE_SMALL);
  const int grid[] = {transposed ? fv_most_rows(target, out) : queries, (int)tiles, 1};
  const int shared_bytes = 2 * FV_RAGGED_DEPTH * FV_RAGGED_STRIDE * (int)sizeof(float);
  return fv_launches_add(launches, transposed ? "fv_ragged_matmul_transposed" : "fv_ragged_matmul", grid,
                         (int[]){FV_RAGGED_THREADS, 1, 1}, shared_bytes, &params, sizeof params);
}
