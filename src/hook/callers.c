/* Libraries whose calls are never parked: an allocator of its own (its caches are this thread's,
 * and half changed), name service modules (libc calls them with locks of its own held), and what
 * GOFER_HOOK_EXCEPT names: beginnings of file names, separated by colons.
 *
 * What is known of an address is kept in a table by its hash: the address, and the verdict in the
 * topmost bit, which no address has. Entries are words that are written whole: relaxed. */
#include "hook/hook.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

enum { SLOTS = 1024 };
static const uintptr_t TRUSTED = (uintptr_t)1 << 63;
static _Atomic uintptr_t known[SLOTS];

static const void *object_of(const void *address)
{
    Dl_info info;
    return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

/* Whether malloc is in that object, and the object is there for it: not the program, and no
 * sanitizer, through whose functions all calls come. */
static bool is_allocator(const void *object)
{
    return object == object_of(dlsym(RTLD_DEFAULT, "malloc")) &&
           object != object_of((const void *)getauxval(AT_ENTRY)) &&
           object != object_of(dlsym(RTLD_DEFAULT, "__sanitizer_set_death_callback"));
}

static bool is_excepted(const char *file)
{
    const char *list = getenv("GOFER_HOOK_EXCEPT");
    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (length && strncmp(file, list, length) == 0)
            return true;
        list += length + (list[length] == ':');
    }
    return strncmp(file, "libnss_", 7) == 0;
}

static bool judge(const void *caller)
{
    Dl_info info;
    if (!dladdr(caller, &info) || !info.dli_fname)
        return true; /* code that was made as the program runs */
    const char *slash = strrchr(info.dli_fname, '/');
    return !is_excepted(slash ? slash + 1 : info.dli_fname) && !is_allocator(info.dli_fbase);
}

bool gofer_hook_trusts(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    _Atomic uintptr_t *slot = &known[(address * 0x9e3779b97f4a7c15u) >> 54];
    uintptr_t entry = atomic_load_explicit(slot, memory_order_relaxed);
    if ((entry & ~TRUSTED) == address)
        return (entry & TRUSTED) != 0;
    bool trusted = judge(caller);
    atomic_store_explicit(slot, address | (trusted ? TRUSTED : 0), memory_order_relaxed);
    return trusted;
}

void gofer_hook_forget_callers(void)
{
    for (int i = 0; i < SLOTS; i++)
        atomic_store_explicit(&known[i], 0, memory_order_relaxed);
}
