/* Goroutines that a constructor started hold every processor when main's turn comes. */
#include "unit.h"

static int ran, may_end;

static void busy(void)
{
    __atomic_store_n(&ran, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&may_end, __ATOMIC_ACQUIRE))
        ;
}

__attribute__((constructor)) static void before_main(void)
{
    go_gomaxprocs(1);
    go(busy);
    while (!__atomic_load_n(&ran, __ATOMIC_ACQUIRE))
        ;
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    __atomic_store_n(&may_end, 1, __ATOMIC_RELEASE);
    return 0;
}
