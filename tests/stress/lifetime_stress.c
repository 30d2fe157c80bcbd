/* What a call has observed the last event of may be gone at once: each round poisons and frees the
 * object right after wait, receive, lock or select returned; the other side is a goroutine or a
 * plain thread, and so is this one. Run under ASan and TSan this finds a waker that touches the
 * object late. */
#include "stress.h"

#include <pthread.h>
#include <string.h>

enum { JOBS_A_THREAD = 64 };

/* What the other side does to an object. */
typedef struct job {
    void (*fn)(void *);
    void *object;
} job;

static go_chan(job) jobs; /* for the plain threads that help */

static void done(void *wg)
{
    go_waitgroup_done(wg);
}

static void send_one(void *c)
{
    go_chan(int) ints = c;
    go_send(ints, 1);
}

static void signal_it(void *c)
{
    go_signal(c);
}

static void close_it(void *c)
{
    go_close(c);
}

static void unlock(void *m)
{
    go_mutex_unlock(m);
}

static void write_unlock(void *rw)
{
    go_rwmutex_unlock(rw);
}

static void read_unlock(void *rw)
{
    go_rwmutex_runlock(rw);
}

static void release(void *s)
{
    go_semaphore_release(s, 1);
}

struct event {
    go_mutex mutex;
    go_cond cond;
    int came;
};

static void happen(void *object)
{
    struct event *event = object;
    go_mutex_lock(&event->mutex);
    event->came = 1;
    go_cond_signal(&event->cond);
    go_mutex_unlock(&event->mutex);
}

/* A condition that goes when all who wait are told, though they have not run since. */
struct passing {
    go_mutex mutex;
    go_cond *cond;
    go_waitgroup ended;
    int waits;
};

static void wait_for_end(void *object)
{
    struct passing *passing = object;
    go_mutex_lock(&passing->mutex);
    passing->waits++;
    go_cond_wait(passing->cond);
    go_mutex_unlock(&passing->mutex);
    go_waitgroup_done(&passing->ended);
}

static void nothing(void *unused)
{
    (void)unused;
}

struct large {
    char bytes[5000];
};

static void send_large(void *c)
{
    go_chan(struct large) larges = c;
    struct large large;
    memset(&large, 7, sizeof large);
    go_send(larges, large);
}

static void receive(void *c)
{
    go_chan(int) ints = c;
    go_recv(ints);
}

struct do_once {
    go_once once;
    go_waitgroup both;
};

static void once_done(void *object)
{
    struct do_once *both = object;
    go_once_do(&both->once, nothing, NULL);
    go_waitgroup_done(&both->both);
}

static void *helper(void *unused)
{
    (void)unused;
    go_range (job, jobs)
        job.fn(job.object);
    return NULL;
}

/* The other side is a goroutine, or a plain thread. */
static void elsewhere(unsigned *random, void (*fn)(void *), void *object)
{
    if (stress_random(random) % 4)
        go(fn, object);
    else
        go_send(jobs, ((job){ fn, object }));
}

static void poison(void *object, size_t size)
{
    memset(object, 0xa5, size);
    __asm__ volatile("" ::: "memory"); /* or the compiler leaves the stores out */
    free(object);
}

static void wait_group(unsigned *random)
{
    go_waitgroup *wg = calloc(1, sizeof *wg);
    go_waitgroup_add(wg, 2);
    elsewhere(random, done, wg);
    elsewhere(random, done, wg);
    stress_pause(random);
    go_waitgroup_wait(wg);
    poison(wg, sizeof *wg);
}

static void mutex(unsigned *random)
{
    go_mutex *m = calloc(1, sizeof *m);
    go_mutex_lock(m);
    elsewhere(random, unlock, m);
    stress_pause(random);
    if (stress_random(random) % 4 == 0)
        while (!go_mutex_trylock(m))
            go_gosched();
    else
        go_mutex_lock(m);
    go_mutex_unlock(m);
    poison(m, sizeof *m);
}

/* An object of several owners; who counts the last one out frees it right after its unlock. */
struct shared {
    go_mutex mutex;
    int owners;
};

static void leave(void *object)
{
    struct shared *shared = object;
    go_mutex_lock(&shared->mutex);
    int left = --shared->owners;
    go_mutex_unlock(&shared->mutex);
    if (left == 0)
        poison(shared, sizeof *shared);
}

/* Several at once, of which the next take the memory: an unlock that has freed its mutex may find
 * another there, with waiters. Their first waiters come as the unlocks run, which starts watches;
 * see mutex.c. */
static void owners(unsigned *random)
{
    enum { OBJECTS = 4, OWNERS = 3 };
    struct shared *objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = calloc(1, sizeof *objects[i]);
        objects[i]->owners = OWNERS;
    }
    for (int owner = 1; owner < OWNERS; owner++)
        for (int i = 0; i < OBJECTS; i++)
            elsewhere(random, leave, objects[i]);
    for (int i = 0; i < OBJECTS; i++) {
        stress_pause(random);
        leave(objects[i]);
    }
}

static void locks(unsigned *random)
{
    go_rwmutex *rw = calloc(1, sizeof *rw);
    go_rwmutex_lock(rw);
    elsewhere(random, write_unlock, rw);
    stress_pause(random);
    go_rwmutex_rlock(rw);
    if (stress_random(random) % 2) { /* as if it were often read: by the table from now on */
        __atomic_fetch_or(&rw->state, 4, __ATOMIC_RELAXED);
        go_rwmutex_rlock(rw);
        go_rwmutex_runlock(rw);
    }
    if (stress_random(random) % 2) {
        go_rwmutex_runlock(rw);
        go_rwmutex_rlock(rw);
    }
    elsewhere(random, read_unlock, rw);
    stress_pause(random);
    go_rwmutex_lock(rw);
    poison(rw, sizeof *rw);

    go_semaphore *s = calloc(1, sizeof *s);
    go_semaphore_init(s, 1);
    go_semaphore_acquire(s, 1);
    elsewhere(random, release, s);
    stress_pause(random);
    go_semaphore_acquire(s, 1);
    poison(s, sizeof *s);

    struct event *event = calloc(1, sizeof *event);
    event->cond.locker = go_mutex_locker(&event->mutex);
    elsewhere(random, happen, event);
    stress_pause(random);
    go_mutex_lock(&event->mutex);
    while (!event->came)
        go_cond_wait(&event->cond);
    go_mutex_unlock(&event->mutex);
    poison(event, sizeof *event);

    go_waitgroup *wg = calloc(1, sizeof *wg);
    go_waitgroup_go(wg, stress_pause, random);
    go_waitgroup_wait(wg);
    poison(wg, sizeof *wg);
}

static void condition(unsigned *random)
{
    struct passing *passing = calloc(1, sizeof *passing);
    passing->cond = calloc(1, sizeof *passing->cond);
    passing->cond->locker = go_mutex_locker(&passing->mutex);
    go_waitgroup_add(&passing->ended, 2);
    go(wait_for_end, passing);
    elsewhere(random, wait_for_end, passing);
    stress_pause(random);
    go_mutex_lock(&passing->mutex);
    while (passing->waits < 2) {
        go_mutex_unlock(&passing->mutex);
        go_gosched();
        go_mutex_lock(&passing->mutex);
    }
    go_cond_broadcast(passing->cond);
    go_mutex_unlock(&passing->mutex);
    poison(passing->cond, sizeof *passing->cond);
    go_waitgroup_wait(&passing->ended);
    poison(passing, sizeof *passing);
}

static void once(unsigned *random)
{
    struct do_once *both = calloc(1, sizeof *both);
    go_waitgroup_add(&both->both, 2);
    elsewhere(random, once_done, both);
    elsewhere(random, once_done, both);
    stress_pause(random);
    go_once_do(&both->once, nothing, NULL);
    go_waitgroup_wait(&both->both);
    poison(both, sizeof *both);
}

static void channels(unsigned *random)
{
    int capacity = (int)(stress_random(random) % 2), ok;
    go_chan(int) c = go_chan_make(int, capacity);
    elsewhere(random, send_one, c);
    stress_pause(random);
    STRESS_CHECK(go_recv(c), 1);
    go_chan_unref(c);

    c = go_chan_make(int, 0);
    elsewhere(random, receive, c);
    stress_pause(random);
    go_send(c, 1);
    go_chan_unref(c);

    go_chan(go_unit) units = go_chan_make(go_unit, capacity);
    elsewhere(random, signal_it, units);
    stress_pause(random);
    go_recv(units);
    go_chan_unref(units);

    c = go_chan_make(int, capacity);
    elsewhere(random, close_it, c);
    stress_pause(random);
    ok = go_recv_ok(c, NULL);
    STRESS_CHECK(ok, 0);
    go_chan_unref(c);

    go_chan(struct large) larges = go_chan_make(struct large, capacity);
    elsewhere(random, send_large, larges);
    stress_pause(random);
    struct large *large = malloc(sizeof *large); /* where the value goes may be gone too */
    STRESS_CHECK(go_recv_ok(larges, large), 1);
    STRESS_CHECK(large->bytes[4999], 7);
    poison(large, sizeof *large);
    go_chan_unref(larges);
}

static void selects(unsigned *random)
{
    go_chan(int) c = go_chan_make(int, 0);
    go_chan(int) other = go_chan_make(int, (int)(stress_random(random) % 2));
    elsewhere(random, close_it, c);
    stress_pause(random);
    STRESS_CHECK(
        go_select(go_case_recv(c, NULL), go_case_recv(other, NULL), go_case_after(GO_HOUR)), 0);
    go_chan_unref(c);
    elsewhere(random, send_one, other);
    int *value = calloc(1, sizeof *value), *ok = calloc(1, sizeof *ok);
    STRESS_CHECK(go_select(go_case_recv_ok(other, value, ok), go_case_after(GO_HOUR)), 0);
    STRESS_CHECK(*value + *ok, 2);
    poison(value, sizeof *value);
    poison(ok, sizeof *ok);
    go_chan_unref(other);
}

/* The timer fires as the value comes, or the channel goes as the timer fires. */
static void timers(unsigned *random)
{
    go_duration moment = (go_duration)(stress_random(random) % 20) * GO_MICROSECOND;
    go_chan(int) c = go_chan_make(int, 1);
    elsewhere(random, send_one, c);
    if (go_select(go_case_recv(c, NULL), go_case_after(moment)) != 0)
        go_recv(c);
    go_chan_unref(c);
    go_chan(int64_t) after = go_after(moment);
    if (stress_random(random) % 2)
        go_recv(after);
    go_chan_unref(after);
    if (stress_random(random) % 8 == 0)
        go_sleep(moment);
}

static void all(unsigned *random)
{
    wait_group(random);
    mutex(random);
    owners(random);
    locks(random);
    condition(random);
    once(random);
    channels(random);
    selects(random);
    timers(random);
}

static void *rounds_in_thread(void *seed)
{
    unsigned random = *(unsigned *)seed;
    for (long i = 0; i < stress_rounds / JOBS_A_THREAD; i++)
        all(&random);
    return NULL;
}

int go_main(int argc, char **argv)
{
    stress_begin(argc, argv, 800);
    unsigned random = stress_seed, seed = stress_seed + 1;
    pthread_t helpers[2], thread;
    jobs = go_chan_make(job, JOBS_A_THREAD);
    for (int i = 0; i < 2; i++)
        STRESS_CHECK(pthread_create(&helpers[i], NULL, helper, NULL), 0);
    STRESS_CHECK(pthread_create(&thread, NULL, rounds_in_thread, &seed), 0);
    for (long i = 0; i < stress_rounds; i++)
        all(&random);
    pthread_join(thread, NULL);
    go_close(jobs);
    for (int i = 0; i < 2; i++)
        pthread_join(helpers[i], NULL);
    return 0;
}
