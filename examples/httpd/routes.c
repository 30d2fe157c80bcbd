/* Which function answers what. All that is not named here is a file. */
#include "httpd.h"

#include <stdio.h>
#include <string.h>

static const struct route routes[] = {
    { "/api/counter", "GET, HEAD, POST, DELETE, OPTIONS", api_counter, false },
    { "/api/echo", "POST, PUT, OPTIONS", api_echo, false },
    { "/debug/stats", "GET, HEAD, OPTIONS", debug_stats, true },
    { "/debug/sleep", "GET, HEAD, POST, OPTIONS", debug_sleep, true },
    { "/debug/panic", "GET, OPTIONS", debug_panic, true },
};

static const struct route files = { "", "GET, HEAD, OPTIONS", files_answer, false };
static const struct route everything = { "*", "GET, HEAD, POST, PUT, DELETE, OPTIONS", NULL,
                                         false };

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* NULL: there is nothing. */
static const struct route *route_of(const struct connection *c, const char *path)
{
    bool debug = c->server->settings->debug;
    if (strcmp(path, "*") == 0)
        return &everything;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if ((debug || !routes[i].debug) && strcmp(routes[i].path, path) == 0)
            return &routes[i];
    if (begins_with(path, "/api/") || (debug && begins_with(path, "/debug/")))
        return NULL;
    return &files;
}

/* Whether a list as Allow has it names the method. */
static bool allows(const char *methods, const char *method)
{
    size_t length = strlen(method);
    for (const char *at = methods; (at = strstr(at, method)) != NULL; at += length)
        if ((at == methods || at[-1] == ' ') && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

const struct route *route_find(struct connection *c)
{
    const char *method = request_method(&c->request);
    const struct route *route = route_of(c, c->request.path);
    char allow[80];
    if (!allows(everything.methods, method)) {
        respond_error(c, HTTP_STATUS_NOT_IMPLEMENTED, "");
        return NULL;
    }
    if (!route) {
        respond_error(c, HTTP_STATUS_NOT_FOUND, "");
        return NULL;
    }
    snprintf(allow, sizeof allow, "Allow: %s\r\n", route->methods);
    if (strcmp(method, "OPTIONS") == 0) {
        respond_empty(c, HTTP_STATUS_NO_CONTENT, allow);
        return NULL;
    }
    if (!allows(route->methods, method)) {
        respond_error(c, HTTP_STATUS_METHOD_NOT_ALLOWED, allow);
        return NULL;
    }
    return route;
}
