/* Descriptors: ends, closes, deadlines, errors, as Go's pipes and connections have them. */
#include "case.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 1000000, LONG = 20 * GO_MILLISECOND };

/* What an error is called in these programs; of a read that returned n of `size` bytes. */
static const char *error_name(int error)
{
    switch (error) {
    case 0:
        return "ok";
    case EBADF:
        return "closed";
    case ETIMEDOUT:
        return "deadline";
    case ENOTSUP:
        return "no deadline";
    case EPIPE:
        return "broken pipe";
    case ECONNRESET:
        return "reset";
    case ECONNREFUSED:
        return "refused";
    default:
        return strerror(error);
    }
}

static void told(const char *who, ssize_t n)
{
    printf("%s: %zd %s\n", who, n < 0 ? 0 : n, error_name(n < 0 ? errno : 0));
}

static void read_into(const char *who, go_fd *fd, size_t size)
{
    char bytes[32];
    ssize_t n = go_fd_read(fd, bytes, size);
    const char *name = n == 0 && size ? "end" : error_name(n < 0 ? errno : 0);
    n = n < 0 ? 0 : n;
    printf("%s: %zd %s \"%.*s\"\n", who, n, name, (int)n, bytes);
}

static void write_x(const char *who, go_fd *fd)
{
    told(who, go_fd_write(fd, "x", 1));
}

static const char *outcome(int result)
{
    return error_name(result < 0 ? errno : 0);
}

static void past(go_fd *fd, int what)
{
    go_fd_set_deadline(fd, what, 1);
}

static go_fd *listener(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(number, (struct sockaddr *)address, size);
    listen(number, 16);
    getsockname(number, (struct sockaddr *)address, &size);
    return go_fd_new(number);
}

static int dial(go_fd **fd, const struct sockaddr_in *address)
{
    *fd = go_fd_new(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return go_fd_connect(*fd, (const struct sockaddr *)address, sizeof *address);
}

static void tcp_pair(go_fd *ends[2])
{
    struct sockaddr_in address;
    go_fd *l = listener(&address);
    dial(&ends[0], &address);
    ends[1] = go_fd_accept(l, NULL, NULL);
    go_fd_unref(l);
}

/* The reader is most likely blocked by then; either order prints the same. */
static void let_block(void)
{
    go_sleep(LONG);
}

static void read_and_signal(const char *who, go_fd *fd, go_chan(go_unit) done)
{
    read_into(who, fd, 1);
    go_signal(done);
}

static char much[MUCH];

CASE(io_pipe_end)
{
    go_fd *p[2];
    go_fd_pipe(p);
    go_fd_write(p[1], "hello", 5);
    read_into("some", p[0], 3);
    read_into("rest", p[0], 10);
    go_fd_close(p[1]);
    read_into("end", p[0], 10);
    read_into("again", p[0], 10);
    return 0;
}

CASE(io_read_of_nothing)
{
    go_fd *p[2];
    go_fd_pipe(p);
    read_into("pipe", p[0], 0);
    tcp_pair(p);
    go_fd_write(p[1], "x", 1);
    read_into("tcp", p[0], 5);
    read_into("tcp", p[0], 0);
    return 0;
}

CASE(io_write_of_nothing)
{
    go_fd *p[2];
    go_fd_pipe(p);
    told("pipe", go_fd_write(p[1], NULL, 0));
    return 0;
}

CASE(io_read_full_stops_at_the_end)
{
    go_fd *p[2];
    char bytes[5];
    go_fd_pipe(p);
    go_fd_write(p[1], "abc", 3);
    go_fd_close(p[1]);
    for (int i = 0; i < 2; i++) {
        ssize_t n = go_fd_read_full(p[0], bytes, sizeof bytes);
        printf("%zd %s\n", n, n < 5 && errno == 0 ? "true" : "false");
    }
    return 0;
}

CASE(io_write_to_nobody)
{
    go_fd *p[2];
    go_fd_pipe(p);
    go_fd_close(p[0]);
    write_x("write", p[1]);
    return 0;
}

CASE(io_write_to_nobody_on_stdout)
{
    int p[2];
    if (pipe(p) != 0 || dup2(p[1], 1) != 1)
        return 1;
    close(p[0]);
    go_fd_write(go_fd_new(1), "x", 1);
    fprintf(stderr, "panic: still there\n");
    return 0;
}

static void write_much(go_fd *fd)
{
    told("write", go_fd_write(fd, much, MUCH));
    go_fd_close(fd);
}

CASE(io_write_is_whole)
{
    go_fd *p[2];
    static char got[2 * MUCH];
    go_fd_pipe(p);
    go(write_much, p[1]);
    ssize_t n = go_fd_read_full(p[0], got, sizeof got);
    let_block();
    told("read", n);
    return 0;
}

CASE(io_write_counts_what_was_written)
{
    go_fd *p[2];
    static char got[MUCH];
    go_fd_pipe(p);
    go_fd_set_deadline(p[1], GO_WRITABLE, go_now() + LONG);
    ssize_t n = go_fd_write(p[1], much, MUCH);
    int error = errno;
    ssize_t m = go_fd_read(p[0], got, sizeof got);
    printf("%s %s %s\n", n > 0 && n < MUCH ? "true" : "false", n == m ? "true" : "false",
           error_name(error));
    return 0;
}

enum { WRITERS = 4, LETTERS = 300000 };

static void write_letters(go_fd *fd, int letter)
{
    char *bytes = malloc(LETTERS);
    memset(bytes, letter, LETTERS);
    go_fd_write(fd, bytes, LETTERS);
    free(bytes);
}

CASE(io_writes_are_not_mixed)
{
    go_fd *p[2];
    static char got[WRITERS * LETTERS];
    int changes = 0;
    go_fd_pipe(p);
    for (int i = 0; i < WRITERS; i++)
        go(write_letters, p[1], 'a' + i);
    ssize_t n = go_fd_read_full(p[0], got, sizeof got);
    for (ssize_t i = 1; i < n; i++)
        changes += got[i] != got[i - 1];
    printf("%zd %d\n", n, changes);
    return 0;
}

CASE(io_after_close)
{
    go_fd *p[2];
    go_fd_pipe(p);
    puts(outcome(go_fd_close(p[0])));
    puts(outcome(go_fd_close(p[0])));
    read_into("read", p[0], 1);
    puts(outcome(go_fd_set_deadline(p[0], GO_READABLE, go_now())));
    go_fd_close(p[1]);
    write_x("write", p[1]);
    return 0;
}

CASE(io_close_wakes_a_reader)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go_fd_pipe(p);
    go(read_and_signal, "read", p[0], done);
    let_block();
    const char *closed = outcome(go_fd_close(p[0]));
    go_recv(done);
    puts(closed);
    return 0;
}

CASE(io_close_wakes_all_readers)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 3);
    tcp_pair(p);
    for (int i = 0; i < 3; i++)
        go(read_and_signal, "read", p[0], done);
    let_block();
    go_fd_close(p[0]);
    for (int i = 0; i < 3; i++)
        go_recv(done);
    return 0;
}

static void write_some(go_fd *fd, go_chan(go_unit) done)
{
    ssize_t n = go_fd_write(fd, much, MUCH);
    printf("%s %s\n", n > 0 && n < MUCH ? "true" : "false", error_name(errno));
    go_signal(done);
}

CASE(io_close_wakes_a_writer)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go_fd_pipe(p);
    go(write_some, p[1], done);
    let_block();
    go_fd_close(p[1]);
    go_recv(done);
    return 0;
}

static void accept_one(go_fd *l, go_chan(go_unit) done)
{
    puts(go_fd_accept(l, NULL, NULL) ? "ok" : error_name(errno));
    go_signal(done);
}

CASE(io_close_wakes_accept)
{
    struct sockaddr_in address;
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go_fd *l = listener(&address);
    go(accept_one, l, done);
    let_block();
    go_fd_close(l);
    go_recv(done);
    return 0;
}

CASE(io_deadline_passes)
{
    go_fd *p[2];
    go_fd_pipe(p);
    go_fd_set_deadline(p[0], GO_READABLE, go_now() + LONG);
    read_into("first", p[0], 1);
    read_into("second", p[0], 1);
    return 0;
}

CASE(io_deadline_past_although_there_is_data)
{
    go_fd *p[2];
    go_fd_pipe(p);
    go_fd_write(p[1], "x", 1);
    past(p[0], GO_READABLE);
    read_into("read", p[0], 1);
    go_fd_set_deadline(p[0], GO_READABLE, 0);
    read_into("read", p[0], 1);
    return 0;
}

CASE(io_deadline_set_while_blocked)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go_fd_pipe(p);
    go(read_and_signal, "read", p[0], done);
    let_block();
    past(p[0], GO_READABLE);
    go_recv(done);
    return 0;
}

CASE(io_deadline_moved_away)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 1);
    go_fd_pipe(p);
    go_fd_set_deadline(p[0], GO_READABLE, go_now() + 10 * GO_SECOND);
    go(read_and_signal, "read", p[0], done);
    let_block();
    go_fd_set_deadline(p[0], GO_READABLE, 0);
    go_fd_write(p[1], "x", 1);
    go_recv(done);
    return 0;
}

CASE(io_deadline_of_the_other_direction)
{
    go_fd *p[2];
    tcp_pair(p);
    past(p[0], GO_READABLE);
    write_x("write", p[0]);
    read_into("peer", p[1], 5);
    past(p[0], GO_READABLE | GO_WRITABLE);
    write_x("write", p[0]);
    return 0;
}

CASE(io_deadline_of_accept)
{
    struct sockaddr_in address;
    go_fd *l = listener(&address);
    go_fd_set_deadline(l, GO_READABLE, go_now() + LONG);
    puts(go_fd_accept(l, NULL, NULL) ? "ok" : error_name(errno));
    return 0;
}

CASE(io_deadline_of_a_file)
{
    go_fd *file = go_fd_new(dup(fileno(tmpfile())));
    puts(outcome(go_fd_set_deadline(file, GO_READABLE | GO_WRITABLE, go_now())));
    return 0;
}

CASE(io_half_close)
{
    go_fd *p[2];
    tcp_pair(p);
    go_fd_write(p[0], "question", 8);
    go_fd_shutdown(p[0], SHUT_WR);
    read_into("question", p[1], 20);
    read_into("end", p[1], 20);
    told("write", go_fd_write(p[1], "answer", 6));
    read_into("answer", p[0], 20);
    write_x("write", p[0]);
    return 0;
}

CASE(io_reset_by_peer)
{
    go_fd *p[2];
    struct linger at_once = { 1, 0 };
    tcp_pair(p);
    setsockopt(go_fd_number(p[1]), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    go_fd_close(p[1]);
    read_into("read", p[0], 1);
    write_x("write", p[0]);
    return 0;
}

CASE(io_connection_refused)
{
    struct sockaddr_in address;
    go_fd *fd;
    go_fd_unref(listener(&address));
    puts(outcome(dial(&fd, &address)));
    return 0;
}

CASE(io_deadlock_although_a_pipe_is_open)
{
    go_fd *p[2];
    go_fd_pipe(p);
    go_fd_write(p[1], "x", 1);
    read_into("read", p[0], 1);
    go_recv(go_chan_make(int, 0));
    return 0;
}

CASE(io_quiet_while_somebody_waits)
{
    go_fd *p[2];
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go_fd_pipe(p);
    go_fd_set_deadline(p[0], GO_READABLE, go_now() + LONG);
    go(read_and_signal, "read", p[0], done);
    go_recv(done);
    puts("1");
    return 0;
}

CASE(io_wait_in_a_dump)
{
    go_fd *p[2];
    if (!getenv("GOTRACEBACK")) {
        char *args[] = { "program", "io_wait_in_a_dump", NULL };
        setenv("GOTRACEBACK", "all", 1);
        execv("/proc/self/exe", args);
    }
    go_fd_pipe(p);
    go(read_into, "read", p[0], 1);
    let_block();
    go_panic("enough");
}
