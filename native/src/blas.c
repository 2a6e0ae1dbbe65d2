/*
 * Opening OpenBLAS. It is not linked: its constructor starts a thread per further
 * processor, and programs without general matrix products never need it.
 */
#include "blas.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "fovea/fovea.h"

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static fv_blas functions;
static _Atomic(const fv_blas *) loaded;

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static void *open_library(const char *path) {
  wchar_t wide[32768];
  if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, 32768)) return NULL;
  return LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
}

/* Copies the address of a function into a function pointer. */
static bool bind(void *library, const char *name, void *function) {
  const FARPROC address = GetProcAddress(library, name);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

static void close_library(void *library) { FreeLibrary(library); }

#else

#include <dlfcn.h>

static void *open_library(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }

/* Copies the address of a function into a function pointer, which C does not let one cast. */
static bool bind(void *library, const char *name, void *function) {
  void *const address = dlsym(library, name);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

static void close_library(void *library) { dlclose(library); }

#endif

static bool bind_all(void *library, fv_blas *blas) {
  return bind(library, "cblas_sgemm", &blas->sgemm) && bind(library, "openblas_get_config", &blas->config) &&
         bind(library, "openblas_set_num_threads", &blas->set_threads) &&
         bind(library, "blas_thread_shutdown_", &blas->shut_down_threads);
}

static int load(const char *path) {
  if (fv_blas_loaded()) return FOVEA_STATUS_OK;
  void *library = open_library(path);
  if (!library) return FOVEA_STATUS_UNSUPPORTED;
  if (!bind_all(library, &functions)) {
    close_library(library);
    return FOVEA_STATUS_UNSUPPORTED;
  }
  functions.set_threads(1); /* first: it would start the threads again */
  functions.shut_down_threads();
  atomic_store_explicit(&loaded, &functions, memory_order_release);
  return FOVEA_STATUS_OK;
}

const fv_blas *fv_blas_loaded(void) { return atomic_load_explicit(&loaded, memory_order_acquire); }

int fovea_blas_load(const char *path) {
  if (!path) return FOVEA_STATUS_NULL_POINTER;
  pthread_mutex_lock(&loading);
  const int status = load(path);
  pthread_mutex_unlock(&loading);
  return status;
}

int fovea_blas_describe(int capacity, char *text) {
  if (!text) return FOVEA_STATUS_NULL_POINTER;
  if (capacity < 1) return FOVEA_STATUS_INVALID_ARGUMENT;
  const fv_blas *blas = fv_blas_loaded();
  snprintf(text, (size_t)capacity, "%s", blas ? blas->config() : "");
  return FOVEA_STATUS_OK;
}
