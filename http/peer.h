/* Who is at the other end of a connection, and how many come from one address. Private to http. */
#ifndef CHANCERY_HTTP_PEER_H
#define CHANCERY_HTTP_PEER_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "http.h"
#include "io.h"

/* Shared by a connection and the requests it left behind. */
struct peer {
    struct http_peer facts;
    unsigned refs;
    bool counted;    /* by address; key says which */
    uint8_t key[16]; /* of IPv6 the /64 */
    uint8_t *certificate;
    char address[INET6_ADDRSTRLEN];
};

/* From what accept gave. listener is borrowed. */
struct peer *peer_new(const char *listener, int fd, const struct sockaddr_storage *from);
struct peer *peer_ref(struct peer *p);
void peer_unref(struct peer *p); /* accepts NULL */
/* Adds what a finished handshake tells; does nothing before it, or twice. */
void peer_add_tls(struct peer *p, const struct io *io);

/* Connections by address. */
struct peer_counts;
struct peer_counts *peer_counts_new(void);
void peer_counts_free(struct peer_counts *c); /* accepts NULL */
/* False, and nothing counted, where `max` of this address are there already. Unix sockets always pass. */
bool peer_counts_enter(struct peer_counts *c, struct peer *p, size_t max);
void peer_counts_leave(struct peer_counts *c, struct peer *p);

#endif
