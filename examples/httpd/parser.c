/* llhttp, the parser of HTTP messages, compiled from its sources as Debian's node-llhttp has them;
 * its second half is in parser_api.c. Where the system has it as a library, CMakeLists.txt leaves
 * both out. */
// gofer: flags -I/usr/share -I/usr/share/include/llhttp

/* No bare LF within the head, no space before a colon: by what is taken loosely, requests are
 * smuggled past a proxy. Versions from 9 on know no other mode. What is loose in this one, too,
 * request.c refuses. */
#define LLHTTP_STRICT_MODE 1

#include <llhttp/llhttp.c>
