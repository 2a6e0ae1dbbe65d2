/* The work of a block of attention90.cu: tiles of queries of a head, with the tiles of keys that they attend to. */
#ifndef FOVEA_CUDA_ATTENTION90_ITEM_H
#define FOVEA_CUDA_ATTENTION90_ITEM_H

#include "cuda/gpu.h"
#include "cuda/ops/attention90/attention90.h"

namespace attention90 {

struct Item {
  int head;          /* -1: there is no more */
  int begin, length; /* rows of the sequence in the batch */
  int query;         /* the first of the tile, counted from begin */
  int first, last;   /* tiles of keys, which start at begin */
};

/*
 * A block's items. The list of tiles has the longest of a sequence first; every other round goes backwards through the
 * blocks, so that all have about the same to do.
 */
struct Items {
  int round = 0;

  /* The next item; false if there is none. KEYS of a tile. */
  template <int KEYS, bool WINDOW>
  FV_DEVICE bool next(const fv_attention90_params &p, Item &item) {
    const int block = round % 2 == 0 ? (int)blockIdx.x : (int)(gridDim.x - 1 - blockIdx.x);
    const int i = round * (int)gridDim.x + block, tile = i / p.heads;
    if (tile >= p.batch.counts[FV_COUNT_LARGE_TILES]) {
      item.head = -1;
      return false;
    }
    round++;
    const int sequence = p.batch.large_tiles[tile * 2];
    item.head = i % p.heads;
    item.query = p.batch.large_tiles[tile * 2 + 1];
    item.begin = p.batch.offsets[sequence];
    item.length = p.batch.offsets[sequence + 1] - item.begin;
    int low = 0, high = item.length;
    if (WINDOW) {
      low = max(item.query - p.left, 0);
      high = min(min(item.query + FV_TILE_LARGE, item.length) + p.right, item.length);
    }
    item.first = low / KEYS;
    item.last = (high - 1) / KEYS;
    return true;
  }
};

}  // namespace attention90

#endif
