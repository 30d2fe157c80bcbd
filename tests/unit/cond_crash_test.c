/* A condition's locker without a mutex: a nil dereference, as in Go, that leaves nothing behind. */
#include "unit.h"

#if !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__ /* which end it themselves */
static void recover(int *recovered)
{
    *recovered = go_recover() != NULL;
}

static void wait_and_recover(go_cond *c, int *recovered)
{
    go_recoverable();
    go_defer(recover, recovered);
    go_cond_wait(c);
}

int go_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    int recovered = 0;
    go_set_panic_on_fault(1);
    go_cond c = { .locker = GO_LOCKER_MUTEX(NULL) };
    wait_and_recover(&c, &recovered);
    CHECK(recovered, 1);
    CHECK(c.waiters == NULL, 1);
    return 0;
}
#else
int go_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("skipped: the sanitizer ends a program at a nil dereference itself");
    return 77;
}
#endif
