// SQLite with one writer, to which ten goroutines send values: it alone waits for the disk.
// usage: gofer run sqlite.c FILE
// gofer: link -lsqlite3
#include <gofer.h>
#include <sqlite3.h>
#include <stdio.h>

static void must(sqlite3 *db, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
        go_panic("sqlite: %s", sqlite3_errmsg(db));
}

static void write_values(sqlite3 *db, go_chan(int) values, go_waitgroup *written)
{
    sqlite3_stmt *insert = NULL;
    must(db, sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?)", -1, &insert, NULL));
    go_range (value, values) {
        must(db, sqlite3_bind_int(insert, 1, value));
        must(db, sqlite3_step(insert)); // on the disk when it returns
        must(db, sqlite3_reset(insert));
    }
    must(db, sqlite3_finalize(insert));
    go_waitgroup_done(written);
}

static void send_values(int sender, go_chan(int) values, go_waitgroup *sent)
{
    for (int i = 1; i <= 10; i++)
        go_send(values, 10 * sender + i);
    go_waitgroup_done(sent);
}

int go_main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *sum = NULL;
    go_waitgroup sent = { 0 }, written = { 0 };
    go_chan(int) values = go_chan_make(int, 10);
    must(db, sqlite3_open(argc > 1 ? argv[1] : "rows.db", &db));
    must(db, sqlite3_exec(db, "DROP TABLE IF EXISTS t; CREATE TABLE t (value)", 0, 0, 0));
    go_waitgroup_add(&written, 1);
    go(write_values, db, values, &written);
    go_waitgroup_add(&sent, 10);
    for (int i = 0; i < 10; i++)
        go(send_values, i, values, &sent);
    go_waitgroup_wait(&sent);
    go_close(values);
    go_waitgroup_wait(&written);
    must(db, sqlite3_prepare_v2(db, "SELECT count(*), sum(value) FROM t", -1, &sum, NULL));
    must(db, sqlite3_step(sum));
    printf("%d rows, sum %d\n", sqlite3_column_int(sum, 0), sqlite3_column_int(sum, 1));
    must(db, sqlite3_finalize(sum));
    must(db, sqlite3_close(db));
    return 0;
}
