/*
 * What a token says of itself, written as groups of fields for INFO (frames.def). For `chancery hsm info`.
 */
#ifndef CHANCERY_HSM_TOKEN_INFO_H
#define CHANCERY_HSM_TOKEN_INFO_H

#include "base/der.h"
#include "token.h"

/* Token and private keys; whole: module and mechanisms too. Any thread but the loop's: blocks. On an error
 * what stands in out is of no use. */
MUST_USE struct err *token_info_put(struct token *t, bool whole, struct der_out *out);

/* A group of others: begun, its fields put, ended. */
size_t token_info_begin(struct der_out *out, const char *group, size_t *ret_fields);
void token_info_put_number(struct der_out *out, const char *name, uint64_t n);
void token_info_put_text(struct der_out *out, const char *name, const char *text);
void token_info_end(struct der_out *out, size_t m, size_t fields);

#endif
