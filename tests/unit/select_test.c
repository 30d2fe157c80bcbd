/* Selects of many cases, by array, with names, with duplicates. */
#include "unit.h"

static void send_after_all(go_chan(int) c)
{
    go_send(c, 77);
}

static void wide(int n)
{
    go_chan(int) *chans = calloc((size_t)n, sizeof *chans);
    go_case *cases = calloc((size_t)n, sizeof *cases);
    int v = 0;
    for (int i = 0; i < n; i++) {
        chans[i] = go_chan_make(int, 0);
        cases[i] = go_case_recv(chans[i], &v);
    }
    for (int i = 0; i < n; i += 1 + n / 5) {
        go(send_after_all, chans[i]);
        CHECK(go_select_array(cases, (size_t)n), i);
        CHECK(v, 77);
    }
    for (int i = 0; i < n; i++)
        go_chan_unref(chans[i]);
    free(cases);
    free(chans);
}

static void swallow(int *panicked)
{
    const go_panic_value *v = go_recover();
    *panicked = v && strcmp(v->text, "select: too many cases") == 0;
}

static void too_wide(int *panicked)
{
    go_recoverable();
    go_defer(swallow, panicked);
    go_case one = go_case_default;
    go_select_array(&one, 65537);
}

/* A timeout that is over already is as ready as the other cases that are. */
static void each_that_is_due_is_chosen(void)
{
    enum { CASES = 6 };
    int chosen[CASES] = { 0 }, missing = CASES;
    go_chan(int) c = go_chan_make(int, 1), empty = go_chan_make(int, 0);
    go_send(c, 1);
    for (int i = 0; i < 10000 && missing; i++) {
        go_case cases[CASES + 2] = { go_case_recv(c, NULL),     go_case_after(0),
                                     go_case_recv(c, NULL),     go_case_after(-GO_SECOND),
                                     go_case_recv(c, NULL),     go_case_recv(c, NULL),
                                     go_case_recv(empty, NULL), go_case_after(GO_HOUR) };
        if (i % 2)
            cases[CASES + 1] = go_case_default;
        int index = go_select_array(cases, CASES + 2);
        CHECK(index < CASES, 1);
        missing -= !chosen[index]++;
        CHECK(go_try_send(c, 1), index == 1 || index == 3 ? GO_WOULD_BLOCK : GO_DONE);
    }
    CHECK(missing, 0);
    int times[2] = { 0, 0 }; /* one channel alone is tried without a lock */
    for (int i = 0; i < 10000 && !(times[0] && times[1]); i++) {
        times[go_select(go_case_recv(c, NULL), go_case_after(0))]++;
        go_try_send(c, 1);
    }
    CHECK(times[0] && times[1], 1);
    go_chan_unref(c);
    go_chan_unref(empty);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    enum { STOP = 10, TICK };
    for (int n = 1; n <= 65536; n *= n < 64 ? 2 : 32)
        wide(n);
    go_chan(int) c = go_chan_make(int, 1), none = NULL;
    CHECK(go_select(go_case_recv(none, NULL), go_case_as(TICK, go_case_send(c, 5))), TICK);
    int v = 0, ok = 0;
    CHECK(go_select(go_case_as(STOP, go_case_recv_ok(c, &v, &ok)), go_case_recv(none, NULL)), STOP);
    CHECK(v, 5);
    CHECK(ok, 1);
    CHECK(go_select(go_case_recv(c, &v), go_case_after(0)), 1);
    CHECK(go_select(go_case_after(GO_HOUR), go_case_after(GO_MICROSECOND)), 1);
    CHECK(go_try_send(c, 1), GO_DONE);
    CHECK(go_try_send(c, 1), GO_WOULD_BLOCK);
    CHECK(go_try_recv(c, &v), GO_DONE);
    CHECK(go_try_recv(c, &v), GO_WOULD_BLOCK);
    go_close(c);
    CHECK(go_try_recv(c, &v), GO_CLOSED);
    CHECK(v, 0);
    each_that_is_due_is_chosen();
    int panicked = 0;
    too_wide(&panicked);
    CHECK(panicked, 1);
    go_chan(int64_t) after = go_after(GO_MICROSECOND);
    CHECK(go_recv(after) > 0, 1);
    go_chan_unref(after);
    go_chan_unref(c);
    return 0;
}
