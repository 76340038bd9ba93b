/* What a vault's tokens say of themselves, for people's eyes. The loop's thread; the readers any. */
#ifndef CHANCERY_HSM_INFO_H
#define CHANCERY_HSM_INFO_H

#include "hsm.h"

/* What the token says of itself, for people's eyes: groups of fields. ERR_BUSY where it is being asked. */
typedef void hsm_info_fn(void *arg, struct err *e, struct view groups);
MUST_USE struct err *hsm_info(struct hsm *h, hsm_info_fn *done, void *arg, ticket_id *ret);

/* Take the first group, the first field of a group, off the front. Texts live in the arena. */
enum hsm_info_type { HSM_INFO_TEXT, HSM_INFO_NUMBER, HSM_INFO_FLAG };
struct hsm_info_field {
    const char *name;
    enum hsm_info_type type;
    const char *text;
    uint64_t number;
    bool flag;
};
MUST_USE struct err *hsm_info_group(struct view *groups, struct arena *arena, const char **ret_name,
                                    struct view *ret_fields);
MUST_USE struct err *hsm_info_field(struct view *fields, struct arena *arena, struct hsm_info_field *ret);

#endif
