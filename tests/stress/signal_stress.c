/* Registrations come and go while signals arrive. What must hold: a value is one of those that the
 * channel was registered for; after go_signal_stop none comes; a signal that raise has handed to
 * our handler is in the buffer when go_signal_stop returns, unless it lies there already; a witness
 * that is registered throughout sees every signal that was sent after it drained its channel. */
#include "stress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { STOPPERS = 4, SENDERS = 2 };

static go_waitgroup workers;
static _Atomic int stop_sending;
static _Atomic long stops, received, raised;
static long rounds_each;

static int signal_of(unsigned which)
{
    static const int signals[] = { SIGUSR1, SIGUSR2, SIGWINCH };
    return signals[which % 3];
}

static void check_value(int number, int a, int b)
{
    STRESS_CHECK(number == a || number == b, 1);
    atomic_fetch_add_explicit(&received, 1, memory_order_relaxed);
}

/* Registers, takes part, stops; the channel is gone at once after that. */
static void register_and_stop(unsigned *state)
{
    int a = signal_of(stress_random(state)), b = signal_of(stress_random(state)), number;
    size_t room = stress_random(state) % 3;
    go_chan(int) c = go_chan_make(int, room);
    STRESS_CHECK(go_signal_notify(c, a), 0);
    stress_pause(state);
    if (stress_random(state) % 2)
        STRESS_CHECK(go_signal_notify(c, b), 0);
    else
        b = a;
    stress_pause(state);
    int raises = stress_random(state) % 2 != 0;
    if (raises) {
        raise(a);
        atomic_fetch_add_explicit(&raised, 1, memory_order_relaxed);
    }
    if (!raises && stress_random(state) % 2 && go_try_recv(c, &number) == GO_DONE)
        check_value(number, a, b);
    go_signal_stop(c);
    size_t left = go_len(c);
    if (raises && room > 0)
        STRESS_CHECK(left > 0, 1);
    stress_pause(state);
    STRESS_CHECK(go_len(c), left);
    while (go_try_recv(c, &number) == GO_DONE)
        check_value(number, a, b);
    go_chan_unref(c);
    atomic_fetch_add_explicit(&stops, 1, memory_order_relaxed);
}

static void stopper(unsigned seed)
{
    go_defer(go_waitgroup_done, &workers);
    for (long i = 0; i < rounds_each; i++)
        register_and_stop(&seed);
}

/* A plain thread, as most that send signals are. */
static void *sender(void *argument)
{
    unsigned state = (unsigned)(size_t)argument;
    while (!atomic_load_explicit(&stop_sending, memory_order_relaxed)) {
        kill(getpid(), signal_of(stress_random(&state)));
        usleep(stress_random(&state) % 50);
    }
    return NULL;
}

/* One value for each signal that this thread raised, whatever the others do. */
static void witness(void)
{
    go_defer(go_waitgroup_done, &workers);
    go_chan(int) c = go_chan_make(int, 1);
    STRESS_CHECK(go_signal_notify(c, SIGURG), 0);
    for (long i = 0; i < rounds_each; i++) {
        if (i % 2)
            raise(SIGURG);
        else
            kill(getpid(), SIGURG);
        STRESS_CHECK(go_recv(c), SIGURG);
    }
    go_signal_stop(c);
    STRESS_CHECK(go_len(c), 0);
    go_chan_unref(c);
}

/* The last registration's end would let a signal kill the process: these stay ignored instead. */
static void ignore_by_default(void)
{
    struct sigaction action = { .sa_handler = SIG_IGN };
    for (unsigned i = 0; i < 3; i++)
        sigaction(signal_of(i), &action, NULL);
}

int go_main(int argc, char **argv)
{
    pthread_t senders[SENDERS];
    stress_begin(argc, argv, 2000);
    rounds_each = stress_rounds;
    ignore_by_default();
    go_gomaxprocs(4);
    for (int i = 0; i < SENDERS; i++)
        if (pthread_create(&senders[i], NULL, sender, (void *)(size_t)(stress_seed + 1 + i)) != 0)
            return 1;
    go_waitgroup_add(&workers, STOPPERS + 1);
    for (unsigned i = 0; i < STOPPERS; i++)
        go(stopper, stress_seed * 31 + i + 1);
    go(witness);
    go_waitgroup_wait(&workers);
    atomic_store_explicit(&stop_sending, 1, memory_order_relaxed);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    STRESS_CHECK(stops, STOPPERS * rounds_each);
    for (unsigned i = 0; i < 3; i++)
        STRESS_CHECK(go_signal_ignored(signal_of(i)), 1);
    printf("stops %ld raised %ld received %ld\n", stops, raised, received);
    return 0;
}
