/* The last head that was signed, and the log's name with it: from the roll, and held to by what follows. The
 * vault's loop. */
#ifndef CHANCERY_HSM_HEAD_BOOK_H
#define CHANCERY_HSM_HEAD_BOOK_H

#include "hsm_books.h"
#include "hsm_head.h"

/* Of the key. No issuer's name has a slash, so no ceremony makes or takes up a key of this label. */
#define HEAD_KEY_LABEL "chancery/log"

struct head_book {
    struct hsm_head last; /* size 0: none yet */
    char origin[HSM_ORIGIN_MAX + 1];
};

void head_book_note(struct head_book *b, const struct hsm_roll_entry *entry);
/* The roster accepted that the ledger has lost entries: the next head goes on from nothing. The name stays.
 */
void head_book_let_go(struct head_book *b);
/* judge_head.c: a head that goes on from the last: no smaller, of the same tree (RFC 9162 2.1.4). */
MUST_USE struct err *judge_head(const struct head_book *b, const struct hsm_head *head,
                                const struct merkle_proof *proof);

#endif
