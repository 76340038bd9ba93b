/* The name of a tag for messages: "SEQUENCE", "[3]", "tag 0x41". Seen inside base alone. */
#ifndef CHANCERY_DER_TAG_H
#define CHANCERY_DER_TAG_H

#include <stdio.h>

struct der_tag_text {
    char s[24];
};

struct der_tag_text der_tag_text(unsigned tag);

#endif
