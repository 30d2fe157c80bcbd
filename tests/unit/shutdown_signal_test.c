/* Signals during go_shutdown: what the thread that passes them on let in last is no longer so when
 * it has ended, and a reset waits for nobody. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { ROUNDS = 100 };

static int stop;

static void handler(int number)
{
    (void)number;
}

static int work(int argc, char **argv)
{
    (void)argv;
    return argc;
}

static void *signals(void *thread)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        sched_yield();
    }
    return NULL;
}

int main(void)
{
    pthread_t self = pthread_self(), sender;
    signal(SIGUSR1, handler);
    CHECK(pthread_create(&sender, NULL, signals, &self), 0);
    for (int i = 0; i < ROUNDS; i++) {
        go_chan(int) c = go_chan_make(int, 1);
        CHECK(go_signal_notify(c, SIGUSR1), 0);
        CHECK(go_run(work, 1, NULL), 1);
        CHECK(go_shutdown(-1), 0);
        go_signal_reset(SIGUSR1);
        go_chan_unref(c);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(sender, NULL);
    return 0;
}
