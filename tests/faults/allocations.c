/* allocations N: the Nth request for memory or for a thread is refused (0: none). Prints "done" and
 * exits 0, or dies of a text that says what was lacking. Linked with --wrap for each of the calls.
 */
#include "refused_memory.h"

#include <errno.h>
#include <gofer.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_long requests;
static long refused;

/* Whether this request is the one. */
static int refuse(size_t size)
{
    (void)size;
    return atomic_fetch_add(&requests, 1) + 1 == refused;
}

int __real_posix_memalign(void **result, size_t alignment, size_t size);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
                          void *argument);

int __wrap_posix_memalign(void **result, size_t alignment, size_t size)
{
    return refuse(size) ? ENOMEM : __real_posix_memalign(result, alignment, size);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return refuse(size)              ? errno = ENOMEM,
                          MAP_FAILED : __real_mmap(at, size, protection, flags, fd, offset);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
                          void *argument)
{
    return refuse(0) ? EAGAIN : __real_pthread_create(thread, attributes, fn, argument);
}

static void lacks_memory(int failed)
{
    if (failed && errno != ENOMEM)
        go_fatal("failed with %s, not for want of memory", strerror(errno));
}

static go_chan(int) make(int capacity)
{
    go_chan(int) c;
    while (!(c = go_chan_make(int, capacity)))
        lacks_memory(1);
    return c;
}

static void sender(go_chan(int) c, int n)
{
    for (int i = 0; i < n; i++) {
        go_send(c, 1);
        go_sleep(GO_MICROSECOND);
    }
}

static const char *long_text(void)
{
    static char text[2000];
    memset(text, 'x', sizeof text - 1);
    return text;
}

static void recovers(size_t *length)
{
    *length = strlen(go_recover()->text);
}

static void panics(void)
{
    static size_t length;
    go_recoverable();
    go_defer(recovers, &length);
    go_panic("%s", long_text());
}

static void large_select(go_chan(int) c)
{
    static go_case cases[1000];
    go(sender, c, 1);
    for (int i = 0; i < 1000; i++)
        cases[i] = go_case_recv(c, NULL);
    go_select_array(cases, 1000);
}

static const char key;

static int ends(go_context *ctx)
{
    return go_context_wait(ctx) == ECANCELED ? 0 : 1;
}

/* NULL is the background: what could not be made is never cancelled. */
static void contexts(void)
{
    int error = 0;
    go_context *ctx = go_context_with_timeout(NULL, GO_HOUR);
    lacks_memory(!ctx);
    go_context *value = go_context_with_value(ctx, &key, NULL);
    lacks_memory(!value);
    go_context_after *after = go_context_after_func(value, free, NULL);
    lacks_memory(!after);
    go_context *child = value ? go_context_with_cancel(value) : NULL;
    lacks_memory(!child);
    go_context_cancel_cause(ctx, 5, "%s", long_text());
    if (child && ctx && go_context_cause(child) != 5)
        go_fatal("the cause is lost");
    go_context_after_free(after);
    go_context_unref(value);
    go_context_unref(ctx);
    go_context_unref(child);
    go_scope(s, NULL, &error)
    {
        go_in(s, ends, go_scope_context(s));
        go_scope_cancel(s);
    }
    if (error)
        go_fatal("the scope failed with %d", error);
}

/* What was opened before the memory was short is closed: go_shutdown finds nothing open. */
static void connections(void)
{
    char address[GO_ADDRESS_ROOM], byte;
    go_listener *listener = go_listen("tcp", "127.0.0.1:0");
    lacks_memory(!listener);
    if (!listener)
        return;
    go_conn *near = go_dial("tcp", go_listener_address(listener, address, sizeof address));
    lacks_memory(!near);
    go_conn *far = near ? go_listener_accept(listener) : NULL;
    lacks_memory(near && !far);
    if (far && (go_conn_set_read_deadline(far, 1) == 0 || errno != ENOMEM) &&
        (go_conn_read(far, &byte, 1) != -1 || errno != ETIMEDOUT))
        go_fatal("the read ended with errno %d", errno);
    go_conn_unref(near);
    go_conn_unref(far);
    go_listener_unref(listener);
}

static int everything(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int sum = 0;
    go_chan(int) c = make(2);
    for (int i = 0; i < 80; i++)
        go(sender, c, 3);
    go_with((&(go_options){ .stack = 1 << 20 }), sender, c, 3);
    for (int i = 0; i < 81 * 3; i++)
        sum += go_recv(c);
    if (sum != 81 * 3)
        go_fatal("%d values came", sum);
    lacks_memory(go_local_set(&key, &sum, NULL) != 0);
    go_chan(int64_t) after = go_after(GO_MICROSECOND);
    lacks_memory(!after);
    if (after)
        go_recv(after);
    go_chan_unref(after);
    go_select(go_case_recv(c, NULL), go_case_after(GO_MICROSECOND));
    contexts();
    connections();
    panics();
    large_select(c);
    go_gomaxprocs(6);
    return 7;
}

int main(int argc, char **argv)
{
    refused = argc > 1 ? atol(argv[1]) : 0;
    int result = go_run(everything, 0, NULL);
    if (result == -1 && (errno == ENOMEM || errno == EAGAIN))
        result = go_run(everything, 0, NULL); /* only one is refused */
    if (result != 7)
        go_fatal("go_run gave %d: %s", result, strerror(errno));
    if (go_shutdown(GO_MINUTE) != 0)
        go_fatal("go_shutdown: %s", strerror(errno));
    printf("done %ld\n", atomic_load(&requests));
    return 0;
}
