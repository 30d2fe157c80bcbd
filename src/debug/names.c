/* C++'s symbols made readable, as far as a trace needs it: `_ZN2ns4workEi` becomes `ns::work`.
 * Parameters and template arguments are left out, and what follows them; a lambda or local class
 * of f is `f.func`. No library's demangler: those allocate, and the process may be dying of a
 * broken heap. */
#include "debug/dump.h"

#include <ctype.h>
#include <stdio.h>

/* A length, then as many characters: appended to `out`. Returns what follows, or NULL. */
static const char *append_source_name(const char *at, const char *end, char *out, size_t size)
{
    char *after;
    if (!isdigit((unsigned char)*at))
        return NULL;
    size_t length = strtoul(at, &after, 10), used = strlen(out);
    if (length == 0 || length > (size_t)(end - after) || used + length + 3 > size)
        return NULL;
    bool unnamed = length >= 11 && strncmp(after, "_GLOBAL__N_", 11) == 0;
    snprintf(out + used, size - used, "%s%.*s", used ? "::" : "", unnamed ? 9 : (int)length,
             unnamed ? "anonymous" : after);
    return after + length;
}

void gofer_shorten_name(char name[GOFER_NAME_SIZE])
{
    char out[GOFER_NAME_SIZE] = "";
    const char *at = name + 2, *end = name + strlen(name);
    if (strncmp(name, "_Z", 2) != 0)
        return;
    bool local = *at == 'Z';
    while (*at == 'Z')
        at++;
    if (*at == 'N') {
        at++;
        at += strspn(at, "KVrRO");
    }
    if (strncmp(at, "St", 2) == 0) {
        strcpy(out, "std");
        at += 2;
    }
    do
        at += *at == 'L';
    while ((at = append_source_name(at, end, out, sizeof out - sizeof ".func")));
    if (out[0])
        sprintf(name, "%s%s", out, local ? ".func" : "");
}
