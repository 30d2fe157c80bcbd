/* What the public calls make of timers: go_timer, go_ticker, go_after, go_tick.
 *
 * Each is an alarm: a timer that offers the clock's value to a channel, or starts a goroutine. A
 * channel has room for one value, which the user does not see: one that nobody received is
 * withdrawn by stop and reset, so none is stale after they return. Whoever stops or resets an alarm
 * does so under its heap's lock, which firing holds too: the order of locks is heap, channel. Stop
 * waits for a firing in progress, so an alarm may be freed by who received its value. */
#include "gofer/time.h"

#include "chan/chan.h"
#include "park/park.h"
#include "sched/internal.h"
#include "time/timer.h"

struct alarm {
    gofer_timer timer;
    void *chan;         /* constant, one reference; NULL: it starts a goroutine */
    void (*fn)(void *); /* constant, as arg */
    void *arg;
};

struct go_timer {
    struct alarm alarm;
};

struct go_ticker {
    struct alarm alarm;
};

static struct alarm *alarm_of(gofer_timer *timer)
{
    return gofer_container(timer, struct alarm, timer);
}

/* ---- what a timer does, under its heap's lock --------------------------------------------- */

static void tell_time(gofer_timer *timer, int64_t due)
{
    gofer_chan_offer(alarm_of(timer)->chan, &due);
}

static void drop(gofer_timer *timer)
{
    struct alarm *self = alarm_of(timer);
    go_chan_unref(self->chan);
    free(self);
}

static void tell_time_once(gofer_timer *timer, int64_t due)
{
    tell_time(timer, due);
    drop(timer);
}

/* The receiver's reference is the only trace that go_tick leaves. */
static void tell_time_or_end(gofer_timer *timer, int64_t due)
{
    if (gofer_chan_is_alone(alarm_of(timer)->chan)) {
        gofer_timer_end(timer);
        drop(timer);
    } else {
        tell_time(timer, due);
    }
}

static void start_goroutine(gofer_timer *timer, int64_t due)
{
    struct alarm *self = alarm_of(timer);
    gofer_call call = { .fn = (void (*)(void))self->fn };
    call.integer[0] = (uint64_t)(uintptr_t)self->arg;
    (void)due;
    gofer_g *g = gofer_try_spawn(&call, NULL);
    if (gofer_unlikely(!g))
        gofer_fatal("runtime: cannot allocate memory for a goroutine");
    g->creator = 0; /* not the one that happened to look at the timers */
    gofer_enqueue(g, false);
}

static bool withdraw(gofer_timer *timer)
{
    return gofer_chan_withdraw(alarm_of(timer)->chan);
}

static bool somebody_receives(gofer_timer *timer)
{
    return gofer_chan_has_receivers(alarm_of(timer)->chan);
}

/* ---- making and freeing ------------------------------------------------------------------- */

static void *no_memory(void)
{
    *gofer_errno() = ENOMEM;
    return NULL;
}

/* An alarm that tells the time on a channel of its own; the caller sets what differs. */
static struct alarm *make_with_chan(void (*fire)(gofer_timer *, int64_t))
{
    struct alarm *self = calloc(1, sizeof *self);
    gofer_chan *c = self ? (gofer_chan *)(void *)go_chan_make(int64_t, 1) : NULL;
    if (!c) {
        free(self);
        return NULL;
    }
    c->hides_buffer = true;
    self->chan = c;
    self->timer.fire = fire;
    self->timer.waited_for = somebody_receives;
    self->timer.withdraw = withdraw;
    return self;
}

/* Frees an alarm that was not started. */
static void unmake(struct alarm *self)
{
    go_chan_unref(self->chan);
    free(self);
}

/* One that is over already is due now. */
static int64_t due_after(go_duration d)
{
    return gofer_time_after(d > 0 ? d : 0);
}

/* Starts what was made; NULL: there was no memory for one or the other. */
static void *start(struct alarm *self, go_duration d)
{
    if (!self)
        return no_memory();
    if (gofer_timer_start(&self->timer, due_after(d)))
        return self;
    unmake(self);
    return no_memory();
}

static void stop_and_free(struct alarm *self)
{
    gofer_timer_stop(&self->timer);
    unmake(self);
}

static int reset(struct alarm *self, go_duration d, go_duration period)
{
    int active = gofer_timer_reset(&self->timer, due_after(d), period);
    if (active < 0)
        no_memory();
    return active;
}

/* For one that frees itself: starts it; the channel, with a reference of the caller's. */
static void *chan_of_started(struct alarm *self, go_duration d)
{
    if (!self)
        return no_memory();
    void *c = self->chan;
    go_chan_ref(c);
    if (start(self, d))
        return c;
    go_chan_unref(c);
    return NULL;
}

/* ---- timers ------------------------------------------------------------------------------- */

go_timer *go_timer_new(go_duration d)
{
    return start(make_with_chan(tell_time), d);
}

go_timer *go_after_func(go_duration d, void (*fn)(void *), void *arg)
{
    if (!fn)
        gofer_fatal("go of nil func value");
    struct alarm *self = calloc(1, sizeof *self);
    if (self) {
        self->timer.fire = start_goroutine;
        self->timer.wakes = true;
        self->fn = fn;
        self->arg = arg;
    }
    return start(self, d);
}

go_chan(int64_t) go_timer_chan(go_timer *t)
{
    return t ? t->alarm.chan : NULL;
}

int go_timer_stop(go_timer *t)
{
    if (!t)
        go_panic("time: Stop called on uninitialized Timer");
    return gofer_timer_stop(&t->alarm.timer);
}

int go_timer_reset(go_timer *t, go_duration d)
{
    if (!t)
        go_panic("time: Reset called on uninitialized Timer");
    return reset(&t->alarm, d, 0);
}

void go_timer_free(go_timer *t)
{
    if (t)
        stop_and_free(&t->alarm);
}

go_chan(int64_t) go_after(go_duration d)
{
    struct alarm *self = make_with_chan(tell_time_once);
    if (self)
        self->timer.drop = drop;
    return chan_of_started(self, d);
}

/* ---- tickers ------------------------------------------------------------------------------ */

go_ticker *go_ticker_new(go_duration d)
{
    if (d <= 0)
        go_panic("non-positive interval for NewTicker");
    struct alarm *self = make_with_chan(tell_time);
    if (self)
        self->timer.period = d;
    return start(self, d);
}

go_chan(int64_t) go_ticker_chan(go_ticker *t)
{
    return t ? t->alarm.chan : NULL;
}

void go_ticker_stop(go_ticker *t)
{
    if (t)
        gofer_timer_stop(&t->alarm.timer);
}

int go_ticker_reset(go_ticker *t, go_duration d)
{
    if (d <= 0)
        go_panic("non-positive interval for Ticker.Reset");
    if (!t)
        go_panic("time: Reset called on uninitialized Ticker");
    return reset(&t->alarm, d, d) < 0 ? -1 : 0;
}

void go_ticker_free(go_ticker *t)
{
    if (t)
        stop_and_free(&t->alarm);
}

go_chan(int64_t) go_tick(go_duration d)
{
    if (d <= 0)
        return NULL;
    struct alarm *self = make_with_chan(tell_time_or_end);
    if (self) {
        self->timer.period = d;
        self->timer.drop = drop;
    }
    return chan_of_started(self, d);
}
