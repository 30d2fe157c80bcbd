/* The child of a fork: exec and _exit work, whatever the parent's threads were in the middle of;
 * any other use is a fatal error, and nothing hangs. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 12, BUSY = 2 };

static _Bool stop;
static go_chan(int) shared;
static go_mutex mutex;

/* Keeps the runtime's own locks busy. */
static void leaf(go_waitgroup *wg)
{
    go_sleep(GO_MICROSECOND);
    go_mutex_lock(&mutex);
    go_mutex_unlock(&mutex);
    go_waitgroup_done(wg);
}

static void churn(go_waitgroup *ends)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        go_waitgroup wg = { 0 };
        go_waitgroup_add(&wg, 4);
        for (int i = 0; i < 4; i++)
            go(leaf, &wg);
        (void)go_try_send(shared, 1);
        (void)go_try_recv(shared, NULL);
        go_waitgroup_wait(&wg);
    }
    go_waitgroup_done(ends);
}

static void nothing(void *unused)
{
    (void)unused;
}

static int nothing_to_run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void exits(void)
{
    _exit(7);
}

static void execs(void)
{
    execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
}

static go_pool pool;
static go_map(int, int) map;

/* What only touches memory works. */
static void touches_memory(void)
{
    int value = 0, *item = go_pool_get(&pool);
    go_pool_put(&pool, item ? item : &value);
    CHECK(go_pool_get(&pool) != NULL, 1);
    CHECK(go_map_store(&map, 2, 7), 0);
    CHECK(go_map_load(&map, 2, &value), 1);
    _exit(value);
}

static void spawns(void)
{
    go_spawn(nothing, NULL);
}

static void runs(void)
{
    go_run(nothing_to_run, 0, NULL);
}

static void sleeps(void)
{
    go_sleep(GO_MILLISECOND);
}

static void yields(void)
{
    go_gosched();
}

static void receives(void)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_recv(c);
}

static void selects(void)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_select(go_case_recv(c, NULL), go_case_after(GO_MILLISECOND));
}

static void waits(void)
{
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go_waitgroup_wait(&wg);
}

static void asks_for_processors(void)
{
    go_gomaxprocs(2);
}

static void shuts_down(void)
{
    go_shutdown(-1);
}

static const char said[] = "fatal error: the runtime does not live on in the child of a fork";

/* Runs what in the child; its status must be that, and its text said where that is 2. */
static void in_child(void (*what)(void), int status)
{
    char text[16384];
    int result, out[2];
    CHECK(pipe(out), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], 2);
        close(out[0]);
        close(out[1]);
        alarm(50); /* a hang is a death by SIGALRM */
        what();
        _exit(3);
    }
    CHECK(child > 0, 1);
    close(out[1]);
    size_t size = 0;
    for (ssize_t n;
         size < sizeof text - 1 && (n = read(out[0], text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)n;
    text[size] = 0;
    while (read(out[0], (char[256]){ 0 }, 256) > 0)
        ;
    close(out[0]);
    CHECK(waitpid(child, &result, 0), child);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != status ||
        (status == 2 && !strstr(text, said))) {
        fprintf(stderr, "child: status %#x, expected exit %d; its text: %s\n", (unsigned)result,
                status, text);
        exit(1);
    }
}

static void uses(void (*const *list)(void), int n)
{
    for (int i = 0; i < n; i++)
        in_child(list[i], 2);
}

static void (*const forbidden[])(void) = {
    spawns, runs, sleeps, receives, selects, waits, asks_for_processors, shuts_down
};

static int from_goroutine(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_waitgroup ends = { 0 };
    shared = go_chan_make(int, 1);
    go_waitgroup_add(&ends, BUSY);
    for (int i = 0; i < BUSY; i++)
        go(churn, &ends);
    for (int i = 0; i < FORKS; i++) {
        in_child(exits, 7);
        go_gosched();
    }
    for (int i = 0; i < 5; i++)
        in_child(execs, 7);
    go_pool_put(&pool, &map);
    in_child(touches_memory, 7);
    in_child(yields, 2);
    uses(forbidden, sizeof forbidden / sizeof *forbidden - 1); /* go_shutdown fails anyway */
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    go_waitgroup_wait(&ends);
    return 0;
}

int main(void)
{
    CHECK(go_run(from_goroutine, 0, NULL), 0);
    in_child(exits, 7); /* from a plain thread */
    in_child(execs, 7);
    in_child(touches_memory, 7);
    uses(forbidden, sizeof forbidden / sizeof *forbidden);
    CHECK(go_shutdown(-1), 0);
    in_child(exits, 7);
    return 0;
}
