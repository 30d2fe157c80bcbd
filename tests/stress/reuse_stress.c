/* Numbers of descriptors come again at once: a pair is closed while others read from it, write to
 * it, wait for it, have deadlines and set them, and the next pair gets its numbers. Each pair
 * carries a letter of its own: none is read elsewhere, and no call on a new pair ends by what was
 * done to the old one. */
#define _GNU_SOURCE 1
#include "stress.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { WORKERS = 6, THREADS = 2 };

/* What ends a call on a pair that is being closed. */
static void check_end(ssize_t n)
{
    int error = errno;
    if (n < 0 && error != EBADF && error != EPIPE && error != ECONNRESET)
        STRESS_CHECK(error, EBADF);
}

static void read_letters(go_fd *fd, int letter)
{
    char bytes[64];
    ssize_t n;
    while ((n = go_fd_read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++)
            STRESS_CHECK(bytes[i], letter);
    check_end(n);
    go_fd_unref(fd);
}

static void write_letters(go_fd *fd, int letter)
{
    char bytes[64];
    ssize_t n;
    memset(bytes, letter, sizeof bytes);
    while ((n = go_fd_write(fd, bytes, sizeof bytes)) == sizeof bytes)
        ;
    check_end(n < 0 ? n : -1);
    go_fd_unref(fd);
}

static void wait_for_more(go_fd *fd, int what)
{
    int result;
    while ((result = go_fd_wait(fd, what)) == 0)
        go_gosched();
    check_end(result);
    go_fd_unref(fd);
}

static void move_deadlines(go_fd *fd, unsigned seed)
{
    /* far away: one that came by on another pair would be an ETIMEDOUT there */
    while (go_fd_set_deadline(fd, GO_READABLE | GO_WRITABLE, go_now() + GO_HOUR) == 0)
        stress_pause(&seed);
    check_end(-1);
    go_fd_unref(fd);
}

/* The other side of what must not be told to a new pair: a deadline that has passed. */
static void expire(go_fd *fd)
{
    int result = go_fd_set_deadline(fd, GO_READABLE | GO_WRITABLE, go_now() + GO_MICROSECOND);
    if (result != 0)
        check_end(result);
    go_fd_unref(fd);
}

static void one_pair(unsigned seed, int letter)
{
    go_waitgroup wg = { 0 };
    go_fd *ends[2];
    bool expires = stress_random(&seed) % 4 == 0;
    STRESS_CHECK(go_fd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    if (expires) { /* the last that is done with this pair: nobody reads from it */
        go_waitgroup_go(&wg, expire, go_fd_ref(ends[0]));
    } else {
        go_waitgroup_go(&wg, read_letters, go_fd_ref(ends[0]), letter);
        go_waitgroup_go(&wg, write_letters, go_fd_ref(ends[1]), letter);
        go_waitgroup_go(&wg, wait_for_more, go_fd_ref(ends[1]), GO_READABLE);
        go_waitgroup_go(&wg, move_deadlines, go_fd_ref(ends[0]), seed);
    }
    for (unsigned i = stress_random(&seed) % 20; i > 0; i--)
        stress_pause(&seed);
    bool first = stress_random(&seed) % 2 != 0;
    STRESS_CHECK(go_fd_close(ends[first]), 0);
    STRESS_CHECK(go_fd_close(ends[!first]), 0);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    go_waitgroup_wait(&wg); /* other workers have new pairs meanwhile, with these numbers */
}

static void worker(int id)
{
    unsigned seed = stress_seed + (unsigned)id * 2654435761u;
    for (long round = 0; round < stress_rounds; round++)
        one_pair(stress_random(&seed), 'a' + (int)((id * 7 + round) % 26));
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 300);
    stress_run_workers(worker, WORKERS, THREADS);
    return 0;
}
