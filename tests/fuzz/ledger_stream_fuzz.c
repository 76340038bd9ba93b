/* Records of a streamed shelf. */
#include "fuzz.h"

#include "stream_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_of(data, size), part;
    struct stream_begin begin;
    struct stream_item item;
    uint64_t seq;
    struct err *e = stream_form_read_put(in, &item);
    if (!e)
        CHECK(item.key.n >= 1 && item.key.n <= STREAM_KEY_BYTES && item.value.n <= size);
    err_free(e);
    err_free(stream_form_read_del(in, &item));
    err_free(stream_form_read_begin(in, &begin));
    err_free(stream_form_read_part(in, &part));
    err_free(stream_form_read_at(in, &seq));
    return 0;
}
