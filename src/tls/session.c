/* Sessions that clients may resume: a list of the servers last spoken to, the newest first, each
 * with its last session. */
#include "tls/tls.h"

struct gofer_tls_session {
    struct gofer_tls_session *next;
    SSL_SESSION *session;
    char server[];
};

static void free_session(struct gofer_tls_session *entry)
{
    SSL_SESSION_free(entry->session);
    free(entry);
}

/* Takes a server's entry out of the list, or returns NULL. With the lock held. */
static struct gofer_tls_session *unlink_session(go_tls_config *config, const char *server)
{
    struct gofer_tls_session **link = &config->sessions, *entry;
    while ((entry = *link) && strcmp(entry->server, server) != 0)
        link = &entry->next;
    if (entry)
        *link = entry->next;
    return entry;
}

static void link_session(go_tls_config *config, struct gofer_tls_session *entry)
{
    entry->next = config->sessions;
    config->sessions = entry;
}

/* With the lock held, or by the only user. */
void gofer_tls_sessions_drop(go_tls_config *config, int most)
{
    struct gofer_tls_session **link = &config->sessions, *entry;
    for (; most > 0 && *link; most--)
        link = &(*link)->next;
    while ((entry = *link)) {
        *link = entry->next;
        free_session(entry);
    }
}

void gofer_tls_session_put(go_tls_config *config, const char *server, SSL_SESSION *session)
{
    size_t size = strlen(server) + 1;
    struct gofer_tls_session *entry = malloc(sizeof *entry + size);
    if (!entry) { /* it is only not resumed */
        SSL_SESSION_free(session);
        return;
    }
    entry->session = session;
    memcpy(entry->server, server, size);
    go_mutex_lock(&config->sessions_lock);
    struct gofer_tls_session *old = unlink_session(config, server);
    link_session(config, entry);
    gofer_tls_sessions_drop(config, config->most_sessions);
    go_mutex_unlock(&config->sessions_lock);
    if (old)
        free_session(old);
}

SSL_SESSION *gofer_tls_session_get(go_tls_config *config, const char *server)
{
    SSL_SESSION *session = NULL;
    go_mutex_lock(&config->sessions_lock);
    struct gofer_tls_session *entry = unlink_session(config, server);
    if (entry) {
        link_session(config, entry);
        session = entry->session;
        SSL_SESSION_up_ref(session);
    }
    go_mutex_unlock(&config->sessions_lock);
    return session;
}
