/* A check that fails with what was expected and what came. */
#ifndef GOFER_TEST_UNIT_H
#define GOFER_TEST_UNIT_H

#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(got, expected)                                                                  \
    do {                                                                                      \
        long long got_ = (long long)(got), expected_ = (long long)(expected);                 \
        if (got_ != expected_) {                                                              \
            fprintf(stderr, "%s:%d: %s: got %lld, expected %lld\n", __FILE__, __LINE__, #got, \
                    got_, expected_);                                                         \
            exit(1);                                                                          \
        }                                                                                     \
    } while (0)

#define CHECK_TEXT(got, expected)                                                                 \
    do {                                                                                          \
        const char *got_ = (got), *expected_ = (expected);                                        \
        if (strcmp(got_, expected_) != 0) {                                                       \
            fprintf(stderr, "%s:%d: %s: got \"%s\", expected \"%s\"\n", __FILE__, __LINE__, #got, \
                    got_, expected_);                                                             \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* Whether something runs the program whose name for the process begins so: "qemu-", "memcheck". */
__attribute__((unused)) static int runs_under(const char *name)
{
    char comm[32] = "";
    FILE *file = fopen("/proc/self/comm", "r");
    if (file && !fgets(comm, sizeof comm, file))
        comm[0] = 0;
    if (file)
        fclose(file);
    return strncmp(comm, name, strlen(name)) == 0;
}

#endif
