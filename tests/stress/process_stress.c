/* Many processes at once, from goroutines and plain threads, ended by themselves, by contexts and
 * by signals at any moment: each wait tells which it was, and neither a descriptor nor a child is
 * left. Run as: process_stress [ROUNDS [SEED]]. */
#include "stress.h"
#include "../descriptors.h"

#include <signal.h>
#include <sys/wait.h>

enum { GOROUTINES = 6, THREADS = 2, CROWD = 60 };

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static void kill_soon(go_cmd *cmd, int *result, unsigned seed)
{
    stress_pause(&seed);
    errno = 0;
    *result = go_cmd_kill(cmd) == 0 ? 0 : errno;
}

/* Killed at any moment: before the exec, after the end. */
static void race_with_kill(unsigned *seed)
{
    go_cmd cmd = { .argv = WORDS("true") };
    go_waitgroup wg = { 0 };
    int killed = -1;
    STRESS_CHECK(go_cmd_start(&cmd), 0);
    go_waitgroup_go(&wg, kill_soon, &cmd, &killed, stress_random(seed));
    int status = go_cmd_wait(&cmd);
    go_waitgroup_wait(&wg);
    STRESS_CHECK(status == 0 || status == 128 + SIGKILL, 1);
    STRESS_CHECK(killed == 0 || killed == ESRCH, 1);
    if (killed == ESRCH)
        STRESS_CHECK(status, 0);
}

static void race_with_context(unsigned *seed)
{
    go_context *ctx = go_context_with_timeout(NULL, stress_random(seed) % 2000 * GO_MICROSECOND);
    go_cmd cmd = { .argv = WORDS("true"), .wait_delay = GO_MINUTE };
    int status = go_cmd_run_ctx(ctx, &cmd);
    if (status < 0)
        STRESS_CHECK(errno, ETIMEDOUT);
    else
        STRESS_CHECK(status, 0);
    go_context_end(ctx);
}

static void echo(unsigned *seed)
{
    char text[20], *bytes;
    size_t size;
    int n = snprintf(text, sizeof text, "%u", stress_random(seed));
    go_cmd cmd = {
        .argv = WORDS("cat"), .in = GO_CMD_BYTES, .input = text, .input_size = (size_t)n
    };
    STRESS_CHECK(go_cmd_output(&cmd, &bytes, &size), 0);
    STRESS_CHECK(size, n);
    STRESS_CHECK(memcmp(bytes, text, size), 0);
    free(bytes);
}

static void given_up(unsigned *seed)
{
    go_context *ctx = go_context_with_timeout(NULL, stress_random(seed) % 1000 * GO_MICROSECOND);
    go_cmd cmd = { .argv = WORDS("true") };
    STRESS_CHECK(go_cmd_start(&cmd), 0);
    int status = go_cmd_wait_ctx(ctx, &cmd);
    STRESS_CHECK(status < 0 ? go_cmd_wait(&cmd) : status, 0);
    go_context_end(ctx);
}

static void work(int id)
{
    static void (*const kinds[])(unsigned *) = { race_with_kill, race_with_context, echo,
                                                 given_up };
    unsigned seed = stress_seed + (unsigned)id * 7919 + 1;
    for (long i = 0; i < stress_rounds; i++)
        kinds[stress_random(&seed) % 4](&seed);
}

static void sleep_long(go_context *ctx, go_waitgroup *started)
{
    go_cmd cmd = { .argv = WORDS("sleep", "1000") };
    STRESS_CHECK(go_cmd_start_ctx(ctx, &cmd), 0);
    go_waitgroup_done(started);
    STRESS_CHECK(go_cmd_wait(&cmd), -1);
    STRESS_CHECK(errno, ECANCELED);
    STRESS_CHECK(cmd.state.signal, SIGKILL);
}

/* One context ends them all. */
static void a_crowd(void)
{
    go_context *ctx = go_context_with_cancel(NULL);
    go_waitgroup started = { 0 }, ended = { 0 };
    go_waitgroup_add(&started, CROWD);
    for (int i = 0; i < CROWD; i++)
        go_waitgroup_go(&ended, sleep_long, ctx, &started);
    go_waitgroup_wait(&started);
    go_context_cancel(ctx);
    go_waitgroup_wait(&ended);
    go_context_unref(ctx);
}

int go_main(int argc, char **argv)
{
    go_fd *ends[2];
    stress_begin(argc, argv, 40);
    STRESS_CHECK(go_fd_pipe(ends), 0); /* the poller's own descriptors are open now */
    int before = count_descriptors(0);
    a_crowd();
    stress_run_workers(work, GOROUTINES, THREADS);
    STRESS_CHECK(count_descriptors(0), before);
    STRESS_CHECK(waitpid(-1, NULL, WNOHANG), -1);
    STRESS_CHECK(errno, ECHILD);
    go_fd_unref(ends[0]);
    go_fd_unref(ends[1]);
    return 0;
}
