#include <gofer.h>
#include <stdio.h>

int go_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    char text[GO_ADDRESS_ROOM], host[100], port[10];
    go_address address;
    if (go_resolve_address("tcp", "[2001:db8::1]:https", &address) == 0)
        puts(go_address_string(&address, text, sizeof text));
    go_split_host_port("[::1]:80", host, sizeof host, port, sizeof port);
    printf("%s, %s\n", host, port);
    puts(go_join_host_port(host, port, text, sizeof text));
    if (go_lookup_host("127.0.0.1", &address, 1) == 1)
        puts(go_address_host(&address, text, sizeof text));
    return 0;
}
// Output:
// [2001:db8::1]:443
// ::1, 80
// [::1]:80
// 127.0.0.1
