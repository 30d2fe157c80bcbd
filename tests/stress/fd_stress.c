/* Many pairs of descriptors at once: writers and readers, goroutines and plain threads, with short
 * deadlines that are set and taken back, contexts that end, ends that close or half-close at any
 * moment. What is read is what was written, from the first byte on, and in the end everybody comes
 * back. Argument: rounds for each worker. */
#include "stress.h"

#include <sys/uio.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 6, THREADS = 2, MOST = 20000 };

/* One direction of a pair. Byte number n has the value n % 251. */
struct stream {
    go_fd *from, *to;
    long sent, received, total;
    int sent_error, received_error; /* 0: the end was reached */
    unsigned seed;
    bool is_pipe, disturbed;
};

static void fill_pattern(unsigned char *bytes, long from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)((from + (long)i) % 251);
}

static void check_pattern(const unsigned char *bytes, long from, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++)
        STRESS_CHECK(bytes[i], (from + (long)i) % 251);
}

/* A context that ends by itself soon, or not at all. */
static go_context *some_context(unsigned *seed)
{
    if (stress_random(seed) % 8)
        return NULL;
    return go_context_with_timeout(NULL, (go_duration)(stress_random(seed) % 300) * GO_MICROSECOND);
}

/* What a short deadline or a context ends is gone on with. */
static bool goes_on(go_fd *fd, int what, int error)
{
    if (error != ETIMEDOUT)
        return false;
    go_fd_set_deadline(fd, what, 0);
    return true;
}

static void shorten(go_fd *fd, int what, unsigned *seed)
{
    if (stress_random(seed) % 8 == 0)
        go_fd_set_deadline(fd, what, go_now() + stress_random(seed) % 200000);
}

static void send_stream(struct stream *s)
{
    static const int sizes[] = { 1, 100, 4096, MOST };
    unsigned char *bytes = malloc(MOST);
    unsigned seed = s->seed;
    while (s->sent < s->total && !s->sent_error) {
        size_t size = (size_t)sizes[stress_random(&seed) % 4];
        if ((long)size > s->total - s->sent)
            size = (size_t)(s->total - s->sent);
        fill_pattern(bytes, s->sent, size);
        shorten(s->to, GO_WRITABLE, &seed);
        go_context *ctx = some_context(&seed);
        struct iovec halves[2] = { { bytes, size / 3 }, { bytes + size / 3, size - size / 3 } };
        errno = 0;
        ssize_t n = stress_random(&seed) % 2 ? go_fd_write_ctx(ctx, s->to, bytes, size)
                                             : go_fd_writev_ctx(ctx, s->to, halves, 2);
        int error = errno;
        s->sent += n > 0 ? n : 0;
        if (n < (ssize_t)size && !goes_on(s->to, GO_WRITABLE, error))
            s->sent_error = error;
        go_context_unref(ctx);
        stress_pause(&seed);
    }
    free(bytes);
    if (s->is_pipe)
        go_fd_close(s->to);
    else
        go_fd_shutdown(s->to, SHUT_WR); /* its receiver's end */
}

static void receive_stream(struct stream *s)
{
    unsigned char *bytes = malloc(MOST);
    unsigned seed = s->seed * 7 + 1;
    for (bool ended = false; !ended && !s->received_error;) {
        size_t size = stress_random(&seed) % MOST + 1;
        shorten(s->from, GO_READABLE, &seed);
        go_context *ctx = some_context(&seed);
        bool full = stress_random(&seed) % 4 == 0;
        errno = 0;
        ssize_t n = full ? go_fd_read_full_ctx(ctx, s->from, bytes, size)
                         : go_fd_read_ctx(ctx, s->from, bytes, size);
        int error = errno;
        check_pattern(bytes, s->received, n);
        s->received += n > 0 ? n : 0;
        if (n == 0 || (full && n >= 0 && n < (ssize_t)size && error == 0))
            ended = true;
        else if ((n < 0 || (full && n < (ssize_t)size)) && !goes_on(s->from, GO_READABLE, error))
            s->received_error = error;
        go_context_unref(ctx);
        stress_pause(&seed);
    }
    free(bytes);
    if (s->is_pipe || s->disturbed)
        go_fd_close(s->from); /* else who writes what nobody reads would wait for ever */
}

static void make_tcp_pair(go_fd *ends[2])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    STRESS_CHECK(bind(number, (struct sockaddr *)&address, size), 0);
    STRESS_CHECK(listen(number, 1), 0);
    STRESS_CHECK(getsockname(number, (struct sockaddr *)&address, &size), 0);
    go_fd *listener = go_fd_new(number);
    ends[0] = go_fd_new(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    STRESS_CHECK(go_fd_connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = go_fd_accept(listener, NULL, NULL);
    STRESS_CHECK(ends[1] != NULL, 1);
    go_fd_unref(listener);
}

/* Either end closes at some moment, from a third goroutine. */
static void disturb(go_fd *fd, unsigned seed)
{
    for (unsigned i = stress_random(&seed) % 50; i > 0; i--)
        stress_pause(&seed);
    if (stress_random(&seed) % 2)
        go_sleep(stress_random(&seed) % 300000);
    switch (stress_random(&seed) % 3) {
    case 0:
        go_fd_shutdown(fd, SHUT_WR);
        break;
    case 1:
        go_fd_shutdown(fd, SHUT_RD);
        break;
    default:
        go_fd_close(fd);
    }
    go_fd_unref(fd);
}

static void one_pair(unsigned seed)
{
    go_fd *ends[2];
    go_waitgroup wg = { 0 };
    unsigned kind = stress_random(&seed) % 3;
    bool disturbed = stress_random(&seed) % 2, is_pipe = kind == 0;
    if (is_pipe)
        STRESS_CHECK(go_fd_pipe(ends), 0);
    else if (kind == 1)
        STRESS_CHECK(go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    else
        make_tcp_pair(ends);
    struct stream there = { .from = ends[0], .to = ends[1], .disturbed = disturbed };
    struct stream back = { .from = ends[1], .to = ends[0], .disturbed = disturbed };
    there.is_pipe = is_pipe;
    there.seed = stress_random(&seed);
    back.seed = stress_random(&seed);
    there.total = back.total = stress_random(&seed) % 200000;
    go_waitgroup_go(&wg, receive_stream, &there);
    if (!is_pipe) {
        go_waitgroup_go(&wg, receive_stream, &back);
        go_waitgroup_go(&wg, send_stream, &back);
    }
    if (disturbed)
        go_waitgroup_go(&wg, disturb, go_fd_ref(ends[stress_random(&seed) % 2]),
                        stress_random(&seed));
    send_stream(&there); /* here, which may be a plain thread */
    go_waitgroup_wait(&wg);
    STRESS_CHECK(there.received <= there.sent, 1);
    STRESS_CHECK(back.received <= back.sent, 1);
    if (!disturbed) {
        STRESS_CHECK(there.sent_error, 0);
        STRESS_CHECK(there.received_error, 0);
        STRESS_CHECK(there.received, there.total);
        STRESS_CHECK(back.received, is_pipe ? 0 : back.total);
    }
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
}

static void worker(int id)
{
    unsigned seed = stress_seed + (unsigned)id * 2654435761u;
    for (long round = 0; round < stress_rounds; round++)
        one_pair(stress_random(&seed));
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 100);
    stress_run_workers(worker, WORKERS, THREADS);
    return 0;
}
