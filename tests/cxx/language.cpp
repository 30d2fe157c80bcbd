// Every macro of the public headers in C++: values, order, what runs when. Prints "ok" where it
// passes; cxx_test.sh compiles it with each compiler at each level.
#include <gofer.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "shared.h"

static void expect(bool right, const char *what, int line)
{
    if (right)
        return;
    std::fprintf(stderr, "language.cpp:%d: not so: %s\n", line, what);
    std::exit(1);
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)

struct pair {
    int a, b;
};

/* ---- go ---------------------------------------------------------------------------------- */

static void send_sum(go_chan(int) c, int a, long b, const char *text)
{
    go_send(c, static_cast<int>(a + b + static_cast<long>(std::strlen(text))));
}

static void send_length(go_chan(size_t) c, const std::string &text, std::unique_ptr<int> owned)
{
    go_send(c, text.size() + static_cast<size_t>(*owned));
}

static void add_to(int &sum, int n, go_waitgroup *wg) noexcept
{
    sum += n;
    go_waitgroup_done(wg);
}

struct accumulator {
    int sum = 0;
    void add(int n, go_waitgroup *wg)
    {
        sum += n;
        go_waitgroup_done(wg);
    }
};

struct base {
    virtual ~base() = default;
    virtual int number() const = 0;
};
struct derived : base {
    int number() const override
    {
        return 7;
    }
};
static void send_number(go_chan(int) c, const base &b)
{
    go_send(c, b.number());
}

template <class T> static T through(T value)
{
    go_chan(T) c = go_chan_make(T, 0);
    go_defer(go_chan_unref, c);
    go([=] { go_send(c, value); });
    return go_recv(c);
}

static int nested(int i)
{
    go([] {});
    return i;
}

static void starting()
{
    go_chan(int) c = go_chan_make(int, 0);
    go_defer(go_chan_unref, c);
    go(send_sum, c, 1, 2, "abc");
    EXPECT(go_recv(c) == 6);
    go_with(go_options{ 0, "by value", 0 }, send_sum, c, 1, 2, "abcd");
    EXPECT(go_recv(c) == 7);
    const go_options options = { 0, "by pointer", 1 };
    go_with(&options, send_sum, c, nested(nested(1)), 2, "abcde");
    EXPECT(go_recv(c) == 8);

    go_chan(size_t) sizes = go_chan_make(size_t, 0);
    go_defer(go_chan_unref, sizes);
    char text[] = "text"; // becomes a std::string now: the array changes before the call
    go(send_length, sizes, text, std::make_unique<int>(10));
    text[0] = 0;
    EXPECT(go_recv(sizes) == 14);
    go([](go_chan(size_t) to, std::string s) { go_send(to, s.size()); }, sizes, text + 1);
    text[1] = 0;
    EXPECT(go_recv(sizes) == 3);

    go(send_number, c, derived());
    EXPECT(go_recv(c) == 7);

    int sum = 0, a = 1, b = 2; // NOLINT
    go_waitgroup wg = {};
    go_waitgroup_add(&wg, 4);
    accumulator total;
    go(add_to, std::ref(sum), 3, &wg);
    go(&accumulator::add, &total, 5, &wg);
    auto owned = std::make_unique<int>(9);
    int by_lambda = 0;
    go([&, kept = std::move(owned)] {
        int x = a, y = b;
        by_lambda = x + y + *kept;
        go([&] { go_waitgroup_done(&wg); });
        go_waitgroup_done(&wg);
    });
    go_waitgroup_wait(&wg);
    EXPECT(sum == 3);
    EXPECT(by_lambda == 12);
    EXPECT(total.sum == 5);
    EXPECT(!owned);

    go(
        [&](int p0, int p1, int p2, int p3, int p4, int p5, int p6, int p7, int p8, int p9, int p10,
            int p11, int p12, int p13, int p14, int p15, int p16, double d) {
            go_send(c, p0 + p1 + p2 + p3 + p4 + p5 + p6 + p7 + p8 + p9 + p10 + p11 + p12 + p13 +
                           p14 + p15 + p16 + static_cast<int>(d));
        },
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3.0);
    EXPECT(go_recv(c) == 20);
    EXPECT(through(3.5) == 3.5);
    EXPECT(through(std::string_view("view")) == "view");
    go(go_send<int>, c, 11);
    EXPECT(go_recv(c) == 11);
    go(send_from_c, c, 12);
    EXPECT(go_recv(c) == 12);
}

/* ---- timers ------------------------------------------------------------------------------- */

static void signal_to(void *c)
{
    go_send(static_cast<go_chan(int)>(c), 9);
}

static void timers()
{
    go_chan(int) c = go_chan_make(int, 0);
    go_defer(go_chan_unref, c);
    go_timer *t = go_after_func(0, [c] { go_send(c, 7); });
    EXPECT(go_recv(c) == 7);
    go_timer_reset(t, 0);
    EXPECT(go_recv(c) == 7);
    go_timer_free(t);
    t = go_after_func(0, [&c] { go_send(c, 8); });
    EXPECT(go_recv(c) == 8);
    go_timer_free(t);
    t = go_after_func(0, signal_to, c);
    EXPECT(go_recv(c) == 9);
    go_timer_free(t);
    t = go_after_func(GO_HOUR, [] {});
    EXPECT(go_timer_stop(t) == 1);
    go_timer_free(t);
}

/* ---- maps --------------------------------------------------------------------------------- */

typedef go_map(const char *, long) counts_by_word;
typedef go_map(int, pair) pairs_by_number;

static void maps()
{
    counts_by_word counts = {};
    long n = 0;
    char key[] = "one"; // the map has a copy
    EXPECT(go_map_store(&counts, key, 1) == 0);
    key[0] = 0;
    EXPECT(go_map_load(&counts, "one", &n) == 1 && n == 1);
    EXPECT(go_map_load(&counts, "two", nullptr) == 0);
    EXPECT(go_map_load_or_store(&counts, "two", 2, &n) == 0 && n == 2);
    EXPECT(go_map_load_or_store(&counts, "two", 3, &n) == 1 && n == 2);
    EXPECT(go_map_swap(&counts, "two", 4, &n) == 1 && n == 2);
    EXPECT(go_map_compare_and_swap(&counts, "two", 2, 5) == 0);
    EXPECT(go_map_compare_and_swap(&counts, "two", 4, 5) == 1);
    long sum = 0;
    go_map_range (&counts, word, count)
        sum += count + static_cast<long>(std::strlen(word));
    EXPECT(sum == 1 + 3 + 5 + 3);
    int rounds = 0;
    for (int i = 0; i < 2; i++)
        go_map_range (&counts, word, count) {
            if (++rounds % 2)
                continue;
            EXPECT(word && count);
            break; // leaves the range, not the loop
        }
    EXPECT(rounds == 4);
    EXPECT(go_map_compare_and_delete(&counts, "two", 5) == 1);
    EXPECT(go_map_load_and_delete(&counts, "one", &n) == 1 && n == 1);
    go_map_delete(&counts, "one");
    go_map_range (&counts, word, count)
        EXPECT(!word && !count);
    go_map_free(&counts);

    pairs_by_number couples = {};
    go_map_store(&couples, 3, { 1, 2 });
    go_map_range (&couples, number, couple)
        EXPECT(number == 3 && couple.a == 1 && couple.b == 2);
    go_map_clear(&couples);
    EXPECT(go_map_load(&couples, 3, nullptr) == 0);
    go_map_free(&couples);
}

/* ---- groups and once ---------------------------------------------------------------------- */

static int fail_with(int error, const std::string &unless)
{
    return unless.empty() ? error : 0;
}

static void groups()
{
    go_waitgroup wg = {};
    std::string text(100, 'x');
    int by_name = 0;
    size_t by_lambda = 0;
    go_waitgroup_go(&wg, [&, text] { by_lambda = text.size(); }); // memory of its own
    go_waitgroup_go(
        &wg, [](int &to, int n) { to = n; }, std::ref(by_name), 7); // words
    go_waitgroup_wait(&wg);
    EXPECT(by_lambda == 100 && by_name == 7);

    go_errgroup group = {};
    go_errgroup_set_limit(&group, 1);
    go_chan(go_unit) open = go_chan_make(go_unit, 0);
    go_errgroup_go(&group, [=] {
        (void)go_recv(open);
        return 0;
    });
    EXPECT(go_errgroup_try_go(&group, fail_with, 5, text) == 0); // its copies are given back
    go_signal(open);
    go_errgroup_go(&group, fail_with, 6, text);
    go_errgroup_go(&group, fail_with, 7, "");
    EXPECT(go_errgroup_wait(&group) == 7);
    go_chan_unref(open);

    go_once once = {}, thrown = {};
    int calls = 0;
    for (int i = 0; i < 3; i++)
        go_once_do(&once, [&] { calls++; });
    go_once_do(
        &once, [](void *) { std::abort(); }, nullptr);
    try {
        go_once_do(&thrown, [] { throw 5; });
    } catch (int n) {
        calls += n;
    }
    go_once_do(&thrown, [&] { calls++; });
    EXPECT(calls == 6);
}

static void panics_once()
{
    static int calls;
    static auto fails = go_once_func([] {
        calls++;
        go_panic("once");
    });
    for (int i = 0; i < 2; i++) {
        [] {
            go_recoverable();
            go_defer([] { EXPECT(go_recover()->text == std::string("once")); });
            fails();
            std::abort();
        }();
    }
    EXPECT(calls == 1);
}

static void functions_and_values_once()
{
    int calls = 0;
    auto load = go_once_func([&] { calls++; });
    go_waitgroup wg = {};
    for (int i = 0; i < 10; i++)
        go_waitgroup_go(&wg, [&] { load(); });
    go_waitgroup_wait(&wg);
    EXPECT(calls == 1);

    auto text = go_once_value([&calls, owner = std::make_unique<int>(3)] {
        calls++;
        return std::string(100, 'x') + std::to_string(*owner);
    });
    const std::string &first = text();
    EXPECT(first.size() == 101 && &first == &text() && calls == 2);

    auto unlucky = go_once_value([&]() -> int { throw ++calls; });
    for (int i = 0; i < 2; i++) {
        try {
            unlucky();
            std::abort();
        } catch (int n) {
            EXPECT(n == 3);
        }
    }
    EXPECT(calls == 3);
    go_once_func plain = {}; // the type is as in C
    plain.fn = [](void *n) { ++*static_cast<int *>(n); };
    plain.arg = &calls;
    go_once_func_call(&plain);
    EXPECT(calls == 4);
    panics_once();
}

/* ---- channels ----------------------------------------------------------------------------- */

template <class T> static size_t element_size(go_chan(T))
{
    return sizeof(T);
}

static void channels()
{
    go_chan(pair) pairs = go_chan_make(pair, 2);
    go_chan(char[16]) texts = go_chan_make(char[16], 1);
    go_chan(go_unit) units = go_chan_make(go_unit, 3);
    go_chan(char *) pointers = go_chan_make(char *, 1);
    go_chan(void (*)(int)) functions = go_chan_make(void (*)(int), 1);
    static_assert(std::is_same_v<go_elem(pairs), pair>);
    static_assert(std::is_same_v<decltype(pairs), pair(*)[]>);
    EXPECT(element_size(texts) == 16);
    go_send(pairs, { 1, 2 });
    EXPECT(go_try_send(pairs, { 3, 4 }) == GO_DONE);
    EXPECT(go_try_send(pairs, { 5, 6 }) == GO_WOULD_BLOCK);
    EXPECT(go_len(pairs) == 2 && go_cap(pairs) == 2);
    EXPECT(go_recv(pairs).b == 2);
    pair p = {};
    EXPECT(go_recv_ok(pairs, &p) == 1 && p.a == 3);
    EXPECT(go_try_recv(pairs, &p) == GO_WOULD_BLOCK);
    go_send(pairs, p);
    go_close(pairs);
    int sum = 0;
    go_range (value, pairs)
        sum += value.a + value.b;
    EXPECT(sum == 7);
    EXPECT(go_recv_ok(pairs, nullptr) == 0);
    go_chan(int) numbers = go_chan_make(int, 4);
    for (int i = 1; i <= 4; i++)
        go_send(numbers, i);
    go_close(numbers);
    int evaluated = 0;
    auto once = [&] { return evaluated++ ? nullptr : numbers; };
    go_range (number, once()) {
        if (number == 1)
            continue;
        go_range (next, numbers) {
            sum += 10 * next;
            break;
        }
        if (number == 2)
            break;
    }
    EXPECT(sum == 37 && evaluated == 1 && go_recv(numbers) == 4);
    go_chan_unref(numbers);
    EXPECT(go_try_recv(pairs, &p) == GO_CLOSED && p.a == 0);
    const char text[16] = "text";
    go_send(texts, text);
    char got[16];
    EXPECT(go_recv_ok(texts, &got) == 1 && std::strcmp(got, "text") == 0);
    go_send(pointers, NULL);
    EXPECT(go_recv(pointers) == nullptr);
    go_send(functions, nullptr);
    EXPECT(go_recv(functions) == nullptr);
    go_signal(units);
    go_send(units, go_unit{});
    EXPECT(go_len(units) == 2);
    (void)go_recv(units);
    go_chan_unref(pairs);
    go_chan_unref(texts);
    go_chan_unref(units);
    go_chan_unref(pointers);
    go_chan_unref(functions);
}

/* ---- select ------------------------------------------------------------------------------- */

static std::string steps;
static int step(int i)
{
    steps += std::to_string(i);
    return i;
}
static go_chan(int) step_on(go_chan(int) c, int i)
{
    step(i);
    return c;
}

static void selecting()
{
    enum { FIRST = 10, SECOND = 20 };
    go_chan(int) c = go_chan_make(int, 1), none = nullptr;
    go_chan(pair) pairs = go_chan_make(pair, 1);
    int v = 0, ok = 5;
    EXPECT(go_select(go_case_send(step_on(none, 1), step(2)), go_case_send(none, step(3)),
                     go_case_recv(step_on(none, 4), &v), go_case_send(none, step(5)),
                     go_case_after(step(6) * GO_HOUR), go_case_default) == 5);
    EXPECT(steps == "123456");
    EXPECT(go_select(go_case_recv(c, &v), go_case_send(c, 42)) == 1);
    switch (go_select(go_case_as(FIRST, go_case_recv_ok(c, &v, &ok)),
                      go_case_as(SECOND, go_case_send(none, 1)))) {
    case FIRST:
        EXPECT(v == 42 && ok == 1);
        break;
    default:
        EXPECT(false);
    }
    EXPECT(go_select(go_case_as(SECOND, go_case_send(pairs, { 8, 9 })), go_case_default) == SECOND);
    EXPECT(go_recv(pairs).b == 9);
    EXPECT(go_select(go_case_after(0)) == 0);
    const auto kept = go_case_send(c, 43); // a case may be kept: it holds its value
    EXPECT(go_select(kept) == 0);
    EXPECT(go_recv(c) == 43);
    go_close(c);
    go_case by_hand[] = { go_case_recv_ok(c, nullptr, &ok), go_case_default };
    EXPECT(go_select_array(by_hand, 2) == 0 && ok == 0);
    go_chan_unref(c);
    go_chan_unref(pairs);
}

/* ---- defer -------------------------------------------------------------------------------- */

static std::string notes;
static void note(const std::string &word)
{
    notes += word;
}

static void leave_by_exception()
{
    go_defer(note, "c");
    go_defer([&] { notes += "b"; });
    throw 1;
}

static void blocks()
{
    for (int i = 0; i < 4; i++) {
        char word[] = "a";
        go_defer(note, word);
        word[0] = '-';
        if (i == 1)
            continue;
        {
            go_defer([](const char *s, char t) { (notes += s) += t; }, "b", 'c');
            if (i == 2)
                break;
        }
        notes += "|";
    }
    EXPECT(notes == "bc|aabca");
    notes.clear();
    try {
        leave_by_exception();
    } catch (int) {
        notes += "!";
    }
    EXPECT(notes == "bc!");
    go_mutex m = {};
    go_waitgroup wg = {};
    go_chan(go_unit) c = go_chan_make(go_unit, 1);
    go_mutex_lock(&m);
    go_waitgroup_add(&wg, 1);
    {
        go_defer(go_mutex_unlock, &m);
        go_defer(go_waitgroup_done, &wg);
        go_defer(go_signal, c);
        go_defer(std::printf, "%s", "");
    }
    EXPECT(go_mutex_trylock(&m) == 1);
    go_waitgroup_wait(&wg);
    EXPECT(go_len(c) == 1);
    go_defer(go_chan_unref, c);
    go_defer(go_close, c);
}

static void goexit_runs_deferred()
{
    notes.clear();
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    go([=] {
        go_defer(go_signal, done);
        go_defer([] { notes += go_recover() ? "value" : "none"; });
        [] { go_goexit(); }();
    });
    (void)go_recv(done);
    EXPECT(notes == "none");
    go_chan_unref(done);
}

/* ---- panic and recover -------------------------------------------------------------------- */

static std::string caught;

static void swallow()
{
    if (const go_panic_value *value = go_recover())
        caught = value->text;
}
namespace inner
{
static void swallow()
{
    ::swallow(); // one frame too deep
    if (const go_panic_value *value = go_recover())
        caught += value->text;
}
} // namespace inner

static std::string with_text(int n)
{
    std::string result = "before";
    go_recoverable(result);
    go_defer(swallow);
    result = "during";
    if (n > 0)
        go_panic("panic %d", n);
    return "after";
}

static int by_lambda()
{
    int result = 0;
    go_recoverable(result);
    go_defer([&] {
        if (const go_panic_value *value = go_recover())
            result = static_cast<int>(value->integer);
    });
    go_panic_int(77);
}

static int by_lambda_with_arguments(int n)
{
    int result = 0;
    go_recoverable(result);
    go_defer(
        [&result](int add, const std::string &text) {
            if (const go_panic_value *value = go_recover())
                result = static_cast<int>(value->integer) + add + static_cast<int>(text.size());
        },
        n, "four");
    go_panic_error(30, "code");
}

static int by_generic_lambda(int n)
{
    int result = 0;
    go_recoverable(result);
    go_defer(
        [&result](auto add) {
            if (go_recover())
                result = add;
        },
        n);
    go_panic_uint(30);
}

static void by_name()
{
    go_recoverable();
    go_defer(inner::swallow);
    go_panic("named");
}

static void by_pointer()
{
    go_recoverable();
    void (*which)() = swallow;
    go_defer(which);
    go_panic("pointed at");
}

struct functor {
    void operator()() const
    {
        if (go_recover())
            caught = "functor";
    }
};
static void by_functor()
{
    go_recoverable();
    functor f;
    go_defer(f);
    go_panic("x");
}

static bool too_deep;
static void helper()
{
    too_deep = go_recover() != nullptr;
}

// What a deferred call calls does not recover: a function, a lambda beside it, one within it; also
// where the call is the last thing done and the compiler makes it a jump.
template <class F> static void deeper(F deferred, int line)
{
    too_deep = false;
    caught.clear();
    [&] {
        go_recoverable();
        go_defer(swallow);
        go_defer(std::move(deferred));
        go_panic("deep");
    }();
    expect(!too_deep, "recovered too deep", line);
    expect(caught == "deep", "recovered", line);
}

static void landing_in_catch()
{
    go_recoverable();
    go_defer(swallow);
    try {
        throw 5;
    } catch (int) {
        go_panic("in a catch");
    }
}

static void panics()
{
    EXPECT(with_text(0) == "after");
    EXPECT(with_text(3) == "during");
    EXPECT(caught == "panic 3");
    EXPECT(by_lambda() == 77);
    EXPECT(by_lambda_with_arguments(5) == 39);
    EXPECT(by_generic_lambda(6) == 6);
    caught.clear();
    by_name();
    EXPECT(caught == "named");
    by_pointer();
    EXPECT(caught == "pointed at");
    by_functor();
    EXPECT(caught == "functor");
    EXPECT(go_recover() == nullptr);
}

static void panics_deeper()
{
    deeper([] { helper(); }, __LINE__);
    auto beside = [] { too_deep = go_recover() != nullptr; };
    deeper([beside] { beside(); }, __LINE__);
    deeper(
        [] {
            auto within = [] { too_deep = go_recover() != nullptr; };
            within();
        },
        __LINE__);
    deeper([] { functor()(); }, __LINE__);
    EXPECT(std::uncaught_exceptions() == 0);
    landing_in_catch();
    EXPECT(caught == "in a catch");
    EXPECT(!std::current_exception());
    go_chan(go_unit) done = go_chan_make(go_unit, 0);
    caught.clear();
    go([=] {
        go_defer(go_signal, done);
        go_defer(swallow); // nothing to swallow: a Goexit took the panic's place
        go_defer([] { go_goexit(); });
        go_panic("replaced");
    });
    (void)go_recv(done);
    go_chan_unref(done);
    EXPECT(caught.empty());
}

/* ---- contexts and scopes ------------------------------------------------------------------ */

static void contexts()
{
    static const int key = 0;
    int value = 7, got = 0;
    go_context *ctx = go_context_with_value(nullptr, &key, &value);
    go_context *timed = go_context_with_timeout(ctx, GO_MILLISECOND);
    go_chan(int) c = go_chan_make(int, 1);
    EXPECT(go_send_ctx(ctx, c, 3) == 0);
    EXPECT(go_recv_ctx(ctx, c, &got) == 1 && got == 3);
    EXPECT(go_select(go_case_recv(c, &got), go_case_as(9, go_case_done(timed))) == 9);
    EXPECT(go_recv_ctx(timed, c, &got) == -1 && errno == ETIMEDOUT);
    EXPECT(go_context_value(timed, &key) == &value);
    go_context_end(timed);
    go_context_unref(ctx);
    go_chan_unref(c);
}

static int twice(int n, int &result)
{
    go_gosched();
    result = 2 * n;
    return n == 3 ? 33 : 0;
}

static int leave_by_return(int &ended)
{
    go_scope(s, nullptr)
    {
        go_in(s, [&ended] {
            go_gosched();
            ended++;
        });
        return 5;
    }
    return 6;
}

static void until_cancelled(go_context *ctx, int *ended)
{
    go_context_wait(ctx);
    ++*ended;
}

static void leave_by_exception_from_scope(int *ended)
{
    go_scope(s)
    {
        go_in(s, until_cancelled, go_scope_context(s), ended);
        throw 8;
    }
}

static void panic_in_scope()
{
    go_recoverable();
    go_defer(swallow);
    go_scope(s) go_in(s, [] { go_panic("in a scope"); });
}

static void scopes()
{
    int results[4] = {}, error = 0, ended = 0, rounds = 0;
    std::string text;
    go_scope(s, nullptr, &error)
    {
        for (int i = 0; i < 4; i++)
            go_in(s, twice, i, std::ref(results[i]));
        go_in(
            s, [&text](const std::string &given) { text = given; }, std::string("moved in"));
    }
    EXPECT(error == 33);
    EXPECT(results[0] == 0 && results[1] == 2 && results[3] == 6);
    EXPECT(text == "moved in");
    EXPECT(leave_by_return(ended) == 5 && ended == 1);
    try {
        leave_by_exception_from_scope(&ended);
    } catch (int e) {
        EXPECT(e == 8);
    }
    EXPECT(ended == 2);
    for (int i = 0; i < 3; i++)
        go_scope(s)
        {
            go_in(s, [&rounds] { rounds++; });
            if (i < 2)
                break; // leaves the scope, not the loop
            EXPECT(go_scope_wait(s) == 0);
        }
    EXPECT(rounds == 3);
    caught.clear();
    panic_in_scope();
    EXPECT(caught == "in a scope");
}

int go_main(int argc, char **argv)
{
    (void)argv;
    starting();
    groups();
    functions_and_values_once();
    timers();
    maps();
    channels();
    selecting();
    blocks();
    goexit_runs_deferred();
    panics();
    panics_deeper();
    contexts();
    scopes();
    errno = EAGAIN;
    EXPECT(errno == EAGAIN);
    std::puts("ok");
    return argc - 1;
}
