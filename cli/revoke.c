/*
 * chancery cert revoke, cert release, incident. One serial is revoked at once; whatever may be many is looked
 * at first, shown, and revoked when a person (or --yes) has agreed to that number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "select.h"

enum { POLL_MS = 200 };

struct many {
    const char *reason, *invalidity_date, *per_second;
    bool dry_run, yes;
};

static void set_text(json_t *body, const char *member, const char *text)
{
    if (text)
        json_object_set_new(body, member, json_string(text));
}

static const char *with_issuer(struct cli *c, const char *path, const char *issuer)
{
    return issuer ? arena_printf(c->arena, "%s?issuer=%s", path, cli_escape(c, issuer)) : path;
}

static const char *text_of(const json_t *tree, const char *member)
{
    const char *text = json_string_value(json_object_get(tree, member));
    return text ? text : "";
}

static json_int_t number_of(const json_t *tree, const char *member)
{
    return json_integer_value(json_object_get(tree, member));
}

/* --- one --- */

static struct err *revoke_one(struct cli *c, const char *serial, const char *issuer, const struct many *m)
{
    struct err *e = NULL;
    json_t *answer = NULL, *body = json_pack("{s:s}", "reason", m->reason);
    set_text(body, "invalidity_date", m->invalidity_date);
    const char *path = arena_printf(c->arena, "/v1/certificates/%s/revoke", cli_escape(c, serial));
    c->patience_s = geteuid() == 0 ? BREAK_GLASS_PATIENCE_S : 0;
    e = cli_call(c, "POST", with_issuer(c, path, issuer), body, &answer);
    if (break_glass_due(e)) {
        err_free(e);
        return break_glass_revoke(c, issuer, serial, m->reason);
    }
    TRY(e);
    if (c->json) {
        cli_print_json(answer);
        goto out;
    }
    printf("%s %s at %s (%s)\n", text_of(answer, "serial"),
           json_is_true(json_object_get(answer, "already")) ? "was revoked" : "revoked",
           text_of(answer, "revoked_at"), text_of(answer, "reason"));
    size_t siblings = json_array_size(json_object_get(answer, "siblings"));
    if (siblings)
        printf("%zu more in force for the same key: chancery cert list --spki-sha256, then cert revoke with "
               "it\n",
               siblings);
out:
    json_decref(answer);
    return e;
}

struct err *cert_release(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    const char *issuer = NULL, *why = NULL;
    const struct cli_option options[] = {{"--issuer", &issuer, NULL, NULL}, {"--why", &why, NULL, NULL}};
    json_t *answer = NULL, *body = json_object();

    TRY(cli_options(options, 2, &argc, argv, 1, 1));
    set_text(body, "why", why);
    const char *path = arena_printf(c->arena, "/v1/certificates/%s/release", cli_escape(c, argv[0]));
    TRY(cli_call(c, "POST", with_issuer(c, path, issuer), json_incref(body), &answer));
    if (c->json)
        cli_print_json(answer);
    else
        printf("%s %s\n", text_of(answer, "serial"),
               json_is_true(json_object_get(answer, "already")) ? "was not on hold" : "is on hold no more");
out:
    json_decref(body);
    json_decref(answer);
    return e;
}

/* --- many --- */

static void show_groups(const json_t *report, const char *title, const char *member)
{
    const char *name;
    json_t *n;
    json_object_foreach(json_object_get(report, member), name, n) printf(
        "  %-9s %-40s %lld\n", title, name[0] ? name : "(not known)", (long long)json_integer_value(n));
}

static void show_report(const json_t *r)
{
    bool dry = json_is_true(json_object_get(r, "dry_run"));
    printf("%s: %s\n", text_of(r, "question"), dry ? "nothing is revoked yet" : text_of(r, "state"));
    printf("  %-9s %lld of %lld chosen\n", dry ? "to go" : "revoked", (long long)number_of(r, "hit"),
           (long long)number_of(r, "chosen"));
    static const char *const members[][2] = {
        {"already", "revoked before"},
        {"expired", "of them past their end"},
        {"renewed", "of them have a newer one in force"},
        {"refused", "left alone: a CA's, not yours, or not yet handed out"},
        {"missing", "not on record"},
        {"strays", "of them sealed, but not in the ledger"}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (number_of(r, members[i][0]))
            printf("  %-9s %lld %s\n", "", (long long)number_of(r, members[i][0]), members[i][1]);
    show_groups(r, "owner", "owners");
    show_groups(r, "template", "templates");
    show_groups(r, "issuer", "issuers");
}

static void show_progress(const json_t *r, json_int_t total)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, total ? "\r%lld of %lld " : "\r%lld ", (long long)number_of(r, "chosen"),
                (long long)total);
}

/* Starts it and waits for its end. */
static struct err *run(struct cli *c, json_t *body, json_int_t total, json_t **ret)
{
    struct err *e = NULL;
    json_t *report = NULL;
    const struct timespec pause = {0, POLL_MS * 1000000L};
    TRY(cli_call(c, "POST", "/v1/revocations", json_incref(body), &report));
    const char *path = arena_printf(c->arena, "/v1/revocations/%s", text_of(report, "id"));
    while (strcmp(text_of(report, "state"), "running") == 0) {
        show_progress(report, total);
        nanosleep(&pause, NULL);
        json_decref(report);
        report = NULL;
        TRY(cli_call(c, "GET", path, NULL, &report));
    }
    if (isatty(STDERR_FILENO))
        fputs("\r", stderr);
    if (strcmp(text_of(report, "state"), "done") != 0)
        TRY(err_new(ERR_CONFLICT, "%s after %lld: %s", text_of(report, "state"),
                    (long long)number_of(report, "hit"), text_of(report, "why")));
    *ret = report;
    report = NULL;
out:
    json_decref(report);
    return e;
}

/* The number itself must be typed: a yes is typed too easily. */
static bool agreed(json_int_t n)
{
    char line[64];
    if (!isatty(STDIN_FILENO))
        return false;
    fprintf(stderr, "type %lld to revoke them: ", (long long)n);
    return fgets(line, sizeof line, stdin) && strtoll(line, NULL, 10) == n;
}

static struct err *revoke_many(struct cli *c, json_t *body, const struct many *m)
{
    struct err *e = NULL;
    json_t *look = NULL, *report = NULL;
    set_text(body, "reason", m->reason);
    set_text(body, "invalidity_date", m->invalidity_date);
    json_object_set_new(body, "dry_run", json_true());
    TRY(run(c, body, 0, &look));
    json_int_t n = number_of(look, "hit");
    if (!c->json)
        show_report(look);
    if (m->dry_run || n == 0) {
        if (c->json)
            cli_print_json(look);
        goto out;
    }
    if (!m->yes && !agreed(n))
        TRY(cli_usage("nothing is revoked: look at the numbers, then say --yes"));
    json_object_set_new(body, "dry_run", json_false());
    json_object_set_new(body, "at_most", json_integer(n));
    if (m->per_second)
        json_object_set_new(body, "per_second", json_integer(strtoll(m->per_second, NULL, 10)));
    TRY(run(c, body, number_of(look, "chosen"), &report));
    if (c->json)
        cli_print_json(report);
    else
        printf("revoked %lld (%s)\n", (long long)number_of(report, "hit"), text_of(report, "reason"));
out:
    json_decref(look);
    json_decref(report);
    return e;
}

static struct err *check_pace(const struct many *m)
{
    char *end;
    long long n = m->per_second ? strtoll(m->per_second, &end, 10) : 1;
    return m->per_second && (*end || n < 1) ? cli_usage("--per-second is a number from 1 on") : NULL;
}

struct err *cert_revoke(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct many m = {.reason = "unspecified"};
    const struct cli_option further[] = {{"--reason", &m.reason, NULL, NULL},
                                         {"--invalidity-date", &m.invalidity_date, NULL, NULL},
                                         {"--per-second", &m.per_second, NULL, NULL},
                                         {"--dry-run", NULL, &m.dry_run, NULL},
                                         {"--yes", NULL, &m.yes, NULL}};
    enum { ISSUER = 7 }; /* among the conditions */
    struct select s;
    json_t *body = json_object();

    select_init(&s, further, 5);
    TRY(cli_options(s.options, s.n, &argc, argv, 0, 1 << 20));
    TRY(check_pace(&m));
    if (argc == 1 && !m.dry_run) {
        TRY(revoke_one(c, argv[0], s.values[ISSUER], &m));
    } else if (argc > 0) {
        json_t *serials = json_array();
        for (int i = 0; i < argc; i++)
            json_array_append_new(serials, json_string(argv[i]));
        json_object_set_new(body, "serials", serials);
        set_text(body, "issuer", s.values[ISSUER]);
        TRY(revoke_many(c, body, &m));
    } else if (select_is_empty(&s)) {
        TRY(cli_usage("name serials, or conditions that choose certificates"));
    } else {
        json_object_set_new(body, "select", select_json(&s));
        TRY(revoke_many(c, body, &m));
    }
out:
    json_decref(body);
    return e;
}

struct err *incident_run(struct cli *c, int argc, char **argv)
{
    struct err *e = NULL;
    struct many m = {.reason = "keyCompromise", .dry_run = true};
    const char *since = NULL, *until = NULL;
    bool revoke = false;
    const struct cli_option options[] = {{"--since", &since, NULL, NULL},
                                         {"--until", &until, NULL, NULL},
                                         {"--reason", &m.reason, NULL, NULL},
                                         {"--invalidity-date", &m.invalidity_date, NULL, NULL},
                                         {"--per-second", &m.per_second, NULL, NULL},
                                         {"--revoke", NULL, &revoke, NULL},
                                         {"--yes", NULL, &m.yes, NULL}};
    json_t *body = json_object(), *sealed = json_object();

    TRY(cli_options(options, sizeof options / sizeof options[0], &argc, argv, 0, 0));
    if (!since)
        TRY(cli_usage("--since TIME: from when on what was signed is doubted"));
    TRY(check_pace(&m));
    m.dry_run = !revoke;
    set_text(sealed, "since", since);
    set_text(sealed, "until", until);
    json_object_set(body, "sealed", sealed);
    TRY(revoke_many(c, body, &m));
out:
    json_decref(sealed);
    json_decref(body);
    return e;
}
