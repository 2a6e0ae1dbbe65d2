/* The kernels as the library carries them. */
#ifndef FOVEA_CUDA_IMAGE_H
#define FOVEA_CUDA_IMAGE_H

/* A fatbin, which the driver takes what it needs from. */
extern const unsigned char fv_cuda_image[];

/*
 * The CUDA version that a driver must speak, as cuDriverGetVersion gives it: that of the compiler which made the kernels,
 * but for its minor number. Machine code of one toolkit of a major version runs on every driver of that version and later
 * ones: NVIDIA, CUDA Compatibility, "Minor Version Compatibility".
 */
extern const int fv_cuda_image_version;

#endif
