/* See kept_panic.h. */
#include "sync/kept_panic.h"

#include "panic/panic.h"

gofer_kept_panic *gofer_keep_panic(const go_panic_value *value)
{
    size_t size = strlen(value->text) + 1;
    gofer_kept_panic *kept = malloc(sizeof *kept + size);
    if (!kept)
        gofer_fatal("runtime: cannot allocate memory for a panic's text");
    kept->value = *value;
    kept->value.text = memcpy(kept->text, value->text, size);
    return kept;
}
