/* A server for HTTP (http_server.py) through libcurl. */
#include "load.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

typedef struct body {
    char text[4096];
    size_t length;
} body;

static CURL *control; /* main's goroutine's own */

static size_t append(char *data, size_t size, size_t count, void *to)
{
    body *into = to;
    if (size * count >= sizeof into->text - into->length)
        return 0;
    memcpy(into->text + into->length, data, size * count);
    into->length += size * count;
    into->text[into->length] = 0;
    return size * count;
}

static CURLcode transfer(CURL *handle, const char *where, const char *post, body *answer)
{
    answer->length = 0;
    answer->text[0] = 0;
    curl_easy_reset(handle); /* the connection stays */
    curl_easy_setopt(handle, CURLOPT_URL, where);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
    if (post)
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, post);
    return curl_easy_perform(handle);
}

static void get(CURL *handle, const char *path, const char *post, body *answer)
{
    char where[256];
    long status = 0;
    snprintf(where, sizeof where, "%s%s", url, path);
    CHECK_TEXT(curl_easy_strerror(transfer(handle, where, post, answer)), "No error");
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    CHECK(status, 200);
}

static int get_number(const char *path)
{
    body answer;
    get(control, path, NULL, &answer);
    return atoi(answer.text);
}

static void begin(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_ALL), 0);
    control = curl_easy_init();
    CHECK(get_number("/reset"), 0);
}

static void hold(void)
{
}

static void wait_for_answer(void)
{
    body answer;
    CURL *handle = curl_easy_init();
    get(handle, "/wait", NULL, &answer);
    CHECK_TEXT(answer.text, "released");
    curl_easy_cleanup(handle);
}

static int blocked(void)
{
    return get_number("/waiting");
}

static void release(void)
{
    CHECK(get_number("/release"), HELD);
}

/* A handle that is replaced now and then, so that descriptors come and go. */
typedef struct connection {
    CURL *handle;
} connection;

static void *open_one(int worker)
{
    (void)worker;
    connection *c = malloc(sizeof *c);
    CHECK(c != NULL, 1);
    c->handle = curl_easy_init();
    return c;
}

static void close_one(void *of)
{
    connection *c = of;
    curl_easy_cleanup(c->handle);
    free(c);
}

/* libcurl reports errno: that of its own goroutine's connect. */
static void be_refused(CURL *handle)
{
    body answer;
    long error = 0;
    CHECK(transfer(handle, "http://127.0.0.1:1/", NULL, &answer), CURLE_COULDNT_CONNECT);
    curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &error);
    CHECK(error, ECONNREFUSED);
}

static void look_up(void)
{
    struct addrinfo *found = NULL;
    CHECK(getaddrinfo("localhost", "80", &(struct addrinfo){ .ai_family = AF_INET }, &found), 0);
    CHECK(found->ai_addrlen > 0, 1);
    freeaddrinfo(found);
}

/* A page, a post, a name looked up, and errors. */
static void make_round(void *of, int worker, int round)
{
    char path[64];
    body answer;
    connection *c = of;
    snprintf(path, sizeof path, "/echo/%d-%d", worker, round);
    get(c->handle, path, NULL, &answer);
    CHECK_TEXT(answer.text, path);
    get(c->handle, "/post", path, &answer);
    CHECK_TEXT(answer.text, path);
    if (round % 8 != 0)
        return;
    look_up();
    be_refused(c->handle);
    curl_easy_cleanup(c->handle);
    c->handle = curl_easy_init();
}

static void verify(int rounds)
{
    CHECK(get_number("/posts"), rounds);
    curl_easy_cleanup(control);
    curl_global_cleanup();
}

const library with_http = { "http",  begin,    hold,       wait_for_answer, blocked,
                            release, open_one, make_round, close_one,       verify };
