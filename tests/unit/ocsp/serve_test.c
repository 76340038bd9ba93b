/*
 * The serving half over a real server: the front's maker behind its channel, the vault behind its own, the
 * shelf between them. What a client gets, and what a cache is told.
 */
#include "serve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answers.h"
#include "base/hex.h"
#include "base/world.h"
#include "house_web.h"

static struct {
    struct answers answers;
    struct shelf_reader *reader;
    struct hsm *hsm;
    struct ocsp_server *server;
    struct http_server *http;
    struct web_to to;
} the;

/* --- a responder in the house's loop --- */

static void connect_front(struct house *h)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ocsp_maker_attach(the.answers.maker, pair[0]);
    ocsp_server_attach(the.server, pair[1]);
    (void)h;
}

static bool has_vault(void *arg)
{
    (void)arg;
    return hsm_ready(the.hsm);
}

static int setup(void **state)
{
    const struct http_config config = {0};
    struct house *h = answers_house(&the.answers);
    house_start(h);
    answers_ready(h);
    the.reader = shelf_reader_new(h->shelf_dir);
    the.hsm = hsm_new(h->loop, (struct hsm_events){0});
    OK(ocsp_server_new(h->loop, the.reader, the.hsm, &the.server));
    ocsp_server_set(the.server, the.answers.issuers, 2);
    OK(http_server_new(h->loop, &config, &the.http));
    http_routes(the.http, ocsp_routes, ocsp_routes_n, the.server);
    ocsp_server_http(the.server, the.http);
    http_listen(the.http, web_listen(&the.to.port), false, "http");
    connect_front(h);
    hsm_attach(the.hsm, house_vault_connect(h->vault, HSM_PEER_RESPONDER));
    house_wait(h, has_vault, NULL);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    house_run(h, 5);
    hsm_free(the.hsm);
    ocsp_server_free(the.server);
    http_server_free(the.http);
    house_run(h, 5);
    shelf_reader_free(the.reader);
    return house_teardown(state);
}

/* --- questions --- */

enum { BY_SHA256 = 1, WITH_NONCE = 2, OF_ROOT = 8 };

/* Asks for all of them in one query. */
static struct view question_of(struct house *h, const struct view *serials, size_t count, int how)
{
    struct view issuer_der = how & OF_ROOT ? h->root : h->issuing;
    const unsigned char *p = issuer_der.p;
    unsigned char *der = NULL;
    X509 *issuer = d2i_X509(NULL, &p, (long)issuer_der.n);
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    for (size_t i = 0; i < count; i++) {
        BIGNUM *number = BN_bin2bn(serials[i].p, (int)serials[i].n, NULL);
        ASN1_INTEGER *integer = BN_to_ASN1_INTEGER(number, NULL);
        assert_non_null(
            OCSP_request_add0_id(request, OCSP_cert_id_new(how & BY_SHA256 ? EVP_sha256() : EVP_sha1(),
                                                           X509_get_subject_name(issuer),
                                                           X509_get0_pubkey_bitstr(issuer), integer)));
        ASN1_INTEGER_free(integer);
        BN_free(number);
    }
    if (how & WITH_NONCE)
        assert_true(OCSP_request_add1_nonce(request, (unsigned char *)(uintptr_t) "0123456789abcdef", 16));
    int n = i2d_OCSP_REQUEST(request, &der);
    struct view ret = arena_dup(h->arena, view_of(der, (size_t)n));
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    X509_free(issuer);
    return ret;
}

static struct view question(struct house *h, struct view serial, int how)
{
    return question_of(h, &serial, 1, how);
}

static struct web_answer post(struct house *h, const char *path, struct view der)
{
    return web_get(h->loop, &the.to, "POST", path, "Content-Type: application/ocsp-request\r\n", der);
}

static struct cert_ocsp_answer asked(struct house *h, struct view der)
{
    struct cert_ocsp_answer answer;
    struct web_answer a = post(h, "/ocsp/issuing", der);
    assert_int_equal(a.status, 200);
    assert_string_equal(web_header(&a, "Content-Type"), "application/ocsp-response");
    OK(cert_ocsp_open(arena_dup(h->arena, view_of(a.body, a.n)), h->arena, &answer));
    web_free(&a);
    return answer;
}

static void expect_error(struct house *h, const char *path, struct view der, enum cert_ocsp_status status)
{
    struct web_answer a = post(h, path, der);
    assert_int_equal(a.status, 200);
    assert_true(view_eq(view_of(a.body, a.n), cert_ocsp_error(status)));
    assert_string_equal(web_header(&a, "Cache-Control"), "no-store");
    web_free(&a);
}

/* --- the tests --- */

static void the_first_question_has_it_made_and_waits_for_it(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_false(answers_of(h, serial, CERT_OCSP_SHA1).there);
    struct cert_ocsp_answer a = asked(h, question(h, serial, 0));
    assert_int_equal(a.status, CERT_OCSP_SUCCESSFUL);
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_GOOD);
    a = asked(h, question(h, serial, BY_SHA256));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_GOOD);
    assert_int_equal(a.data.singles[0].id.hash, CERT_OCSP_SHA256);
}

static void a_revocation_shows(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(asked(h, question(h, serial, 0)).data.singles[0].status, CERT_OCSP_GOOD);
    answers_revoke(h, serial, CERT_REASON_KEY_COMPROMISE);
    answers_await(h, serial, CERT_OCSP_SHA1, CERT_OCSP_REVOKED);
    struct cert_ocsp_answer a = asked(h, question(h, serial, 0));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_REVOKED);
    assert_int_equal(a.data.singles[0].reason, CERT_REASON_KEY_COMPROMISE);
    a = asked(h, question(h, serial, WITH_NONCE));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_REVOKED);
}

static void a_nonce_comes_back_in_an_answer_made_for_it(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    struct view der = question(h, serial, WITH_NONCE);
    struct cert_ocsp_request request;
    OK(cert_ocsp_request_parse(der, h->arena, &request));
    struct cert_ocsp_answer a = asked(h, der); /* not on the shelf before: made, then sealed anew */
    assert_true(view_eq(a.data.nonce, request.nonce));
    struct web_answer raw = post(h, "/ocsp/issuing", der);
    assert_string_equal(web_header(&raw, "Cache-Control"), "no-store");
    web_free(&raw);
    assert_null(asked(h, question(h, serial, 0)).data.nonce.p);
}

/* One live answer about all of them, in the order asked, the same certificate twice too. */
static void several_questions_get_one_answer(void **state)
{
    struct house *h = *state;
    struct view serials[LIMIT_OCSP_REQUESTS], some[4];
    for (int i = 0; i < 3; i++)
        some[i] = answers_fresh(h);
    some[3] = some[0];
    answers_revoke(h, some[1], CERT_REASON_SUPERSEDED);
    for (int how = 0; how <= (BY_SHA256 | WITH_NONCE); how++) {
        struct cert_ocsp_answer a = asked(h, question_of(h, some, 4, how));
        assert_int_equal(a.status, CERT_OCSP_SUCCESSFUL);
        assert_int_equal(a.data.n, 4);
        assert_int_equal(a.cert_count, 1);
        assert_int_equal(a.data.nonce.n, how & WITH_NONCE ? 16 : 0);
        for (int i = 0; i < 4; i++) {
            assert_true(view_eq(a.data.singles[i].id.serial, some[i]));
            assert_int_equal(a.data.singles[i].status, i == 1 ? CERT_OCSP_REVOKED : CERT_OCSP_GOOD);
        }
    }
    for (size_t i = 0; i < LIMIT_OCSP_REQUESTS; i++)
        serials[i] = some[i % 3];
    struct web_answer raw = post(h, "/ocsp/issuing", question_of(h, serials, LIMIT_OCSP_REQUESTS, 0));
    assert_string_equal(web_header(&raw, "Cache-Control"), "no-store");
    assert_true(raw.n > 2000);
    web_free(&raw);
}

/* Nobody but the vault can join answers. */
static void without_the_vault_several_are_for_later(void **state)
{
    struct house *h = *state;
    struct view some[2] = {answers_fresh(h), answers_fresh(h)};
    int pair[2];
    assert_int_equal(asked(h, question_of(h, some, 2, 0)).data.n, 2);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    hsm_attach(the.hsm, pair[0]);
    expect_error(h, "/ocsp/issuing", question_of(h, some, 2, 0), CERT_OCSP_TRY_LATER);
    hsm_attach(the.hsm, house_vault_connect(h->vault, HSM_PEER_RESPONDER));
    house_wait(h, has_vault, NULL);
}

/* Where it is configured: signed, for who asked alone, and on no shelf. */
static void unknown_is_signed_where_configured(void **state)
{
    struct house *h = *state;
    const uint8_t never[SERIAL_BYTES] = {0x41, 99};
    const struct view both[] = {answers_fresh(h), view_of(never, SERIAL_BYTES)};
    the.answers.issuers[0].sign_unknown = the.answers.issuers[1].sign_unknown = true;
    struct cert_ocsp_answer a = asked(h, question(h, both[1], 0));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_UNKNOWN);
    assert_int_equal(a.data.singles[0].next_update - a.data.singles[0].this_update, 600);
    struct web_answer raw = post(h, "/ocsp/issuing", question(h, both[1], BY_SHA256));
    assert_string_equal(web_header(&raw, "Cache-Control"), "no-store");
    web_free(&raw);
    a = asked(h, question(h, both[1], WITH_NONCE));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_UNKNOWN);
    assert_int_equal(a.data.nonce.n, 16);
    a = asked(h, question_of(h, both, 2, 0));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_GOOD);
    assert_int_equal(a.data.singles[1].status, CERT_OCSP_UNKNOWN);
    assert_false(answers_of(h, both[1], CERT_OCSP_SHA1).there);
    assert_false(answers_of(h, both[1], CERT_OCSP_SHA256).there);
    the.answers.issuers[0].sign_unknown = the.answers.issuers[1].sign_unknown = false;
    expect_error(h, "/ocsp/issuing", question(h, both[1], 0), CERT_OCSP_UNAUTHORIZED);
}

static void without_the_vault_the_ready_answer_serves(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    int pair[2];
    assert_int_equal(asked(h, question(h, serial, 0)).data.singles[0].status, CERT_OCSP_GOOD);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    hsm_attach(the.hsm, pair[0]);
    struct cert_ocsp_answer a = asked(h, question(h, serial, WITH_NONCE));
    assert_int_equal(a.data.singles[0].status, CERT_OCSP_GOOD);
    assert_null(a.data.nonce.p);
    hsm_attach(the.hsm, house_vault_connect(h->vault, HSM_PEER_RESPONDER));
    house_wait(h, has_vault, NULL);
}

static void what_is_not_ours_is_unauthorized(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    const uint8_t never[SERIAL_BYTES] = {0x41, 1}, small[1] = {5}, longer[20] = {0x41, 2};
    expect_error(h, "/ocsp/issuing", question(h, view_of(never, sizeof never), 0), CERT_OCSP_UNAUTHORIZED);
    expect_error(h, "/ocsp/issuing", question(h, view_of(never, sizeof never), WITH_NONCE),
                 CERT_OCSP_UNAUTHORIZED);
    expect_error(h, "/ocsp/issuing", question(h, view_of(small, 1), 0), CERT_OCSP_UNAUTHORIZED);
    expect_error(h, "/ocsp/issuing", question(h, view_of(longer, 20), 0), CERT_OCSP_UNAUTHORIZED);
    expect_error(h, "/ocsp/issuing", question(h, serial, OF_ROOT),
                 CERT_OCSP_UNAUTHORIZED); /* another CertID */
    expect_error(h, "/ocsp/root", question(h, serial, 0), CERT_OCSP_UNAUTHORIZED);
    expect_error(h, "/ocsp/nobody", question(h, serial, 0), CERT_OCSP_UNAUTHORIZED);
    const struct view mixed[] = {serial, view_of(never, sizeof never)};
    expect_error(h, "/ocsp/issuing", question_of(h, mixed, 2, 0), CERT_OCSP_UNAUTHORIZED);
}

static void what_is_no_request_is_malformed(void **state)
{
    struct house *h = *state;
    struct view good = question(h, answers_fresh(h), 0);
    uint8_t *longer = arena_alloc(h->arena, good.n + 1);
    memcpy(longer, good.p, good.n);
    expect_error(h, "/ocsp/issuing", view_str("hello"), CERT_OCSP_MALFORMED_REQUEST);
    expect_error(h, "/ocsp/issuing", view_of("", 0), CERT_OCSP_MALFORMED_REQUEST);
    expect_error(h, "/ocsp/issuing", view_of(good.p, good.n - 1), CERT_OCSP_MALFORMED_REQUEST);
    expect_error(h, "/ocsp/issuing", view_of(longer, good.n + 1), CERT_OCSP_MALFORMED_REQUEST);
    uint8_t *large = arena_alloc(h->arena, LIMIT_OCSP_REQUEST_BYTES + 1);
    struct web_answer a = post(h, "/ocsp/issuing", view_of(large, LIMIT_OCSP_REQUEST_BYTES + 1));
    assert_int_equal(a.status, 413);
    web_free(&a);
}

/* --- GET --- */

static const char *path_of(struct house *h, struct view der, bool escaped)
{
    const char *text = base64_of(h->arena, der);
    char *path = arena_printf(h->arena, "/ocsp/issuing/");
    for (; *text; text++)
        path = escaped && strchr("/+=", *text) ? arena_printf(h->arena, "%s%%%02X", path, *text)
                                               : arena_printf(h->arena, "%s%c", path, *text);
    return path;
}

static struct web_answer get(struct house *h, const char *method, const char *path, const char *headers)
{
    return web_get(h->loop, &the.to, method, path, headers, view_of(NULL, 0));
}

static void get_with_and_without_escapes(void **state)
{
    struct house *h = *state;
    for (int i = 0; i < 8; i++) { /* serials vary: some have / and + in their base64 */
        struct view der = question(h, answers_fresh(h), 0);
        struct web_answer a = get(h, "GET", path_of(h, der, false), NULL);
        struct web_answer b = get(h, "GET", path_of(h, der, true), NULL);
        assert_int_equal(a.status, 200);
        assert_true(a.n > 100);
        assert_true(view_eq(view_of(a.body, a.n), view_of(b.body, b.n)));
        web_free(&a);
        web_free(&b);
    }
    struct web_answer bad = get(h, "GET", "/ocsp/issuing/!!!!", NULL);
    assert_int_equal(bad.status, 200);
    assert_true(view_eq(view_of(bad.body, bad.n), cert_ocsp_error(CERT_OCSP_MALFORMED_REQUEST)));
    web_free(&bad);
}

static void caches_keep_it_until_its_end(void **state)
{
    struct house *h = *state;
    char etag[80], condition[128];
    int age;
    const char *path = path_of(h, question(h, answers_fresh(h), 0), true);
    struct web_answer a = get(h, "GET", path, NULL);
    snprintf(etag, sizeof etag, "%s", web_header(&a, "ETag"));
    assert_int_equal(
        sscanf(web_header(&a, "Cache-Control"), "max-age=%d, public, no-transform, must-revalidate", &age),
        1);
    assert_in_range(age, ANSWERS_LIFETIME_S - 10, ANSWERS_LIFETIME_S);
    assert_non_null(web_header(&a, "Last-Modified"));
    assert_non_null(web_header(&a, "Expires"));
    web_free(&a);
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", etag);
    a = get(h, "GET", path, condition);
    assert_int_equal(a.status, 304);
    assert_int_equal(a.n, 0);
    web_free(&a);
    a = get(h, "HEAD", path, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.n, 0);
    assert_true(atoi(web_header(&a, "Content-Length")) > 100);
    web_free(&a);
    a = get(h, "PUT", path, NULL);
    assert_int_equal(a.status, 405);
    web_free(&a);
}

/* --- the front is away --- */

static void a_lapsed_answer_is_not_served(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    assert_int_equal(asked(h, question(h, serial, 0)).data.singles[0].status, CERT_OCSP_GOOD);
    int64_t before = answers_of(h, serial, CERT_OCSP_SHA1).this_update;
    house_drop(h); /* so that the sweep cannot make it anew */
    house_pass(h, ANSWERS_LIFETIME_S + 10);
    expect_error(h, "/ocsp/issuing", question(h, serial, 0), CERT_OCSP_TRY_LATER);
    house_attach(h);
    struct cert_ocsp_answer a = asked(h, question(h, serial, 0));
    assert_true(a.data.singles[0].this_update > before);
}

/* Half a second, then tryLater; and an answer that comes too late finds nobody. */
static void a_front_that_is_slow_costs_half_a_second(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h);
    house_hold(h);
    int64_t began = world_mono_ms();
    expect_error(h, "/ocsp/issuing", question(h, serial, 0), CERT_OCSP_TRY_LATER);
    assert_in_range(world_mono_ms() - began, SERVE_WANT_MS - 10, SERVE_WANT_MS + 2000);
    house_release(h);
    house_quiet(h);
    assert_int_equal(asked(h, question(h, serial, 0)).data.singles[0].status, CERT_OCSP_GOOD);
}

static void a_client_that_left_is_forgotten(void **state)
{
    struct house *h = *state;
    struct view der = question(h, answers_fresh(h), 0);
    struct web_to to = the.to;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to.port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    house_hold(h);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    dprintf(fd, "POST /ocsp/issuing HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", der.n);
    assert_int_equal(write(fd, der.p, der.n), der.n);
    house_run(h, 30);
    assert_int_equal(the.server->wants_n, 1);
    close(fd);
    house_run(h, 30);
    house_release(h);
    house_run(h, 100);
    house_quiet(h);
    assert_int_equal(the.server->wants_n, 0);
}

static void without_a_front_it_is_try_later_at_once(void **state)
{
    struct house *h = *state;
    struct view serial = answers_fresh(h), ready = answers_fresh(h);
    assert_int_equal(asked(h, question(h, ready, 0)).data.singles[0].status, CERT_OCSP_GOOD);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[0]);
    ocsp_server_attach(the.server, pair[1]);
    house_run(h, 20);
    expect_error(h, "/ocsp/issuing", question(h, serial, 0), CERT_OCSP_TRY_LATER);
    assert_int_equal(asked(h, question(h, ready, 0)).data.singles[0].status, CERT_OCSP_GOOD);
    connect_front(h);
    assert_int_equal(asked(h, question(h, serial, 0)).data.singles[0].status, CERT_OCSP_GOOD);
}

/* --- what peers may send --- */

static void raw(int fd, uint16_t kind, struct view body)
{
    const struct frame f = {.kind = kind, .id = 1, .body = body, .fd = -1};
    OK(frame_write(fd, &f));
}

static bool is_cut(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void a_responder_that_sends_anything_else_is_cut_off(void **state)
{
    struct house *h = *state;
    struct want w = {.issuer = "issuing", .hash = CERT_OCSP_SHA1};
    const struct {
        uint16_t kind;
        struct view body;
    } rows[] = {
        {WANT_FRAME, view_str("no want")},
        {WANT_DONE, want_done_write(&(struct want_done){.outcome = WANT_MADE}, h->arena)},
        {77, want_write(&w, h->arena)},
    };
    for (size_t i = 0; i < 3; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ocsp_maker_attach(the.answers.maker, pair[0]);
        raw(pair[1], rows[i].kind, rows[i].body);
        house_run(h, 20);
        assert_true(is_cut(pair[1]));
        close(pair[1]);
    }
}

static void a_front_that_sends_anything_else_is_cut_off(void **state)
{
    struct house *h = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ocsp_server_attach(the.server, pair[1]);
    raw(pair[0], WANT_DONE, view_str("no outcome"));
    house_run(h, 20);
    assert_true(is_cut(pair[0]));
    close(pair[0]);
    connect_front(h);
    assert_int_equal(asked(h, question(h, answers_fresh(h), 0)).data.singles[0].status, CERT_OCSP_GOOD);
}

/* The place of one that left may be another's when the answer is ready. */
static void an_answer_finds_no_other_peer(void **state)
{
    struct house *h = *state;
    struct want w = {.issuer = "issuing", .hash = CERT_OCSP_SHA1};
    struct view serial = answers_fresh(h);
    int first[2], second[2];
    memcpy(w.serial, serial.p, SERIAL_BYTES);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second), 0);
    house_hold(h);
    ocsp_maker_attach(the.answers.maker, first[0]);
    raw(first[1], WANT_FRAME, want_write(&w, h->arena));
    house_run(h, 20);
    close(first[1]);
    house_run(h, 20);
    ocsp_maker_attach(the.answers.maker, second[0]); /* the same place */
    house_release(h);
    house_quiet(h);
    house_run(h, 20);
    char c;
    assert_true(recv(second[1], &c, 1, MSG_DONTWAIT) < 0); /* nothing came */
    close(second[1]);
    house_run(h, 20);
}

/* Past its share of a moment a question waits for the next one, and is then answered. */
static void strangers_questions_have_a_pace(void **state)
{
    struct house *h = *state;
    const uint8_t never[SERIAL_BYTES] = {0x41, 77};
    the.server->slice = loop_now_ms(h->loop) / SERVE_SLICE_MS + 2; /* as if that one were full already */
    the.server->slice_wants = SERVE_SLICE_WANTS;
    expect_error(h, "/ocsp/issuing", question(h, view_of(never, sizeof never), 0), CERT_OCSP_UNAUTHORIZED);
    the.server->with_front = SERVE_WITH_FRONT_MAX; /* as if the front had as many as it may */
    int64_t began = world_mono_ms();
    expect_error(h, "/ocsp/issuing", question(h, view_of(never, sizeof never), 0), CERT_OCSP_TRY_LATER);
    assert_true(world_mono_ms() - began >= SERVE_WANT_MS - 10);
    the.server->with_front = 0;
    expect_error(h, "/ocsp/issuing", question(h, view_of(never, sizeof never), 0), CERT_OCSP_UNAUTHORIZED);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_question_has_it_made_and_waits_for_it),
        cmocka_unit_test(a_revocation_shows),
        cmocka_unit_test(a_nonce_comes_back_in_an_answer_made_for_it),
        cmocka_unit_test(several_questions_get_one_answer),
        cmocka_unit_test(without_the_vault_several_are_for_later),
        cmocka_unit_test(unknown_is_signed_where_configured),
        cmocka_unit_test(without_the_vault_the_ready_answer_serves),
        cmocka_unit_test(what_is_not_ours_is_unauthorized),
        cmocka_unit_test(what_is_no_request_is_malformed),
        cmocka_unit_test(get_with_and_without_escapes),
        cmocka_unit_test(caches_keep_it_until_its_end),
        cmocka_unit_test(a_lapsed_answer_is_not_served),
        cmocka_unit_test(a_front_that_is_slow_costs_half_a_second),
        cmocka_unit_test(a_client_that_left_is_forgotten),
        cmocka_unit_test(without_a_front_it_is_try_later_at_once),
        cmocka_unit_test(a_responder_that_sends_anything_else_is_cut_off),
        cmocka_unit_test(a_front_that_sends_anything_else_is_cut_off),
        cmocka_unit_test(an_answer_finds_no_other_peer),
        cmocka_unit_test(strangers_questions_have_a_pace),
    };
    (void)argc;
    house_world(argv);
    return cmocka_run_group_tests(tests, setup, teardown);
}
