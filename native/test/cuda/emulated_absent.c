/* Control of the double of the driver for programs that run on a real one: nothing to set, nothing counted. */
#include "cuda/emulated.h"

void emulated_reset(void) {}
void emulated_set(int setting, long long value) { (void)setting, (void)value; }
long long emulated_get(int counter) { return (void)counter, 0; }
void emulated_fail(const char *function, int n, int result) { (void)function, (void)n, (void)result; }
long long emulated_kernel_runs(const char *kernel) { return (void)kernel, 0; }
const char *emulated_misuse(void) { return 0; }
long long emulated_log(char *text, long long capacity) { return (void)text, (void)capacity, 0; }
int emulated_is_device_memory(const void *address) { return (void)address, 0; }
