/* httpd: a web server in the way of gofer. See README.md. */
#define _GNU_SOURCE /* O_PATH */
#include "httpd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: httpd [options]\n"
    "  --listen ADDRESS        where; default localhost:8080, \":8080\" for everybody\n"
    "  --root DIR              the files; default .\n"
    "  --log FILE              the access log; \"-\" (the default) is stdout, \"none\" none\n"
    "  --tls-certificate FILE  speak TLS, with this certificate (PEM)\n"
    "  --tls-key FILE          and its key\n"
    "  --reuse-port            share the port with other processes\n"
    "  --debug                 answer /debug/stats, /debug/sleep and /debug/panic\n"
    "  --max-connections N     more get 503; default 10000\n"
    "  --max-target BYTES      more get 414; default 8192\n"
    "  --max-head BYTES        more get 431; default 16384\n"
    "  --max-body BYTES        more get 413; default 1048576\n"
    "  --idle-timeout TIME     until a next request; default 60s\n"
    "  --read-timeout TIME     for a whole request; default 30s\n"
    "  --write-timeout TIME    for each piece of an answer; default 30s\n"
    "  --last-call TIME        for a next request at SIGTERM or SIGINT; default 500ms\n"
    "  --drain-timeout TIME    for requests in progress at SIGTERM or SIGINT; default 30s\n";

static struct settings settings = {
    .address = "localhost:8080",
    .limits = { .target = 8192, .head = 16384, .body = 1 << 20 },
    .most_connections = 10000,
    .idle_timeout = GO_MINUTE,
    .read_timeout = 30 * GO_SECOND,
    .write_timeout = 30 * GO_SECOND,
    .last_call = GO_SECOND / 2,
    .drain_timeout = 30 * GO_SECOND,
};

/* ---- the command line ------------------------------------------------------------------------ */

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "httpd: %s: %s\n", what, why);
    exit(2);
}

static size_t parse_number(const char *text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number == 0 || number > 1 << 30)
        fail(text, "a number from 1 to 1073741824 is wanted");
    return number;
}

static go_duration parse_time(const char *text)
{
    go_duration d;
    if (go_duration_parse(text, &d) != 0 || d <= 0 || d > 1000 * GO_HOUR)
        fail(text, "a time such as 500ms or 1m30s, at most 1000h, is wanted");
    return d;
}

static const char *tls_certificate, *tls_key;

static void parse_options(int argc, char **argv, const char **root, const char **log)
{
    enum {
        LISTEN,
        ROOT,
        LOG,
        CERTIFICATE,
        KEY,
        REUSE,
        DEBUG,
        CONNECTIONS,
        TARGET,
        HEAD,
        BODY,
        IDLE,
        READ,
        WRITE,
        LAST_CALL,
        DRAIN,
        HELP
    };
    static const struct option options[] = {
        { "listen", required_argument, NULL, LISTEN },
        { "root", required_argument, NULL, ROOT },
        { "log", required_argument, NULL, LOG },
        { "tls-certificate", required_argument, NULL, CERTIFICATE },
        { "tls-key", required_argument, NULL, KEY },
        { "reuse-port", no_argument, NULL, REUSE },
        { "debug", no_argument, NULL, DEBUG },
        { "max-connections", required_argument, NULL, CONNECTIONS },
        { "max-target", required_argument, NULL, TARGET },
        { "max-head", required_argument, NULL, HEAD },
        { "max-body", required_argument, NULL, BODY },
        { "idle-timeout", required_argument, NULL, IDLE },
        { "read-timeout", required_argument, NULL, READ },
        { "write-timeout", required_argument, NULL, WRITE },
        { "last-call", required_argument, NULL, LAST_CALL },
        { "drain-timeout", required_argument, NULL, DRAIN },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
        switch (option) {
        case LISTEN:
            settings.address = optarg;
            break;
        case ROOT:
            *root = optarg;
            break;
        case LOG:
            *log = optarg;
            break;
        case CERTIFICATE:
            tls_certificate = optarg;
            break;
        case KEY:
            tls_key = optarg;
            break;
        case REUSE:
            settings.reuse_port = true;
            break;
        case DEBUG:
            settings.debug = true;
            break;
        case CONNECTIONS:
            settings.most_connections = (int)parse_number(optarg);
            break;
        case TARGET:
            settings.limits.target = parse_number(optarg);
            break;
        case HEAD:
            settings.limits.head = parse_number(optarg);
            break;
        case BODY:
            settings.limits.body = parse_number(optarg);
            break;
        case IDLE:
            settings.idle_timeout = parse_time(optarg);
            break;
        case READ:
            settings.read_timeout = parse_time(optarg);
            break;
        case WRITE:
            settings.write_timeout = parse_time(optarg);
            break;
        case LAST_CALL:
            settings.last_call = parse_time(optarg);
            break;
        case DRAIN:
            settings.drain_timeout = parse_time(optarg);
            break;
        case HELP:
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    if (optind < argc)
        fail(argv[optind], "there are options alone");
}

static int open_log(const char *name)
{
    if (strcmp(name, "none") == 0)
        return -1;
    if (strcmp(name, "-") == 0)
        return STDOUT_FILENO;
    int descriptor = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
        fail(name, strerror(errno));
    return descriptor;
}

static void open_tls(void)
{
    if (!tls_certificate && !tls_key)
        return;
    if (!tls_certificate || !tls_key)
        fail("TLS", "--tls-certificate and --tls-key go together");
    settings.tls = tls_open(tls_certificate, tls_key);
    if (!settings.tls)
        fail("TLS", *go_net_error() ? go_net_error() : strerror(errno));
}

/* ---- the server's life ----------------------------------------------------------------------- */

int go_main(int argc, char **argv)
{
    const char *root = ".", *log = "-";
    char address[GO_ADDRESS_ROOM], name[32];
    parse_options(argc, argv, &root, &log);
    settings.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (settings.root < 0)
        fail(root, strerror(errno));
    open_tls();
    if (log_open(open_log(log)) != 0)
        fail(log, strerror(errno));

    static struct server server;
    go_signal_ignore(
        SIGPIPE); /* whoever reads the log or a file may go: that is no reason to end */
    go_chan(int) signals = go_chan_make(int, 2);
    go_signal_notify(signals, SIGTERM, SIGINT);
    if (server_listen(&server, &settings) != 0)
        fail(settings.address, go_net_error());
    fprintf(stderr, "httpd: listening on %s\n",
            go_listener_address(server.listener, address, sizeof address));
    go_waitgroup_go(&server.running, server_run, &server);

    int signal = go_recv(signals);
    go_signal_reset(SIGTERM, SIGINT); /* another one ends the process at once */
    fprintf(stderr, "httpd: %s: stopping\n", go_signal_string(signal, name, sizeof name));
    uint64_t cut = server_stop(&server);
    log_close();
    go_chan_unref(signals);
    if (cut)
        fprintf(stderr, "httpd: %llu connections cut\n", (unsigned long long)cut);
    return cut ? 1 : 0;
}
