/* 1,000 goroutines in hiredis at a time, which blocks and knows nothing of goroutines, all in a
 * query that the server holds back (BLPOP): 10 threads at most. */
#include <gofer.h>

#include <hiredis/hiredis.h>

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 1000, MOST_THREADS = 10 };

static const char *path; /* of the server's socket */
static _Atomic int failures;

static int threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static void need(int right, const char *what, int client)
{
    if (right)
        return;
    printf("FAIL client %d: %s\n", client, what);
    failures++;
}

static void client(int number, go_waitgroup *wg)
{
    redisContext *redis = redisConnectUnix(path);
    need(redis && !redis->err, redis ? redis->errstr : "no memory", number);
    if (redis && !redis->err) {
        redisReply *reply = redisCommand(redis, "SET key%d value%d", number, number);
        need(reply && reply->type == REDIS_REPLY_STATUS, "SET", number);
        freeReplyObject(reply);
        reply = redisCommand(redis, "BLPOP list%d 0", number);
        char expected[32];
        snprintf(expected, sizeof expected, "item%d", number);
        need(reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                 strcmp(reply->element[1]->str, expected) == 0,
             "BLPOP", number);
        freeReplyObject(reply);
        reply = redisCommand(redis, "GET key%d", number);
        snprintf(expected, sizeof expected, "value%d", number);
        need(reply && reply->type == REDIS_REPLY_STRING && strcmp(reply->str, expected) == 0, "GET",
             number);
        freeReplyObject(reply);
    }
    redisFree(redis);
    go_waitgroup_done(wg);
}

/* The server says when all are blocked. */
static void wait_until_blocked(redisContext *redis)
{
    for (int blocked = 0; blocked < MANY && !failures;) {
        redisReply *reply = redisCommand(redis, "INFO clients");
        const char *line = reply && reply->str ? strstr(reply->str, "blocked_clients:") : NULL;
        blocked = line ? atoi(line + strlen("blocked_clients:")) : 0;
        freeReplyObject(reply);
        go_sleep(GO_MILLISECOND);
    }
}

int go_main(int argc, char **argv)
{
    go_waitgroup wg = { 0 };
    path = argc > 1 ? argv[1] : "";
    go_waitgroup_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        go(client, i, &wg);
    redisContext *redis = redisConnectUnix(path);
    wait_until_blocked(redis);
    for (int i = 0; i < MANY; i++)
        freeReplyObject(redisCommand(redis, "RPUSH list%d item%d", i, i));
    redisFree(redis);
    go_waitgroup_wait(&wg);
    printf("%d goroutines in hiredis, %d threads\n", MANY, threads());
    if (threads() > MOST_THREADS)
        printf("FAIL: expected %d threads at most\n", MOST_THREADS);
    return failures || threads() > MOST_THREADS ? 1 : 0;
}
