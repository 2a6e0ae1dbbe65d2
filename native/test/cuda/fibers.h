// Fibers: stacks of their own and a switch between them. Kept from one block to the next; each runs block after block.
#ifndef FOVEA_TEST_CUDA_FIBERS_H
#define FOVEA_TEST_CUDA_FIBERS_H

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define FV_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FV_ASAN 1
#endif
#endif
#ifndef FV_ASAN
#define FV_ASAN 0
#endif
#if FV_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(FV_UCONTEXT) && !(defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)))
#define FV_UCONTEXT 1
#endif
#ifdef FV_UCONTEXT
#include <ucontext.h>
#endif

namespace emulated {

constexpr size_t kStack = FV_ASAN ? size_t{512} << 10 : size_t{128} << 10;
constexpr size_t kPage = 4096;

// Where a fiber stands while another runs.
struct Context {
#ifdef FV_UCONTEXT
  ucontext_t context;
#else
  void *stack_pointer = nullptr;
#endif
  unsigned char *stack = nullptr;  // lowest byte
  size_t stack_bytes = 0;
  void *fake_stack = nullptr;  // AddressSanitizer's
};

#ifndef FV_UCONTEXT
// Saves what a call preserves, stores the stack pointer at *from, and returns on the other stack.
extern "C" void fv_emulated_switch(void **from, void *to);
#if defined(__x86_64__)
asm(R"(.text
.weak fv_emulated_switch
.hidden fv_emulated_switch
.type fv_emulated_switch,@function
fv_emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size fv_emulated_switch,.-fv_emulated_switch)");
#else
asm(R"(.text
.weak fv_emulated_switch
.hidden fv_emulated_switch
.type fv_emulated_switch,%function
fv_emulated_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size fv_emulated_switch,.-fv_emulated_switch)");
#endif
#endif

inline void switch_context(Context &from, Context &to) {
#if FV_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef FV_UCONTEXT
  swapcontext(&from.context, &to.context);
#else
  fv_emulated_switch(&from.stack_pointer, to.stack_pointer);
#endif
#if FV_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

// The first thing that a new fiber does. main: the context that started it, whose stack it learns.
inline void begin_context(Context &main) {
#if FV_ASAN
  const void *stack = nullptr;
  __sanitizer_finish_switch_fiber(nullptr, &stack, &main.stack_bytes);
  main.stack = static_cast<unsigned char *>(const_cast<void *>(stack));
#else
  (void)main;
#endif
}

// Lays out a fiber whose first switch enters entry, which never returns. number: of the fiber; the tops of stacks are
// staggered by it, or all would fall into the same sets of the cache.
inline void create_context(Context &fiber, void (*entry)(), int number) {
  void *memory = mmap(nullptr, kStack + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) {
    fprintf(stderr, "emulation: no memory for stacks\n");
    abort();
  }
  fiber.stack = static_cast<unsigned char *>(memory) + kPage;
  fiber.stack_bytes = kStack;
#ifdef FV_UCONTEXT
  (void)number;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = kStack;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
#else
  void **top = reinterpret_cast<void **>(fiber.stack + kStack - 64 - static_cast<size_t>(number) * 1088 % 16384 / 64 * 64);
#if defined(__x86_64__)
  top -= 2;
  top[0] = reinterpret_cast<void *>(entry);  // what ret takes; the stack is then 8 past a multiple of 16
  top[1] = nullptr;
  top -= 6;
  memset(top, 0, 48);
#else
  top -= 20;
  memset(top, 0, 160);
  top[11] = reinterpret_cast<void *>(entry);  // x30
#endif
  fiber.stack_pointer = top;
#endif
}

inline void destroy_context(Context &fiber) {
  if (fiber.stack == nullptr) {
    return;
  }
#if FV_ASAN
  __asan_unpoison_memory_region(fiber.stack, fiber.stack_bytes);
#endif
  munmap(fiber.stack - kPage, kStack + kPage);
  fiber.stack = nullptr;
}

}  // namespace emulated

#endif
