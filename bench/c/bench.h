/* What the benchmarks share. Each file holds the rows of one room and ends with their table;
 * main.c runs them. ../go has the same programs by the same names: whoever changes one changes
 * the other. */
#ifndef BENCH_H
#define BENCH_H

#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>

struct row {
    const char *name;
    const char *what;    /* what one operation is, for the page */
    long (*run)(void);   /* does the work and returns the number of operations, or … */
    const char *unit;    /* … of another unit than nanoseconds an operation: */
    double (*measure)(); /* returns the figure itself */
};

struct table {
    const char *title;
    const struct row *rows; /* up to one without a name */
};

extern const struct table chan_table, select_table, sched_table, sync_table, time_table,
    context_table, panic_table, parallel_table, memory_table, go_chan_table, go_proc_table,
    go_sync_table, go_map_table, io_table;

/* n, or a small part of it (at least 1) where the run is only to show that the program works. */
long times(long n);

/* What lies between is not measured. */
void stop_clock(void);
void start_clock(void);

/* So many steps of arithmetic, each waiting for the one before. */
uint64_t work(long steps);

/* Ends the program where the work did not give what it should. */
void check(int right);

/* Runs body(share of n, arg) in `each` goroutines a processor, waits, and returns n. */
long in_parallel(int each, long n, void (*body)(long n, void *arg), void *arg);

#endif
