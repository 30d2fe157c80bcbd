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
# check MODEL EXPECTED FLAGS…: EXPECTED is 0 for no errors, 1 for some. Runs beside others: its output
# goes to a file of its own. Most of the time is the compiler's: -O0.
count=0
check() {
    count=$((count + 1))
    [ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
    check_one "$(printf '%03d' $count)" "$@" &
}

check_one() {
    local folder=$work/$1 model=$2 expected=$3 errors got compiled=-DSAFETY search=''
    shift 3
    # weak fairness: a thread that can go on does so at last
    [ "$model" != park ] || compiled=-DNFAIR=4 search='-a -f'
    mkdir "$folder" && cd "$folder" || exit 1
    spin -a "$@" "$source/spec/$model.pml" >/dev/null &&
        gcc -O0 -w $compiled -o pan pan.c || {
        echo "FAIL $model: does not build" >result
        return
    }
    # the words are options
    # shellcheck disable=SC2086
    errors=$(./pan -m100000 $search | sed -n 's/.*errors: \([0-9]*\).*/\1/p')
    got=$((errors > 0))
    if [ -n "$errors" ] && [ "$got" = "$expected" ]; then
        echo "ok $model $* (errors: $errors)" >result
    else
        echo "FAIL $model $*: errors: $errors" >result
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
check rcu 0
check rcu 1 -DNO_MEMBARRIER
check rcu 1 -DNO_WAIT
check rcu 1 -DLOOK_EARLY
check rcu 1 -DLEAVE_EARLY
check rcu 1 -DNO_UNLINK
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
check waitgroup 1 -DNO_STAY
check waitgroup 1 -DFREE_EARLY
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
wait
cat "$work"/*/result
[ "$(cat "$work"/*/result | grep -c '^ok')" = $count ]
