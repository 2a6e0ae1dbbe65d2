/*
 * Memory that the host and a GPU reach by the same address: all that operator new gives in a program that links
 * device_memory.cpp. Tests of ops keep what kernels read in vectors, so they run on a device as they are.
 */
#ifndef FOVEA_TEST_CUDA_DEVICE_MEMORY_H
#define FOVEA_TEST_CUDA_DEVICE_MEMORY_H

// A function of the driver that FOVEA_CUDA_DRIVER names, "libcuda.so.1" if it is not set. Ends the program if there is none.
void *driver_function(const char *name);

// Ends the program if a call of the driver failed.
void driver_check(int result, const char *what);

#endif
