/* Real libraries, unchanged, in goroutines: libpq, hiredis, libcurl, SQLite, all at once, and no
 * processor stalls.
 *
 * A ticker goroutine is the measure. First 32 goroutines sit in calls that end only when main's
 * goroutine lets them, which it does after the ticker went on; with a processor for one and no
 * hand-off it never would. Then as many workers send one query after the other and never wait
 * in the runtime, until the ticker has made far more ticks than there are workers: without hand-off
 * it could make one whenever a worker ends. So a stall is a hang, which the script ends; times are
 * printed and not judged: beside the ticker's longest gap that of a plain thread which does the
 * same, for what the machine does to both. */
#include "load.h"
#include "../descriptors.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum {
    LIBRARIES = 4,
    HELD_TICKS = 100,
    LOAD_TICKS = 500,
    LEAST_ROUNDS = 5, /* of each worker */
    SPARE_THREADS = 8 /* of main and the ticker in C calls, the monitor, the plain one */
};

static const library *const libraries[LIBRARIES] = { &with_postgres, &with_redis, &with_http,
                                                     &with_sqlite };
const char *folder, *url;

/* ---- the ticker ----------------------------------------------------------------------------- */

/* Relaxed, all of them: measures, which order nothing. */
static _Atomic bool stops;
static _Atomic int ticks_made;
static _Atomic int64_t threads_most;
static _Atomic int64_t gap_most, thread_gap_most; /* nanoseconds between two ticks */
static go_chan(go_unit) beat;                     /* gets a value at a tick if somebody waits */

static int count_threads(void)
{
    char line[256];
    int threads = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "Threads: %d", &threads) == 1)
            break;
    if (status)
        fclose(status);
    return threads;
}

static void raise_to(_Atomic int64_t *most, int64_t value)
{
    if (value > atomic_load_explicit(most, memory_order_relaxed))
        atomic_store_explicit(most, value, memory_order_relaxed);
}

static void tick(go_waitgroup *done)
{
    for (int64_t last = go_now(); !atomic_load_explicit(&stops, memory_order_relaxed);) {
        go_sleep(GO_MILLISECOND);
        int64_t now = go_now();
        raise_to(&gap_most, now - last);
        last = now;
        if (atomic_fetch_add_explicit(&ticks_made, 1, memory_order_relaxed) % 16 == 0)
            raise_to(&threads_most, count_threads());
        go_try_send(beat, (go_unit){ 0 });
    }
    go_waitgroup_done(done);
}

static void *tick_as_thread(void *unused)
{
    for (int64_t last = go_now(); !atomic_load_explicit(&stops, memory_order_relaxed);) {
        nanosleep(&(struct timespec){ .tv_nsec = GO_MILLISECOND }, NULL);
        int64_t now = go_now();
        raise_to(&thread_gap_most, now - last);
        last = now;
    }
    return unused;
}

static int ticks_since(int before)
{
    return atomic_load_explicit(&ticks_made, memory_order_relaxed) - before;
}

/* ---- held up -------------------------------------------------------------------------------- */

static void wait_in(const library *in, go_waitgroup *done)
{
    in->wait();
    go_waitgroup_done(done);
}

static int all_held(void)
{
    int ticks = 0;
    go_waitgroup done = { 0 };
    for (int i = 0; i < LIBRARIES; i++) {
        libraries[i]->hold();
        go_waitgroup_add(&done, HELD);
        for (int j = 0; j < HELD; j++)
            go(wait_in, libraries[i], &done);
    }
    for (int i = 0; i < LIBRARIES; i++)
        while (libraries[i]->blocked() < HELD)
            go_recv(beat);
    for (int before = ticks_since(0); ticks < HELD_TICKS; ticks = ticks_since(before))
        go_recv(beat);
    for (int i = 0; i < LIBRARIES; i++) {
        CHECK(libraries[i]->blocked(), HELD);
        libraries[i]->release();
    }
    go_waitgroup_wait(&done);
    return ticks;
}

/* ---- under load ----------------------------------------------------------------------------- */

static _Atomic bool enough;                       /* relaxed: the wait group orders what matters */
static _Atomic int rounds_of[LIBRARIES][WORKERS]; /* relaxed, the same */

static void work(int which, int worker, go_waitgroup *done)
{
    const library *with = libraries[which];
    void *connection = with->open(worker);
    for (int round = 0; !atomic_load_explicit(&enough, memory_order_relaxed); round++) {
        with->round(connection, worker, round);
        atomic_store_explicit(&rounds_of[which][worker], round + 1, memory_order_relaxed);
    }
    with->close(connection);
    go_waitgroup_done(done);
}

static bool all_made(int least)
{
    for (int i = 0; i < LIBRARIES; i++)
        for (int j = 0; j < WORKERS; j++)
            if (atomic_load_explicit(&rounds_of[i][j], memory_order_relaxed) < least)
                return false;
    return true;
}

/* Returns the ticks meanwhile. */
static int all_at_work(void)
{
    go_waitgroup done = { 0 };
    go_waitgroup_add(&done, LIBRARIES * WORKERS);
    int before = ticks_since(0);
    for (int j = 0; j < WORKERS; j++)
        for (int i = 0; i < LIBRARIES; i++)
            go(work, i, j, &done);
    while (ticks_since(before) < LOAD_TICKS || !all_made(LEAST_ROUNDS))
        go_recv(beat);
    int ticks = ticks_since(before);
    atomic_store_explicit(&enough, true, memory_order_relaxed);
    go_waitgroup_wait(&done);
    return ticks;
}

/* ---- what is left --------------------------------------------------------------------------- */

int go_main(int argc, char **argv)
{
    CHECK(argc, 3);
    folder = argv[1];
    url = argv[2];
    pthread_t thread;
    go_waitgroup ticked = { 0 };
    beat = go_chan_make(go_unit, 0);
    go_waitgroup_add(&ticked, 1);
    go(tick, &ticked);
    CHECK(pthread_create(&thread, NULL, tick_as_thread, NULL), 0);
    go_recv(beat);
    int descriptors = count_descriptors(false);

    for (int i = 0; i < LIBRARIES; i++)
        libraries[i]->begin();
    int ticks_held = all_held();
    int64_t start = go_now();
    int ticks = all_at_work();
    int64_t time = go_now() - start;
    printf(
        "GOMAXPROCS=%d: %d ticks with %d goroutines held; %d in %lld ms of load; longest gap %lld "
        "us, a plain thread's %lld us; %d threads at most; rounds:",
        go_gomaxprocs(0), ticks_held, LIBRARIES * HELD, ticks, (long long)(time / GO_MILLISECOND),
        (long long)(gap_most / GO_MICROSECOND), (long long)(thread_gap_most / GO_MICROSECOND),
        (int)threads_most);
    for (int i = 0; i < LIBRARIES; i++) {
        int rounds = 0;
        for (int j = 0; j < WORKERS; j++)
            rounds += rounds_of[i][j];
        printf(" %s %d", libraries[i]->name, rounds);
        libraries[i]->verify(rounds);
    }
    printf("\n");

    int left = count_descriptors(false);
    if (left != descriptors)
        count_descriptors(true);
    CHECK(left, descriptors);
    CHECK(ticks >= LOAD_TICKS && ticks > LIBRARIES * WORKERS + go_gomaxprocs(0), 1);
    CHECK(threads_most > LIBRARIES * HELD, 1);
    CHECK(threads_most <= LIBRARIES * HELD + go_gomaxprocs(0) + SPARE_THREADS, 1);
    atomic_store_explicit(&stops, true, memory_order_relaxed);
    go_waitgroup_wait(&ticked);
    CHECK(pthread_join(thread, NULL), 0);
    go_chan_unref(beat);
    return 0;
}
