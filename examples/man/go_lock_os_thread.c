#include <gofer.h>
#include <pthread.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_lock_os_thread();
    pthread_t before = pthread_self();
    go_sleep(GO_MILLISECOND);
    puts(pthread_equal(before, pthread_self()) ? "the same thread" : "another thread");
    go_unlock_os_thread();
    return 0;
}
// Output:
// the same thread
