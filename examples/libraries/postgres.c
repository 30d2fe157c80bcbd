// Eight slow queries at once through libpq, each in a goroutine with a connection of its own.
// usage: gofer run postgres.c 'host=/run/postgresql dbname=postgres'
// gofer: flags -I/usr/include/postgresql
// gofer: link -lpq
#include <gofer.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

// Blocks in the library as long as the server takes; the other goroutines go on.
static void square(const char *where, int n, go_chan(int) results)
{
    char number[16];
    int result = -1;
    PGconn *db = PQconnectdb(where);
    snprintf(number, sizeof number, "%d", n);
    PGresult *rows = PQexecParams(db, "SELECT $1::int * $1::int FROM pg_sleep(0.1)", 1, NULL,
                                  (const char *[]){ number }, NULL, NULL, 0);
    if (PQresultStatus(rows) == PGRES_TUPLES_OK)
        result = atoi(PQgetvalue(rows, 0, 0));
    else
        fprintf(stderr, "%s", PQerrorMessage(db));
    PQclear(rows);
    PQfinish(db);
    go_send(results, result);
}

int go_main(int argc, char **argv)
{
    int sum = 0;
    go_chan(int) results = go_chan_make(int, 0);
    for (int n = 1; n <= 8; n++)
        go(square, argc > 1 ? argv[1] : "", n, results);
    for (int n = 1; n <= 8; n++) {
        int result = go_recv(results);
        if (result < 0)
            return 1;
        sum += result;
    }
    printf("the squares of 1 to 8 sum up to %d\n", sum);
    return 0;
}
