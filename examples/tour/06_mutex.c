#include <gofer.h>
#include <stdio.h>

struct account {
    go_mutex mutex; // guards balance
    long balance;
};

static void deposit(struct account *account, int times)
{
    for (int i = 0; i < times; i++) {
        go_mutex_lock(&account->mutex);
        go_defer(go_mutex_unlock, &account->mutex);
        account->balance++;
    } // each round of the loop unlocks here
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct account account = { 0 };
    go_waitgroup wg = { 0 };
    for (int i = 0; i < 100; i++)
        go_waitgroup_go(&wg, deposit, &account, 1000);
    go_waitgroup_wait(&wg);
    printf("%ld\n", account.balance);
    return 0;
}
// Output:
// 100000
