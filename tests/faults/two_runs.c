/* Two threads call go_run at once. The runtime's first thread, for the first of them, cannot be
 * made while the second's goroutine waits for a processor already. Linked with
 * --wrap=pthread_create. */
#include <errno.h>
#include <gofer.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static atomic_bool first_creates;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
                          void *argument)
{
    if (atomic_exchange(&first_creates, true))
        return __real_pthread_create(thread, attributes, fn, argument);
    while (go_num_goroutine() == 0)
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* it is about to be queued; too few: the check is weaker */
    return EAGAIN;
}

static int give(int result, char **unused)
{
    (void)unused;
    return result;
}

static void *run_second(void *result)
{
    while (!atomic_load(&first_creates))
        sched_yield();
    *(int *)result = go_run(give, 7, NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int second = 0;
    if (__real_pthread_create(&thread, NULL, run_second, &second) != 0)
        return 1;
    int first = go_run(give, 5, NULL);
    printf("first: %d %s\n", first, first < 0 ? strerror(errno) : "");
    fflush(stdout);
    pthread_join(thread, NULL);
    printf("second: %d\n", second);
    return 0;
}
