/* One program of the batch: CASE(name) { … return status; }. Chosen by name, run in a process of
 * its own; its twin in ../go has the same name. */
#ifndef GOFER_CASE_H
#define GOFER_CASE_H

#include <gofer.h>
#include <stdio.h>
#include <string.h>

struct test_case {
    const char *name;
    int (*run)(void);
    struct test_case *next;
};
extern struct test_case *test_cases;

#define CASE(id)                                                  \
    static int case_##id(void);                                   \
    __attribute__((constructor)) static void register_##id(void)  \
    {                                                             \
        static struct test_case entry = { #id, case_##id, NULL }; \
        entry.next = test_cases;                                  \
        test_cases = &entry;                                      \
    }                                                             \
    static int case_##id(void)

#endif
