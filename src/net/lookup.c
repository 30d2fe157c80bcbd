/* Names: hosts by getaddrinfo, services by getservbyname_r.
 *
 * getaddrinfo is what the system is configured for (nsswitch, hosts, resolv.conf, mDNS, LDAP), and
 * it blocks. So each look-up has a goroutine of its own, which is handed off with its thread; equal
 * ones at a time share it, and so many at most are in getaddrinfo. Who asks waits with its context:
 * where that ends first it goes, and the look-up's result is dropped. One that the last asker
 * has left is taken off the list, so that the next asker is not tied to a resolver that hangs.
 *
 * lookups_lock guards the list and each look-up's references and `listed`. The answer is written
 * before `running` comes to zero. */
#include "net/net.h"

#include "gofer/runtime.h"
#include "gofer/semaphore.h"
#include "gofer/sync.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>

enum { MOST_LOOKUPS = 500, LOOKUP_STACK = 1 << 20 /* name services use a lot */ };

typedef struct host_lookup {
    struct host_lookup *next;
    uint32_t references; /* who wait, and the look-up itself */
    bool listed;
    go_waitgroup running;
    int error; /* getaddrinfo's */
    int error_errno;
    struct addrinfo *answer;
    char host[GOFER_NET_HOST];
} host_lookup;

static go_semaphore lookup_threads = GO_SEMAPHORE(MOST_LOOKUPS);
static gofer_spin lookups_lock;
static host_lookup *lookups;

/* ---- one look-up ----------------------------------------------------------------------------- */

/* lookups_lock. */
static void unlist_lookup(host_lookup *lookup)
{
    host_lookup **at = &lookups;
    if (!lookup->listed)
        return;
    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    lookup->listed = false;
}

static void drop_lookup(host_lookup *lookup)
{
    gofer_spin_lock(&lookups_lock);
    uint32_t left = --lookup->references;
    if (left <= 1)
        unlist_lookup(lookup);
    gofer_spin_unlock(&lookups_lock);
    if (left)
        return;
    if (lookup->answer)
        freeaddrinfo(lookup->answer);
    free(lookup);
}

static bool is_wanted(const host_lookup *lookup)
{
    gofer_spin_lock(&lookups_lock);
    bool wanted = lookup->references > 1;
    gofer_spin_unlock(&lookups_lock);
    return wanted;
}

static void run_lookup(void *arg)
{
    static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    host_lookup *lookup = arg;
    go_semaphore_acquire(&lookup_threads, 1);
    if (is_wanted(lookup)) {
        go_blocking_begin();
        lookup->error = getaddrinfo(lookup->host, NULL, &hints, &lookup->answer);
        lookup->error_errno = *gofer_errno();
        go_blocking_end();
    }
    go_semaphore_release(&lookup_threads, 1);
    gofer_spin_lock(&lookups_lock);
    unlist_lookup(lookup);
    gofer_spin_unlock(&lookups_lock);
    go_waitgroup_done(&lookup->running);
    drop_lookup(lookup);
}

/* lookups_lock. One in progress for this host, with a reference for the caller, or NULL. */
static host_lookup *join_lookup(const char *host)
{
    host_lookup *lookup = lookups;
    while (lookup && strcmp(lookup->host, host) != 0)
        lookup = lookup->next;
    if (lookup)
        lookup->references++;
    return lookup;
}

/* The look-up of host with a reference for the caller, begun where there was none; NULL: no memory.
 */
static host_lookup *begin_lookup(const char *host)
{
    static const go_options options = { .stack = LOOKUP_STACK, .name = "go_lookup_host" };
    host_lookup *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return NULL;
    gofer_net_join(fresh->host, sizeof fresh->host, host, (char *)NULL);
    go_waitgroup_add(&fresh->running, 1); /* before anybody can join it */
    gofer_spin_lock(&lookups_lock);
    host_lookup *lookup = join_lookup(host);
    if (!lookup) {
        lookup = fresh;
        lookup->references = 2;
        lookup->listed = true;
        lookup->next = lookups;
        lookups = lookup;
    }
    gofer_spin_unlock(&lookups_lock);
    if (lookup != fresh) {
        free(fresh);
        return lookup;
    }
    go_spawn_with(&options, run_lookup, fresh);
    return fresh;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static void fail_lookup(gofer_net_failure *failure, int error, const char *name, const char *reason)
{
    char what[GOFER_NET_REASON];
    const struct gofer_net_call call = { .operation = what };
    gofer_net_join(what, sizeof what, "lookup ", name, (char *)NULL);
    gofer_net_fail(failure, error, &call, reason);
}

static void fail_host(gofer_net_failure *failure, const host_lookup *lookup)
{
    switch (lookup->error) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        fail_lookup(failure, ENOENT, lookup->host, "no such host");
        break;
    case EAI_SYSTEM:
        fail_lookup(failure, lookup->error_errno, lookup->host,
                    gofer_net_words(lookup->error_errno));
        break;
    default:
        fail_lookup(failure,
                    lookup->error == EAI_AGAIN    ? EAGAIN
                    : lookup->error == EAI_MEMORY ? ENOMEM
                                                  : EIO,
                    lookup->host, gai_strerror(lookup->error));
    }
}

static int copy_answer(const host_lookup *lookup, go_address *addresses, int room)
{
    int count = 0;
    for (const struct addrinfo *info = lookup->answer; info; info = info->ai_next) {
        if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
            continue;
        if (count < room) {
            addresses[count] = (go_address){ .size = info->ai_addrlen };
            memcpy(addresses[count].socket, info->ai_addr, info->ai_addrlen);
        }
        count++;
    }
    return count;
}

int gofer_lookup_host(go_context *ctx, const char *host, go_address *addresses, int room,
                      gofer_net_failure *failure)
{
    int count = -1;
    struct in_addr unused;
    /* getaddrinfo takes 127.1, 0x7f000001 and 0177.0.0.1 for numbers, which they are not in Go */
    if (!*host || strlen(host) >= GOFER_NET_HOST || inet_aton(host, &unused)) {
        fail_lookup(failure, ENOENT, host, "no such host");
        return -1;
    }
    host_lookup *lookup = begin_lookup(host);
    if (!lookup) {
        fail_lookup(failure, ENOMEM, host, "cannot allocate memory");
    } else if (go_waitgroup_wait_ctx(ctx, &lookup->running) != 0) {
        int error = *gofer_errno();
        fail_lookup(failure, error, host,
                    error == ETIMEDOUT ? "i/o timeout" : "operation was canceled");
    } else if (lookup->error) {
        fail_host(failure, lookup);
    } else if ((count = copy_answer(lookup, addresses, room)) == 0) {
        fail_lookup(failure, ENOENT, host, "no such host");
        count = -1;
    }
    if (lookup)
        drop_lookup(lookup);
    return count;
}

int go_lookup_host_ctx(go_context *ctx, const char *host, go_address *addresses, int room)
{
    gofer_net_failure failure;
    go_address literal;
    if (gofer_address_parse(host, &literal)) {
        if (room > 0)
            *addresses = literal;
        return 1;
    }
    int count = gofer_lookup_host(ctx, host, addresses, room, &failure);
    return count < 0 ? gofer_net_publish(&failure) : count;
}

int go_lookup_host(const char *host, go_address *addresses, int room)
{
    return go_lookup_host_ctx(NULL, host, addresses, room);
}

/* ---- services -------------------------------------------------------------------------------- */

/* For a system without /etc/services: those that Go knows without it. */
static const struct {
    const char *protocol, *name;
    int port;
} well_known[] = {
    { "udp", "domain", 53 }, { "tcp", "domain", 53 },       { "tcp", "ftp", 21 },
    { "tcp", "ftps", 990 },  { "tcp", "gopher", 70 },       { "tcp", "http", 80 },
    { "tcp", "https", 443 }, { "tcp", "imap2", 143 },       { "tcp", "imap3", 220 },
    { "tcp", "imaps", 993 }, { "tcp", "pop3", 110 },        { "tcp", "pop3s", 995 },
    { "tcp", "smtp", 25 },   { "tcp", "submissions", 465 }, { "tcp", "ssh", 22 },
    { "tcp", "telnet", 23 },
};

/* -1: there is none. */
static int find_service(const char *protocol, const char *service)
{
    struct servent entry, *found = NULL;
    char name[64], text[2048];
    size_t length = strlen(service);
    if (length >= sizeof name)
        return -1;
    for (size_t i = 0; i <= length; i++)
        name[i] = (char)tolower((unsigned char)service[i]);
    if (getservbyname_r(name, protocol, &entry, text, sizeof text, &found) == 0 && found)
        return ntohs((uint16_t)found->s_port);
    for (size_t i = 0; i < sizeof well_known / sizeof *well_known; i++)
        if (strcmp(well_known[i].protocol, protocol) == 0 && strcmp(well_known[i].name, name) == 0)
            return well_known[i].port;
    return -1;
}

/* A number with a sign at will; far off where it is too large. False: it is none. */
static bool parse_port(const char *text, long *port)
{
    bool negative = *text == '-';
    *port = 0;
    if (*text == '+' || *text == '-')
        text++;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (*port <= UINT16_MAX)
            *port = *port * 10 + (*text - '0');
    }
    if (negative)
        *port = -*port;
    return true;
}

bool gofer_lookup_port(const gofer_network *network, const char *service, int *port,
                       gofer_net_failure *failure)
{
    char text[GOFER_NET_REASON];
    long number;
    if (!parse_port(service, &number)) {
        number = find_service(network->protocol, service);
        if (number < 0) {
            gofer_net_join(text, sizeof text, network->protocol, "/", service, (char *)NULL);
            fail_lookup(failure, EINVAL, text, "unknown port");
            return false;
        }
    }
    if (number < 0 || number > UINT16_MAX) {
        gofer_net_join(text, sizeof text, "address ", service, ": invalid port", (char *)NULL);
        gofer_net_fail(failure, EINVAL, NULL, text);
        return false;
    }
    *port = (int)number;
    return true;
}
