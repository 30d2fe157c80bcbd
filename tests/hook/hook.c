/* What libgofer-hook promises, one function a promise. hook_test.sh builds and runs it in several
 * ways. Waiting goroutines are counted before they are served, threads after all is over: threads
 * that were needed once are still there. */
#undef NDEBUG
#define _GNU_SOURCE 1
#include <gofer.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 300, MOST_THREADS = 20 /* a busy machine needs some more than a few */ };

static int failures;
static const char *in;

static void need(long got, long expected, const char *what)
{
    if (got == expected)
        return;
    printf("FAIL %s: %s: got %ld, expected %ld\n", in, what, got, expected);
    failures++;
}

static void need_most(long got, long most, const char *what)
{
    if (got <= most)
        return;
    printf("FAIL %s: %s: got %ld, expected %ld at most\n", in, what, got, most);
    failures++;
}

static int threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static int64_t now(void)
{
    return go_now();
}

static void pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        abort();
}

static void pipe_of(int ends[2])
{
    if (pipe(ends) != 0)
        abort();
}

static void put(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
}

/* Until so many say that they are about to wait: all others have had their turn then. */
static _Atomic int waiting, done;
static void wait_for(_Atomic int *count, int n)
{
    while (atomic_load(count) < n)
        go_sleep(GO_MILLISECOND);
}

/* ---- many that wait, few threads ------------------------------------------------------------- */

static int (*library_ask)(int fd, int number);
static int (*library_read)(int fd);

static void ask(int fd, int number)
{
    waiting++;
    need(library_ask(fd, number), number, "the library's answer");
    close(fd);
    done++;
}

static void hundreds_in_a_library(void)
{
    int ends[MANY][2];
    char data[8];
    waiting = done = 0;
    for (int i = 0; i < MANY; i++) {
        pair(ends[i]);
        go(ask, ends[i][0], i % 100);
    }
    wait_for(&waiting, MANY);
    for (int i = MANY - 1; i >= 0; i--) {
        need(recv(ends[i][1], data, sizeof data, MSG_WAITALL), sizeof data, "the question's size");
        put(ends[i][1], "half");
        send(ends[i][1], data, 4, 0);
        close(ends[i][1]);
    }
    wait_for(&done, MANY);
    need_most(threads(), MOST_THREADS, "threads");
}

static void poll_one(int fd)
{
    struct pollfd want[3] = { { -1, POLLIN, 0 }, { fd, POLLIN, 0 }, { fd, POLLPRI, 0 } };
    waiting++;
    need(poll(want, 3, -1), 1, "poll");
    need(want[1].revents, POLLIN, "what poll found");
    char byte;
    need(read(fd, &byte, 1), 1, "read after poll");
    done++;
}

static void hundreds_in_poll(void)
{
    int ends[MANY][2];
    waiting = done = 0;
    for (int i = 0; i < MANY; i++) {
        pipe_of(ends[i]);
        go(poll_one, ends[i][0]);
    }
    wait_for(&waiting, MANY);
    for (int i = 0; i < MANY; i++)
        put(ends[i][1], "x");
    wait_for(&done, MANY);
    for (int i = 0; i < MANY; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    need_most(threads(), MOST_THREADS, "threads");
}

static void sleep_in_turn(int kind)
{
    const struct timespec time = { 0, 50000000 };
    struct timespec until;
    int64_t began = now();
    waiting++;
    if (kind == 0)
        need(nanosleep(&time, NULL), 0, "nanosleep");
    else if (kind == 1)
        need(usleep(50000), 0, "usleep");
    else if (kind == 2)
        need(clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL), 0, "clock_nanosleep");
    else if (kind == 3)
        need(poll(NULL, 0, 50), 0, "poll of nothing");
    else {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 50000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        need(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0, "to a time");
    }
    need(now() - began >= 50000000, true, "slept to the end");
    done++;
}

static void hundreds_asleep(void)
{
    waiting = done = 0;
    for (int i = 0; i < MANY; i++)
        go(sleep_in_turn, i % 5);
    wait_for(&done, MANY);
    struct timespec bad = { 0, 1000000000 };
    need(nanosleep(&bad, NULL), -1, "nanosleep of no time");
    need(errno, EINVAL, "errno of that");
    need_most(threads(), MOST_THREADS, "threads");
}

static void serve(int listener)
{
    for (int i = 0; i < MANY / 3; i++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        int fd = i % 2 ? accept(listener, (struct sockaddr *)&peer, &size)
                       : accept4(listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
        need(fd >= 0, true, "accept");
        need(size, sizeof peer, "the peer's address");
        put(fd, "hello");
        close(fd);
    }
    done++;
}

static void call_up(const struct sockaddr_in *to)
{
    char text[8];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    waiting++;
    need(connect(fd, (const struct sockaddr *)to, sizeof *to), 0, "connect");
    need(fcntl(fd, F_GETFL) & O_NONBLOCK, 0, "O_NONBLOCK after connect");
    need(recv(fd, text, 5, MSG_WAITALL), 5, "what the server sent");
    need(recv(fd, text, 5, 0), 0, "its end");
    close(fd);
    done++;
}

static void hundreds_of_connections(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    waiting = done = 0;
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 2 * MANY) != 0)
        abort();
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int i = 0; i < 3; i++)
        go(serve, listener);
    for (int i = 0; i < MANY; i++)
        go(call_up, &at);
    wait_for(&done, MANY + 3);
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(fd, (struct sockaddr *)&at, size), -1, "connect to nobody");
    need(errno, ECONNREFUSED, "errno of that");
    close(fd);
    need_most(threads(), MOST_THREADS, "threads");
}

/* ---- what is large --------------------------------------------------------------------------- */

enum { LARGE = 1 << 20 };

static void write_large(int fd, bool whole)
{
    char *data = malloc(LARGE);
    for (int i = 0; i < LARGE; i++)
        data[i] = (char)(i % 251);
    struct iovec pieces[3] = { { data, 1000 }, { data + 1000, 0 }, { data + 1000, LARGE - 1000 } };
    need(whole ? write(fd, data, LARGE) : writev(fd, pieces, 3), LARGE, "written");
    free(data);
    close(fd);
    done++;
}

static void read_large(int fd)
{
    static char data[LARGE];
    size_t n = 0;
    for (ssize_t got; n < LARGE && (got = read(fd, data + n, LARGE - n)) > 0;)
        n += (size_t)got;
    need((long)n, LARGE, "read");
    for (int i = 0; i < LARGE; i++)
        if (data[i] != (char)(i % 251)) {
            need(data[i], (char)(i % 251), "a byte");
            break;
        }
    close(fd);
}

static void large_writes_are_whole(void)
{
    done = 0;
    for (int i = 0; i < 4; i++) {
        int ends[2];
        if (i < 2)
            pair(ends);
        else
            pipe_of(ends);
        go(write_large, ends[1], i % 2 == 0);
        read_large(ends[0]);
    }
    wait_for(&done, 4);
}

/* ---- descriptors, errors, times -------------------------------------------------------------- */

static void put_later(int fd)
{
    go_sleep(5 * GO_MILLISECOND);
    put(fd, "x");
}

static void errno_is_kept(void)
{
    int ends[2];
    char byte;
    pair(ends);
    go(put_later, ends[1]);
    errno = 77;
    need(read(ends[0], &byte, 1), 1, "read");
    need(errno, 77, "errno after a read that waited");
    struct pollfd want = { ends[0], POLLIN, 0 };
    need(poll(&want, 1, 1), 0, "poll");
    need(errno, 77, "errno after a poll that ran out");
    close(ends[0]);
    close(ends[1]);
}

static void fortified_calls_wait_too(void)
{
    int ends[2], before = threads();
    pair(ends);
    for (int i = 0; i < 5; i++) {
        go(put_later, ends[1]);
        need(library_read(ends[0]), 1, "a read compiled with _FORTIFY_SOURCE");
    }
    need_most(threads(), before + 2, "threads");
    close(ends[0]);
    close(ends[1]);
}

static void nonblocking_is_left_alone(void)
{
    int ends[2], pipes[2];
    char byte;
    struct iovec piece = { &byte, 1 };
    pair(ends);
    pipe_of(pipes);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    need(read(ends[0], &byte, 1), -1, "read of an empty non-blocking socket");
    need(errno, EAGAIN, "its errno");
    need(recv(ends[0], &byte, 1, MSG_WAITALL), -1, "recv of it");
    need(errno, EAGAIN, "its errno");
    need(readv(pipes[0], &piece, 1), -1, "readv of an empty non-blocking pipe");
    need(errno, EAGAIN, "its errno");
    need(recv(ends[1], &byte, 1, MSG_DONTWAIT), -1, "recv with MSG_DONTWAIT");
    need(errno, EAGAIN, "its errno");
    need(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0, "O_NONBLOCK of a blocking one");
    close(ends[0]);
    close(ends[1]);
    close(pipes[0]);
    close(pipes[1]);
}

static void times_run_out(void)
{
    int ends[2];
    char byte;
    struct timeval limit = { 0, 20000 };
    pair(ends);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int64_t began = now();
    need(recv(ends[0], &byte, 1, 0), -1, "recv with SO_RCVTIMEO");
    need(errno, EAGAIN, "its errno");
    need(now() - began >= 20000000, true, "after that time");
    struct pollfd want = { ends[0], POLLIN, 0 };
    began = now();
    need(poll(&want, 1, 20), 0, "poll for 20 ms");
    need(now() - began >= 20000000, true, "after 20 ms");
    struct timespec brief = { 0, 3000000 };
    need(ppoll(&want, 1, &brief, NULL), 0, "ppoll");
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    began = now();
    need(select(ends[0] + 1, &set, NULL, NULL, &limit), 0, "select for 20 ms");
    need(now() - began >= 20000000, true, "after 20 ms");
    need(FD_ISSET(ends[0], &set), 0, "in the set");
    need(limit.tv_sec * 1000000 + limit.tv_usec, 0, "what is left of the time");
    go(put_later, ends[1]);
    limit.tv_sec = 100;
    FD_SET(ends[0], &set);
    need(select(ends[0] + 1, &set, NULL, NULL, &limit), 1, "select");
    need(FD_ISSET(ends[0], &set), 1, "in the set");
    need(limit.tv_sec, 99, "seconds left");
    close(ends[0]);
    close(ends[1]);
}

static void epoll_of_a_library(void)
{
    int ends[2], epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
    pair(ends);
    need(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0, "epoll_ctl");
    need(epoll_wait(epoll, &event, 1, 3), 0, "epoll_wait of nothing");
    go(put_later, ends[1]);
    event.data.u32 = 0;
    need(epoll_wait(epoll, &event, 1, -1), 1, "epoll_wait");
    need(event.data.u32, 7, "what it found");
    close(epoll);
    close(ends[0]);
    close(ends[1]);
}

static void read_closed(int fd)
{
    char byte;
    waiting++;
    need(read(fd, &byte, 1), -1, "read of what is closed meanwhile");
    need(errno, EBADF, "its errno");
    done++;
}

static void closing_ends_a_wait(void)
{
    int ends[2], others[2];
    waiting = done = 0;
    pair(ends);
    pipe_of(others);
    go(read_closed, ends[0]);
    go(read_closed, others[0]);
    wait_for(&waiting, 2);
    close(ends[0]);
    dup2(others[1], others[0]);
    wait_for(&done, 2);
    close(ends[1]);
    close(others[0]);
    close(others[1]);
}

/* The same file under two numbers, and a number that gets another file. */
static void read_byte(int fd, int expected)
{
    char byte = 0;
    waiting++;
    need(read(fd, &byte, 1), 1, "read");
    need(byte, expected, "what was read");
    done++;
}

static void numbers_and_files(void)
{
    int ends[2];
    waiting = done = 0;
    for (int i = 0; i < 50; i++) { /* the numbers come again */
        pair(ends);
        int again = dup(ends[0]);
        go(read_byte, ends[0], 'x');
        go(read_byte, again, 'x');
        wait_for(&waiting, 2 * i + 2);
        put(ends[1], "xx");
        wait_for(&done, 2 * i + 2);
        close(ends[0]);
        close(ends[1]);
        close(again);
    }
    need(read(-1, ends, 1), -1, "read of no descriptor");
    need(errno, EBADF, "its errno");
    struct pollfd want = { 987, POLLIN, 0 };
    need(poll(&want, 1, -1), 1, "poll of no descriptor");
    need(want.revents, POLLNVAL, "what it found");
}

static void fails(long got, int error, const char *what)
{
    need(errno, got < 0 ? error : 0, what);
    need(got, -1, what);
}

/* What the kernel refuses, ready or not, is not waited for. */
static void refusals_come_at_once(void)
{
    char bytes[8];
    uint64_t full = UINT64_MAX - 1, too_much = UINT64_MAX;
    int pipes[2], ends[2], counter = eventfd(0, 0), clock = timerfd_create(CLOCK_MONOTONIC, 0);
    pipe_of(pipes);
    fails(read(pipes[1], bytes, 1), EBADF, "read of a pipe's write end");
    fails(write(pipes[0], bytes, 1), EBADF, "write to a pipe's read end");
    fails(read(counter, bytes, 4), EINVAL, "read of 4 bytes of an eventfd");
    fails(read(clock, bytes, 4), EINVAL, "read of 4 bytes of a timerfd");
    need(write(counter, &full, 8), 8, "write to an eventfd");
    fails(write(counter, &too_much, 8), EINVAL, "write of too much to a full eventfd");
    fails(write(counter, &full, 4), EINVAL, "write of 4 bytes to a full eventfd");
    pair(ends);
    fails(accept(ends[0], NULL, NULL), EINVAL, "accept of a connected socket");
    int packets = socket(AF_UNIX, SOCK_DGRAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
    fails(accept(packets, NULL, NULL), EOPNOTSUPP, "accept of a socket for packets");
    need(listen(listener, 1), 0, "listen");
    fails(accept4(listener, NULL, NULL, 12345), EINVAL, "accept4 with flags that are none");
    int all[] = { pipes[0], pipes[1], counter, clock, ends[0], ends[1], packets, listener };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        close(all[i]);
}

/* Beyond the kernel's table, which grows with what is open, select looks at no number. */
static void select_of_a_number_that_none_has(void)
{
    struct timeval limit = { 0, 20000 };
    struct timespec at_once = { 0, 0 }, brief = { 0, 20000 };
    fd_set set;
    FD_ZERO(&set);
    FD_SET(1000, &set);
    long expected = syscall(SYS_pselect6, 1001, &set, NULL, NULL, &at_once, NULL);
    need(select(1001, &set, NULL, NULL, &limit), expected, "select of a number beyond the table");
    need(pselect(1001, &set, NULL, NULL, &brief, NULL), expected, "pselect of the same");
}

/* The kernel knows what came of each attempt. */
static void connect_may_be_called_again(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&at, size), 0, "bind");
    getsockname(listener, (struct sockaddr *)&at, &size);
    for (int i = 0; i < 2; i++)
        fails(connect(fd, (struct sockaddr *)&at, size), ECONNREFUSED, "connect to nobody");
    need(listen(listener, 1), 0, "listen");
    need(connect(fd, (struct sockaddr *)&at, size), 0, "connect");
    fails(connect(fd, (struct sockaddr *)&at, size), EISCONN, "connect again");
    close(fd);
    close(listener);
}

/* ---- what is not to be parked ---------------------------------------------------------------- */

/* Set where the thread must not run other goroutines. */
static __thread volatile int busy;

static void put_elsewhere(int fd)
{
    go_sleep(5 * GO_MILLISECOND);
    volatile int *mine = &busy;
    need(*mine, 0, "another goroutine runs on a thread that is not to be left");
    put(fd, "x");
    done++;
}

/* Calls fn, which waits for a byte of fd. */
static void must_stay(void (*fn)(int fd))
{
    int ends[2];
    pair(ends);
    done = 0;
    go(put_elsewhere, ends[1]);
    busy = 1;
    fn(ends[0]);
    busy = 0;
    wait_for(&done, 1);
    char byte;
    need(recv(ends[0], &byte, 1, MSG_DONTWAIT), -1, "whether it left its byte unread");
    close(ends[0]);
    close(ends[1]);
}

static void read_one(int fd)
{
    char byte;
    need(read(fd, &byte, 1), 1, "read");
}

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void read_with_mutex(int fd)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    read_one(fd);
    pthread_mutex_unlock(&mutex);
}

static void read_with_rwlock(int fd)
{
    pthread_rwlock_rdlock(&rwlock);
    read_one(fd);
    pthread_rwlock_unlock(&rwlock);
}

static void read_with_file(int fd)
{
    flockfile(stdin);
    read_one(fd);
    funlockfile(stdin);
}

static ssize_t read_of_stream(void *cookie, char *buffer, size_t size)
{
    (void)size;
    return read(*(int *)cookie, buffer, 1);
}

static void read_in_stream(int fd)
{
    FILE *file = fopencookie(&fd, "r", (cookie_io_functions_t){ .read = read_of_stream });
    need(fgetc(file), 'x', "fgetc of a stream of the program's own");
    fclose(file);
}

static int once_fd;
static void read_as_once(void)
{
    read_one(once_fd);
}

static void read_once(int fd)
{
    pthread_once_t once = PTHREAD_ONCE_INIT;
    once_fd = fd;
    pthread_once(&once, read_as_once);
}

static void on_signal(int number)
{
    (void)number;
    read_one(once_fd);
}

static void read_in_handler(int fd)
{
    struct sigaction action = { .sa_handler = on_signal }, old;
    once_fd = fd;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    need(sigaction(SIGUSR1, NULL, &old), 0, "sigaction");
    need(old.sa_handler == on_signal, true, "the handler is the program's");
    need(signal(SIGUSR1, SIG_DFL) == on_signal, true, "and signal's too");
    need(signal(SIGUSR1, SIG_IGN) == SIG_DFL, true, "and none then");
}

static const char *library;

/* A copy of the library, whose constructor or destructor waits. */
static void *load_copy(void)
{
    char copy[600];
    snprintf(copy, sizeof copy, "%s.copy", library);
    return dlopen(copy, RTLD_NOW);
}

static void *copy;

static void read_in_constructor(int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    setenv("LIBRARY_BEGINS_AFTER", number, 1);
    copy = load_copy();
    unsetenv("LIBRARY_BEGINS_AFTER");
    need(copy != NULL, true, "dlopen of a library whose constructor waits");
}

static void read_in_destructor(int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    setenv("LIBRARY_ENDS_AFTER", number, 1);
    need(dlclose(copy), 0, "dlclose of a library whose destructor waits");
    unsetenv("LIBRARY_ENDS_AFTER");
}

static void read_in_call_once(int fd)
{
    static const once_flag fresh = ONCE_FLAG_INIT;
    once_flag once = fresh;
    once_fd = fd;
    call_once(&once, read_as_once);
}

static void read_with_spinlock(int fd)
{
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&lock);
    read_one(fd);
    pthread_spin_unlock(&lock);
}

static void read_with_mtx(int fd)
{
    mtx_t lock;
    mtx_init(&lock, mtx_plain);
    mtx_lock(&lock);
    read_one(fd);
    mtx_unlock(&lock);
    mtx_destroy(&lock);
}

/* statics.cpp, where there is a compiler of C++. */
enum { WAITS = MANY, FAILS_FIRST, SHARED, SHARED_FAILS_FIRST };
static bool (*static_make)(int which, int fd, bool fails);
static void (*static_once)(int fd);

static void read_in_static(int fd)
{
    need(static_make(WAITS, fd, false), true, "a static that waits is made");
}

static void read_in_static_that_fails(int fd)
{
    need(static_make(FAILS_FIRST, fd, true), false, "a static that throws is made");
}

static void read_in_static_again(int fd)
{
    need(static_make(FAILS_FIRST, fd, false), true, "a static that threw before is made");
}

/* allocator.c, where it is preloaded. */
static void (*allocator_shall_wait)(int fd);

static void read_in_malloc(int fd)
{
    allocator_shall_wait(fd);
    void *volatile memory = malloc(10);
    need(memory != NULL, true, "malloc of an allocator that waits");
    free(memory);
}

static void some_places_stay_on_their_thread(void)
{
    allocator_shall_wait = dlsym(RTLD_DEFAULT, "allocator_shall_wait");
    if (allocator_shall_wait)
        must_stay(read_in_malloc);
    must_stay(read_in_call_once);
    must_stay(read_with_spinlock);
    must_stay(read_with_mtx);
    must_stay(read_with_mutex);
    must_stay(read_with_rwlock);
    must_stay(read_with_file);
    must_stay(read_in_stream);
    must_stay(read_once);
    must_stay(read_in_handler);
    must_stay(read_in_constructor);
    must_stay(read_in_destructor);
    if (!static_make)
        return;
    must_stay(read_in_static);
    must_stay(read_in_static_that_fails);
    must_stay(read_in_static_again);
    must_stay(static_once);
}

static void make_shared(int which, int fd, bool fails)
{
    waiting++;
    static_make(which, fd, fails);
    done++;
}

/* Who comes second waits with its thread: that must not be the maker's. Where the maker fails, the
 * second makes it. */
static void two_reach_a_static_at_once(void)
{
    int ends[2];
    if (!static_make)
        return;
    for (int fails = 0; fails < 2; fails++) {
        int which = fails ? SHARED_FAILS_FIRST : SHARED;
        waiting = done = 0;
        pair(ends);
        go(make_shared, which, ends[0], fails);
        go(make_shared, which, ends[0], fails);
        wait_for(&waiting, 2);
        put(ends[1], fails ? "xx" : "x");
        wait_for(&done, 2);
        need(static_make(which, -1, true), !fails, "whether it is made");
        close(ends[0]);
        close(ends[1]);
    }
}

static void nothing(void)
{
}

static void nothing_of_signal(int number)
{
    (void)number;
}

/* All of that, without waiting. */
static void hold_and_release(int which)
{
    static const once_flag fresh = ONCE_FLAG_INIT;
    once_flag flag = fresh;
    pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_spinlock_t spin;
    mtx_t mtx;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin);
    pthread_spin_unlock(&spin);
    mtx_init(&mtx, mtx_plain);
    mtx_lock(&mtx);
    mtx_unlock(&mtx);
    mtx_destroy(&mtx);
    flockfile(stdin);
    funlockfile(stdin);
    pthread_once(&once, nothing);
    call_once(&flag, nothing);
    raise(SIGUSR2);
    need(dlclose(load_copy()), 0, "dlclose");
    if (!static_make)
        return;
    need(static_make(which, -1, true), false, "a static that throws is made");
    need(static_make(which, -1, false), true, "a static is made");
    static_once(-1);
}

static void parked_after_all_that(int which, int fd)
{
    hold_and_release(which);
    long self = syscall(SYS_gettid); /* pthread_self is a constant to compilers */
    waiting++;
    read_one(fd);
    need(syscall(SYS_gettid), self, "the thread after a wait");
    done++;
}

/* With all that over, it is parked as before: not a thread for each. Some more there may be, where
 * one had to wait for another's lock. */
static void and_are_parked_again_after(void)
{
    int ends[MANY][2];
    waiting = done = 0;
    int before = threads();
    signal(SIGUSR2, nothing_of_signal);
    for (int i = 0; i < MANY; i++) {
        pair(ends[i]);
        go(parked_after_all_that, i, ends[i][0]);
    }
    wait_for(&waiting, MANY);
    for (int i = 0; i < MANY; i++)
        put(ends[i][1], "x");
    wait_for(&done, MANY);
    for (int i = 0; i < MANY; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    need_most(threads(), before + MANY / 2, "threads");
}

/* ---- what goes with the goroutine ------------------------------------------------------------ */

static void read_in_locale(int fd, bool own)
{
    locale_t mine = own ? newlocale(LC_ALL_MASK, "C", (locale_t)0) : LC_GLOBAL_LOCALE;
    need(uselocale((locale_t)0) == LC_GLOBAL_LOCALE, true, "it begins with the global locale");
    uselocale(mine);
    waiting++;
    read_one(fd);
    need(uselocale((locale_t)0) == mine, true, "its locale after a wait");
    uselocale(LC_GLOBAL_LOCALE);
    if (own)
        freelocale(mine);
    done++;
}

static void locale_goes_along(void)
{
    int ends[10][2];
    waiting = done = 0;
    for (int i = 0; i < 10; i++) {
        pair(ends[i]);
        go(read_in_locale, ends[i][0], i % 2 == 0);
    }
    wait_for(&waiting, 10);
    for (int i = 0; i < 10; i++)
        put(ends[i][1], "x");
    wait_for(&done, 10);
    for (int i = 0; i < 10; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

static unsigned long (*err_get)(void);
static unsigned long (*err_get_all)(const char **, int *, const char **, const char **, int *);
static void (*err_new)(void);
static void (*err_debug)(const char *, int, const char *);
static void (*err_set)(int, int, const char *, ...);

static void read_with_errors(int fd, int number)
{
    const char *file, *function, *data;
    int line, flags;
    if (number) {
        err_new();
        err_debug("file.c", number, "function");
        err_set(20, number, "text %d", number);
        err_new();
        err_set(2, EINTR, NULL);
    }
    waiting++;
    read_one(fd);
    if (number) {
        unsigned long code = err_get_all(&file, &line, &function, &data, &flags);
        char expected[32];
        snprintf(expected, sizeof expected, "text %d", number);
        need((long)(code & 0x7fffff), number, "OpenSSL's reason");
        need(line, number, "its line");
        need(strcmp(file, "file.c") || strcmp(function, "function"), 0, "its place");
        need(strcmp(data, expected), 0, "its text");
        need((long)err_get(), (long)(0x80000000ul | EINTR), "the system's error behind it");
    }
    need((long)err_get(), 0, "no error more");
    done++;
}

static void openssl_errors_go_along(void)
{
    int ends[20][2];
    void *crypto = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!crypto) {
        printf("no libcrypto.so.3: OpenSSL's errors are not tested\n");
        return;
    }
    err_get = dlsym(crypto, "ERR_get_error");
    err_get_all = dlsym(crypto, "ERR_get_error_all");
    err_new = dlsym(crypto, "ERR_new");
    err_debug = dlsym(crypto, "ERR_set_debug");
    err_set = dlsym(crypto, "ERR_set_error");
    waiting = done = 0;
    for (int i = 0; i < 20; i++) {
        pair(ends[i]);
        go(read_with_errors, ends[i][0], i % 3 ? i : 0);
    }
    wait_for(&waiting, 20);
    for (int i = 0; i < 20; i++)
        put(ends[i][1], "x");
    wait_for(&done, 20);
    for (int i = 0; i < 20; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

/* ---- stdio, plain threads, names ------------------------------------------------------------- */

static void print_lines(FILE *file, int who)
{
    for (int i = 0; i < 2000; i++)
        fprintf(file, "%d says line %d, which is long enough to fill the pipe soon\n", who, i);
    done++;
}

static void *read_lines(void *argument)
{
    FILE *file = fdopen(*(int *)argument, "r");
    char line[200];
    int expected[2] = { 0, 0 }, who, number;
    for (int i = 0; i < 4000; i++) {
        if (!fgets(line, sizeof line, file) ||
            sscanf(line, "%d says line %d, which", &who, &number) != 2 || who < 0 || who > 1 ||
            number != expected[who]++) {
            need(i, 4000, "lines that came whole and in order");
            break;
        }
    }
    fclose(file);
    return NULL;
}

static void two_print_into_a_full_pipe(void)
{
    int ends[2];
    pthread_t reader;
    pipe_of(ends);
    FILE *file = fdopen(ends[1], "w");
    setvbuf(file, NULL, _IOLBF, 4096);
    done = 0;
    go(print_lines, file, 0);
    go(print_lines, file, 1);
    pthread_create(&reader, NULL, read_lines, &ends[0]);
    wait_for(&done, 2);
    go_blocking_begin();
    pthread_join(reader, NULL);
    go_blocking_end();
    fclose(file);
}

static void *plain(void *argument)
{
    const int *ends = argument;
    struct pollfd want = { ends[0], POLLIN, 0 };
    struct timespec brief = { 0, 1000000 };
    char byte;
    need(poll(&want, 1, -1), 1, "poll in a thread");
    need(read(ends[0], &byte, 1), 1, "read in a thread");
    need(nanosleep(&brief, NULL), 0, "nanosleep in a thread");
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void plain_threads_are_left_alone(void)
{
    int ends[2];
    pthread_t thread;
    pair(ends);
    pthread_create(&thread, NULL, plain, ends);
    put_later(ends[1]);
    go_blocking_begin();
    pthread_join(thread, NULL);
    go_blocking_end();
    close(ends[0]);
    close(ends[1]);
}

static void look_up(void)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
    need(getaddrinfo("127.0.0.1", "80", &hints, &found), 0, "getaddrinfo");
    char host[64];
    need(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST),
         0, "getnameinfo");
    need(strcmp(host, "127.0.0.1"), 0, "the name");
    freeaddrinfo(found);
    hints.ai_flags = AI_NUMERICHOST;
    need(getaddrinfo("no such host", NULL, &hints, &found), EAI_NONAME, "getaddrinfo of nothing");
    done++;
}

static void names_are_looked_up(void)
{
    done = 0;
    for (int i = 0; i < 20; i++)
        go(look_up);
    wait_for(&done, 20);
}

/* ---- all ------------------------------------------------------------------------------------- */

static int exit_pipe[2];

static void read_at_exit(void)
{
    char byte;
    if (read(exit_pipe[0], &byte, 1) == 1)
        puts("at exit");
}

static void *put_at_exit(void *unused)
{
    (void)unused;
    struct timespec brief = { 0, 20000000 };
    nanosleep(&brief, NULL);
    put(exit_pipe[1], "x");
    return NULL;
}

/* From a goroutine: its handlers may wait, and all ends. */
static void exit_now(void)
{
    pthread_t thread;
    pipe_of(exit_pipe);
    atexit(read_at_exit);
    pthread_create(&thread, NULL, put_at_exit, NULL);
    exit(failures ? 1 : 0);
}

static const struct {
    const char *name;
    void (*fn)(void);
} cases[] = {
#define CASE(name)  \
    {               \
#name, name \
    }
    CASE(select_of_a_number_that_none_has),
    CASE(hundreds_in_a_library),
    CASE(hundreds_in_poll),
    CASE(hundreds_asleep),
    CASE(hundreds_of_connections),
    CASE(large_writes_are_whole),
    CASE(errno_is_kept),
    CASE(fortified_calls_wait_too),
    CASE(nonblocking_is_left_alone),
    CASE(times_run_out),
    CASE(epoll_of_a_library),
    CASE(closing_ends_a_wait),
    CASE(numbers_and_files),
    CASE(refusals_come_at_once),
    CASE(connect_may_be_called_again),
    CASE(locale_goes_along),
    CASE(openssl_errors_go_along),
    CASE(some_places_stay_on_their_thread),
    CASE(two_reach_a_static_at_once),
    CASE(and_are_parked_again_after),
    CASE(two_print_into_a_full_pipe),
    CASE(plain_threads_are_left_alone),
    CASE(names_are_looked_up),
};

static void load_statics(void)
{
    char name[600];
    snprintf(name, sizeof name, "%s.statics", library);
    void *statics = dlopen(name, RTLD_NOW);
    if (!statics)
        return;
    static_make = dlsym(statics, "static_make");
    static_once = dlsym(statics, "static_once");
}

int go_main(int argc, char **argv)
{
    library = argv[1];
    void *loaded = dlopen(library, RTLD_NOW);
    if (!loaded) {
        printf("%s\n", dlerror());
        return 1;
    }
    library_ask = dlsym(loaded, "library_ask");
    library_read = dlsym(loaded, "library_read");
    load_statics();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        in = cases[i].name;
        if (argc > 2 && strcmp(argv[2], in) != 0)
            continue;
        int before = failures;
        cases[i].fn();
        printf("%s %s, %d threads\n", failures == before ? "ok" : "FAILED", in, threads());
    }
    if (failures == 0)
        go(exit_now);
    else
        return 1;
    go_goexit();
}
