/*
 * A blocking client for servers on the test's own loop: it asks from a thread of its own while the loop runs.
 * One request, one answer, one connection.
 */
#ifndef CHANCERY_TESTS_HOUSE_WEB_H
#define CHANCERY_TESTS_HOUSE_WEB_H

#include "base/loop.h"
#include "base/view.h"

struct ssl_ctx_st;

struct web_to {
    int port;               /* on 127.0.0.1; or */
    const char *path;       /* a unix socket */
    struct ssl_ctx_st *tls; /* NULL: plain */
};

struct web_answer {
    int status; /* 0: none came */
    char *head; /* with the status line, NUL behind it */
    uint8_t *body;
    size_t n;
    bool ended; /* the server closed */
};

/* Sends these octets (a request with Connection: close) and runs the loop until the answer is whole. */
struct web_answer web_ask(struct loop *loop, const struct web_to *to, struct view request);
/* method and target; headers: whole lines or NULL; body may be empty. */
struct web_answer web_get(struct loop *loop, const struct web_to *to, const char *method, const char *target,
                          const char *headers, struct view body);
void web_free(struct web_answer *a);
/* The value of a header in a static buffer, or NULL. */
const char *web_header(const struct web_answer *a, const char *name);

/* A listening socket on 127.0.0.1 and a free port. */
int web_listen(int *ret_port);
int web_listen_unix(const char *path);

#endif
