/* go_stack, go_caller, go_callers and their like, from goroutines and plain threads, alone and
 * while everything moves. */
#include "unit.h"

#include <pthread.h>

#define NOINLINE __attribute__((noinline))

static go_chan(int) never;
static go_chan(go_unit) units;
static char text[1 << 20];

static void parks(void)
{
    go_recv(never);
}

static int contains(const char *what)
{
    int found = strstr(text, what) != NULL;
    if (!found)
        fprintf(stderr, "no \"%s\" in:\n%s\n", what, text);
    return found;
}

NOINLINE static void own_trace(void)
{
    size_t n = go_stack(text, sizeof text, 0);
    CHECK(n, strlen(text));
    CHECK(strncmp(text, "goroutine ", 10), 0);
    CHECK(contains("]:\nmain.own_trace(...)\n\t"), 1);
    CHECK(contains("stack_test.c:"), 1);
    CHECK(strstr(text, "go_stack") == NULL, 1);
}

static int count_of(const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

static void trace_of_all(void)
{
    never = go_chan_make(int, 0);
    for (int i = 0; i < 3; i++)
        go_with(&(go_options){ .name = "waiter" }, parks);
    do { /* until all wait */
        go_gosched();
        go_stack(text, sizeof text, 1);
    } while (count_of("[chan receive") < 3);
    CHECK(contains("main.trace_of_all(...)"), 1);
    CHECK(contains("\n\ngoroutine "), 1);
    CHECK(contains("main.parks(...)"), 1);
    CHECK(contains("labels:{\"name\": \"waiter\"}"), 1);
    CHECK(contains("created by main.trace_of_all in goroutine 1\n"), 1);
    CHECK(count_of("[chan receive"), 3);
    go_close(never);
}

static void small_buffers(void)
{
    char all[4096], small[64], one[1] = "x";
    size_t n = go_stack(all, sizeof all, 0);
    CHECK(n > sizeof small, 1);
    CHECK(go_stack(small, sizeof small, 1), sizeof small - 1);
    CHECK(strlen(small), sizeof small - 1);
    CHECK(strncmp(small, all, 12), 0);
    CHECK(go_stack(one, 1, 1), 0);
    CHECK(one[0], 0);
    CHECK(go_stack(NULL, 0, 1), 0);
}

NOINLINE static int where(int skip, go_frame *frame)
{
    int found = go_caller(skip, frame);
    __asm__ volatile("");
    return found;
}

NOINLINE static void callers(void)
{
    go_frame frame, frames[8];
    uintptr_t pcs[100];
    CHECK(where(0, &frame), 1);
    CHECK_TEXT(frame.function, "where");
    CHECK(where(1, &frame), 1);
    int line = __LINE__ - 1;
    CHECK_TEXT(frame.function, "callers");
    CHECK(frame.line, line);
    CHECK(strstr(frame.file, "stack_test.c") != NULL, 1);
    CHECK(where(1000, &frame), 0);
    size_t n = go_callers(0, pcs, 100);
    CHECK(n >= 2, 1);
    CHECK(go_frames(pcs[0], frames, 8) >= 1, 1);
    CHECK_TEXT(frames[0].function, "callers");
    CHECK(go_frames(pcs[0], frames, 0), 0);
    CHECK(go_callers(1, pcs, 100), n - 1);
    CHECK(go_callers(1000, pcs, 100), 0);
    CHECK(go_callers(0, pcs, 1), 1);
}

static void *in_plain_thread(void *unused)
{
    (void)unused;
    own_trace();
    callers();
    go_thread_ignore();
    return NULL;
}

static void moves(long rounds)
{
    for (long i = 0; i < rounds; i++) {
        go_signal(units);
        go_gosched();
        if (i % 64 == 0)
            go_sleep(GO_MICROSECOND);
    }
}

static void drains(long values, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    for (long i = 0; i < values; i++)
        go_recv(units);
}

static void looks(go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    char *own = malloc(1 << 16);
    for (int i = 0; i < 100; i++) {
        CHECK(go_stack(own, 1 << 16, 1) > 0, 1);
        CHECK(strncmp(own, "goroutine ", 10), 0);
        go_gosched();
    }
    free(own);
}

/* The world goes on after each stop, whoever else wants to stop it. */
static void looks_while_all_moves(void)
{
    enum { MOVERS = 8, ROUNDS = 3000 };
    go_waitgroup wg = { 0 };
    int before = go_gomaxprocs(4);
    units = go_chan_make(go_unit, 4);
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < MOVERS; i++)
        go(moves, (long)ROUNDS);
    for (int i = 0; i < 2; i++)
        go(drains, (long)ROUNDS * MOVERS / 2, &wg);
    for (int i = 0; i < 2; i++)
        go(looks, &wg);
    go_waitgroup_wait(&wg);
    go_gomaxprocs(before);
}

enum { DEEP_STACK = 512 * 1024, LEFT = 5 * 1024 };

NOINLINE static void goes_down_to(uintptr_t lowest, go_chan(go_unit) at_the_end)
{
    volatile char room[256];
    room[0] = 1;
    if ((uintptr_t)room > lowest)
        goes_down_to(lowest, at_the_end);
    else
        go_recv(at_the_end);
    room[1] = room[0]; /* no tail call */
}

static void waits_deep_down(void *at_the_end)
{
    char here;
    goes_down_to((uintptr_t)&here - DEEP_STACK + LEFT, (go_chan(go_unit))at_the_end);
}

/* No trace is taken where the unwinder would run out of the other's stack. */
static void one_with_no_stack_left(void)
{
    static char all[1 << 16];
    go_chan(go_unit) at_the_end = go_chan_make(go_unit, 0);
    go_spawn_with(&(go_options){ .stack = DEEP_STACK }, waits_deep_down, (void *)at_the_end);
    for (int blocked = 0; !blocked; go_gosched()) {
        go_stack(all, sizeof all, 1);
        blocked = strstr(all, "[chan receive") && !strstr(all, "stack unavailable");
    }
    CHECK(strstr(all, "main.waits_deep_down(...)\n") != NULL, 1);
    CHECK(strstr(all, "goes_down_to") != NULL, 0);
    go_signal(at_the_end);
    while (go_num_goroutine() > 1)
        go_gosched();
    go_chan_unref(at_the_end);
}

static void touches(void *ended)
{
    volatile char room[400 * 1024];
    room[0] = room[sizeof room - 1] = 1;
    go_signal(ended);
}

/* What is asked for beyond the limit is not reserved: no machine has so much. */
static void limits_of_stacks(void)
{
    go_chan(go_unit) ended = go_chan_make(go_unit, 0);
    CHECK(go_set_max_stack(0), 1000000000);
    CHECK(go_set_max_stack((size_t)1 << 20), 1000000000);
    go_spawn_with(&(go_options){ .stack = (size_t)1 << 60 }, touches, (void *)ended);
    go_recv(ended);
    go_chan_unref(ended);
    CHECK(go_set_max_stack(1000000000), (size_t)1 << 20);
}

static void all_in_goroutine(void)
{
    own_trace();
    trace_of_all();
    small_buffers();
    callers();
    looks_while_all_moves();
    limits_of_stacks();
    one_with_no_stack_left();
}

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    pthread_t thread;
    all_in_goroutine();
    CHECK(pthread_create(&thread, NULL, in_plain_thread, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

int main(void)
{
    go_stack(text, sizeof text, 1); /* nothing runs yet */
    CHECK(go_run(run, 0, NULL), 0);
    own_trace();
    return 0;
}
