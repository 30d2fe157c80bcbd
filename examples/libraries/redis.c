// A queue in Redis through hiredis: four workers wait in BLPOP, which blocks, for what main pushes.
// usage: gofer run redis.c /run/redis/redis-server.sock
// gofer: link -lhiredis
#include <gofer.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, JOBS = 100 };

static redisContext *open_or_exit(const char *path)
{
    redisContext *redis = redisConnectUnix(path);
    if (redis == NULL || redis->err != 0) {
        fprintf(stderr, "redis: %s\n", redis ? redis->errstr : "out of memory");
        exit(1);
    }
    return redis;
}

static void work(const char *path, go_chan(int) results)
{
    redisContext *redis = open_or_exit(path); // a connection is one goroutine's at a time
    for (;;) {
        redisReply *reply = redisCommand(redis, "BLPOP jobs 0");
        int job = reply && reply->elements == 2 ? atoi(reply->element[1]->str) : 0;
        freeReplyObject(reply);
        if (job <= 0)
            break;
        go_send(results, job);
    }
    redisFree(redis);
    go_send(results, 0);
}

int go_main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/run/redis/redis-server.sock";
    redisContext *redis = open_or_exit(path);
    go_chan(int) results = go_chan_make(int, 0);
    for (int i = 0; i < WORKERS; i++)
        go(work, path, results);
    for (int job = 1; job <= JOBS + WORKERS; job++) // the last ones say that it is over
        freeReplyObject(redisCommand(redis, "RPUSH jobs %d", job <= JOBS ? job : 0));
    int sum = 0;
    for (int ended = 0; ended < WORKERS;) {
        int job = go_recv(results);
        sum += job;
        ended += job == 0;
    }
    redisFree(redis);
    printf("%d workers did jobs 1 to %d: %d\n", WORKERS, JOBS, sum);
    return 0;
}
