/* A real Redis through hiredis, on a unix socket. */
#include "load.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>

enum { PIPELINED = 10 };

static redisContext *control; /* main's goroutine's own */
static _Atomic int popped;    /* the sum; relaxed */

static void path_of_it(char *path, size_t size)
{
    snprintf(path, size, "%s/redis.sock", folder);
}

static void *open_one(int worker)
{
    (void)worker;
    char path[256];
    path_of_it(path, sizeof path);
    redisContext *connection = redisConnectUnix(path);
    CHECK_TEXT(connection->errstr, "");
    return connection;
}

static void close_one(void *connection)
{
    redisFree(connection);
}

static redisReply *command(redisContext *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(connection, format, arguments);
    va_end(arguments);
    CHECK_TEXT(connection->errstr, "");
    CHECK_TEXT(reply->type == REDIS_REPLY_ERROR ? reply->str : "", "");
    return reply;
}

static void expect_number(redisReply *reply, long long expected)
{
    CHECK(reply->type, REDIS_REPLY_INTEGER);
    CHECK(reply->integer, expected);
    freeReplyObject(reply);
}

static void expect_text(redisReply *reply, const char *expected)
{
    CHECK_TEXT(reply->str, expected);
    freeReplyObject(reply);
}

static void begin(void)
{
    control = open_one(0);
    expect_text(command(control, "FLUSHALL"), "OK");
}

static void hold(void)
{
}

static void wait_for_value(void)
{
    redisContext *connection = open_one(0);
    redisReply *reply = command(connection, "BLPOP held 0");
    CHECK(reply->elements, 2);
    atomic_fetch_add_explicit(&popped, atoi(reply->element[1]->str), memory_order_relaxed);
    freeReplyObject(reply);
    redisFree(connection);
}

static int blocked(void)
{
    int count = 0;
    redisReply *reply = command(control, "INFO clients");
    const char *line = strstr(reply->str, "blocked_clients:");
    CHECK(line != NULL && sscanf(line, "blocked_clients:%d", &count) == 1, 1);
    freeReplyObject(reply);
    return count;
}

static void release(void)
{
    for (int i = 1; i <= HELD; i++)
        freeReplyObject(command(control, "RPUSH held %d", i));
}

/* hiredis tells of a timeout by errno, after the wait in which the processor went elsewhere. */
static void time_out(void)
{
    redisContext *connection = open_one(0);
    CHECK(redisSetTimeout(connection, (struct timeval){ .tv_usec = 5000 }), REDIS_OK);
    void *reply = redisCommand(connection, "BLPOP never 0");
    CHECK(reply == NULL, 1);
    CHECK(connection->err, REDIS_ERR_IO);
    CHECK_TEXT(connection->errstr, strerror(EAGAIN));
    redisFree(connection);
}

/* Keys of one's own, a pipeline, a counter that all raise, and errors. */
static void make_round(void *connection, int worker, int round)
{
    char text[64];
    snprintf(text, sizeof text, "%d of %d", round, worker);
    expect_text(command(connection, "SET key:%d %s", worker, text), "OK");
    for (int i = 0; i < PIPELINED; i++)
        redisAppendCommand(connection, "RPUSH list:%d:%d %d", worker, round, i);
    for (int i = 1; i <= PIPELINED; i++) {
        void *reply = NULL;
        CHECK(redisGetReply(connection, &reply), REDIS_OK);
        expect_number(reply, i);
    }
    expect_text(command(connection, "LPOP list:%d:%d", worker, round), "0");
    expect_number(command(connection, "DEL list:%d:%d", worker, round), 1);
    freeReplyObject(command(connection, "INCR counter"));
    expect_text(command(connection, "GET key:%d", worker), text);
    if (round % 16 != 0)
        return;
    time_out();
    redisContext *nobody = redisConnectUnix("/nowhere/socket");
    CHECK_TEXT(nobody->errstr, strerror(ENOENT));
    redisFree(nobody);
}

static void verify(int rounds)
{
    char text[16];
    snprintf(text, sizeof text, "%d", rounds);
    expect_text(command(control, "GET counter"), text);
    expect_number(command(control, "DBSIZE"), WORKERS + 1);
    CHECK(popped, HELD * (HELD + 1) / 2);
    redisFree(control);
}

const library with_redis = { "redis", begin,    hold,       wait_for_value, blocked,
                             release, open_one, make_round, close_one,      verify };
