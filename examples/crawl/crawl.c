/* crawl: fetches pages and what they link to on their hosts, many at a time. See README.md.
 *
 * One goroutine, crawl(), knows what was seen and what is to be fetched; workers fetch. They talk
 * by two channels. A page is the coordinator's, but from the time that it goes to a worker until it
 * comes back. */
#include "page.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host {
    int busy; /* pages that are being fetched from it */
};

static struct {
    int workers, depth, per_host;
    go_duration timeout, page_timeout;
} settings = { 8, 3, 4, GO_MINUTE, 10 * GO_SECOND };

void *need(void *memory)
{
    if (!memory)
        go_panic("crawl: out of memory");
    return memory;
}

/* ---- workers --------------------------------------------------------------------------------- */

static void work(go_context *ctx, go_chan(struct page *) jobs, go_chan(struct page *) results)
{
    go_range (page, jobs) {
        page_fetch(ctx, page, settings.page_timeout);
        go_send(results, page);
    }
}

/* ---- the coordinator ------------------------------------------------------------------------- */

typedef go_map(const char *, struct page *) pages; /* by their URLs */
typedef go_map(const char *, struct host *) hosts; /* by their names */

static pages seen;
static hosts known;
static struct page *waiting, **waiting_end = &waiting;
static int fetched, failed;

/* Takes the URL over. One that was seen before is passed over. */
static void add(char *url, int depth)
{
    if (!url || go_map_load(&seen, url, NULL)) {
        free(url);
        return;
    }
    struct page *page = need(calloc(1, sizeof *page));
    *page = (struct page){ .url = url, .path = strchr(url + 7, '/'), .depth = depth };
    page->name = need(strndup(url + 7, (size_t)(page->path - url - 7)));
    if (!go_map_load(&known, page->name, &page->host)) {
        page->host = need(calloc(1, sizeof *page->host));
        go_map_store(&known, page->name, page->host);
    }
    go_map_store(&seen, url, page);
    *waiting_end = page;
    waiting_end = &page->next;
}

/* The first page whose host is not busy enough, or NULL. */
static struct page *pick(void)
{
    struct page *page = waiting;
    while (page && page->host->busy >= settings.per_host)
        page = page->next;
    return page;
}

static void take(struct page *page)
{
    struct page **at = &waiting;
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    if (!*at)
        waiting_end = at;
}

/* Prints what came of a page, and adds what it links to on its host. */
static void finish(struct page *page)
{
    fetched++;
    failed += page->status == 0 || page->status >= 400;
    if (page->status)
        printf("%d %8zu bytes %4d links  %s\n", page->status, page->size, page->count, page->url);
    else
        printf("no answer: %s  %s\n", page->error, page->url);
    for (int i = 0; i < page->count; i++) {
        char *url = resolve(page, page->links[i]);
        size_t same = (size_t)(page->path - page->url);
        if (url && page->depth < settings.depth && strncmp(url, page->url, same + 1) == 0)
            add(url, page->depth + 1);
        else
            free(url);
        free(page->links[i]);
    }
    free(page->links);
}

static void crawl(go_context *ctx)
{
    enum { JOB, RESULT, STOP };
    go_chan(struct page *) jobs = need(go_chan_make(struct page *, 0));
    go_chan(struct page *) results = need(go_chan_make(struct page *, 0));
    go_chan(go_unit) stop = go_context_done(ctx);
    go_waitgroup workers = { 0 };
    int busy = 0;
    for (int i = 0; i < settings.workers; i++)
        go_waitgroup_go(&workers, work, ctx, jobs, results);
    while (busy || (stop && waiting)) {
        struct page *next = stop ? pick() : NULL, *page;
        go_chan(struct page *) to = next ? jobs : NULL; /* a nil channel is never ready */
        switch (go_select(go_case_as(JOB, go_case_send(to, next)),
                          go_case_as(RESULT, go_case_recv(results, &page)),
                          go_case_as(STOP, go_case_recv(stop, NULL)))) {
        case JOB:
            take(next);
            next->host->busy++;
            busy++;
            break;
        case RESULT:
            page->host->busy--;
            busy--;
            finish(page);
            break;
        case STOP:
            stop = NULL;
            break;
        }
    }
    go_close(jobs);
    go_waitgroup_wait(&workers);
    go_chan_unref(jobs);
    go_chan_unref(results);
}

/* ---- the command ----------------------------------------------------------------------------- */

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "crawl: %s: %s\n", what, why);
    exit(2);
}

static int parse_number(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < 0 || number > 1000)
        give_up(text, "a number up to 1000 is wanted");
    return (int)number;
}

static go_duration parse_time(const char *text)
{
    go_duration d;
    if (go_duration_parse(text, &d) != 0 || d <= 0)
        give_up(text, "a time such as 500ms or 1m30s is wanted");
    return d;
}

int go_main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "w:d:p:t:o:")) >= 0)
        if (option == 'w')
            settings.workers = parse_number(optarg);
        else if (option == 'd')
            settings.depth = parse_number(optarg);
        else if (option == 'p')
            settings.per_host = parse_number(optarg);
        else if (option == 't')
            settings.timeout = parse_time(optarg);
        else if (option == 'o')
            settings.page_timeout = parse_time(optarg);
        else
            optind = argc;
    if (optind >= argc || !settings.workers || !settings.per_host)
        give_up("usage", "crawl [-w workers] [-d depth] [-p pages at a time per host] "
                         "[-t time for all] [-o time for one] http://...");
    for (int i = optind; i < argc; i++) {
        char *url = plain_url(argv[i]);
        if (!url)
            give_up(argv[i], "a URL that begins with http:// is wanted");
        add(url, 0);
    }
    go_context *interrupted = need(go_signal_notify_context(NULL, SIGINT, SIGTERM));
    go_context *ctx = need(go_context_with_timeout(interrupted, settings.timeout));
    crawl(ctx);
    if (go_context_err(ctx))
        printf("stopped: %s\n", go_context_cause_text(ctx));
    printf("%d pages, %d failed\n", fetched, failed);
    int status = failed || go_context_err(ctx) ? 1 : 0;
    go_context_end(ctx);
    go_context_end(interrupted);
    return status;
}
