/* A C++ exception that nobody catches before the goroutine's end. Every goroutine's first call and
 * every deferred call is made by gofer_replay; this is its frame's personality routine. An unwinder
 * asks it while it looks for a handler, before it has left any frame: so the traces still show
 * where the exception was thrown. No C++ library is needed. */
#include "panic/panic.h"
#include "park/park.h"

#include <stdio.h>
#include <unwind.h>

/* What to call the goroutine: its own name, its function's, else where it was started. */
static void describe(const gofer_g *g, char *text, size_t size)
{
    const gofer_site *site = g->site;
    if (g->name)
        snprintf(text, size, "%s", g->name);
    else if (site && site->name)
        snprintf(text, size, "main.%s", site->name);
    else if (site)
        snprintf(text, size, "started in main.%s at %s:%d", site->function, site->file, site->line);
    else
        snprintf(text, size, "%s", g == gofer_sched.main_g ? "main.go_main" : "go_spawn");
}

/* Called by the unwinder through the frame description; see src/arch/switch_*.S. */
_Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                      _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception,
                                      struct _Unwind_Context *context);

_Unwind_Reason_Code gofer_personality(int version, _Unwind_Action actions,
                                      _Unwind_Exception_Class class,
                                      struct _Unwind_Exception *exception,
                                      struct _Unwind_Context *context)
{
    (void)version;
    (void)exception;
    (void)context;
    if (!(actions & _UA_SEARCH_PHASE))
        return _URC_CONTINUE_UNWIND; /* a forced unwinding: a thread is being cancelled */
    const gofer_g *self = gofer_self();
    const char *kind =
        (class & 0xffffff00) == 0x432b2b00 /* "C++" */ ? "C++ exception" : "exception";
    char who[256];
    describe(self, who, sizeof who);
    if (self->running)
        gofer_fatal("%s left a deferred call of goroutine %llu (%s)", kind,
                    (unsigned long long)self->id, who);
    gofer_fatal("%s left goroutine %llu (%s)", kind, (unsigned long long)self->id, who);
}
