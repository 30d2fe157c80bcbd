/* libcurl in goroutines, unchanged, against the example server: transfers that share a handle under
 * locks of theirs. A goroutine that was parked with such a lock held would leave it to its thread,
 * and the next goroutine there would wait for itself. */
#define _GNU_SOURCE 1
#include <gofer.h>

#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSFERS = 100, ROUNDS = 10, SHARERS = 2, MOST_THREADS = 10 };

static const char *url;
static _Atomic int failures;

static void need(long got, long expected, const char *what)
{
    if (got == expected)
        return;
    printf("FAIL %s: got %ld, expected %ld\n", what, got, expected);
    failures++;
}

static int threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks))
        n++;
    closedir(tasks);
    return n - 2;
}

static size_t count_bytes(char *bytes, size_t size, size_t count, void *sum)
{
    (void)bytes;
    *(size_t *)sum += size * count;
    return size * count;
}

static CURL *new_transfer(const char *path, size_t *sum)
{
    char where[300];
    CURL *curl = curl_easy_init();
    snprintf(where, sizeof where, "%s%s", url, path);
    curl_easy_setopt(curl, CURLOPT_URL, where);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sum);
    return curl;
}

/* ---- one share, whose locks libcurl takes and releases by itself ------------------------------
 */

static pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
static _Atomic int inside[CURL_LOCK_DATA_LAST], taken;

static void lock_share(CURL *curl, curl_lock_data data, curl_lock_access access, void *unused)
{
    (void)curl, (void)access, (void)unused;
    pthread_mutex_lock(&locks[data]);
    need(atomic_fetch_add(&inside[data], 1), 0, "who is inside of a share's lock");
    taken++;
}

static void unlock_share(CURL *curl, curl_lock_data data, void *unused)
{
    (void)curl, (void)unused;
    need(atomic_fetch_sub(&inside[data], 1), 1, "who is inside of a share's lock at its end");
    pthread_mutex_unlock(&locks[data]);
}

static void transfer_with_share(CURLSH *share, go_waitgroup *wg)
{
    size_t sum = 0;
    long status = 0;
    CURL *curl = new_transfer("/debug/sleep?10ms", &sum);
    curl_easy_setopt(curl, CURLOPT_SHARE, share);
    need(curl_easy_perform(curl), CURLE_OK, "a transfer with a share");
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    need(status, 200, "its status");
    curl_easy_cleanup(curl);
    go_waitgroup_done(wg);
}

static void transfers_with_a_share(void)
{
    go_waitgroup wg = { 0 };
    CURLSH *share = curl_share_init();
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&locks[i], NULL);
    curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share);
    curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    go_waitgroup_add(&wg, TRANSFERS);
    for (int i = 0; i < TRANSFERS; i++)
        go(transfer_with_share, share, &wg);
    go_waitgroup_wait(&wg);
    need(curl_share_cleanup(share), CURLSHE_OK, "the share's end");
    need(taken > 0, true, "whether the share was locked");
}

/* ---- one handle, locked for the whole transfer ------------------------------------------------
 */

static pthread_mutex_t handle_lock = PTHREAD_MUTEX_INITIALIZER;
static CURL *handle;
static size_t handle_sum;
static bool in_transfer;

static void transfer_in_turn(go_waitgroup *wg)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&handle_lock);
        need(in_transfer, false, "whether another transfer goes on");
        in_transfer = true;
        handle_sum = 0;
        need(curl_easy_perform(handle), CURLE_OK, "a transfer with the handle");
        need(handle_sum > 0, true, "whether bytes came");
        in_transfer = false;
        pthread_mutex_unlock(&handle_lock);
        go_gosched();
    }
    go_waitgroup_done(wg);
}

static void count_ticks(go_context *ctx, _Atomic long *ticks)
{
    while (go_sleep_ctx(ctx, GO_MILLISECOND) == 0)
        ++*ticks;
}

static void two_share_a_locked_handle(void)
{
    static _Atomic long ticks;
    go_waitgroup wg = { 0 };
    go_context *ticking = go_context_with_cancel(NULL);
    handle = new_transfer("/debug/sleep?10ms", &handle_sum);
    go(count_ticks, ticking, &ticks);
    go_waitgroup_add(&wg, SHARERS);
    for (int i = 0; i < SHARERS; i++)
        go(transfer_in_turn, &wg);
    go_waitgroup_wait(&wg);
    need(ticks > 0, true, "whether others ran meanwhile");
    go_context_cancel(ticking);
    go_context_unref(ticking);
    curl_easy_cleanup(handle);
}

int go_main(int argc, char **argv)
{
    url = argc > 1 ? argv[1] : "";
    curl_global_init(CURL_GLOBAL_ALL);
    transfers_with_a_share();
    two_share_a_locked_handle();
    printf("%d transfers with a share, %d in turn with a handle, %d threads\n", TRANSFERS,
           SHARERS * ROUNDS, threads());
    if (dlsym(RTLD_DEFAULT, "gofer_hook_attach"))
        need(threads() <= MOST_THREADS, true, "whether there are few threads");
    curl_global_cleanup();
    return failures ? 1 : 0;
}
