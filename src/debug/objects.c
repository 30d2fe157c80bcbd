/* The objects that are loaded, and their dynamic symbols: what dladdr knows, without dladdr. That
 * waits for a lock which dlopen holds while constructors run, and those may run for long. The one
 * of dl_iterate_phdr is held for a moment, and keeps an object loaded meanwhile.
 *
 * An object's tables are believed as far as they lie in what is loaded of it. */
#include "debug/dump.h"

#include <link.h>
#include <stdio.h>
#include <unistd.h>

static int take_version(struct dl_phdr_info *first, size_t size, void *version)
{
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof first->dlpi_subs)
        *(unsigned long long *)version = first->dlpi_adds + first->dlpi_subs;
    return 1;
}

unsigned long long gofer_objects_version(void)
{
    unsigned long long version = 0;
    dl_iterate_phdr(take_version, &version);
    return version;
}

/* /proc/self is the first thread, and has no program where that has ended. */
const char *gofer_program_link(void)
{
    char first[1];
    return readlink("/proc/self/exe", first, sizeof first) > 0 ? "/proc/self/exe"
                                                               : "/proc/thread-self/exe";
}

/* ---- symbols ------------------------------------------------------------------------------ */

static bool is_loaded(const struct dl_phdr_info *object, uintptr_t at, size_t size)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t into = at - (object->dlpi_addr + part->p_vaddr);
        if (part->p_type == PT_LOAD && into < part->p_memsz && size <= part->p_memsz - into)
            return true;
    }
    return false;
}

struct tables {
    uintptr_t symbols, names, hash, gnu_hash; /* 0: there is none */
    size_t names_size;
};

/* Some C libraries relocate these addresses, some do not. */
static uintptr_t address_in(const struct dl_phdr_info *object, uintptr_t value)
{
    if (is_loaded(object, value, 1))
        return value;
    return is_loaded(object, object->dlpi_addr + value, 1) ? object->dlpi_addr + value : 0;
}

static struct tables tables_of(const struct dl_phdr_info *object)
{
    struct tables t = { 0 };
    const ElfW(Dyn) *entry = NULL;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (; entry && is_loaded(object, (uintptr_t)entry, sizeof *entry) && entry->d_tag != DT_NULL;
         entry++) {
        if (entry->d_tag == DT_SYMTAB)
            t.symbols = address_in(object, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            t.names = address_in(object, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRSZ)
            t.names_size = entry->d_un.d_val;
        else if (entry->d_tag == DT_HASH)
            t.hash = address_in(object, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_GNU_HASH)
            t.gnu_hash = address_in(object, entry->d_un.d_ptr);
    }
    return t;
}

/* Only the hash tables tell how many symbols there are: that of GNU by its last chain's end. */
static size_t count_symbols(const struct dl_phdr_info *object, const struct tables *t)
{
    const uint32_t *words = (const uint32_t *)t->hash;
    if (words && is_loaded(object, t->hash, 2 * sizeof *words))
        return words[1];
    words = (const uint32_t *)t->gnu_hash;
    if (!words || !is_loaded(object, t->gnu_hash, 4 * sizeof *words))
        return 0;
    uint32_t bucket_count = words[0], first = words[1], last = 0;
    const uint32_t *buckets = words + 4 + words[2] * (sizeof(ElfW(Addr)) / sizeof *words);
    const uint32_t *chains = buckets + bucket_count;
    if (!is_loaded(object, (uintptr_t)buckets, bucket_count * sizeof *buckets))
        return 0;
    for (uint32_t i = 0; i < bucket_count; i++)
        if (buckets[i] > last)
            last = buckets[i];
    if (last < first)
        return first;
    while (is_loaded(object, (uintptr_t)&chains[last - first], sizeof *chains) &&
           !(chains[last - first] & 1))
        last++;
    return (size_t)last + 1;
}

static void name_function(const struct dl_phdr_info *object, uintptr_t address,
                          struct gofer_symbol *symbol)
{
    struct tables t = tables_of(object);
    const ElfW(Sym) *all = (const ElfW(Sym) *)t.symbols, *best = NULL;
    size_t count = count_symbols(object, &t);
    if (!all || !t.names || !is_loaded(object, t.names, t.names_size))
        return;
    for (size_t i = 0; i < count && is_loaded(object, (uintptr_t)&all[i], sizeof *all); i++) {
        const ElfW(Sym) *s = &all[i];
        if (s->st_shndx != SHN_UNDEF && (s->st_info & 0xf) != STT_TLS &&
            s->st_name < t.names_size && address - (object->dlpi_addr + s->st_value) < s->st_size &&
            (!best || s->st_value > best->st_value))
            best = s;
    }
    if (!best)
        return;
    snprintf(symbol->function, sizeof symbol->function, "%.*s", (int)(t.names_size - best->st_name),
             (const char *)(t.names + best->st_name));
    symbol->offset = address - (object->dlpi_addr + best->st_value);
}

/* ---- one address -------------------------------------------------------------------------- */

static void name_file(const char *name, struct gofer_symbol *symbol)
{
    if (*name && strcmp(name, "/proc/self/exe") != 0) {
        snprintf(symbol->file, sizeof symbol->file, "%s", name);
        return;
    }
    ssize_t n = readlink(gofer_program_link(), symbol->file, sizeof symbol->file - 1);
    symbol->file[n > 0 ? n : 0] = 0;
}

struct lookup {
    uintptr_t address;
    struct gofer_symbol *symbol;
};

static int look_at(struct dl_phdr_info *object, size_t size, void *data)
{
    const struct lookup *lookup = data;
    struct gofer_symbol *symbol = lookup->symbol;
    (void)size;
    if (!is_loaded(object, lookup->address, 1))
        return 0;
    if (!symbol->function[0])
        name_function(object, lookup->address, symbol);
    if (!symbol->function[0])
        symbol->offset = lookup->address - object->dlpi_addr; /* for addr2line */
    if (!symbol->file[0])
        name_file(object->dlpi_name, symbol);
    return 1;
}

void gofer_object_symbol(uintptr_t address, struct gofer_symbol *symbol)
{
    struct lookup lookup = { address, symbol };
    dl_iterate_phdr(look_at, &lookup);
}
