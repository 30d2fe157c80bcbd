/* The main of a program that has a go_main. A program with a main of its own never links it. */
#include "gofer/runtime.h"

int gofer_main(int argc, char **argv, int (*fn)(int, char **));

int main(int argc, char **argv)
{
    return gofer_main(argc, argv, go_main);
}
