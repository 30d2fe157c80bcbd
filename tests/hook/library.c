/* A library that knows nothing of goroutines, loaded with dlopen and compiled with _FORTIFY_SOURCE.
 * It counts on its thread to be the same after a call that waits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OTHER_THREAD = -1000, SHORT = -1001 };

/* What a byte of fd asks for, as a number; negative: an errno, or what went wrong. */
int library_ask(int fd, int number)
{
    char question[8], answer[8];
    long thread = syscall(SYS_gettid); /* no compiler knows it for constant */
    memset(question, number, sizeof question);
    if (write(fd, question, sizeof question) != sizeof question)
        return -errno;
    ssize_t n = recv(fd, answer, sizeof answer, MSG_WAITALL);
    if (n < 0)
        return -errno;
    if (syscall(SYS_gettid) != thread)
        return OTHER_THREAD;
    return n == sizeof answer ? answer[7] : SHORT;
}

/* A fortified read. */
int library_read(int fd)
{
    char buffer[16];
    size_t size = (size_t)atoi("16");
    ssize_t n = read(fd, buffer, size);
    return n < 0 ? -errno : (int)n;
}

static void wait_for_byte(const char *fd)
{
    char byte;
    if (fd && read(atoi(fd), &byte, 1) != 1)
        abort();
}

/* A constructor and a destructor that wait: the file descriptor is in the environment. */
__attribute__((constructor)) static void begin(void)
{
    wait_for_byte(getenv("LIBRARY_BEGINS_AFTER"));
}

__attribute__((destructor)) static void end(void)
{
    wait_for_byte(getenv("LIBRARY_ENDS_AFTER"));
}
