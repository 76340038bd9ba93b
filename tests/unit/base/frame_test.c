/* base/frame: whole frames whatever the cuts, descriptors with their frames, and a cut for bad form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/frame.h"

struct side {
    struct loop *loop;
    struct channel *channel;
    struct arena *arena;
    int peer; /* the other end, raw */
    int frames, closes, stop_at;
    bool echo, free_in_frame, free_in_close, keep_fd;
    uint64_t last_id;
    size_t body_bytes;
    int kept[64];
    int kept_n;
    enum err_code why;
    bool had_why;
};

static void on_frame(void *arg, struct frame *f)
{
    struct side *s = arg;
    s->frames++;
    s->last_id = f->id;
    s->body_bytes += f->body.n;
    if (s->keep_fd && f->fd >= 0) {
        s->kept[s->kept_n++] = f->fd;
        f->fd = -1;
    }
    if (s->echo) {
        struct frame answer = {.kind = f->kind, .id = f->id, .body = f->body, .fd = -1};
        assert_null(channel_send(s->channel, &answer));
    }
    if (s->free_in_frame) {
        channel_free(s->channel);
        s->channel = NULL;
        loop_stop(s->loop);
    }
    if (s->frames == s->stop_at)
        loop_stop(s->loop);
}

static void on_close(void *arg, struct err *why)
{
    struct side *s = arg;
    s->closes++;
    s->had_why = why != NULL;
    if (why)
        s->why = err_code(why);
    err_free(why);
    if (s->free_in_close) {
        channel_free(s->channel);
        s->channel = NULL;
    }
    loop_stop(s->loop);
}

static int setup(void **state)
{
    static struct side s;
    int p[2];
    memset(&s, 0, sizeof(s));
    if (loop_new(&s.loop) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) != 0)
        return -1;
    s.peer = p[1];
    s.arena = arena_new(64 << 20);
    s.channel = channel_new(s.loop, p[0], (struct channel_events){on_frame, on_close, &s});
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct side *s = *state;
    channel_free(s->channel);
    loop_free(s->loop);
    arena_free(s->arena);
    if (s->peer >= 0)
        close(s->peer);
    return 0;
}

static void raw(struct side *s, const void *p, size_t n)
{
    assert_int_equal(send(s->peer, p, n, MSG_NOSIGNAL), n);
}

static void send_frame(struct side *s, uint64_t id, size_t n, int fd)
{
    struct frame f = {.kind = 7, .generation = 3, .id = id, .fd = fd};
    f.body = view_of(arena_alloc(s->arena, n), n);
    assert_null(frame_write(s->peer, &f));
}

static struct frame recv_frame(struct side *s)
{
    struct frame f;
    assert_null(frame_read(s->peer, s->arena, &f));
    return f;
}

static void expect_cut(struct side *s, enum err_code why)
{
    s->stop_at = -1;
    loop_run(s->loop);
    assert_int_equal(s->closes, 1);
    assert_true(s->had_why);
    assert_int_equal(s->why, why);
    char c;
    ssize_t n = recv(s->peer, &c, 1, 0); /* reset where octets of ours were left unread there */
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

static void frames_of_one_turn_are_echoed(void **state)
{
    struct side *s = *state;
    s->echo = true;
    s->stop_at = 20;
    for (uint64_t i = 0; i < 20; i++)
        send_frame(s, i, i * 37, -1);
    loop_run(s->loop);
    for (uint64_t i = 0; i < 20; i++) {
        struct frame f = recv_frame(s);
        assert_int_equal(f.id, i);
        assert_int_equal(f.kind, 7);
        assert_int_equal(f.body.n, i * 37);
        assert_int_equal(f.fd, -1);
    }
}

struct bytes {
    int fd;
    const uint8_t *p;
    size_t n;
};

static void *one_by_one(void *arg)
{
    struct bytes *b = arg;
    for (size_t i = 0; i < b->n; i++) {
        assert_int_equal(send(b->fd, b->p + i, 1, 0), 1);
        if (i % 16 == 0)
            usleep(200);
    }
    return NULL;
}

static void frames_cut_at_every_octet_come_whole(void **state)
{
    struct side *s = *state;
    uint8_t two[2 * (24 + 5)] = {1, 0, 0, 9, 0, 0, 0, 5};
    two[23] = 1;
    memcpy(two + 29, two, 29);
    two[29 + 23] = 2;
    struct bytes b = {s->peer, two, sizeof(two)};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, one_by_one, &b), 0);
    s->stop_at = 2;
    loop_run(s->loop);
    pthread_join(t, NULL);
    assert_int_equal(s->last_id, 2);
    assert_int_equal(s->body_bytes, 10);
}

static void *write_big(void *arg)
{
    struct side *s = arg;
    static uint8_t body[FRAME_BODY_MAX];
    struct frame f = {.kind = 1, .id = 1, .body = view_of(body, sizeof(body)), .fd = -1};
    for (int i = 0; i < 3; i++)
        assert_null(frame_write(s->peer, &f));
    return NULL;
}

static void the_largest_body_passes(void **state)
{
    struct side *s = *state;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, write_big, s), 0);
    s->stop_at = 3;
    loop_run(s->loop);
    pthread_join(t, NULL);
    assert_int_equal(s->body_bytes, 3 * FRAME_BODY_MAX);
}

static int file_of(int n)
{
    int fd = memfd_create("frame_test", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, n), 0);
    return fd;
}

static int size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (int)st.st_size;
}

static void descriptors_come_with_their_own_frames(void **state)
{
    struct side *s = *state;
    s->keep_fd = true;
    s->stop_at = 30;
    for (int i = 0; i < 30; i++) {
        int fd = i % 3 == 0 ? file_of(i) : -1;
        send_frame(s, (uint64_t)i, (size_t)i, fd);
        if (fd >= 0)
            close(fd);
    }
    loop_run(s->loop);
    assert_int_equal(s->kept_n, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(size_of(s->kept[i]), 3 * i);
        assert_int_equal(fcntl(s->kept[i], F_GETFD), FD_CLOEXEC);
        close(s->kept[i]);
    }
}

static void a_descriptor_may_be_closed_right_after_the_send(void **state)
{
    struct side *s = *state;
    for (int i = 0; i < 9; i++) {
        int fd = i % 2 ? file_of(100 + i) : -1;
        struct frame f = {.kind = 1, .id = (uint64_t)i, .body = view_str("body"), .fd = fd};
        assert_null(channel_send(s->channel, &f));
        if (fd >= 0)
            close(fd);
    }
    loop_post(s->loop, (void (*)(void *))loop_stop, s->loop);
    loop_run(s->loop);
    for (int i = 0; i < 9; i++) {
        struct frame f = recv_frame(s);
        assert_int_equal(f.id, i);
        if (i % 2 == 0)
            assert_int_equal(f.fd, -1);
        if (i % 2) {
            assert_int_equal(size_of(f.fd), 100 + i);
            close(f.fd);
        }
    }
}

static void an_unwanted_descriptor_is_closed(void **state)
{
    struct side *s = *state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    send_frame(s, 1, 0, p[1]);
    close(p[1]);
    s->stop_at = 1;
    loop_run(s->loop);
    char c;
    assert_int_equal(read(p[0], &c, 1), 0); /* no writer is left */
    close(p[0]);
}

static void *read_all_frames(void *arg)
{
    struct side *s = arg;
    usleep(20000); /* let the socket fill */
    for (int i = 0; i < 60; i++) {
        struct arena *a = arena_new(2 << 20);
        struct frame f;
        assert_null(frame_read(s->peer, a, &f));
        assert_int_equal(f.id, i);
        assert_int_equal(f.body.n, 100000);
        assert_true(f.fd >= 0 ? i % 10 == 5 : i % 10 != 5);
        if (f.fd >= 0)
            close(f.fd);
        arena_free(a);
    }
    shutdown(s->peer, SHUT_RDWR);
    return NULL;
}

static void a_slow_peer_gets_everything(void **state)
{
    struct side *s = *state;
    uint8_t *body = arena_alloc(s->arena, 100000);
    int fd = file_of(1);
    for (int i = 0; i < 60; i++) {
        struct frame f = {
            .kind = 1, .id = (uint64_t)i, .body = view_of(body, 100000), .fd = i % 10 == 5 ? fd : -1};
        assert_null(channel_send(s->channel, &f));
    }
    close(fd);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, read_all_frames, s), 0);
    loop_run(s->loop); /* until the close */
    pthread_join(t, NULL);
    assert_int_equal(s->closes, 1);
    assert_false(s->had_why);
}

static void too_much_waiting_is_refused(void **state)
{
    struct side *s = *state;
    channel_set_max_queued(s->channel, 1000);
    uint8_t body[900] = {0};
    struct frame f = {.kind = 1, .body = view_of(body, sizeof(body)), .fd = -1};
    assert_null(channel_send(s->channel, &f));
    struct err *e = channel_send(s->channel, &f);
    assert_int_equal(err_code(e), ERR_BUSY);
    err_free(e);
}

static void the_peer_closing_is_no_error(void **state)
{
    struct side *s = *state;
    s->free_in_close = true;
    close(s->peer);
    s->peer = -1;
    loop_run(s->loop);
    assert_int_equal(s->closes, 1);
    assert_false(s->had_why);
    assert_null(s->channel);
}

static void a_closed_channel_refuses_to_send(void **state)
{
    struct side *s = *state;
    close(s->peer);
    s->peer = -1;
    loop_run(s->loop);
    struct frame f = {.kind = 1, .fd = -1};
    struct err *e = channel_send(s->channel, &f);
    assert_int_equal(err_code(e), ERR_CANCELLED);
    err_free(e);
}

static void free_in_on_frame_is_safe_with_answers_waiting(void **state)
{
    struct side *s = *state;
    s->echo = s->free_in_frame = true;
    for (int i = 0; i < 3; i++)
        send_frame(s, 1, 10, -1);
    loop_run(s->loop);
    assert_int_equal(s->frames, 1);
    assert_int_equal(s->closes, 0);
}

static void another_version_is_cut_off(void **state)
{
    uint8_t h[24] = {2};
    raw(*state, h, sizeof(h));
    expect_cut(*state, ERR_PROTOCOL);
}

static void unknown_flags_are_cut_off(void **state)
{
    uint8_t h[24] = {1, 2};
    raw(*state, h, sizeof(h));
    expect_cut(*state, ERR_PROTOCOL);
}

static void reserved_octets_are_cut_off(void **state)
{
    uint8_t h[24] = {1, [15] = 1};
    raw(*state, h, sizeof(h));
    expect_cut(*state, ERR_PROTOCOL);
}

static void a_body_over_the_limit_is_cut_off_at_its_header(void **state)
{
    uint8_t h[24] = {1, 0, 0, 1, 0, 0x10, 0, 1};
    raw(*state, h, sizeof(h));
    expect_cut(*state, ERR_PROTOCOL);
}

static void a_missing_descriptor_is_cut_off(void **state)
{
    uint8_t h[24] = {1, 1};
    raw(*state, h, sizeof(h));
    expect_cut(*state, ERR_PROTOCOL);
}

static void send_fds(int sock, const void *bytes, size_t n, int fds)
{
    union {
        char room[CMSG_SPACE(64 * sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(&control, 0, sizeof(control));
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
    int *v = (int *)(void *)CMSG_DATA(c);
    for (int i = 0; i < fds; i++)
        v[i] = sock;
    assert_int_equal(sendmsg(sock, &m, 0), n);
}

static void descriptors_nobody_announced_are_cut_off(void **state)
{
    struct side *s = *state;
    uint8_t h[24] = {1};
    send_fds(s->peer, h, sizeof(h), 2);
    expect_cut(s, ERR_PROTOCOL);
}

static void a_heap_of_descriptors_is_cut_off(void **state)
{
    struct side *s = *state;
    uint8_t h[24] = {1};
    send_fds(s->peer, h, sizeof(h), 40);
    expect_cut(s, ERR_IO);
}

static void the_blocking_read_refuses_what_the_channel_refuses(void **state)
{
    struct side *s = *state;
    struct frame f;
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    uint8_t h[24] = {2};
    assert_int_equal(write(p[0], h, 24), 24);
    struct err *e = frame_read(p[1], s->arena, &f);
    assert_int_equal(err_code(e), ERR_PROTOCOL);
    err_free(e);
    h[0] = 1;
    send_fds(p[0], h, 24, 1);
    e = frame_read(p[1], s->arena, &f);
    assert_int_equal(err_code(e), ERR_PROTOCOL);
    err_free(e);
    assert_int_equal(write(p[0], h, 10), 10);
    close(p[0]);
    e = frame_read(p[1], s->arena, &f);
    assert_int_equal(err_code(e), ERR_CANCELLED);
    err_free(e);
    close(p[1]);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(frames_of_one_turn_are_echoed),
        test(frames_cut_at_every_octet_come_whole),
        test(the_largest_body_passes),
        test(descriptors_come_with_their_own_frames),
        test(a_descriptor_may_be_closed_right_after_the_send),
        test(an_unwanted_descriptor_is_closed),
        test(a_slow_peer_gets_everything),
        test(too_much_waiting_is_refused),
        test(the_peer_closing_is_no_error),
        test(a_closed_channel_refuses_to_send),
        test(free_in_on_frame_is_safe_with_answers_waiting),
        test(another_version_is_cut_off),
        test(unknown_flags_are_cut_off),
        test(reserved_octets_are_cut_off),
        test(a_body_over_the_limit_is_cut_off_at_its_header),
        test(a_missing_descriptor_is_cut_off),
        test(descriptors_nobody_announced_are_cut_off),
        test(a_heap_of_descriptors_is_cut_off),
        test(the_blocking_read_refuses_what_the_channel_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
