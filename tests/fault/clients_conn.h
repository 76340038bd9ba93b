/* One HTTPS connection to the front, blocking, kept alive, made anew where it breaks. One thread. */
#ifndef CHANCERY_TESTS_FAULT_CLIENTS_CONN_H
#define CHANCERY_TESTS_FAULT_CLIENTS_CONN_H

#include <openssl/ssl.h>
#include <stddef.h>

enum { CONN_ANSWER_MAX = 65536 };

struct conn {
    SSL_CTX *ctx; /* borrowed */
    int port;
    SSL *ssl; /* NULL: not connected */
    int fd;
    char answer[CONN_ANSWER_MAX];
    size_t n;
    const char *body; /* of the last answer, NUL-ended */
};

/* A context that trusts root and shows the certificate of these files (NULL: none). */
SSL_CTX *conn_context(const char *root, const char *cert, const char *key);

/* Sends the request and reads the whole answer: its status, or 0 where the connection broke or nothing came
 * in ten seconds (it is closed then). */
int conn_ask(struct conn *c, const char *request, size_t n);
void conn_close(struct conn *c);

#endif
