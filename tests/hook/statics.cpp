/* Many local statics, each made once by whoever comes first, and std::call_once. */
#include <cstdlib>
#include <mutex>
#include <unistd.h>
#include <utility>

namespace
{
enum { STATICS = 304 };

/* Waits for a byte of fd, unless that is negative. */
void make(int fd, bool fails)
{
    char byte;
    if (fd >= 0 && read(fd, &byte, 1) != 1)
        std::abort();
    if (fails)
        throw "failed";
}

struct made {
    made(int fd, bool fails)
    {
        make(fd, fails);
    }
};

template <int Which> void reach(int fd, bool fails)
{
    static made it(fd, fails);
    (void)it;
}

template <int... Which>
void reach_one(int which, int fd, bool fails, std::integer_sequence<int, Which...>)
{
    static constexpr void (*all[])(int, bool) = { reach<Which>... };
    all[which](fd, fails);
}
} // namespace

/* Whether it is made: false where its constructor threw. */
extern "C" bool static_make(int which, int fd, bool fails)
{
    try {
        reach_one(which, fd, fails, std::make_integer_sequence<int, STATICS>());
        return true;
    } catch (const char *) {
        return false;
    }
}

/* What is to be done once fails. */
extern "C" void static_once(int fd)
{
    std::once_flag once;
    try {
        std::call_once(once, make, fd, true);
    } catch (const char *) {
    }
}
