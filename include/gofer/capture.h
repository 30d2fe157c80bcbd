/* How `go(fn, args…)` and `go_defer(fn, args…)` take a call apart without running it.
 *
 * The macro calls an assembly stub through fn's own type, so the compiler checks and places the
 * arguments as for fn itself; the stub stores the argument registers and the stack part in a
 * record, from which the call is replayed later. Nothing here is meant to be used directly.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CAPTURE_H
#define GOFER_CAPTURE_H

#include <gofer/base.h>

GOFER_BEGIN

enum { GOFER_WORDS = 6 }; /* integer registers that every CPU has for arguments */

/* One captured call. The stub knows this layout (src/arch/switch_*.S). */
typedef struct gofer_call {
    void (*fn)(void);                                        /*   0: what to call */
    void (*deliver)(struct gofer_call *, const void *stack); /* 8: who takes the record */
    /*  16: bytes of arguments on the stack, an upper bound, in 16s. 0: no arguments but what lies
     * in the first GOFER_WORDS integer registers */
    size_t stack_size;
    uint64_t integer[9]; /*  24: integer registers in order; x86-64 keeps al in [6] */
    uint64_t vector[16]; /*  96: vector registers, 16 bytes each */
} gofer_call;

/* Where in the user's source a goroutine was started or a call deferred. */
typedef struct gofer_site {
    const char *function; /* the enclosing function */
    const char *file;
    int line;
    const char *name; /* fn's name where it names a function, else NULL */
} gofer_site;

/* What go_with and go() hand over: a captured call plus its options. */
typedef struct gofer_spawn_record {
    gofer_call call;
    const gofer_site *site;
    const struct go_options *options;
} gofer_spawn_record;

/* The stub's address. A data pointer, so that no compiler sees through it and no PLT clobbers
 * the static chain that carries the record. */
extern GOFER_API void (*const gofer_capture)(void);
#if defined __aarch64__
extern GOFER_API void (*const gofer_capture_x15)(void);
#endif

GOFER_API void gofer_deliver_spawn(gofer_call *, const void *stack);
GOFER_API void gofer_deliver_defer(gofer_call *, const void *stack);

GOFER_END

#ifndef __cplusplus

/* The register of the static chain is the compiler's choice: on aarch64 gcc and clang took x18,
 * clang from version 21 on takes x15. */
#if defined __aarch64__ && defined __clang__ && __clang_major__ >= 21
#define GOFER_STUB gofer_capture_x15
#else
#define GOFER_STUB gofer_capture
#endif

/* Bytes that the arguments may take on the stack: each rounded up to 16. The comma turns an array
 * into the pointer that is passed. */
#define GOFER_TYPE_PASSED(a) __typeof__((void)0, (a))
#define GOFER_SIZE_PASSED(a) sizeof(GOFER_TYPE_PASSED(a))
#if defined __aarch64__
/* A larger one lies in the caller's frame, which may be gone when the call is replayed. */
#define GOFER_MAY_PASS(a) (GOFER_SIZE_PASSED(a) <= 16)
#define GOFER_REFUSAL "gofer: aarch64 passes a struct over 16 bytes by address; pass a pointer"
#else
/* A record keeps 16 bytes of a vector register, and its stack part is aligned to as many. A
 * vector's class is -1, from gcc 14 on 19. */
#define GOFER_MAY_PASS(a)                                                        \
    (GOFER_SIZE_PASSED(a) <= 16 ||                                               \
     (_Alignof(GOFER_TYPE_PASSED(a)) <= 16 && __builtin_classify_type(a) >= 0 && \
      __builtin_classify_type(a) != 19))
#define GOFER_REFUSAL \
    "gofer: pass a pointer to a vector over 16 bytes, or to what is aligned to more than 16"
#endif
#define GOFER_PASSABLE(a)                                 \
    struct {                                              \
        _Static_assert(GOFER_MAY_PASS(a), GOFER_REFUSAL); \
        char unused;                                      \
    }
#define GOFER_SLOT(a) (((GOFER_SIZE_PASSED(a) + 15) & ~(size_t)15) + 0 * sizeof(GOFER_PASSABLE(a)))
#define GOFER_SIZE_0() 0
#define GOFER_SIZE_1(a) GOFER_SLOT(a)
#define GOFER_SIZE_2(a, ...) GOFER_SLOT(a) + GOFER_SIZE_1(__VA_ARGS__)
#define GOFER_SIZE_3(a, ...) GOFER_SLOT(a) + GOFER_SIZE_2(__VA_ARGS__)
#define GOFER_SIZE_4(a, ...) GOFER_SLOT(a) + GOFER_SIZE_3(__VA_ARGS__)
#define GOFER_SIZE_5(a, ...) GOFER_SLOT(a) + GOFER_SIZE_4(__VA_ARGS__)
#define GOFER_SIZE_6(a, ...) GOFER_SLOT(a) + GOFER_SIZE_5(__VA_ARGS__)
#define GOFER_SIZE_7(a, ...) GOFER_SLOT(a) + GOFER_SIZE_6(__VA_ARGS__)
#define GOFER_SIZE_8(a, ...) GOFER_SLOT(a) + GOFER_SIZE_7(__VA_ARGS__)
#define GOFER_SIZE_9(a, ...) GOFER_SLOT(a) + GOFER_SIZE_8(__VA_ARGS__)
#define GOFER_SIZE_10(a, ...) GOFER_SLOT(a) + GOFER_SIZE_9(__VA_ARGS__)
#define GOFER_SIZE_11(a, ...) GOFER_SLOT(a) + GOFER_SIZE_10(__VA_ARGS__)
#define GOFER_SIZE_12(a, ...) GOFER_SLOT(a) + GOFER_SIZE_11(__VA_ARGS__)
#define GOFER_SIZE_13(a, ...) GOFER_SLOT(a) + GOFER_SIZE_12(__VA_ARGS__)
#define GOFER_SIZE_14(a, ...) GOFER_SLOT(a) + GOFER_SIZE_13(__VA_ARGS__)
#define GOFER_SIZE_15(a, ...) GOFER_SLOT(a) + GOFER_SIZE_14(__VA_ARGS__)
#define GOFER_SIZE_16(a, ...) GOFER_SLOT(a) + GOFER_SIZE_15(__VA_ARGS__)
#define GOFER_PICK_16(f, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, N, \
                      ...)                                                                         \
    N
#define GOFER_COUNT(...) \
    GOFER_PICK_16(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
/* The first argument is fn itself, so that the list is never empty; it is dropped here. */
#define GOFER_STACK_SIZE(...) \
    (GOFER_ARE_WORDS(__VA_ARGS__) ? 0 : (GOFER_STACK_SIZE_(GOFER_COUNT(__VA_ARGS__), __VA_ARGS__)))
#define GOFER_STACK_SIZE_(n, ...) GOFER_STACK_SIZE__(n, __VA_ARGS__)
#define GOFER_STACK_SIZE__(n, ...) GOFER_DROP_##n(__VA_ARGS__)
#define GOFER_DROP_0(f) 0
#define GOFER_DROP_1(f, ...) GOFER_SIZE_1(__VA_ARGS__)
#define GOFER_DROP_2(f, ...) GOFER_SIZE_2(__VA_ARGS__)
#define GOFER_DROP_3(f, ...) GOFER_SIZE_3(__VA_ARGS__)
#define GOFER_DROP_4(f, ...) GOFER_SIZE_4(__VA_ARGS__)
#define GOFER_DROP_5(f, ...) GOFER_SIZE_5(__VA_ARGS__)
#define GOFER_DROP_6(f, ...) GOFER_SIZE_6(__VA_ARGS__)
#define GOFER_DROP_7(f, ...) GOFER_SIZE_7(__VA_ARGS__)
#define GOFER_DROP_8(f, ...) GOFER_SIZE_8(__VA_ARGS__)
#define GOFER_DROP_9(f, ...) GOFER_SIZE_9(__VA_ARGS__)
#define GOFER_DROP_10(f, ...) GOFER_SIZE_10(__VA_ARGS__)
#define GOFER_DROP_11(f, ...) GOFER_SIZE_11(__VA_ARGS__)
#define GOFER_DROP_12(f, ...) GOFER_SIZE_12(__VA_ARGS__)
#define GOFER_DROP_13(f, ...) GOFER_SIZE_13(__VA_ARGS__)
#define GOFER_DROP_14(f, ...) GOFER_SIZE_14(__VA_ARGS__)
#define GOFER_DROP_15(f, ...) GOFER_SIZE_15(__VA_ARGS__)
#define GOFER_DROP_16(f, ...) GOFER_SIZE_16(__VA_ARGS__)

/* Whether n arguments (at most GOFER_WORDS) are just words: integers and pointers, of the very
 * types that fn declares, since one of another type may be converted to a double or a struct; one
 * alone may also be of a type that is known to keep its bits. */
#define GOFER_IS_WORD(a)                                                   \
    (__builtin_classify_type(a) >= 1 && __builtin_classify_type(a) <= 5 && \
     sizeof(GOFER_TYPE_PASSED(a)) <= 8)
#define GOFER_WORDS_1(a) GOFER_IS_WORD(a)
#define GOFER_WORDS_2(a, ...) GOFER_IS_WORD(a) && GOFER_WORDS_1(__VA_ARGS__)
#define GOFER_WORDS_3(a, ...) GOFER_IS_WORD(a) && GOFER_WORDS_2(__VA_ARGS__)
#define GOFER_WORDS_4(a, ...) GOFER_IS_WORD(a) && GOFER_WORDS_3(__VA_ARGS__)
#define GOFER_WORDS_5(a, ...) GOFER_IS_WORD(a) && GOFER_WORDS_4(__VA_ARGS__)
#define GOFER_WORDS_6(a, ...) GOFER_IS_WORD(a) && GOFER_WORDS_5(__VA_ARGS__)
#define GOFER_TYPES_1(a) GOFER_TYPE_PASSED(a)
#define GOFER_TYPES_2(a, ...) GOFER_TYPE_PASSED(a), GOFER_TYPES_1(__VA_ARGS__)
#define GOFER_TYPES_3(a, ...) GOFER_TYPE_PASSED(a), GOFER_TYPES_2(__VA_ARGS__)
#define GOFER_TYPES_4(a, ...) GOFER_TYPE_PASSED(a), GOFER_TYPES_3(__VA_ARGS__)
#define GOFER_TYPES_5(a, ...) GOFER_TYPE_PASSED(a), GOFER_TYPES_4(__VA_ARGS__)
#define GOFER_TYPES_6(a, ...) GOFER_TYPE_PASSED(a), GOFER_TYPES_5(__VA_ARGS__)
#define GOFER_FITS_WORDS(n, f, ...)                                                              \
    (__builtin_types_compatible_p(__typeof__(*(f)),                                              \
                                  __typeof__((f)(__VA_ARGS__))(GOFER_TYPES_##n(__VA_ARGS__))) && \
     GOFER_WORDS_##n(__VA_ARGS__))
#define GOFER_TAKES(f, a, T) __builtin_types_compatible_p(__typeof__(*(f)), __typeof__((f)(a))(T))
#define GOFER_IS_POINTER(a) (__builtin_classify_type(a) == 5)
#define GOFER_FITS_WORD(f, a)                                                                 \
    (GOFER_FITS_WORDS(1, f, a) ||                                                             \
     (GOFER_IS_POINTER(a) && (GOFER_TAKES(f, a, void *) || GOFER_TAKES(f, a, const void *) || \
                              GOFER_TAKES(f, a, const char *))) ||                            \
     (GOFER_IS_WORD(a) && !GOFER_IS_POINTER(a) &&                                             \
      (GOFER_TAKES(f, a, int) || GOFER_TAKES(f, a, unsigned) || GOFER_TAKES(f, a, long) ||    \
       GOFER_TAKES(f, a, unsigned long) || GOFER_TAKES(f, a, long long) ||                    \
       GOFER_TAKES(f, a, unsigned long long))))

/* Whether all of fn's arguments are such words: then GOFER_STORE_WORDS puts them where the stub
 * puts the integer registers. It is compiled for other arguments too, but never runs: their places
 * get zeros. */
#define GOFER_ARE_WORDS(...) GOFER_ARE_WORDS_(GOFER_COUNT(__VA_ARGS__), __VA_ARGS__)
#define GOFER_ARE_WORDS_(n, ...) GOFER_ARE_WORDS__(n, __VA_ARGS__)
#define GOFER_ARE_WORDS__(n, ...) GOFER_ARE_##n(__VA_ARGS__)
#define GOFER_ARE_0(f) 1
#define GOFER_ARE_1(f, a) GOFER_FITS_WORD(f, a)
#define GOFER_ARE_2(f, ...) GOFER_FITS_WORDS(2, f, __VA_ARGS__)
#define GOFER_ARE_3(f, ...) GOFER_FITS_WORDS(3, f, __VA_ARGS__)
#define GOFER_ARE_4(f, ...) GOFER_FITS_WORDS(4, f, __VA_ARGS__)
#define GOFER_ARE_5(f, ...) GOFER_FITS_WORDS(5, f, __VA_ARGS__)
#define GOFER_ARE_6(f, ...) GOFER_FITS_WORDS(6, f, __VA_ARGS__)
#define GOFER_ARE_7(...) 0
#define GOFER_ARE_8(...) 0
#define GOFER_ARE_9(...) 0
#define GOFER_ARE_10(...) 0
#define GOFER_ARE_11(...) 0
#define GOFER_ARE_12(...) 0
#define GOFER_ARE_13(...) 0
#define GOFER_ARE_14(...) 0
#define GOFER_ARE_15(...) 0
#define GOFER_ARE_16(...) 0
#define GOFER_WORD(a) ((uint64_t) __builtin_choose_expr(GOFER_IS_WORD(a), (a), 0))
#define GOFER_STORE_WORDS(at, ...) GOFER_STORE_WORDS_(GOFER_COUNT(__VA_ARGS__), at, __VA_ARGS__)
#define GOFER_STORE_WORDS_(n, at, ...) GOFER_STORE_WORDS__(n, at, __VA_ARGS__)
#define GOFER_STORE_WORDS__(n, at, ...) GOFER_STORE_##n(at, __VA_ARGS__)
#define GOFER_STORE_0(at, f) (void)0
#define GOFER_STORE_1(at, f, a1) ((at)[0] = GOFER_WORD(a1))
#define GOFER_STORE_2(at, f, a1, a2) ((at)[0] = GOFER_WORD(a1), (at)[1] = GOFER_WORD(a2))
#define GOFER_STORE_3(at, f, a1, a2, a3) \
    ((at)[0] = GOFER_WORD(a1), (at)[1] = GOFER_WORD(a2), (at)[2] = GOFER_WORD(a3))
#define GOFER_STORE_4(at, f, a1, a2, a3, a4)                                       \
    ((at)[0] = GOFER_WORD(a1), (at)[1] = GOFER_WORD(a2), (at)[2] = GOFER_WORD(a3), \
     (at)[3] = GOFER_WORD(a4))
#define GOFER_STORE_5(at, f, a1, a2, a3, a4, a5)                                   \
    ((at)[0] = GOFER_WORD(a1), (at)[1] = GOFER_WORD(a2), (at)[2] = GOFER_WORD(a3), \
     (at)[3] = GOFER_WORD(a4), (at)[4] = GOFER_WORD(a5))
#define GOFER_STORE_6(at, f, a1, a2, a3, a4, a5, a6)                               \
    ((at)[0] = GOFER_WORD(a1), (at)[1] = GOFER_WORD(a2), (at)[2] = GOFER_WORD(a3), \
     (at)[3] = GOFER_WORD(a4), (at)[4] = GOFER_WORD(a5), (at)[5] = GOFER_WORD(a6))
#define GOFER_STORE_7(...) (void)0
#define GOFER_STORE_8(...) (void)0
#define GOFER_STORE_9(...) (void)0
#define GOFER_STORE_10(...) (void)0
#define GOFER_STORE_11(...) (void)0
#define GOFER_STORE_12(...) (void)0
#define GOFER_STORE_13(...) (void)0
#define GOFER_STORE_14(...) (void)0
#define GOFER_STORE_15(...) (void)0
#define GOFER_STORE_16(...) (void)0

/* fn and its arguments from one variadic list, so that `go(f)` needs no trailing comma. */
#define GOFER_FIRST(...) GOFER_FIRST_(__VA_ARGS__, 0)
#define GOFER_FIRST_(f, ...) f
#define GOFER_CALL(target, ...) GOFER_CALL_(GOFER_COUNT(__VA_ARGS__), target, __VA_ARGS__)
#define GOFER_CALL_(n, target, ...) GOFER_CALL__(n, target, __VA_ARGS__)
#define GOFER_CALL__(n, target, ...) GOFER_CALL_##n(target, __VA_ARGS__)
#define GOFER_CALL_0(target, f) (target)()
#define GOFER_CALL_SOME(target, f, ...) (target)(__VA_ARGS__)
#define GOFER_CALL_1 GOFER_CALL_SOME
#define GOFER_CALL_2 GOFER_CALL_SOME
#define GOFER_CALL_3 GOFER_CALL_SOME
#define GOFER_CALL_4 GOFER_CALL_SOME
#define GOFER_CALL_5 GOFER_CALL_SOME
#define GOFER_CALL_6 GOFER_CALL_SOME
#define GOFER_CALL_7 GOFER_CALL_SOME
#define GOFER_CALL_8 GOFER_CALL_SOME
#define GOFER_CALL_9 GOFER_CALL_SOME
#define GOFER_CALL_10 GOFER_CALL_SOME
#define GOFER_CALL_11 GOFER_CALL_SOME
#define GOFER_CALL_12 GOFER_CALL_SOME
#define GOFER_CALL_13 GOFER_CALL_SOME
#define GOFER_CALL_14 GOFER_CALL_SOME
#define GOFER_CALL_15 GOFER_CALL_SOME
#define GOFER_CALL_16 GOFER_CALL_SOME

/* fn's result must travel in registers: a struct returned in memory would be written into a
 * frame that is gone when the call is replayed. */
#define GOFER_RETURNS_IN_REGISTERS(...) \
    (sizeof(__typeof__(GOFER_CALL(GOFER_FIRST(__VA_ARGS__), __VA_ARGS__))) <= 16)

/* A function that is declared never to return cannot be called in disguise: what follows the call
 * is not there. gcc can tell; wrap exit() and its like in a function of your own. */
#if defined __has_builtin
#if __has_builtin(__builtin_has_attribute)
#define GOFER_RETURNS(f) (!__builtin_has_attribute(f, noreturn))
#endif
#endif
#ifndef GOFER_RETURNS
#define GOFER_RETURNS(f) 1
#endif

/* Calls the capture stub in fn's place, with `record` as static chain: the arguments are evaluated
 * now. Without arguments there is nothing to capture. A statement expression of type void. */
#define GOFER_CAPTURE(record, ...)                                                              \
    __extension__({                                                                             \
        _Static_assert(                                                                         \
            GOFER_RETURNS_IN_REGISTERS(__VA_ARGS__),                                            \
            "gofer: the function returns a struct in memory; return a pointer or void");        \
        _Static_assert(GOFER_RETURNS(GOFER_FIRST(__VA_ARGS__)),                                 \
                       "gofer: the function is declared noreturn; call it in one of your own"); \
        if (GOFER_ARE_WORDS(__VA_ARGS__)) {                                                     \
            GOFER_STORE_WORDS((record)->call.integer, __VA_ARGS__);                             \
            (record)->call.deliver(&(record)->call, (const void *)0);                           \
        } else {                                                                                \
            (void)__builtin_call_with_static_chain(                                             \
                GOFER_CALL((__typeof__(&*(GOFER_FIRST(__VA_ARGS__))))GOFER_STUB, __VA_ARGS__),  \
                (record));                                                                      \
        }                                                                                       \
    })

/* fn's name if fn names a function, NULL if it is a pointer to one. */
#define GOFER_TEXT_(...) #__VA_ARGS__
#define GOFER_TEXT(...) GOFER_TEXT_(__VA_ARGS__)
#define GOFER_NAME_OF(f)                                                              \
    (__builtin_types_compatible_p(__typeof__(f), __typeof__(&*(f))) ? (const char *)0 \
                                                                    : GOFER_TEXT(f))
#endif

#endif
