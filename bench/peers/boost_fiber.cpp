/* Boost.Fiber with its default scheduler: fibers of one thread. */
#include "peer.h"
#include <boost/fiber/all.hpp>
#include <vector>

namespace fibers = boost::fibers;

static void yielder(long n)
{
    for (long i = 0; i < n; i++)
        boost::this_fiber::yield();
}

static long run_yield()
{
    long n = times(1000000);
    fibers::fiber a(yielder, n), b(yielder, n);
    a.join();
    b.join();
    return 2 * n;
}

static long run_hop()
{
    long n = times(500000);
    fibers::unbuffered_channel<long> there, back;
    fibers::fiber other([&] {
        for (long v : there)
            back.push(v);
    });
    for (long i = 0; i < n; i++) {
        there.push(i);
        check(back.value_pop() == i);
    }
    there.close();
    other.join();
    return 2 * n;
}

template <typename Channel> static long through(Channel &c, long n)
{
    long sum = 0;
    fibers::fiber other([&] {
        for (long i = 0; i < n; i++)
            c.push(i);
        c.close();
    });
    for (long v : c)
        sum += v;
    check(sum == n * (n - 1) / 2);
    other.join();
    return n;
}

static long run_oneway()
{
    fibers::unbuffered_channel<long> c;
    return through(c, times(1000000));
}

static long run_buffered128()
{
    fibers::buffered_channel<long> c(128);
    return through(c, times(4000000));
}

/* With stacks that are used again: the default maps one anew for each fiber. */
static long run_spawn_finish()
{
    long rounds = times(1000);
    fibers::pooled_fixedsize_stack stacks;
    std::vector<fibers::fiber> all(1000);
    for (long i = 0; i < rounds; i++) {
        for (auto &f : all)
            f = fibers::fiber(std::allocator_arg, stacks, [] {});
        for (auto &f : all)
            f.join();
    }
    return 1000 * rounds;
}

static long run_spawn_join()
{
    long n = times(500000);
    fibers::pooled_fixedsize_stack stacks;
    for (long i = 0; i < n; i++)
        fibers::fiber(std::allocator_arg, stacks, [] {}).join();
    return n;
}

static long mutex_by(int count, long n)
{
    fibers::mutex m;
    long guarded = 0;
    std::vector<fibers::fiber> all;
    for (int i = 0; i < count; i++)
        all.emplace_back([&] {
            for (long j = 0; j < n; j++) {
                m.lock();
                guarded++;
                m.unlock();
            }
        });
    for (auto &f : all)
        f.join();
    check(guarded == count * n);
    return count * n;
}

static long run_mutex_uncontended()
{
    return mutex_by(1, times(10000000));
}

static long run_cond_signal()
{
    long n = times(500000), turn = 0;
    fibers::mutex m;
    fibers::condition_variable cond;
    auto turner = [&](long self) {
        std::unique_lock<fibers::mutex> lock(m);
        for (long i = 0; i < n; i++) {
            cond.wait(lock, [&] { return turn == self; });
            turn = !self;
            cond.notify_one();
        }
    };
    fibers::fiber a(turner, 0), b(turner, 1);
    a.join();
    b.join();
    return 2 * n;
}

static const struct peer_row rows[] = {
    { "yield", run_yield },
    { "hop", run_hop },
    { "oneway", run_oneway },
    { "buffered128", run_buffered128 },
    { "spawn_finish", run_spawn_finish },
    { "spawn_join", run_spawn_join },
    { "mutex_uncontended", run_mutex_uncontended },
    { "cond_signal", run_cond_signal },
};
PEER_MAIN(rows)
