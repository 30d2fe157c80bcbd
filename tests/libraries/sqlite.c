/* SQLite on disk: a connection for each worker, and one that all share for reading. */
#include "load.h"

#include <sqlite3.h>
#include <time.h>

static sqlite3 *control;    /* main's goroutine's own */
static sqlite3 *shared;     /* guarded by the library's own mutex */
static _Atomic int waiting; /* held up by a locked database; relaxed */

static void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    sqlite3_exec(db, sql, NULL, NULL, &message);
    CHECK_TEXT(message ? message : "", "");
}

/* The library's own handler waits longer each time, so that some writers starve. */
static int try_again(void *db, int times)
{
    (void)db;
    (void)times;
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    return 1;
}

static sqlite3 *open_it(void)
{
    char path[256];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/test.db", folder);
    CHECK(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_handler(db, try_again, NULL);
    return db;
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    CHECK(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    CHECK(sqlite3_step(statement), SQLITE_ROW);
    int value = sqlite3_column_int(statement, 0);
    CHECK(sqlite3_finalize(statement), SQLITE_OK);
    return value;
}

static void begin(void)
{
    CHECK(sqlite3_threadsafe(), 1);
    control = open_it();
    shared = open_it();
    run(control, "PRAGMA journal_mode = WAL;"
                 "DROP TABLE IF EXISTS made; DROP TABLE IF EXISTS fixed;"
                 "CREATE TABLE fixed (n int); INSERT INTO fixed VALUES (20), (22);"
                 "CREATE TABLE made (worker int, round int, text text, UNIQUE (worker, round))");
}

static void hold(void)
{
    run(control, "BEGIN EXCLUSIVE");
}

static int count_and_try_again(void *db, int times)
{
    if (times == 0)
        atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
    return try_again(db, times);
}

static void wait_for_database(void)
{
    sqlite3 *db = open_it();
    sqlite3_busy_handler(db, count_and_try_again, NULL);
    run(db, "BEGIN IMMEDIATE");
    atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
    run(db, "COMMIT");
    CHECK(sqlite3_close(db), SQLITE_OK);
}

static int blocked(void)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed);
}

static void release(void)
{
    run(control, "COMMIT");
}

static void *open_one(int worker)
{
    (void)worker;
    return open_it();
}

static void close_one(void *db)
{
    CHECK(sqlite3_close(db), SQLITE_OK);
}

static void insert(sqlite3 *db, int worker, int round, int expected)
{
    sqlite3_stmt *statement = NULL;
    CHECK(sqlite3_prepare_v2(db, "INSERT INTO made VALUES (?1, ?2, printf('%d of %d', ?2, ?1))", -1,
                             &statement, NULL),
          SQLITE_OK);
    sqlite3_bind_int(statement, 1, worker);
    sqlite3_bind_int(statement, 2, round);
    CHECK(sqlite3_step(statement), expected);
    sqlite3_finalize(statement);
}

/* A row, written to the disk before it is there; a look at what is there; errors. */
static void make_round(void *db, int worker, int round)
{
    char sql[128];
    insert(db, worker, round, SQLITE_DONE);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM made WHERE worker = %d", worker);
    CHECK(number(db, sql), round + 1);
    CHECK(number(shared, "SELECT sum(n) FROM fixed"), 42);
    if (round % 4 != 0)
        return;
    insert(db, worker, round, SQLITE_CONSTRAINT);
    sqlite3 *nowhere = NULL;
    CHECK(sqlite3_open("/nowhere/test.db", &nowhere), SQLITE_CANTOPEN);
    sqlite3_close(nowhere);
}

static void verify(int rounds)
{
    CHECK(number(control, "SELECT count(*) FROM made WHERE text = printf('%d of %d', round, "
                          "worker)"),
          rounds);
    CHECK(number(control, "SELECT count(DISTINCT worker) FROM made"), WORKERS);
    CHECK(number(control, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    CHECK(sqlite3_close(shared), SQLITE_OK);
    CHECK(sqlite3_close(control), SQLITE_OK);
}

const library with_sqlite = { "sqlite", begin,    hold,       wait_for_database, blocked,
                              release,  open_one, make_round, close_one,         verify };
