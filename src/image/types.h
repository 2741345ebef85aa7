/*
 * types - what encoding and decoding share: letters of types as the format's numbers, and sizes.
 */
#ifndef TERN_IMAGE_TYPES_H
#define TERN_IMAGE_TYPES_H

#include "image/image.h"

enum { IMAGE_REF_BYTES = 8 };

/* WebAssembly's byte for the letter of a type, and back; 0 for anything else. */
uint8_t image_type_of(uint8_t letter);
uint8_t image_letter_of(uint64_t type);

/* How many lists name a memory of so many pages of 64 KiB. */
uint32_t image_list_count(uint32_t memory_pages);

#endif
