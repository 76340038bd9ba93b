/*
 * The strings of distinguished names: UTF8String, PrintableString, IA5String, and nothing else.
 *
 * Never converts. Control characters and marks that turn the direction of writing are refused, so that a name
 * shown on a screen is the name that was judged. Any thread.
 */
#include "name_string.h"

#include "base/der.h"

static bool is_printable(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && c < 0x80 && strchr(" '()+,-./:=?", (int)c));
}

bool name_string_hides(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

struct err *name_string_check(unsigned tag, struct view value, size_t *ret_chars)
{
    size_t chars = 0;
    if (tag != DER_UTF8_STRING && tag != DER_PRINTABLE_STRING && tag != DER_IA5_STRING)
        return err_new(ERR_BAD_NAME,
                       "a string with tag %02x; UTF8String, PrintableString and IA5String are allowed "
                       "(RFC 5280 4.1.2.4)",
                       tag);
    for (; value.n; chars++) {
        uint32_t c = 0;
        size_t octets = view_utf8_next(value, &c);
        if (!octets)
            return err_new(ERR_BAD_NAME, "a name that is not UTF-8 (RFC 5280 4.1.2.4, RFC 3629)");
        value = view_from(value, octets);
        if (name_string_hides(c))
            return err_new(ERR_BAD_NAME, "a name with the control character U+%04X (RFC 5280 4.1.2.4)",
                           (unsigned)c);
        if ((tag == DER_IA5_STRING && c > 0x7f) || (tag == DER_PRINTABLE_STRING && !is_printable(c)))
            return err_new(ERR_BAD_NAME,
                           "a character that its string type does not have: U+%04X (RFC 5280 4.1.2.4)",
                           (unsigned)c);
    }
    if (!chars)
        return err_new(ERR_BAD_NAME, "an empty attribute in a name (RFC 5280 appendix A)");
    if (ret_chars)
        *ret_chars = chars;
    return NULL;
}
