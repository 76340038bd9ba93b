/* One name against one subtree. Private to the room. */
#ifndef CHANCERY_CERT_CHAIN_MATCH_H
#define CHANCERY_CERT_CHAIN_MATCH_H

#include "base/limits.h"
#include "cert/ext_constraints.h"
#include "cert/name.h"

struct chain_rdns {
    struct cert_attr attrs[LIMIT_RDNS];
    size_t n;
};

/* A name, and what its kind needs taken apart. */
struct chain_named {
    const struct cert_san *san;
    struct view host;               /* URI */
    const struct chain_rdns *parts; /* DIRECTORY */
};

/* The host of "scheme://user@host:port/..."; empty where there is none or it is an address (4.2.1.10). */
struct view chain_match_uri_host(struct view uri);

/* Whether the subtree holds the name; excluded: whether it holds anything that the name may stand for. */
bool chain_match(const struct cert_subtree *subtree, const struct chain_named *name, bool excluded);

#endif
