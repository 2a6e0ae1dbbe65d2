/*
 * The kernels: the fatbin FV_IMAGE, of a compiler of CUDA FV_IMAGE_CUDA. Without them nothing, for tests on the emulated
 * driver, which brings its kernels along.
 */
#include "cuda/image.h"

#ifndef FV_IMAGE_CUDA
#define FV_IMAGE_CUDA 13000
#endif

const int fv_cuda_image_version = FV_IMAGE_CUDA;

#ifdef FV_IMAGE
__asm__(
    ".pushsection .rodata.fv_cuda_image, \"a\"\n"
    ".balign 64\n"
    ".globl fv_cuda_image\n"
    ".hidden fv_cuda_image\n"
    "fv_cuda_image:\n"
    ".incbin \"" FV_IMAGE
    "\"\n"
    ".popsection\n");
#else
const unsigned char fv_cuda_image[16] = {0};
#endif
