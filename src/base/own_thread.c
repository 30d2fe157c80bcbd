/* glibc puts the thread-local variables of the program and of the libraries that it began with into
 * the thread's stack, and counts them in its size (musl adds them to it). How many bytes they are
 * it tells in private alone; the objects' headers tell it to everybody. */
#include "base/own_thread.h"

#include <link.h>

static int add_thread_locals(struct dl_phdr_info *info, size_t size, void *sum)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            *(size_t *)sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
    return 0;
}

/* Those of libraries that dlopen has brought lie elsewhere: with them it is too much, by little. */
static size_t thread_locals(void)
{
    static _Atomic size_t known; /* the program does not change */
    size_t sum = atomic_load_explicit(&known, memory_order_relaxed);
    if (sum)
        return sum;
    dl_iterate_phdr(add_thread_locals, &sum);
    atomic_store_explicit(&known, sum, memory_order_relaxed);
    return sum;
}

int gofer_own_thread(pthread_t *thread, size_t stack, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    pthread_attr_setstacksize(&attributes, stack + thread_locals());
    error = pthread_create(thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return error;
}
