/* Packs weights in blocks into panels, as they are stored or rounded from another layout, compiled once per ISA. Contract in linear.h. */
#include "fovea/fovea.h"
#include "ops/linear/linear.h"
#include "ops/linear/part.h"
#include "simd/block.h"

fv_layout_kernel FV_FLOATS(layout);
fv_stored_read_kernel FV_FLOATS(stored_read);
fv_layout_write_kernel FV_FLOATS(layout_write);
fv_linear_pack_kernel FV_NAME(linear_pack_blocks);

typedef unsigned char byte;

static uint32_t load_32(const byte *from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

/* One column of a panel: what is put lies FV_PANEL columns of its size apart. */
typedef struct column {
  char *panel;
  int number;
} column;

/* Where field bytes of a column begin, at bytes of a column from the panel's begin, and size each. */
static char *field(const column *to, long long at, int size) { return to->panel + at * FV_PANEL + to->number * size; }

static void put_word(const column *to, long long at, uint32_t word) { memcpy(field(to, at, 4), &word, 4); }

static void put_half(const column *to, long long at, const byte *half) { memcpy(field(to, at, 2), half, 2); }

static void put_byte(const column *to, long long at, int value) { *field(to, at, 1) = (char)value; }

#define LOW_NIBBLES 0x0f0f0f0fu

/* 32 values in 16 bytes, as ggml's blocks of 32 have them: values 0 to 15 are the lower halves. */
static void put_nibbles(const column *to, long long at, const byte *q) {
  for (int word = 0; word < 4; word++) put_word(to, at + word * 4, load_32(q + word * 4));
}

/* 32 values that are the lower, or the upper halves of 32 bytes. */
static void put_halves(const column *to, long long at, const byte *q, bool upper) {
  for (int word = 0; word < 4; word++) {
    const uint32_t first = load_32(q + word * 4), second = load_32(q + 16 + word * 4);
    put_word(to, at + word * 4,
             upper ? (first >> 4 & LOW_NIBBLES) | (second & ~LOW_NIBBLES) : (first & LOW_NIBBLES) | (second & LOW_NIBBLES) << 4);
  }
}

/* Two bits of each of 32 bytes, those from shift on: of group g at bit 2 (g % 4) of word g / 4. */
static void put_pairs(const column *to, long long at, const byte *q, int shift) {
  for (int word = 0; word < 2; word++) {
    uint32_t pairs = 0;
    for (int g = 0; g < 4; g++) pairs |= (load_32(q + (word * 4 + g) * 4) >> shift & 0x03030303) << 2 * g;
    put_word(to, at + word * 4, pairs);
  }
}

/* Bit number shift of each of 32 bytes: of group g at bit g. */
static void put_bits(const column *to, long long at, const byte *q, int shift) {
  uint32_t bits = 0;
  for (int g = 0; g < FV_GROUPS; g++) bits |= (load_32(q + g * 4) >> shift & 0x01010101) << g;
  put_word(to, at, bits);
}

/* The same of 32 bits. */
static void put_fifths(const column *to, long long at, uint32_t h) {
  uint32_t bits = 0;
  for (int g = 0; g < FV_GROUPS; g++) bits |= ((h >> 4 * g & 15) * 0x00204081 & 0x01010101) << g;
  put_word(to, at, bits);
}

/* A block of 32. */
static void put_block(const fv_form f, const byte *block, const column *to, long long cell) {
  const long long at = fv_cell_at(f, cell);
  put_half(to, at, block);
  if (f.minima) put_half(to, at + 2, block + 2);
  const byte *bits = block + f.scale;
  if (f.one) put_fifths(to, at + f.scale, load_32(bits));
  if (f.low != FV_CELL) {
    put_nibbles(to, at + f.scale + f.one, bits + f.one);
    return;
  }
  for (int word = 0; word < FV_GROUPS; word++) {
    put_word(to, at + f.scale + word * 4, load_32(bits + word * 4) ^ FV_WIDE_OFFSET * 0x01010101u);
  }
}

/* Q4_K and Q5_K: d, m, 12 bytes of sixes, perhaps 32 of fifth bits, q. */
static void put_k(const fv_form f, const byte *block, const column *to, long long cell) {
  const long long at = fv_cell_at(f, cell);
  put_half(to, at - f.head, block);
  put_half(to, at - f.head + 2, block + 2);
  const byte *sixes = block + 4, *fifths = block + 16, *q = block + (f.one ? 48 : 16);
  for (int i = 0; i < FV_CELLS_OF_HEAD; i++) {
    const long long here = at + i * fv_cell_bytes(f);
    const bool late = i >= 4;
    put_byte(to, here, late ? (sixes[i + 4] & 15) | sixes[i - 4] >> 6 << 4 : sixes[i] & 63);
    put_byte(to, here + 1, late ? sixes[i + 4] >> 4 | sixes[i] >> 6 << 4 : sixes[i + 4] & 63);
    if (f.one) put_bits(to, here + 2, fifths, i);
    put_halves(to, here + 2 + f.one, q + i / 2 * 32, i % 2);
  }
}

static void put_q6_k(const fv_form f, const byte *block, const column *to, long long cell) {
  const long long at = fv_cell_at(f, cell);
  put_half(to, at - f.head, block + 208);
  for (int i = 0; i < FV_CELLS_OF_HEAD; i++) {
    const long long here = at + i * fv_cell_bytes(f);
    put_byte(to, here, block[192 + i * 2]);
    put_byte(to, here + 1, block[193 + i * 2]);
    put_pairs(to, here + 2, block + 128 + i / 4 * 32, i % 4 * 2);
    put_halves(to, here + 2 + f.two, block + i / 4 * 64 + i % 2 * 32, i % 4 >= 2);
  }
}

/* 16 bytes of factors, 64 of pairs of bits, d, m. */
static void put_q2_k(const fv_form f, const byte *block, const column *to, long long cell) {
  const long long at = fv_cell_at(f, cell);
  put_half(to, at - f.head, block + 80);
  put_half(to, at - f.head + 2, block + 82);
  for (int i = 0; i < FV_CELLS_OF_HEAD; i++) {
    const long long here = at + i * fv_cell_bytes(f);
    put_byte(to, here, block[i * 2]);
    put_byte(to, here + 1, block[i * 2 + 1]);
    put_pairs(to, here + 2, block + 16 + i / 4 * 32, i % 4 * 2);
  }
}

/* 32 bytes of third bits, 64 of pairs of bits, 16 factors of six bits less 32, of which four bits are first, d. */
static void put_q3_k(const fv_form f, const byte *block, const column *to, long long cell) {
  const long long at = fv_cell_at(f, cell);
  put_half(to, at - f.head, block + 108);
  for (int i = 0; i < FV_CELLS_OF_HEAD; i++) {
    const long long here = at + i * fv_cell_bytes(f);
    for (int part = 0; part < 2; part++) {
      const int k = i * 2 + part;
      const int low = block[96 + k % 8] >> k / 8 * 4 & 15, high = block[104 + k % 4] >> k / 4 * 2 & 3;
      put_byte(to, here + part, (low | high << 4) - 32);
    }
    put_bits(to, here + 2, block, i);
    put_pairs(to, here + 2 + f.one, block + 32 + i / 4 * 32, i % 4 * 2);
  }
}

static void put(int layout, const fv_form f, const byte *block, const column *to, long long cell) {
  switch (layout) {
    case FOVEA_LAYOUT_Q4_K:
    case FOVEA_LAYOUT_Q5_K:
      put_k(f, block, to, cell);
      break;
    case FOVEA_LAYOUT_Q6_K:
      put_q6_k(f, block, to, cell);
      break;
    case FOVEA_LAYOUT_Q2_K:
      put_q2_k(f, block, to, cell);
      break;
    case FOVEA_LAYOUT_Q3_K:
      put_q3_k(f, block, to, cell);
      break;
    default:
      put_block(f, block, to, cell);
      break;
  }
}

enum { LARGEST_VALUES = 256, LARGEST_BYTES = 256 };

static const byte zeros[LARGEST_BYTES];

/* Block number block of row row of the part, as it is stored or, of other layouts, rounded into room. */
static const byte *block_of(const fv_linear_pack_job *job, long long row, long long block, char *room) {
  const fv_layout *kept = FV_FLOATS(layout)(job->dtype);
  const long long at = row * job->output_stride + block * kept->block_values * job->input_stride;
  if (job->weight.layout == kept) {
    return (const byte *)job->weight.values + at / kept->block_values * kept->block_bytes;
  }
  float values[LARGEST_VALUES];
  FV_FLOATS(stored_read)(&job->weight, row, at, job->input_stride, kept->block_values, values);
  FV_FLOATS(layout_write)(job->dtype, values, room);
  return (const byte *)room;
}

/* Columns [low, high) of one panel from the weight, [high, end) from a block of zeros: d and m are 0. */
static void pack_panel(const fv_linear_pack_job *job, const fv_part *of, const fv_form form, char *panel) {
  const int step = FV_FLOATS(layout)(job->dtype)->block_values / FV_CELL;
  const long long cells = job->inputs / FV_CELL;
  char room[LARGEST_BYTES];
  for (long long cell = 0; cell < cells; cell += step) {
    for (int j = of->low; j < of->end; j++) {
      const byte *block = j < of->high ? block_of(job, of->row + j - of->low, cell / step, room) : zeros;
      put(job->dtype, form, block, &(column){panel, j}, cell);
    }
  }
}

void FV_NAME(linear_pack_blocks)(const fv_linear_pack_job *job, long long first, long long last) {
  const fv_form form = fv_form_of(job->dtype);
  for (long long p = first; p < last; p++) {
    const fv_part of = fv_part_of(job, p);
    pack_panel(job, &of, form, job->panels + p * job->panel_bytes);
  }
}
