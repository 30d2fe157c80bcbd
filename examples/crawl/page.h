/* A page: its URL, what is found there, and how to get it. */
#ifndef CRAWL_PAGE_H
#define CRAWL_PAGE_H

#include <gofer.h>
#include <stdbool.h>

struct page {
    char *url, *name; /* name: the host's, and the port's where there is one */
    const char *path; /* what follows it in the URL */
    int depth;
    /* what page_fetch found */
    int status; /* 0: there was no answer */
    char error[256];
    size_t size;
    char **links; /* as they are written there, `count` of them */
    int count;
    /* the coordinator's */
    struct page *next; /* of those that wait */
    struct host *host;
};

/* `memory`, or a panic. */
void *need(void *memory);

/* The one form of an http URL: the host in small letters, no fragment, no dots; or NULL. */
char *plain_url(const char *url);

/* What a link on a page stands for, in its one form, or NULL where it is none of http. */
char *resolve(const struct page *page, const char *link);

/* Asks the page's server for it. Blocks, until ctx ends or a timeout. */
void page_fetch(go_context *ctx, struct page *page, go_duration timeout);

#endif
