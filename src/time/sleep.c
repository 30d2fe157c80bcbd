/* Sleeping, the clock, and a channel that tells the time. */
#include "gofer/time.h"

#include "chan/chan.h"
#include "park/park.h"
#include "time/timer.h"

#include <time.h>

struct sleeper {
    gofer_timer timer;
    gofer_g *g;
};

static void wake_sleeper(gofer_timer *timer, int64_t now)
{
    (void)now;
    gofer_ready_last(gofer_container(timer, struct sleeper, timer)->g);
}

int64_t go_now(void)
{
    return gofer_nanotime();
}

static int64_t time_after(go_duration d)
{
    int64_t now = gofer_nanotime();
    return d > INT64_MAX - now ? INT64_MAX : now + d;
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
    if (gofer_unlikely(!gofer_timer_start(&sleeper.timer, time_after(d)))) {
        gofer_cancel_park(sleeper.g);
        sleep_thread(d);
        return;
    }
    gofer_park(sleeper.g);
}

struct announcement {
    gofer_timer timer;
    void *chan;
};

static void announce(gofer_timer *timer, int64_t now)
{
    struct announcement *self = gofer_container(timer, struct announcement, timer);
    gofer_chan_offer(self->chan, &now);
    go_chan_unref(self->chan);
    free(self);
}

static void drop_announcement(gofer_timer *timer)
{
    struct announcement *self = gofer_container(timer, struct announcement, timer);
    go_chan_unref(self->chan);
    free(self);
}

static bool somebody_receives(gofer_timer *timer)
{
    return gofer_chan_has_receivers(gofer_container(timer, struct announcement, timer)->chan);
}

go_chan(int64_t) go_after(go_duration d)
{
    struct announcement *self = calloc(1, sizeof *self);
    go_chan(int64_t) c = self ? go_chan_make(int64_t, 1) : NULL;
    if (!c) {
        free(self);
        *gofer_errno() = ENOMEM;
        return NULL;
    }
    self->timer.fire = announce;
    self->timer.waited_for = somebody_receives;
    self->timer.drop = drop_announcement;
    self->chan = c;
    go_chan_ref(c);
    if (!gofer_timer_start(&self->timer, time_after(d))) {
        go_chan_unref(c);
        go_chan_unref(c);
        free(self);
        *gofer_errno() = ENOMEM;
        return NULL;
    }
    return c;
}
