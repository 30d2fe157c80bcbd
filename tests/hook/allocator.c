/* An allocator that is a library of its own and waits: for a byte of the descriptor that it was
 * told of, once. The C library has the memory. */
#include <stddef.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
_Thread_local int allocator_waits_for = -1;

void *malloc(size_t size)
{
    char byte;
    int fd = allocator_waits_for;
    allocator_waits_for = -1;
    if (fd >= 0 && read(fd, &byte, 1) != 1)
        return NULL;
    return __libc_malloc(size);
}

void allocator_shall_wait(int fd)
{
    allocator_waits_for = fd;
}
