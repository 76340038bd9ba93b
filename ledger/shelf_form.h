/* The form of the shelf: its tables, and an item as it lies there. Any thread. */
#ifndef CHANCERY_LEDGER_SHELF_FORM_H
#define CHANCERY_LEDGER_SHELF_FORM_H

#include "ledger_shelf.h"
#include "store.h"

enum { SHELF_SCHEMA = 1, SHELF_MARK_BYTES = 16 };
enum shelf_table { SHELF_META, SHELF_ANSWERS, SHELF_BLOBS, SHELF_CHANGES, SHELF__TABLES };
extern const char *const shelf_form_tables[SHELF__TABLES];

/* this_update, next_update (8 octets each), length of the etag (1), etag and its NUL, the bytes. With
 * SHELF_IS_FILE in the length: in place of the bytes the file's length (8) and its name with a NUL. */
enum { SHELF_HEAD_BYTES = 17, SHELF_IS_FILE = 0x80 };
/* item->file NULL: its bytes. How much it takes; SHELF_ETAG_BYTES is a bound our own callers keep. */
size_t shelf_form_size(const struct shelf_item *item);
void shelf_form_put(const struct shelf_item *item, uint8_t *to);
/* Views into `stored`. False where it is not such a thing. */
bool shelf_form_get(struct view stored, struct shelf_item *ret);

/* Made where it is missing: what is in it has its group, so that a responder of another user can read. */
MUST_USE struct err *shelf_form_folder(const char *dir);
#define SHELF_FILE_PREFIX "large-" /* of its name, in the shelf's own folder */
/* A file of the folder `files`. ERR_NOT_FOUND where it is gone, ERR_CORRUPT where it is not as long as told.
 */
MUST_USE struct err *shelf_form_open(const char *files, const struct shelf_item *item, int *ret_fd);
/* Removes the files that no blob names: of a life that ended between making and putting one. */
MUST_USE struct err *shelf_files_sweep(const struct store_ops *ops, struct store *store, const char *files);

/* ERR_WRONG_STATE where a newer program made the shelf. */
MUST_USE struct err *shelf_form_check(const struct store_ops *ops, struct store_txn *t, bool *ret_new);

#endif
