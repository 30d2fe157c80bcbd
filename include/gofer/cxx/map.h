/* The verbs of maps in C++: function templates that take the types from the map's. They do what
 * include/gofer/map.h says of the macros of the same names.
 * SPDX-License-Identifier: MIT */
#ifndef GOFER_CXX_MAP_H
#define GOFER_CXX_MAP_H

#include <gofer/map.h>

#include <type_traits>
#include <utility>

namespace gofer_cxx
{

template <class M> using map_key = std::remove_pointer_t<decltype(M::key)>;
template <class M> using map_value = std::remove_pointer_t<decltype(M::value)>;

template <class M> constexpr gofer_map_type map_type()
{
    using key = map_key<M>;
    static_assert(std::is_trivially_copyable_v<key> && std::is_trivially_copyable_v<map_value<M>>,
                  "gofer: a map's keys and values are copied by their bytes: store pointers");
    return { sizeof(key), sizeof(map_value<M>),
             std::is_same_v<key, char *> || std::is_same_v<key, const char *> };
}

template <class M> constexpr gofer_map_type type_of_map = map_type<M>();

/* The rounds of go_map_range. Its three loops are one: a body that ends passes `done`; a `break`
 * does not, and the outer loops end with the inner one. */
template <class M> class map_rounds
{
    enum { BETWEEN, NEXT, WITH_KEY, IN_BODY } at = BETWEEN;
    gofer_map_iterator iterator;

    bool move(decltype(BETWEEN) from, decltype(BETWEEN) to)
    {
        const bool moved = at == from;
        if (moved)
            at = to;
        return moved;
    }

  public:
    explicit map_rounds(M *m) : iterator(gofer_map_iterate(&m->map, &type_of_map<M>))
    {
    }
    ~map_rounds()
    {
        gofer_map_iterator_end(&iterator);
    }
    map_rounds(const map_rounds &) = delete;
    map_rounds &operator=(const map_rounds &) = delete;

    bool next()
    {
        return move(BETWEEN, NEXT) && gofer_map_next(&iterator);
    }
    bool enter_key()
    {
        return move(NEXT, WITH_KEY);
    }
    bool enter_value()
    {
        return move(WITH_KEY, IN_BODY);
    }
    void done()
    {
        at = BETWEEN;
    }
    map_key<M> key() const
    {
        return *static_cast<const map_key<M> *>(iterator.key);
    }
    map_value<M> value() const
    {
        return *static_cast<const map_value<M> *>(iterator.value);
    }
};

} // namespace gofer_cxx

template <class M>
int go_map_load(M *m, const gofer_cxx::map_key<M> &key, gofer_cxx::map_value<M> *to)
{
    return gofer_map_load(&m->map, &gofer_cxx::type_of_map<M>, &key, to);
}

template <class M>
int go_map_swap(M *m, const gofer_cxx::map_key<M> &key, const gofer_cxx::map_value<M> &value,
                gofer_cxx::map_value<M> *to)
{
    return gofer_map_swap(&m->map, &gofer_cxx::type_of_map<M>, &key, &value, to);
}

template <class M>
int go_map_store(M *m, const gofer_cxx::map_key<M> &key, const gofer_cxx::map_value<M> &value)
{
    return go_map_swap(m, key, value, nullptr) < 0 ? -1 : 0;
}

template <class M>
int go_map_load_or_store(M *m, const gofer_cxx::map_key<M> &key,
                         const gofer_cxx::map_value<M> &value, gofer_cxx::map_value<M> *to)
{
    return gofer_map_load_or_store(&m->map, &gofer_cxx::type_of_map<M>, &key, &value, to);
}

template <class M>
int go_map_load_and_delete(M *m, const gofer_cxx::map_key<M> &key, gofer_cxx::map_value<M> *to)
{
    return gofer_map_load_and_delete(&m->map, &gofer_cxx::type_of_map<M>, &key, to);
}

template <class M> void go_map_delete(M *m, const gofer_cxx::map_key<M> &key)
{
    (void)go_map_load_and_delete(m, key, nullptr);
}

template <class M>
int go_map_compare_and_swap(M *m, const gofer_cxx::map_key<M> &key,
                            const gofer_cxx::map_value<M> &old,
                            const gofer_cxx::map_value<M> &value)
{
    return gofer_map_compare_and_swap(&m->map, &gofer_cxx::type_of_map<M>, &key, &old, &value);
}

template <class M>
int go_map_compare_and_delete(M *m, const gofer_cxx::map_key<M> &key,
                              const gofer_cxx::map_value<M> &old)
{
    return gofer_map_compare_and_delete(&m->map, &gofer_cxx::type_of_map<M>, &key, &old);
}

#define go_map_range(m, k, v) GOFER_MAP_RANGE(GOFER_CAT(gofer_range_, __COUNTER__), m, k, v)
#define GOFER_MAP_RANGE(id, m, k, v)              \
    for (gofer_cxx::map_rounds id(m); id.next();) \
        for (auto k = id.key(); id.enter_key();)  \
            for (auto v = id.value(); id.enter_value(); id.done())

#endif
