/* 1,000,000 goroutines that wait, with the kernel's default settings: each keeps at most 4.8 KB of
 * memory resident. */
#include "../unit/unit.h"

enum { MOST_BYTES = 4800 };

static go_chan(go_unit) gate;
static go_waitgroup wg;

/* A value in KiB of a file of /proc; -1: not there. */
static long kib_of(const char *path, const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = atol(line + strlen(name));
    if (file)
        fclose(file);
    return value;
}

static void wait_at_gate(void)
{
    go_waitgroup_done(&wg);
    go_recv(gate);
    go_waitgroup_done(&wg);
}

static void park(int n)
{
    gate = go_chan_make(go_unit, 0);
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++)
        go(wait_at_gate);
    go_waitgroup_wait(&wg);
}

static void release(int n)
{
    go_waitgroup_add(&wg, n);
    go_close(gate);
    go_waitgroup_wait(&wg);
    go_chan_unref(gate);
}

static int goroutines(void)
{
    return kib_of("/proc/meminfo", "MemAvailable:") > 7000000 ? 1000000 : 0;
}

int go_main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : goroutines();
    if (n == 0) {
        printf("skipped: less than 7 GB of memory is free\n");
        return 77;
    }
    long before = kib_of("/proc/self/status", "RssAnon:");
    park(n);
    long after = kib_of("/proc/self/status", "RssAnon:");
    long each = (after - before) * 1024 / n;
    printf("%d goroutines wait, %ld bytes each\n", n, each);
    CHECK(go_num_goroutine(), n + 1);
    if (each > MOST_BYTES) {
        fprintf(stderr, "resident memory a goroutine: got %ld, expected at most %d\n", each,
                MOST_BYTES);
        return 1;
    }
    release(n);
    return 0;
}
