/* The frame of a peer's program: its rows by the names that ../c has. Without arguments it lists
 * them; `peer NAME [PART]` prints nanoseconds an operation of one, with the number of operations
 * divided by PART. */
#ifndef PEER_H
#define PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct peer_row {
    const char *name;
    long (*run)(void); /* returns the number of operations */
};

static long peer_part = 1;
static double peer_stopped, peer_uncounted;

/* n, or a small part of it where the run is only to show that the program works. */
static inline long times(long n)
{
    return n / peer_part > 0 ? n / peer_part : 1;
}

static inline int is_whole(void)
{
    return peer_part == 1;
}

static inline double peer_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What lies between is not measured. */
static inline void stop_clock(void)
{
    peer_stopped = peer_clock();
}

static inline void start_clock(void)
{
    peer_uncounted += peer_clock() - peer_stopped;
}

/* Ends the program where the work did not give what it should. */
static inline void check(int right)
{
    if (!right) {
        fprintf(stderr, "the benchmark's work went wrong\n");
        abort();
    }
}

static inline int peer_main(int argc, char **argv, const struct peer_row *rows, int count)
{
    if (argc > 2)
        peer_part = atol(argv[2]);
    for (int i = 0; i < count; i++) {
        if (argc < 2) {
            printf("%s\n", rows[i].name);
        } else if (strcmp(argv[1], rows[i].name) == 0) {
            double start = peer_clock();
            long n = rows[i].run();
            printf("%.2f\n", (peer_clock() - start - peer_uncounted) / (double)n);
            return 0;
        }
    }
    return argc < 2 ? 0 : 3;
}

#define PEER_MAIN(rows)                                                                \
    int main(int argc, char **argv)                                                    \
    {                                                                                  \
        return peer_main(argc, argv, (rows), (int)(sizeof(rows) / sizeof((rows)[0]))); \
    }

#endif
