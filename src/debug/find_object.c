/* glibc's _dl_find_object for other libcs: a gcc that was built for glibc has an unwinder that asks
 * it, and programs link that unwinder where only the libc was exchanged, as musl-gcc does. */
#include "base/base.h"

#ifndef __GLIBC__
#include <link.h>
#include <pthread.h>

/* That unwinder calls it by a weak reference, which links nothing. */
__attribute__((used)) static int (*const once)(pthread_once_t *, void (*)(void)) = pthread_once;

struct found_object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *link_map;
    void *eh_frame; /* the PT_GNU_EH_FRAME segment */
    unsigned long long reserved[7];
};

int _dl_find_object(void *address, void *found);

struct search {
    uintptr_t address;
    struct found_object *found;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct search *search = data;
    struct found_object *found = search->found;
    bool inside = false;
    found->eh_frame = NULL;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        char *start = (char *)at;
        char *end = start + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
            found->eh_frame = start;
        if (info->dlpi_phdr[i].p_type != PT_LOAD || search->address < at ||
            search->address >= (uintptr_t)end)
            continue;
        inside = true;
        found->start = start;
        found->end = end;
    }
    return inside && found->eh_frame;
}

int _dl_find_object(void *address, void *found)
{
    struct search search = { (uintptr_t)address, found };
    memset(found, 0, sizeof *search.found);
    return dl_iterate_phdr(look_at, &search) ? 0 : -1;
}
#endif
