#!/usr/bin/env bash
# Which values of GOMAXPROCS count: as with Go a whole number alone.
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
exit $failed
