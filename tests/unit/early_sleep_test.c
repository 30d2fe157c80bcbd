/* A plain thread sleeps, and waits with a timeout, in a program that has no goroutine yet: somebody
 * keeps the time all the same. Where that fails the program hangs. */
#include "unit.h"

int main(void)
{
    int v;
    go_chan(int) c = go_chan_make(int, 0);
    go_sleep(GO_MILLISECOND);
    CHECK(go_select(go_case_recv(c, &v), go_case_after(GO_MILLISECOND)), 1);
    go_chan_unref(c);
    return 0;
}
