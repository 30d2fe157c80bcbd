/* A real PostgreSQL through libpq, on a unix socket. */
#include "load.h"

#include <libpq-fe.h>

static PGconn *control; /* main's goroutine's own */

static PGconn *connect_to_it(void)
{
    char where[256];
    snprintf(where, sizeof where, "host=%s dbname=postgres user=gofer", folder);
    PGconn *connection = PQconnectdb(where);
    CHECK_TEXT(PQerrorMessage(connection), "");
    return connection;
}

/* The first value of the last answer, as a number; 0 where there is none. */
static int query(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    CHECK_TEXT(PQresultErrorMessage(result), "");
    int value = PQntuples(result) > 0 ? atoi(PQgetvalue(result, 0, 0)) : 0;
    PQclear(result);
    return value;
}

static void begin(void)
{
    control = connect_to_it();
    query(control, "SET client_min_messages = error; DROP TABLE IF EXISTS made, counter;"
                   "CREATE TABLE made (worker int, round int, text text, UNIQUE (worker, round));"
                   "CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)");
}

static void hold(void)
{
    query(control, "SELECT pg_advisory_lock(1)");
}

static void wait_for_lock(void)
{
    PGconn *connection = connect_to_it();
    query(connection, "SELECT pg_advisory_lock_shared(1)");
    PQfinish(connection);
}

static int blocked(void)
{
    return query(control,
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
}

static void release(void)
{
    query(control, "SELECT pg_advisory_unlock(1)");
}

static void *open_one(int worker)
{
    (void)worker;
    return connect_to_it();
}

static void close_one(void *connection)
{
    PQfinish(connection);
}

static PGresult *insert(PGconn *connection, int worker, int round, const char *text)
{
    char numbers[2][16];
    snprintf(numbers[0], sizeof numbers[0], "%d", worker);
    snprintf(numbers[1], sizeof numbers[1], "%d", round);
    return PQexecParams(connection, "INSERT INTO made VALUES ($1, $2, $3) RETURNING upper(text)", 3,
                        NULL, (const char *[]){ numbers[0], numbers[1], text }, NULL, NULL, 0);
}

/* A row of one's own, a row that all want, an answer that takes a while, and errors. */
static void make_round(void *connection, int worker, int round)
{
    char text[64], expected[64];
    snprintf(text, sizeof text, "row %d of %d", round, worker);
    snprintf(expected, sizeof expected, "ROW %d OF %d", round, worker);
    query(connection, "BEGIN");
    PGresult *result = insert(connection, worker, round, text);
    CHECK_TEXT(PQresultErrorMessage(result), "");
    CHECK_TEXT(PQgetvalue(result, 0, 0), expected);
    PQclear(result);
    query(connection, "UPDATE counter SET n = n + 1");
    query(connection, "COMMIT");
    CHECK(query(connection, "SELECT 7 FROM pg_sleep(0.002)"), 7);
    if (round % 4 != 0)
        return;
    result = insert(connection, worker, round, "again");
    CHECK_TEXT(PQresultErrorField(result, PG_DIAG_SQLSTATE), "23505"); /* not unique */
    PQclear(result);
    PGconn *nobody = PQconnectdb("host=/nowhere");
    CHECK(strstr(PQerrorMessage(nobody), "No such file or directory") != NULL, 1);
    PQfinish(nobody);
}

static void verify(int rounds)
{
    CHECK(query(control, "SELECT count(*) FROM made WHERE text = format('row %s of %s', round, "
                         "worker)"),
          rounds);
    CHECK(query(control, "SELECT count(DISTINCT worker) FROM made"), WORKERS);
    CHECK(query(control, "SELECT n FROM counter"), rounds);
    query(control, "DROP TABLE made, counter");
    PQfinish(control);
}

const library with_postgres = { "postgres", begin,    hold,       wait_for_lock, blocked,
                                release,    open_one, make_round, close_one,     verify };
