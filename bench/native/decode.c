/*
 * The linear layers of a decoder, as they are at a token or at a prompt: a few of its blocks, one after the other, with
 * weights that no cache holds, beside the bandwidth that the same threads read the same memory with.
 *
 *   decode [-t threads] [-s seconds] [-r rows] [-b blocks] MODEL TYPE...
 *
 * MODEL is llama-1b or qwen3-0.6b, for their shapes; TYPE f32, bf16, i8 or a type of GGUF such as q4_k. Weights are
 * random, and so is x.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "fovea/fovea.h"

enum { PRODUCTS = 4, MOST_BLOCKS = 64, MOST_THREADS = 64 };

typedef struct shape {
  int inputs, outputs;
} shape;

typedef struct model {
  const char *name;
  shape products[PRODUCTS]; /* query, key and value; out; gate and up; down */
} model;

static const model models[] = {{"llama-1b", {{2048, 3072}, {2048, 2048}, {2048, 16384}, {8192, 2048}}},
                               {"qwen3-0.6b", {{1024, 4096}, {2048, 1024}, {1024, 6144}, {3072, 1024}}}};

/* A type, the values and bytes of its blocks, and where these have an F16 that must be small. */
typedef struct type {
  const char *name;
  int code, values, bytes, half, other;
} type;

static const type types[] = {{"f32", FOVEA_DTYPE_F32, 1, 4, -1, -1},
                             {"bf16", FOVEA_DTYPE_BF16, 1, 2, -1, -1},
                             {"f16", FOVEA_DTYPE_F16, 1, 2, -1, -1},
                             {"i8", FOVEA_DTYPE_I8, 1, 1, -1, -1},
                             {"q8_0", FOVEA_LAYOUT_Q8_0, 32, 34, 0, -1},
                             {"q4_0", FOVEA_LAYOUT_Q4_0, 32, 18, 0, -1},
                             {"q4_1", FOVEA_LAYOUT_Q4_1, 32, 20, 0, 2},
                             {"q5_0", FOVEA_LAYOUT_Q5_0, 32, 22, 0, -1},
                             {"q5_1", FOVEA_LAYOUT_Q5_1, 32, 24, 0, 2},
                             {"q4_k", FOVEA_LAYOUT_Q4_K, 256, 144, 0, 2},
                             {"q5_k", FOVEA_LAYOUT_Q5_K, 256, 176, 0, 2},
                             {"q6_k", FOVEA_LAYOUT_Q6_K, 256, 210, 208, -1},
                             {"q2_k", FOVEA_LAYOUT_Q2_K, 256, 84, 80, 82},
                             {"q3_k", FOVEA_LAYOUT_Q3_K, 256, 110, 108, -1},
                             {"iq4_nl", FOVEA_LAYOUT_IQ4_NL, 32, 18, 0, -1}};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(int status, const char *what) {
  if (status == FOVEA_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", what, fovea_status_name(status));
  exit(1);
}

static void *allocate(long long bytes) {
  const fovea_memory_options options = {.struct_size = sizeof options, .bytes = bytes};
  void *memory;
  check(fovea_memory_create(&options, &memory), "memory_create");
  return memory;
}

static uint64_t random_bits(void) {
  static uint64_t state = 88172645463325252ull;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}

static float *random_floats(long long count, float scale) {
  float *x = allocate(count * 4);
  for (long long i = 0; i < count; i++) x[i] = scale * ((float)(random_bits() >> 40) / 8388608.0f - 1);
  return x;
}

/* values of a type, random, with scales near 2^-8. */
static void *random_weight(const type *t, long long values) {
  if (t->values == 1) return random_floats(values, 0.05f);
  const long long bytes = values / t->values * t->bytes;
  unsigned char *weight = allocate(bytes + 8);
  for (long long i = 0; i < bytes; i += 8) {
    const uint64_t bits = random_bits();
    memcpy(weight + i, &bits, 8);
  }
  const uint16_t small = 0x1c00;
  for (long long block = 0; block < bytes; block += t->bytes) {
    memcpy(weight + block + t->half, &small, 2);
    if (t->other >= 0) memcpy(weight + block + t->other, &small, 2);
  }
  return weight;
}

typedef struct product {
  shape size;
  long long bytes;
  void *packed;
} product;

/* Packs, and adds to the seconds and to the bytes that were read. */
static product random_product(fovea_engine *engine, const type *t, shape size, double *seconds) {
  const int layout = t->values == 1 ? FOVEA_LAYOUT_F32 : t->code;
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = size.outputs,
                                .inputs = size.inputs,
                                .dtype = t->code,
                                .layout = layout,
                                .part_outputs = size.outputs,
                                .output_stride = size.inputs,
                                .input_stride = 1};
  check(fovea_linear_packed_bytes(engine, &p, &p.packed_bytes), "linear_packed_bytes");
  void *weight = random_weight(t, (long long)size.outputs * size.inputs), *packed = allocate(p.packed_bytes);
  const double begin = now();
  check(fovea_linear_pack(engine, &p, weight, NULL, NULL, packed), "linear_pack");
  *seconds += now() - begin;
  check(fovea_memory_destroy(weight), "memory_destroy");
  return (product){size, p.packed_bytes, packed};
}

static volatile long long sum_read; /* so that no compiler leaves the reading out */

typedef struct share {
  const product *products;
  int count, thread, threads;
} share;

static void *read_share(void *argument) {
  const share *s = argument;
  for (int n = 0; n < s->count; n++) {
    const long long bytes = s->products[n].bytes / s->threads / 128 * 128;
    sum_read = fb_read((const char *)s->products[n].packed + s->thread * bytes, bytes);
  }
  return 0;
}

/* Seconds to read all weights once. */
static double read_all(const product *products, int count, int threads) {
  pthread_t others[MOST_THREADS];
  share shares[MOST_THREADS];
  const double begin = now();
  for (int t = 0; t < threads; t++) {
    shares[t] = (share){products, count, t, threads};
    if (t > 0) pthread_create(&others[t], 0, read_share, &shares[t]);
  }
  read_share(&shares[0]);
  for (int t = 1; t < threads; t++) pthread_join(others[t], 0);
  return now() - begin;
}

static double run_all(fovea_engine *engine, const product *products, int count, int rows, const float *x, float *out) {
  const double begin = now();
  for (int n = 0; n < count; n++) {
    const shape size = products[n].size;
    const fovea_linear_params p = {.struct_size = sizeof p,
                                   .rows = rows,
                                   .inputs = size.inputs,
                                   .outputs = size.outputs,
                                   .packed_bytes = products[n].bytes,
                                   .x_stride = size.inputs,
                                   .out_stride = size.outputs};
    check(fovea_linear(engine, &p, x, products[n].packed, NULL, NULL, out), "linear");
  }
  return now() - begin;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(fovea_engine *engine, int threads, const model *m, const type *t, int rows, int blocks,
                    double seconds) {
  product products[MOST_BLOCKS * PRODUCTS];
  const int count = blocks * PRODUCTS;
  long long bytes = 0, weights = 0;
  double packing = 0;
  int widest = 0;
  for (int n = 0; n < count; n++) {
    const shape size = m->products[n % PRODUCTS];
    products[n] = random_product(engine, t, size, &packing);
    bytes += products[n].bytes;
    weights += (long long)size.inputs * size.outputs;
    if (size.outputs > widest) widest = size.outputs;
    if (size.inputs > widest) widest = size.inputs;
  }
  float *x = random_floats((long long)rows * widest, 1), *out = random_floats((long long)rows * widest, 0);
  enum { MOST_RUNS = 400 };
  double runs[MOST_RUNS], reads[MOST_RUNS];
  run_all(engine, products, count, rows, x, out); /* not counted */
  int done = 0;
  for (const double begin = now(); done < 5 || (done < MOST_RUNS && now() - begin < seconds); done++) {
    reads[done] = read_all(products, count, threads);
    runs[done] = run_all(engine, products, count, rows, x, out);
  }
  qsort(runs, (size_t)done, sizeof *runs, ascending);
  qsort(reads, (size_t)done, sizeof *reads, ascending);
  const double run = runs[done / 2], read = reads[done / 2];
  printf("| %s | %d | %.2f | %.1f | %.1f | %.0f %% | %.0f | %.2f |\n", t->name, rows, (double)bytes * 8 / (double)weights,
         (double)bytes * 1e-9 / read, (double)bytes * 1e-9 / run, 100 * read / run, (double)weights * 2e-9 * rows / run,
         (double)bytes * 1e-9 / packing);
  fflush(stdout);
  for (int n = 0; n < count; n++) check(fovea_memory_destroy(products[n].packed), "memory_destroy");
  check(fovea_memory_destroy(x), "memory_destroy");
  check(fovea_memory_destroy(out), "memory_destroy");
}

static int usage(void) {
  fprintf(stderr, "usage: decode [-t threads] [-s seconds] [-r rows] [-b blocks] llama-1b|qwen3-0.6b TYPE...\n");
  return 1;
}

int main(int argc, char **argv) {
  int threads = 1, rows = 1, blocks = 4;
  double seconds = 1;
  for (int option; (option = getopt(argc, argv, "t:s:r:b:")) != -1;) {
    if (option == 't') threads = atoi(optarg);
    else if (option == 's') seconds = atof(optarg);
    else if (option == 'r') rows = atoi(optarg);
    else if (option == 'b') blocks = atoi(optarg);
    else return usage();
  }
  const model *m = 0;
  for (int i = 0; i < 2 && optind < argc; i++) m = strcmp(models[i].name, argv[optind]) == 0 ? &models[i] : m;
  if (!m || threads < 1 || threads > MOST_THREADS || rows < 1 || blocks < 1 || blocks > MOST_BLOCKS) return usage();
  const fovea_engine_options options = {
      .struct_size = sizeof options, .threads = threads, .spin_micros = -1, .isa = FOVEA_ISA_AUTO};
  fovea_engine *engine;
  check(fovea_engine_create(&options, &engine), "engine_create");
  fovea_engine_info info = {.struct_size = sizeof info};
  check(fovea_engine_describe(engine, &info), "engine_describe");
  printf("%s, %s, %d thread%s, %d of its blocks\n\n", m->name, fovea_isa_name(info.isa), threads, threads == 1 ? "" : "s",
         blocks);
  printf("| type | rows | bits | memory reads GB/s | weights come at GB/s | of memory | GFLOP/s | packing GB/s |\n"
         "|---|---:|---:|---:|---:|---:|---:|---:|\n");
  for (int i = optind + 1; i < argc; i++) {
    const type *found = 0;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) found = strcmp(types[k].name, argv[i]) == 0 ? &types[k] : found;
    if (!found) {
      fprintf(stderr, "expected a type such as q4_k, got %s\n", argv[i]);
      return 1;
    }
    measure(engine, threads, m, found, rows, blocks, seconds);
  }
  return fovea_engine_destroy(engine);
}
