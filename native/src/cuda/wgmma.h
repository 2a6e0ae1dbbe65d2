/*
 * wgmma.mma_async.m64nNk16 for the N that kernels use, as overloads by the size of d. Part of gpu90.h, for nvcc alone.
 * Operands of the assembly: %0 ... the N / 2 floats of d, then a, b, whether to accumulate, and the order of b.
 */

#define FV_D8(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
    "+f"(d[i + 6]), "+f"(d[i + 7])
#define FV_D16(i) FV_D8(i), FV_D8(i + 8)
#define FV_D32(i) FV_D16(i), FV_D16(i + 16)
#define FV_D64(i) FV_D32(i), FV_D32(i + 32)
/* The names of registers 8 i ... 8 i + 7. */
#define FV_R0 "%0,%1,%2,%3,%4,%5,%6,%7"
#define FV_R1 "%8,%9,%10,%11,%12,%13,%14,%15"
#define FV_R2 "%16,%17,%18,%19,%20,%21,%22,%23"
#define FV_R3 "%24,%25,%26,%27,%28,%29,%30,%31"
#define FV_R4 "%32,%33,%34,%35,%36,%37,%38,%39"
#define FV_R5 "%40,%41,%42,%43,%44,%45,%46,%47"
#define FV_R6 "%48,%49,%50,%51,%52,%53,%54,%55"
#define FV_R7 "%56,%57,%58,%59,%60,%61,%62,%63"
#define FV_R8 "%64,%65,%66,%67,%68,%69,%70,%71"
#define FV_R9 "%72,%73,%74,%75,%76,%77,%78,%79"
#define FV_R10 "%80,%81,%82,%83,%84,%85,%86,%87"
#define FV_R11 "%88,%89,%90,%91,%92,%93,%94,%95"
#define FV_R12 "%96,%97,%98,%99,%100,%101,%102,%103"
#define FV_R13 "%104,%105,%106,%107,%108,%109,%110,%111"
#define FV_R14 "%112,%113,%114,%115,%116,%117,%118,%119"
#define FV_R15 "%120,%121,%122,%123,%124,%125,%126,%127"
#define FV_RS1 FV_R0
#define FV_RS2 FV_RS1 "," FV_R1
#define FV_RS3 FV_RS2 "," FV_R2
#define FV_RS4 FV_RS3 "," FV_R3
#define FV_RS5 FV_RS4 "," FV_R4
#define FV_RS6 FV_RS5 "," FV_R5
#define FV_RS7 FV_RS6 "," FV_R6
#define FV_RS8 FV_RS7 "," FV_R7
#define FV_RS9 FV_RS8 "," FV_R8
#define FV_RS10 FV_RS9 "," FV_R9
#define FV_RS11 FV_RS10 "," FV_R10
#define FV_RS12 FV_RS11 "," FV_R11
#define FV_RS13 FV_RS12 "," FV_R12
#define FV_RS14 FV_RS13 "," FV_R13
#define FV_RS15 FV_RS14 "," FV_R14
#define FV_RS16 FV_RS15 "," FV_R15

/* n: N; regs, ...: names and operands of d; i0 ... i6: the names of the operands behind them. */
#define FV_WGMMA_SS(n, type, regs, i0, i1, i2, i3, ...)                                                             \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " i2 ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type \
               "." type " {" regs "}, " i0 ", " i1 ", p, 1, 1, 0, " i3 ";\n}"                                       \
               : __VA_ARGS__                                                                                        \
               : "l"(a), "l"(b), "r"(accumulate), "n"((int)order))
#define FV_WGMMA_RS(n, type, regs, i0, i1, i2, i3, i4, i5, i6, ...)                                                 \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " i5 ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type \
               "." type " {" regs "}, {" i0 "," i1 "," i2 "," i3 "}, " i4 ", p, 1, 1, " i6 ";\n}"                   \
               : __VA_ARGS__                                                                                        \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate), "n"((int)order))
#define FV_WGMMA(n, regs, i0, i1, i2, i3, i4, i5, i6, ...)                                        \
  template <class T, Major order>                                                                 \
  FV_DEVICE void wgmma_ss(float(&d)[n / 2], uint64_t a, uint64_t b, int accumulate) {             \
    if constexpr (IsBf16<T>::value)                                                               \
      FV_WGMMA_SS(n, "bf16", regs, i0, i1, i2, i3, __VA_ARGS__);                                  \
    else                                                                                          \
      FV_WGMMA_SS(n, "f16", regs, i0, i1, i2, i3, __VA_ARGS__);                                   \
  }                                                                                               \
  template <class T, Major order>                                                                 \
  FV_DEVICE void wgmma_rs(float(&d)[n / 2], const uint32_t *a, uint64_t b, int accumulate) {      \
    if constexpr (IsBf16<T>::value)                                                               \
      FV_WGMMA_RS(n, "bf16", regs, i0, i1, i2, i3, i4, i5, i6, __VA_ARGS__);                      \
    else                                                                                          \
      FV_WGMMA_RS(n, "f16", regs, i0, i1, i2, i3, i4, i5, i6, __VA_ARGS__);                       \
  }

FV_WGMMA(32, FV_RS2, "%16", "%17", "%18", "%19", "%20", "%21", "%22", FV_D16(0))
FV_WGMMA(64, FV_RS4, "%32", "%33", "%34", "%35", "%36", "%37", "%38", FV_D32(0))
FV_WGMMA(80, FV_RS5, "%40", "%41", "%42", "%43", "%44", "%45", "%46", FV_D32(0), FV_D8(32))
FV_WGMMA(96, FV_RS6, "%48", "%49", "%50", "%51", "%52", "%53", "%54", FV_D32(0), FV_D16(32))
FV_WGMMA(128, FV_RS8, "%64", "%65", "%66", "%67", "%68", "%69", "%70", FV_D64(0))
FV_WGMMA(176, FV_RS11, "%88", "%89", "%90", "%91", "%92", "%93", "%94", FV_D64(0), FV_D16(64), FV_D8(80))
FV_WGMMA(192, FV_RS12, "%96", "%97", "%98", "%99", "%100", "%101", "%102", FV_D64(0), FV_D32(64))
FV_WGMMA(256, FV_RS16, "%128", "%129", "%130", "%131", "%132", "%133", "%134", FV_D64(0), FV_D64(64))

#undef FV_D8
#undef FV_D16
#undef FV_D32
#undef FV_D64
#undef FV_R0
#undef FV_R1
#undef FV_R2
#undef FV_R3
#undef FV_R4
#undef FV_R5
#undef FV_R6
#undef FV_R7
#undef FV_R8
#undef FV_R9
#undef FV_R10
#undef FV_R11
#undef FV_R12
#undef FV_R13
#undef FV_R14
#undef FV_R15
#undef FV_RS1
#undef FV_RS2
#undef FV_RS3
#undef FV_RS4
#undef FV_RS5
#undef FV_RS6
#undef FV_RS7
#undef FV_RS8
#undef FV_RS9
#undef FV_RS10
#undef FV_RS11
#undef FV_RS12
#undef FV_RS13
#undef FV_RS14
#undef FV_RS15
#undef FV_RS16
#undef FV_WGMMA_SS
#undef FV_WGMMA_RS
#undef FV_WGMMA
