/* GOMAXPROCS follows the CPUs that the process may use, until it is set. */
#define _GNU_SOURCE 1
#include "unit.h"

#include <dirent.h>
#include <sched.h>

static cpu_set_t all;

/* Of every thread, as `taskset -a -p` does. */
static void allow(const cpu_set_t *set)
{
    struct dirent *entry;
    DIR *tasks = opendir("/proc/self/task");
    while ((entry = readdir(tasks)))
        if (atoi(entry->d_name) > 0)
            sched_setaffinity(atoi(entry->d_name), sizeof *set, set);
    closedir(tasks);
}

static void allow_one(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
            break;
        }
    allow(&one);
}

static void become(int n)
{
    while (go_gomaxprocs(0) != n)
        go_gosched();
}

static void nothing(void)
{
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go(nothing); /* so that there is a monitor */
    CHECK(sched_getaffinity(0, sizeof all, &all), 0);
    int given = go_gomaxprocs(0);
    if (getenv("GOMAXPROCS") || given < 2) {
        printf("skipped: GOMAXPROCS is set, or there is one CPU\n");
        return 77;
    }
    allow_one();
    become(1);
    allow(&all);
    become(given);
    CHECK(go_gomaxprocs(given + 1), given);
    allow_one();
    for (int64_t until = go_now() + 2500 * GO_MILLISECOND; go_now() < until;)
        go_gosched();
    CHECK(go_gomaxprocs(0), given + 1); /* set by the call: it does not follow */
    return 0;
}
