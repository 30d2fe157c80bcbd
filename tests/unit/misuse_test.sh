#!/usr/bin/env bash
# What wrong calls give, in the plain build and under ASan: Go's text and status 2 where Go ends a
# program, and otherwise what the headers say.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/expect.sh"

read -r -d '' program <<'C'
#include <gofer.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static go_mutex mutex;
static go_rwmutex rw;
static go_waitgroup wg;
static go_once once;
static go_cond cond, copy;
static go_semaphore semaphore = GO_SEMAPHORE(2);
static go_errgroup group;
static go_chan(int) c;
static go_chan(go_unit) blocker;
typedef go_map(const char *, int) numbers;
static numbers map, *volatile numbers_of;
static int received;
static go_timer *timer;
static go_ticker *ticker;
static go_mutex *volatile lock;
static go_waitgroup *volatile others;

static int waits(void)
{
    go_recv(blocker);
    return 0;
}
static void read_often(void)
{
    for (int i = 0; i < 100000; i++) {
        go_rwmutex_rlock(&rw);
        go_rwmutex_runlock(&rw);
    }
}
static void nothing(void *unused)
{
    (void)unused;
}

/* Each is run alone, in a process of its own. */
#define CASES                                                                                    \
    CASE(mutex_unlock, go_mutex_unlock(&mutex))                                                  \
    CASE(mutex_unlock_twice, go_mutex_lock(&mutex), go_mutex_unlock(&mutex), go_mutex_unlock(&mutex)) \
    CASE(mutex_null, go_mutex_lock(NULL))                                                        \
    CASE(rwmutex_unlock, go_rwmutex_unlock(&rw))                                                 \
    CASE(rwmutex_unlock_of_reader, go_rwmutex_rlock(&rw), go_rwmutex_unlock(&rw))                \
    CASE(rwmutex_unlock_twice, go_rwmutex_lock(&rw), go_rwmutex_unlock(&rw), go_rwmutex_unlock(&rw)) \
    CASE(rwmutex_runlock, go_rwmutex_runlock(&rw))                                               \
    CASE(rwmutex_runlock_of_often_read, read_often(), go_rwmutex_runlock(&rw))                   \
    CASE(rwmutex_runlock_of_writer, go_rwmutex_lock(&rw), go_rwmutex_runlock(&rw))               \
    CASE(rwmutex_runlock_twice, go_rwmutex_rlock(&rw), go_rwmutex_runlock(&rw), go_rwmutex_runlock(&rw)) \
    CASE(rwmutex_null, go_rwmutex_rlock(NULL))                                                   \
    CASE(waitgroup_negative, go_waitgroup_add(&wg, -1))                                          \
    CASE(waitgroup_done, go_waitgroup_done(&wg))                                                 \
    CASE(waitgroup_overflow, go_waitgroup_add(&wg, INT_MAX), go_waitgroup_add(&wg, 1))           \
    CASE(waitgroup_least, go_waitgroup_add(&wg, INT_MIN))                                        \
    CASE(waitgroup_null, go_waitgroup_wait(NULL))                                                \
    CASE(once_null_function, go_once_do(&once, NULL, NULL))                                      \
    CASE(once_null, go_once_do(NULL, nothing, NULL))                                             \
    CASE(cond_copied, (cond = (go_cond){ .locker = GO_LOCKER_MUTEX(&mutex) }),                   \
         go_cond_signal(&cond), memcpy(&copy, &cond, sizeof copy), go_cond_signal(&copy))        \
    CASE(cond_without_locker, go_cond_wait(&cond))                                               \
    CASE(cond_unlocked, (cond = (go_cond){ .locker = GO_LOCKER_MUTEX(&mutex) }), go_cond_wait(&cond)) \
    CASE(cond_null, go_cond_signal(NULL))                                                        \
    CASE(semaphore_size, go_semaphore_init(&semaphore, -1))                                      \
    CASE(semaphore_acquire, go_semaphore_acquire(&semaphore, -1))                                \
    CASE(semaphore_try_acquire, go_semaphore_try_acquire(&semaphore, INT64_MIN))                 \
    CASE(semaphore_release, go_semaphore_release(&semaphore, -1))                                \
    CASE(semaphore_released, go_semaphore_release(&semaphore, 1))                                \
    CASE(semaphore_released_most, go_semaphore_acquire(&semaphore, 1),                           \
         go_semaphore_release(&semaphore, INT64_MAX))                                            \
    CASE(semaphore_too_much, go_semaphore_acquire(&semaphore, INT64_MAX))                        \
    CASE(semaphore_null, go_semaphore_acquire(NULL, 1))                                          \
    CASE(errgroup_limit, go_errgroup_set_limit(&group, 1), go_errgroup_go(&group, waits),        \
         go_errgroup_set_limit(&group, 2))                                                       \
    CASE(errgroup_limit_back, go_errgroup_set_limit(&group, 1), go_errgroup_go(&group, waits),   \
         go_errgroup_set_limit(&group, -1), go_errgroup_set_limit(&group, 2))                    \
    CASE(errgroup_null, go_errgroup_wait(NULL))                                                  \
    CASE(map_null_text, go_map_store(&map, (const char *)NULL, 1))                               \
    CASE(pool_null, go_pool_get(NULL))                                                           \
    CASE(singleflight_null_key, go_singleflight_forget(&(go_singleflight){ 0 }, NULL))           \
    CASE(chan_negative, go_chan_make(int, -1))                                                   \
    CASE(chan_too_large, go_chan_make(int, INT64_MAX))                                           \
    CASE(close_nil, go_close(NULL))                                                              \
    CASE(close_twice, go_close(c), go_close(c))                                                  \
    CASE(send_on_closed, go_close(c), go_send(c, 1))                                             \
    CASE(receive_nil, go_recv((go_chan(int))NULL))                                               \
    CASE(select_too_many, go_select_array(calloc(65537, sizeof(go_case)), 65537))                \
    CASE(select_null, go_select_array(NULL, 2))                                                  \
    CASE(select_kind, go_select_array(&(go_case){ .kind = 99 }, 1))                              \
    CASE(ticker_zero, go_ticker_new(0))                                                          \
    CASE(ticker_negative, go_ticker_new(INT64_MIN))                                              \
    CASE(ticker_reset, go_ticker_reset(go_ticker_new(GO_HOUR), 0))                               \
    CASE(ticker_reset_null, go_ticker_reset(NULL, 1))                                            \
    CASE(timer_stop_null, go_timer_stop(NULL))                                                   \
    CASE(timer_reset_null, go_timer_reset(NULL, 1))                                              \
    CASE(after_func_null, go_after_func(1, NULL, NULL))                                          \
    CASE(go_null, go_spawn(NULL, NULL))                                                          \
    CASE(durations, go_timer_free(go_timer_new(INT64_MAX)), go_ticker_free(go_ticker_new(INT64_MAX)), \
         go_sleep(INT64_MIN), go_recv(go_after(INT64_MIN)), go_tick(INT64_MIN) ? abort() : (void)0, \
         go_timer_stop(go_timer_new(INT64_MAX)) == 1 ? (void)puts("fine") : abort())             \
    CASE(ignored, go_timer_free(NULL), go_ticker_free(NULL), go_ticker_stop(NULL),               \
         go_pool_put(&(go_pool){ 0 }, NULL), go_gomaxprocs(-1), puts("fine"))                    \
    CASE(gone_send, go_chan_unref(c), go_send(c, 1))                                             \
    CASE(gone_receive, go_chan_unref(c), go_recv(c))                                             \
    CASE(gone_close, go_chan_unref(c), go_close(c))                                              \
    CASE(gone_select, go_chan_unref(c), (void)go_try_recv(c, &received))                         \
    CASE(gone_twice, go_chan_unref(c), go_chan_unref(c))                                         \
    CASE(gone_timer, go_timer_free(timer = go_timer_new(GO_HOUR)), go_timer_stop(timer))         \
    CASE(gone_timer_twice, go_timer_free(timer = go_timer_new(GO_HOUR)), go_timer_free(timer))   \
    CASE(gone_ticker, go_ticker_free(ticker = go_ticker_new(GO_HOUR)), go_ticker_reset(ticker, 1)) \
    CASE(gone_map, go_map_store(numbers_of = calloc(1, sizeof *numbers_of), "a", 1),             \
         go_map_free(numbers_of), free(numbers_of), go_map_store(numbers_of, "b", 2))            \
    CASE(gone_mutex, free(lock = calloc(1, sizeof *lock)), go_mutex_lock(lock))                  \
    CASE(gone_group, free(others = calloc(1, sizeof *others)), go_waitgroup_add(others, 1))

#define CASE(name, ...)                  \
    static void name##_case(void)        \
    {                                    \
        (void)(__VA_ARGS__);             \
    }
CASES
#undef CASE

int go_main(int argc, char **argv)
{
    c = go_chan_make(int, 1);
    blocker = go_chan_make(go_unit, 0);
#define CASE(name, ...)                          \
    if (argc > 1 && !strcmp(argv[1], #name))     \
        name##_case();
    CASES
    return 0;
}
C

nil='panic: runtime error: invalid memory address or nil pointer dereference'
# NAME|STATUS|TEXT
expectations="
mutex_unlock|2|fatal error: sync: unlock of unlocked mutex
mutex_unlock_twice|2|fatal error: sync: unlock of unlocked mutex
mutex_null|2|$nil
rwmutex_unlock|2|fatal error: sync: Unlock of unlocked RWMutex
rwmutex_unlock_of_reader|2|fatal error: sync: Unlock of unlocked RWMutex
rwmutex_unlock_twice|2|fatal error: sync: Unlock of unlocked RWMutex
rwmutex_runlock|2|fatal error: sync: RUnlock of unlocked RWMutex
rwmutex_runlock_of_often_read|2|fatal error: sync: RUnlock of unlocked RWMutex
rwmutex_runlock_of_writer|2|fatal error: sync: RUnlock of unlocked RWMutex
rwmutex_runlock_twice|2|fatal error: sync: RUnlock of unlocked RWMutex
rwmutex_null|2|$nil
waitgroup_negative|2|panic: sync: negative WaitGroup counter
waitgroup_done|2|panic: sync: negative WaitGroup counter
waitgroup_overflow|2|panic: sync: negative WaitGroup counter
waitgroup_least|2|panic: sync: negative WaitGroup counter
waitgroup_null|2|$nil
once_null_function|2|$nil
once_null|2|$nil
cond_copied|2|panic: sync.Cond is copied
cond_without_locker|2|$nil
cond_unlocked|2|fatal error: sync: unlock of unlocked mutex
cond_null|2|$nil
semaphore_size|2|panic: semaphore: size < 0
semaphore_acquire|2|panic: semaphore: n < 0
semaphore_try_acquire|2|panic: semaphore: n < 0
semaphore_release|2|panic: semaphore: n < 0
semaphore_released|2|panic: semaphore: released more than held
semaphore_released_most|2|panic: semaphore: released more than held
semaphore_too_much|2|fatal error: all goroutines are asleep - deadlock!
semaphore_null|2|$nil
errgroup_limit|2|panic: errgroup: modify limit while 1 goroutines in the group are still active
errgroup_limit_back|2|panic: errgroup: modify limit while 1 goroutines in the group are still active
errgroup_null|2|$nil
map_null_text|2|$nil
pool_null|2|$nil
singleflight_null_key|2|$nil
chan_negative|2|panic: makechan: size out of range
chan_too_large|2|panic: makechan: size out of range
close_nil|2|panic: close of nil channel
close_twice|2|panic: close of closed channel
send_on_closed|2|panic: send on closed channel
receive_nil|2|goroutine 1 [chan receive (nil chan)]:
select_too_many|2|panic: select: too many cases
select_null|2|$nil
select_kind|2|select
ticker_zero|2|panic: non-positive interval for NewTicker
ticker_negative|2|panic: non-positive interval for NewTicker
ticker_reset|2|panic: non-positive interval for Ticker.Reset
ticker_reset_null|2|panic: time: Reset called on uninitialized Ticker
timer_stop_null|2|panic: time: Stop called on uninitialized Timer
timer_reset_null|2|panic: time: Reset called on uninitialized Timer
after_func_null|2|fatal error: go of nil func value
go_null|2|fatal error: go of nil func value
durations|0|fine
ignored|0|fine"

compile plain -include stdlib.h <<<"$program"
while IFS='|' read -r name status text; do
    [ -z "$name" ] || expect plain "$name" "$status" "$text"
done <<<"$expectations"

# Under ASan a NULL object is ASan's own report; what matters is that nothing else is one.
if [ -f "$build/gofer-asan/libgofer.a" ]; then
    ${CC:-cc} -std=gnu11 -O1 -g -w -fsanitize=address -include stdlib.h -I"$source/include" "$work/plain.c" \
        "$build/gofer-asan/libgofer.a" -pthread -o "$work/asan" || exit 1
    export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
    while IFS='|' read -r name status text; do
        [ "$text" != "$nil" ] || continue
        [ -z "$name" ] || expect asan "$name" "$status" "$text" 'no:AddressSanitizer'
    done <<<"$expectations"
    # An object that is gone: ASan names the call, where it freed it and where it was made.
    for name in send receive close select twice timer timer_twice ticker map mutex group; do
        expect asan "gone_$name" 1 'heap-use-after-free' "gone_${name}_case" 'freed by thread'
    done
fi
exit $failed
