#!/usr/bin/env bash
# Checks the models, and that each mutation makes its check fail.
# usage: run.sh SOURCE
set -uo pipefail
command -v spin >/dev/null || {
    echo "spin is not installed"
    exit 77
}
source=$(cd "$1" && pwd) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

# check MODEL EXPECTED FLAGS…: EXPECTED is 0 for no errors, 1 for some.
check() {
    local model=$1 expected=$2 errors got search=-a
    shift 2
    rm -f pan*
    spin -a "$@" "$source/spec/$model.pml" >/dev/null &&
        gcc -O1 -w -DNFAIR=4 -o pan pan.c || {
        echo "FAIL $model: does not build"
        failed=1
        return
    }
    [ "$model" = park ] || search=
    # weak fairness: a thread that can go on does so at last
    # shellcheck disable=SC2086
    errors=$(./pan -m100000 $search ${search:+-f} | sed -n 's/.*errors: \([0-9]*\).*/\1/p')
    got=$((errors > 0))
    if [ "$got" = "$expected" ]; then
        echo "ok $model $* (errors: $errors)"
    else
        echo "FAIL $model $*: errors: $errors"
        failed=1
    fi
}

check handoff 0
check handoff 1 -DNO_MEMBARRIER
check handoff 1 -DNO_LOCK
check park 0
check park 1 -DNO_ON_CPU
check steal 0
check steal 1 -DNO_FREEZE
check steal 1 -DPEEK
check select 0
check select 1 -DNO_CLAIM
check select 1 -DLOSER_STOPS
check select 1 -DSTILL_QUEUED
check select 1 -DNO_STOP
check mutex 0
check mutex 1 -DNO_RECHECK
check mutex 1 -DREADY_EARLY
check mutex 1 -DHAND_FREE
check mutex 1 -DNO_MEMBARRIER
check mutex 1 -DEND_IN_USE
check mutex 1 -DNO_SECOND_LOOK
check mutex 1 -DNO_LOCK
check mutex 1 -DNO_RESTORE
check mutex 1 -DTOUCH
check mutex 1 -DSWAP_BLIND
check mutex 0 -DREUSE
check readers 0
check readers 1 -DNO_MEMBARRIER
check readers 1 -DNO_WAIT
check readers 1 -DNO_SECOND_LOOK
check readers 1 -DNO_LOCK
check readers 1 -DLOOK_EARLY
check readers 1 -DLOOK_LATE
check readers 1 -DSHOW_EARLY
check readers 1 -DWAKE_ALL
check readers 1 -DLEAVE_LOCKED
check waitgroup 0
check waitgroup 1 -DNO_LOCK
check waitgroup 1 -DREADY_EARLY
check waitgroup 1 -DCOUNT_ALONE
check idle 0
check idle 1 -DTIMERS_OUTSIDE
check idle 1 -DLATE_DECREMENT
check idle 1 -DNO_FENCE
check idle 1 -DNO_LOOK
check idle 1 -DNO_SECOND_LOOK
check deadlock 0
check deadlock 1 -DWAITS_EARLY
check deadlock 1 -DNO_WAKES
check deadlock 1 -DONE_LOOK
exit $failed
