/* Failures in words, Go's where Go has them. */
#include "tls/tls.h"

#include <arpa/inet.h>
#include <openssl/sslerr.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

int gofer_tls_fail(int error, const char *format, ...)
{
    gofer_net_failure failure = { .error = error };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure.text, sizeof failure.text, format, arguments);
    va_end(arguments);
    return gofer_net_publish(&failure);
}

/* ---- alerts ---------------------------------------------------------------------------------- */

static const struct {
    int number;
    const char *words;
} alerts[] = {
    { 0, "close notify" },
    { 10, "unexpected message" },
    { 20, "bad record MAC" },
    { 21, "decryption failed" },
    { 22, "record overflow" },
    { 30, "decompression failure" },
    { 40, "handshake failure" },
    { 42, "bad certificate" },
    { 43, "unsupported certificate" },
    { 44, "revoked certificate" },
    { 45, "expired certificate" },
    { 46, "unknown certificate" },
    { 47, "illegal parameter" },
    { 48, "unknown certificate authority" },
    { 49, "access denied" },
    { 50, "error decoding message" },
    { 51, "error decrypting message" },
    { 60, "export restriction" },
    { 70, "protocol version not supported" },
    { 71, "insufficient security level" },
    { 80, "internal error" },
    { 86, "inappropriate fallback" },
    { 90, "user canceled" },
    { 100, "no renegotiation" },
    { 109, "missing extension" },
    { 110, "unsupported extension" },
    { 111, "certificate unobtainable" },
    { 112, "unrecognized name" },
    { 113, "bad certificate status response" },
    { 114, "bad certificate hash value" },
    { 115, "unknown PSK identity" },
    { 116, "certificate required" },
    { 120, "no application protocol" },
    { 121, "encrypted client hello required" },
};

static void put_alert(gofer_net_failure *failure, int number)
{
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (alerts[i].number == number) {
            gofer_net_join(failure->text, sizeof failure->text,
                           "remote error: tls: ", alerts[i].words, (char *)NULL);
            return;
        }
    snprintf(failure->text, sizeof failure->text, "remote error: tls: alert(%d)", number);
}

/* ---- the protocol ---------------------------------------------------------------------------- */

static const struct {
    int reason;
    const char *words;
} reasons[] = {
    { SSL_R_WRONG_VERSION_NUMBER, "tls: first record does not look like a TLS handshake" },
    { SSL_R_HTTP_REQUEST, "tls: first record does not look like a TLS handshake" },
    { SSL_R_HTTPS_PROXY_REQUEST, "tls: first record does not look like a TLS handshake" },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "tls: client didn't provide a certificate" },
    { SSL_R_NO_SHARED_CIPHER, "tls: no cipher suite supported by both client and server" },
    { SSL_R_UNSUPPORTED_PROTOCOL, "tls: protocol version not supported" },
    { SSL_R_VERSION_TOO_LOW, "tls: protocol version not supported" },
    { SSL_R_NO_APPLICATION_PROTOCOL, "tls: client requested unsupported application protocols" },
    { SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "local error: tls: bad record MAC" },
    { SSL_R_UNEXPECTED_MESSAGE, "local error: tls: unexpected message" },
    { SSL_R_PROTOCOL_IS_SHUTDOWN, "tls: protocol is shutdown" },
};

static const char *words_of(unsigned long error)
{
    if (ERR_GET_LIB(error) == ERR_LIB_SSL)
        for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
            if (reasons[i].reason == ERR_GET_REASON(error))
                return reasons[i].words;
    return NULL;
}

bool gofer_tls_lacks_memory(void)
{
    bool lacks = ERR_peek_error() == 0;
    for (unsigned long error; (error = ERR_get_error());)
        lacks |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return lacks;
}

void gofer_tls_take_errors(gofer_tls_conn *tls)
{
    unsigned long error = ERR_peek_error();
    gofer_net_failure *failure = &tls->failure;
    int reason = ERR_GET_REASON(error);
    if (failure->error == 0) {
        const char *words = words_of(error);
        failure->error = EPROTO;
        if (!error || reason == ERR_R_MALLOC_FAILURE) { /* the buffers alone fail without a word */
            failure->error = ENOMEM;
            gofer_net_join(failure->text, sizeof failure->text, "tls: cannot allocate memory",
                           (char *)NULL);
        } else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
            put_alert(failure, reason - SSL_AD_REASON_OFFSET);
        } else if (words) {
            gofer_net_join(failure->text, sizeof failure->text, words, (char *)NULL);
        } else {
            words = ERR_reason_error_string(error);
            gofer_net_join(failure->text, sizeof failure->text,
                           "tls: ", words ? words : "unknown error", (char *)NULL);
        }
    }
}

/* ---- certificates ---------------------------------------------------------------------------- */

enum { REASON = GOFER_NET_REASON };

/* The names or the addresses of a certificate, with commas between. Returns how many. */
static int list_names(X509 *certificate, int type, char *buf, size_t size)
{
    int count = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    buf[0] = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char text[INET6_ADDRSTRLEN + GOFER_TLS_NAME];
        if (name->type != type)
            continue;
        int length = ASN1_STRING_length(name->d.ia5);
        const unsigned char *data = ASN1_STRING_get0_data(name->d.ia5);
        if (type == GEN_DNS)
            snprintf(text, sizeof text, "%.*s", length, (const char *)data);
        else if (!inet_ntop(length == 4 ? AF_INET : AF_INET6, data, text, sizeof text))
            continue;
        size_t used = strlen(buf);
        gofer_net_join(buf + used, size - used, count++ ? ", " : "", text, (char *)NULL);
    }
    GENERAL_NAMES_free(names);
    return count;
}

bool gofer_tls_is_address(const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool has_alternative_names(X509 *certificate)
{
    return X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0;
}

static void put_wrong_name(X509 *certificate, const char *wanted, char *reason)
{
    char names[REASON / 2];
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, wanted, address) == 1 || inet_pton(AF_INET6, wanted, address) == 1;
    int count = list_names(certificate, is_address ? GEN_IPADD : GEN_DNS, names, sizeof names);
    if (count)
        snprintf(reason, REASON, "certificate is valid for %s, not %s", names, wanted);
    else if (is_address)
        snprintf(reason, REASON,
                 "cannot validate certificate for %s because it doesn't contain any IP SANs",
                 wanted);
    else if (!has_alternative_names(certificate) &&
             X509_NAME_get_index_by_NID(X509_get_subject_name(certificate), NID_commonName, -1) >=
                 0)
        snprintf(reason, REASON,
                 "certificate relies on legacy Common Name field, use SANs instead");
    else
        snprintf(reason, REASON, "certificate is not valid for any names, but wanted to match %s",
                 wanted);
}

static void put_wrong_time(const ASN1_TIME *limit, const char *relation, char *reason)
{
    enum { STAMP = 32 };
    char now_text[STAMP] = "?", limit_text[STAMP] = "?";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts))
        strftime(now_text, sizeof now_text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (ASN1_TIME_to_tm(limit, &parts) == 1)
        strftime(limit_text, sizeof limit_text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    snprintf(reason, REASON,
             "certificate has expired or is not yet valid: current time %s is %s %s", now_text,
             relation, limit_text);
}

static void put_verification(X509_STORE_CTX *store, const char *wanted, char *reason)
{
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        gofer_net_join(reason, REASON, "certificate signed by unknown authority", (char *)NULL);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        put_wrong_time(X509_get0_notAfter(certificate), "after", reason);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        put_wrong_time(X509_get0_notBefore(certificate), "before", reason);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        put_wrong_name(X509_STORE_CTX_get0_cert(store), wanted, reason);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        gofer_net_join(reason, REASON, "certificate specifies an incompatible key usage",
                       (char *)NULL);
        break;
    default:
        gofer_net_join(reason, REASON, X509_verify_cert_error_string(error), (char *)NULL);
    }
}

int gofer_tls_verify(int verified, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    gofer_tls_conn *tls = SSL_get_app_data(ssl);
    char reason[REASON];
    if (verified || !tls->verifies)
        return 1;
    put_verification(store, tls->server_name, reason);
    tls->failure.error = EKEYREJECTED;
    gofer_net_join(tls->failure.text, sizeof tls->failure.text,
                   "tls: failed to verify certificate: x509: ", reason, (char *)NULL);
    return 0;
}
