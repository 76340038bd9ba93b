/* The table of doors, and the life of what they share. */
#include <stdlib.h>

#include "acme/acme.h"
#include "base/log.h"
#include "est/est.h"
#include "house.h"
#include "rest/rest.h"
#include "tlog/tiles.h"

static const struct enroll_protocol protocols[] = {
    {"rest", rest_routes, &rest_routes_n},
    {"est", est_routes, &est_routes_n},
    {"acme", acme_routes, &acme_routes_n},
    {"tlog", tiles_routes, &tiles_routes_n},
};

/* Once it is switched on, now or by a reload. */
static struct err *open_acme(struct enroll *en)
{
    bool wanted = en->config.acme && en->setup.folder && !en->acme;
    return wanted ? acme_new(en, &en->acme) : NULL;
}

struct err *enroll_new(const struct enroll_setup *setup, const struct enroll_config *config,
                       struct enroll **ret)
{
    struct enroll *en = calloc(1, sizeof *en);
    if (!en)
        return err_new(ERR_NOMEM, "no memory for the doors");
    *en = (struct enroll){.setup = *setup, .config = *config};
    struct err *e = open_acme(en);
    if (e)
        enroll_free(en);
    else
        *ret = en;
    return e;
}

void enroll_set(struct enroll *en, const struct enroll_config *config)
{
    en->config = *config;
    struct err *e = open_acme(en);
    if (e)
        log_error("acme", log_err(e));
    err_free(e);
}

void enroll_serve(struct enroll *en, struct http_server *http)
{
    en->http = http;
    http_on_refusal(http, asker_refused, en);
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        http_routes(http, protocols[i].routes, *protocols[i].n, en);
}

void enroll_stop(struct enroll *en)
{
    acme_stop(en->acme);
}

void enroll_free(struct enroll *en)
{
    if (!en)
        return;
    acme_free(en->acme);
    free(en);
}
