/* See group_call.h. */
#include "sync/group_call.h"

#include "arch/arch.h"
#include "panic/panic.h"

void gofer_group_call_start(const gofer_group_record *record, const void *stack, bool holds_slot,
                            void (*run)(void *))
{
    size_t size = record->call.stack_size;
    gofer_group_call *kept = malloc(sizeof *kept + size);
    if (gofer_unlikely(!kept))
        gofer_fatal("runtime: cannot allocate memory for a goroutine's call");
    kept->group = record->group;
    kept->holds_slot = holds_slot;
    kept->call = record->call;
    gofer_copy_words(kept + 1, stack, size);
    gofer_spawn_record spawn = { .site = record->site };
    spawn.call.fn = (void (*)(void))run;
    spawn.call.integer[0] = (uint64_t)(uintptr_t)kept;
    gofer_deliver_spawn(&spawn.call, NULL);
}

long gofer_group_call_replay(const gofer_group_call *kept)
{
    return gofer_replay(&kept->call, kept + 1);
}
