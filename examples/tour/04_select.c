#include <gofer.h>
#include <stdio.h>

static void answer(go_chan(int) replies, go_chan(go_unit) asked)
{
    go_recv(asked);
    go_send(replies, 42);
}

static void ask(go_chan(int) replies, go_duration patience)
{
    int reply = 0;
    switch (go_select(go_case_recv(replies, &reply), go_case_after(patience))) {
    case 0:
        printf("received %d\n", reply);
        break;
    case 1:
        printf("timeout\n");
        break;
    }
}

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    go_chan(int) replies = go_chan_make(int, 0);
    go_chan(go_unit) asked = go_chan_make(go_unit, 0);
    go(answer, replies, asked);
    ask(replies, 10 * GO_MILLISECOND); // nobody has asked yet
    go_signal(asked);
    ask(replies, GO_MINUTE);
    if (go_select(go_case_recv(replies, NULL), go_case_default) == 1)
        printf("nothing there\n");
    return 0;
}
// Output:
// timeout
// received 42
// nothing there
