/* Leaving one stack for another. On x86-64 in a dozen instructions, because a kernel's test switches millions of times
 * and swapcontext asks the kernel twice each time; elsewhere by ucontext. */
#ifndef PEN_TESTS_SHIM_SWITCH_H
#define PEN_TESTS_SHIM_SWITCH_H

#include <cstddef>
#include <cstdint>

namespace pen_shim
{

#if defined(__x86_64__)

struct context {
    void *stack_pointer = nullptr;
};

/* Saves what a call preserves on this stack, its end in *from, and goes on where `to` was left. */
extern "C" void pen_shim_swap(void **from, void *to);
asm(".text\n"
    ".globl pen_shim_swap\n"
    ".type pen_shim_swap, @function\n"
    "pen_shim_swap:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
    "    ret\n"
    ".size pen_shim_swap, . - pen_shim_swap\n");

inline void make(context *c, char *stack, size_t bytes, void (*main)(void))
{
    auto *top = reinterpret_cast<uint64_t *>(stack + bytes);
    *--top = 0; /* nobody to return to; a function begins with its stack pointer 8 below a multiple of 16 */
    *--top = reinterpret_cast<uint64_t>(main);
    for (int saved = 0; saved < 6; saved++) {
        *--top = 0;
    }
    c->stack_pointer = top;
}

inline void swap(context *from, const context *to)
{
    pen_shim_swap(&from->stack_pointer, to->stack_pointer);
}

#else

} // namespace pen_shim
#include <ucontext.h>
namespace pen_shim
{

struct context {
    ucontext_t registers;
};

inline void make(context *c, char *stack, size_t bytes, void (*main)(void))
{
    (void)getcontext(&c->registers);
    c->registers.uc_stack.ss_sp = stack;
    c->registers.uc_stack.ss_size = bytes;
    c->registers.uc_link = nullptr;
    makecontext(&c->registers, main, 0);
}

inline void swap(context *from, const context *to)
{
    (void)swapcontext(&from->registers, &to->registers);
}

#endif

} // namespace pen_shim

#endif
