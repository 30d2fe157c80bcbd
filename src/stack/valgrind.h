/* Tells valgrind which memory is a stack, so that a switch is no huge frame to it. Empty where its
 * headers are missing at the build; a few instructions that do nothing where it does not run. */
#ifndef GOFER_SRC_STACK_VALGRIND_H
#define GOFER_SRC_STACK_VALGRIND_H

#include <stddef.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(low, top) ((void)(low), (void)(top), 0U)
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#define VALGRIND_MAKE_MEM_NOACCESS(low, size) (void)(low)
#define VALGRIND_MAKE_MEM_UNDEFINED(low, size) (void)(low)
#endif

/* For all stack memory before it is first used; the result is for gofer_stack_forget. What lies
 * deep is nothing yet, or a search for leaks would read all of main's large stack; the first frames
 * and the captured call are written before the stack pointer comes down. */
static inline unsigned gofer_stack_tell(const char *low, const char *top)
{
    enum { SHALLOW = 65536 };
    if (top - low > SHALLOW)
        VALGRIND_MAKE_MEM_NOACCESS(low, (size_t)(top - low) - SHALLOW);
    return (unsigned)VALGRIND_STACK_REGISTER(low, top);
}

/* Before gofer_call_on puts its frame below the context sp. */
static inline void gofer_stack_borrow(void *sp)
{
    enum { FRAME = 512 };
    VALGRIND_MAKE_MEM_UNDEFINED((char *)sp - FRAME, FRAME);
}

/* Before the memory is unmapped. */
static inline void gofer_stack_forget(unsigned id)
{
    VALGRIND_STACK_DEREGISTER(id);
}

#endif
