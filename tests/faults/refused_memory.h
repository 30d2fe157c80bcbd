/* malloc, calloc and realloc that fail when the program says so; linked with --wrap for each. */
#ifndef GOFER_TEST_REFUSED_MEMORY_H
#define GOFER_TEST_REFUSED_MEMORY_H

#include <errno.h>
#include <stddef.h>

/* The program's: whether this request, for so many bytes, is refused. */
static int refuse(size_t size);

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return refuse(size) ? errno = ENOMEM, NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse(n * size) ? errno = ENOMEM, NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refuse(size) ? errno = ENOMEM, NULL : __real_realloc(old, size);
}

#endif
