/*
 * The doors in the house of house_scene.h: a real server with a TLS listener and a control socket, and
 * everybody who may knock.
 */
#ifndef CHANCERY_TESTS_ENROLL_DOOR_H
#define CHANCERY_TESTS_ENROLL_DOOR_H

#include <jansson.h>

#include "enroll.h"
#include "house_scene.h"
#include "house_web.h"

enum door_who { NOBODY, REQUESTER, OTHER, OPERATOR, AUDITOR, ADMIN, AGENT, LOCAL, HOLDER, DOOR_WHO };

struct door {
    struct house *h;
    struct enroll *enroll;
    struct http_server *http;
    struct hsm_roster *roster;
    struct enroll_config config;
    struct enroll_acme acme;
    struct web_to tls, control;
    struct ssl_ctx_st *clients[DOOR_WHO]; /* with the client certificate, where there is one */
    const char *authorization[DOOR_WHO];  /* whole header line, or "" */
    struct house_issued held;             /* HOLDER's certificate */
    struct evp_pkey_st *held_key;
    bool trouble; /* what the probe says */
};

/* cmocka's group setup and teardown; *state is the door. */
int door_setup(void **state);
int door_teardown(void **state);

struct said {
    int status;
    struct web_answer raw;
    json_t *json;                        /* NULL: none */
    const char *type, *detail, *pointer; /* of a problem document, "" */
};
/* headers: whole lines or NULL. */
struct said door_ask(struct door *d, enum door_who who, const char *method, const char *path,
                     const char *headers, struct view body);
struct said door_get(struct door *d, enum door_who who, const char *path);
struct said door_post(struct door *d, enum door_who who, const char *path, const char *json);
void said_free(struct said *s);
const char *said_text(const struct said *s, const char *member);
struct x509_st;
/* An hour of this name, made by the key itself; X509_free. */
struct x509_st *door_self_signed(struct evp_pkey_st *key, const char *name);
/* HOLDER shows this certificate from now on. */
void door_show(struct door *d, struct view der, struct evp_pkey_st *key);
/* Status and problem type (NULL: any); frees. */
void door_expect(struct said s, int status, const char *type);

/* A body for POST /v1/certificates: {"template": ..., "csr": ..., MORE}; more is text such as ",\"x\":1" or
 * "". */
const char *door_body(struct door *d, const char *template, struct view csr, const char *more);
/* Asks for one as this requester; its serial. */
const char *door_issue(struct door *d, enum door_who who, const char *name);

#endif
