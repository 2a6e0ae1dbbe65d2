/*
 * The roofline of all-MiniLM-L6-v2: each op of its encoder through libfovea, its time beside the least that the
 * machine's multiply-adds and its memory allow. Sizes are the model's, weights and tokens are random.
 *
 *   roofline [-t threads] [-s seconds per shape] [-w f32|bf16|i8] TEXTSxTOKENS...
 *
 * The limit is that of single precision, whatever -w keeps weights as: fewer bits may pass it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "fovea/fovea.h"

enum { LAYERS = 6, HIDDEN = 384, HEADS = 12, HEAD_DIM = 32, INNER = 1536, VOCABULARY = 30522, POSITIONS = 512 };
enum { QKV, ATTENTION, OUT, UP, DOWN, REST, MODEL, OPS };
enum { TEXTS = 8 }; /* that take turns: the first use of a word's row costs a page fault of up to 10 us */
enum { MOST_RUNS = 4000, MOST_THREADS = 64, READ_BYTES = 42 << 20 }; /* as many bytes as the weights have */

typedef struct dense {
  int inputs, outputs;
  long long bytes;
  void *packed;
  float *bias;
} dense;

typedef struct layer {
  dense qkv, out, up, down;
} layer;

typedef struct model {
  fovea_engine *engine;
  layer layers[LAYERS];
  float *words, *positions, *type, *gamma, *beta;
} model;

/* A batch and the memory that it is encoded in. */
typedef struct batch {
  int texts, length, tokens;
  int *ids, *offsets;
  float *hidden, *wide, *mixed, *inner, *vectors;
  void *scratch;
  long long scratch_bytes;
} batch;

static int weight_type = FOVEA_DTYPE_F32;

static double micros(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void check(int status, const char *what) {
  if (status == FOVEA_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", what, fovea_status_name(status));
  exit(1);
}

static void *allocate(long long bytes) {
  void *memory = aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64);
  if (!memory) exit(1);
  return memory;
}

static float *random_floats(long long count, float scale) {
  static unsigned long long state = 88172645463325252ull;
  float *x = allocate(count * (long long)sizeof(float));
  for (long long i = 0; i < count; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    x[i] = scale * ((float)(state >> 40) / 8388608.0f - 1);
  }
  return x;
}

/* ---- the model ------------------------------------------------------------ */

static dense random_dense(fovea_engine *engine, int outputs, int inputs) {
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = outputs,
                                .inputs = inputs,
                                .dtype = weight_type,
                                .layout = FOVEA_LAYOUT_F32,
                                .part_outputs = outputs,
                                .output_stride = inputs,
                                .input_stride = 1};
  check(fovea_linear_packed_bytes(engine, &p, &p.packed_bytes), "linear_packed_bytes");
  dense d = {inputs, outputs, p.packed_bytes, allocate(p.packed_bytes), random_floats(outputs, 0.1f)};
  float *weight = random_floats((long long)outputs * inputs, 0.05f);
  check(fovea_linear_pack(engine, &p, weight, NULL, NULL, d.packed), "linear_pack");
  free(weight);
  return d;
}

static void make_model(model *m, fovea_engine *engine) {
  m->engine = engine;
  for (int l = 0; l < LAYERS; l++) {
    m->layers[l] = (layer){random_dense(engine, 3 * HIDDEN, HIDDEN), random_dense(engine, HIDDEN, HIDDEN),
                           random_dense(engine, INNER, HIDDEN), random_dense(engine, HIDDEN, INNER)};
  }
  m->words = random_floats((long long)VOCABULARY * HIDDEN, 0.1f);
  m->positions = random_floats(POSITIONS * HIDDEN, 0.1f);
  m->type = random_floats(HIDDEN, 0.1f);
  m->gamma = random_floats(HIDDEN, 1);
  m->beta = random_floats(HIDDEN, 0.1f);
}

static fovea_attention_params attention_params(const batch *b) {
  return (fovea_attention_params){.struct_size = sizeof(fovea_attention_params),
                                  .sequences = b->texts,
                                  .heads = HEADS,
                                  .kv_heads = HEADS,
                                  .head_dim = HEAD_DIM,
                                  .value_dim = HEAD_DIM,
                                  .q_dtype = FOVEA_DTYPE_F32,
                                  .kv_dtype = FOVEA_DTYPE_F32,
                                  .scale = 0.17677669f,
                                  .window_left = -1,
                                  .window_right = -1,
                                  .q_token_stride = 3 * HIDDEN,
                                  .q_head_stride = HEAD_DIM,
                                  .k_token_stride = 3 * HIDDEN,
                                  .k_head_stride = HEAD_DIM,
                                  .v_token_stride = 3 * HIDDEN,
                                  .v_head_stride = HEAD_DIM,
                                  .out_token_stride = HIDDEN,
                                  .out_head_stride = HEAD_DIM,
                                  .scratch_bytes = b->scratch_bytes};
}

static batch make_batch(const model *m, int texts, int length) {
  batch b = {.texts = texts, .length = length, .tokens = texts * length};
  b.ids = allocate(b.tokens * (long long)sizeof(int));
  b.offsets = allocate((texts + 1) * (long long)sizeof(int));
  for (int i = 0; i <= texts; i++) b.offsets[i] = i * length;
  b.hidden = random_floats((long long)b.tokens * HIDDEN, 0);
  b.wide = random_floats((long long)b.tokens * 3 * HIDDEN, 0);
  b.mixed = random_floats((long long)b.tokens * HIDDEN, 0);
  b.inner = random_floats((long long)b.tokens * INNER, 0);
  b.vectors = random_floats((long long)texts * HIDDEN, 0);
  const fovea_attention_params p = attention_params(&b);
  check(fovea_attention_scratch_bytes(m->engine, &p, &b.scratch_bytes), "attention_scratch_bytes");
  b.scratch = allocate(b.scratch_bytes);
  return b;
}

static void free_batch(batch *b) {
  void *memory[] = {b->ids, b->offsets, b->hidden, b->wide, b->mixed, b->inner, b->vectors, b->scratch};
  for (int i = 0; i < (int)(sizeof memory / sizeof *memory); i++) free(memory[i]);
}

/* ---- one run --------------------------------------------------------------- */

static void linear(const model *m, const dense *d, int rows, const float *x, int activation, const float *residual,
                   float *out) {
  const fovea_linear_params p = {.struct_size = sizeof p,
                                 .rows = rows,
                                 .inputs = d->inputs,
                                 .outputs = d->outputs,
                                 .activation = activation,
                                 .packed_bytes = d->bytes,
                                 .x_stride = d->inputs,
                                 .residual_stride = d->outputs,
                                 .out_stride = d->outputs};
  check(fovea_linear(m->engine, &p, x, d->packed, d->bias, residual, out), "linear");
}

static void embed(const model *m, batch *b) {
  const fovea_embedding_params p = {.struct_size = sizeof p,
                                    .sequences = b->texts,
                                    .width = HIDDEN,
                                    .vocabulary = VOCABULARY,
                                    .positions = POSITIONS,
                                    .scale = 1,
                                    .words_layout = FOVEA_LAYOUT_F32,
                                    .out_stride = HIDDEN};
  check(fovea_embedding(m->engine, &p, b->ids, b->offsets, NULL, m->words, NULL, NULL, m->positions, m->type,
                        b->hidden),
        "embedding");
}

static void norm(const model *m, batch *b) {
  const fovea_layer_norm_params p = {.struct_size = sizeof p,
                                     .rows = b->tokens,
                                     .width = HIDDEN,
                                     .epsilon = 1e-12f,
                                     .x_stride = HIDDEN,
                                     .out_stride = HIDDEN};
  check(fovea_layer_norm(m->engine, &p, b->hidden, m->gamma, m->beta, b->hidden), "layer_norm");
}

static void pool(const model *m, batch *b) {
  const fovea_pool_params p = {.struct_size = sizeof p,
                               .sequences = b->texts,
                               .width = HIDDEN,
                               .mode = FOVEA_POOLING_MEAN,
                               .normalize = 1,
                               .x_stride = HIDDEN,
                               .out_stride = HIDDEN};
  check(fovea_pool(m->engine, &p, b->hidden, b->offsets, b->vectors), "pool");
}

/* Adds the time since *last to an op's. */
static void lap(double *spent, double *last) {
  const double now = micros();
  *spent += now - *last;
  *last = now;
}

static void encode(const model *m, batch *b, double spent[OPS]) {
  const fovea_attention_params p = attention_params(b);
  const double begin = micros();
  double last = begin;
  embed(m, b);
  norm(m, b), lap(&spent[REST], &last);
  for (const layer *l = m->layers; l < m->layers + LAYERS; l++) {
    linear(m, &l->qkv, b->tokens, b->hidden, FOVEA_ACTIVATION_NONE, 0, b->wide), lap(&spent[QKV], &last);
    check(fovea_attention(m->engine, &p, b->wide, b->wide + HIDDEN, b->wide + 2 * HIDDEN, b->offsets, b->offsets, 0,
                          0, 0, 0, 0, b->scratch, b->mixed, 0, 0), "attention");
    lap(&spent[ATTENTION], &last);
    linear(m, &l->out, b->tokens, b->mixed, FOVEA_ACTIVATION_NONE, b->hidden, b->hidden), lap(&spent[OUT], &last);
    norm(m, b), lap(&spent[REST], &last);
    linear(m, &l->up, b->tokens, b->hidden, FOVEA_ACTIVATION_GELU_ERF, 0, b->inner), lap(&spent[UP], &last);
    linear(m, &l->down, b->tokens, b->inner, FOVEA_ACTIVATION_NONE, b->hidden, b->hidden), lap(&spent[DOWN], &last);
    norm(m, b), lap(&spent[REST], &last);
  }
  pool(m, b), lap(&spent[REST], &last);
  spent[MODEL] = last - begin;
}

static void encode_text(const model *m, batch *b, int text, double spent[OPS]) {
  for (int t = 0; t < b->tokens; t++) b->ids[t] = (int)((t * 7919u + (unsigned)text * 104729u) % VOCABULARY);
  encode(m, b, spent);
}

/* ---- limits ---------------------------------------------------------------- */

static volatile long long sum_read; /* so that no compiler leaves the reading out */

static void *read_share(void *argument) {
  const long long *words = argument, count = words[0];
  long long sums[8] = {0};
  for (long long i = 0; i + 8 <= count; i += 8) {
    __builtin_prefetch(words + i + 2048); /* 16 KB ahead: no page ends the stream */
    for (int lane = 0; lane < 8; lane++) sums[lane] += words[i + lane];
  }
  for (int lane = 1; lane < 8; lane++) sums[0] += sums[lane];
  sum_read = sums[0];
  return 0;
}

/* GB/s that threads read together from READ_BYTES: the best of ten passes. */
static double read_bandwidth(int threads) {
  const long long share = READ_BYTES / threads / 64 * 8;
  long long *words[MOST_THREADS];
  for (int t = 0; t < threads; t++) {
    words[t] = allocate(share * 8);
    for (long long i = 0; i < share; i++) words[t][i] = share;
  }
  double best = 0;
  for (int pass = 0; pass < 10; pass++) {
    pthread_t others[MOST_THREADS];
    const double begin = micros();
    for (int t = 1; t < threads; t++) pthread_create(&others[t], 0, read_share, words[t]);
    read_share(words[0]);
    for (int t = 1; t < threads; t++) pthread_join(others[t], 0);
    const double gigabytes = (double)(share * 8 * threads) * 1e-3 / (micros() - begin);
    best = gigabytes > best ? gigabytes : best;
  }
  for (int t = 0; t < threads; t++) free(words[t]);
  return best;
}

/* The time that an op of all layers takes at the limit, in us; 0 for what is neither product nor attention. */
static double limit(int op, const batch *b, double gigaflops, double gigabytes, double *flops) {
  static const double weights[OPS] = {[QKV] = 3.0 * HIDDEN * HIDDEN, [OUT] = 1.0 * HIDDEN * HIDDEN,
                                      [UP] = 1.0 * HIDDEN * INNER, [DOWN] = 1.0 * HIDDEN * INNER};
  *flops = LAYERS * 2 * weights[op] * b->tokens;
  if (op == ATTENTION) *flops = LAYERS * 4.0 * HIDDEN * b->tokens * b->length;
  const double compute = *flops * 1e-3 / gigaflops, memory = LAYERS * 4 * weights[op] * 1e-3 / gigabytes;
  return compute > memory ? compute : memory;
}

/* ---- the table ------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(const model *m, const char *shape, double seconds, double gigaflops, double gigabytes) {
  int texts, length;
  if (sscanf(shape, "%dx%d", &texts, &length) != 2 || texts < 1 || length < 1 || length > POSITIONS) {
    fprintf(stderr, "expected TEXTSxTOKENS with at most %d tokens, got %s\n", POSITIONS, shape);
    exit(1);
  }
  batch b = make_batch(m, texts, length);
  double *times[OPS];
  for (int op = 0; op < OPS; op++) times[op] = allocate(MOST_RUNS * (long long)sizeof(double));
  double first[OPS] = {0};
  for (int text = 0; text < TEXTS; text++) encode_text(m, &b, text, first); /* not counted */
  int runs = 0;
  for (const double begin = micros(); runs < 5 || (runs < MOST_RUNS && micros() - begin < seconds * 1e6); runs++) {
    double spent[OPS] = {0};
    encode_text(m, &b, runs % TEXTS, spent);
    for (int op = 0; op < OPS; op++) times[op][runs] = spent[op];
  }
  double all_flops = 0, least = 0;
  printf("| %s |", shape);
  for (int op = 0; op < OPS; op++) {
    double flops, at_limit = limit(op, &b, gigaflops, gigabytes, &flops);
    all_flops += flops, least += at_limit;
    if (op == MODEL) at_limit = least;
    qsort(times[op], (size_t)runs, sizeof(double), ascending);
    const double median = times[op][runs / 2];
    if (op == REST) printf(" %.0f |", median);
    else printf(" %.0f / %.0f (%.0f %%) |", at_limit, median, 100 * at_limit / median);
    if (op == MODEL) printf(" %.2f | %.0f %% |\n", all_flops * 1e-9, 100 * all_flops * 1e-3 / gigaflops / median);
    free(times[op]);
  }
  free_batch(&b);
}

static int parse_type(const char *name) {
  static const char *const names[] = {[FOVEA_DTYPE_F32] = "f32", [FOVEA_DTYPE_BF16] = "bf16", [FOVEA_DTYPE_I8] = "i8"};
  for (int type = 0; type < (int)(sizeof names / sizeof *names); type++) {
    if (!names[type] || strcmp(name, names[type]) != 0) continue;
    weight_type = type;
    return 1;
  }
  fprintf(stderr, "expected f32, bf16 or i8, got %s\n", name);
  return 0;
}

int main(int argc, char **argv) {
  int threads = 1;
  double seconds = 1;
  for (int option; (option = getopt(argc, argv, "t:s:w:")) != -1;) {
    if (option == 't') threads = atoi(optarg);
    else if (option == 's') seconds = atof(optarg);
    else if (option == 'w' && !parse_type(optarg)) return 1;
    else if (option == '?') return 1;
  }
  if (threads < 1 || threads > MOST_THREADS) return 1;
  const fovea_engine_options options = {
      .struct_size = sizeof options, .threads = threads, .spin_micros = -1, .isa = FOVEA_ISA_AUTO};
  fovea_engine *engine;
  check(fovea_engine_create(&options, &engine), "engine_create");
  fovea_engine_info info = {.struct_size = sizeof info};
  check(fovea_engine_describe(engine, &info), "engine_describe");
  const char *isa = fovea_isa_name(info.isa);
  static model m;
  make_model(&m, engine);
  const double gigabytes = read_bandwidth(threads);
  printf("%s, %d thread%s, reads %.0f GB/s\n\n", isa, threads, threads == 1 ? "" : "s", gigabytes);
  printf("| batch | qkv | attention | out, residual | up, GELU | down, residual | rest | model | GFLOP | of peak |\n"
         "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (int i = optind; i < argc; i++) {
    measure(&m, argv[i], seconds, threads * fb_fma_gflops(isa, 0.1), gigabytes);
  }
  return fovea_engine_destroy(engine);
}
