/*
 * libcurl's multi interface, driven by our loop: its sockets are watched here, its one timer is ours. What is
 * sent and what is kept is the business of each kind (transfer_put.c, transfer_get.c). The loop's thread.
 */
#include <stdlib.h>

#include "base/check.h"
#include "transfer_kind.h"

struct transfers {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    struct transfer *first;
};

/* A socket of libcurl's. */
struct watched {
    struct transfers *all;
    curl_socket_t fd;
    struct loop_watch *watch;
};

void transfers_cut(struct transfer *x)
{
    struct transfer **at = &x->all->first;
    while (*at && *at != x)
        at = &(*at)->next;
    if (*at)
        *at = x->next;
    if (x->easy) {
        curl_multi_remove_handle(x->all->multi, x->easy);
        curl_easy_cleanup(x->easy);
    }
    x->release(x);
}

void transfer_init(struct transfer *x, struct transfers *t)
{
    x->all = t;
    x->easy = curl_easy_init();
    CHECK(x->easy);
    curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(x->easy, CURLOPT_PROXY, ""); /* none from the environment either */
    curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "chancery");
}

struct err *transfer_start(struct transfer *x)
{
    struct transfers *t = x->all;
    if (curl_multi_add_handle(t->multi, x->easy) != CURLM_OK)
        return err_new(ERR_BUSY, "no transfer can be begun");
    x->next = t->first;
    t->first = x;
    return NULL;
}

/* Each kind cuts its own when it has taken from it what it tells. */
static void finish(struct transfers *t)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(t->multi, &left)) != NULL) {
        struct transfer *x = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        x->end(x, code);
    }
}

/* --- libcurl's sockets and timer --- */

static void act(struct transfers *t, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(t->multi, fd, what, &running);
    finish(t);
}

static void on_socket_ready(void *arg, int ready)
{
    const struct watched *w = arg;
    act(w->all, w->fd,
        (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *kept)
{
    struct transfers *t = user;
    struct watched *w = kept;
    int wanted = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            loop_unwatch(w->watch);
        free(w);
        curl_multi_assign(t->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        CHECK(w);
        *w = (struct watched){.all = t, .fd = fd};
        w->watch = loop_watch(t->loop, fd, wanted, on_socket_ready, w);
        curl_multi_assign(t->multi, fd, w);
        return 0;
    }
    loop_watch_set(w->watch, wanted);
    return 0;
}

static void on_time(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *user)
{
    struct transfers *t = user;
    (void)multi;
    if (ms < 0)
        loop_timer_clear(t->timer);
    else
        loop_timer_set(t->timer, ms < 1 ? 1 : ms);
    return 0;
}

struct err *transfers_new(struct loop *loop, struct transfers **ret)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_new(ERR_INTERNAL, "libcurl does not start");
    struct transfers *t = calloc(1, sizeof *t);
    CHECK(t);
    t->loop = loop;
    t->multi = curl_multi_init();
    CHECK(t->multi);
    t->timer = loop_timer_new(loop, on_time, t);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    *ret = t;
    return NULL;
}

void transfers_free(struct transfers *t)
{
    if (!t)
        return;
    while (t->first)
        transfers_cut(t->first);
    curl_multi_cleanup(t->multi);
    loop_timer_free(t->timer);
    free(t);
}
