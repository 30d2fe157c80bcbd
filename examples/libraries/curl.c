// Fetches all its arguments at once with libcurl and prints them in their order.
// usage: gofer run curl.c URL…
// gofer: link -lcurl
#include <curl/curl.h>
#include <gofer.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct page {
    const char *url;
    long status;
    size_t bytes;
    CURLcode result;
} page;

static size_t count(char *data, size_t size, size_t n, void *bytes)
{
    (void)data;
    *(size_t *)bytes += size * n;
    return size * n;
}

// A handle is one goroutine's at a time. NOSIGNAL, as in every program with threads.
static void fetch(page *p, go_waitgroup *done)
{
    CURL *handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, p->url);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &p->bytes);
    p->result = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &p->status);
    curl_easy_cleanup(handle);
    go_waitgroup_done(done);
}

int go_main(int argc, char **argv)
{
    page *pages = calloc((size_t)argc, sizeof *pages);
    go_waitgroup done = { 0 };
    if (!pages || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return 1;
    go_waitgroup_add(&done, argc - 1);
    for (int i = 1; i < argc; i++) {
        pages[i].url = argv[i];
        go(fetch, &pages[i], &done);
    }
    go_waitgroup_wait(&done);
    for (int i = 1; i < argc; i++)
        printf("%s: %s, status %ld, %zu bytes\n", pages[i].url, curl_easy_strerror(pages[i].result),
               pages[i].status, pages[i].bytes);
    curl_global_cleanup();
    free(pages);
    return 0;
}
