/*
 * The kernels: the fatbin FV_IMAGE, which the driver takes what it needs from. Without FV_IMAGE nothing, for tests on the
 * emulated driver, which brings its kernels along.
 */

extern const unsigned char fv_cuda_image[];

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
