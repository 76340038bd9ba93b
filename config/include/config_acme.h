/* The `acme` part of chancery.yaml. */
#ifndef CHANCERY_CONFIG_ACME_H
#define CHANCERY_CONFIG_ACME_H

#include "base/conf.h"
#include "base/net.h"

enum { CONFIG_VANTAGES_MAX = 8, CONFIG_NETS_MAX = 64, CONFIG_CAA_ISSUERS_MAX = 8 };

struct config_nets {
    size_t n;
    const struct net *items;
};

/* How control of names is checked; the courier's. */
struct config_validation {
    struct conf_texts resolvers;   /* each a vantage: "10.0.0.53,[fd00::53]:5353"; none: the system's */
    int64_t agree;                 /* vantages that must find a challenge met; 0: all */
    struct config_nets allow_nets; /* before what is denied by default */
    struct config_nets deny_nets;  /* before allow */
    struct conf_texts issuers;     /* this CA in CAA; at least one, the host of https_url by default */
    int64_t timeout_s, redirects;
    int64_t http_port, tls_port;   /* 80 and 443, in a demo 5002 and 5001, unless said */
    bool trial;                    /* may reach loopback, reads /etc/hosts: a demo */
    struct conf_texts allow, deny; /* as text */
};

struct config_acme {
    bool enabled;
    const char *template;        /* of /acme/directory; among templates */
    struct conf_texts templates; /* with a directory each; at least one */
    struct conf_texts open;      /* of these, those that need no EAB */
    const char *website, *terms; /* or NULL */
    int64_t order_s, authz_s;    /* how long an order, and an authorization once met, can be used */
    int64_t orders_per_account, orders_per_name, accounts_per_address; /* in an hour; 0: no limit */
    struct config_validation validation;
};

#endif
