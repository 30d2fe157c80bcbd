/* What a million parked goroutines take. */
#include "bench.h"
#include <string.h>

static go_waitgroup started;

static void parked(go_chan(go_unit) never)
{
    go_waitgroup_done(&started);
    go_recv(never);
}

static double kilobytes_of(const char *field)
{
    double value = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    check(status != NULL);
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtod(line + strlen(field), NULL);
    }
    fclose(status);
    return value;
}

static long park(void)
{
    long n = times(1000000);
    go_chan(go_unit) never = go_chan_make(go_unit, 0);
    go_waitgroup_add(&started, (int)n);
    for (long i = 0; i < n; i++)
        go(parked, never);
    go_waitgroup_wait(&started);
    return n;
}

static double parked_field(const char *field)
{
    double before = kilobytes_of(field);
    long n = park();
    return (kilobytes_of(field) - before) * 1024 / (double)n;
}

static double parked_bytes(void)
{
    return parked_field("VmRSS:");
}

static double parked_page_tables(void)
{
    return parked_field("VmPTE:");
}

static double parked_create(void)
{
    int64_t start = go_now();
    park();
    return (double)(go_now() - start) / 1e6;
}

static const struct row rows[] = {
    { "parked_1m_bytes", "resident memory of each of a million parked goroutines", NULL, "B",
      parked_bytes },
    { "parked_1m_page_tables",
      "the kernel's page tables for each of a million parked goroutines, beside it", NULL, "B",
      parked_page_tables },
    { "parked_1m_create", "time to start a million goroutines that park", NULL, "ms",
      parked_create },
    { 0 },
};
const struct table memory_table = { "A million goroutines", rows };
