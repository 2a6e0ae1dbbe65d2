# The one table of instruction sets. Each row becomes a table of kernels,
# fv_kernels__<name>: the kernel sources compiled once more, with FV_LANES floats
# to a vector and the row's flags. Its code is FOVEA_ISA_<NAME> in fovea.h. Of the
# rows that a CPU supports the engine takes the last. src/cpu_features.c knows the features.
#
#         name      processor  lanes  CPU features, asked at run time                 compiler flags
fovea_isa(baseline  any        4      ""                                              "")
fovea_isa(avx2      x86_64     8      "avx2;fma"                                      "-mavx2;-mfma")
fovea_isa(avx512    x86_64     16     "fma;avx512f;avx512bw;avx512dq;avx512vl;avx512cd"
          "-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512cd;-mprefer-vector-width=512")
fovea_isa(avx512vnni x86_64  16    "fma;avx512f;avx512bw;avx512dq;avx512vl;avx512cd;avx512vnni"
          "-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512cd;-mavx512vnni;-mprefer-vector-width=512")
fovea_isa(neon      aarch64    4      ""                                              "")
