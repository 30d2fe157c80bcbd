#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) numbers = go_chan_make(int, 1);
    go_chan(int) none = NULL; // never ready
    int value = 0;
    go_send(numbers, 42);
    for (int i = 0; i < 2; i++) {
        switch (go_select(go_case_recv(numbers, &value), go_case_send(none, 1),
                          go_case_after(10 * GO_MILLISECOND))) {
        case 0:
            printf("received %d\n", value);
            break;
        case 2:
            puts("nothing for ten milliseconds");
            break;
        }
    }
    go_chan_unref(numbers);
    return 0;
}
// Output:
// received 42
// nothing for ten milliseconds
