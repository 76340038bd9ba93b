/* A ledger in a folder of its own, a loop, and entries to put into it, for the tests of this room. */
#ifndef CHANCERY_TESTS_LEDGER_SCENE_H
#define CHANCERY_TESTS_LEDGER_SCENE_H

#include "base/loop.h"
#include "ledger.h"
#include "store.h"

struct scene {
    char dir[64];
    struct loop *loop;
    struct ledger *ledger;
    struct arena *arena;
    size_t map_bytes;
    const struct store_ops *ops; /* NULL: LMDB's own */
};

/* cmocka's setup and teardown; *state is the scene. */
int scene_setup(void **state);
int scene_teardown(void **state);
void scene_remove(const char *dir);
/* Closes and opens the ledger again. */
void scene_reopen(struct scene *s);

/* What became of an append; `at` the number of completions before it. */
struct scene_end {
    bool done;
    enum err_code code;
    bool failed;
    struct ledger_result result;
    struct scene *scene;
    size_t *left; /* stops the loop where it reaches 0; may be NULL */
};
void scene_done(void *arg, struct err *e, const struct ledger_result *r);

/* Appends and runs the loop until it is done. */
struct scene_end scene_append(struct scene *s, const struct ledger_entry *entry);
/* The same; must be written. Returns the seq. */
uint64_t scene_put(struct scene *s, const struct ledger_entry *entry);

/* Serial number n, its octets as in n..n. Valid until the next 64 calls. */
struct view scene_serial(unsigned n);
/* An intent of issuer "issuing" with this serial and one dns name, not_after 2,000,000,000. Views into static
 * memory, valid until the next 64 calls. */
struct ledger_entry scene_intent(unsigned serial, const char *name);
struct ledger_entry scene_record(uint64_t intent, uint64_t n);
struct ledger_entry scene_close(uint64_t intent, enum ledger_close_reason reason);
struct ledger_entry scene_revoke(unsigned serial, unsigned reason);
/* A token whose id is 32 octets of `id`. */
struct ledger_entry scene_token(uint8_t id, uint64_t uses);
struct view scene_hash(uint8_t of);
/* Intent and record; the intent's seq. */
uint64_t scene_issue(struct scene *s, unsigned serial, const char *name);

#define OK(expr)                                                                                             \
    do {                                                                                                     \
        struct err *e_ = (expr);                                                                             \
        if (e_)                                                                                              \
            fail_msg("%s: %s", #expr, err_detail(e_));                                                       \
    } while (0)
#define FAILS(code, expr)                                                                                    \
    do {                                                                                                     \
        struct err *e_ = (expr);                                                                             \
        assert_non_null(e_);                                                                                 \
        assert_int_equal(err_code(e_), (code));                                                              \
        err_free(e_);                                                                                        \
    } while (0)

#endif
