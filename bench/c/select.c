/* Select. */
#include "bench.h"

enum { CHANNELS = 64 };

static go_chan(long) channels[CHANNELS];
static go_chan(long) reply;
static go_chan(go_unit) quit;

/* n values go to the first `used` channels in turn; `replier`, which selects of them and of quit,
 * answers each. */
static long rounds(long n, int used, void (*replier)(void))
{
    for (int i = 0; i < used; i++)
        channels[i] = go_chan_make(long, 0);
    reply = go_chan_make(long, 0);
    quit = go_chan_make(go_unit, 0);
    go(replier);
    for (long i = 0; i < n; i++) {
        go_send(channels[i % used], i);
        check(go_recv(reply) == i);
    }
    go_close(quit);
    check(!go_recv_ok(reply, NULL));
    return n;
}

static void replier1(void)
{
    long v;
    while (go_select(go_case_recv(channels[0], &v)) == 0 && v >= 0)
        go_send(reply, v);
    go_close(reply);
}

/* With one case there is none for quit. */
static long select1(void)
{
    long n = times(300000);
    channels[0] = go_chan_make(long, 0);
    reply = go_chan_make(long, 0);
    go(replier1);
    for (long i = 0; i < n; i++) {
        go_send(channels[0], i);
        check(go_recv(reply) == i);
    }
    go_send(channels[0], -1);
    check(!go_recv_ok(reply, NULL));
    return n;
}

static void replier2(void)
{
    long v;
    while (go_select(go_case_recv(channels[0], &v), go_case_recv(channels[1], &v),
                     go_case_recv(quit, NULL)) != 2)
        go_send(reply, v);
    go_close(reply);
}

static long select2(void)
{
    return rounds(times(300000), 2, replier2);
}

static void replier8(void)
{
    long v;
    while (go_select(go_case_recv(channels[0], &v), go_case_recv(channels[1], &v),
                     go_case_recv(channels[2], &v), go_case_recv(channels[3], &v),
                     go_case_recv(channels[4], &v), go_case_recv(channels[5], &v),
                     go_case_recv(channels[6], &v), go_case_recv(quit, NULL)) != 7)
        go_send(reply, v);
    go_close(reply);
}

static long select8(void)
{
    return rounds(times(200000), 7, replier8);
}

static void replier64(void)
{
    long v;
    go_case cases[CHANNELS];
    for (int i = 0; i < CHANNELS - 1; i++)
        cases[i] = go_case_recv(channels[i], &v);
    cases[CHANNELS - 1] = go_case_recv(quit, NULL);
    while (go_select_array(cases, CHANNELS) != CHANNELS - 1)
        go_send(reply, v);
    go_close(reply);
}

static long select64(void)
{
    return rounds(times(30000), CHANNELS - 1, replier64);
}

static long select_default(void)
{
    long n = times(10000000), none = 0;
    go_chan(long) a = go_chan_make(long, 0), b = go_chan_make(long, 0);
    for (long i = 0; i < n; i++)
        none += go_select(go_case_recv(a, NULL), go_case_recv(b, NULL), go_case_default) == 2;
    check(none == n);
    go_chan_unref(a);
    go_chan_unref(b);
    return n;
}

static void select_sender(long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++)
        go_select(go_case_send(channels[0], i), go_case_send(channels[1], i));
    go_waitgroup_done(wg);
}

static void select_receiver(long n, go_waitgroup *wg)
{
    for (long i = 0; i < n; i++)
        go_select(go_case_recv(channels[0], NULL), go_case_recv(channels[1], NULL));
    go_waitgroup_done(wg);
}

static long select_contended(void)
{
    enum { EACH = 4 };
    long n = times(100000);
    go_waitgroup wg = { 0 };
    channels[0] = go_chan_make(long, 0);
    channels[1] = go_chan_make(long, 0);
    go_waitgroup_add(&wg, 2 * EACH);
    for (int i = 0; i < EACH; i++) {
        go(select_sender, n, &wg);
        go(select_receiver, n, &wg);
    }
    go_waitgroup_wait(&wg);
    return EACH * n;
}

static const struct row rows[] = {
    { "select1", "a select of one channel, and a reply: one round", select1 },
    { "select2", "a select of two channels and one to quit, and a reply: one round", select2 },
    { "select8", "a select of 8, and a reply: one round", select8 },
    { "select64", "a select of 64, and a reply: one round", select64 },
    { "select_default", "a select of two channels that are not ready, and a default",
      select_default },
    { "select_contended", "four goroutines select which of two channels to send to, four receive",
      select_contended },
    { 0 },
};
const struct table select_table = { "Select", rows };
