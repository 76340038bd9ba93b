/*
 * The front as a process: its rooms opened as a table of stages, connected to each other, told of the vault's
 * coming and going and of new generations. Decides nothing itself; has no CA key and no outgoing socket. The
 * loop's thread.
 */
#include "role_front.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/world.h"
#include "courier.h"
#include "enroll.h"
#include "front_note.h"
#include "front_setup.h"
#include "front_vaults.h"
#include "http_limits.h"
#include "own_cert.h"
#include "tlog.h"

enum { ISOLATION_BYTES = 2048, SETTLE_MS = 5000, SETTLE_STEP_MS = 20, VAULT_PATIENCE_MS = 500 };

struct front {
    struct child *child;
    const struct front_setup *now;
    struct ledger *ledger;
    struct shelf *shelf;
    struct front_vaults *vaults;
    struct hsm *hsm; /* the first of them */
    struct tlog *tlog;
    struct ca *ca;
    struct ocsp_maker *ocsp;
    struct crl_maker *crl;
    struct courier *courier;
    struct http_server *http;
    struct enroll *enroll;
    struct own_cert *own_cert;
    bool certified, listening;
    struct loop_timer *patience; /* with the vault, before listening without it */
    struct loop_timer *settle;   /* at the end: until what is under way is recorded */
    int64_t settle_until_ms;
    struct enroll_probe probes[6];
    char *folder;                    /* of the front's own certificate; no configuration lives as long */
    char isolation[ISOLATION_BYTES]; /* of all processes, as the warden last said */
    char taken_back[512];            /* why the ledger is not the one to issue from, or "" */
    char trouble[ISOLATION_BYTES];   /* which process is not well, or "" */
};

/* --- the vault comes and goes --- */

static void listen_https(void *arg);

static void on_recovered(void *arg, struct err *e)
{
    struct front *f = arg;

    if (e) {
        log_warn("recovery", log_err(e));
        err_free(e);
        return;
    }
    ocsp_maker_go(f->ocsp);
    crl_maker_go(f->crl);
    own_cert_go(f->own_cert);
    listen_https(f);
}

/* A ledger that does not go on from what the vault has signed is not the one to issue from: nothing is
 * recovered into it, and no door is opened but control.sock. One that says itself that it was restored waits
 * for its loss to be accepted in any case. */
static void on_held(void *arg, struct err *e)
{
    struct front *f = arg;

    f->taken_back[0] = '\0';
    if (e && err_code(e) == ERR_WRONG_STATE && !ledger_restored_by(f->ledger)) {
        snprintf(f->taken_back, sizeof f->taken_back, "%s", err_detail(e));
        log_error("ledger.taken-back", log_err(e));
    }
    if (!f->taken_back[0])
        ca_recover(f->ca, f->hsm, on_recovered, f);
    err_free(e);
}

/* The first one signs the heads of the ledger, and holds it to them. */
static void on_vault(void *arg, struct hsm *vault)
{
    struct front *f = arg;
    if (vault == f->hsm)
        tlog_go(f->tlog, on_held, f);
    else if (!f->taken_back[0])
        ca_recover(f->ca, vault, on_recovered, f);
}

static void on_vault_lost(void *arg, struct hsm *vault)
{
    struct front *f = arg;
    if (vault == f->hsm)
        tlog_lost(f->tlog);
    ca_vault_lost(f->ca, vault);
}

/* --- responder certificates: ocsp asks, ca makes --- */

struct certifying {
    ocsp_certified *answer;
    void *arg;
};

static void on_certified(void *arg, struct err *e, const struct ca_certificate *cert)
{
    struct certifying *c = arg;
    c->answer(c->arg, e, e ? (struct view){NULL, 0} : cert->der);
    free(c);
}

static void certify(void *arg, const char *issuer, struct view spki, ocsp_certified *answer, void *answer_arg)
{
    static const struct ca_asker asker = {
        .role = CA_ROLE_SELF, .id = "self", .door = "self", .peer = "", .request_id = "ocsp"};
    struct front *f = arg;
    struct certifying *c = calloc(1, sizeof *c);
    char name[128];
    struct templates_rdn subject = {"CN", name};
    struct ca_request request = {.asker = &asker,
                                 .template = "ocsp-signing",
                                 .issuer = issuer,
                                 .token_spki = spki,
                                 .has_subject = true,
                                 .subject = &subject,
                                 .subject_n = 1};

    CHECK(c);
    snprintf(name, sizeof name, "OCSP responder of %s", issuer);
    *c = (struct certifying){answer, answer_arg};
    ca_issue(f->ca, &request, on_certified, c);
}

/* --- readiness --- */

static struct err *probe_ca(void *arg)
{
    const struct front *f = arg;
    const struct setup *s = child_setup(f->child);
    struct err *e = f->taken_back[0] ? err_new(ERR_WRONG_STATE, "%s", f->taken_back) : NULL;
    for (size_t i = 0; i < s->n && !e; i++)
        if (s->issuers[i].config->key)
            e = ca_ready(f->ca, s->issuers[i].config->name);
    return e ? e : front_vaults_ready(f->vaults);
}

static struct err *probe_tls(void *arg)
{
    return own_cert_ready(((struct front *)arg)->own_cert);
}

static struct err *probe_crl(void *arg)
{
    return crl_maker_ready(((struct front *)arg)->crl);
}

static struct err *probe_ocsp(void *arg)
{
    return ocsp_maker_ready(((struct front *)arg)->ocsp);
}

static struct err *probe_log(void *arg)
{
    return tlog_ready(((struct front *)arg)->tlog);
}

static struct err *probe_processes(void *arg)
{
    const struct front *f = arg;
    return f->trouble[0] ? err_new(ERR_STARTING, "%s", f->trouble) : NULL;
}

static void append(char *to, size_t max, const char *name, const char *text)
{
    size_t n = strlen(to);
    snprintf(to + n, max - n, "%s%s: %s", n ? "; " : "", name, text);
}

static void front_status(void *self, const struct message_status *s)
{
    struct front *f = self;
    enum jail_level least = JAIL_FULL;

    f->isolation[0] = f->trouble[0] = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i].ready && s->rows[i].level < least)
            least = s->rows[i].level;
    snprintf(f->isolation, sizeof f->isolation, "%s", jail_level_text(least));
    for (size_t i = 0; i < s->n; i++) {
        const struct message_status_row *row = &s->rows[i];
        if (row->ready)
            append(f->isolation, sizeof f->isolation, row->name, row->isolation);
        if (!row->ready)
            append(f->trouble, sizeof f->trouble, row->name,
                   row->broken ? "keeps failing to start" : "is being started");
    }
}

/* --- stages --- */

static struct err *open_ledger(struct front *f, const struct setup *s)
{
    const struct ledger_options options = {.shelf = s->config->paths.shelf};
    return ledger_open(s->config->paths.ledger, &options, child_loop(f->child), &f->ledger);
}

static struct err *open_shelf(struct front *f, const struct setup *s)
{
    return shelf_open(s->config->paths.shelf, 0, child_loop(f->child), &f->shelf);
}

static struct err *open_hsm(struct front *f, const struct setup *s)
{
    const struct front_vaults_events events = {on_vault, on_vault_lost, f};
    f->vaults = front_vaults_new(child_loop(f->child), s, &events);
    f->hsm = front_vaults_first(f->vaults);
    return NULL;
}

static struct err *open_log(struct front *f, const struct setup *s)
{
    (void)s;
    return tlog_new(child_loop(f->child), f->ledger, f->hsm, &f->tlog);
}

static void set_log(struct front *f, const struct setup *s)
{
    const struct config_heads *h = &s->config->heads;
    const struct tlog_push push = {.directory = h->directory,
                                   .courier = f->courier,
                                   .put = h->put != NULL,
                                   .least_ms = h->every_s * 1000 / 2};
    tlog_set(f->tlog, h->every_s, &push);
}

static struct err *open_ca(struct front *f, const struct setup *s)
{
    (void)s;
    return ca_new(child_loop(f->child), f->ledger, f->hsm, &f->now->ca, &f->ca);
}

static struct err *open_ocsp(struct front *f, const struct setup *s)
{
    struct err *e = NULL;
    struct ocsp_certifier certifier = {certify, f};

    TRY(ocsp_maker_new(child_loop(f->child), f->ledger, f->shelf, f->hsm, certifier, &f->ocsp));
    ocsp_maker_set(f->ocsp, s->generation.number, f->now->ocsp, f->now->ocsp_n);
out:
    return e;
}

static struct err *open_crl(struct front *f, const struct setup *s)
{
    struct err *e = NULL;

    TRY(crl_maker_new(child_loop(f->child), f->ledger, f->shelf, f->hsm, &f->crl));
    f->courier = courier_new(child_loop(f->child));
    crl_maker_courier(f->crl, f->courier);
    set_log(f, s);
    crl_maker_set(f->crl, s->generation.number, f->now->crl, f->now->n);
out:
    return e;
}

static struct err *open_http(struct front *f, const struct setup *s)
{
    struct http_config config = http_limits(&s->config->limits);
    config.gauge_connections = true;
    return http_server_new(child_loop(f->child), &config, &f->http);
}

static struct err *open_enroll(struct front *f, const struct setup *s)
{
    struct err *e = NULL;
    struct enroll_probe *probes = f->probes;

    probes[0] = (struct enroll_probe){"issuing", probe_ca, f, false};
    probes[1] = (struct enroll_probe){"tls", probe_tls, f, false};
    probes[2] = (struct enroll_probe){"crl", probe_crl, f, true};
    probes[3] = (struct enroll_probe){"ocsp", probe_ocsp, f, true};
    probes[4] = (struct enroll_probe){"processes", probe_processes, f, true};
    probes[5] = (struct enroll_probe){"log", probe_log, f, true};
    struct enroll_setup setup = {
        .loop = child_loop(f->child),
        .ca = f->ca,
        .ledger = f->ledger,
        .hsm = f->hsm,
        .tlog = f->tlog,
        .control_uid = child_owner(f->child),
        .isolation = f->isolation,
        .probes = probes,
        .probes_n = 6,
        .folder = s->config->paths.front,
        .courier = f->courier,
    };
    TRY(enroll_new(&setup, &f->now->enroll, &f->enroll));
    enroll_serve(f->enroll, f->http);
out:
    return e;
}

/* The last listener is control.sock; the others wait until there is a certificate to show, and a moment
 * longer for the vault: connections queue meanwhile, and a restart is not seen as a refusal. */
static void listen_https(void *arg)
{
    struct front *f = arg;

    if (!f->certified || f->listening || f->taken_back[0])
        return;
    f->listening = true;
    for (size_t i = 0; i + 1 < child_listeners(f->child); i++)
        http_listen(f->http, child_listener(f->child, i), true, "https");
    child_serving(f->child);
}

static void on_certificate(void *arg)
{
    struct front *f = arg;
    struct err *e = ca_ready(f->ca, NULL);

    f->certified = true;
    if (!e) {
        listen_https(f);
        return;
    }
    err_free(e);
    loop_timer_set(f->patience, VAULT_PATIENCE_MS);
}

static struct err *open_doors(struct front *f, const struct setup *s)
{
    f->folder = strdup(s->config->paths.front);
    CHECK(f->folder);
    const struct own_cert_setup setup = {
        .loop = child_loop(f->child),
        .ca = f->ca,
        .ledger = f->ledger,
        .http = f->http,
        .folder = f->folder,
        .on_usable = on_certificate,
        .arg = f,
    };
    f->patience = loop_timer_new(child_loop(f->child), listen_https, f);
    http_listen(f->http, child_listener(f->child, child_listeners(f->child) - 1), false, "control");
    return own_cert_new(&setup, s->config->names.items, s->config->names.n, &f->own_cert);
}

static struct err *open_note(struct front *f, const struct setup *s)
{
    return front_note_start(f->ledger, s);
}

static const struct stage {
    const char *name;
    struct err *(*open)(struct front *f, const struct setup *s);
} stages[] = {
    {"ledger", open_ledger}, {"shelf", open_shelf}, {"hsm", open_hsm},     {"log", open_log},
    {"ca", open_ca},         {"ocsp", open_ocsp},   {"crl", open_crl},     {"http", open_http},
    {"enroll", open_enroll}, {"start", open_note},  {"doors", open_doors},
};

static struct err *front_open(struct child *c, void **ret_self)
{
    struct front *f = calloc(1, sizeof *f);
    const struct setup *s = child_setup(c);

    CHECK(f);
    f->child = c;
    f->now = front_setup_of(s);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        struct err *e = stages[i].open(f, s);
        if (e) /* the process ends; nothing is under way yet */
            return err_wrap(e, "%s", stages[i].name);
    }
    *ret_self = f;
    return NULL;
}

/* --- reload --- */

static struct err *front_prepare(void *self, struct setup *next)
{
    (void)self;
    (void)front_setup_of(next);
    return NULL;
}

static void front_commit(void *self, struct setup *s)
{
    struct front *f = self;

    f->now = front_setup_of(s);
    front_vaults_set(f->vaults, s);
    ca_setup_set(f->ca, &f->now->ca);
    enroll_set(f->enroll, &f->now->enroll);
    ocsp_maker_set(f->ocsp, s->generation.number, f->now->ocsp, f->now->ocsp_n);
    crl_maker_set(f->crl, s->generation.number, f->now->crl, f->now->n);
    set_log(f, s);
    own_cert_names(f->own_cert, s->config->names.items, s->config->names.n);
    struct err *e = front_note_generation(f->ledger, s);
    if (e)
        log_error("ledger.note", log_err(e));
    err_free(e);
}

static void front_abort(void *self)
{
    (void)self;
}

static void front_attach(void *self, enum message_process peer, unsigned index, int fd)
{
    struct front *f = self;
    if (peer == MESSAGE_VAULT) {
        front_vaults_attach(f->vaults, index, fd);
        return;
    }
    if (peer == MESSAGE_COURIER) {
        courier_attach(f->courier, fd);
        return;
    }
    ocsp_maker_attach(f->ocsp, fd);
}

/* --- the end --- */

/* Whoever left early may have an issuance under way: it is recorded before the vault's channel closes. */
static void settle(void *arg)
{
    struct front *f = arg;
    if (ca_under_way(f->ca) > 0 && world_mono_ms() < f->settle_until_ms) {
        loop_timer_set(f->settle, SETTLE_STEP_MS);
        return;
    }
    child_stop(f->child, NULL);
}

static void drained(void *arg)
{
    struct front *f = arg;
    f->settle = loop_timer_new(child_loop(f->child), settle, f);
    f->settle_until_ms = world_mono_ms() + SETTLE_MS;
    settle(f);
}

static void front_stop(void *self)
{
    struct front *f = self;
    http_drain(f->http, child_setup(f->child)->config->limits.drain_s * 1000, drained, f);
}

/* Commits what is queued. The rest goes with the process: what is still under way is an open intent, closed
 * at the next start. */
static void front_close(void *self)
{
    struct front *f = self;
    if (ca_under_way(f->ca) > 0)
        return;
    ocsp_maker_stop(f->ocsp); /* the last commits are not answered for: the next start does */
    ca_quiet(f->ca);
    enroll_stop(f->enroll);
    crl_maker_stop(f->crl);
    ledger_close(f->ledger);
    shelf_close(f->shelf);
}

const struct child_role role_front = {
    .open = front_open,
    .attach = front_attach,
    .prepare = front_prepare,
    .commit = front_commit,
    .abort = front_abort,
    .status = front_status,
    .stop = front_stop,
    .close = front_close,
};
