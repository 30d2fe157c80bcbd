#!/usr/bin/env bash
# Which values of GOMAXPROCS and GOFER_STACK count: as with Go's GOMAXPROCS a whole number alone.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
compile procs <<'END'
#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    printf("%s: <%d>\n", argv[1], go_gomaxprocs(0));
    return 0;
}
END
unset GOMAXPROCS
cpus=$("$work/procs" '')
cpus=${cpus#: }
expect_procs() {
    GOMAXPROCS=$1 expect procs "$1" 0 ": $2"
}
for value in 3 +3 003; do
    expect_procs "$value" '<3>'
done
for value in '' 0 -3 ' 3' '3 ' 3x 3.0 0x3 + - +-3 ++3 2147483648 4294967299 18446744073709551619 x; do
    expect_procs "$value" "$cpus"
done
expect_procs 2147483647 '<1024>' # the most there are

compile stack <<'END'
#include <gofer.h>
#include <stdio.h>

static void tell(const char *name, go_waitgroup *wg)
{
    go_metric_sample size = { .name = "/gc/stack/starting-size:bytes" };
    go_metrics_read(&size, 1);
    printf("%s: <%llu>\n", name, (unsigned long long)size.value.u64);
    go_waitgroup_done(wg);
}

int go_main(int argc, char **argv)
{
    (void)argc;
    go_waitgroup wg = { 0 };
    go_waitgroup_add(&wg, 1);
    go(tell, argv[1], &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
END
expect_stack() {
    GOFER_STACK=$1 expect stack "$1" 0 ": <$2>"
}
for value in 16384 1048576 2147483648; do # the last is more than main's own
    expect_stack $value $value
done
for value in '' 0 16383 -1 ' 65536' 1x 64K abc 99999999999999 18446744073709551615; do
    expect_stack "$value" 262144
done
exit $failed
