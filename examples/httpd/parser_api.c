/* The part of llhttp that is written by hand; parser.c has the generated one, whose declarations of
 * these functions differ. */
#define LLHTTP_STRICT_MODE 1

#include <llhttp/http.c>
#include <llhttp/api.c>
