/* What runs into limits; limits_test.sh sets them and says what must come. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <gofer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static go_waitgroup wg;

static void limit(int what, rlim_t most)
{
    struct rlimit now;
    getrlimit(what, &now);
    now.rlim_cur = most;
    setrlimit(what, &now);
}

static void nothing(void)
{
    go_waitgroup_done(&wg);
}

static void receive(go_chan(int) c)
{
    go_recv(c);
    go_waitgroup_done(&wg);
}

static int overflow(volatile char *outer)
{
    volatile char frame[512];
    frame[0] = *outer;
    return overflow(frame) + frame[0];
}

static void overflows(void)
{
    char frame = 0;
    overflow(&frame);
}

static void read_one(int *ends)
{
    char byte;
    if (read(ends[0], &byte, 1) == 1)
        go_waitgroup_done(&wg);
}

/* n goroutines that wait at once. */
static void park_many(int n)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++) {
        go(receive, c);
        if (i % 100 == 0)
            go_gosched();
    }
    go_gosched();
    go_close(c);
    go_waitgroup_wait(&wg);
}

/* n goroutines with stacks of their own, one after the other. */
static void run_on_own_stacks(int n)
{
    for (int i = 0; i < n; i++) {
        go_waitgroup_add(&wg, 1);
        go_with((&(go_options){ .stack = 1 << 20 }), nothing);
        go_waitgroup_wait(&wg);
    }
}

static void *send_unasked(void *c)
{
    usleep(300000); /* longer than a deadlock takes to be seen; too short: the check is weaker */
    go_send(*(go_chan(int) *)c, 1);
    return NULL;
}

static void *send_ignored(void *c)
{
    go_thread_ignore();
    return send_unasked(c);
}

static void leave_one_descriptor(void)
{
    int n, last = -1;
    limit(RLIMIT_NOFILE, 64);
    while ((n = open("/dev/null", O_RDONLY)) >= 0)
        last = n;
    close(last);
}

/* A plain thread sends later. */
static int receive_from_thread(void *(*sends)(void *))
{
    pthread_t thread;
    go_chan(int) c = go_chan_make(int, 0);
    if (pthread_create(&thread, NULL, sends, &c) != 0)
        return 1;
    printf("got %d\n", go_recv(c));
    return 0;
}

static void fill_stderr(void)
{
    static const char zeros[4096];
    int flags = fcntl(2, F_GETFL);
    fcntl(2, F_SETFL, flags | O_NONBLOCK);
    for (size_t size = sizeof zeros; size; size /= 2)
        while (write(2, zeros, size) > 0)
            ;
    fcntl(2, F_SETFL, flags);
}

static void told(const char *text)
{
    _exit(strcmp(text, "fatal error: thread exhaustion") == 0 ? 3 : 4);
}

int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    int ends[2];
    if (!strcmp(which, "one")) {
        printf("one goroutine\n");
    } else if (!strcmp(which, "spawn")) {
        go_waitgroup_add(&wg, 1);
        go(nothing);
        go_waitgroup_wait(&wg);
    } else if (!strcmp(which, "large-stack")) {
        limit(RLIMIT_AS, (rlim_t)4 << 30);
        go_with((&(go_options){ .stack = (size_t)8 << 30 }), nothing);
    } else if (!strcmp(which, "stacks")) {
        limit(RLIMIT_AS, (rlim_t)3 << 30);
        park_many(20000);
    } else if (!strcmp(which, "park")) {
        park_many(17000);
        printf("all ended\n");
    } else if (!strcmp(which, "overflow")) {
        go(overflows);
        go_sleep(GO_MINUTE);
    } else if (!strcmp(which, "blocked-without-descriptors")) {
        go_gomaxprocs(1);
        if (pipe(ends) != 0)
            return 1;
        limit(RLIMIT_NOFILE, 0);
        go_waitgroup_add(&wg, 1);
        go(read_one, ends);
        go_gosched();
        if (write(ends[1], "x", 1) != 1)
            return 1;
        go_waitgroup_wait(&wg);
        printf("held up nobody\n");
    } else if (!strcmp(which, "deadlock") || !strcmp(which, "deadlock-without-descriptors")) {
        if (which[8])
            limit(RLIMIT_NOFILE, 0);
        return receive_from_thread(send_ignored);
    } else if (!strcmp(which, "foreign-thread")) {
        return receive_from_thread(send_unasked);
    } else if (!strcmp(which, "foreign-thread-one-descriptor")) {
        leave_one_descriptor();
        return receive_from_thread(send_unasked);
    } else if (!strcmp(which, "own-stacks")) {
        run_on_own_stacks(17000);
        printf("all ended\n");
    } else if (!strcmp(which, "panic")) {
        go_panic("the text");
    } else if (!strcmp(which, "panic-with-many")) {
        printf("a line that may not get out\n");
        park_many(argc);
        go_chan(int) c = go_chan_make(int, 0);
        for (int i = 0; i < 1500; i++)
            go(receive, c);
        go_sleep(GO_MILLISECOND);
        go_fatal("the text");
    } else if (!strcmp(which, "threads-end")) {
        if (pipe(ends) != 0)
            return 1;
        go_gomaxprocs(1);
        for (int i = 0; i < 1000; i++)
            go(read_one, ends);
        go_sleep(GO_MINUTE);
    } else if (!strcmp(which, "thread-limit") || !strcmp(which, "thread-limit-full-pipe")) {
        if (pipe(ends) != 0)
            return 1;
        go_on_fatal(told);
        go_set_max_threads(20);
        if (which[12])
            fill_stderr();
        for (int i = 0; i < 100; i++)
            go(read_one, ends);
        go_sleep(GO_MINUTE);
    }
    return 0;
}
