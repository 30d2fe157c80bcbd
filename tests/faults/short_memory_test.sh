#!/usr/bin/env bash
# Calls that promise ENOMEM keep the promise whichever of their requests for memory is refused.
# shellcheck source=tests/unit/expect.sh
. "$1/tests/unit/expect.sh"
wrap=''
for call in malloc calloc realloc posix_memalign; do wrap+=",--wrap=$call"; done
compile short_memory "-Wl$wrap" <"$source/tests/faults/short_memory.c"
for what in accept output input-delay kill-delay singleflight-channel singleflight signals; do
    expect short_memory $what 0 'endured some'
done
exit $failed
