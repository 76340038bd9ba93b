/* The configured limits as the web server takes them. */
#ifndef CHANCERY_DAEMON_HTTP_LIMITS_H
#define CHANCERY_DAEMON_HTTP_LIMITS_H

#include "config.h"
#include "http.h"

static inline struct http_config http_limits(const struct config_limits *l)
{
    return (struct http_config){
        .connections_max = (size_t)l->connections,
        .connections_per_peer_max = (size_t)l->connections_peer,
        .request_ms = l->request_s * 1000,
        .idle_ms = l->idle_s * 1000,
        .write_ms = l->write_s * 1000,
        .park_ms = l->park_s * 1000,
    };
}

#endif
