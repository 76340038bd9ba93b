/*
 * Expressions, first stage: characters to tokens, as CEL's grammar has them. Strings come unescaped.
 *
 * Never looks further than one token. Any thread.
 */
#include "expr_node.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hex.h"

struct err *expr_lex_error(size_t at, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_new(ERR_BAD_FIELD, "character %zu: %s", at + 1, text);
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t peek(const struct expr_lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : 0;
}

static void blanks(struct expr_lexer *l)
{
    while (peek(l, 0) == ' ' || peek(l, 0) == '\t' || peek(l, 0) == '\n' || peek(l, 0) == '\r')
        l->at++;
}

static struct err *lex_int(struct expr_lexer *l, struct expr_token *ret)
{
    int64_t n = 0;
    size_t first = l->at;
    for (; is_digit(peek(l, 0)); l->at++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, peek(l, 0) - '0', &n))
            return expr_lex_error(first, "an integer of more than 64 bits");
    }
    if (is_letter(peek(l, 0)) || (peek(l, 0) == '.' && is_digit(peek(l, 1))))
        return expr_lex_error(first, "integers are decimal; there is no floating point");
    ret->kind = EXPR_TOKEN_INT;
    ret->n = n;
    return NULL;
}

/* After the backslash: one octet, or a code point as UTF-8. */
static struct err *lex_escape(struct expr_lexer *l, uint8_t *to, size_t *n)
{
    static const char from[] = "nrt\\'\"", as[] = "\n\r\t\\'\"";
    uint8_t c = peek(l, 0), high, low;
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        to[(*n)++] = (uint8_t)as[at - from];
        l->at++;
        return NULL;
    }
    struct view hex = view_from(l->text, l->at + 1), octets = {NULL, 0};
    struct err *e = c == 'u' && hex.n >= 4 ? hex_parse(l->arena, view_of(hex.p, 4), &octets) : NULL;
    bool ok = !e && octets.n == 2;
    err_free(e);
    high = ok ? octets.p[0] : 0;
    low = ok ? octets.p[1] : 0;
    if (!ok || (high == 0 && low < 0x20) || (high >= 0xd8 && high <= 0xdf))
        return expr_lex_error(l->at, "escapes are \\n \\r \\t \\\\ \\' \\\" and \\uXXXX");
    unsigned point = (unsigned)high << 8 | low;
    if (point >= 0x800)
        to[(*n)++] = (uint8_t)(0xe0 | point >> 12);
    if (point >= 0x80)
        to[(*n)++] = (uint8_t)(point >= 0x800 ? 0x80 | (point >> 6 & 0x3f) : 0xc0 | point >> 6);
    to[(*n)++] = (uint8_t)(point >= 0x80 ? 0x80 | (point & 0x3f) : point);
    l->at += 5;
    return NULL;
}

/* Up to the quote that is not escaped; false where there is none. */
static bool string_end(const struct expr_lexer *l, uint8_t quote, size_t *ret)
{
    size_t i = l->at + 1;
    while (i < l->text.n && l->text.p[i] != quote)
        i += l->text.p[i] == '\\' ? 2 : 1;
    *ret = i;
    return i < l->text.n;
}

static struct err *lex_string(struct expr_lexer *l, struct expr_token *ret)
{
    struct err *e = NULL;
    size_t n = 0, end;
    if (!string_end(l, peek(l, 0), &end))
        return expr_lex_error(l->at, "a string without its end");
    uint8_t *to = arena_alloc(l->arena, end - l->at);
    l->at++;
    while (l->at < end) {
        uint8_t c = peek(l, 0);
        l->at++;
        if (c == '\\')
            TRY(lex_escape(l, to, &n));
        else
            to[n++] = c;
    }
    l->at++;
    ret->kind = EXPR_TOKEN_STRING;
    ret->text = view_of(to, n);
out:
    return e;
}

/* Two characters where they are one mark. */
static struct err *lex_mark(struct expr_lexer *l, struct expr_token *ret)
{
    static const char *const marks[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":",
                                        "+",  "-",  "*",  "/",  "%",  ".",  ",", "(", ")", "[", "]"};
    struct view rest = view_from(l->text, l->at);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct view mark = view_str(marks[i]);
        if (!view_starts(rest, mark))
            continue;
        ret->kind = EXPR_TOKEN_MARK;
        ret->text = mark;
        l->at += mark.n;
        return NULL;
    }
    uint8_t c = peek(l, 0);
    return c > ' ' && c < 0x7f ? expr_lex_error(l->at, "'%c' is no part of an expression", c)
                               : expr_lex_error(l->at, "an octet 0x%02x is no part of an expression", c);
}

struct err *expr_lex_next(struct expr_lexer *l, struct expr_token *ret)
{
    blanks(l);
    *ret = (struct expr_token){.kind = EXPR_TOKEN_END, .at = l->at};
    uint8_t c = peek(l, 0);
    if (l->at == l->text.n)
        return NULL;
    if (is_digit(c))
        return lex_int(l, ret);
    if (c == '\'' || c == '"')
        return lex_string(l, ret);
    if (!is_letter(c))
        return lex_mark(l, ret);
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    ret->kind = EXPR_TOKEN_NAME;
    ret->text = view_of(l->text.p + ret->at, l->at - ret->at);
    return NULL;
}
