/* Sleeping, and the clock. */
#include "gofer/time.h"

#include "park/cancel.h"
#include "time/timer.h"

#include <time.h>

struct sleeper {
    gofer_timer timer;
    gofer_g *g;
};

static void wake_sleeper(gofer_timer *timer, int64_t due)
{
    (void)due;
    gofer_ready_last(gofer_container(timer, struct sleeper, timer)->g);
}

int64_t go_now(void)
{
    return gofer_nanotime();
}

/* No memory for the timer: the thread sleeps, and its processor is handed off. */
static void sleep_thread(go_duration d)
{
    struct timespec t = { d / GO_SECOND, d % GO_SECOND };
    go_blocking_begin();
    while (nanosleep(&t, &t) != 0)
        ;
    go_blocking_end();
}

void go_sleep(go_duration d)
{
    if (d <= 0)
        return;
    struct sleeper sleeper = { .timer = { .fire = wake_sleeper, .wakes = true } };
    sleeper.g = gofer_self();
    gofer_prepare_park(sleeper.g, GOFER_WAIT_SLEEP);
    if (gofer_unlikely(!gofer_timer_start(&sleeper.timer, gofer_time_after(d)))) {
        gofer_cancel_park(sleeper.g);
        sleep_thread(d);
        return;
    }
    gofer_park(sleeper.g);
}

static void claim_sleeper(gofer_timer *timer, int64_t due)
{
    gofer_g *g = gofer_container(timer, struct sleeper, timer)->g;
    (void)due;
    if (gofer_claim(g, NULL))
        gofer_ready_last(g);
}

int gofer_sleep_cancellable(go_duration d, gofer_cancel *source)
{
    int error = gofer_cancel_error(source);
    if (!error && d > 0) {
        struct sleeper sleeper = { .timer = { .fire = claim_sleeper, .wakes = true } };
        sleeper.g = gofer_self();
        gofer_prepare_claim(sleeper.g);
        gofer_prepare_park(sleeper.g, GOFER_WAIT_SLEEP);
        if (gofer_unlikely(!gofer_timer_start(&sleeper.timer, gofer_time_after(d)))) {
            gofer_cancel_park(sleeper.g);
            error = ENOMEM;
        } else {
            error = gofer_park_cancellable(sleeper.g, source);
            if (error)
                gofer_timer_stop(&sleeper.timer); /* or waits until it has fired */
        }
    }
    if (error)
        *gofer_errno() = error;
    return error ? -1 : 0;
}
