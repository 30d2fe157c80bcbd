// C++ exceptions in goroutines. Without an argument: those that are caught; prints "ok". With one:
// a way to end; cxx_test.sh knows the text.
#include <gofer.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

static void expect(bool right, const char *what, int line)
{
    if (right)
        return;
    std::fprintf(stderr, "exceptions.cpp:%d: not so: %s\n", line, what);
    std::exit(1);
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)

/* ---- each goroutine has its own ----------------------------------------------------------- */

static void rethrow_after_park(go_chan(int) here, go_chan(int) there, const std::string &name,
                               go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    for (int round = 0; round < 100; round++) {
        const std::string text = name + std::to_string(round);
        try {
            try {
                throw std::runtime_error(text);
            } catch (const std::runtime_error &) {
                go_send(there, round); // both wait in a catch, for each other
                EXPECT(go_recv(here) == round);
                EXPECT(std::uncaught_exceptions() == 0);
                throw;
            }
        } catch (const std::exception &error) {
            EXPECT(error.what() == text);
            EXPECT(std::current_exception() != nullptr);
        }
        EXPECT(std::current_exception() == nullptr);
    }
}

static void own_exceptions()
{
    go_chan(int) a = go_chan_make(int, 1), b = go_chan_make(int, 1);
    go_waitgroup wg = {};
    go_waitgroup_add(&wg, 4);
    go(rethrow_after_park, a, b, "A", &wg);
    go(rethrow_after_park, b, a, "B", &wg);
    go_chan(int) c = go_chan_make(int, 1), d = go_chan_make(int, 1);
    go(rethrow_after_park, c, d, "C", &wg);
    go(rethrow_after_park, d, c, "D", &wg);
    go_waitgroup_wait(&wg);
    go_chan_unref(a);
    go_chan_unref(b);
    go_chan_unref(c);
    go_chan_unref(d);
}

/* ---- an exception parks in a destructor ---------------------------------------------------- */

struct parks {
    go_chan(int) c;
    ~parks()
    {
        EXPECT(std::uncaught_exceptions() == 1);
        go_send(c, 1); // nobody is there yet
        EXPECT(std::uncaught_exceptions() == 1);
    }
};

static void parking_destructor()
{
    go_chan(int) c = go_chan_make(int, 0);
    go([=] {
        try {
            parks p = { c };
            throw 1;
        } catch (int) {
            go_send(c, 2);
        }
    });
    go_gosched();
    EXPECT(std::uncaught_exceptions() == 0);
    EXPECT(go_recv(c) == 1);
    EXPECT(go_recv(c) == 2);
    go_chan_unref(c);
}

/* ---- through deferred calls, the library, a landing ---------------------------------------- */

static std::string notes;

static void through_deferred()
{
    go_defer([] {
        try {
            throw 2; // inside the deferred call: while 1 is on its way
        } catch (int n) {
            notes += std::to_string(n);
        }
    });
    throw 1;
}

static void throws(void *)
{
    throw 3;
}

static int recovered()
{
    int result = 0;
    go_recoverable(result);
    go_defer([&] {
        if (go_recover())
            result = std::uncaught_exceptions();
    });
    try {
        try {
            throw 1;
        } catch (int) {
            struct panics_on_the_way {
                ~panics_on_the_way() noexcept(false)
                {
                    go_panic("in a destructor, with one in the air");
                }
            };
            panics_on_the_way p;
            throw 2;
        }
    } catch (int) {
    }
    return -1;
}

static void through()
{
    try {
        through_deferred();
    } catch (int n) {
        notes += std::to_string(n);
    }
    EXPECT(notes == "21");
    static go_once once;
    int caught = 0;
    try {
        go_once_do(&once, throws, nullptr);
    } catch (int n) {
        caught = n;
    }
    EXPECT(caught == 3);
    go_once_do(&once, throws, nullptr); // it was done, and its lock is free
    go_cond cond = {};
    cond.locker.unlock = throws;
    try {
        go_cond_wait(&cond);
    } catch (int n) {
        caught += n;
    }
    EXPECT(caught == 6);
    EXPECT(cond.waiters == nullptr); // who did not unlock waits no more
    EXPECT(recovered() == 1);
    EXPECT(std::uncaught_exceptions() == 0);
    EXPECT(std::current_exception() == nullptr);
    try {
        throw 4; // the chain of deferred calls is whole
    } catch (int n) {
        EXPECT(n == 4);
    }
}

/* ---- ends --------------------------------------------------------------------------------- */

struct noisy {
    ~noisy()
    {
        std::puts("a destructor ran");
    }
};

static void leaves()
{
    noisy n;
    throw std::runtime_error("left");
}

int go_main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    if (!std::strcmp(which, "function"))
        go(leaves);
    else if (!std::strcmp(which, "lambda"))
        go([] { leaves(); });
    else if (!std::strcmp(which, "named"))
        go_with(go_options{ 0, "worker", 0 }, leaves);
    else if (!std::strcmp(which, "spawn"))
        go_spawn([](void *) { leaves(); }, nullptr);
    else if (!std::strcmp(which, "main"))
        leaves();
    else if (!std::strcmp(which, "deferred"))
        go([] { go_defer(leaves); });
    else if (!std::strcmp(which, "deferred_panic"))
        go([] {
            go_defer(leaves);
            go_panic("first");
        });
    if (*which) {
        go_sleep(GO_HOUR);
        return 0;
    }
    own_exceptions();
    parking_destructor();
    through();
    std::puts("ok");
    return 0;
}
