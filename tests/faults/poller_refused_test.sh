#!/usr/bin/env bash
# GOFER_POLLER: which poller is used, and the texts where it cannot be had.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -Werror "$source/tests/faults/refuse.c" -o "$work/refuse" || exit 1
"$work/refuse" io_uring -- /bin/true || { echo 'no filters of system calls here'; exit 77; }

compile echo -O1 <<'END'
#include <errno.h>
#include <gofer.h>
#include <stdio.h>
#include <string.h>

static void send_hello(go_fd *fd)
{
    go_gosched();
    go_fd_write(fd, "hello\n", 6);
}

int go_main(int argc, char **argv)
{
    char text[6];
    go_fd *ends[2];
    (void)argc;
    (void)argv;
    if (go_fd_pipe(ends) != 0) {
        printf("%s\n", strerror(errno));
        return 1;
    }
    go(send_hello, ends[1]);
    go_fd_read(ends[0], text, sizeof text);
    printf("%.6s", text);
    return 0;
}
END

export GOFER_DEBUG=poller
# run NAME POLLER REFUSED TEXT…: the output's lines are these, and the program's.
run() {
    local name=$1 poller=$2 refused=$3 output got
    shift 3
    output=$(GOFER_POLLER=$poller timeout -s KILL 60 "$work/refuse" "$refused" -- "$work/echo" 2>&1)
    got=$?
    if [ $got = 0 ] && [ "$output" = "$(printf '%s\n' "$@" hello)" ]; then
        echo "ok $name"
    else
        printf 'FAIL %s: status %s, expected 0; output:\n%.3000s\n' "$name" $got "$output"
        failed=1
    fi
}
epoll='gofer: GOFER_DEBUG=poller: epoll'
refuses='gofer: GOFER_POLLER: the kernel refuses io_uring'
run default '' nothing "$epoll"
run epoll epoll nothing "$epoll"
run unknown kqueue nothing 'gofer: GOFER_POLLER: "kqueue" is unknown; there are epoll, io_uring' "$epoll"
run 'default, refused' '' io_uring "$epoll"
run 'a container' io_uring io_uring "$refuses: Operation not permitted (errno 1); epoll is used" "$epoll"
run 'no entering' io_uring entering "$refuses: Function not implemented (errno 38); epoll is used" "$epoll"
run 'no waiting' io_uring waiting "$refuses: Invalid argument (errno 22); epoll is used" "$epoll"
if GOFER_POLLER=io_uring "$work/echo" 2>&1 | grep -q "$refuses"; then
    echo 'io_uring itself is refused here'
else
    run io_uring io_uring nothing 'gofer: GOFER_DEBUG=poller: io_uring'
fi
for what in epoll eventfds; do
    printf '#!/bin/sh\nexec %s %s -- %s\n' "$work/refuse" $what "$work/echo" >"$work/without_$what"
    chmod +x "$work/without_$what"
    expect without_$what '' 1 'Function not implemented'
done
exit $failed
