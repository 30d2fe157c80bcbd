/* llhttp, the parser of HTTP messages, compiled from its sources as Debian's node-llhttp has them;
 * its second half is in parser_api.c. Where the system has it as a library, CMakeLists.txt leaves
 * both out. */
// gofer: flags -I/usr/share -I/usr/share/include/llhttp

/* No bare LF, no space where the grammar has none: by what is taken loosely here, requests are
 * smuggled past a proxy. Versions from 9 on know no other mode. */
#define LLHTTP_STRICT_MODE 1

#include <llhttp/llhttp.c>
