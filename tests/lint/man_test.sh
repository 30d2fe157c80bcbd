#!/usr/bin/env bash
# Every public name has a comment, every page an example; the pages are clean and complete. (That the
# examples print what they say is unit/pages_test.sh's.)
set -uo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    printf 'FAIL %s\n' "$*"
    failed=1
}
python3 "$source/tools/man.py" "$source" --check || fail 'tools/man.py --check'
python3 "$source/tools/man.py" "$source" "$work" || fail 'tools/man.py'
# A name that is on no page would be a fault of the script's, which knows declarations by their form.
# So here every word of the headers' code counts that has a public name's beginning, but for enums' tags.
grep -ohw 'go_[a-z_0-9]*' "$work"/man3/*.3 | sort -u >"$work/shown"
cat "$source"/include/gofer/*.h |
    python3 -c 'import re, sys; print(re.sub(r"(?s)/\*.*?\*/|//[^\n]*|\benum \w+", "", sys.stdin.read()))' |
    grep -ow 'go_[a-z_0-9]*' | sort -u >"$work/declared"
while read -r name; do fail "$name is on no page"; done < <(comm -13 "$work/shown" "$work/declared")
# And of what it shows, a name alone, a macro's definition, or "go" for a description.
grep -E '^\\fB(go_[a-z_0-9]+|#define .*)\\fR$' "$work"/man3/*.3 && fail 'a synopsis says nothing'
grep -A1 '^\.SH NAME' "$work"/man3/*.3 | grep -E ' \\- go$' && fail 'a page without a description'
# gofer(1) names what the library and the command read from the environment, of their own and of Go's.
diff <(grep -rohE '(getenv|gofer_number_from)\("GO[A-Z_]+"|\$\{?GO[A-Z_]+' "$source/src" "$source/tools/gofer" |
    grep -oE 'GO[A-Z_]+' | sort -u) \
    <(sed -n '/^\.SH ENVIRONMENT/,/^\.SH EXIT/s/^\.BR\? //p' "$source/man/gofer.1" | grep -oE 'GO[A-Z_]+' | sort -u) ||
    fail 'gofer(1) ENVIRONMENT: < is read and not named, > is named and not read'
if command -v mandoc >/dev/null; then
    for page in "$source/man/gofer.1" "$work"/man7/*.7 "$work"/man3/*.3; do
        grep -q '^\.so ' "$page" || mandoc -T lint -W warning "$page" || fail "mandoc -T lint $page"
    done
else
    echo 'mandoc is not installed: left out'
fi
[ $failed = 1 ] || echo ok
exit $failed
