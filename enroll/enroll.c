/* The table of doors, and the life of what they share. */
#include <stdlib.h>

#include "est/est.h"
#include "house.h"
#include "rest/rest.h"

static const struct enroll_protocol protocols[] = {
    {"rest", rest_routes, &rest_routes_n},
    {"est", est_routes, &est_routes_n},
};

struct err *enroll_new(const struct enroll_setup *setup, const struct enroll_config *config,
                       struct enroll **ret)
{
    struct enroll *en = calloc(1, sizeof *en);
    if (!en)
        return err_new(ERR_NOMEM, "no memory for the doors");
    *en = (struct enroll){.setup = *setup, .config = *config};
    *ret = en;
    return NULL;
}

void enroll_set(struct enroll *en, const struct enroll_config *config)
{
    en->config = *config;
}

void enroll_serve(struct enroll *en, struct http_server *http)
{
    en->http = http;
    http_on_refusal(http, asker_refused, en);
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        http_routes(http, protocols[i].routes, *protocols[i].n, en);
}

void enroll_free(struct enroll *en)
{
    free(en);
}
