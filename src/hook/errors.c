/* OpenSSL's error queue belongs to the thread: a goroutine that is parked takes its errors out, and
 * puts them back when it goes on. By the functions of OpenSSL 3, if libcrypto is loaded; marks
 * (ERR_set_mark) are not kept. */
#include "hook/hook.h"

enum { MOST = 16 /* of OpenSSL's queue */ };

typedef struct kept_error {
    unsigned long code;
    char *file, *function, *data; /* copies; data NULL: none */
    int line;
} kept_error;

struct gofer_hook_errors {
    int count;
    kept_error errors[MOST];
};

static struct openssl {
    unsigned long (*peek)(void);
    unsigned long (*get)(const char **file, int *line, const char **function, const char **data,
                         int *flags);
    void (*clear)(void);
    void (*make)(void);
    void (*set_debug)(const char *file, int line, const char *function);
    void (*set)(int library, int reason, const char *format, ...);
} openssl;
static _Atomic bool found; /* openssl is filled in */

void gofer_hook_find_openssl(void)
{
    static const char *const names[] = { "ERR_peek_error", "ERR_get_error_all", "ERR_clear_error",
                                         "ERR_new",        "ERR_set_debug",     "ERR_set_error" };
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    void *functions[sizeof names / sizeof *names];
    _Static_assert(sizeof functions == sizeof openssl, "one name for each function");
    if (atomic_load_explicit(&found, memory_order_relaxed))
        return;
    void *library = gofer_hook_next()->dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_NOLOAD);
    bool all = library != NULL;
    if (!all)
        dlerror(); /* nobody's */
    for (size_t i = 0; i < sizeof names / sizeof *names && all; i++)
        all = (functions[i] = dlsym(library, names[i])) != NULL;
    gofer_hook_next()->pthread_mutex_lock(&lock);
    if (all && !atomic_load_explicit(&found, memory_order_relaxed)) {
        memcpy(&openssl, functions, sizeof openssl);
        /* pairs with the acquire below; the reference to the library is kept */
        atomic_store_explicit(&found, true, memory_order_release);
    }
    gofer_hook_next()->pthread_mutex_unlock(&lock);
}

static char *copy(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

/* Without memory they are lost, as a full queue loses its oldest. */
struct gofer_hook_errors *gofer_hook_take_errors(void)
{
    if (!atomic_load_explicit(&found, memory_order_acquire) || !openssl.peek())
        return NULL;
    struct gofer_hook_errors *errors = calloc(1, sizeof *errors);
    const char *file, *function, *data;
    int line, flags;
    for (unsigned long code; (code = openssl.get(&file, &line, &function, &data, &flags));) {
        if (!errors || errors->count == MOST)
            continue;
        errors->errors[errors->count++] = (kept_error){ .code = code,
                                                        .file = copy(file),
                                                        .function = copy(function),
                                                        .data = copy(data),
                                                        .line = line };
    }
    return errors;
}

/* ERR_GET_LIB and ERR_GET_REASON: a system's error has the topmost bit, else 8 and 23 bits. */
static void put_error(const kept_error *error)
{
    enum { SYSTEM = 2 };
    bool system = error->code & 0x80000000u;
    int library = system ? SYSTEM : (int)(error->code >> 23 & 0xff);
    int reason = (int)(error->code & (system ? 0x7fffffff : 0x7fffff));
    openssl.make();
    openssl.set_debug(error->file ? error->file : "", error->line,
                      error->function ? error->function : "");
    if (error->data)
        openssl.set(library, reason, "%s", error->data);
    else
        openssl.set(library, reason, NULL);
}

void gofer_hook_put_errors(struct gofer_hook_errors *errors)
{
    if (atomic_load_explicit(&found, memory_order_acquire) && openssl.peek())
        openssl.clear(); /* of who ran here meanwhile */
    for (int i = 0; errors && i < errors->count; i++) {
        kept_error *error = &errors->errors[i];
        put_error(error);
        free(error->file);
        free(error->function);
        free(error->data);
    }
    free(errors);
}
