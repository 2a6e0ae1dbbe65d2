# The one table of instruction sets. Each row becomes a table of kernels,
# fv_kernels__<name>: the kernel sources compiled once more, with FV_LANES floats
# to a vector and the row's flags. Its code is FOVEA_ISA_<NAME> in fovea.h. Of the
# rows that a CPU supports the engine takes the last, but avx512bf16 only where it is fast. src/cpu_features.c knows the
# features, and where that is.
# Where a row's flags would change nothing in kernels of floats, or of bytes, it takes
# those of a row before it: CMakeLists.txt says which sources these are.
#
# The baseline of x86-64 is for processors from before 2013: there small code goes before fast code. Of the Macs that the
# library is for, one has such a processor, and none has avx512bf16.
set(baseline_flags "")
if(processor STREQUAL "x86_64" AND NOT FOVEA_SANITIZE)
  set(baseline_flags "-O2")
  if(APPLE)
    set(baseline_flags "-Os")
  endif()
endif()

# What comes before the features of aarch64: Zig names no architectures, and GCC wants one.
if(processor STREQUAL "aarch64")
  include(CheckCCompilerFlag)
  check_c_compiler_flag("-march=armv8.2-a+dotprod+bf16" FOVEA_HAS_ARCHITECTURES)
  set(arm "-march=armv8.2-a")
  if(NOT FOVEA_HAS_ARCHITECTURES)
    set(arm "-mcpu=generic")
  endif()
endif()

#         name        processor  lanes  floats      bytes
#         CPU features, asked at run time  compiler flags
fovea_isa(baseline    any        4      baseline    baseline    "" "${baseline_flags}")
fovea_isa(avx2        x86_64     8      avx2        avx2        "avx2;fma" "-mavx2;-mfma")
fovea_isa(avx512      x86_64     16     avx512      avx512
          "fma;avx512f;avx512bw;avx512dq;avx512vl;avx512cd"
          "-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512cd;-mprefer-vector-width=512")
fovea_isa(avx512vnni  x86_64     16     avx512      avx512vnni
          "fma;avx512f;avx512bw;avx512dq;avx512vl;avx512cd;avx512vnni"
          "-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512cd;-mavx512vnni;-mprefer-vector-width=512")
if(NOT APPLE)
  fovea_isa(avx512bf16  x86_64     16     avx512      avx512vnni
            "fma;avx512f;avx512bw;avx512dq;avx512vl;avx512cd;avx512vnni;avx512bf16"
            "-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512cd;-mavx512vnni;-mavx512bf16;-mprefer-vector-width=512")
endif()
fovea_isa(neon        aarch64    4      baseline    baseline    "" "")
fovea_isa(neondot     aarch64    4      baseline    neondot     "dotprod" "${arm}+dotprod")
fovea_isa(neonbf16    aarch64    4      baseline    neondot     "dotprod;bf16" "${arm}+dotprod+bf16")
