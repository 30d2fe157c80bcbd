#include <gofer.h>
#include <stdio.h>

static void work(int *done)
{
    __atomic_store_n(done, 1, __ATOMIC_RELEASE);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int done = 0;
    go(work, &done);
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
        go_gosched();
    puts("the other has run");
    return 0;
}
// Output:
// the other has run
