/* Mutexes, wait groups, once, conditions. Go's package sync; its Pool is in pool.h, its Map in
 * map.h. All are usable as `= {0}` (a condition: but for its locker), by goroutines and plain
 * threads, and must not be copied after first use. When a call has returned that observed the last
 * event, the caller may let the object go at once; but a once, or what others wait for too, or with
 * a context, only when no other call on it is in progress (docs/memory.md). A NULL object is what
 * it is in Go: a nil dereference.
 *
 * Go's package sync/atomic has no counterpart here: C11's <stdatomic.h> has all of it (Add, And,
 * Or, Load, Store, Swap, CompareAndSwap, by default sequentially consistent as Go's); for
 * atomic.Value and atomic.Pointer, an _Atomic pointer.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_SYNC_H
#define GOFER_SYNC_H

#include <gofer/base.h>
#include <gofer/capture.h>

GOFER_BEGIN

/* ---- mutex -------------------------------------------------------------------------------- */

/* A mutual exclusion lock, not recursive, owned by no one: any goroutine may unlock it.
 * Go: sync.Mutex. */
typedef struct go_mutex {
    uint32_t state; /* the library's own: see src/sync/mutex.c; so below */
    uint32_t reserved;
    void *waiters;
    struct go_mutex *next, **link;
} go_mutex;

/* Blocks until the mutex is held. A waiter that waited 1 ms gets it next. Go: Mutex.Lock. */
GOFER_API void go_mutex_lock(go_mutex *m);
/* Takes the mutex if it is free and returns 1, else 0. Go: Mutex.TryLock. */
GOFER_API int go_mutex_trylock(go_mutex *m);
/* Releases it. Not held: fatal error "sync: unlock of unlocked mutex". Go: Mutex.Unlock. */
GOFER_API void go_mutex_unlock(go_mutex *m);

/* The rest is how callers compile in the paths of a mutex that nobody waits for; mutex.c says why
 * a plain store is enough to unlock. */
enum { GOFER_MUTEX_LOTS = 256 };
extern GOFER_API uint8_t gofer_mutex_watched[GOFER_MUTEX_LOTS];
GOFER_API void gofer_mutex_lock_slow(go_mutex *m);
GOFER_API void gofer_mutex_unlock_slow(go_mutex *m);
GOFER_API void gofer_mutex_unlocked(const go_mutex *m);

#define GOFER_MUTEX_LOT(m) (((uintptr_t)(m) >> 4 ^ (uintptr_t)(m) >> 12) % GOFER_MUTEX_LOTS)

GOFER_INLINE void go_mutex_lock(go_mutex *m)
{
    uint32_t unlocked = 0;
    if (__builtin_expect(!__atomic_compare_exchange_n(&m->state, &unlocked, 1, 0, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED),
                         0))
        gofer_mutex_lock_slow(m);
}

GOFER_INLINE void go_mutex_unlock(go_mutex *m)
{
    const uint8_t *watched = &gofer_mutex_watched[GOFER_MUTEX_LOT(m)];
    if (__builtin_expect(__atomic_load_n(watched, __ATOMIC_RELAXED) != 0 ||
                             __atomic_load_n(&m->state, __ATOMIC_RELAXED) != 1,
                         0)) {
        gofer_mutex_unlock_slow(m);
        return;
    }
    __atomic_store_n(&m->state, 0, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(watched, __ATOMIC_RELAXED), 0))
        gofer_mutex_unlocked(m);
}

/* ---- reader/writer mutex ------------------------------------------------------------------ */

/* Held by any number of readers or by one writer; owned by no one. A waiting writer stops new
 * readers, so that it gets its turn: who holds it for reading must not take it again.
 * Go: sync.RWMutex. */
typedef struct go_rwmutex {
    uint64_t state;
    uint32_t lock, reserved;
    void *readers, *writers, *pending;
} go_rwmutex;

/* For writing. Blocks until no one else holds it. Go: RWMutex.Lock. */
GOFER_API void go_rwmutex_lock(go_rwmutex *rw);
/* Takes it for writing if it is free and returns 1, else 0. Go: RWMutex.TryLock. */
GOFER_API int go_rwmutex_trylock(go_rwmutex *rw);
/* Releases it; readers that wait get it next. Not held for writing: fatal error "sync: Unlock of
 * unlocked RWMutex". Go: RWMutex.Unlock. */
GOFER_API void go_rwmutex_unlock(go_rwmutex *rw);

/* For reading. Blocks while a writer holds it or waits for it. Go: RWMutex.RLock. */
GOFER_API void go_rwmutex_rlock(go_rwmutex *rw);
/* Takes it for reading unless a writer holds it or waits, and returns 1, else 0.
 * Go: RWMutex.TryRLock. */
GOFER_API int go_rwmutex_tryrlock(go_rwmutex *rw);
/* Releases one reader's hold. Held by no reader: fatal error "sync: RUnlock of unlocked RWMutex".
 * Go: RWMutex.RUnlock. */
GOFER_API void go_rwmutex_runlock(go_rwmutex *rw);

/* For callers to compile in. The state: 1 is a writer, 4 says that readers use plain stores, 1 <<
 * 29 that they should; readers are counted in units of 1 << 32, reads in units of 1 << 13: see
 * rwmutex.c. */
GOFER_API void gofer_rwmutex_rlock_by_table(go_rwmutex *rw);
GOFER_API void gofer_rwmutex_runlock_by_table(go_rwmutex *rw);
GOFER_API void gofer_rwmutex_rlock_slow(go_rwmutex *rw);
GOFER_API void gofer_rwmutex_runlock_slow(go_rwmutex *rw);

GOFER_INLINE void go_rwmutex_rlock(go_rwmutex *rw)
{
    uint64_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    if ((state & 4) != 0)
        gofer_rwmutex_rlock_by_table(rw);
    else if ((state & 0x20000001) != 0 ||
             !__atomic_compare_exchange_n(&rw->state, &state, state + 0x100002000, 0,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        gofer_rwmutex_rlock_slow(rw);
}

GOFER_INLINE void go_rwmutex_runlock(go_rwmutex *rw)
{
    uint64_t state = __atomic_load_n(&rw->state, __ATOMIC_RELAXED);
    if ((state & 4) != 0)
        gofer_rwmutex_runlock_by_table(rw);
    else if ((state & 1) != 0 || state < 0x100000000 ||
             !__atomic_compare_exchange_n(&rw->state, &state, state - 0x100000000, 0,
                                          __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        gofer_rwmutex_runlock_slow(rw);
}

/* ---- locker ------------------------------------------------------------------------------- */

/* Anything that can be locked; the functions get `object`. Go: sync.Locker. */
typedef struct go_locker {
    void *object;
    void (*lock)(void *object);
    void (*unlock)(void *object);
} go_locker;

GOFER_API void gofer_locker_mutex_lock(void *m);
GOFER_API void gofer_locker_mutex_unlock(void *m);
GOFER_API void gofer_locker_rwmutex_lock(void *rw);
GOFER_API void gofer_locker_rwmutex_unlock(void *rw);
GOFER_API void gofer_locker_rwmutex_rlock(void *rw);
GOFER_API void gofer_locker_rwmutex_runlock(void *rw);

/* Initialisers, of static objects too: go_cond c = { .locker = GO_LOCKER_MUTEX(&m) }. */
#define GO_LOCKER_MUTEX(m)                                      \
    {                                                           \
        (m), gofer_locker_mutex_lock, gofer_locker_mutex_unlock \
    }
#define GO_LOCKER_RWMUTEX(rw)                                        \
    {                                                                \
        (rw), gofer_locker_rwmutex_lock, gofer_locker_rwmutex_unlock \
    }
#define GO_LOCKER_RWMUTEX_READ(rw)                                     \
    {                                                                  \
        (rw), gofer_locker_rwmutex_rlock, gofer_locker_rwmutex_runlock \
    }

/* Lockers of mutexes as values. Go: a *Mutex or *RWMutex as a Locker; RWMutex.RLocker. */
static inline __attribute__((unused)) go_locker go_mutex_locker(go_mutex *m)
{
    go_locker locker = GO_LOCKER_MUTEX(m);
    return locker;
}
static inline __attribute__((unused)) go_locker go_rwmutex_locker(go_rwmutex *rw)
{
    go_locker locker = GO_LOCKER_RWMUTEX(rw);
    return locker;
}
static inline __attribute__((unused)) go_locker go_rwmutex_rlocker(go_rwmutex *rw)
{
    go_locker locker = GO_LOCKER_RWMUTEX_READ(rw);
    return locker;
}

/* ---- condition ---------------------------------------------------------------------------- */

/* A place to wait for a change of what the locker guards: go_cond c = { .locker =
 * GO_LOCKER_MUTEX(&m) }. Nobody wakes without a signal or broadcast. Go: sync.Cond. */
typedef struct go_cond {
    go_locker locker; /* held by who waits, and by who changes what is waited for */
    void *self;
    uint32_t waiting;
    uint32_t reserved;
    void *waiters;
} go_cond;

/* Unlocks the locker, blocks until woken, and locks it again. In a loop: another may have been
 * faster. Where the locker's unlock panics or ends the goroutine it does not wait. Panics, as the
 * other two: "sync.Cond is copied". Go: Cond.Wait. */
GOFER_API void go_cond_wait(go_cond *c);
/* Wakes the one that has waited longest, if there is one. Does not block; with or without the
 * lock held. Go: Cond.Signal. */
GOFER_API void go_cond_signal(go_cond *c);
/* Wakes all. Does not block; with or without the lock held. Who has woken all that wait may let the
 * condition go: they lock its locker yet, and touch the condition no more. Go: Cond.Broadcast. */
GOFER_API void go_cond_broadcast(go_cond *c);

/* ---- wait group --------------------------------------------------------------------------- */

/* Waits for a collection of goroutines to finish. Go: sync.WaitGroup. */
typedef struct go_waitgroup {
    uint64_t state;
    uint32_t lock;
    uint32_t reserved;
    void *waiters;
} go_waitgroup;

/* Adds delta, which may be negative, to the counter; at zero all waiters wake. Does not block.
 * Panics: "sync: negative WaitGroup counter", "sync: WaitGroup misuse: Add called concurrently
 * with Wait". Go: WaitGroup.Add. */
GOFER_API void go_waitgroup_add(go_waitgroup *wg, int delta);

/* Takes one from the counter. Go: WaitGroup.Done. */
GOFER_API void go_waitgroup_done(go_waitgroup *wg);

/* Blocks until the counter is zero. Panics: "sync: WaitGroup is reused before previous Wait has
 * returned". Go: WaitGroup.Wait. */
GOFER_API void go_waitgroup_wait(go_waitgroup *wg);

/* Adds one, and starts fn(arg) as a goroutine that takes it away when fn has returned or called
 * go_goexit. A panic in fn ends the process, and nobody's wait ends before. The form for every
 * compiler and language binding; C programs use go_waitgroup_go(wg, fn, args…). Does not block.
 * Go: WaitGroup.Go. */
GOFER_API void go_waitgroup_spawn(go_waitgroup *wg, void (*fn)(void *), void *arg);

/* ---- once --------------------------------------------------------------------------------- */

/* Runs something once. Go: sync.Once. */
typedef struct go_once {
    uint32_t done;
    go_mutex mutex;
} go_once;

/* Calls fn(arg) if this is the first call for `once`; returns after that call has ended, by
 * whoever made it, also where it panicked. fn calling go_once_do on the same once deadlocks.
 * Go: Once.Do. */
GOFER_API void go_once_do(go_once *once, void (*fn)(void *), void *arg);

static inline __attribute__((unused)) void gofer_once_do(go_once *once, void (*fn)(void *),
                                                         void *arg)
{
    /* pairs with the release where fn has ended */
    if (__builtin_expect(!__atomic_load_n(&once->done, __ATOMIC_ACQUIRE), 0))
        go_once_do(once, fn, arg);
}
#define go_once_do(once, fn, arg) gofer_once_do((once), (fn), (arg))

/* What the two below know of their one call. */
typedef struct gofer_once_call {
    go_once once;
    int returned;
    void *panic; /* what it panicked with */
} gofer_once_call;

/* A function that runs at its first call alone: go_once_func f = { .fn = load, .arg = path }.
 * Go: sync.OnceFunc. */
typedef struct go_once_func {
    void (*fn)(void *arg);
    void *arg;
    gofer_once_call call;
} go_once_func;

/* Runs f's function if this is the first call; blocks until it has ended. Where it panicked, each
 * call panics with the same value. Go: calling what sync.OnceFunc returned. */
GOFER_API void go_once_func_call(go_once_func *f);

/* A value that is made when it is first asked for: go_once_value v = { .fn = load, .arg = path }.
 * Go: sync.OnceValue; for sync.OnceValues, fn returns a struct's address. */
typedef struct go_once_value {
    void *(*fn)(void *arg);
    void *arg;
    void *value;
    gofer_once_call call;
} go_once_value;

/* What v's function returned, which runs at the first call; blocks until it has ended. Where it
 * panicked, each call panics with the same value. Go: calling what sync.OnceValue returned. */
GOFER_API void *go_once_value_get(go_once_value *v);

/* Frees the memory of a panic that the function raised, if it did; the object may then go, or be
 * used anew. No other call may be in progress. Not in Go. */
GOFER_API void go_once_func_destroy(go_once_func *f);
GOFER_API void go_once_value_destroy(go_once_value *v);

/* Under the macros. */
typedef struct gofer_group_record {
    gofer_call call;
    const gofer_site *site;
    void *group;
    int attempt; /* 1: do not wait for room */
    int started;
} gofer_group_record;

GOFER_API void gofer_deliver_waitgroup(gofer_call *, const void *stack);

GOFER_END

#ifdef __cplusplus
#include <gofer/cxx/sync.h>
#else

/* go_waitgroup_spawn for fn(args…): up to 16 arguments of any types, checked against fn's own
 * prototype and evaluated now. Go: WaitGroup.Go. */
#define go_waitgroup_go(wg, ...)                                                     \
    __extension__({                                                                  \
        go_waitgroup *gofer_group_ = (wg);                                           \
        (void)GOFER_GROUP_GO(gofer_group_, 0, gofer_deliver_waitgroup, __VA_ARGS__); \
    })

#define GOFER_GROUP_GO(group_, attempt_, deliver_, ...)                                     \
    __extension__({                                                                         \
        static const gofer_site gofer_site_ = { __extension__ __func__, __FILE__, __LINE__, \
                                                GOFER_NAME_OF(GOFER_FIRST(__VA_ARGS__)) };  \
        gofer_group_record gofer_record_;                                                   \
        gofer_record_.call.fn = (void (*)(void))(GOFER_FIRST(__VA_ARGS__));                 \
        gofer_record_.call.deliver = (deliver_);                                            \
        gofer_record_.call.stack_size = GOFER_STACK_SIZE(__VA_ARGS__);                      \
        gofer_record_.site = &gofer_site_;                                                  \
        gofer_record_.group = (group_);                                                     \
        gofer_record_.attempt = (attempt_);                                                 \
        GOFER_CAPTURE(&gofer_record_, __VA_ARGS__);                                         \
        gofer_record_.started;                                                              \
    })

#endif
#endif
