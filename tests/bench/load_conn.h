/* One keep-alive connection of the load generator: one request under way at a time, over TCP or TLS. */
#ifndef CHANCERY_TESTS_BENCH_LOAD_CONN_H
#define CHANCERY_TESTS_BENCH_LOAD_CONN_H

#include <netdb.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "ask_file.h"

enum { CONN_BUFFER_BYTES = 32768 };

struct conn {
    int fd;
    SSL *ssl; /* NULL: plain */
    int64_t sent_ns;
    bool waiting;    /* a request is under way */
    size_t at, need; /* octets received of this answer; its whole length once the head is in, else 0 */
    size_t head_n;
    int status;
    char buf[CONN_BUFFER_BYTES + 1];
};

struct conn_target {
    const char *host, *port;
    struct addrinfo *address;
    SSL_CTX *tls; /* NULL: plain */
};

/* Connects, and shakes hands where TLS; blocks; non-blocking from then on. Ends the program where refused. */
void conn_open(struct conn *c, const struct conn_target *target);
void conn_close(struct conn *c);

/* Sends one request whole. False: the connection is of no more use. */
bool conn_send(struct conn *c, const struct ask *ask);

/* Takes what has come. 1: the answer is whole (status, head_n, and the body in buf); 0: more must come; -1:
 * the connection is of no more use. */
int conn_receive(struct conn *c);

#endif
