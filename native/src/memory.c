/* Zeroed memory for weights and activations, in huge pages where the system has them. */
#define _DEFAULT_SOURCE /* MAP_ANON, madvise */

#include "fovea/fovea.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <sys/mman.h>
#endif

#include "validate.h"

/* What a transparent huge page is on x86-64, and on AArch64 with pages of 4 KB. Less than one is not worth any. */
enum { HUGE_PAGE = 2 * 1024 * 1024, ALIGNMENT = 64 };

/* Lies before the memory that the caller gets. */
typedef struct memory_header {
  void *mapping;
  size_t mapped_bytes;
} memory_header;

_Static_assert(sizeof(memory_header) <= ALIGNMENT, "the header takes one cache line");

/* At least bytes of zeroed memory, its header filled; null if there is none. */
static memory_header *map(size_t bytes) {
  const size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
  const size_t mapped_bytes = bytes + alignment;
#ifdef _WIN32
  void *mapping = calloc(1, mapped_bytes);
  if (!mapping) return NULL;
#else
  void *mapping = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (mapping == MAP_FAILED) return NULL;
#endif
  const uintptr_t start = ((uintptr_t)mapping + alignment - 1) & ~(uintptr_t)(alignment - 1);
#ifdef MADV_HUGEPAGE
  /* A hint: without huge pages the memory is as good, only slower. */
  if (alignment == HUGE_PAGE) (void)madvise((void *)start, bytes, MADV_HUGEPAGE);
#endif
  memory_header *header = (memory_header *)start;
  *header = (memory_header){mapping, mapped_bytes};
  return header;
}

int fovea_memory_create(const fovea_memory_options *options, void **memory) {
  if (!options || !memory) return FOVEA_STATUS_NULL_POINTER;
  if (options->struct_size != (int)sizeof *options || options->reserved || options->bytes < 0) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if ((unsigned long long)options->bytes > SIZE_MAX - ALIGNMENT - HUGE_PAGE) return FOVEA_STATUS_OVERFLOW;
  memory_header *header = map((size_t)options->bytes + ALIGNMENT);
  if (!header) return FOVEA_STATUS_OUT_OF_MEMORY;
  *memory = (char *)header + ALIGNMENT;
  return FOVEA_STATUS_OK;
}

int fovea_memory_destroy(void *memory) {
  if (!memory) return FOVEA_STATUS_NULL_POINTER;
  const memory_header header = *(const memory_header *)((char *)memory - ALIGNMENT);
#ifdef _WIN32
  free(header.mapping);
#else
  munmap(header.mapping, header.mapped_bytes);
#endif
  return FOVEA_STATUS_OK;
}
