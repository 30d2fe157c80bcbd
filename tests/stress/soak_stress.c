/* For a long time, all that a server meets, again and again and in ever another order: connections
 * that talk, half-close, read slowly, are reset, come in floods past the limit of descriptors, and
 * clients that are killed (crowd.h); deadlines, cancelled contexts, other programs, name look-ups,
 * TLS; and several of them at once. After each of these there are as many descriptors and
 * goroutines as before, and threads and memory do not grow.
 *
 * Run as: soak_stress [SECONDS [SEED]]. */
#include "crowd_clients.h"
#include "crowd_server.h"

#include <malloc.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { MORE_KIB = 1 << 30 }; /* these keep what is freed */
#else
enum { MORE_KIB = 16 << 10 };
#endif
enum { AT_ONCE = 24 };

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static unsigned seed;        /* main's */
static _Atomic unsigned key; /* of the next connection */

static go_conn *dial_self(unsigned *random)
{
    go_conn *conn = client_dial(CROWD_ECHO, *random = ++key, 0);
    client_talk(conn, *random, random);
    return conn;
}

/* ---- in this process ------------------------------------------------------------------------- */

/* A read that nothing comes for ends in time, a write that nobody reads, too; then all goes on. */
static void meet_deadlines(void)
{
    unsigned random;
    char byte;
    go_conn *conn = dial_self(&random);
    for (int i = 0; i < 5; i++) {
        go_conn_set_read_deadline(conn, go_now() + stress_random(&random) % 3000 * GO_MICROSECOND);
        STRESS_CHECK(go_conn_read(conn, &byte, 1), -1);
        STRESS_CHECK(errno, ETIMEDOUT);
        go_conn_set_read_deadline(conn, 0);
        client_talk(conn, key, &random);
    }
    client_end(conn);
}

static void cancel_soon(go_context *ctx, unsigned random)
{
    go_sleep(stress_random(&random) % 2000 * GO_MICROSECOND);
    go_context_end(ctx);
}

static void cancel_contexts(void)
{
    unsigned random;
    char byte;
    go_conn *conn = dial_self(&random);
    for (int i = 0; i < 5; i++) {
        go_context *ctx = stress_random(&random) % 2
                              ? go_context_with_cancel(NULL)
                              : go_context_with_timeout(NULL, stress_random(&random) % 1000000);
        go_waitgroup cancelled = { 0 };
        go_waitgroup_go(&cancelled, cancel_soon, go_context_ref(ctx), random);
        STRESS_CHECK(go_conn_read_ctx(ctx, conn, &byte, 1), -1);
        STRESS_CHECK(errno == ECANCELED || errno == ETIMEDOUT, 1);
        go_waitgroup_wait(&cancelled);
        go_context_unref(ctx);
        client_talk(conn, key, &random);
    }
    client_end(conn);
}

static void run_programs(void)
{
    unsigned mine = ++key, size = 1 + mine * 7919 % CROWD_MOST;
    char *bytes;
    size_t got;
    go_cmd cat = {
        .argv = WORDS("cat"), .in = GO_CMD_BYTES, .input = crowd_bytes(mine), .input_size = size
    };
    STRESS_CHECK(go_cmd_output(&cat, &bytes, &got), 0);
    STRESS_CHECK(got, size);
    crowd_compare(bytes, mine, got);
    free(bytes);
    go_cmd sleeper = { .argv = WORDS("sleep", "1000") };
    go_context *ctx = go_context_with_timeout(NULL, mine % 5 * GO_MILLISECOND);
    STRESS_CHECK(go_cmd_run_ctx(ctx, &sleeper), -1);
    STRESS_CHECK(errno, ETIMEDOUT);
    go_context_end(ctx);
}

static void look_names_up(void)
{
    go_address address;
    int count = go_lookup_host("localhost", &address, 1);
    if (count < 1)
        fprintf(stderr, "%s\n", go_net_error());
    STRESS_CHECK(count >= 1, 1);
    STRESS_CHECK(go_lookup_host("no host", &address, 1), -1);
}

#ifdef GOFER_HAVE_TLS
#include <gofer/tls.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static go_tls_config *tls_server, *tls_client;

static char *pem_text(BIO *bio)
{
    char *data, *text;
    long size = BIO_get_mem_data(bio, &data);
    text = strndup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

static void begin_tls(void)
{
    EVP_PKEY *key_pair = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key_pair);
    STRESS_CHECK(X509_sign(certificate, key_pair, EVP_sha256()) > 0, 1);
    BIO *one = BIO_new(BIO_s_mem()), *two = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(one, certificate);
    PEM_write_bio_PrivateKey(two, key_pair, NULL, NULL, 0, NULL, NULL);
    char *certificate_pem = pem_text(one), *key_pem = pem_text(two);
    tls_server = go_tls_config_new();
    tls_client = go_tls_config_new();
    STRESS_CHECK(go_tls_config_add_certificate(tls_server, certificate_pem, key_pem), 0);
    go_tls_config_set_insecure_skip_verify(tls_client, 1);
    free(certificate_pem);
    free(key_pem);
    X509_free(certificate);
    EVP_PKEY_free(key_pair);
}

static void end_tls(void)
{
    go_tls_config_unref(tls_server);
    go_tls_config_unref(tls_client);
}

static void serve_tls(go_listener *listener)
{
    go_conn *conn = go_listener_accept(listener);
    STRESS_CHECK(conn != NULL, 1);
    serve_echo(conn);
    go_conn_unref(conn);
}

static void talk_tls(void)
{
    unsigned random = ++key, mine = random;
    char address[GO_ADDRESS_ROOM];
    go_waitgroup served = { 0 };
    go_listener *listener = go_tls_listen("tcp", "127.0.0.1:0", tls_server);
    STRESS_CHECK(listener != NULL, 1);
    go_waitgroup_go(&served, serve_tls, listener);
    go_listener_address(listener, address, sizeof address);
    go_conn *conn = go_tls_dial("tcp", address, tls_client);
    if (!conn)
        fprintf(stderr, "%s\n", go_net_error());
    STRESS_CHECK(conn != NULL, 1);
    for (int i = 0; i < 5; i++)
        client_talk(conn, mine, &random);
    client_end(conn);
    go_waitgroup_wait(&served);
    go_listener_unref(listener);
}
#else
static void begin_tls(void)
{
}

static void end_tls(void)
{
}

static void talk_tls(void)
{
}
#endif

static void (*const works[])(void) = { meet_deadlines, cancel_contexts, run_programs, look_names_up,
                                       talk_tls };
enum { WORKS = sizeof works / sizeof *works };

static void start(go_waitgroup *running, void (*work)(void), int times)
{
    for (int i = 0; i < times; i++)
        go_waitgroup_go(running, work);
}

/* ---- phases ---------------------------------------------------------------------------------- */

static void hold_and_talk(void)
{
    crowd_tell("hold", 200);
    crowd_tell("talk", 5);
    crowd_tell("drop", 0);
}

static void half_close(void)
{
    crowd_half_closes(60);
}

static void be_slow(void)
{
    crowd_slow_readers(8);
}

static void reset(void)
{
    crowd_resets(60);
}

static void flood(void)
{
    crowd_flood(80, false);
}

static void kill_clients(void)
{
    crowd_tell("hold", 100);
    crowd_kill(100000);
    crowd_start_clients();
    crowd_tell("talk", 0);
}

static void work(void)
{
    go_waitgroup running = { 0 };
    start(&running, works[stress_random(&seed) % WORKS], AT_ONCE);
    go_waitgroup_wait(&running);
}

static void all_at_once(void)
{
    go_waitgroup running = { 0 };
    for (int i = 0; i < WORKS; i++)
        start(&running, works[i], AT_ONCE / WORKS);
    hold_and_talk();
    reset();
    go_waitgroup_wait(&running);
}

static void (*const phases[])(void) = { hold_and_talk, half_close, be_slow,     reset, flood,
                                        kill_clients,  work,       all_at_once, work,  work };
enum { PHASES = sizeof phases / sizeof *phases };

/* Waits until those are gone who have nothing more to do, and gives back what malloc keeps. */
static void settle(long goroutines)
{
    go_waitgroup_wait(&crowd.serving);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    crowd_wait_for_ends(goroutines);
}

/* Each phase once, from a random one on. */
static void cycle(const struct crowd_resources *before)
{
    unsigned first = stress_random(&seed), step = stress_random(&seed) % 2 ? 1 : 7;
    for (unsigned i = 0; i < PHASES; i++) {
        phases[(first + i * step) % PHASES]();
        settle(before->goroutines);
        crowd_check_resources(before, MORE_KIB);
    }
}

int go_main(int argc, char **argv)
{
    struct crowd_resources before = { .descriptors = 0 };
    if (argc > 3 && strcmp(argv[1], "clients") == 0)
        return crowd_clients(argv);
    stress_begin(argc, argv, 10);
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 1); /* so that what grows is a leak, and not the holes in many arenas */
#endif
    int64_t end = go_now() + stress_rounds * GO_SECOND;
    seed = stress_seed;
    crowd_raise_limit();
    crowd_begin("127.0.0.1", "127.0.0.1");
    clients_address = crowd.address;
    begin_tls();
    crowd_start_clients();
    crowd_tell("talk", 0);
    long goroutines = go_num_goroutine();
    for (int i = 0; i < PHASES; i++) /* the first times fill caches */
        phases[i]();
    for (int i = 0; i < WORKS; i++)
        works[i]();
    settle(goroutines);
    before = crowd_resources();
    STRESS_CHECK(before.goroutines, goroutines);
    long cycles = 0;
    do
        cycle(&before);
    while (cycles++, go_now() < end);
    struct crowd_resources after = crowd_resources();
    printf("%ld cycles, %ld connections; at first and in the end: descriptors %ld, %ld; "
           "goroutines %ld, %ld; threads %ld, %ld; resident KiB %ld, %ld\n",
           cycles, crowd.ended, before.descriptors, after.descriptors, before.goroutines,
           after.goroutines, before.threads, after.threads, before.kib, after.kib);
    crowd_end_clients(0);
    crowd_end();
    end_tls();
    settle(1);
    STRESS_CHECK(go_num_goroutine(), 1);
    return 0;
}
