// C++20's coroutines: each has deferred calls of its own, however a goroutine's take turns. Prints
// "ok".
#include <gofer.h>

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

static void expect(bool right, const char *what, int line)
{
    if (right)
        return;
    std::fprintf(stderr, "coroutines.cpp:%d: not so: %s\n", line, what);
    std::exit(1);
}
#define EXPECT(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)

struct steps {
    struct promise_type {
        steps get_return_object()
        {
            return { std::coroutine_handle<promise_type>::from_promise(*this) };
        }
        std::suspend_always initial_suspend()
        {
            return {};
        }
        std::suspend_always final_suspend() noexcept
        {
            return {};
        }
        std::suspend_always yield_value(int)
        {
            return {};
        }
        void return_void()
        {
        }
        void unhandled_exception()
        {
            std::terminate();
        }
    };
    std::coroutine_handle<promise_type> handle;
};

static std::string text;

static steps make(char name)
{
    go_defer([=] { text += name; });
    {
        go_defer([=] { text += static_cast<char>(name + 1); });
        co_yield 1;
    }
    co_yield 2;
}

static int recovers()
{
    int result = 0;
    go_recoverable(result);
    go_defer([&] { result = go_recover() ? 7 : 0; });
    go_panic("not the coroutines' business");
    return result;
}

static void take_turns()
{
    steps a = make('a'), k = make('k'), x = make('x');
    go_defer([] { text += '.'; });
    a.handle.resume();
    k.handle.resume();
    x.handle.resume();
    k.handle.resume();
    a.handle.resume();
    x.handle.resume();
    text += '|';
    x.handle.destroy();
    a.handle.destroy();
    k.handle.destroy();
}

int go_main(int, char **)
{
    take_turns();
    EXPECT(text == "lby|xak.");
    EXPECT(recovers() == 7); // nothing of theirs is left
    std::puts("ok");
    return 0;
}
