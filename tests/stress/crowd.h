/* A server and its clients in two processes, so that each has a limit of descriptors of its own:
 * the program, which serves (crowd_server.h), and a second process of it, the clients
 * (crowd_clients.h), which does what it reads on its standard input and answers "ok".
 *
 * Each connection begins with a head that says what it is for and which part of the data passes;
 * both sides have all of the data and compare every byte.
 *
 * The poller is the one that GOFER_POLLER asks for, in both. */
#ifndef GOFER_TEST_CROWD_H
#define GOFER_TEST_CROWD_H

#include "stress.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

enum {
    CROWD_MOST = 1 << 16,        /* bytes of one message */
    CROWD_SHIFTS = 997,          /* so many different beginnings */
    CROWD_LONG = 4 << 20,        /* for slow readers: more than the kernel's buffers hold */
    CROWD_HEADER = 6,            /* kind, three bytes of key, two of length */
    CROWD_HELLO = 1000,          /* what a server sends that half-closes */
    CROWD_SMALL_BUFFER = 1 << 15 /* of a socket whose reader is slow */
};

enum crowd_kind {
    CROWD_ECHO = 'e',
    CROWD_RESET = 'r',       /* an echo that is cut off */
    CROWD_CLIENT_HALF = 'h', /* the client's end of sending comes first: then all goes back */
    CROWD_SERVER_HALF = 'H', /* the server's does */
    CROWD_SLOW_CLIENT = 'w', /* the server's buffers fill */
    CROWD_SLOW_SERVER = 'd', /* the client's do */
};

static char crowd_data[CROWD_MOST + CROWD_SHIFTS];

static inline void crowd_make_data(void)
{
    unsigned random = 1; /* the same in both processes */
    for (size_t i = 0; i < sizeof crowd_data; i++)
        crowd_data[i] = (char)stress_random(&random);
}

/* What connection `key` sends. */
static inline const char *crowd_bytes(unsigned key)
{
    return crowd_data + key % CROWD_SHIFTS;
}

static inline void crowd_compare(const char *got, unsigned key, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (got[i] != crowd_bytes(key)[i]) {
            fprintf(stderr, "byte %zu of %zu of connection %u differs\n", i, size, key);
            exit(1);
        }
}

/* The long transfers are the data over and over; `offset` is where this piece begins. */
static inline void crowd_compare_long(const char *got, unsigned key, size_t offset, size_t size)
{
    while (size) {
        size_t from = offset % CROWD_MOST;
        size_t piece = size < CROWD_MOST - from ? size : CROWD_MOST - from;
        STRESS_CHECK(memcmp(got, crowd_bytes(key) + from, piece), 0);
        got += piece;
        offset += piece;
        size -= piece;
    }
}

/* Writes it from `offset` on. Where it ends, which is earlier where an error comes. */
static inline size_t crowd_write_long(go_conn *conn, unsigned key, size_t offset)
{
    while (offset < CROWD_LONG) {
        size_t from = offset % CROWD_MOST, piece = CROWD_MOST - from;
        ssize_t n = go_conn_write(conn, crowd_bytes(key) + from, piece);
        offset += n > 0 ? (size_t)n : 0;
        if (n != (ssize_t)piece)
            break;
    }
    return offset;
}

/* Reads it all in small pieces, and compares. */
static inline void crowd_read_slowly(go_conn *conn, unsigned key)
{
    char bytes[5000];
    unsigned random = key + 1;
    size_t offset = 0;
    ssize_t n;
    while ((n = go_conn_read(conn, bytes, 1 + stress_random(&random) % sizeof bytes)) > 0) {
        crowd_compare_long(bytes, key, offset, (size_t)n);
        offset += (size_t)n;
        stress_pause(&random);
    }
    STRESS_CHECK(n, 0);
    STRESS_CHECK(offset, CROWD_LONG);
}

/* As many descriptors as the system lets this process have. */
static inline long crowd_raise_limit(void)
{
    struct rlimit limit;
    STRESS_CHECK(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    STRESS_CHECK(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur > 1000000 ? 1000000 : (long)limit.rlim_cur;
}

/* ---- rest ------------------------------------------------------------------------------------ */

/* How often the threads of a process went to sleep so far: each wake-up is followed by one. */
static inline long crowd_sleeps_of(long pid)
{
    char path[300], line[128];
    long sum = 0, n;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    STRESS_CHECK(tasks != NULL, 1);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%ld/task/%.20s/status", pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
                sum += n;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return sum;
}

/* The process, all of which waits, comes to rest: in a whole second next to nothing wakes it
 * up. */
static inline void crowd_check_rest(long pid)
{
    long before = 0, woken = 0;
    int rested = 0;
    for (int i = 0; i < 60 && !rested; i++) {
        before = crowd_sleeps_of(pid);
        go_sleep(GO_SECOND);
        woken = crowd_sleeps_of(pid) - before;
        rested = woken <= 2;
    }
    if (rested)
        return;
    fprintf(stderr, "process %ld: %ld wake-ups in an idle second, expected 2 at most\n", pid,
            woken);
    exit(1);
}

#endif
