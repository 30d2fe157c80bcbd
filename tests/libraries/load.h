/* What load.c asks of each library, so that all four go through the same.
 *
 * No function here but `hold`, `blocked`, `release`, `begin` and `verify`, which main's goroutine
 * calls, waits in the runtime: once a worker runs, nothing but hand-off gets its processor back. */
#ifndef GOFER_TEST_LOAD_H
#define GOFER_TEST_LOAD_H

#include "../unit/unit.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { HELD = 8, WORKERS = 8 }; /* of each library */

typedef struct library {
    const char *name;

    /* Makes room for a run, with a connection of its own; called once, first. */
    void (*begin)(void);

    /* From `hold` to `release` every `wait` stays in a call of the library. `blocked` is how many
     * do, as the other side knows it. */
    void (*hold)(void);
    void (*wait)(void);
    int (*blocked)(void);
    void (*release)(void);

    /* A worker's connection, one round of work on it, whose results it checks, and the end. */
    void *(*open)(int worker);
    void (*round)(void *connection, int worker, int round);
    void (*close)(void *connection);

    /* All workers made `rounds` together: what is left of them, and the end of `begin`. */
    void (*verify)(int rounds);
} library;

extern const library with_postgres, with_redis, with_http, with_sqlite;

extern const char *folder; /* of the sockets and of the database */
extern const char *url;    /* of the server for HTTP, without a path */

#endif
